//! What the scan has to do about sessions.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::task::TaskKind;
use crate::store::db::{Db, Tx};
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// When the next question is due.
pub async fn next_ask_at(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let row = db
        .one(
            "SELECT min(ask_at) AS at FROM attendee WHERE ask_at IS NOT NULL",
            args![],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("at"))
}

/// Whether the scan has anything to do: a due question, an expired message, an unfinished
/// cancellation.
pub async fn anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT 1 AS n
             WHERE EXISTS (SELECT 1 FROM attendee WHERE ask_at IS NOT NULL AND ask_at <= $1)
               OR EXISTS (
                 SELECT 1
                 FROM message
                 WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1
               )
               OR EXISTS (
                 SELECT 1
                 FROM cancel_question q
                 JOIN session s ON s.id = q.session_id
                 WHERE q.state = 'open'
                   AND q.nag_at IS NOT NULL
                   AND q.nag_at <= $1
                   AND s.state = 'booked'
                   AND s.starts_at > $1
               )
               OR EXISTS (
                 SELECT 1
                 FROM task t
                 JOIN session s ON s.id = t.session_id
                 WHERE t.state = 'open'
                   AND t.origin = 'unfinished_cancellation'
                   AND (s.state <> 'booked' OR s.starts_at <= $1)
               )",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Opens a call task for every cancellation message that waits when a hold begins (rule f10).
/// `scope` is a centre's code or `*`.
pub async fn ring_for_waiting(tx: &mut Tx, scope: &str, now: DateTime<Utc>) -> Result<()> {
    let rows = tx
        .all(
            "SELECT m.cause, m.case_id, m.session_id, m.role, t.arrives_at
             FROM message m
             JOIN attendee t ON t.session_id = m.session_id AND t.role = m.role
             WHERE m.kind IN ('session_off', 'closure')
               AND m.state = 'waiting'
               AND ($1 = '*' OR m.centre = $1)",
            args![scope],
        )
        .await?;
    for r in rows {
        let (case_id, session_id) = (r.id_opt("case_id")?, r.id_opt("session_id")?);
        let task = NewTask {
            case_id: case_id.as_ref(),
            session_id: session_id.as_ref(),
            role: r.parsed_opt("role")?,
            due_at: r.time_opt("arrives_at")?,
            ..NewTask::new(
                TaskKey::ring_for(&MessageKey::stored(r.text("cause")?)),
                TaskKind::RingSessionOff,
            )
        };
        tasks::open(tx, now, &task).await?;
    }
    Ok(())
}
