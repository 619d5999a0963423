//! Numbered questions: which visit a reply is about.

use crate::args;
use crate::domain::ids::{ChoiceId, SessionId};
use crate::domain::people::channel::Channel;
use crate::domain::replies::cancel_code::OPEN_FOR;
use crate::domain::replies::conversation::{AmbiguousWish, OpenChoice};
use crate::store::db::{Row, Tx};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// The open numbered question at an address, if it is less than a day old.
pub async fn open_choice(
    tx: &mut Tx,
    at: (Channel, &str),
    number_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<OpenChoice>> {
    let row = tx
        .one(
            "SELECT id, wanted, options, asked_at, said_at
             FROM choice
             WHERE state = 'open'
               AND channel = $1
               AND sender = $2
               AND number_hash = $3
               AND asked_at > $4
             ORDER BY asked_at DESC
             LIMIT 1",
            args![at.0.as_str(), at.1, number_hash, now - Duration::hours(24)],
        )
        .await?;
    row.map(|r| read_choosing(&r)).transpose()
}

/// An open numbered question by its id.
pub async fn open_choice_by_id(tx: &mut Tx, id: &ChoiceId) -> Result<Option<OpenChoice>> {
    let row = tx
        .one(
            "SELECT id, wanted, options, asked_at, said_at
             FROM choice
             WHERE id = $1 AND state = 'open'",
            args![id],
        )
        .await?;
    row.map(|r| read_choosing(&r)).transpose()
}

fn read_choosing(r: &Row) -> Result<OpenChoice> {
    let wanted = match r.text("wanted")?.as_str() {
        "confirm" => AmbiguousWish::Confirm,
        "cancel" => AmbiguousWish::Cancel(None),
        reason => AmbiguousWish::Cancel(reason.parse().ok()),
    };
    let options = r
        .text("options")?
        .split(' ')
        .filter_map(|o| o.split_once(':'))
        .filter_map(|(s, v)| Some((SessionId::new(s), v.parse().ok()?)))
        .collect();
    let said_at = r
        .time_opt("said_at")?
        .map_or_else(|| r.time("asked_at"), Ok)?;
    Ok(OpenChoice {
        id: r.id("id")?,
        wanted,
        options,
        said_at,
    })
}

/// A numbered question to ask.
pub struct NewChoice<'a> {
    /// Channel, our sender and hash of the address.
    pub address: (Channel, &'a str, &'a str),
    /// When the message arrived that it follows up.
    pub said_at: DateTime<Utc>,
    /// What that message asked for.
    pub wanted: AmbiguousWish,
    /// The sessions with the versions of their questions, in the order of their numbers.
    pub options: &'a [(SessionId, i64)],
    /// Whether its text can be sent. If not, only an open question about the same visits takes the
    /// new wish; any other ends.
    pub can_be_sent: bool,
}

/// Asks a numbered question and returns its id. `None` if it cannot be sent.
///
/// The newest wish replaces the older one: an open question about the same visits takes it over,
/// any other ends. After two NOs the time of the first one counts, as long as it is valid (rule
/// S1b).
pub async fn add_choice(
    tx: &mut Tx,
    now: DateTime<Utc>,
    new: &NewChoice<'_>,
) -> Result<Option<ChoiceId>> {
    let (channel, sender, number_hash) = new.address;
    let before = open_choice(tx, (channel, sender), number_hash, now).await?;
    let same = before.filter(|c| c.options == new.options);
    let (said_at, wanted) = match (same.as_ref().map(|c| (c.wanted, c.said_at)), new.wanted) {
        (Some((AmbiguousWish::Cancel(old), first)), AmbiguousWish::Cancel(reason))
            if new.said_at <= first + OPEN_FOR =>
        {
            (
                first.min(new.said_at),
                AmbiguousWish::Cancel(reason.or(old)),
            )
        }
        (_, wanted) => (new.said_at, wanted),
    };
    let wanted = match wanted {
        AmbiguousWish::Confirm => "confirm",
        AmbiguousWish::Cancel(None) => "cancel",
        AmbiguousWish::Cancel(Some(reason)) => reason.as_str(),
    };
    if let Some(c) = same {
        tx.exec(
            "UPDATE choice SET wanted = $1, said_at = $2, asked_at = $3 WHERE id = $4",
            args![wanted, said_at, now, &c.id],
        )
        .await?;
        return Ok(Some(c.id));
    }
    tx.exec(
        "UPDATE choice
         SET state = 'done'
         WHERE state = 'open' AND channel = $1 AND sender = $2 AND number_hash = $3",
        args![channel.as_str(), sender, number_hash],
    )
    .await?;
    if !new.can_be_sent {
        return Ok(None);
    }
    let id = ChoiceId::new(random_id());
    let options: Vec<String> = new
        .options
        .iter()
        .map(|(s, v)| format!("{s}:{v}"))
        .collect();
    tx.exec(
        "INSERT INTO choice (
           id, channel, sender, number_hash, wanted, options, asked_at, said_at, state
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open')",
        args![
            &id,
            channel.as_str(),
            sender,
            number_hash,
            wanted,
            options.join(" "),
            now,
            said_at
        ],
    )
    .await?;
    Ok(Some(id))
}

/// Ends the open numbered questions at these addresses that offer this session, because there is
/// newer information about it. Returns their ids.
pub async fn end_choices(
    tx: &mut Tx,
    session_id: &SessionId,
    hashes: &[String],
) -> Result<Vec<ChoiceId>> {
    let mut ended = Vec::new();
    for hash in hashes {
        let rows = tx
            .all(
                "SELECT id, options FROM choice WHERE state = 'open' AND number_hash = $1",
                args![hash],
            )
            .await?;
        for r in rows {
            if r.text("options")?.split(' ').any(|o| {
                o.split_once(':')
                    .is_some_and(|(s, _)| s == session_id.as_str())
            }) {
                ended.push(r.id("id")?);
            }
        }
    }
    for id in &ended {
        end_choice(tx, id).await?;
    }
    Ok(ended)
}

/// Ends a numbered question.
pub async fn end_choice(tx: &mut Tx, id: &ChoiceId) -> Result<()> {
    tx.exec("UPDATE choice SET state = 'done' WHERE id = $1", args![id])
        .await?;
    Ok(())
}
