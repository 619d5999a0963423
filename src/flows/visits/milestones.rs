//! What falls due in a case by itself becomes a task, and where the centre wants it a text to both
//! parents: each open case is looked at once a day, and whenever something happened to a session.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::{MessageKey, TaskKey};
use crate::domain::ids::CaseId;
use crate::domain::local_time::instant;
use crate::domain::money::office_hours::money_at;
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::decide::MilestoneFacts;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::{Consent, Mode};
use crate::domain::reminders::milestones::{MilestoneCase, look, text_from, text_of, text_until};
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::SessionState;
use crate::flows::compose::message_to;
use crate::flows::money::assessed_case;
use crate::flows::service::Service;
use crate::flows::visits::series;
use crate::store::centres::{self, Centres};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, bookings as store, milestones, money as ledger};
use anyhow::Result;
use chrono::{DateTime, Duration, NaiveTime, Utc};

/// Cases looked at in one transaction.
const BATCH: i64 = 200;
/// Transactions in one scan: a large import is looked at over some minutes, so that no text waits
/// for it.
const BATCHES: usize = 5;

/// Queues the texts of open tasks at the centres that want them, each once: both parents read the
/// same words at the same moment. Returns whether there are any.
async fn texts(
    svc: &Service,
    tx: &mut Tx,
    all: &Centres,
    cases: &[(String, MilestoneCase)],
    now: DateTime<Utc>,
) -> Result<bool> {
    let wanted = |centre: &str| {
        all.get(centre)
            .map(|c| &c.centre)
            .filter(|c| !c.milestone_texts.is_empty())
    };
    let ids: Vec<&CaseId> = cases
        .iter()
        .filter(|(centre, _)| wanted(centre).is_some())
        .map(|(_, case)| &case.id)
        .collect();
    let topics: Vec<TaskKind> = TaskKind::ALL
        .iter()
        .copied()
        .filter(|t| text_of(*t).is_some())
        .collect();
    let mut list = Vec::new();
    for t in milestones::tasks_without_text(tx, &ids, &topics).await? {
        let Some((centre, case)) = cases
            .iter()
            .find(|c| c.1.id == t.case_id)
            .and_then(|(centre, case)| Some((wanted(centre)?, case)))
        else {
            continue;
        };
        let Some(kind) = text_of(t.topic).filter(|k| centre.milestone_texts.contains(k)) else {
            continue;
        };
        // A text is to a place in a session: the one that it is about, the next one, or the last
        // there was.
        let next = case
            .visits
            .iter()
            .find(|v| v.state == SessionState::Booked && v.start > now)
            .or(case.visits.last());
        let Some(session) = t.session.as_ref().or(next.map(|v| &v.session)) else {
            continue;
        };
        let from_day = t
            .dedup_key
            .fee_change_day()
            .filter(|_| kind == MessageKind::FeeChange);
        let last = from_day
            .map(|d| instant(centre.tz, d.and_time(NaiveTime::MIN)))
            .or(t.due_at);
        let file = ledger::case(tx, &t.case_id).await?;
        let contexts = sessions::contexts_of_session(tx, svc.lines().senders(), session).await?;
        let from = text_from(t.due_at, centre.rules.money_hours.is_none(), now);
        let can: Vec<_> = contexts
            .iter()
            .filter(|s| {
                s.consent == Consent::Yes
                    && s.route().is_some()
                    && s.mode == Mode::Normal
                    && !s.archived
            })
            .collect();
        // By the hours of the centre alone: what one parent's phone may show, and when, must not
        // tell in the minute of the other's text.
        let quiet: Vec<_> = centre.courtesy.quiet.into_iter().collect();
        let Some(at) = money_at(
            centre.rules.money_hours,
            &centre.courtesy.bank_holidays,
            &quiet,
            &assessed_case::busy_spans(&file),
            centre.tz,
            from,
        ) else {
            continue;
        };
        let until = text_until(kind, last, from);
        if at < until {
            let payload = from_day.map_or(Payload::None, Payload::RulesFrom);
            list.extend(can.into_iter().map(|s| NewMessage {
                payload: payload.clone(),
                ..message_to(
                    s,
                    MessageKey::milestone(&t.dedup_key, s.attendee.role),
                    kind,
                    at,
                    Some(until),
                )
            }));
        }
    }
    Ok(outbox::enqueue(tx, now, &list).await? > 0)
}

