//! What staff record about money, notes and who came: each becomes a fact, and what follows is
//! computed from all facts.

use crate::domain::centre::Centre;
use crate::domain::local_time::{after_quiet, wall};
use crate::domain::money::policy::record::{NO_SHOW_OF_CLOSED_FILE, write_note, write_told};
use crate::domain::money::policy::{Absent, CaseAssessment, FeeState, Note};
use crate::domain::outgoing::message::{Ended, Kind};
use crate::domain::people::person::Role;
use crate::domain::people::staff::Act;
use crate::domain::reminders::schedule;
use crate::domain::task::Topic;
use crate::domain::visits::session::{Reason, SessionState};
use crate::flows::money::assessed_case::Seen;
use crate::flows::money::settle;
use crate::flows::visits::record::{Recording, begin, fact, not_in_the_future};
use crate::flows::{Service, to_seat};
use crate::store::cases::Case;
use crate::store::facts::{self, Fact};
use crate::store::outbox;
use crate::store::sessions;
use crate::store::tasks;
use crate::store::{Tx, centres, money as ledger, staff};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};

/// How the fees of a case stand after something was recorded, a line each, for staff.
pub type Standing = Vec<String>;

/// How the fees of a case stand, in words for staff.
pub(crate) fn in_words(seen: &Seen<'_>, now: DateTime<Utc>) -> Standing {
    let Seen {
        case,
        centre,
        assessed,
    } = seen;
    let mut out = Vec::new();
    for a in &assessed.sessions {
        let s = a.result.standing_at(now);
        let Some(booked) = case.record.sessions.iter().find(|b| b.id == a.session) else {
            continue;
        };
        let day = wall(centre.tz, booked.start).format("%a %-d %b %Y");
        let until = |t: Option<DateTime<Utc>>| {
            t.filter(|t| *t > now)
                .map(|t| format!(", by {}", wall(centre.tz, t).format("%a %-d %b %H:%M")))
                .unwrap_or_default()
        };
        let who = s
            .liable
            .map_or("nobody".to_owned(), |p| format!("the {p} parent"));
        let amount = |minor| a.result.charge.with(minor);
        out.push(match s.fee {
            FeeState::None if a.result.late => format!("{day}: cancelled late, no fee by itself"),
            FeeState::None => format!("{day}: no fee"),
            FeeState::Provisional => format!(
                "{day}: {} waits for a doctor's note from {who}{}",
                amount(s.awaited),
                until(a.result.deadline)
            ),
            FeeState::Due => format!(
                "{day}: {} is due from {who}{}",
                amount(s.outstanding),
                until(a.result.deadline)
            ),
            FeeState::Waived => format!("{day}: the fee no longer applies"),
            FeeState::Paid => format!("{day}: paid"),
            FeeState::WrittenOff => format!(
                "{day}: written off, {} was not received",
                amount(s.forgiven)
            ),
        });
    }
    let whole = assessed.at(now);
    if whole.archived {
        out.push("the file is closed and archived; a new referral is needed".into());
    } else if whole.hold {
        out.push("no new bookings until this is settled; booked sessions stay".into());
    }
    out
}

pub(crate) async fn finish(
    svc: &Service,
    mut tx: Tx,
    case_id: &str,
    now: DateTime<Utc>,
) -> Result<Standing> {
    let all = centres::all_in(&mut tx).await?;
    settle::settle(svc.lines().senders(), &mut tx, &all, case_id, now).await?;
    let words = in_words(&Seen::of(&mut tx, &all, case_id).await?, now);
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(words)
}

async fn assessed(
    tx: &mut Tx,
    case_id: &str,
) -> Result<(ledger::MoneyCase, Centre, CaseAssessment)> {
    ledger::lock(tx, case_id).await?;
    let case = ledger::case(tx, case_id).await?;
    let centre = centres::all_in(tx)
        .await?
        .remove(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    let assessed = case.record.assess(&centre);
    Ok((case, centre, assessed))
}

/// Money that was received on a case, by whomever: the payer changes nothing and is told to nobody
/// (choice C31).
#[derive(Debug)]
pub struct Payment<'a> {
    /// Minor units of the currency of the case's fees; more than nothing.
    pub minor: i64,
    /// `resident`, `contact`, `referrer` or `other`.
    pub by: &'a str,
    /// The same amount by the same payer stands there for the same day, and this one is another
    /// payment all the same.
    pub again: bool,
}

