//! Attempts after they left: those whose end nobody recorded, and what the provider says of the
//! others.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId, SessionId, WorkerId};
use crate::domain::outgoing::message::{AttemptOutcome, MessageKind, MessageState};
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::people::person::{Address, Channel, Private};
use crate::store::db::{Arg, Db, Tx};
use crate::store::outbox::read_payload;
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
                channel: r.word("channel")?,
                sender: r.text("sender")?,
                number: Address::read(r.word("channel")?, &seal.open(&r.text("number")?).0)
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
pub async fn owned(db: &Db, provider_ids: &[String]) -> Result<std::collections::HashSet<String>> {
    let mut out = std::collections::HashSet::new();
    for chunk in provider_ids.chunks(500) {
        let sql = format!(
            "SELECT provider_id FROM attempt WHERE provider_id IN ({})",
            crate::store::db::list_of(1, chunk.len())
        );
        for r in db.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            out.insert(r.text("provider_id")?);
        }
    }
    Ok(out)
}

/// Records looks that did not find an attempt at the provider; a look nearer than `apart` to the
/// last one does not count.
pub async fn looked(
    tx: &mut Tx,
    now: DateTime<Utc>,
    apart: Duration,
    tokens: &[AttemptToken],
) -> Result<()> {
    let rows = tokens.iter().map(|t| args![t, now, now - apart]).collect();
    tx.with_many(
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
pub async fn uncertain(tx: &mut Tx, now: DateTime<Utc>, token: &AttemptToken) -> Result<bool> {
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

/// A delivery receipt as it came in.
#[derive(Debug, Clone)]
pub struct ReceiptIn {
    /// The attempt's token, from the address.
    pub token: AttemptToken,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The provider's word.
    pub status: String,
    /// Its error code.
    pub error_code: Option<String>,
}

/// What a receipt touched.
pub struct ReceiptEffect {
    /// The message.
    pub message_id: MessageId,
    /// The address's hash.
    pub number_hash: String,
    /// Our sender.
    pub sender: String,
    /// The channel.
    pub channel: Channel,
    /// Where the message stands now.
    pub state: MessageState,
    /// Whether it stood elsewhere before.
    pub changed: bool,
}

/// Keeps a receipt as an event and moves its attempt and message forward; `None` for a token that
/// is not ours.
pub async fn receipt(
    tx: &mut Tx,
    now: DateTime<Utc>,
    r: &ReceiptIn,
) -> Result<Option<ReceiptEffect>> {
    tx.exec(
        "INSERT INTO receipt_event (id, token, provider_id, status, error_code, received_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            crate::store::sealed::random_id(),
            &r.token,
            &r.provider_id,
            &r.status,
            &r.error_code,
            now
        ],
    )
    .await?;
    // The message is locked before its attempt, in the order in which results are recorded.
    let message = tx
        .one(
            "SELECT message_id FROM attempt WHERE token = $1",
            args![&r.token],
        )
        .await?;
    let Some(message_id) = message
        .map(|m| m.id::<MessageId>("message_id"))
        .transpose()?
    else {
        return Ok(None);
    };
    tx.one(
        "SELECT id FROM message WHERE id = $1 {lock}",
        args![&message_id],
    )
    .await?;
    let row = tx
        .one(
            "SELECT a.message_id, a.outcome, a.provider_id, a.receipt, a.number_hash, a.sender,
               a.channel, m.state
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             WHERE a.token = $1",
            args![&r.token],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let touched = |state, changed| -> Result<Option<ReceiptEffect>> {
        Ok(Some(ReceiptEffect {
            message_id: row.id("message_id")?,
            number_hash: row.text("number_hash")?,
            sender: row.text("sender")?,
            channel: row.word("channel")?,
            state,
            changed,
        }))
    };
    let before: MessageState = row.word("state")?;
    // An id that another attempt owns already proves nothing about this one.
    let owner = tx
        .one(
            "SELECT token FROM attempt WHERE provider_id = $1 AND token <> $2",
            args![&r.provider_id, &r.token],
        )
        .await?;
    if owner.is_some() {
        return touched(before, false);
    }
    // The callback of another message under our token would be somebody's mistake: kept as an
    // event, nothing more.
    if row
        .text_opt("provider_id")?
        .is_some_and(|p| p != r.provider_id)
    {
        return touched(before, false);
    }
    let Some(news) = Receipt::from_provider(&r.status) else {
        return touched(before, false);
    };
    let stood: Option<Receipt> = row.word_opt("receipt")?;
    let stands = stood.map_or(news, |s| s.advance(news));
    let outcome: Option<AttemptOutcome> = row.word_opt("outcome")?;
    if outcome == Some(AttemptOutcome::Refused) && stands.message_state() != MessageState::Delivered
    {
        // What was refused did not arrive; only the phone itself could say otherwise.
        return touched(before, false);
    }
    if matches!(
        outcome,
        Some(AttemptOutcome::NotSent | AttemptOutcome::Refused)
    ) {
        // It was given up as not sent. It is taken back only if nothing else was sent in its place
        // meanwhile.
        let live = tx
            .one(
                "SELECT token
                 FROM attempt
                 WHERE message_id = $1
                   AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))",
                args![row.id::<MessageId>("message_id")?],
            )
            .await?;
        if live.is_some() {
            return touched(before, false);
        }
    }
    tx.exec(
        "UPDATE attempt
         SET outcome = 'accepted', provider_id = $1, receipt = $2,
           ended_at = coalesce(ended_at, $3)
         WHERE token = $4",
        args![&r.provider_id, stands.as_str(), now, &r.token],
    )
    .await?;
    let state = stands.message_state();
    tx.exec(
        "UPDATE message
         SET state = $1, provider_id = $2, sent_at = coalesce(sent_at, $3),
           delivered_at = CASE
             WHEN $1 = 'delivered' THEN coalesce(delivered_at, $3)
             ELSE delivered_at
           END,
           claim = NULL
         WHERE id = $4",
        args![
            state.as_str(),
            &r.provider_id,
            now,
            row.id::<MessageId>("message_id")?
        ],
    )
    .await?;
    touched(state, state != before)
}

/// The channel surely did not bring an attempt that it had taken to the phone: its message waits
/// for the party's next address. False if nothing of it stands as failed.
pub async fn not_brought(
    tx: &mut Tx,
    now: DateTime<Utc>,
    token: &AttemptToken,
    error: &str,
) -> Result<bool> {
    let row = tx
        .one(
            "SELECT message_id, channel
             FROM attempt
             WHERE token = $1 AND outcome = 'accepted' AND receipt IN ('undelivered', 'failed')",
            args![token],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let message_id: MessageId = row.id("message_id")?;
    tx.one(
        "SELECT id FROM message WHERE id = $1 {lock}",
        args![&message_id],
    )
    .await?;
    let n = tx
        .exec(
            "UPDATE attempt
             SET outcome = 'refused', error = $1
             WHERE token = $2 AND outcome = 'accepted' AND receipt IN ('undelivered', 'failed')",
            args![error, token],
        )
        .await?;
    if n == 1 {
        tx.exec(
            "UPDATE message
             SET state = 'waiting', reason = NULL, not_before = $1, not_by = $2, sent_at = NULL,
               provider_id = NULL, claim = NULL
             WHERE id = $3 AND state = 'undelivered'",
            args![now, row.text("channel")?, &message_id],
        )
        .await?;
    }
    Ok(n == 1)
}

/// The token of the attempt that the service knows by this id, if it went to this address.
pub async fn token_of(
    tx: &mut Tx,
    provider_id: &str,
    number_hash: &str,
) -> Result<Option<AttemptToken>> {
    tx.one(
        "SELECT token FROM attempt WHERE provider_id = $1 AND number_hash = $2",
        args![provider_id, number_hash],
    )
    .await?
    .map(|r| r.id("token"))
    .transpose()
}

/// What is known of the text below which a button stood.
pub struct StoredPrompt {
    /// The look-up hash of the chat that it went to.
    pub number_hash: String,
    /// Our sender.
    pub sender: String,
    /// What it said.
    pub kind: MessageKind,
    /// About which session, in which version of the question.
    pub session: Option<(SessionId, i64)>,
    /// What it held beside the session: the question that it put.
    pub payload: Payload,
    /// Where its attempt stands: `None` while nobody knows.
    pub outcome: Option<AttemptOutcome>,
}

/// The text of an attempt, for a press on a button below it.
pub async fn under(tx: &mut Tx, token: &AttemptToken) -> Result<Option<StoredPrompt>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT a.number_hash, a.sender, a.outcome, m.kind, m.session_id, m.ask_version,
               m.data
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             WHERE a.token = $1",
            args![token],
        )
        .await?;
    row.map(|r| {
        let kind = r.word("kind")?;
        Ok(StoredPrompt {
            number_hash: r.text("number_hash")?,
            sender: r.text("sender")?,
            kind,
            session: r.id_opt("session_id")?.zip(r.int_opt("ask_version")?),
            payload: read_payload(&seal, kind, &r.text("data")?),
            outcome: r.word_opt("outcome")?,
        })
    })
    .transpose()
}

