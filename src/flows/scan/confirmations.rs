//! A session falls due: its courtesy confirmations are queued, once, for each parent at the same
//! instant.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::{MessageKey, TaskKey};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::{Consent, Mode};
use crate::domain::people::senders::Senders;
use crate::domain::reminders::schedule::{self, Moment, NotSent, first_look};
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::compose::message_to;
use crate::flows::ring::{ON_TIME, ring, ring_by};
use crate::flows::service::Service;
use crate::store::centres::{self, Centres};
use crate::store::sessions;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, errands, outbox, questions};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Attendees looked at in one transaction.
const BATCH: i64 = 2000;

/// Whether and when this attendee is asked to confirm, seen at `now`. Who has not heard yet that the
/// session is off is asked as if it were on.
pub fn decide(
    centre: &Centre,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> Result<Moment, NotSent> {
    let (s, a) = (&context.session, &context.attendee);
    if context.archived {
        return Err(NotSent::CaseArchived);
    }
    match s.state {
        SessionState::Booked => {}
        SessionState::Closed => return Err(NotSent::Closed),
        _ if context.is_hidden(now) => {}
        _ => return Err(NotSent::Cancelled),
    }
    if context.opted_out() || context.consent == Consent::Stop {
        return Err(NotSent::OptedOut);
    }
    if context.route().is_none() || context.consent != Consent::Yes || context.mode == Mode::Silent
    {
        return Err(NotSent::NoUsableChannel);
    }
    if a.answer == Answer::Confirmed {
        return Err(NotSent::AlreadyConfirmed);
    }
    let moment = schedule::moment(&centre.courtesy, centre.tz, s.start_local);
    // What was planned for a moment counts as on time for a while after it; later it is caught up.
    let planned = moment
        .at
        .max(a.ask_known)
        .max(a.ask_at.unwrap_or(moment.at));
    let known = if now > planned + ON_TIME {
        now
    } else {
        planned
    };
    let moment = schedule::ask_at(
        &centre.courtesy,
        centre.tz,
        s.start_local,
        a.arrives_at,
        known,
    )?;
    // By then they will have heard that it is off.
    if s.state != SessionState::Booked && a.hears_at.is_some_and(|t| t <= moment.at) {
        Err(NotSent::Cancelled)
    } else {
        Ok(moment)
    }
}

/// Queues what is due at `now`, and then does what falls due in cases by itself; returns how many
/// attendees were settled.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<u64> {
    crate::flows::scan::alerts::scan(svc, now).await?;
    let settled = ask(svc, now).await?;
    if tasks::any_outdated(&svc.db, now).await? {
        let mut tx = svc.db.begin().await?;
        tasks::mark_outdated_obsolete(&mut tx, now).await?;
        tx.commit().await?;
        svc.changed.notify_waiters();
    }
    // After the questions: a reminder of a note keeps its distance to the question that goes at the
    // same moment, not the other way round.
    crate::flows::money::settle::scan(svc, now).await?;
    crate::flows::visits::milestones::scan(svc, now).await?;
    Ok(settled)
}

async fn ask(svc: &Service, now: DateTime<Utc>) -> Result<u64> {
    let mut settled = 0;
    if !sessions::anything_due(&svc.db, now).await? {
        return Ok(0);
    }
    loop {
        let mut tx = svc.db.begin().await?;
        let all = centres::all_in(&mut tx).await?;
        let contexts = sessions::due_to_ask(&mut tx, svc.lines().senders(), now, BATCH).await?;
        let n = contexts.len();
        settle(&mut tx, &all, &contexts, now).await?;
        if n == 0 {
            break;
        }
        tx.commit().await?;
        settled += n as u64;
        svc.wake_senders();
        if n < BATCH as usize {
            break;
        }
    }
    tidy(svc, now).await?;
    if settled > 0 {
        svc.changed.notify_waiters();
    }
    Ok(settled)
}

