//! What follows from the rules on money: a case is looked at after every fact and whenever
//! something happens by itself; the texts that are called for are queued, those that no longer are,
//! withdrawn, and what a person has to decide becomes a task.
//!
//! The state of a fee is never stored: it is computed from the facts each time (`domain::policy`).

mod again;
mod lists;
mod reviews;
mod tellings;
mod texts;

pub use lists::{Fee, Planned, fees, planned, standing_in_words, steps};
pub(super) use tellings::kind_of;

use super::Service;
use crate::domain::centre::Centre;
use crate::domain::conversation::Topic;
use crate::domain::local_time::wall;
use crate::domain::message::Kind;
use crate::domain::money_hours::money_at;
use crate::domain::person::Role;
use crate::domain::policy::record::busy;
use crate::domain::policy::{self, CaseAssessment, FeeState, NoticeKind, Recipient};
use crate::domain::say::Say;
use crate::domain::senders::Senders;
use crate::store::centres::Centres;
use crate::store::money::{self, MoneyCase};
use crate::store::sessions::Seat;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres};
use anyhow::{Context, Result};
use chrono::{DateTime, Days, Utc};
use std::collections::HashMap;

/// Cases looked at in one scan.
const BATCH: i64 = 500;

/// A case with what the rules make of it.
pub(super) struct Seen<'a> {
    /// What was recorded.
    pub(super) case: MoneyCase,
    /// Its centre.
    pub(super) centre: &'a Centre,
    /// What the rules make of it.
    pub(super) assessed: CaseAssessment,
}

impl<'a> Seen<'a> {
    /// Reads a case of a centre and assesses it.
    pub(super) async fn read(tx: &mut Tx, centre: &'a Centre, case_id: &str) -> Result<Seen<'a>> {
        let case = money::case(tx, case_id).await?;
        let assessed = case.record.assess(centre);
        Ok(Seen {
            case,
            centre,
            assessed,
        })
    }

    /// The same for a case of one of these centres.
    pub(super) async fn of(tx: &mut Tx, all: &'a Centres, case_id: &str) -> Result<Seen<'a>> {
        let case = money::case(tx, case_id).await?;
        let centre = &all
            .get(&case.centre)
            .context("the centre of a case is missing")?
            .centre;
        let assessed = case.record.assess(centre);
        Ok(Seen {
            case,
            centre,
            assessed,
        })
    }

    /// A fact was added.
    fn assess_anew(&mut self) {
        self.assessed = self.case.record.assess(self.centre);
    }

    /// The present of the case: never before what was recorded last, though the clock of a list may
    /// stand behind that of the service.
    pub(super) fn present(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.case
            .record
            .facts
            .iter()
            .map(|f| f.recorded_at)
            .max()
            .map_or(now, |t| t.max(now))
    }
}

/// Looks at the cases at which something happens by itself; gives how many.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<u64> {
    let mut n = 0;
    loop {
        let due = money::due(&svc.db, now, BATCH).await?;
        for case_id in &due {
            let mut tx = svc.db.begin().await?;
            let all = centres::all_in(&mut tx).await?;
            settle(svc.lines().senders(), &mut tx, &all, case_id, now).await?;
            tx.commit().await?;
            n += 1;
        }
        if due.len() < BATCH as usize {
            break;
        }
    }
    if n > 0 {
        svc.wake_senders();
        svc.changed.notify_waiters();
    }
    Ok(n)
}

/// A notice that the rules call for, as one that can be queued once: the `n`th of its kind for its
/// session.
struct Called<'a> {
    session: &'a str,
    kind: NoticeKind,
    role: Option<Role>,
    topic: Option<policy::Topic>,
    at: DateTime<Utc>,
    n: usize,
}

fn called(a: &CaseAssessment, now: DateTime<Utc>) -> Vec<Called<'_>> {
    let mut counts = HashMap::new();
    let mut out: Vec<Called<'_>> = Vec::new();
    for (session, notice) in a.called_for(now) {
        // A notice to all parties is one thing to release, however many they are.
        let to_all = notice.kind.needs_release();
        if to_all
            && out
                .iter()
                .any(|c| c.session == session && c.kind == notice.kind && c.at == notice.at)
        {
            continue;
        }
        let role = match notice.to {
            Recipient::Resident if !to_all => Some(Role::Resident),
            Recipient::Contact if !to_all => Some(Role::Contact),
            _ => None,
        };
        let n: &mut usize = counts
            .entry((session, notice.kind, notice.topic, role))
            .or_default();
        *n += 1;
        out.push(Called {
            session,
            kind: notice.kind,
            role,
            topic: notice.topic,
            at: notice.at,
            n: *n,
        });
    }
    out
}

