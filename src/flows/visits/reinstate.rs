//! A session that was called off takes place after all.

use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{after_quiet, wall};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::people::staff::Act;
use crate::domain::reminders::schedule;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use crate::flows::compose::message_to;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::standing::{StandingLines, finish};
use crate::flows::recording::{Recording, begin};
use crate::flows::service::Service;
use crate::store::facts;
use crate::store::{money as ledger, outbox, sessions, tasks};

/// Takes a cancellation or a closure of one session back: both parents are told and asked anew, and
/// that cancellation's fee is void (choice C11).
///
/// # Errors
/// In plain words: the session is on, has begun, or its file is closed; a time before it was called
/// off; somebody who may not.
pub async fn reinstate(
    svc: &Service,
    session_id: &SessionId,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    if !matches!(
        session.state,
        SessionState::Cancelled | SessionState::Closed
    ) {
        refuse!(
            "session {session_id} is {}, not called off; nothing was recorded",
            session.state
        );
    }
    if session.starts_at <= now {
        refuse!("its start has passed; book another session instead");
    }
    // Dated before what called it off, the cancellation would come after it and keep its fee,
    // though the visit is on.
    let known = ledger::case(&mut tx, &session.case_id).await?.record;
    let calls_off = |f: &&crate::domain::money::policy::RecordedFact| {
        matches!(f.kind.as_str(), "cancelled" | "closed") && f.session.as_ref() == Some(session_id)
    };
    let off_at = known
        .facts
        .iter()
        .filter(calls_off)
        .map(|f| f.at)
        .chain(session.cancelled_at)
        .max();
    if let Some(off_at) = off_at.filter(|t| *t > rec.at) {
        refuse!(
            "--at lies before it was called off ({}); write when it was put back on. Nothing was \
             recorded",
            wall(centre.tz, off_at).format("%a %-d %b %H:%M")
        );
    }
    let contexts =
        sessions::contexts_of_session(&mut tx, svc.lines().senders(), session_id).await?;
    if contexts.iter().any(|s| s.archived) {
        refuse!("the file is closed; a new referral is needed first");
    }
    if !sessions::reinstate(&mut tx, &session).await? {
        return Err(Error::session_changed());
    }
    let moment = schedule::moment(&centre.courtesy, centre.tz, session.start_local).at;
    for context in &contexts {
        let a = &context.attendee;
        // Who never heard that it was off, neither by text nor by a call, hears nothing of its
        // coming back.
        let called_off = session.cancelled_by.map(|by| by.as_str()) == Some(a.role.as_str());
        let cancelled_too = a.answer == crate::domain::visits::session::Answer::Cancelled;
        if !called_off
            && !cancelled_too
            && !outbox::may_know_of_cancellation(&mut tx, &session, a.role).await?
        {
            sessions::set_release(&mut tx, session_id, a.role, None, None).await?;
            crate::flows::visits::cancel::resume_question(&mut tx, &centre, context, now).await?;
            tasks::reopen_ring_tasks(&mut tx, session_id, a.role).await?;
            continue;
        }
        // If the courtesy moment has passed, this text is the request; else one follows at its
        // moment unless this one was answered.
        let (ask_at, asked) = if moment <= now {
            (None, "moved")
        } else {
            (
                Some(crate::domain::reminders::schedule::first_look(
                    &centre,
                    session.start_local,
                    now,
                )),
                "",
            )
        };
        sessions::restart_question(&mut tx, a, a.arrives_at, now, ask_at, asked).await?;
        sessions::set_release(&mut tx, session_id, a.role, None, None).await?;
        let at = after_quiet(centre.courtesy.quiet, centre.tz, now);
        let dedup_key = MessageKey::session_on(session_id, session.version + 1, a.role);
        let message = outbox::NewMessage {
            session: Some((
                session_id.to_owned(),
                session.version + 1,
                a.ask_version + 1,
            )),
            ..message_to(
                context,
                dedup_key,
                MessageKind::SessionOn,
                at,
                Some(a.arrives_at),
            )
        };
        outbox::enqueue(&mut tx, now, &[message]).await?;
    }
    outbox::withdraw(
        &mut tx,
        session_id,
        None,
        &[MessageKind::SessionOff, MessageKind::Closure],
        EndReason::TakenBack.as_str(),
    )
    .await?;
    tasks::mark_done_of_session(&mut tx, now, session_id, TaskKind::Reconfirm).await?;
    tasks::mark_done_of_session(&mut tx, now, session_id, TaskKind::Replacement).await?;
    tasks::mark_obsolete_of_session(&mut tx, now, session_id, TaskKind::RingSessionOff).await?;
    facts::add(
        &mut tx,
        now,
        &[rec.fact("reinstated", "C11").of_session(&session)],
    )
    .await?;
    finish(svc, tx, &session.case_id, now).await
}