async fn settle(
    tx: &mut Tx,
    all: &Centres,
    contexts: &[AttendeeContext],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut queued = Vec::new();
    let mut rows = Vec::with_capacity(contexts.len());
    for context in contexts {
        let (s, a) = (&context.session, &context.attendee);
        let Some(stored) = all.get(&s.centre) else {
            continue;
        };
        let centre = &stored.centre;
        let row = |at, word| (s.id.clone(), a.role, at, word);
        match decide(centre, context, now) {
            Ok(m) if m.at > now => rows.push(row(Some(m.at), "")),
            Ok(m) => {
                let until = schedule::not_after(&centre.courtesy, a.arrives_at, m.at);
                queued.push(message_to(
                    context,
                    MessageKey::confirmation(&s.id, a.ask_version, a.role),
                    MessageKind::ConfirmRequest,
                    m.at,
                    Some(until),
                ));
                rows.push(row(None, "queued"));
            }
            // It may still be taken back; then the question comes at its own time.
            Err(NotSent::Cancelled) if context.is_hidden(now) => rows.push(row(a.hears_at, "")),
            Err(why) => {
                let topic = match why {
                    NotSent::OptedOut => Some(TaskKind::RingOptedOut),
                    NotSent::NoUsableChannel => Some(TaskKind::RingNoAddress),
                    _ => None,
                };
                if let Some(topic) = topic.filter(|_| a.arrives_at > now) {
                    ring(
                        tx,
                        now,
                        context,
                        topic,
                        TaskKey::unasked_confirmation(&s.id, a.ask_version, a.role),
                    )
                    .await?;
                }
                rows.push(row(None, why.as_str()));
            }
        }
    }
    outbox::enqueue(tx, now, &queued).await?;
    sessions::update_asks(tx, rows).await
}

/// Ends what is no longer worth sending, and hands unfinished cancellations to a person (rule S1a).
async fn tidy(svc: &Service, now: DateTime<Utc>) -> Result<()> {
    let mut tx = svc.db.begin().await?;
    let mut any = outbox::expire(&mut tx, now).await?
        + errands::expire(&mut tx, now).await?
        + tasks::mark_past_unfinished_obsolete(&mut tx, now).await?
        > 0;
    let all = centres::all_in(&mut tx).await?;
    for q in questions::take_unfinished(&mut tx, now).await? {
        any = true;
        if q.has_ring_task {
            continue;
        }
        let task = NewTask {
            case_id: Some(&q.case_id),
            session_id: Some(&q.session_id),
            role: Some(q.role),
            due_at: Some(
                all.get(&q.centre)
                    .map_or(q.arrives_at, |c| ring_by(&c.centre, q.arrives_at, now)),
            ),
            ..NewTask::new(
                TaskKey::unfinished_cancellation(&q.id),
                TaskKind::CancelUnfinished,
            )
        };
        tasks::open(&mut tx, now, &task).await?;
        // It had ended because the session was off for a while.
        tasks::reopen_obsolete(&mut tx, &task.dedup_key).await?;
    }
    if any {
        tx.commit().await?;
        svc.changed.notify_waiters();
    }
    Ok(())
}

/// Computes again when the attendees of a centre are asked, after its rules changed.
pub async fn replan(
    tx: &mut Tx,
    senders: &Senders,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut rows = Vec::new();
    for context in sessions::unasked(tx, senders, &centre.code, now).await? {
        let at = due_at(centre, &context, now);
        rows.push((
            context.session.id.clone(),
            context.attendee.role,
            Some(at),
            "",
        ));
    }
    sessions::update_asks(tx, rows).await
}

/// When the scheduler has to look at an attendee: at the courtesy moment, or at once if that has
/// passed.
fn due_at(centre: &Centre, context: &AttendeeContext, now: DateTime<Utc>) -> DateTime<Utc> {
    first_look(
        centre,
        context.session.start_local,
        context.attendee.ask_known.max(now),
    )
}
