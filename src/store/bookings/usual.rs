//! The last session of a case, which a new one resembles.

use crate::args;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::visits::terms::Terms;
use crate::store::bookings::terms::{TERMS, read_terms};
use crate::store::db::{Row, Tx};
use anyhow::{Context, Result};
use chrono::NaiveDate;

/// A parent's own times relative to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// Own arrival, in minutes after the start.
    pub from: i64,
    /// Own departure, in minutes after the end.
    pub to: i64,
}

/// The last session of a case: the default for a new one.
#[derive(Debug, Clone)]
pub struct UsualSession {
    pub minutes: i64,
    /// What kind of contact.
    pub contact_type: String,
    pub day: NaiveDate,
    pub terms: Terms,
    /// Its attendees, with their offsets.
    pub attendees: Vec<(Role, Offset)>,
}

/// The newest session of a case, ignoring pre-visits and unbooked sessions.
pub async fn usual_session(tx: &mut Tx, case_id: &CaseId) -> Result<Option<UsualSession>> {
    let row = tx
        .one(
            format!(
                "SELECT id, starts_at, ends_at, start_local, contact_type, {TERMS}
                 FROM session
                 WHERE case_id = $1 AND contact_type <> 'previsit' AND unbooked = FALSE
                 ORDER BY starts_at DESC, id
                 LIMIT 1"
            ),
            args![case_id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (start, end) = (row.time("starts_at")?, row.time("ends_at")?);
    let attendees = tx
        .all(
            "SELECT role, arrives_at, leaves_at
             FROM attendee
             WHERE session_id = $1
             ORDER BY role DESC",
            args![row.id::<SessionId>("id")?],
        )
        .await?;
    let offset = |r: &Row| -> Result<(Role, Offset)> {
        Ok((
            r.parsed("role")?,
            Offset {
                from: (r.time("arrives_at")? - start).num_minutes(),
                to: (r.time("leaves_at")? - end).num_minutes(),
            },
        ))
    };
    Ok(Some(UsualSession {
        minutes: (end - start).num_minutes(),
        contact_type: row.text("contact_type")?,
        day: parse_local(&row.text("start_local")?)
            .context("start_local")?
            .date(),
        terms: read_terms(&row)?,
        attendees: attendees.iter().map(offset).collect::<Result<_>>()?,
    }))
}