/// Records a payment. More than is owed is taken and left to a manager (choice C18).
///
/// # Errors
/// In plain words: no amount, nothing was ever owed on this case, the same payment twice, somebody
/// who may not.
pub async fn payment(
    svc: &Service,
    case: &Case,
    p: &Payment<'_>,
    rec: &Recording<'_>,
) -> Result<Standing> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    if p.minor <= 0 {
        bail!("a payment is more than nothing; nothing was recorded");
    }
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let (known, centre, before) = assessed(&mut tx, &case.id).await?;
    let Some(charge) = before
        .sessions
        .iter()
        .map(|s| s.result.charge)
        .find(|c| c.minor > 0)
    else {
        bail!(
            "nothing was ever owed on {}; is it the right case? Nothing was recorded",
            case.case_ref
        )
    };
    let day = |t| wall(centre.tz, t).date();
    let same = known.record.facts.iter().find(|f| {
        f.kind == "payment"
            && f.amount == Some(p.minor)
            && f.detail == p.by
            && day(f.at) == day(rec.at)
    });
    if let Some(f) = same.filter(|_| !p.again) {
        bail!(
            "the same payment ({} by {}) was recorded for that day, at {}; if this is another one, \
             say --again. Nothing was recorded",
            charge.with(p.minor),
            p.by,
            wall(centre.tz, f.recorded_at).format("%a %-d %b %H:%M")
        );
    }
    let f = Fact {
        case_id: Some(&case.id),
        session_id: None,
        role: None,
        kind: "payment",
        at: rec.at,
        by: rec.by,
        rule: "C31",
        detail: p.by,
    };
    facts::add_amount(&mut tx, now, &f, p.minor, charge.code()).await?;
    // A payment of a day that has passed may take the place of a later one: what is left over of
    // all of them counts.
    let over = |a: &CaseAssessment| a.unallocated.iter().map(|p| p.minor).sum::<i64>();
    let (_, _, after) = assessed(&mut tx, &case.id).await?;
    let more = over(&after) - over(&before);
    let mut words = finish(svc, tx, &case.id, now).await?;
    if more > 0 {
        words.push(format!(
            "{} more than is owed: a manager decides (task refund)",
            charge.with(more)
        ));
    }
    Ok(words)
}

/// Records a doctor's note. Whether it ends the fee is for the rules: the day, the person, the
/// children (choices C05, C06, C16, C17).
///
/// # Errors
/// In plain words: a session of another case, a span that ends before it begins, somebody who may
/// not.
pub async fn note(
    svc: &Service,
    case: &Case,
    session_id: &str,
    note: &Note,
    rec: &Recording<'_>,
) -> Result<Standing> {
    let now = svc.clock.now();
    if note.to < note.from {
        bail!(
            "the note would end ({}) before it begins ({}); nothing was recorded",
            note.to,
            note.from
        );
    }
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    if session.case_id != case.id {
        bail!(
            "session {session_id} belongs to another case than {}; nothing was recorded",
            case.case_ref
        );
    }
    let (known, _, before) = assessed(&mut tx, &case.id).await?;
    if note
        .children
        .is_some_and(|n| n == 0 || n > known.record.case.children)
    {
        bail!(
            "{} children attend on this case; nothing was recorded",
            known.record.case.children
        );
    }
    let awaited = before.standing(session_id, rec.at).fee != FeeState::None;
    fact(
        &mut tx,
        now,
        &session,
        None,
        "note",
        "C17",
        rec,
        &write_note(note),
    )
    .await?;
    let mut words = finish(svc, tx, &case.id, now).await?;
    if !awaited {
        words.push(
            "no fee waits for a note for this session; the note is recorded and changes nothing"
                .into(),
        );
    }
    Ok(words)
}

