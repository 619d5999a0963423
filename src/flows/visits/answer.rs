//! An answer that a parent gave by phone or in person.

use crate::domain::ids::SessionId;
use crate::domain::local_time::after_all_quiet;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::person::Role;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, CancelledBy, Reason, SessionState};
use crate::flows::compose::message_to;
use crate::flows::error::{Result, refuse};
use crate::flows::lateness::is_late;
use crate::flows::recording::{Recording, begin, must_be_booked};
use crate::flows::service::Service;
use crate::flows::visits::cancel::call_off;
use crate::store::facts;
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions::{self};
use crate::store::tasks::{self, NewTask};
use crate::store::{centres, questions};

/// Records an answer that a party gave by phone or in person. A "no" to a session that is off
/// already is recorded too (choice C10).
pub async fn answer(
    svc: &Service,
    session_id: &SessionId,
    role: Role,
    yes: bool,
    reason: Option<Reason>,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    let off_already = !yes
        && matches!(
            session.state,
            SessionState::Cancelled | SessionState::Closed
        );
    if !off_already {
        must_be_booked(&session)?;
    }
    let contexts = sessions::contexts(&mut tx, svc.lines().senders(), session_id).await?;
    let Some(context) = contexts.iter().find(|s| s.attendee.role == role) else {
        refuse!("the {role} has no place in session {session_id}")
    };
    // What this party began by text is ended by what they said to a person.
    if let Some(q) = questions::of(&mut tx, session_id, role, context.attendee.ask_version, now)
        .await?
        .open
    {
        questions::end(&mut tx, &q.id, false).await?;
    }
    tasks::obsolete_unfinished(&mut tx, now, session_id, Some(role)).await?;
    crate::flows::choices::end_choices(&mut tx, context, "", now).await?;
    if yes {
        sessions::answer(&mut tx, session_id, role, Answer::Confirmed, Some(rec.at)).await?;
        outbox::withdraw(
            &mut tx,
            session_id,
            Some(role),
            &[MessageKind::ConfirmRequest],
            EndReason::Answered.as_str(),
        )
        .await?;
        facts::add(
            &mut tx,
            now,
            &[rec
                .fact("confirmed", "by-staff")
                .of_session(&session)
                .role(role)],
        )
        .await?;
    } else {
        if rec.at >= session.starts_at {
            refuse!("the session had begun by then; record who was absent instead");
        }
        let by = if role == Role::Resident {
            CancelledBy::Resident
        } else {
            CancelledBy::Contact
        };
        facts::add(
            &mut tx,
            now,
            &[rec
                .fact("cancelled", "by-staff")
                .of_session(&session)
                .role(role)
                .detail(reason.unwrap_or(Reason::Other).as_str())],
        )
        .await?;
        crate::flows::lateness::note_refused_move(&mut tx, context, rec.at, rec.by, now).await?;
        call_off(
            &mut tx,
            svc.lines().senders(),
            &centre,
            session_id,
            by,
            rec.at,
            None,
            now,
        )
        .await?;
        if off_already {
            // The co-ordinator sees a second one, as when it comes by text: it may decide whether
            // the session can be put back on.
            let dedup_key = format!(
                "{}/{session_id}/{}/{role}/{}",
                TaskKind::Cancellation,
                session.version,
                rec.at.timestamp()
            );
            let task = NewTask {
                centre: Some(&session.centre),
                case_id: Some(&session.case_id),
                session_id: Some(session_id),
                role: Some(role),
                due_at: Some(context.attendee.arrives_at),
                ..NewTask::new(dedup_key, TaskKind::Cancellation)
            };
            tasks::open(&mut tx, now, &task).await?;
        }
        // The phone on file learns what was recorded in its owner's name.
        if let Some(to) = context
            .route()
            .filter(|_| context.consent == crate::domain::people::person::Consent::Yes)
            .map(|r| (r.address.clone(), r.hash.clone()))
        {
            let in_time = !is_late(&mut tx, context, rec.at).await?;
            let quiet: Vec<_> = centre
                .courtesy
                .quiet
                .into_iter()
                .chain(context.quiet)
                .collect();
            let not_before = after_all_quiet(&quiet, centre.tz, now).unwrap_or(session.ends_at);
            let ack = message_to(
                context,
                format!("ack/{session_id}/{}/{role}", session.version),
                MessageKind::CancellationAck,
                not_before,
                Some(session.ends_at),
            );
            outbox::enqueue(
                &mut tx,
                now,
                &[NewMessage {
                    to: Some(to),
                    payload: Payload::CancelledInTime(in_time),
                    ..ack
                }],
            )
            .await?;
        }
        let all = centres::all_in(&mut tx).await?;
        crate::flows::money::settle::settle(
            svc.lines().senders(),
            &mut tx,
            &all,
            &session.case_id,
            now,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
