//! Delivery receipts.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId};
use crate::domain::outgoing::message::{AttemptOutcome, MessageState};
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::people::channel::Channel;
use crate::store::db::{Row, Tx};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A delivery receipt as received.
#[derive(Debug, Clone)]
pub struct NewReceipt {
    /// The attempt's token, from the callback address.
    pub token: AttemptToken,
    /// The provider's id of the message.
    pub provider_id: String,
    pub status: String,
    /// What that status means; `None` if it is no news.
    pub receipt: Option<Receipt>,
    /// The provider's error code.
    pub error_code: Option<String>,
}

/// What a receipt changed.
pub struct ReceiptEffect {
    pub message_id: MessageId,
    /// Lookup hash of the address.
    pub number_hash: String,
    pub sender: String,
    pub channel: Channel,
    /// The message's state now.
    pub state: MessageState,
    /// Whether the state changed.
    pub changed: bool,
}

/// Stores a receipt as an event and moves its attempt and message forward. `None` if the token is
/// unknown.
pub async fn record_receipt(
    tx: &mut Tx,
    now: DateTime<Utc>,
    new: &NewReceipt,
) -> Result<Option<ReceiptEffect>> {
    store_event(tx, now, new).await?;
    let Some(attempt) = lock_attempt(tx, &new.token).await? else {
        return Ok(None);
    };
    let before: MessageState = attempt.parsed("state")?;
    let mut state = before;
    if let Some(receipt) = applicable(tx, new, &attempt).await? {
        state = receipt.message_state();
        accept(tx, now, new, receipt, &attempt.id("message_id")?).await?;
    }
    Ok(Some(ReceiptEffect {
        message_id: attempt.id("message_id")?,
        number_hash: attempt.text("number_hash")?,
        sender: attempt.text("sender")?,
        channel: attempt.parsed("channel")?,
        state,
        changed: state != before,
    }))
}

async fn store_event(tx: &mut Tx, now: DateTime<Utc>, new: &NewReceipt) -> Result<()> {
    tx.exec(
        "INSERT INTO receipt_event (id, token, provider_id, status, error_code, received_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            random_id(),
            &new.token,
            &new.provider_id,
            &new.status,
            &new.error_code,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Reads an attempt with the state of its message.
///
/// Locks the message before its attempt, in the same order as the recording of results does.
async fn lock_attempt(tx: &mut Tx, token: &AttemptToken) -> Result<Option<Row>> {
    let message = tx
        .one(
            "SELECT message_id FROM attempt WHERE token = $1",
            args![token],
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
    tx.one(
        "SELECT a.message_id, a.outcome, a.provider_id, a.receipt, a.number_hash, a.sender,
           a.channel, m.state
         FROM attempt a
         JOIN message m ON m.id = a.message_id
         WHERE a.token = $1",
        args![token],
    )
    .await
}

/// The receipt that the attempt has from now on. `None` if the new one does not apply to it.
async fn applicable(tx: &mut Tx, new: &NewReceipt, attempt: &Row) -> Result<Option<Receipt>> {
    // A provider id that belongs to another attempt proves nothing about this one.
    let owner = tx
        .one(
            "SELECT token FROM attempt WHERE provider_id = $1 AND token <> $2",
            args![&new.provider_id, &new.token],
        )
        .await?;
    if owner.is_some() {
        return Ok(None);
    }
    // A callback about another message under our token is somebody's mistake: keep the event only.
    if attempt
        .text_opt("provider_id")?
        .is_some_and(|id| id != new.provider_id)
    {
        return Ok(None);
    }
    let Some(received) = new.receipt else {
        return Ok(None);
    };
    let receipt = attempt
        .parsed_opt("receipt")?
        .map_or(received, |last: Receipt| last.advance(received));
    let outcome: Option<AttemptOutcome> = attempt.parsed_opt("outcome")?;
    // A refused attempt was not sent. Only proof of delivery can overrule that.
    if outcome == Some(AttemptOutcome::Refused)
        && receipt.message_state() != MessageState::Delivered
    {
        return Ok(None);
    }
    // The attempt counts as not sent. Adopt it only if no other attempt was made meanwhile.
    let counts_as_unsent = matches!(
        outcome,
        Some(AttemptOutcome::NotSent | AttemptOutcome::Refused)
    );
    if counts_as_unsent && has_live_attempt(tx, &attempt.id("message_id")?).await? {
        return Ok(None);
    }
    Ok(Some(receipt))
}

/// Whether the message has an attempt that was sent or may have been.
async fn has_live_attempt(tx: &mut Tx, message_id: &MessageId) -> Result<bool> {
    let row = tx
        .one(
            "SELECT token
             FROM attempt
             WHERE message_id = $1 AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))",
            args![message_id],
        )
        .await?;
    Ok(row.is_some())
}

async fn accept(
    tx: &mut Tx,
    now: DateTime<Utc>,
    new: &NewReceipt,
    receipt: Receipt,
    message_id: &MessageId,
) -> Result<()> {
    tx.exec(
        "UPDATE attempt
         SET outcome = 'accepted', provider_id = $1, receipt = $2,
           ended_at = coalesce(ended_at, $3)
         WHERE token = $4",
        args![&new.provider_id, receipt.as_str(), now, &new.token],
    )
    .await?;
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
            receipt.message_state().as_str(),
            &new.provider_id,
            now,
            message_id
        ],
    )
    .await?;
    Ok(())
}

/// Passes a message that its channel accepted but did not deliver to the party's next address.
///
/// Returns false if the attempt did not fail.
pub async fn reroute_undelivered(
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

/// The attempt with this provider id, if it went to this address.
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
