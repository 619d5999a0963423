//! The record of a case for the rules on money.

use crate::args;
use crate::domain::ids::{CaseId, FeeId, SessionId};
use crate::domain::money::amount::Money;
use crate::domain::money::policy::record::recipients;
use crate::domain::money::policy::recorded_fact::not_voided;
use crate::domain::money::policy::{BookedSession, CaseFacts, CaseRecord, RecordedFact};
use crate::domain::people::role::Role;
use crate::store::db::Tx;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

/// The kinds of facts that can cause a fee, as an SQL list.
pub(super) const FEEABLE: &str = "('cancelled', 'no_show')";

/// A case with its record.
#[derive(Debug, Clone)]
pub struct MoneyCase {
    pub id: CaseId,
    pub case_ref: String,
    pub centre: String,
    /// Everything recorded about it.
    pub record: CaseRecord,
}

/// Locks a case until the end of the transaction. SQLite has a single writer and needs no lock.
pub async fn lock(tx: &mut Tx, case_id: &CaseId) -> Result<()> {
    tx.one(
        "SELECT id FROM case_file WHERE id = $1 {lock}",
        args![case_id],
    )
    .await?;
    Ok(())
}

/// Reads a case with everything that the rules on money need.
///
/// # Errors
/// The case does not exist.
pub async fn case(tx: &mut Tx, case_id: &CaseId) -> Result<MoneyCase> {
    let row = tx
        .one(
            "SELECT id, case_ref, centre, court_ordered, children
             FROM case_file
             WHERE id = $1",
            args![case_id],
        )
        .await?
        .context("there is no such case")?;
    let roles: Vec<Role> = tx
        .all(
            "SELECT role
             FROM party
             WHERE case_id = $1
             ORDER BY role",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| r.parsed("role"))
        .collect::<Result<_>>()?;
    let sessions = tx
        .all(
            "SELECT id, starts_at, ends_at, state, booked_at, cancelled_by, cancelled_at,
               notice_hours, fee_minor, currency, payment_days
             FROM session
             WHERE case_id = $1
             ORDER BY starts_at, id",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| {
            Ok(BookedSession {
                id: r.id("id")?,
                start: r.time("starts_at")?,
                end: r.time("ends_at")?,
                state: r.parsed("state")?,
                booked_at: r.time("booked_at")?,
                off: r
                    .parsed_opt("cancelled_by")?
                    .zip(r.time_opt("cancelled_at")?),
                notice_hours: r.int("notice_hours")?,
                fee: Money {
                    minor: r.int("fee_minor")?,
                    currency: Money::currency(&r.text("currency")?)
                        .context("the currency of a session")?,
                },
                payment_days: u32::try_from(r.int("payment_days")?)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let seal = tx.seal();
    let facts = tx
        .all(
            "SELECT id, voids, session_id, role, kind, at, recorded_at, rule, detail, amount
             FROM fact
             WHERE case_id = $1
             ORDER BY recorded_at, at, id",
            args![case_id],
        )
        .await?
        .iter()
        .map(|r| {
            Ok(RecordedFact {
                id: r.id("id")?,
                voids: r.id_opt("voids")?,
                session: r.id_opt("session_id")?,
                role: r.parsed_opt("role")?,
                kind: r.text("kind")?,
                at: r.time("at")?,
                recorded_at: r.time("recorded_at")?,
                rule: r.text("rule")?,
                detail: seal.open(&r.text("detail")?).0,
                amount: r.int_opt("amount")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(MoneyCase {
        id: row.id("id")?,
        case_ref: row.text("case_ref")?,
        centre: row.text("centre")?,
        record: CaseRecord {
            case: CaseFacts {
                court_ordered: row.flag("court_ordered")?,
                children: u32::try_from(row.int("children")?)?,
                parties: recipients(&roles),
            },
            sessions,
            facts: not_voided(facts),
        },
    })
}

/// The cases of one centre or of all with a fact that can cause a fee.
pub async fn cases_with_fees(tx: &mut Tx, centre: Option<&str>) -> Result<Vec<CaseId>> {
    tx.all(
        format!(
            "SELECT DISTINCT f.case_id, c.case_ref, c.centre
             FROM fact f
             JOIN case_file c ON c.id = f.case_id
             WHERE f.kind IN {FEEABLE} AND ($1 IS NULL OR c.centre = $1)
             ORDER BY c.centre, c.case_ref"
        ),
        args![centre],
    )
    .await?
    .iter()
    .map(|r| r.id("case_id"))
    .collect()
}

/// The case and session of a fee.
pub async fn session_of_fee(tx: &mut Tx, fee: &FeeId) -> Result<Option<(CaseId, SessionId)>> {
    let seal = tx.seal();
    for r in tx
        .all(
            format!(
                "SELECT DISTINCT case_id, session_id
                 FROM fact
                 WHERE kind IN {FEEABLE} AND session_id IS NOT NULL"
            ),
            args![],
        )
        .await?
    {
        let session = r.id("session_id")?;
        if seal.id_of(&fee_cause(&session)) == fee.as_str() {
            return Ok(Some((r.id("case_id")?, session)));
        }
    }
    Ok(None)
}

fn fee_cause(session: &SessionId) -> String {
    format!("fee/{session}")
}

/// The id of a session's fee, as lists show it.
pub fn fee_id(tx: &Tx, session: &SessionId) -> FeeId {
    FeeId::new(tx.seal().id_of(&fee_cause(session)))
}

/// The case of a session.
pub async fn case_of_session(tx: &mut Tx, session: &SessionId) -> Result<Option<CaseId>> {
    tx.one("SELECT case_id FROM session WHERE id = $1", args![session])
        .await?
        .map(|r| r.id("case_id"))
        .transpose()
}

/// Until when this party may undo its cancellation of the session, if it may.
pub async fn undo_until(
    tx: &mut Tx,
    session: &SessionId,
    role: Role,
) -> Result<Option<DateTime<Utc>>> {
    let row = tx
        .one(
            "SELECT undo_until FROM attendee WHERE session_id = $1 AND role = $2",
            args![session, role.as_str()],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("undo_until"))
}
