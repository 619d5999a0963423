//! A session that was called off takes place after all.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{after_quiet, wall};
use crate::domain::money::policy::RecordedFact;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::people::staff::Act;
use crate::domain::reminders::schedule;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::attendee::Session;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::compose::message_to;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::standing::{StandingLines, finish};
use crate::flows::recording::{Recording, begin};
use crate::flows::service::Service;
use crate::flows::visits::cancel::resume_question;
use crate::store::Tx;
use crate::store::facts;
use crate::store::{money as ledger, outbox, sessions, tasks};
use chrono::{DateTime, Utc};

/// Puts a cancelled or closed session back on: both parents are told and asked anew, and the
/// cancellation's fee is void (choice C11).
///
/// # Errors
/// The session is on, has begun, or its file is closed; a time before it was called off; somebody
/// who may not.
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
    not_before_it_was_off(&mut tx, &session, &centre, rec).await?;
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
        tell_on(&mut tx, &centre, context, moment, now).await?;
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

/// Refuses a time before what called the session off: the cancellation would then come after it and
/// keep its fee, though the visit is on.
async fn not_before_it_was_off(
    tx: &mut Tx,
    session: &Session,
    centre: &Centre,
    rec: &Recording<'_>,
) -> Result<()> {
    let known = ledger::case(tx, &session.case_id).await?.record;
    let calls_off = |f: &&RecordedFact| {
        matches!(f.kind.as_str(), "cancelled" | "closed") && f.session.as_ref() == Some(&session.id)
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
    Ok(())
}

/// Tells one parent that the session is on again, and asks anew. Who never heard that it was off,
/// neither by text nor by a call, hears nothing of its coming back.
async fn tell_on(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    moment: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let session = &context.session;
    let session_id = &session.id;
    let a = &context.attendee;
    let called_off = session.cancelled_by.map(|by| by.as_str()) == Some(a.role.as_str());
    let cancelled_too = a.answer == Answer::Cancelled;
    if !called_off
        && !cancelled_too
        && !outbox::may_know_of_cancellation(tx, session, a.role).await?
    {
        sessions::set_release(tx, session_id, a.role, None, None).await?;
        resume_question(tx, centre, context, now).await?;
        tasks::reopen_ring_tasks(tx, session_id, a.role).await?;
        return Ok(());
    }
    // If the courtesy moment has passed, this text is the request; else one follows at its
    // moment unless this one was answered.
    let (ask_at, asked) = if moment <= now {
        (None, "moved")
    } else {
        (
            Some(schedule::first_look(centre, session.start_local, now)),
            "",
        )
    };
    sessions::restart_question(tx, a, a.arrives_at, now, ask_at, asked).await?;
    sessions::set_release(tx, session_id, a.role, None, None).await?;
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
    outbox::enqueue(tx, now, &[message]).await?;
    Ok(())
}