/// Records who came: `resident`, `contact` or both.
///
/// # Errors
/// In plain words: the session has not begun, or did not take place.
pub async fn attended(
    svc: &Service,
    session_id: &str,
    who: &str,
    rec: &Recording<'_>,
) -> Result<Standing> {
    came(svc, session_id, rec, "attended", "attendance", who).await
}

/// Records that somebody did not come: as a cancellation without notice, if staff say who it was
/// (choice C12).
///
/// # Errors
/// As [`attended`].
pub async fn no_show(
    svc: &Service,
    session_id: &str,
    who: Absent,
    rec: &Recording<'_>,
) -> Result<Standing> {
    came(svc, session_id, rec, "no_show", "C12", who.as_str()).await
}

async fn came(
    svc: &Service,
    session_id: &str,
    rec: &Recording<'_>,
    kind: &str,
    rule: &str,
    who: &str,
) -> Result<Standing> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Attendance, now).await?;
    if !matches!(
        session.state,
        SessionState::Booked | SessionState::Attended | SessionState::NoShow
    ) {
        bail!(
            "session {session_id} is {}: it did not take place; nothing was recorded",
            session.state
        );
    }
    if rec.at < session.starts_at {
        bail!("the session had not begun by then; nothing was recorded");
    }
    // A visit that nobody called off when the file was closed: nobody had to come.
    let closed = kind == "no_show"
        && assessed(&mut tx, &session.case_id)
            .await?
            .2
            .at(session.starts_at)
            .archived;
    let rule = if closed { NO_SHOW_OF_CLOSED_FILE } else { rule };
    fact(&mut tx, now, &session, None, kind, rule, rec, who).await?;
    // One came and of the other nothing is said: what was recorded of the absent one stays.
    let missed = ledger::case(&mut tx, &session.case_id)
        .await?
        .record
        .missed(session_id);
    let state = if missed {
        SessionState::NoShow
    } else {
        SessionState::Attended
    };
    sessions::set_state(&mut tx, &session, state).await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Records how many of several children were ill (choice C16).
///
/// # Errors
/// In plain words: more children than attend, none, somebody who may not.
pub async fn ill_children(
    svc: &Service,
    session_id: &str,
    children: u32,
    rec: &Recording<'_>,
) -> Result<Standing> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    let (known, ..) = assessed(&mut tx, &session.case_id).await?;
    if children == 0 || children > known.record.case.children {
        bail!(
            "{} children attend on this case; nothing was recorded",
            known.record.case.children
        );
    }
    fact(
        &mut tx,
        now,
        &session,
        None,
        "ill_counted",
        "C16",
        rec,
        &children.to_string(),
    )
    .await?;
    tasks::close_of_session(&mut tx, now, session_id, Topic::ChildrenCount).await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Who cancelled says afterwards that it was an illness (choice C28): lateness stays that of the
/// first message.
///
/// # Errors
/// In plain words: this party did not cancel the session, or another reason than illness; somebody
/// who may not.
pub async fn illness_told(
    svc: &Service,
    session_id: &str,
    role: Role,
    reason: Reason,
    rec: &Recording<'_>,
) -> Result<Standing> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    if !matches!(reason, Reason::IllChild | Reason::IllSelf) {
        bail!("only an illness changes what a cancellation costs; nothing was recorded");
    }
    let (known, ..) = assessed(&mut tx, &session.case_id).await?;
    let cancelled = |f: &crate::domain::money::policy::Recorded| {
        f.kind == "cancelled"
            && f.session.as_deref() == Some(session_id)
            && f.role == Some(role)
            && f.at <= rec.at
    };
    if !known.record.facts.iter().any(cancelled) {
        bail!("the {role} had not cancelled session {session_id} by then; nothing was recorded");
    }
    fact(
        &mut tx,
        now,
        &session,
        Some(role),
        "cancelled",
        "C28",
        rec,
        reason.as_str(),
    )
    .await?;
    finish(svc, tx, &session.case_id, now).await
}