/// The text that a private notice becomes.
fn text_kind(kind: NoticeKind) -> Option<Kind> {
    Some(match kind {
        NoticeKind::FeeNotice => Kind::FeeNotice,
        NoticeKind::NoteRequest => Kind::NoteRequest,
        NoticeKind::NoteReminder => Kind::NoteReminder,
        NoticeKind::FeeSettled => Kind::FeeSettled,
        _ => return None,
    })
}

/// Whether what a text to this party (`None`: to all) says about a session is still so.
fn still_so(
    kind: Kind,
    assessed: &CaseAssessment,
    session: &str,
    role: Option<Role>,
    now: DateTime<Utc>,
) -> bool {
    let (s, archived) = (assessed.standing(session, now), assessed.at(now).archived);
    let owes = role.is_none() || s.liable.map(|p| p.role()) == role;
    match kind {
        Kind::FeeNotice => owes && s.fee == FeeState::Due && s.outstanding > 0,
        Kind::NoteRequest | Kind::NoteReminder => owes && s.fee == FeeState::Provisional,
        Kind::FeeSettled => {
            !owes
                || !matches!(
                    s.fee,
                    FeeState::Due | FeeState::Provisional | FeeState::WrittenOff
                )
        }
        Kind::AllPartiesNotice => s.fee == FeeState::Due && !archived,
        Kind::CaseClosed => archived,
        _ => true,
    }
}

/// The spans in which the family is at the centre: nothing about money goes to a phone then.
pub(super) fn busy_spans(case: &MoneyCase) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    case.record.sessions.iter().filter_map(busy).collect()
}

/// When a text about money may go to this seat, not before `at`; `None` if the hours of centre and
/// phone leave no moment.
pub(super) fn allowed(
    centre: &Centre,
    case: &MoneyCase,
    seat: &Seat,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let quiet: Vec<_> = centre
        .courtesy
        .quiet
        .into_iter()
        .chain(seat.quiet)
        .collect();
    money_at(
        centre.rules.money_hours,
        &centre.courtesy.bank_holidays,
        &quiet,
        &busy_spans(case),
        centre.tz,
        at,
    )
}

/// Looks at a case by the rules on money and writes down what follows. Doing it twice does nothing
/// more.
///
/// Gives the assessment.
pub async fn settle(
    senders: &Senders,
    tx: &mut Tx,
    all: &Centres,
    case_id: &str,
    now: DateTime<Utc>,
) -> Result<CaseAssessment> {
    money::lock(tx, case_id).await?;
    let mut seen = Seen::of(tx, all, case_id).await?;
    let texts = money::texts(tx, case_id).await?;
    let unproven = tellings::record(tx, &mut seen, &texts, now).await?;
    let standing_tasks = tasks::standing(
        tx,
        case_id,
        &[
            reviews::REVIEWS,
            &[Topic::OwedAgain, Topic::TellByPhone, Topic::TellReferrer],
        ]
        .concat(),
    )
    .await?;
    let undecided = again::owed_again(tx, &mut seen, &texts, &standing_tasks, now).await?;
    let standing = seen.assessed.at(now);
    let called = called(&seen.assessed, now);
    let queued = texts::queue(senders, tx, &seen, &called, &undecided, &texts, now).await?;
    reviews::open(tx, &seen, &called, &undecided, &standing_tasks, now).await?;
    tellings::keep(tx, &seen, &texts, &standing_tasks, now).await?;
    let look_at = seen
        .assessed
        .next_after(now)
        .into_iter()
        .chain(unproven)
        .chain(queued)
        .min();
    money::stand(tx, case_id, standing.hold, standing.archived, look_at).await?;
    Ok(seen.assessed)
}

