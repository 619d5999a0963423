//! Attempts whose result nobody recorded.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId, WorkerId};
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::domain::people::private::Private;
use crate::store::db::{Arg, Db, Tx, placeholder_list};
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};

/// An attempt whose result nobody recorded.
#[derive(Debug, Clone)]
pub struct OpenAttempt {
    pub token: AttemptToken,
    pub message_id: MessageId,
    /// The process that made it.
    pub worker: WorkerId,
    /// The channel and our sender.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    pub number: Address,
    /// The text as sent.
    pub body: Private,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its process saw it fail with an unknown result.
    pub ended_at: Option<DateTime<Utc>>,
    /// How often it was looked up at the provider and not found.
    pub looks: i64,
    pub looked_at: Option<DateTime<Utc>>,
    /// When the message is no longer worth sending.
    pub not_after: Option<DateTime<Utc>>,
    /// It used a content template stored at the provider, whose list may show another text or none.
    pub content: bool,
    /// Another template message to this address stayed uncertain, so the provider's list may show
    /// that one.
    pub beside_uncertain: bool,
}

/// Attempts without a result that began before `before`, oldest first.
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

/// Which of these provider ids belong to our attempts.
pub async fn own_provider_ids(
    db: &Db,
    provider_ids: &[String],
) -> Result<std::collections::HashSet<String>> {
    let mut out = std::collections::HashSet::new();
    for chunk in provider_ids.chunks(500) {
        let sql = format!(
            "SELECT provider_id FROM attempt WHERE provider_id IN ({})",
            placeholder_list(1, chunk.len())
        );
        for r in db.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            out.insert(r.text("provider_id")?);
        }
    }
    Ok(out)
}

/// Records lookups that did not find an attempt at the provider. A lookup closer than `apart` to
/// the last one does not count.
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

/// Marks an attempt whose result stays unknown. It is never retried automatically; a person
/// decides.
///
/// Returns false if its result is known meanwhile.
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
