//! The standing of a case's fees, in words for staff.

use crate::domain::centre::Centre;
use crate::domain::ids::CaseId;
use crate::domain::local_time::wall;
use crate::domain::money::policy::{CaseAssessment, FeeState};
use crate::flows::error::Result;
use crate::flows::money::assessed_case::AssessedCase;
use crate::flows::money::settle;
use crate::flows::service::Service;
use crate::store::{Tx, centres, money as ledger};
use anyhow::Context;
use chrono::{DateTime, Utc};

/// The standing of a case's fees after something was recorded, a line each, for staff.
pub type StandingLines = Vec<String>;

/// The standing of a case's fees, in words for staff.
pub(crate) fn in_words(seen: &AssessedCase<'_>, now: DateTime<Utc>) -> StandingLines {
    let AssessedCase {
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
    case_id: &CaseId,
    now: DateTime<Utc>,
) -> Result<StandingLines> {
    let all = centres::all_in(&mut tx).await?;
    settle::settle(svc.lines().senders(), &mut tx, &all, case_id, now).await?;
    let words = in_words(&AssessedCase::of(&mut tx, &all, case_id).await?, now);
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(words)
}

pub(crate) async fn assessed(
    tx: &mut Tx,
    case_id: &CaseId,
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
