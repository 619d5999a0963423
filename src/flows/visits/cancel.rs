//! A session is called off: recorded once, and told to whoever has to hear, when it may be
//! released.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::senders::Senders;
use crate::domain::reminders::release::{next_quarter, session_off_at};
use crate::domain::reminders::schedule::{NotSent, first_look, not_after};
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, CancelledBy, SessionState};
use crate::flows::compose::message_to;
use crate::flows::error::Result;
use crate::flows::recording::{Recording, begin_booked};
use crate::flows::ring::ring;
use crate::flows::service::Service;
use crate::store::facts;
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions::{self, Cancellation};
use crate::store::tasks::{self};
use crate::store::{Tx, centres, messages};
use chrono::{DateTime, Utc};

/// Who calls a session off, and when.
pub struct CallOff<'a> {
    pub by: CancelledBy,
    /// When it reached the centre.
    pub at: DateTime<Utc>,
    /// The hash of the address that may take it back until the other parent hears of it.
    pub by_address: Option<&'a str>,
}

impl CallOff<'_> {
    fn is_by(&self, context: &AttendeeContext) -> bool {
        context.attendee.role.as_str() == self.by.as_str()
    }
}

/// Calls a session off and tells whoever has to hear, when it may be released. The first
/// cancellation counts (choice C10); a later one is only recorded by its caller.
pub async fn call_off(
    tx: &mut Tx,
    senders: &Senders,
    centre: &Centre,
    session_id: &SessionId,
    off: &CallOff<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let contexts = sessions::contexts_of_session(tx, senders, session_id).await?;
    let (own, others): (Vec<_>, Vec<_>) = contexts.iter().partition(|c| off.is_by(c));
    if let Some(me) = own.first() {
        note_own_answer(tx, centre, me, &others, off, now).await?;
    }
    let Some(session) = contexts
        .first()
        .map(|s| s.session.clone())
        .filter(|s| s.state == SessionState::Booked)
    else {
        return Ok(());
    };
    let first = Cancellation {
        by: off.by,
        at: off.at,
    };
    if !sessions::cancel(tx, &session, &first).await? {
        return Ok(());
    }
    tasks::mark_obsolete_of_session(tx, now, session_id, TaskKind::RingSessionOn).await?;
    tasks::mark_unfinished_obsolete(tx, now, session_id, None).await?;
    let mut untold = Vec::with_capacity(others.len());
    for context in &others {
        untold.push(
            outbox::unsent_move(tx, session_id, context.attendee.role)
                .await?
                .unwrap_or_default(),
        );
    }
    // For whoever hears of it later it is on until then: what waits for them leaves at its minute,
    // or ends by itself.
    let knows = |c: &&AttendeeContext| {
        off.is_by(c) || session_off_at(centre, now, c.attendee.arrives_at) <= now
    };
    for context in contexts.iter().filter(knows) {
        end_questions(tx, context).await?;
    }
    let held = centres::held(tx, &centre.code).await?;
    for (context, old_arrival) in others.into_iter().zip(untold) {
        tell_off(tx, centre, context, old_arrival, held, now).await?;
    }
    Ok(())
}

/// Records the answer of the party that cancels. From the phone that finished it, it can be taken
/// back until the other parent hears of it.
async fn note_own_answer(
    tx: &mut Tx,
    centre: &Centre,
    me: &AttendeeContext,
    others: &[&AttendeeContext],
    off: &CallOff<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (session_id, role) = (&me.session.id, me.attendee.role);
    sessions::set_answer(tx, session_id, role, Answer::Cancelled, Some(off.at)).await?;
    let told_at = others
        .iter()
        .map(|s| session_off_at(centre, now, s.attendee.arrives_at))
        .min();
    if let Some(undo) = told_at.zip(off.by_address) {
        sessions::set_release(tx, session_id, role, me.attendee.hears_at, Some(undo)).await?;
    }
    Ok(())
}

/// Asks a party nothing more about a session that it knows to be off.
async fn end_questions(tx: &mut Tx, context: &AttendeeContext) -> anyhow::Result<()> {
    let (session_id, role) = (&context.session.id, context.attendee.role);
    outbox::withdraw(
        tx,
        session_id,
        Some(role),
        &[MessageKind::ConfirmRequest, MessageKind::SessionMoved],
        EndReason::SessionOff.as_str(),
    )
    .await?;
    if context.attendee.ask_at.is_some() {
        sessions::schedule_ask(tx, session_id, role, None, NotSent::Cancelled.as_str()).await?;
    }
    Ok(())
}

/// Queues "will not go ahead" for a party. Who was never told of a move (`old_arrival`) hears of the
/// session at the time that they know.
async fn tell_off(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    old_arrival: Payload,
    held: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let session = &context.session;
    let session_id = &session.id;
    let at = session_off_at(centre, now, context.attendee.arrives_at);
    let version = session.version + 1;
    let dedup_key = MessageKey::session_off(session_id, version, context.attendee.role);
    sessions::set_release(tx, session_id, context.attendee.role, Some(at), None).await?;
    let news = NewMessage {
        payload: old_arrival,
        ..message_to(
            context,
            dedup_key.clone(),
            MessageKind::SessionOff,
            at,
            Some(session.ends_at),
        )
    };
    outbox::enqueue(tx, now, &[news]).await?;
    if held {
        // Rule f10: nothing leaves while on hold, so a person rings.
        ring(
            tx,
            now,
            context,
            TaskKind::RingSessionOff,
            TaskKey::ring_for(&dedup_key),
        )
        .await?;
    }
    Ok(())
}

/// Resumes the question to a parent who never heard that the session was off. What ended meanwhile,
/// because the news was due and did not leave, is put on the quarter-hour grid. Nothing happens if
/// they answered already.
pub async fn resume_question(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let a = &context.attendee;
    if a.answer != Answer::None {
        return Ok(());
    }
    let session = &a.session_id;
    let at = first_look(centre, context.session.start_local, a.ask_known);
    let at = if at < now { next_quarter(now) } else { at };
    let until = not_after(&centre.courtesy, a.arrives_at, at);
    let moved = MessageKey::moved(session, a.ask_version, a.role);
    outbox::revive(
        tx,
        &moved,
        EndReason::SessionOff.as_str(),
        next_quarter(now),
        a.arrives_at,
    )
    .await?;
    let dedup_key = MessageKey::confirmation(session, a.ask_version, a.role);
    if !outbox::revive(tx, &dedup_key, EndReason::SessionOff.as_str(), at, until).await?
        && [NotSent::Cancelled, NotSent::Closed]
            .iter()
            .any(|why| a.asked == why.as_str())
        && messages::question_state(tx, session, a.role, a.ask_version)
            .await?
            .at
            .is_none()
    {
        sessions::schedule_ask(tx, session, a.role, Some(at), "").await?;
    }
    Ok(())
}

/// The centre calls one session off (choice C22: no fee for anyone).
pub async fn cancel(svc: &Service, session_id: &SessionId, rec: &Recording<'_>) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin_booked(svc, session_id, rec, now).await?;
    facts::add(
        &mut tx,
        now,
        &[rec.fact("cancelled", "C22").of_session(&session)],
    )
    .await?;
    call_off(
        &mut tx,
        svc.lines().senders(),
        &centre,
        session_id,
        &CallOff {
            by: CancelledBy::Centre,
            at: rec.at,
            by_address: None,
        },
        now,
    )
    .await?;
    let all = centres::all_in(&mut tx).await?;
    crate::flows::money::settle::settle(
        svc.lines().senders(),
        &mut tx,
        &all,
        &session.case_id,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
