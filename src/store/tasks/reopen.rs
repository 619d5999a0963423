//! Reopening tasks that ended.

use crate::args;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{SessionId, TaskId};
use crate::domain::people::role::Role;
use crate::store::db::Tx;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Reopens an obsolete task that is needed again.
pub async fn reopen_obsolete_by_id(tx: &mut Tx, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE id = $1 AND moot = TRUE",
        args![id],
    )
    .await?;
    Ok(())
}

/// Reopens the obsolete task with this dedup key.
pub async fn reopen_obsolete(tx: &mut Tx, dedup_key: &TaskKey) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE cause = $1 AND moot = TRUE",
        args![dedup_key.as_str()],
    )
    .await?;
    Ok(())
}

/// Reopens the obsolete tasks to call a party before a visit, after it was reinstated.
pub async fn reopen_ring_tasks(tx: &mut Tx, session_id: &SessionId, role: Role) -> Result<()> {
    let sql = "UPDATE task
        SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
        WHERE session_id = $1
          AND role = $2
          AND moot = TRUE
          AND topic IN ('ring_opted_out', 'ring_no_address')";
    tx.exec(sql, args![session_id, role.as_str()]).await?;
    Ok(())
}

/// Reopens the task with this dedup key if it was done before `since`.
pub async fn reopen_if_done_before(
    tx: &mut Tx,
    dedup_key: &TaskKey,
    since: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, moot = FALSE
         WHERE cause = $1 AND state = 'done' AND done_at < $2",
        args![dedup_key.as_str(), since],
    )
    .await?;
    Ok(())
}

/// Reopens the task with this dedup key if it was done.
pub async fn reopen(tx: &mut Tx, dedup_key: &TaskKey) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE cause = $1 AND state = 'done'",
        args![dedup_key.as_str()],
    )
    .await?;
    Ok(())
}
