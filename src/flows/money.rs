//! What follows from the rules on money: a case is looked at after every fact and whenever something happens by itself; the texts that
//! are called for are queued, those that no longer are, withdrawn, and what a person has to decide becomes a task.
//!
//! The state of a fee is never stored: it is computed from the facts each time (`domain::policy`).

use super::{Service, to_seat};
use crate::domain::centre::Centre;
use crate::domain::conversation::Topic;
use crate::domain::local_time::wall;
use crate::domain::message::{Ended, Kind, MessageState};
use crate::domain::money_hours::money_at;
use crate::domain::person::{Channel, Role};
use crate::domain::policy::record::{busy, write_told};
use crate::domain::policy::{self, CaseAssessment, FeeState, NoticeKind, Recipient, Recorded, Standing};
use crate::domain::say::Say;
use crate::domain::senders::Senders;
use crate::store::centres::Centres;
use crate::store::facts::{self, Fact};
use crate::store::money::{self, MoneyCase, MoneyText};
use crate::store::outbox;
use crate::store::sessions::{self, Seat};
use crate::store::tasks::{self, NewTask};
use crate::store::{Db, Tx, centres};
use anyhow::Result;
use chrono::{DateTime, Days, Duration, Utc};
use std::collections::HashMap;

/// Cases looked at in one scan.
const BATCH: i64 = 500;
/// A text about money keeps this distance to the message that caused it, so that staff see it before it leaves (safety rule M2).
const TIME_TO_LOOK: Duration = Duration::minutes(10);
/// A text that left and of which nobody heard for this long proves nothing: a person tells the party.
const UNPROVEN: Duration = Duration::hours(24);

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

/// A notice that the rules call for, as one that can be queued once: the `n`th of its kind for its session.
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
        if to_all && out.iter().any(|c| c.session == session && c.kind == notice.kind && c.at == notice.at) {
            continue;
        }
        let role = match notice.to {
            Recipient::Resident if !to_all => Some(Role::Resident),
            Recipient::Contact if !to_all => Some(Role::Contact),
            _ => None,
        };
        let n: &mut usize = counts.entry((session, notice.kind, notice.topic, role)).or_default();
        *n += 1;
        out.push(Called { session, kind: notice.kind, role, topic: notice.topic, at: notice.at, n: *n });
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
fn still_so(kind: Kind, assessed: &CaseAssessment, session: &str, role: Option<Role>, now: DateTime<Utc>) -> bool {
    let (s, archived) = (assessed.standing(session, now), assessed.at(now).archived);
    let owes = role.is_none() || s.liable.map(|p| p.role()) == role;
    match kind {
        Kind::FeeNotice => owes && s.fee == FeeState::Due && s.outstanding > 0,
        Kind::NoteRequest | Kind::NoteReminder => owes && s.fee == FeeState::Provisional,
        Kind::FeeSettled => !owes || !matches!(s.fee, FeeState::Due | FeeState::Provisional | FeeState::WrittenOff),
        Kind::AllPartiesNotice => s.fee == FeeState::Due && !archived,
        Kind::CaseClosed => archived,
        _ => true,
    }
}

/// What a review of the rules asks of a person; `None` for one that the conversation opens by itself.
fn task_topic(topic: policy::Topic) -> Option<Topic> {
    Some(match topic {
        policy::Topic::ChildrenCount => Topic::ChildrenCount,
        policy::Topic::CourtOrder => Topic::CourtOrder,
        policy::Topic::LateNote => Topic::LateNote,
        policy::Topic::NoShow => Topic::NoShow,
        policy::Topic::NoteMismatch => Topic::NoteMismatch,
        policy::Topic::NoteNoEffect => Topic::NoteNoEffect,
        policy::Topic::Refund => Topic::Refund,
        policy::Topic::Tie => Topic::Tie,
        policy::Topic::Replacement => Topic::Replacement,
        policy::Topic::Reconfirm | policy::Topic::SomeChildren => return None,
    })
}

