//! Which cases are due for the scan, and when the next one is.

use crate::args;
use crate::domain::ids::CaseId;
use crate::store::db::{Db, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Cases with a due series. A case on hold is left out and is due as soon as the hold ends.
pub async fn due_cases(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<CaseId>> {
    let rows = tx
        .all(
            "SELECT id
             FROM case_file
             WHERE state = 'open'
               AND bookings_hold = FALSE
               AND id IN (SELECT case_id FROM series WHERE look_at IS NOT NULL AND look_at <= $1)
             ORDER BY id
             LIMIT $2 {skip}",
            args![now, limit],
        )
        .await?;
    rows.iter().map(|r| r.id("id")).collect()
}

/// Whether a series or a case is due.
pub async fn anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT 1 AS n
             WHERE EXISTS (
               SELECT 1
               FROM series s
               JOIN case_file c ON c.id = s.case_id
               WHERE s.look_at IS NOT NULL
                 AND s.look_at <= $1
                 AND c.state = 'open'
                 AND c.bookings_hold = FALSE
             )
               OR EXISTS (SELECT 1 FROM case_file WHERE state = 'open' AND bookings_at IS NULL)
               OR EXISTS (SELECT 1 FROM case_file WHERE state = 'open' AND bookings_at <= $1)",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// When the next series or case is due.
pub async fn next_scan_at(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let series = db
        .one(
            "SELECT min(s.look_at) AS at
             FROM series s
             JOIN case_file c ON c.id = s.case_id
             WHERE s.look_at IS NOT NULL AND c.state = 'open' AND c.bookings_hold = FALSE",
            args![],
        )
        .await?
        .map_or(Ok(None), |r| r.time_opt("at"))?;
    let case = db
        .one(
            "SELECT min(bookings_at) AS at FROM case_file WHERE state = 'open'",
            args![],
        )
        .await?
        .map_or(Ok(None), |r| r.time_opt("at"))?;
    Ok([series, case].into_iter().flatten().min())
}
