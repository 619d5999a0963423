//! Centres, holds, stopped lines and settings stored in the database.

use crate::args;
use crate::domain::centre::Centre;
use crate::store::db::{Db, Row, Tx};
use crate::store::sealed::Sealed;
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The scope of a hold over all centres.
pub const ALL_CENTRES: &str = "*";

#[derive(Debug, Clone)]
pub struct StoredCentre {
    pub centre: Centre,
    /// Its file as applied.
    pub file: String,
    /// Whether its messages are held, by its own hold or the hold over all centres.
    pub held: bool,
}

/// All centres by code.
pub type Centres = BTreeMap<String, StoredCentre>;

pub async fn all(db: &Db) -> Result<Centres> {
    read(db.all(ALL, args![]).await?, &db.seal())
}

/// Reads all centres within a transaction.
pub async fn all_in(tx: &mut Tx) -> Result<Centres> {
    let seal = tx.seal();
    read(tx.all(ALL, args![]).await?, &seal)
}

const ALL: &str = "
    SELECT c.code, c.file, coalesce(h.held, FALSE) AS held, coalesce(a.held, FALSE) AS all_held
    FROM centre c
    LEFT JOIN hold h ON h.scope = c.code
    LEFT JOIN hold a ON a.scope = '*'
    ORDER BY c.code";

fn read(rows: Vec<Row>, seal: &Sealed) -> Result<Centres> {
    let mut out = BTreeMap::new();
    for row in rows {
        let file = seal.open(&row.text("file")?).0;
        let centre = Centre::parse(&file).map_err(|p| {
            anyhow!(
                "the stored file of centre {} is not valid: {}",
                row.text("code").unwrap_or_default(),
                p[0]
            )
        })?;
        let held = row.flag("held")? || row.flag("all_held")?;
        out.insert(centre.code.clone(), StoredCentre { centre, file, held });
    }
    Ok(out)
}

/// Inserts or updates a centre. A new one starts on hold if its file says so.
pub async fn save(tx: &mut Tx, centre: &Centre, file: &str, now: DateTime<Utc>) -> Result<()> {
    let sealed = tx.seal().seal(file);
    tx.exec(
        "INSERT INTO centre (code, name, timezone, file, changed_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (code) DO UPDATE SET name = $2, timezone = $3, file = $4, changed_at = $5",
        args![&centre.code, &centre.name, centre.tz.name(), sealed, now],
    )
    .await?;
    tx.exec(
        "INSERT INTO hold (scope, held, changed_at, changed_by, why)
         VALUES ($1, $2, $3, 'courtesy', 'a new centre')
         ON CONFLICT (scope) DO NOTHING",
        args![&centre.code, centre.starts_on_hold, now],
    )
    .await?;
    Ok(())
}

/// Sets or lifts a hold.
pub async fn set_hold(
    tx: &mut Tx,
    scope: &str,
    held: bool,
    by: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "INSERT INTO hold (scope, held, changed_at, changed_by, why)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (scope) DO UPDATE SET held = $2, changed_at = $3, changed_by = $4, why = $5",
        args![scope, held, now, by, why],
    )
    .await?;
    Ok(())
}

/// Whether a centre's messages are held.
pub async fn held(tx: &mut Tx, centre: &str) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT scope
             FROM hold
             WHERE held = TRUE AND (scope = $1 OR scope = '*')
             LIMIT 1",
            args![centre],
        )
        .await?
        .is_some())
}

/// The stopped lines: name, reason, and the fingerprint of the settings that were refused.
pub async fn stopped_channels(db: &Db) -> Result<Vec<(String, String, String)>> {
    let rows = db
        .all(
            "SELECT channel, why, settings FROM channel_stop ORDER BY channel",
            args![],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.text("channel")?, r.text("why")?, r.text("settings")?)))
        .collect()
}

/// Whether a line is stopped.
pub async fn is_stopped(tx: &mut Tx, line: &str) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT channel FROM channel_stop WHERE channel = $1",
            args![line],
        )
        .await?
        .is_some())
}

/// Stops a line. Returns false if it was stopped already.
pub async fn stop_channel(
    tx: &mut Tx,
    channel: &str,
    why: &str,
    settings: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let n = tx
        .exec(
            "INSERT INTO channel_stop (channel, since, why, settings)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (channel) DO NOTHING",
            args![channel, now, why, settings],
        )
        .await?;
    Ok(n == 1)
}

/// Restarts a line if its settings differ from those that were refused.
pub async fn restart_if_changed(tx: &mut Tx, line: &str, settings: &str) -> Result<u64> {
    tx.exec(
        "DELETE FROM channel_stop WHERE channel = $1 AND settings <> $2",
        args![line, settings],
    )
    .await
}

/// Restarts all lines.
pub async fn restart_all(tx: &mut Tx) -> Result<u64> {
    tx.exec("DELETE FROM channel_stop", args![]).await
}

/// When a centre last changed, so that values derived from the centre files can be refreshed.
pub async fn last_change(db: &Db) -> Result<Option<DateTime<Utc>>> {
    db.one("SELECT max(changed_at) AS at FROM centre", args![])
        .await?
        .map_or(Ok(None), |r| r.time_opt("at"))
}

/// A setting stored in the database.
pub async fn setting(db: &Db, key: &str) -> Result<Option<String>> {
    db.one("SELECT value FROM setting WHERE key = $1", args![key])
        .await?
        .map(|r| r.text("value"))
        .transpose()
}

/// Where the simulator's clock continues: the time it was last set to, or the latest recorded time
/// if that is later. `None` if this database was never used for a simulation.
pub async fn simulator_clock(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let Some(set) = setting(db, "practice_clock")
        .await?
        .and_then(|t| DateTime::parse_from_rfc3339(&t).ok())
    else {
        return Ok(None);
    };
    let mut latest = set.with_timezone(&Utc);
    for (table, column) in [
        ("fact", "recorded_at"),
        ("inbound", "recorded_at"),
        ("message", "queued_at"),
        ("message", "sent_at"),
        ("task", "opened_at"),
    ] {
        let row = db
            .one(format!("SELECT max({column}) AS at FROM {table}"), args![])
            .await?;
        latest = row
            .map_or(Ok(None), |r| r.time_opt("at"))?
            .map_or(latest, |t| t.max(latest));
    }
    Ok(Some(latest))
}

/// Stores a setting unless it exists. Returns the stored value.
pub async fn set_once(db: &Db, key: &str, value: &str) -> Result<String> {
    let mut tx = db.begin().await?;
    tx.exec(
        "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        args![key, value],
    )
    .await?;
    let row = tx
        .one("SELECT value FROM setting WHERE key = $1", args![key])
        .await?
        .context("the setting was not stored")?;
    let value = row.text("value")?;
    tx.commit().await?;
    Ok(value)
}

/// Replaces a setting if it still has the value `old`. Returns false if it changed meanwhile.
pub async fn compare_and_set(tx: &mut Tx, key: &str, old: Option<&str>, new: &str) -> Result<bool> {
    let n = match old {
        Some(old) => {
            tx.exec(
                "UPDATE setting SET value = $1 WHERE key = $2 AND value = $3",
                args![new, key, old],
            )
            .await?
        }
        None => {
            tx.exec(
                "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
                args![key, new],
            )
            .await?
        }
    };
    Ok(n == 1)
}

/// Stores or replaces a setting.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<()> {
    tx.exec(
        "INSERT INTO setting (key, value)
         VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET value = $2",
        args![key, value],
    )
    .await?;
    Ok(())
}