/// The manager waives a fee, or gives the debt up; the difference is whether new bookings are
/// possible (choice C19).
///
/// # Errors
/// In plain words: no such fee, one that is settled, no reason given, somebody who may not.
pub async fn decide(
    svc: &Service,
    fee: &str,
    waive: bool,
    why: &str,
    rec: &Recording<'_>,
) -> Result<Standing> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    if why.trim().is_empty() {
        bail!("say why (--why): it stands in the records, and nobody outside sees it");
    }
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Decide).await?;
    let Some((_, session_id)) = ledger::session_of_fee(&mut tx, fee).await? else {
        bail!("there is no fee {fee}; `courtesy list fees` shows all")
    };
    let session = sessions::get(&mut tx, &session_id)
        .await?
        .context("the session of the fee is missing")?;
    let (_, _, before) = assessed(&mut tx, &session.case_id).await?;
    let s = before.standing(&session_id, now);
    match (s.fee, waive) {
        (FeeState::None, _) => bail!("fee {fee} does not apply; nothing was recorded"),
        (FeeState::Waived, _) => bail!("fee {fee} was waived already; nothing was recorded"),
        (FeeState::Paid, false) => bail!("fee {fee} is paid; there is no debt to give up"),
        (FeeState::WrittenOff, false) => {
            bail!("fee {fee} was written off already; nothing was recorded")
        }
        _ => {}
    }
    let kind = if waive { "waived" } else { "written_off" };
    fact(
        &mut tx,
        now,
        &session,
        s.liable.map(|p| p.role()),
        kind,
        if waive { "manager" } else { "C19" },
        rec,
        why,
    )
    .await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Takes a cancellation or a closure of one session back: both parents are told and asked anew, and
/// that cancellation's fee is void (choice C11).
///
/// # Errors
/// In plain words: the session is on, has begun, or its file is closed; a time before it was called
/// off; somebody who may not.
pub async fn reinstate(svc: &Service, session_id: &str, rec: &Recording<'_>) -> Result<Standing> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    if !matches!(
        session.state,
        SessionState::Cancelled | SessionState::Closed
    ) {
        bail!(
            "session {session_id} is {}, not called off; nothing was recorded",
            session.state
        );
    }
    if session.starts_at <= now {
        bail!("its start has passed; book another session instead");
    }
    // Dated before what called it off, the cancellation would come after it and keep its fee,
    // though the visit is on.
    let known = ledger::case(&mut tx, &session.case_id).await?.record;
    let calls_off = |f: &&crate::domain::money::policy::Recorded| {
        matches!(f.kind.as_str(), "cancelled" | "closed")
            && f.session.as_deref() == Some(session_id)
    };
    let off_at = known
        .facts
        .iter()
        .filter(calls_off)
        .map(|f| f.at)
        .chain(session.cancelled_at)
        .max();
    if let Some(off_at) = off_at.filter(|t| *t > rec.at) {
        bail!(
            "--at lies before it was called off ({}); write when it was put back on. Nothing was \
             recorded",
            wall(centre.tz, off_at).format("%a %-d %b %H:%M")
        );
    }
    let seats = sessions::seats(&mut tx, svc.lines().senders(), session_id).await?;
    if seats.iter().any(|s| s.archived) {
        bail!("the file is closed; a new referral is needed first");
    }
    if !sessions::reinstate(&mut tx, &session).await? {
        bail!("the session was changed by somebody else just now; look at it again");
    }
    let moment = schedule::moment(&centre.courtesy, centre.tz, session.start_local).at;
    for seat in &seats {
        let a = &seat.attendee;
        // Who never heard that it was off, neither by text nor by a call, hears nothing of its
        // coming back.
        let called_off = session.cancelled_by.map(|by| by.as_str()) == Some(a.role.as_str());
        let cancelled_too = a.answer == crate::domain::visits::session::Answer::Cancelled;
        if !called_off
            && !cancelled_too
            && !outbox::knows_it_is_off(&mut tx, &session, a.role).await?
        {
            sessions::set_release(&mut tx, session_id, a.role, None, None).await?;
            crate::flows::visits::cancel::resume_question(&mut tx, &centre, seat, now).await?;
            tasks::ring_again(&mut tx, session_id, a.role).await?;
            continue;
        }
        // If the courtesy moment has passed, this text is the request; else one follows at its
        // moment unless this one was answered.
        let (ask_at, asked) = if moment <= now {
            (None, "moved")
        } else {
            (
                Some(crate::flows::scan::confirmations::first_look(
                    &centre,
                    session.start_local,
                    now,
                )),
                "",
            )
        };
        sessions::ask_anew(&mut tx, a, a.arrives_at, now, ask_at, asked).await?;
        sessions::set_release(&mut tx, session_id, a.role, None, None).await?;
        let at = after_quiet(centre.courtesy.quiet, centre.tz, now);
        let cause = format!("on/{session_id}/{}/{}", session.version + 1, a.role);
        let message = outbox::NewMessage {
            session: Some((
                session_id.to_owned(),
                session.version + 1,
                a.ask_version + 1,
            )),
            ..to_seat(seat, cause, Kind::SessionOn, at, Some(a.arrives_at))
        };
        outbox::enqueue(&mut tx, now, &[message]).await?;
    }
    outbox::withdraw(
        &mut tx,
        session_id,
        None,
        &[Kind::SessionOff, Kind::Closure],
        Ended::TakenBack.as_str(),
    )
    .await?;
    tasks::close_of_session(&mut tx, now, session_id, Topic::Reconfirm).await?;
    tasks::close_of_session(&mut tx, now, session_id, Topic::Replacement).await?;
    tasks::moot_of_session(&mut tx, now, session_id, Topic::RingSessionOff).await?;
    fact(&mut tx, now, &session, None, "reinstated", "C11", rec, "").await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Records that a party was told by a person of what is owed, or of anything else about money that
