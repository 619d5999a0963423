//! What is due, and how much waits.

use crate::args;
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::outbox::LineScope;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Whether a line has a due message that is not held.
pub async fn any_due(db: &Db, line: LineScope<'_>, now: DateTime<Utc>) -> Result<bool> {
    let (filter, values) = line.filter(3);
    let mut args: Vec<Arg> = args![now, line.channel.as_str()];
    args.extend(values);
    let sql = format!(
        "SELECT m.id
         FROM message m
         WHERE m.state = 'waiting'
           AND m.held_at IS NULL
           AND m.channel = $2
           AND m.not_before <= $1
           {filter}
           AND (
             m.kind = 'staff_alert'
             OR NOT EXISTS (
               SELECT 1
               FROM hold h
               WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')
             )
           )
         LIMIT 1"
    );
    Ok(db.one(sql, args).await?.is_some())
}

/// Attempts of a line that began on the day (UTC) of `now`.
pub async fn attempts_today(tx: &mut Tx, line: &str, now: DateTime<Utc>) -> Result<i64> {
    let row = tx
        .one(
            "SELECT texts FROM day_count WHERE channel = $2 AND day = $1",
            args![now.format("%Y-%m-%d").to_string(), line],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("texts"))
}

/// The load of the queue.
#[derive(Debug, Clone, Default)]
pub struct QueueLoad {
    /// Messages due and not held.
    pub due: i64,
    /// Messages due and held.
    pub held: i64,
    /// Attempts without a result.
    pub open: i64,
    /// When the next message is due.
    pub next: Option<DateTime<Utc>>,
    /// Whether a message waits for another attempt.
    pub retrying: bool,
}

impl QueueLoad {
    /// Whether a retry is due so soon that an idle process should wait for it.
    pub fn retry_soon(&self, now: DateTime<Utc>) -> bool {
        self.retrying && self.next.is_some_and(|t| t <= now + Duration::minutes(3))
    }
}

/// Reads the load of the queue.
pub async fn load(db: &Db, now: DateTime<Utc>) -> Result<QueueLoad> {
    let held = "EXISTS (
          SELECT 1
          FROM hold h
          WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')
        )";
    let count = |sql: String| async move {
        db.one(sql, args![now])
            .await?
            .map_or(Ok(0), |r: Row| r.int("n"))
    };
    let due = count(format!(
        "SELECT count(*) AS n
         FROM message m
         WHERE m.state = 'waiting' AND m.held_at IS NULL AND m.not_before <= $1 AND NOT {held}"
    ))
    .await?;
    let held = count(format!(
        "SELECT count(*) AS n
         FROM message m
         WHERE m.state = 'waiting' AND m.held_at IS NULL AND m.not_before <= $1 AND {held}"
    ))
    .await?;
    let open = db
        .one(
            "SELECT count(*) AS n FROM attempt WHERE outcome IS NULL",
            args![],
        )
        .await?
        .map_or(Ok(0), |r| r.int("n"))?;
    let next = db
        .one(
            "SELECT min(not_before) AS at
             FROM message
             WHERE state = 'waiting' AND held_at IS NULL AND not_before > $1",
            args![now],
        )
        .await?;
    let retrying = db
        .one(
            "SELECT id
             FROM message
             WHERE state = 'waiting' AND held_at IS NULL AND tries > 0 AND not_before > $1
             LIMIT 1",
            args![now],
        )
        .await?
        .is_some();
    Ok(QueueLoad {
        due,
        held,
        open,
        next: next.map_or(Ok(None), |r| r.time_opt("at"))?,
        retrying,
    })
}

/// Number of messages by kind and state.
pub async fn counts(db: &Db) -> Result<Vec<(String, String, i64)>> {
    let rows = db
        .all(
            "SELECT kind, state, count(*) AS n
             FROM message
             GROUP BY kind, state
             ORDER BY kind, state",
            args![],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.text("kind")?, r.text("state")?, r.int("n")?)))
        .collect()
}

/// How many waiting messages of one centre or of all would be sent until `until` if nothing were
/// held.
pub async fn count_due_until(
    db: &Db,
    centre: Option<&str>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64> {
    let row = db
        .one(
            "SELECT count(*) AS n
             FROM message
             WHERE state = 'waiting'
               AND held_at IS NULL
               AND not_before <= $1
               AND (not_after IS NULL OR not_after > $3)
               AND ($2 IS NULL OR centre = $2)",
            args![until, centre, now],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}
