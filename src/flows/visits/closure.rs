//! The centre does not open: its sessions are closed together, both parents are told, nobody is
//! charged (choice C22), and whoever cannot be texted is on the list of those to be rung.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{ClosureId, SessionId};
use crate::domain::local_time::instant;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::Mode;
use crate::domain::people::staff::Act;
use crate::domain::reminders::release::in_time;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::compose::message_to;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::service::Service;
pub use crate::flows::visits::closure_preview::{
    ClosurePreview, ClosureRequest, Notification, NotifiedParent, preview,
};
use crate::flows::visits::closure_preview::{centre_in, concerned, how, preview_of};
use crate::store::closures::{self, families};
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sealed::random_id;
use crate::store::sessions;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, money, staff};
use chrono::{DateTime, NaiveTime, Utc};

/// Closes, if the number of families is still the one that was previewed. Everything is one
/// transaction; one parent's message never depends on another's.
///
/// # Errors
/// Another number of families or a session that was changed meanwhile; no session at all; an unknown
/// centre; somebody who may not.
pub async fn send(
    svc: &Service,
    c: &ClosureRequest,
    expected: usize,
    by: &str,
) -> Result<ClosurePreview> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Close).await?;
    let (centre, held) = centre_in(&mut tx, &c.centre).await?;
    let contexts = lock_concerned(svc, &mut tx, c, &centre, now).await?;
    let n = families(&contexts);
    if n == 0 {
        refuse!(
            "no session of {} is booked then; nothing was changed",
            c.centre
        );
    }
    if n != expected {
        return Err(Error::changed(format!(
            "{n} families are concerned now, not {expected}; nothing was changed. Look at the \
             preview again"
        )));
    }
    let untold_moves = outbox::unsent_moves(&mut tx, &c.centre).await?;
    close_sessions(&mut tx, c, &centre, &contexts, now).await?;
    let id = ClosureId::new(random_id());
    add_closure(&mut tx, c, &id, n, by, now).await?;
    let mut messages = Vec::with_capacity(contexts.len());
    let mut rings = Vec::new();
    for context in &contexts {
        let untold = untold_moves.get(&(context.session.id.clone(), context.attendee.role));
        messages.extend(news(&centre, &id, context, untold, now));
        if how(context) == Notification::Ring || held || untold.is_some() {
            // Rule f10: nothing leaves while on hold, so a person rings.
            rings.push(ring_task(&id, context));
        }
    }
    outbox::enqueue(&mut tx, now, &messages).await?;
    tasks::open_many(&mut tx, now, &rings).await?;
    record(&mut tx, c, &contexts, by, now).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    preview_of(svc, &centre, &contexts, held)
}

/// Reads whom the closure concerns and keeps others off those sessions.
async fn lock_concerned(
    svc: &Service,
    tx: &mut Tx,
    c: &ClosureRequest,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Result<Vec<AttendeeContext>> {
    let contexts = concerned(svc, tx, c, centre, now).await?;
    if !tx.is_postgres() {
        return Ok(contexts);
    }
    let ids: Vec<SessionId> = versions(&contexts).into_iter().map(|(id, _)| id).collect();
    sessions::lock(tx, &ids).await?;
    concerned(svc, tx, c, centre, now).await
}

/// Each session once, with the version that was read.
fn versions(contexts: &[AttendeeContext]) -> Vec<(SessionId, i64)> {
    let mut out: Vec<_> = contexts
        .iter()
        .map(|s| (s.session.id.clone(), s.session.version))
        .collect();
    out.dedup();
    out
}

async fn close_sessions(
    tx: &mut Tx,
    c: &ClosureRequest,
    centre: &Centre,
    contexts: &[AttendeeContext],
    now: DateTime<Utc>,
) -> Result<()> {
    let day_after = c.to.succ_opt().unwrap_or(c.to);
    let until = instant(centre.tz, day_after.and_time(NaiveTime::MIN));
    closures::end_undo(tx, &c.centre, now, until).await?;
    let sessions = versions(contexts);
    let closed = closures::close(
        tx,
        now,
        &sessions,
        &[
            MessageKind::ConfirmRequest.as_str(),
            MessageKind::SessionMoved.as_str(),
        ],
        EndReason::SessionOff.as_str(),
    )
    .await?;
    if closed != sessions.len() as u64 {
        return Err(Error::changed(
            "a session was changed by somebody else just now; nothing was closed. Look at the \
             preview again",
        ));
    }
    tasks::mark_obsolete_of_sessions(tx, now, &sessions, TaskKind::RingSessionOn).await?;
    Ok(())
}

async fn add_closure(
    tx: &mut Tx,
    c: &ClosureRequest,
    id: &ClosureId,
    families: usize,
    by: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (opens, closes) = c.hours.unwrap_or((
        NaiveTime::MIN,
        NaiveTime::from_hms_opt(23, 59, 0).unwrap_or_default(),
    ));
    let row = closures::Closure {
        id,
        centre: &c.centre,
        from: c.from.and_time(opens),
        to: c.to.and_time(closes),
        why: &c.why,
        families: families as i64,
        by,
    };
    closures::add(tx, now, &row).await
}

fn dedup_key(id: &ClosureId, context: &AttendeeContext) -> MessageKey {
    let (s, a) = (&context.session, &context.attendee);
    MessageKey::closure(id, &s.id, a.role)
}

fn ring_task<'a>(id: &ClosureId, context: &'a AttendeeContext) -> NewTask<'a> {
    let key = TaskKey::ring_for(&dedup_key(id, context));
    NewTask::of_attendee(key, TaskKind::RingSessionOff, context).due(context.attendee.arrives_at)
}

/// The text to one parent, if their phone takes one. Who was never told of a move (`untold`) knows
/// the session at its old time only: that one is called off, and a person rings too.
fn news(
    centre: &Centre,
    id: &ClosureId,
    context: &AttendeeContext,
    untold: Option<&Payload>,
    now: DateTime<Utc>,
) -> Option<NewMessage> {
    let (s, a) = (&context.session, &context.attendee);
    let rings = how(context) == Notification::Ring;
    let (kind, payload) = match untold {
        Some(old_arrival) if !rings => (MessageKind::SessionOff, old_arrival.clone()),
        _ if !rings || context.mode == Mode::Discreet => (MessageKind::Closure, Payload::None),
        _ => return None,
    };
    let not_before = in_time(centre, now, a.arrives_at);
    Some(NewMessage {
        session: Some((s.id.clone(), s.version + 1, a.ask_version)),
        payload,
        ..message_to(
            context,
            dedup_key(id, context),
            kind,
            not_before,
            Some(s.ends_at),
        )
    })
}

/// Records the closure in each case, also where a party had cancelled a session of that day: its fee
/// falls with the closure (choice C13).
async fn record(
    tx: &mut Tx,
    c: &ClosureRequest,
    contexts: &[AttendeeContext],
    by: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut list: Vec<Fact<'_>> = Vec::with_capacity(contexts.len());
    for s in contexts.iter().map(|s| &s.session) {
        if list.last().is_none_or(|f| f.session_id != Some(&s.id)) {
            list.push(Fact::new("closed", "C22", by, now).of_session(s));
        }
    }
    let off = closures::cancelled_within(tx, now, &c.centre, c.from, c.to, c.hours).await?;
    list.extend(off.iter().map(|(case, session)| {
        Fact::new("closed", "C13", by, now)
            .case(case)
            .session(session)
    }));
    facts::add(tx, now, &list).await?;
    money::rescan(tx, now, list.iter().filter_map(|f| f.case_id)).await
}
