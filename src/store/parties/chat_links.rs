//! Linking a Telegram chat: single-use codes, and chats that wait for staff.

use crate::args;
use crate::domain::ids::{PartyId, WaitingChatId};
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::store::db::Tx;
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A single-use code to store. Only its hash is kept.
pub struct NewLinkCode<'a> {
    pub hash: &'a str,
    /// The party it is for.
    pub party_id: &'a PartyId,
    pub sender: &'a str,
    pub by: &'a str,
    pub expires_at: DateTime<Utc>,
}

/// Stores a code. The party's earlier codes expire.
pub async fn add_link_code(tx: &mut Tx, now: DateTime<Utc>, c: &NewLinkCode<'_>) -> Result<()> {
    tx.exec(
        "UPDATE link_code
         SET expires_at = $1
         WHERE party_id = $2 AND used_at IS NULL AND expires_at > $1",
        args![now, c.party_id],
    )
    .await?;
    tx.exec(
        "INSERT INTO link_code (code_hash, party_id, sender, made_at, made_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![c.hash, c.party_id, c.sender, now, c.by, c.expires_at],
    )
    .await?;
    Ok(())
}

/// Uses a code and returns its party. `None` if it was used before, expired, or belongs to another
/// bot.
pub async fn use_link_code(
    tx: &mut Tx,
    now: DateTime<Utc>,
    hash: &str,
    sender: &str,
) -> Result<Option<PartyId>> {
    let row = tx
        .one(
            "SELECT party_id
             FROM link_code
             WHERE code_hash = $1 AND sender = $2 AND used_at IS NULL AND expires_at > $3",
            args![hash, sender, now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let n = tx
        .exec(
            "UPDATE link_code SET used_at = $1 WHERE code_hash = $2 AND used_at IS NULL",
            args![now, hash],
        )
        .await?;
    if n == 1 {
        row.id("party_id").map(Some)
    } else {
        Ok(None)
    }
}

/// A chat that waits until staff have verified its number with the party.
pub struct WaitingChat {
    pub id: WaitingChatId,
    pub sender: String,
    pub chat: Address,
    pub chat_hash: String,
    pub number: String,
    /// Number of wrong numbers so far.
    pub tries: i64,
}

/// Adds a waiting chat. An earlier one of the same party becomes void.
pub async fn add_waiting_chat(
    tx: &mut Tx,
    now: DateTime<Utc>,
    party_id: &PartyId,
    sender: &str,
    chat: (&Address, &str),
    number: &str,
) -> Result<()> {
    let seal = tx.seal();
    tx.exec(
        "UPDATE link_wait SET state = 'void' WHERE party_id = $1 AND state = 'open'",
        args![party_id],
    )
    .await?;
    tx.exec(
        "INSERT INTO link_wait (
           id, party_id, sender, chat, chat_hash, number, tries, asked_at, state
         )
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 'open')",
        args![
            random_id(),
            party_id,
            sender,
            seal.seal(chat.0.as_str()),
            chat.1,
            seal.seal(number),
            now
        ],
    )
    .await?;
    Ok(())
}

/// The party's waiting chat, if it asked after `since`.
pub async fn waiting_chat(
    tx: &mut Tx,
    party_id: &PartyId,
    since: DateTime<Utc>,
) -> Result<Option<WaitingChat>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT id, sender, chat, chat_hash, number, tries
             FROM link_wait
             WHERE party_id = $1 AND state = 'open' AND asked_at > $2
             ORDER BY asked_at DESC
             LIMIT 1",
            args![party_id, since],
        )
        .await?;
    let Some(r) = row else { return Ok(None) };
    let Some(chat) = Address::read(Channel::Telegram, &seal.open(&r.text("chat")?).0) else {
        return Ok(None);
    };
    Ok(Some(WaitingChat {
        id: r.id("id")?,
        sender: r.text("sender")?,
        chat,
        chat_hash: r.text("chat_hash")?,
        number: seal.open(&r.text("number")?).0,
        tries: r.int("tries")?,
    }))
}

/// Sets the state of a waiting chat and adds `wrong` to its wrong numbers.
pub async fn end_waiting_chat(
    tx: &mut Tx,
    id: &WaitingChatId,
    state: &str,
    wrong: i64,
) -> Result<()> {
    tx.exec(
        "UPDATE link_wait SET state = $1, tries = tries + $2 WHERE id = $3",
        args![state, wrong, id],
    )
    .await?;
    Ok(())
}

/// Provider ids of the messages that a party was sent in a chat since `since`.
pub async fn provider_ids_in_chat(
    tx: &mut Tx,
    party_id: &PartyId,
    chat_hash: &str,
    since: DateTime<Utc>,
) -> Result<Vec<String>> {
    let rows = tx
        .all(
            "SELECT a.provider_id
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             WHERE m.party_id = $1
               AND a.number_hash = $2
               AND a.channel = 'telegram'
               AND a.provider_id IS NOT NULL
               AND a.started_at > $3
             ORDER BY a.started_at DESC
             LIMIT 100",
            args![party_id, chat_hash, since],
        )
        .await?;
    rows.iter().map(|r| r.text("provider_id")).collect()
}
