//! What staff record about money and notes. Each record becomes a fact, and what follows is
//! computed from all facts.

use crate::domain::ids::{FeeId, SessionId};
use crate::domain::local_time::wall;
use crate::domain::money::policy::recorded_fact::write_note;
use crate::domain::money::policy::{CaseAssessment, FeeState, Note};
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::visits::session::Reason;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::standing::{StandingLines, assessed, finish};
use crate::flows::recording::{Recording, begin, not_in_the_future};
use crate::flows::service::Service;
use crate::store::cases::Case;
use crate::store::facts::{self, Fact};
use crate::store::{money as ledger, sessions, staff};
use anyhow::Context;

/// Money received on a case. Who paid changes nothing and is told to nobody (choice C31).
#[derive(Debug)]
pub struct NewPayment<'a> {
    /// Minor units of the currency of the case's fees; more than 0.
    pub minor: i64,
    /// `resident`, `contact`, `referrer` or `other`.
    pub by: &'a str,
    /// The same amount by the same payer is already recorded for that day, and this is another
    /// payment all the same.
    pub again: bool,
}

/// Records a payment. Money beyond what is owed is left to a manager (choice C18).
///
/// # Errors
/// In plain English: no amount, nothing was ever owed on this case, the same payment twice, or
/// somebody who may not.
pub async fn payment(
    svc: &Service,
    case: &Case,
    p: &NewPayment<'_>,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    if p.minor <= 0 {
        refuse!("a payment is more than nothing; nothing was recorded");
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
        refuse!(
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
        refuse!(
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
    // A payment dated in the past may shift later ones, so what is left over is compared for all of
    // them together.
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

/// Records a doctor's note. The rules decide whether it ends the fee: by its date, its person and
/// the number of children (choices C05, C06, C16, C17).
///
/// # Errors
/// In plain English: a session of another case, a span that ends before it begins, or somebody who
/// may not.
pub async fn note(
    svc: &Service,
    case: &Case,
    session_id: &SessionId,
    note: &Note,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    if note.to < note.from {
        refuse!(
            "the note would end ({}) before it begins ({}); nothing was recorded",
            note.to,
            note.from
        );
    }
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    if session.case_id != case.id {
        refuse!(
            "session {session_id} belongs to another case than {}; nothing was recorded",
            case.case_ref
        );
    }
    let (known, _, before) = assessed(&mut tx, &case.id).await?;
    if note
        .children
        .is_some_and(|n| n == 0 || n > known.record.case.children)
    {
        refuse!(
            "{} children attend on this case; nothing was recorded",
            known.record.case.children
        );
    }
    let awaited = before.standing(session_id, rec.at).fee != FeeState::None;
    facts::add(
        &mut tx,
        now,
        &[rec
            .fact("note", "C17")
            .of_session(&session)
            .detail(&write_note(note))],
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

/// Records that a party who cancelled says afterwards that it was an illness (choice C28). Lateness
/// stays that of the first message.
///
/// # Errors
/// In plain English: this party did not cancel the session, a reason other than illness, or
/// somebody who may not.
pub async fn illness_told(
    svc: &Service,
    session_id: &SessionId,
    role: Role,
    reason: Reason,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    if !matches!(reason, Reason::IllChild | Reason::IllSelf) {
        refuse!("only an illness changes what a cancellation costs; nothing was recorded");
    }
    let (known, ..) = assessed(&mut tx, &session.case_id).await?;
    let cancelled = |f: &crate::domain::money::policy::RecordedFact| {
        f.kind == "cancelled"
            && f.session.as_ref() == Some(session_id)
            && f.role == Some(role)
            && f.at <= rec.at
    };
    if !known.record.facts.iter().any(cancelled) {
        refuse!("the {role} had not cancelled session {session_id} by then; nothing was recorded");
    }
    facts::add(
        &mut tx,
        now,
        &[rec
            .fact("cancelled", "C28")
            .of_session(&session)
            .role(role)
            .detail(reason.as_str())],
    )
    .await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Records that the manager waives a fee or gives the debt up. Only a waiver makes new bookings
/// possible (choice C19).
///
/// # Errors
/// In plain English: no such fee, one that is settled, no reason given, or somebody who may not.
pub async fn decide(
    svc: &Service,
    fee: &FeeId,
    waive: bool,
    why: &str,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    if why.trim().is_empty() {
        refuse!("say why (--why): it is kept in the records, and nobody outside sees it");
    }
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Decide).await?;
    let Some((_, session_id)) = ledger::session_of_fee(&mut tx, fee).await? else {
        return Err(Error::not_found(format!(
            "there is no fee {fee}; `courtesy list fees` shows all"
        )));
    };
    let session = sessions::get(&mut tx, &session_id)
        .await?
        .context("the session of the fee is missing")?;
    let (_, _, before) = assessed(&mut tx, &session.case_id).await?;
    let s = before.standing(&session_id, now);
    match (s.fee, waive) {
        (FeeState::None, _) => refuse!("fee {fee} does not apply; nothing was recorded"),
        (FeeState::Waived, _) => refuse!("fee {fee} was waived already; nothing was recorded"),
        (FeeState::Paid, false) => refuse!("fee {fee} is paid; there is no debt to give up"),
        (FeeState::WrittenOff, false) => {
            refuse!("fee {fee} was written off already; nothing was recorded")
        }
        _ => {}
    }
    let kind = if waive { "waived" } else { "written_off" };
    facts::add(
        &mut tx,
        now,
        &[Fact {
            role: s.liable.map(|p| p.role()),
            ..rec
                .fact(kind, if waive { "manager" } else { "C19" })
                .of_session(&session)
        }
        .detail(why)],
    )
    .await?;
    finish(svc, tx, &session.case_id, now).await
}