/// What a claimed text about money has to know before it leaves.
pub(super) struct Look {
    /// What is said; `None`: it is not so any more.
    pub(super) say: Option<Say>,
    /// The earliest moment that hours, quiet hours and the family's own session allow; `None`:
    /// there is none.
    pub(super) allowed: Option<DateTime<Utc>>,
    /// A task about this party's own safety is open (safety rule M3).
    pub(super) unsafe_now: bool,
}

/// Looks once more at a text about money, in the transaction that claims it.
///
/// `data` is what was kept with it: the day of the visit that it names.
pub(super) async fn look(
    tx: &mut Tx,
    centre: &Centre,
    kind: Kind,
    data: &str,
    seat: &Seat,
    now: DateTime<Utc>,
) -> Result<Look> {
    let Seen { case, assessed, .. } = Seen::read(tx, centre, &seat.session.case_id).await?;
    let (session, role) = (seat.session.id.as_str(), seat.attendee.role);
    let standing = assessed.standing(session, now);
    let to_all = matches!(kind, Kind::AllPartiesNotice | Kind::CaseClosed);
    // A visit that was moved since has another day now.
    let date = data
        .parse()
        .unwrap_or_else(|_| wall(centre.tz, seat.session.starts_at).date());
    let local = |at: DateTime<Utc>| wall(centre.tz, at).date();
    let deadline = assessed.of(session).and_then(|a| a.deadline);
    let say = match kind {
        _ if !still_so(kind, &assessed, session, (!to_all).then_some(role), now) => None,
        Kind::FeeNotice => assessed.of(session).map(|a| Say::FeeNotice {
            amount: a.charge.with(standing.outstanding),
            date,
        }),
        Kind::NoteRequest => Some(Say::NoteRequest { date }),
        Kind::NoteReminder => next_contact(&case, seat, centre, now)
            .or(deadline)
            .map(|d| Say::NoteReminder {
                date,
                bring_on: local(d),
            }),
        Kind::FeeSettled => {
            // That the file is closed is told to whoever owed the fee; others read it when a person
            // releases it.
            let owed = standing.liable.is_some_and(|p| p.role() == role);
            Some(Say::FeeSettled {
                date,
                file_closed: owed && assessed.at(now).archived,
            })
        }
        Kind::AllPartiesNotice => {
            let days = case
                .record
                .sessions
                .iter()
                .find(|s| s.id == session)
                .map_or(7, |s| s.payment_days);
            local(now)
                .checked_add_days(Days::new(u64::from(days)))
                .map(|last_day| Say::AllPartiesNotice { last_day })
        }
        Kind::CaseClosed => Some(Say::CaseClosed),
        _ => None,
    };
    // What tells all parties of a debt waits for the safety of the one who owes it (safety rule
    // M4).
    let mut unsafe_now = money::safety_open(tx, &case.id, role).await?;
    if let Some(liable) = standing.liable.filter(|_| to_all) {
        unsafe_now |= money::safety_open(tx, &case.id, liable.role()).await?;
    }
    Ok(Look {
        say,
        allowed: allowed(centre, &case, seat, now),
        unsafe_now,
    })
}

/// The end of the next contact at which a note can be brought: on a later local day than the
/// session that it is for (choice C03).
fn next_contact(
    case: &MoneyCase,
    seat: &Seat,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let own = wall(centre.tz, seat.session.starts_at).date();
    let booked = |s: &&policy::BookedSession| {
        s.state == crate::domain::session::SessionState::Booked
            && s.end > now
            && wall(centre.tz, s.start).date() > own
    };
    case.record
        .sessions
        .iter()
        .filter(booked)
        .map(|s| s.end)
        .min()
}

/// A text about money stops for a party whose own safety is in an open task; a manager decides
/// (safety rule M3).
pub(super) async fn pause(
    tx: &mut Tx,
    seat: &Seat,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    money::pause_text(tx, message_id, now).await?;
    let task = NewTask {
        centre: Some(&seat.session.centre),
        case_id: Some(&seat.session.case_id),
        session_id: Some(&seat.session.id),
        role: Some(seat.attendee.role),
        message_id: Some(message_id),
        ..NewTask::new(format!("paused/{message_id}"), Topic::MoneyPaused)
    };
    tasks::open(tx, now, &task).await?;
    tasks::open_again(tx, &task.cause).await
}
