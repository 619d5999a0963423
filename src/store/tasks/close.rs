//! Ending tasks: done by a person, or obsolete.

use crate::args;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, SessionId, TaskId};
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::store::db::{Db, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Marks the open task with this dedup key as obsolete.
pub async fn mark_obsolete(tx: &mut Tx, now: DateTime<Utc>, dedup_key: &TaskKey) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE cause = $2 AND state = 'open'",
        args![now, dedup_key.as_str()],
    )
    .await?;
    Ok(())
}

/// Marks the open tasks with these dedup keys as obsolete.
pub async fn mark_many_obsolete(
    tx: &mut Tx,
    now: DateTime<Utc>,
    dedup_keys: &[TaskKey],
) -> Result<()> {
    let rows = dedup_keys
        .iter()
        .map(|key| args![key.as_str(), now])
        .collect();
    tx.update_many(
        "cause, at",
        "UPDATE task
         SET state = 'done', done_at = v.at, moot = TRUE
         FROM v
         WHERE task.cause = v.cause AND task.state = 'open'",
        rows,
    )
    .await?;
    Ok(())
}

/// Marks an open task as obsolete.
pub async fn mark_obsolete_by_id(tx: &mut Tx, now: DateTime<Utc>, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE id = $2 AND state = 'open'",
        args![now, id],
    )
    .await?;
    Ok(())
}

/// Marks a session's open tasks of one kind as obsolete.
pub async fn mark_obsolete_of_session(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    topic: TaskKind,
) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE session_id = $2 AND topic = $3 AND state = 'open'",
        args![now, session_id, topic.as_str()],
    )
    .await?;
    Ok(())
}

/// Marks the open tasks to call about an unfinished cancellation of this session as obsolete, for
/// one party or both.
pub async fn mark_unfinished_obsolete(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    role: Option<Role>,
) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE session_id = $2
           AND state = 'open'
           AND origin = 'unfinished_cancellation'
           AND ($3 IS NULL OR role = $3)",
        args![now, session_id, role.map(Role::as_str)],
    )
    .await?;
    Ok(())
}

/// Marks the tasks about unfinished cancellations as obsolete whose session is cancelled or has
/// begun. Returns how many.
pub async fn mark_past_unfinished_obsolete(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE state = 'open'
           AND origin = 'unfinished_cancellation'
           AND session_id IN (SELECT id FROM session WHERE state <> 'booked' OR starts_at <= $1)",
        args![now],
    )
    .await
}

/// Marks the open tasks of one kind of many sessions as obsolete.
pub async fn mark_obsolete_of_sessions(
    tx: &mut Tx,
    now: DateTime<Utc>,
    sessions: &[(SessionId, i64)],
    topic: TaskKind,
) -> Result<()> {
    let rows = sessions
        .iter()
        .map(|(id, _)| args![id, now, topic.as_str()])
        .collect();
    tx.update_many(
        "id, at, topic",
        "UPDATE task
         SET state = 'done', done_at = v.at, moot = TRUE
         FROM v
         WHERE task.session_id = v.id AND task.topic = v.topic AND task.state = 'open'",
        rows,
    )
    .await?;
    Ok(())
}

/// The open tasks about a visit that are obsolete at `$1`.
///
/// A call before the visit is obsolete when the visit is over or cancelled, or the party answered;
/// a call about the party's own cancellation stays. The task to cancel a visit of an archived case
/// is obsolete when the visit is cancelled or has begun, or the case is open again.
const OUTDATED: &str = "task.state = 'open' AND (
      (
        task.topic IN ('ring_opted_out', 'ring_no_address')
        AND EXISTS (
          SELECT 1
          FROM session s
          LEFT JOIN attendee t ON t.session_id = s.id AND t.role = task.role
          WHERE s.id = task.session_id
            AND (
              s.ends_at <= $1
              OR (
                task.origin <> 'acknowledgement'
                AND (
                  s.state IN ('cancelled', 'closed')
                  OR (
                    t.answer <> 'none'
                    AND (task.origin = 'unasked_confirmation' OR t.answered_at >= task.opened_at)
                  )
                )
              )
            )
        )
      )
      OR (
        task.topic = 'closed_file_visit'
        AND EXISTS (
          SELECT 1
          FROM session s
          JOIN case_file c ON c.id = s.case_id
          WHERE s.id = task.session_id
            AND (s.state <> 'booked' OR s.starts_at <= $1 OR c.state <> 'archived')
        )
      )
    )";

/// Whether open tasks about visits are obsolete.
pub async fn any_outdated(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    Ok(db
        .one(
            format!(
                "SELECT task.id
                FROM task
                WHERE {OUTDATED}
                LIMIT 1"
            ),
            args![now],
        )
        .await?
        .is_some())
}

/// Marks outdated tasks about visits as obsolete.
pub async fn mark_outdated_obsolete(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec(
        format!("UPDATE task SET state = 'done', done_at = $1, moot = TRUE WHERE {OUTDATED}"),
        args![now],
    )
    .await
}

/// Marks the open tasks of a case that hold a notice as done, except those that are still needed.
pub async fn mark_releases_done_except(
    tx: &mut Tx,
    now: DateTime<Utc>,
    case_id: &CaseId,
    still_needed: &[TaskKey],
) -> Result<()> {
    let rows = tx
        .all(
            "SELECT id, cause, state
             FROM task
             WHERE case_id = $1 AND topic IN ('release_all_parties_notice', 'release_case_closed')",
            args![case_id],
        )
        .await?;
    for r in rows {
        if r.text("state")? == "open" && !still_needed.contains(&TaskKey::stored(r.text("cause")?))
        {
            mark_done(tx, now, &r.id("id")?).await?;
        }
    }
    Ok(())
}

/// Marks a task as done by a person.
pub async fn mark_done(tx: &mut Tx, now: DateTime<Utc>, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task SET state = 'done', done_at = $1 WHERE id = $2 AND state = 'open'",
        args![now, id],
    )
    .await?;
    Ok(())
}

/// Marks a party's open tasks of one kind as done by a person.
pub async fn mark_done_of_party(
    tx: &mut Tx,
    now: DateTime<Utc>,
    case_id: &CaseId,
    role: Role,
    topic: TaskKind,
) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1
         WHERE case_id = $2 AND role = $3 AND topic = $4 AND state = 'open'",
        args![now, case_id, role.as_str(), topic.as_str()],
    )
    .await
}

/// Marks a session's open tasks of one kind as done by a person.
pub async fn mark_done_of_session(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    topic: TaskKind,
) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1
         WHERE session_id = $2 AND topic = $3 AND state = 'open'",
        args![now, session_id, topic.as_str()],
    )
    .await
}
