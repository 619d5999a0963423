//! When a case is due to be looked at.

use crate::args;
use crate::domain::ids::{CaseId, MessageId};
use crate::store::db::{Db, Tx};
use crate::store::money::record::FEEABLE;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Due cases, at most `limit`.
pub async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<CaseId>> {
    db.all(
        "SELECT id
         FROM case_file
         WHERE look_at IS NOT NULL AND look_at <= $1
         ORDER BY look_at
         LIMIT $2",
        args![now, limit],
    )
    .await?
    .iter()
    .map(|r| r.id("id"))
    .collect()
}

/// When the next case is due.
pub async fn next_scan_at(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let row = db
        .one(
            "SELECT min(look_at) AS at FROM case_file WHERE look_at IS NOT NULL",
            args![],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("at"))
}

/// Has the next scan look at those of the cases that involve money: their sessions changed.
pub async fn rescan<'a>(
    tx: &mut Tx,
    now: DateTime<Utc>,
    cases: impl Iterator<Item = &'a CaseId>,
) -> Result<()> {
    let mut ids: Vec<&CaseId> = cases.collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = ids.into_iter().map(|c| args![c, now]).collect();
    tx.update_many(
        "id, at",
        &format!(
            "UPDATE case_file
             SET look_at = v.at
             FROM v
             WHERE case_file.id = v.id
               AND EXISTS (SELECT 1 FROM fact f WHERE f.case_id = v.id AND f.kind IN {FEEABLE})"
        ),
        rows,
    )
    .await?;
    Ok(())
}

/// Has the next scan look at the case of a message about money: it was delivered, or it was
/// released.
pub async fn rescan_case_of_message(
    tx: &mut Tx,
    now: DateTime<Utc>,
    message_id: &MessageId,
) -> Result<()> {
    tx.exec(
        "UPDATE case_file
         SET look_at = $1
         WHERE id = (SELECT case_id FROM message WHERE id = $2 AND rank = 3)",
        args![now, message_id],
    )
    .await?;
    Ok(())
}

/// Saves the state of a case and when it is due again.
pub async fn save_state(
    tx: &mut Tx,
    case_id: &CaseId,
    hold: bool,
    archived: bool,
    look_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let state = if archived { "archived" } else { "open" };
    tx.exec(
        "UPDATE case_file
         SET bookings_hold = $1, state = $2, look_at = $3
         WHERE id = $4",
        args![hold, state, look_at, case_id],
    )
    .await?;
    Ok(())
}
