//! Texts with buttons, found by a press on one.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId, SessionId};
use crate::domain::outgoing::message::{AttemptOutcome, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::store::db::Tx;
use crate::store::outbox::read_payload;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// The message with buttons that an attempt carried.
pub struct StoredPrompt {
    /// Lookup hash of the chat that it went to.
    pub number_hash: String,
    pub sender: String,
    pub kind: MessageKind,
    /// The session it asks about, with the version of the question.
    pub session: Option<(SessionId, i64)>,
    /// Its payload, which names the question it asked.
    pub payload: Payload,
    /// Outcome of the attempt; `None` while it is unknown.
    pub outcome: Option<AttemptOutcome>,
}

/// The message of an attempt, for a press on a button below it.
pub async fn prompt_of(tx: &mut Tx, token: &AttemptToken) -> Result<Option<StoredPrompt>> {
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
        let kind = r.parsed("kind")?;
        Ok(StoredPrompt {
            number_hash: r.text("number_hash")?,
            sender: r.text("sender")?,
            kind,
            session: r.id_opt("session_id")?.zip(r.int_opt("ask_version")?),
            payload: read_payload(&seal, kind, &r.text("data")?),
            outcome: r.parsed_opt("outcome")?,
        })
    })
    .transpose()
}

/// Records that a press proves delivery: an attempt with an unknown result becomes accepted, with
/// the provider's id if it is known.
pub async fn confirm_by_press(
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