/// A pressed button proves that its text arrived: an attempt in doubt is adopted, under the
/// service's id if it is known.
pub async fn proven(
    tx: &mut Tx,
    now: DateTime<Utc>,
    token: &AttemptToken,
    provider_id: Option<&str>,
) -> Result<bool> {
    let row = tx
        .one(
            "SELECT message_id
             FROM attempt
             WHERE token = $1 AND (outcome IS NULL OR outcome = 'uncertain')",
            args![token],
        )
        .await?;
    let Some(message_id) = row.map(|r| r.id::<MessageId>("message_id")).transpose()? else {
        return Ok(false);
    };
    tx.one(
        "SELECT id FROM message WHERE id = $1 {lock}",
        args![&message_id],
    )
    .await?;
    let n = tx
        .exec(
            "UPDATE attempt
             SET outcome = 'accepted', ended_at = coalesce(ended_at, $1), receipt = 'delivered',
               provider_id = CASE
                 WHEN EXISTS (SELECT 1 FROM attempt o WHERE o.provider_id = $2) THEN provider_id
                 ELSE coalesce($2, provider_id)
               END
             WHERE token = $3 AND (outcome IS NULL OR outcome = 'uncertain')",
            args![now, provider_id, token],
        )
        .await?;
    tx.exec(
        "UPDATE message
         SET state = 'delivered', sent_at = coalesce(sent_at, $1),
           delivered_at = coalesce(delivered_at, $1), provider_id = coalesce(provider_id, $2),
           claim = NULL
         WHERE id = $3 AND state IN ('sending', 'uncertain')",
        args![now, provider_id, &message_id],
    )
    .await?;
    Ok(n == 1)
}
