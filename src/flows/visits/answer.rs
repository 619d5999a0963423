//! An answer that a parent gave by phone or in person.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::SessionId;
use crate::domain::local_time::after_all_quiet;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::Consent;
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, CancelledBy, Reason, SessionState};
use crate::flows::choices::end_choices;
use crate::flows::compose::message_to;
use crate::flows::error::{Result, refuse};
use crate::flows::lateness::{is_late, note_refused_move};
use crate::flows::money::settle::settle;
use crate::flows::recording::{Recording, begin, must_be_booked};
use crate::flows::service::Service;
use crate::flows::visits::cancel::{CallOff, call_off};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, facts, questions};
use chrono::{DateTime, Utc};

/// Records an answer that a party gave by phone or in person. A "no" to a session that is off
/// already is recorded too (choice C10).
///
/// # Errors
/// The session is unknown, not booked or, for a "no", has begun; the party does not come to it;
/// somebody who may not.
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
    let contexts =
        sessions::contexts_of_session(&mut tx, svc.lines().senders(), session_id).await?;
    let Some(context) = contexts.iter().find(|s| s.attendee.role == role) else {
        refuse!("the {role} has no place in session {session_id}")
    };
    end_open_questions(&mut tx, context, now).await?;
    if yes {
        confirm(&mut tx, context, rec, now).await?;
    } else {
        if rec.at >= session.starts_at {
            refuse!("the session had begun by then; record who was absent instead");
        }
        cancel(svc, &mut tx, &centre, context, reason, rec, now).await?;
        if off_already {
            open_cancellation_task(&mut tx, context, rec.at, now).await?;
        }
        acknowledge(&mut tx, &centre, context, rec.at, now).await?;
        let all = centres::all_in(&mut tx).await?;
        settle(svc.lines().senders(), &mut tx, &all, &session.case_id, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends what this party began by text: they have spoken with a person.
async fn end_open_questions(
    tx: &mut Tx,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (session_id, role) = (&context.session.id, context.attendee.role);
    let version = context.attendee.ask_version;
    if let Some(q) = questions::history(tx, session_id, role, version, now)
        .await?
        .open
    {
        questions::end(tx, &q.id, false).await?;
    }
    tasks::mark_unfinished_obsolete(tx, now, session_id, Some(role)).await?;
    end_choices(tx, context, "", now).await
}

async fn confirm(
    tx: &mut Tx,
    context: &AttendeeContext,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (session_id, role) = (&context.session.id, context.attendee.role);
    sessions::set_answer(tx, session_id, role, Answer::Confirmed, Some(rec.at)).await?;
    outbox::withdraw(
        tx,
        session_id,
        Some(role),
        &[MessageKind::ConfirmRequest],
        EndReason::Answered.as_str(),
    )
    .await?;
    let fact = rec.fact("confirmed", "by-staff").of_attendee(context);
    facts::add(tx, now, &[fact]).await
}

async fn cancel(
    svc: &Service,
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    reason: Option<Reason>,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let fact = rec
        .fact("cancelled", "by-staff")
        .of_attendee(context)
        .detail(reason.unwrap_or(Reason::Other).as_str());
    facts::add(tx, now, &[fact]).await?;
    note_refused_move(tx, context, rec.at, rec.by, now).await?;
    let off = CallOff {
        by: match context.attendee.role {
            Role::Resident => CancelledBy::Resident,
            _ => CancelledBy::Contact,
        },
        at: rec.at,
        by_address: None,
    };
    let lines = svc.lines();
    call_off(tx, lines.senders(), centre, &context.session.id, &off, now).await
}

/// Shows the co-ordinator a second cancellation, as when it comes by text: it may decide whether the
/// session can be put back on.
async fn open_cancellation_task(
    tx: &mut Tx,
    context: &AttendeeContext,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (session, role) = (&context.session, context.attendee.role);
    let key = TaskKey::second_cancellation(&session.id, session.version, role, at);
    let task =
        NewTask::of_attendee(key, TaskKind::Cancellation, context).due(context.attendee.arrives_at);
    tasks::open(tx, now, &task).await
}

/// Tells the phone on file what was recorded in its owner's name.
async fn acknowledge(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some(route) = context.route().filter(|_| context.consent == Consent::Yes) else {
        return Ok(());
    };
    let (session, role) = (&context.session, context.attendee.role);
    let session_id = &session.id;
    let in_time = !is_late(tx, context, at).await?;
    let quiet: Vec<_> = centre
        .courtesy
        .quiet
        .into_iter()
        .chain(context.quiet)
        .collect();
    let not_before = after_all_quiet(&quiet, centre.tz, now).unwrap_or(session.ends_at);
    let ack = message_to(
        context,
        MessageKey::acknowledgement(session_id, session.version, role),
        MessageKind::CancellationAck,
        not_before,
        Some(session.ends_at),
    );
    let message = NewMessage {
        to: Some((route.address.clone(), route.hash.clone())),
        payload: Payload::CancelledInTime(in_time),
        ..ack
    };
    outbox::enqueue(tx, now, &[message]).await?;
    Ok(())
}
