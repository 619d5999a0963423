//! What falls due in a case by itself becomes a task, and where the centre wants it a text to both
//! parents: each open case is looked at once a day, and whenever something happened to a session.

use crate::domain::centre::Centre;
use crate::domain::local_time::{instant, wall};
use crate::domain::money::office_hours::money_at;
use crate::domain::outgoing::message::{Ended, Kind};
use crate::domain::outgoing::say::Say;
use crate::domain::people::person::{Consent, Mode};
use crate::domain::reminders::milestones::{
    Case, look, replacement_cause, text_from, text_of, text_until,
};
use crate::domain::task::Topic;
use crate::domain::visits::session::SessionState;
use crate::flows::money::{assessed_case, recheck::Look as MoneyLook};
use crate::flows::visits::book;
use crate::flows::{Service, to_seat};
use crate::store::centres::Centres;
use crate::store::outbox::{self, Claimed, NewMessage};
use crate::store::sessions::{self, Seat};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, bookings as store, centres, milestones, money as ledger};
use anyhow::Result;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

/// Cases looked at in one transaction.
const BATCH: i64 = 200;
/// Transactions in one scan: a large import is looked at over some minutes, so that no text waits
/// for it.
const BATCHES: usize = 5;

/// Queues the texts of open tasks at the centres that want them, each once: both parents read the
/// same words at the same moment. Gives whether there are any.
async fn texts(
    svc: &Service,
    tx: &mut Tx,
    all: &Centres,
    cases: &[(String, Case)],
    now: DateTime<Utc>,
) -> Result<bool> {
    let wanted = |centre: &str| {
        all.get(centre)
            .map(|c| &c.centre)
            .filter(|c| !c.milestone_texts.is_empty())
    };
    let ids: Vec<&str> = cases
        .iter()
        .filter(|(centre, _)| wanted(centre).is_some())
        .map(|(_, case)| case.id.as_str())
        .collect();
    let topics: Vec<Topic> = Topic::ALL
        .iter()
        .copied()
        .filter(|t| text_of(*t).is_some())
        .collect();
    let mut list = Vec::new();
    for t in milestones::untold(tx, &ids, &topics).await? {
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
            .cause
            .split('/')
            .nth(2)
            .and_then(|d| d.parse::<NaiveDate>().ok())
            .filter(|_| kind == Kind::FeeChange);
        let last = from_day
            .map(|d| instant(centre.tz, d.and_time(NaiveTime::MIN)))
            .or(t.due_at);
        let file = ledger::case(tx, &t.case_id).await?;
        let seats = sessions::seats(tx, svc.lines().senders(), session).await?;
        let from = text_from(t.due_at, centre.rules.money_hours.is_none(), now);
        let can: Vec<_> = seats
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
            let data = from_day.map(|d| d.to_string()).unwrap_or_default();
            list.extend(can.into_iter().map(|s| NewMessage {
                data: data.clone(),
                ..to_seat(
                    s,
                    milestones::text_cause(&t.cause, s.attendee.role),
                    kind,
                    at,
                    Some(until),
                )
            }));
        }
    }
    Ok(outbox::enqueue(tx, now, &list).await? > 0)
}

/// What a second look says of a text about a milestone.
pub(crate) enum Again {
    /// It is said, as money would be: in office hours, to a phone that may show it.
    Look(MoneyLook),
    /// It ends.
    Ended(Ended),
}

/// Looks once more, in the transaction that claims it: its task is still open, the file too, and
/// nothing is known of danger to the reader.
pub(crate) async fn again(
    tx: &mut Tx,
    centre: &Centre,
    c: &Claimed,
    seat: &Seat,
    now: DateTime<Utc>,
) -> Result<Again> {
    let own_cause = c
        .cause
        .strip_prefix("milestone/")
        .and_then(|rest| rest.rsplit_once('/'))
        .map(|(task, _)| task);
    let wanted = centre.milestone_texts.contains(&c.kind);
    let ahead = seat.session.state == SessionState::Booked && seat.attendee.arrives_at > now;
    let say = match c.kind {
        Kind::ReviewDue => Some(Say::ReviewDue),
        Kind::IntroductionMeeting => Some(Say::IntroductionMeeting),
        // The session is on also for who has not heard yet that it is off.
        Kind::PrevisitInvitation => {
            (ahead || seat.is_hidden(now)).then(|| Say::PrevisitInvitation {
                arrival: wall(centre.tz, seat.attendee.arrives_at),
            })
        }
        Kind::FeeChange => c.data.0.parse().ok().map(|from| Say::FeeChange { from }),
        _ => None,
    };
    if seat.archived {
        return Ok(Again::Ended(Ended::Archived));
    }
    let open = match own_cause {
        Some(task) => tasks::is_open(tx, task).await?,
        None => false,
    };
    if !open || !wanted || say.is_none() {
        return Ok(Again::Ended(Ended::NoLongerDue));
    }
    // The other parent's text goes as it would; this one is told by a person, for whom the task
    // stands.
    if ledger::safety_open(tx, &seat.session.case_id, seat.attendee.role).await? {
        return Ok(Again::Ended(Ended::Safety));
    }
    let case = ledger::case(tx, &seat.session.case_id).await?;
    Ok(Again::Look(MoneyLook {
        say,
        allowed: assessed_case::allowed(centre, &case, seat, now),
        unsafe_now: false,
    }))
}

/// Books ahead what has come within reach, and opens the tasks that follow from what happened.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<()> {
    if !store::anything_due(&svc.db, now).await? {
        return Ok(());
    }
    book::scan(svc, now).await?;
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
                session_id: d.session.as_deref(),
                role: d.role,
                due_at: d.due_at,
                ..NewTask::new(d.cause.clone(), d.topic)
            })
            .collect();
        tasks::open_many(&mut tx, now, &list).await?;
        for (case, d) in opened.iter().filter(|(_, d)| d.topic == Topic::Replacement) {
            // It was put back on, and then missed after all.
            if let Some(off_at) = case
                .visits
                .iter()
                .find(|v| Some(&v.session) == d.session.as_ref())
                .and_then(|v| v.off_at)
            {
                tasks::reopen(&mut tx, &d.cause, off_at).await?;
            }
        }
        let ids: Vec<&str> = cases.iter().map(|c| c.1.id.as_str()).collect();
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
                tasks::close(&mut tx, now, &replacement_cause(&session)).await?;
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