/// The cause of the task that holds a notice to all parties back until a person releases it.
fn release_cause(kind: NoticeKind, session: &str, n: usize) -> String {
    format!("release/{kind}/{session}/{n}")
}

/// The spans in which the family is at the centre: nothing about money goes to a phone then.
fn busy_spans(case: &MoneyCase) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    case.record.sessions.iter().filter_map(busy).collect()
}

/// When a text about money may go to this seat, not before `at`; `None` if the hours of centre and phone leave no moment.
pub(super) fn allowed(centre: &Centre, case: &MoneyCase, seat: &Seat, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let quiet: Vec<_> = centre.courtesy.quiet.into_iter().chain(seat.quiet).collect();
    money_at(centre.rules.money_hours, &centre.courtesy.bank_holidays, &quiet, &busy_spans(case), centre.tz, at)
}

/// Looks at a case by the rules on money and writes down what follows. Doing it twice does nothing more.
///
/// Gives the assessment.
pub async fn settle(senders: &Senders, tx: &mut Tx, all: &Centres, case_id: &str, now: DateTime<Utc>) -> Result<CaseAssessment> {
    money::lock(tx, case_id).await?;
    let mut case = money::case(tx, case_id).await?;
    let Some(stored) = all.get(&case.centre) else { anyhow::bail!("the centre {} of a case is missing", case.centre) };
    let centre = &stored.centre;
    let texts = money::texts(tx, case_id).await?;
    let unproven = tellings(tx, &mut case, centre, &texts, now).await?;
    let assessed = case.record.assess(centre);
    let standing = assessed.at(now);
    let called = called(&assessed, now);
    queue(senders, tx, centre, &case, &assessed, &called, &texts, now).await?;
    reviews(tx, &case, &assessed, &called, now).await?;
    let look_at = assessed.next_after(now).into_iter().chain(unproven).min();
    money::stand(tx, case_id, standing.hold, standing.archived, look_at).await?;
    Ok(assessed)
}

/// Records of which texts it is proven that they told a party of an obligation: the clock of a step starts there. Gives when to look again
/// for those of which it is not known yet.
async fn tellings(tx: &mut Tx, case: &mut MoneyCase, centre: &Centre, texts: &[MoneyText], now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let mut look = None;
    for t in texts.iter().filter(|t| !matches!(t.kind, Kind::FeeSettled | Kind::CaseClosed)) {
        let (Some(session), Some(role)) = (&t.session, t.role) else { continue };
        let known = |r: &Recorded| r.kind == "told" && r.session.as_ref() == Some(session) && r.detail.starts_with(t.kind.as_str()) && Some(r.at) == t.sent_at;
        if case.record.facts.iter().any(known) {
            continue;
        }
        // Telegram tells no more than that it took a text for a chat; a network says when the phone has it.
        let proven = t.state == MessageState::Delivered || (t.state == MessageState::Sent && t.channel == Channel::Telegram);
        let again = match (t.state, t.sent_at) {
            (_, Some(at)) if proven => {
                let who = case.record.assess(centre).of(session).and_then(|a| a.liable).map(|p| p.role());
                if who != Some(role) {
                    continue;
                }
                let rule = if t.kind == Kind::AllPartiesNotice { "C07" } else { "C04" };
                let mut fact = Recorded {
                    id: String::new(),
                    voids: None,
                    rule: rule.into(),
                    session: Some(session.clone()),
                    role: Some(role),
                    kind: "told".into(),
                    at,
                    recorded_at: now,
                    detail: write_told(t.kind.as_str(), None),
                    amount: None,
                };
                case.record.facts.push(fact.clone());
                // The deadline that these words name is the one in force when they arrived.
                let deadline = case.record.assess(centre).of(session).and_then(|a| a.deadline).filter(|_| t.kind != Kind::AllPartiesNotice);
                fact.detail = write_told(t.kind.as_str(), deadline);
                let row = Fact { case_id: Some(&case.id), session_id: Some(session), role: Some(role), kind: "told", at, by: "courtesy", rule, detail: &fact.detail };
                facts::add(tx, now, &[row]).await?;
                tasks::close(tx, now, &format!("untold/{}", t.id)).await?;
                if let Some(last) = case.record.facts.last_mut() {
                    *last = fact;
                }
                continue;
            }
            (MessageState::Waiting, _) => t.not_before.max(now) + Duration::minutes(1),
            (MessageState::Sending | MessageState::Sent, at) => {
                let age = now - at.unwrap_or(t.not_before);
                if age > UNPROVEN {
                    tell_by_phone(tx, case, t, now).await?;
                    continue;
                }
                // A receipt that comes before that has the case looked at again.
                if t.state == MessageState::Sent { at.unwrap_or(t.not_before) + UNPROVEN + Duration::minutes(1) } else { now + Duration::minutes(1) }
            }
            _ => continue,
        };
        look = [look, Some(again)].into_iter().flatten().min();
    }
    Ok(look)
}

