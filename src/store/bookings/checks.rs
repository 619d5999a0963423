//! What has to be known before a session is booked.

use crate::args;
use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::visits::session::SessionState;
use crate::store::db::{Row, Tx};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use std::collections::HashSet;

/// What booking has to know of a case.
#[derive(Debug, Clone)]
pub struct CaseFile {
    pub id: CaseId,
    pub centre: String,
    pub case_ref: String,
    pub archived: bool,
    /// No new bookings are allowed.
    pub hold: bool,
    /// Its parents: role and party.
    pub parents: Vec<(Role, PartyId)>,
}

/// Reads a case and locks it against other bookings until the end of the transaction.
pub async fn lock_case(tx: &mut Tx, case_id: &CaseId) -> Result<CaseFile> {
    let row = tx
        .one(
            "SELECT id, centre, case_ref, state, bookings_hold
             FROM case_file
             WHERE id = $1 {lock}",
            args![case_id],
        )
        .await?
        .context("the case is gone")?;
    let parties = tx
        .all(
            "SELECT role, id
             FROM party
             WHERE case_id = $1 AND role <> 'referrer'
             ORDER BY role DESC",
            args![case_id],
        )
        .await?;
    Ok(CaseFile {
        id: row.id("id")?,
        centre: row.text("centre")?,
        case_ref: row.text("case_ref")?,
        archived: row.text("state")? == "archived",
        hold: row.flag("bookings_hold")?,
        parents: parties
            .iter()
            .map(|r| Ok((r.parsed("role")?, r.id("id")?)))
            .collect::<Result<_>>()?,
    })
}

/// Locks the booked sessions of a case from a day on until the end of the transaction, and returns
/// their ids. SQLite has a single writer and needs no lock.
pub async fn lock_upcoming(
    tx: &mut Tx,
    case_id: &CaseId,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<HashSet<SessionId>> {
    let sql = "SELECT id
        FROM session
        WHERE case_id = $1 AND start_local >= $2 AND state = 'booked' AND starts_at > $3
        ORDER BY id {lock}";
    tx.all(sql, args![case_id, from.to_string(), now])
        .await?
        .iter()
        .map(|r| r.id("id"))
        .collect()
}

/// The local days from `from` on that have a session of the case in any state, except unbooked
/// ones.
pub async fn days_taken(
    tx: &mut Tx,
    case_id: &CaseId,
    from: NaiveDate,
) -> Result<HashSet<NaiveDate>> {
    let rows = tx
        .all(
            "SELECT start_local
             FROM session
             WHERE case_id = $1 AND start_local >= $2 AND unbooked = FALSE",
            args![case_id, from.to_string()],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(parse_local(&r.text("start_local")?)
                .context("start_local")?
                .date())
        })
        .collect()
}

/// Whether a booked session of the case overlaps this span.
pub async fn overlaps(
    tx: &mut Tx,
    case_id: &CaseId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<bool> {
    let row = tx
        .one(
            "SELECT id
             FROM session
             WHERE case_id = $1 AND state = 'booked' AND starts_at < $3 AND ends_at > $2
             LIMIT 1",
            args![case_id, from, to],
        )
        .await?;
    Ok(row.is_some())
}

/// The closures of a centre that end on `day` or later, as local from and to. The times of day
/// apply to each day.
pub async fn closures(
    tx: &mut Tx,
    centre: &str,
    day: NaiveDate,
) -> Result<Vec<(NaiveDateTime, NaiveDateTime)>> {
    let rows = tx
        .all(
            "SELECT from_local, to_local FROM closure WHERE centre = $1 AND to_local >= $2",
            args![centre, day.to_string()],
        )
        .await?;
    let local = |r: &Row, column| -> Result<NaiveDateTime> {
        parse_local(&r.text(column)?).context("closure")
    };
    rows.iter()
        .map(|r| Ok((local(r, "from_local")?, local(r, "to_local")?)))
        .collect()
}

/// A missed session and its replacement.
pub struct MissedSession {
    pub case_id: CaseId,
    pub state: SessionState,
    /// The session that replaces it.
    pub replaced_by: Option<SessionId>,
}

/// A session that is to be replaced. `None` if it does not exist.
pub async fn missed_session(tx: &mut Tx, session_id: &SessionId) -> Result<Option<MissedSession>> {
    let row = tx
        .one(
            "SELECT s.case_id, s.state, r.id AS by
             FROM session s
             LEFT JOIN session r ON r.replaces = s.id
             WHERE s.id = $1",
            args![session_id],
        )
        .await?;
    row.map(|r| {
        Ok(MissedSession {
            case_id: r.id("case_id")?,
            state: r.parsed("state")?,
            replaced_by: r.id_opt("by")?,
        })
    })
    .transpose()
}

/// Records which missed session this one replaces.
pub async fn set_replaces(tx: &mut Tx, session_id: &SessionId, replaces: &SessionId) -> Result<()> {
    tx.exec(
        "UPDATE session SET replaces = $1 WHERE id = $2",
        args![replaces, session_id],
    )
    .await?;
    Ok(())
}

/// The open cases of a centre with a running series or a booked session from a day on.
pub async fn affected_cases(tx: &mut Tx, centre: &str, day: NaiveDate) -> Result<Vec<CaseId>> {
    let rows = tx
        .all(
            "SELECT id
             FROM case_file c
             WHERE c.centre = $1
               AND c.state = 'open'
               AND (
                 EXISTS (SELECT 1 FROM series s WHERE s.case_id = c.id AND s.state = 'running')
                 OR EXISTS (
                   SELECT 1
                   FROM session s
                   WHERE s.case_id = c.id AND s.state = 'booked' AND s.start_local >= $2
                 )
               )
             ORDER BY c.case_ref",
            args![centre, day.to_string()],
        )
        .await?;
    rows.iter().map(|r| r.id("id")).collect()
}