/// no text could tell them: the clock of that step starts there, and what there was to tell them is
/// done.
///
/// # Errors
/// In plain words: nothing is open that this party could be told of, a notice to all parties that
/// had not been let go by then, somebody who may not.
pub async fn told(svc: &Service, case: &Case, role: Role, rec: &Recording<'_>) -> Result<Standing> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let (known, centre, before) = assessed(&mut tx, &case.id).await?;
    let told = Fact {
        case_id: Some(&case.id),
        session_id: None,
        role: Some(role),
        kind: "told",
        at: rec.at,
        by: rec.by,
        rule: "C04",
        detail: "",
    };
    let mut of: Vec<&str> = Vec::new();
    for a in &before.sessions {
        let s = a.result.standing_at(now);
        if s.liable.map(|p| p.role()) != Some(role)
            || !matches!(s.fee, FeeState::Due | FeeState::Provisional)
        {
            continue;
        }
        // After the notice to all parties it is that one which was told; before it the fee or the
        // note.
        let all_told = not_before_release(&known, &centre, &a.session, rec)?;
        let (what, rule) = if all_told {
            ("all_parties_notice", "C07")
        } else {
            ("fee_notice", "C04")
        };
        let detail = write_told(what, a.result.deadline.filter(|d| !all_told && *d > rec.at));
        facts::add(
            &mut tx,
            now,
            &[Fact {
                session_id: Some(&a.session),
                rule,
                detail: &detail,
                ..told.clone()
            }],
        )
        .await?;
        of.push(&a.session);
    }
    let mut done = !of.is_empty();
    let texts = ledger::texts(&mut tx, &case.id).await?;
    for task in tasks::standing(
        &mut tx,
        &case.id,
        &[Topic::TellByPhone, Topic::TellReferrer],
    )
    .await?
    .into_iter()
    .filter(|t| t.open && t.role == Some(role))
    {
        // That nothing is owed, or what all parties hear, starts no clock for whoever owes nothing.
        if let (Some(kind), Some(session)) = (
            crate::flows::money::notified::kind_of(&task, &texts),
            task.session_id.as_deref().filter(|s| !of.contains(s)),
        ) {
            if kind == Kind::AllPartiesNotice {
                not_before_release(&known, &centre, session, rec)?;
            }
            let informed = Fact {
                session_id: Some(session),
                kind: "informed",
                rule: "M4",
                detail: kind.as_str(),
                ..told.clone()
            };
            facts::add(&mut tx, now, &[informed]).await?;
        }
        tasks::done(&mut tx, now, &task.id).await?;
        done = true;
    }
    if !done {
        bail!("nothing is open of which the {role} could be told; nothing was recorded");
    }
    finish(svc, tx, &case.id, now).await
}

