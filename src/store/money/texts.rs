//! Texts about money and notes.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::{CaseId, MessageId, SessionId};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::store::db::{Db, Tx};
use crate::store::money::scan::rescan_case_of_message;
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

/// A queued message about money or a note.
#[derive(Debug, Clone)]
pub struct MoneyText {
    pub id: MessageId,
    pub dedup_key: MessageKey,
    pub kind: MessageKind,
    /// The session that it is about.
    pub session: Option<SessionId>,
    pub role: Option<Role>,
    pub channel: Channel,
    pub state: MessageState,
    /// Why it ended.
    pub reason: Option<String>,
    /// When it was last requested.
    pub queued_at: DateTime<Utc>,
    /// Not sent before.
    pub not_before: DateTime<Utc>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it is proven to have been delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// A person holds it.
    pub held: bool,
    /// The day of the visit that it names.
    pub date: Option<NaiveDate>,
}

impl MoneyText {
    /// Whether it was sent, or may have been.
    pub fn may_have_left(&self) -> bool {
        matches!(
            self.state,
            MessageState::Sending
                | MessageState::Sent
                | MessageState::Delivered
                | MessageState::Uncertain
        )
    }

    /// Whether it was sent, or ended in a way that makes a person pass the news on instead.
    pub fn is_dealt_with(&self) -> bool {
        let withdrawn = self.state == MessageState::Withdrawn
            && self.reason.as_deref() == Some(EndReason::NoLongerDue.as_str());
        self.state != MessageState::Waiting && !withdrawn
    }

    /// When it informed its party. Networks report delivery; for Telegram, acceptance is enough,
    /// because the chat then shows the message.
    pub fn informed_at(&self) -> Option<DateTime<Utc>> {
        match (self.state, self.channel) {
            (MessageState::Sent | MessageState::Delivered, Channel::Telegram) => self.sent_at,
            (MessageState::Delivered, _) => self.delivered_at.or(self.sent_at),
            _ => None,
        }
    }
}

/// The messages of a case about money and notes.
pub async fn texts(tx: &mut Tx, case_id: &CaseId) -> Result<Vec<MoneyText>> {
    // 3 is the rank of money in `outbox::enqueue`.
    let sql = "
        SELECT id, cause, kind, session_id, role, channel, state, reason, queued_at, not_before,
          sent_at, delivered_at, held_at, data
        FROM message
        WHERE case_id = $1 AND rank = 3
        ORDER BY queued_at, id";
    let args = args![case_id];
    let seal = tx.seal();
    tx.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            Ok(MoneyText {
                id: r.id("id")?,
                dedup_key: MessageKey::stored(r.text("cause")?),
                kind: r.parsed("kind")?,
                session: r.id_opt("session_id")?,
                role: r.parsed_opt("role")?,
                channel: r.parsed("channel")?,
                state: r.parsed("state")?,
                reason: r.text_opt("reason")?,
                queued_at: r.time("queued_at")?,
                not_before: r.time("not_before")?,
                sent_at: r.time_opt("sent_at")?,
                delivered_at: r.time_opt("delivered_at")?,
                held: r.time_opt("held_at")?.is_some(),
                date: seal.open(&r.text("data")?).0.parse().ok(),
            })
        })
        .collect()
}

/// How many text messages about money were accepted just now and have no receipt yet.
pub async fn count_pending_receipts(db: &Db, now: DateTime<Utc>) -> Result<i64> {
    let sql = "SELECT count(*) AS n
        FROM message
        WHERE rank = 3 AND state = 'sent' AND channel = 'sms' AND sent_at > $1";
    db.one(sql, args![now - chrono::Duration::seconds(5)])
        .await?
        .map_or(Ok(0), |r| r.int("n"))
}

/// Withdraws a waiting message. Returns false if it was sent meanwhile.
pub async fn withdraw(tx: &mut Tx, message_id: &MessageId, reason: &str) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE message
             SET state = 'withdrawn', reason = $1, held_at = NULL, held_by = NULL
             WHERE id = $2 AND state = 'waiting'",
            args![reason, message_id],
        )
        .await?
        == 1)
}

/// Queues a withdrawn message again, requested at `now`.
pub async fn requeue(
    tx: &mut Tx,
    message_id: &MessageId,
    not_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE message
        SET state = 'waiting', reason = NULL, queued_at = $1, not_before = $2
        WHERE id = $3 AND state = 'withdrawn'";
    tx.exec(sql, args![now, not_before, message_id]).await?;
    Ok(())
}

/// Holds one waiting message. Returns false if it does not wait or is held already.
pub async fn hold_text(
    tx: &mut Tx,
    message_id: &MessageId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE message
             SET held_at = $1, held_by = $2
             WHERE id = $3 AND state = 'waiting' AND held_at IS NULL",
            args![now, by, message_id],
        )
        .await?
        == 1)
}

/// Holds a claimed message until a manager decides (safety rule M3).
pub async fn hold_for_manager(
    tx: &mut Tx,
    message_id: &MessageId,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "UPDATE message SET held_at = $1, held_by = 'M3' WHERE id = $2",
        args![now, message_id],
    )
    .await?;
    Ok(())
}

/// Releases a held message, to be sent at `at` or later. Returns false if it was not held.
pub async fn release_text(tx: &mut Tx, message_id: &MessageId, at: DateTime<Utc>) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE message
             SET held_at = NULL, held_by = NULL,
               not_before = CASE WHEN not_before > $1 THEN not_before ELSE $1 END
             WHERE id = $2 AND state = 'waiting' AND held_at IS NOT NULL",
            args![at, message_id],
        )
        .await?;
    rescan_case_of_message(tx, at, message_id).await?;
    Ok(n == 1)
}

/// Whether a message waits for a manager because of its recipient's safety (safety rule M3).
pub async fn is_held_for_manager(tx: &mut Tx, message_id: &MessageId) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM message WHERE id = $1 AND held_by = 'M3'",
            args![message_id],
        )
        .await?
        .is_some())
}

/// Whether a task about this party's own safety is open: written by them, or about their phone
/// (safety rule M3).
pub async fn has_open_safety_task(tx: &mut Tx, case_id: &CaseId, role: Role) -> Result<bool> {
    let row = tx
        .one(
            "SELECT t.id
             FROM task t
             LEFT JOIN inbound i ON i.id = t.inbound_id
             WHERE t.state = 'open'
               AND t.topic IN ('safeguarding', 'quiet_word')
               AND (
                 (t.case_id = $1 AND t.role = $2)
                 OR i.number_hash IN (
                   SELECT a.number_hash
                   FROM address a
                   JOIN party p ON p.id = a.party_id
                   WHERE p.case_id = $1 AND p.role = $2 AND a.state = 'current'
                 )
               )
             LIMIT 1",
            args![case_id, role.as_str()],
        )
        .await?;
    Ok(row.is_some())
}
