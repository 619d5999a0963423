//! Errands: small actions in a chat that are safe to repeat. They answer a press, remove buttons,
//! replace a text or leave a group.

use crate::args;
use crate::domain::ids::ErrandId;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::store::db::{Db, Tx};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// An errand to add.
pub struct NewErrand<'a> {
    pub sender: &'a str,
    /// `answer`, `unbutton`, `replace` or `leave`.
    pub what: &'a str,
    pub chat: &'a Address,
    /// The press or the message that it is about.
    pub target: &'a str,
    /// The text, if it needs one.
    pub text: &'a str,
}

/// Adds an errand. It expires after `lasts`.
pub async fn add(
    tx: &mut Tx,
    now: DateTime<Utc>,
    e: &NewErrand<'_>,
    lasts: Duration,
) -> Result<()> {
    let seal = tx.seal();
    tx.exec(
        "INSERT INTO errand (
           id, sender, what, chat, target, words, made_at, not_before, not_after, tries
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 0)",
        args![
            random_id(),
            e.sender,
            e.what,
            seal.seal(e.chat.as_str()),
            e.target,
            seal.seal(e.text),
            now,
            now + lasts
        ],
    )
    .await?;
    Ok(())
}

#[derive(Debug, Clone)]
pub struct DueErrand {
    pub id: ErrandId,
    /// See [`NewErrand`].
    pub what: String,
    pub chat: i64,
    /// The press or the message that it is about.
    pub target: String,
    pub text: String,
    /// Tries so far.
    pub tries: i64,
}

/// The due errands of a bot, oldest first.
pub async fn due(db: &Db, sender: &str, now: DateTime<Utc>) -> Result<Vec<DueErrand>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT id, what, chat, target, words, tries
             FROM errand
             WHERE sender = $1 AND not_before <= $2 AND not_after >= $2
             ORDER BY not_before
             LIMIT 50",
            args![sender, now],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        let chat = Address::read(Channel::Telegram, &seal.open(&r.text("chat")?).0)
            .and_then(|a| a.chat_id());
        out.push(DueErrand {
            id: r.id("id")?,
            what: r.text("what")?,
            chat: chat.unwrap_or_default(),
            target: r.text("target")?,
            text: seal.open(&r.text("words")?).0,
            tries: r.int("tries")?,
        });
    }
    Ok(out)
}

/// Deletes errands that are done or cannot be done.
pub async fn remove(tx: &mut Tx, ids: &[ErrandId]) -> Result<()> {
    for id in ids {
        tx.exec("DELETE FROM errand WHERE id = $1", args![id])
            .await?;
    }
    Ok(())
}

/// Retries an errand at `at`.
pub async fn retry_at(tx: &mut Tx, id: &ErrandId, at: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "UPDATE errand SET tries = tries + 1, not_before = $1 WHERE id = $2",
        args![at, id],
    )
    .await?;
    Ok(())
}

/// Deletes expired errands, also of bots that no longer exist. Returns how many.
pub async fn expire(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec("DELETE FROM errand WHERE not_after < $1", args![now])
        .await
}

/// How many errands are due.
pub async fn waiting(db: &Db, now: DateTime<Utc>) -> Result<i64> {
    db.one(
        "SELECT count(*) AS n FROM errand WHERE not_before <= $1 AND not_after >= $1",
        args![now],
    )
    .await?
    .map_or(Ok(0), |r| r.int("n"))
}