async fn tell_by_phone(tx: &mut Tx, case: &MoneyCase, t: &MoneyText, now: DateTime<Utc>) -> Result<()> {
    let task = NewTask {
        centre: Some(&case.centre),
        case_id: Some(&case.id),
        session_id: t.session.as_deref(),
        role: t.role,
        message_id: Some(&t.id),
        ..NewTask::new(format!("untold/{}", t.id), Topic::TellByPhone)
    };
    tasks::open(tx, now, &task).await
}

/// Queues what is called for and withdraws what no longer is.
#[expect(clippy::too_many_arguments, reason = "each is one plain part of what was read")]
async fn queue(
    senders: &Senders,
    tx: &mut Tx,
    centre: &Centre,
    case: &MoneyCase,
    assessed: &CaseAssessment,
    called: &[Called<'_>],
    texts: &[MoneyText],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut list: Vec<(String, Kind, &str, Role, DateTime<Utc>)> = Vec::new();
    for c in called {
        let (Some(kind), Some(role)) = (text_kind(c.kind), c.role) else { continue };
        if still_so(kind, assessed, c.session, Some(role), now) {
            list.push((format!("money/{kind}/{}/{role}/{}", c.session, c.n), kind, c.session, role, c.at));
        }
    }
    // Who was asked for money that they do not owe after all hears it: a notice is never unsent, the correction is a new one.
    for t in texts.iter().filter(|t| t.kind == Kind::FeeNotice && matches!(t.state, MessageState::Sending | MessageState::Sent | MessageState::Delivered | MessageState::Uncertain))
    {
        let (Some(session), Some(role)) = (t.session.as_deref(), t.role) else { continue };
        let settled = called.iter().any(|c| c.kind == NoticeKind::FeeSettled && c.session == session && c.role == Some(role));
        if !settled && assessed.standing(session, now).liable.map(|p| p.role()) != Some(role) {
            list.push((format!("money/{}/{session}/{role}/after-{}", Kind::FeeSettled, t.id), Kind::FeeSettled, session, role, now));
        }
    }
    let wanted: Vec<String> = list.iter().map(|l| l.0.clone()).collect();
    for (cause, kind, session, role, called_at) in list {
        let before = texts.iter().find(|t| t.cause == cause);
        if before.is_some_and(|t| t.state != MessageState::Withdrawn || t.reason.as_deref() != Some(Ended::NoLongerDue.as_str())) {
            continue;
        }
        let seats = sessions::seats(tx, senders, session).await?;
        let Some(seat) = seats.iter().find(|s| s.attendee.role == role) else { continue };
        // Staff see it before it leaves; and what can still be taken back asks for no money.
        let reminder = kind == Kind::NoteReminder;
        let mut at = if centre.rules.money_hours.is_none() || reminder { called_at.max(now) } else { now + TIME_TO_LOOK };
        if let Some(undo) = money::undo_until(tx, session, role).await? {
            at = at.max(undo);
        }
        let not_before = allowed(centre, case, seat, at).unwrap_or(at);
        match before {
            Some(t) => money::wait_again(tx, &t.id, not_before).await?,
            None => {
                let until = assessed.of(session).and_then(|a| a.deadline).filter(|_| reminder);
                outbox::enqueue(tx, now, &[to_seat(seat, cause, kind, not_before, until)]).await?;
            }
        }
    }
    for t in texts.iter().filter(|t| t.state == MessageState::Waiting && t.cause.starts_with("money/") && !wanted.contains(&t.cause)) {
        money::withdraw(tx, &t.id, Ended::NoLongerDue.as_str()).await?;
    }
    // What a person released stays only while it is so.
    for t in texts.iter().filter(|t| t.state == MessageState::Waiting && !t.cause.starts_with("money/")) {
        let so = t.session.as_ref().is_some_and(|s| still_so(t.kind, assessed, s, None, now));
        if !so {
            money::withdraw(tx, &t.id, Ended::NoLongerDue.as_str()).await?;
        }
    }
    Ok(())
}

/// Opens the tasks that the rules ask for, and closes those of notices that are not called for any more.
async fn reviews(tx: &mut Tx, case: &MoneyCase, assessed: &CaseAssessment, called: &[Called<'_>], now: DateTime<Utc>) -> Result<()> {
    let mut list: Vec<NewTask<'_>> = Vec::new();
    let mut held: Vec<String> = Vec::new();
    for c in called {
        let (cause, topic) = match (c.kind, c.topic.and_then(task_topic)) {
            (NoticeKind::AllPartiesNotice | NoticeKind::CaseClosed, _) => {
                let (kind, topic) =
                    if c.kind == NoticeKind::CaseClosed { (Kind::CaseClosed, Topic::ReleaseCaseClosed) } else { (Kind::AllPartiesNotice, Topic::ReleaseAllParties) };
                if !still_so(kind, assessed, c.session, None, now) {
                    continue;
                }
                let cause = release_cause(c.kind, c.session, c.n);
                held.push(cause.clone());
                (cause, topic)
            }
            // One thing to do for a session that is to be replaced, whoever called it off.
            (_, Some(Topic::Replacement)) => (format!("replacement/{}", c.session), Topic::Replacement),
            (_, Some(topic)) => (format!("review/{topic}/{}/{}", c.session, c.n), topic),
            _ => continue,
        };
        let liable = assessed.of(c.session).and_then(|a| a.liable).map(|p| p.role());
        list.push(NewTask { centre: Some(&case.centre), case_id: Some(&case.id), session_id: Some(c.session), role: liable, ..NewTask::new(cause, topic) });
    }
    for (n, _) in assessed.unallocated.iter().enumerate() {
        list.push(NewTask { centre: Some(&case.centre), case_id: Some(&case.id), ..NewTask::new(format!("review/refund/{}/{n}", case.id), Topic::Refund) });
    }
    tasks::open_many(tx, now, &list).await?;
    // One that was closed because it was not called for, and is called for again, waits again; what a person released stays released.
    for t in list.iter().filter(|t| matches!(t.topic, Topic::ReleaseAllParties | Topic::ReleaseCaseClosed)) {
        let kind = if t.topic == Topic::ReleaseAllParties { Kind::AllPartiesNotice } else { Kind::CaseClosed };
        if !case.record.released(t.session_id.unwrap_or_default(), kind.as_str()) {
            tasks::open_again(tx, &t.cause).await?;
        }
    }
    tasks::keep_releases(tx, now, &case.id, &held).await
}

/// What a claimed text about money has to know before it leaves.
pub(super) struct Look {
    /// What is said; `None`: it is not so any more.
    pub(super) say: Option<Say>,
    /// The earliest moment that hours, quiet hours and the family's own session allow; `None`: there is none.
    pub(super) allowed: Option<DateTime<Utc>>,
    /// A task about this party's own safety is open (safety rule M3).
    pub(super) unsafe_now: bool,
}

/// Looks once more at a text about money, in the transaction that claims it.
pub(super) async fn look(tx: &mut Tx, centre: &Centre, kind: Kind, seat: &Seat, now: DateTime<Utc>) -> Result<Look> {
    let case = money::case(tx, &seat.session.case_id).await?;
    let assessed = case.record.assess(centre);
    let (session, role) = (seat.session.id.as_str(), seat.attendee.role);
    let standing = assessed.standing(session, now);
    let to_all = matches!(kind, Kind::AllPartiesNotice | Kind::CaseClosed);
    let date = wall(centre.tz, seat.session.starts_at).date();
    let local = |at: DateTime<Utc>| wall(centre.tz, at).date();
    let deadline = assessed.of(session).and_then(|a| a.deadline);
    let say = match kind {
        _ if !still_so(kind, &assessed, session, (!to_all).then_some(role), now) => None,
        Kind::FeeNotice => assessed.of(session).map(|a| Say::FeeNotice { amount: a.charge.with(standing.outstanding), date }),
        Kind::NoteRequest => Some(Say::NoteRequest { date }),
        Kind::NoteReminder => next_contact(&case, seat, centre, now).or(deadline).map(|d| Say::NoteReminder { date, bring_on: local(d) }),
        Kind::FeeSettled => {
            // That the file is closed is told to whoever owed the fee; others read it when a person releases it.
            let owed = standing.liable.is_some_and(|p| p.role() == role);
            Some(Say::FeeSettled { date, file_closed: owed && assessed.at(now).archived })
        }
        Kind::AllPartiesNotice => {
            let days = case.record.sessions.iter().find(|s| s.id == session).map_or(7, |s| s.payment_days);
            local(now).checked_add_days(Days::new(u64::from(days))).map(|last_day| Say::AllPartiesNotice { last_day })
        }
        Kind::CaseClosed => Some(Say::CaseClosed),
        _ => None,
    };
    // What tells all parties of a debt waits for the safety of the one who owes it (safety rule M4).
    let mut unsafe_now = money::safety_open(tx, &case.id, role).await?;
    if let Some(liable) = standing.liable.filter(|_| to_all) {
        unsafe_now |= money::safety_open(tx, &case.id, liable.role()).await?;
    }
    Ok(Look { say, allowed: allowed(centre, &case, seat, now), unsafe_now })
}

/// The end of the next contact at which a note can be brought: on a later local day than the session that it is for (choice C03).
fn next_contact(case: &MoneyCase, seat: &Seat, centre: &Centre, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let own = wall(centre.tz, seat.session.starts_at).date();
    let booked = |s: &&policy::BookedSession| s.state == crate::domain::session::SessionState::Booked && s.end > now && wall(centre.tz, s.start).date() > own;
    case.record.sessions.iter().filter(booked).map(|s| s.end).min()
}

/// A text about money stops for a party whose own safety is in an open task; a manager decides (safety rule M3).
pub(super) async fn pause(tx: &mut Tx, seat: &Seat, message_id: &str, now: DateTime<Utc>) -> Result<()> {
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

/// The present of a case: never before what was recorded last, though the clock of a list may stand behind that of the service.
fn present(case: &MoneyCase, now: DateTime<Utc>) -> DateTime<Utc> {
    case.record.facts.iter().map(|f| f.recorded_at).max().map_or(now, |t| t.max(now))
}

/// A fee as lists show it.
#[derive(Debug, Clone)]
pub struct Fee {
    /// Its id.
    pub id: String,
    /// The case's reference.
    pub case_ref: String,
    /// The session that it is for, and its start.
    pub session: String,
    /// See `session`.
    pub starts_at: DateTime<Utc>,
    /// Who has to pay.
    pub liable: Option<Role>,
    /// The charge.
    pub charge: policy::Money,
    /// How it stands now.
    pub standing: Standing,
    /// The deadline for note or money, while one runs.
    pub due_at: Option<DateTime<Utc>>,
}

/// The fees of a centre or of all, as they stand at `now`.
pub async fn fees(db: &Db, centre: Option<&str>, now: DateTime<Utc>) -> Result<Vec<Fee>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let mut out = Vec::new();
    for id in money::cases_with_fees(&mut tx, centre).await? {
        let case = money::case(&mut tx, &id).await?;
        let Some(stored) = all.get(&case.centre) else { continue };
        let assessed = case.record.assess(&stored.centre);
        let now = present(&case, now);
        for a in &assessed.sessions {
            let standing = a.result.standing_at(now);
            let Some(session) = case.record.sessions.iter().find(|s| s.id == a.session).filter(|_| standing.charge > 0) else { continue };
            out.push(Fee {
                id: money::fee_id(&tx, &a.session),
                case_ref: case.case_ref.clone(),
                session: a.session.clone(),
                starts_at: session.start,
                liable: standing.liable.map(|p| p.role()),
                charge: a.result.charge.with(standing.charge),
                standing,
                due_at: a.result.deadline.filter(|_| matches!(standing.fee, FeeState::Due | FeeState::Provisional)),
            });
        }
    }
    Ok(out)
}

/// The steps of a case by the rules on money up to `now`: when, the rule, why, about which session.
pub async fn steps(db: &Db, case_id: &str, now: DateTime<Utc>) -> Result<Vec<(policy::Step, String)>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let case = money::case(&mut tx, case_id).await?;
    let Some(stored) = all.get(&case.centre) else { return Ok(Vec::new()) };
    let assessed = case.record.assess(&stored.centre);
    let now = present(&case, now);
    Ok(assessed.sessions.into_iter().flat_map(|a| a.result.steps.into_iter().filter(|s| s.at <= now).map(move |s| (s, a.session.clone()))).collect())
}

/// How the fees of a case stand, in words for staff.
pub async fn standing_in_words(db: &Db, case_id: &str, now: DateTime<Utc>) -> Result<Vec<String>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let case = money::case(&mut tx, case_id).await?;
    let Some(stored) = all.get(&case.centre) else { return Ok(Vec::new()) };
    let assessed = case.record.assess(&stored.centre);
    Ok(super::record_money::in_words(&case, &stored.centre, &assessed, present(&case, now)))
}

