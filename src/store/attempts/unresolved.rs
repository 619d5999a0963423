//! Attempts whose result nobody recorded.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId, WorkerId};
use crate::domain::people::person::{Address, Channel, Private};
use crate::store::db::{Arg, Db, Tx};
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};

/// An attempt whose end nobody recorded.
#[derive(Debug, Clone)]
pub struct OpenAttempt {
    /// Its token.
    pub token: AttemptToken,
    /// Its message.
    pub message_id: MessageId,
    /// Whose process.
    pub worker: WorkerId,
    /// The channel and our sender.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// The address that was written to.
    pub number: Address,
    /// The words that were sent.
    pub body: Private,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its process saw it end in doubt.
    pub ended_at: Option<DateTime<Utc>>,
    /// Looks that did not find it.
    pub looks: i64,
    /// The last of them.
    pub looked_at: Option<DateTime<Utc>>,
    /// Until when the message is worth sending.
    pub not_after: Option<DateTime<Utc>>,
    /// It went as a text that stands at the service, whose list may show other words or none.
    pub content: bool,
    /// Another such text to that number stayed uncertain, and might be what the list shows.
    pub beside_uncertain: bool,
}

/// Attempts without a recorded end that began before `before`, the oldest first.
pub async fn open_attempts(db: &Db, before: DateTime<Utc>, limit: i64) -> Result<Vec<OpenAttempt>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.token, a.message_id, a.worker, a.channel, a.sender, a.number, a.body,
               a.started_at, a.ended_at, a.looks, a.looked_at, a.content, m.not_after,
               EXISTS (
                 SELECT 1
                 FROM attempt o
                 WHERE o.number_hash = a.number_hash
                   AND o.channel = a.channel
                   AND o.content = TRUE
                   AND o.outcome = 'uncertain'
               ) AS beside_uncertain
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             WHERE a.outcome IS NULL AND a.started_at <= $1
             ORDER BY coalesce(a.looked_at, a.started_at)
             LIMIT $2",
            args![before, limit],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(OpenAttempt {
                token: r.id("token")?,
                message_id: r.id("message_id")?,
                worker: r.id("worker")?,
                channel: r.parsed("channel")?,
                sender: r.text("sender")?,
                number: Address::read(r.parsed("channel")?, &seal.open(&r.text("number")?).0)
                    .context("number")?,
                body: seal.open(&r.text("body")?),
                started_at: r.time("started_at")?,
                ended_at: r.time_opt("ended_at")?,
                looks: r.int("looks")?,
                looked_at: r.time_opt("looked_at")?,
                not_after: r.time_opt("not_after")?,
                content: r.flag("content")?,
                beside_uncertain: r.flag("beside_uncertain")?,
            })
        })
        .collect()
}

/// Which of these provider ids belong to attempts of ours.
pub async fn own_provider_ids(
    db: &Db,
    provider_ids: &[String],
) -> Result<std::collections::HashSet<String>> {
    let mut out = std::collections::HashSet::new();
    for chunk in provider_ids.chunks(500) {
        let sql = format!(
            "SELECT provider_id FROM attempt WHERE provider_id IN ({})",
            crate::store::db::placeholder_list(1, chunk.len())
        );
        for r in db.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            out.insert(r.text("provider_id")?);
        }
    }
    Ok(out)
}

/// Records looks that did not find an attempt at the provider; a look nearer than `apart` to the
/// last one does not count.
pub async fn record_lookups(
    tx: &mut Tx,
    now: DateTime<Utc>,
    apart: Duration,
    tokens: &[AttemptToken],
) -> Result<()> {
    let rows = tokens.iter().map(|t| args![t, now, now - apart]).collect();
    tx.update_many(
        "token, at, before",
        "UPDATE attempt
         SET looks = attempt.looks + 1, looked_at = v.at
         FROM v
         WHERE attempt.token = v.token
           AND attempt.outcome IS NULL
           AND (attempt.looked_at IS NULL OR attempt.looked_at <= v.before)",
        rows,
    )
    .await?;
    Ok(())
}

/// Nobody can tell what became of it: a person decides. Never automatically sent again. False if
/// its end is known meanwhile.
pub async fn mark_uncertain(tx: &mut Tx, now: DateTime<Utc>, token: &AttemptToken) -> Result<bool> {
    tx.exec(
        "UPDATE message
         SET state = 'uncertain', claim = NULL
         WHERE id = (SELECT message_id FROM attempt WHERE token = $1 AND outcome IS NULL)",
        args![token],
    )
    .await?;
    let n = tx
        .exec(
            "UPDATE attempt
             SET outcome = 'uncertain', ended_at = coalesce(ended_at, $1)
             WHERE token = $2 AND outcome IS NULL",
            args![now, token],
        )
        .await?;
    Ok(n == 1)
}
