//! Texts about money and notes.

use crate::args;
use crate::domain::ids::{CaseId, MessageId, SessionId};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::people::person::{Channel, Role};
use crate::store::db::{Db, Tx};
use crate::store::money::scan::rescan_case_of_message;
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

/// A text about money or a note that was queued.
#[derive(Debug, Clone)]
pub struct MoneyText {
    /// The message.
    pub id: MessageId,
    /// Its cause.
    pub dedup_key: String,
    /// What it says.
    pub kind: MessageKind,
    /// About which session.
    pub session: Option<SessionId>,
    /// To whom.
    pub role: Option<Role>,
    /// On which channel.
    pub channel: Channel,
    /// Where it stands.
    pub state: MessageState,
    /// Why it ended.
    pub reason: Option<String>,
    /// When it was called for, last.
    pub queued_at: DateTime<Utc>,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// When it was accepted.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was proven that it reached the phone.
    pub delivered_at: Option<DateTime<Utc>>,
    /// A person holds it back.
    pub held: bool,
    /// The day of the visit that it names.
    pub date: Option<NaiveDate>,
}

impl MoneyText {
    /// Whether it left, or may have left.
    pub fn may_have_left(&self) -> bool {
        matches!(
            self.state,
            MessageState::Sending
                | MessageState::Sent
                | MessageState::Delivered
                | MessageState::Uncertain
        )
    }

    /// Whether it left, or ended so that it will not leave any more and a person says it instead.
    pub fn is_dealt_with(&self) -> bool {
        let withdrawn = self.state == MessageState::Withdrawn
            && self.reason.as_deref() == Some(EndReason::NoLongerDue.as_str());
        self.state != MessageState::Waiting && !withdrawn
    }

    /// When its party was told by it: a network says when the phone has a text; Telegram says no
    /// more than that it took it for a chat, and shows it there.
    pub fn informed_at(&self) -> Option<DateTime<Utc>> {
        match (self.state, self.channel) {
            (MessageState::Sent | MessageState::Delivered, Channel::Telegram) => self.sent_at,
            (MessageState::Delivered, _) => self.delivered_at.or(self.sent_at),
            _ => None,
        }
    }
}

/// The texts of a case about money and notes.
pub async fn texts(tx: &mut Tx, case_id: &CaseId) -> Result<Vec<MoneyText>> {
    // The rank of texts about money stands in `outbox::enqueue`.
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
                dedup_key: r.text("cause")?,
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

/// How many texts about money that the texting service took just now have no receipt yet.
pub async fn count_pending_receipts(db: &Db, now: DateTime<Utc>) -> Result<i64> {
    let sql = "SELECT count(*) AS n
        FROM message
        WHERE rank = 3 AND state = 'sent' AND channel = 'sms' AND sent_at > $1";
    db.one(sql, args![now - chrono::Duration::seconds(5)])
        .await?
        .map_or(Ok(0), |r| r.int("n"))
}

/// Withdraws a text that still waits; false if it left meanwhile.
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

/// Lets a text wait again that was withdrawn: it is called for from `now` on.
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

/// A person holds one text back that waits; false if it does not wait, or is held already.
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

/// A claimed text does not leave but waits for a manager (safety rule M3).
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

/// Lets a text go that a person held back, not before `at`; false if it was not held.
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

/// Whether a text waits for a manager, because of the safety of the party that it goes to (safety
/// rule M3).
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
