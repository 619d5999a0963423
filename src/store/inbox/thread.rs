//! The messages exchanged with one number, for the person who replies.

use crate::args;
use crate::domain::ids::InboundId;
use crate::domain::people::channel::Channel;
use crate::domain::people::private::Private;
use crate::store::db::Tx;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A message in a thread.
#[derive(Debug, Clone)]
pub struct ThreadEntry {
    /// When it was received, or when its first attempt began.
    pub at: DateTime<Utc>,
    pub body: Private,
    /// Received or sent.
    pub direction: Direction,
}

/// The direction of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// From the number to us.
    In {
        id: InboundId,
        /// Intent and rule, once it was applied.
        understood: Option<(String, String)>,
        /// Number of pictures and sounds.
        media: i64,
    },
    /// From us to the number.
    Out {
        kind: String,
        state: String,
        /// The inbound message that it answers automatically, if any.
        answers: Option<InboundId>,
    },
}

/// The messages exchanged with a number since `since` on one channel and sender, oldest first.
pub async fn thread(
    tx: &mut Tx,
    from: &InboundSource,
    since: DateTime<Utc>,
) -> Result<Vec<ThreadEntry>> {
    let seal = tx.seal();
    let mut out = Vec::new();
    let received = "SELECT id, at, body, media, intent, rule
        FROM inbound
        WHERE number_hash = $1 AND channel = $2 AND sender = $3 AND at > $4 AND kind = 'text'
        ORDER BY at, recorded_at";
    for r in tx
        .all(
            received,
            args![&from.hash, from.channel.as_str(), &from.sender, since],
        )
        .await?
    {
        let direction = Direction::In {
            id: r.id("id")?,
            understood: r.text_opt("intent")?.zip(r.text_opt("rule")?),
            media: r.int("media")?,
        };
        out.push(ThreadEntry {
            at: r.time("at")?,
            body: seal.open(&r.text("body")?),
            direction,
        });
    }
    let sent = "SELECT a.started_at, a.body, m.kind, m.state, m.cause
        FROM attempt a
        JOIN message m ON m.id = a.message_id
        WHERE a.number_hash = $1
          AND a.channel = $2
          AND a.sender = $3
          AND a.started_at > $4
          AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))
        ORDER BY a.started_at";
    for r in tx
        .all(
            sent,
            args![&from.hash, from.channel.as_str(), &from.sender, since],
        )
        .await?
    {
        let answers = r
            .text("cause")?
            .strip_prefix("reply/")
            .map(|id| InboundId::new(id.split('/').next().unwrap_or_default()));
        out.push(ThreadEntry {
            at: r.time("started_at")?,
            body: seal.open(&r.text("body")?),
            direction: Direction::Out {
                kind: r.text("kind")?,
                state: r.text("state")?,
                answers,
            },
        });
    }
    out.sort_by_key(|p| p.at);
    Ok(out)
}

/// Where an inbound message came from.
pub struct InboundSource {
    /// The channel and our sender.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// The number or chat id.
    pub address: String,
    pub hash: String,
}

/// Where a stored message came from, so that staff can reply.
pub async fn source_of(tx: &mut Tx, id: &InboundId) -> Result<Option<InboundSource>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT channel, sender, number, number_hash FROM inbound WHERE id = $1",
            args![id],
        )
        .await?;
    row.map(|r| {
        Ok(InboundSource {
            channel: r.parsed("channel")?,
            sender: r.text("sender")?,
            address: seal.open(&r.text("number")?).0,
            hash: r.text("number_hash")?,
        })
    })
    .transpose()
}