/// Reads the task behind a claimed text about a milestone.
pub(crate) async fn facts(
    tx: &mut Tx,
    centre: &Centre,
    message: &ClaimedMessage,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> Result<MilestoneFacts> {
    let task_open = match message.dedup_key.milestone_task() {
        Some(task) => tasks::is_open(tx, &task).await?,
        None => false,
    };
    let (case_id, role) = (&context.session.case_id, context.attendee.role);
    let case = ledger::case(tx, case_id).await?;
    Ok(MilestoneFacts {
        task_open,
        in_danger: ledger::has_open_safety_task(tx, case_id, role).await?,
        allowed: assessed_case::allowed(centre, &case, context, now),
    })
}

/// Books ahead what has come within reach, and opens the tasks that follow from what happened.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<()> {
    if !store::anything_due(&svc.db, now).await? {
        return Ok(());
    }
    series::scan(svc, now).await?;
    for _ in 0..BATCHES {
        let mut tx = svc.db.begin().await?;
        let cases = milestones::due(&mut tx, now, BATCH).await?;
        if cases.is_empty() {
            return Ok(());
        }
        let all = centres::all_in(&mut tx).await?;
        let mut again = Vec::with_capacity(cases.len());
        let mut opened = Vec::new();
        for (centre, case) in &cases {
            let Some(c) = all.get(centre).map(|c| &c.centre) else {
                again.push((case.id.clone(), now + Duration::days(1)));
                continue;
            };
            let seen = look(&c.rules, c.tz, case, now);
            again.push((case.id.clone(), seen.again));
            opened.extend(seen.due.into_iter().map(|d| (case, d)));
        }
        let list: Vec<NewTask<'_>> = opened
            .iter()
            .map(|(case, d)| NewTask {
                case_id: Some(&case.id),
                session_id: d.session.as_ref(),
                role: d.role,
                due_at: d.due_at,
                ..NewTask::new(d.dedup_key.clone(), d.topic)
            })
            .collect();
        tasks::open_many(&mut tx, now, &list).await?;
        for (case, d) in opened
            .iter()
            .filter(|(_, d)| d.topic == TaskKind::Replacement)
        {
            // It was put back on, and then missed after all.
            if let Some(off_at) = case
                .visits
                .iter()
                .find(|v| Some(&v.session) == d.session.as_ref())
                .and_then(|v| v.off_at)
            {
                tasks::reopen_if_done_before(&mut tx, &d.dedup_key, off_at).await?;
            }
        }
        let ids: Vec<&CaseId> = cases.iter().map(|c| &c.1.id).collect();
        for (case_id, session) in milestones::to_be_replaced(&mut tx, &ids).await? {
            let visit = cases
                .iter()
                .filter(|c| c.1.id == case_id)
                .find_map(|(_, c)| c.visits.iter().find(|v| v.session == session));
            if visit.is_some_and(|v| {
                v.replaced
                    || v.unbooked
                    || matches!(v.state, SessionState::Booked | SessionState::Attended)
            }) {
                tasks::mark_obsolete(&mut tx, now, &TaskKey::replacement(&session)).await?;
            }
        }
        let told = texts(svc, &mut tx, &all, &cases, now).await?;
        milestones::settle(&mut tx, again).await?;
        tx.commit().await?;
        if told {
            svc.wake_senders();
        }
        svc.changed.notify_waiters();
    }
    Ok(())
}