/// Whether a person let the notice to all parties go for a session. Nobody could be told of it
/// before that: the days to pay would be over before the date that the other parent read (choice
/// C07).
fn not_before_release(
    case: &ledger::MoneyCase,
    centre: &Centre,
    session: &str,
    rec: &Recording<'_>,
) -> Result<bool> {
    let released = case
        .record
        .released_at(session, Kind::AllPartiesNotice.as_str());
    if let Some(t) = released.filter(|t| rec.at.timestamp() / 60 < t.timestamp() / 60) {
        bail!(
            "the notice to all parties was let go only on {}: nobody was told of it before. \
             Nothing was recorded",
            wall(centre.tz, t).format("%a %-d %b at %H:%M")
        );
    }
    Ok(released.is_some())
}

/// Records that somebody rang a party, whether or not they answered; a notice to all parties asks
/// for it (safety rule M4).
///
/// # Errors
/// In plain words: in the future, somebody who may not.
pub async fn rang(
    svc: &Service,
    case: &Case,
    role: Role,
    what: &str,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let f = Fact {
        case_id: Some(&case.id),
        session_id: None,
        role: Some(role),
        kind: "rang",
        at: rec.at,
        by: rec.by,
        rule: "M4",
        detail: what,
    };
    facts::add(&mut tx, now, &[f]).await?;
    tx.commit().await
}

/// A new referral opens a closed file again, once nothing is owed (seed 001: "a new referral would
/// be required if the contact is reinstated following … receiving the outstanding fee in full").
///
/// # Errors
/// In plain words: the file is open, or something is still owed.
pub async fn referral(svc: &Service, case: &Case, rec: &Recording<'_>) -> Result<Standing> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let (_, _, before) = assessed(&mut tx, &case.id).await?;
    let whole = before.at(now);
    if !whole.archived {
        bail!(
            "the file of {} is open; nothing was recorded",
            case.case_ref
        );
    }
    if whole.outstanding > 0 {
        bail!(
            "something is still owed on {}; record the payment first",
            case.case_ref
        );
    }
    let f = Fact {
        case_id: Some(&case.id),
        session_id: None,
        role: None,
        kind: "new_referral",
        at: rec.at,
        by: rec.by,
        rule: "C20",
        detail: "",
    };
    facts::add(&mut tx, now, &[f]).await?;
    finish(svc, tx, &case.id, now).await
}

/// A person looked at what a task asks and decided; the outcome stands in the case's history.
///
/// # Errors
/// In plain words: no such task, one that is done, one that asks for another command, somebody who
/// may not.
pub async fn decision(
    svc: &Service,
    task: &str,
    accepted: Option<bool>,
    why: &str,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let Some(t) = tasks::get(&mut tx, task).await? else {
        bail!("there is no task {task}; `courtesy list tasks` shows all")
    };
    if t.state != "open" {
        bail!("task {task} is done already; nothing was recorded");
    }
    if matches!(
        t.topic,
        Topic::ReleaseAllParties | Topic::ReleaseCaseClosed | Topic::MoneyPaused | Topic::OwedAgain
    ) {
        bail!("this notice is let go with `courtesy release {task}`");
    }
    let word = match accepted {
        Some(true) => "accepted",
        Some(false) => "not accepted",
        None => "done",
    };
    let detail = format!(
        "{}: {word}{}{why}",
        t.topic,
        if why.is_empty() { "" } else { "; " }
    );
    let f = Fact {
        case_id: t.case_id.as_deref(),
        session_id: t.session_id.as_deref(),
        role: t.role,
        kind: "decided",
        at: rec.at,
        by: rec.by,
        rule: "C21",
        detail: &detail,
    };
    facts::add(&mut tx, now, &[f]).await?;
    tasks::done(&mut tx, now, task).await?;
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(())
}