/// A notice that the rules will call for if nothing else happens.
#[derive(Debug, Clone)]
pub struct Planned {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: NoticeKind,
    /// The case's reference, and its centre's code.
    pub case_ref: String,
    /// See `case_ref`.
    pub centre: String,
    /// About which session, in its present version.
    pub session: String,
    /// See `session`.
    pub session_version: i64,
    /// To whom; nobody in particular: all parties.
    pub role: Option<Role>,
    /// The rule.
    pub rule: &'static str,
}

/// The notices about money that lie in a span, as things stand at its beginning.
pub async fn planned(db: &Db, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Planned>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let mut out = Vec::new();
    for id in money::cases_with_fees(&mut tx, None).await? {
        let case = money::case(&mut tx, &id).await?;
        let Some(stored) = all.get(&case.centre) else { continue };
        let assessed = case.record.assess(&stored.centre);
        let from = present(&case, from);
        for c in called(&assessed, until).into_iter().filter(|c| c.at > from && (text_kind(c.kind).is_some() || c.kind.needs_release())) {
            let version = sessions::get(&mut tx, c.session).await?.map_or(0, |s| s.version);
            let rule = assessed.of(c.session).and_then(|a| a.notices.iter().find(|n| n.at == c.at && n.kind == c.kind)).map_or("", |n| n.rule);
            let (case_ref, centre) = (case.case_ref.clone(), case.centre.clone());
            out.push(Planned { at: c.at, kind: c.kind, case_ref, centre, session: c.session.to_owned(), session_version: version, role: c.role, rule });
        }
    }
    out.sort_by_key(|p| p.at);
    Ok(out)
}
