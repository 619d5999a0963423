//! What passed between us and one number, for the person who answers.

use crate::args;
use crate::domain::ids::InboundId;
use crate::domain::people::person::{Channel, Private};
use crate::store::db::Tx;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A text that passed between us and one number.
#[derive(Debug, Clone)]
pub struct ThreadEntry {
    /// When it came, or when its first try began.
    pub at: DateTime<Utc>,
    /// The words.
    pub body: Private,
    /// What came, or what went.
    pub direction: Direction,
}

/// Which way a text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// From the number to us.
    In {
        /// Its id.
        id: InboundId,
        /// What was understood and by which rule, once it was applied.
        understood: Option<(String, String)>,
        /// Pictures and sounds with it.
        media: i64,
    },
    /// From us to the number.
    Out {
        /// Its kind.
        kind: String,
        /// Where it stands.
        state: String,
        /// The message that it answers by itself, if it does.
        answers: Option<InboundId>,
    },
}

/// What passed between us and a number since then, by one channel and sender of ours, the oldest
/// first: for the person who answers.
pub async fn thread(
    tx: &mut Tx,
    from: &InboundSource,
    since: DateTime<Utc>,
) -> Result<Vec<ThreadEntry>> {
    let seal = tx.seal();
    let mut out = Vec::new();
    let came = "SELECT id, at, body, media, intent, rule
        FROM inbound
        WHERE number_hash = $1 AND channel = $2 AND sender = $3 AND at > $4 AND kind = 'text'
        ORDER BY at, recorded_at";
    for r in tx
        .all(
            came,
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
    let went = "SELECT a.started_at, a.body, m.kind, m.state, m.cause
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
            went,
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

/// Where a message came from.
pub struct InboundSource {
    /// The channel and our sender.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// The number or chat.
    pub address: String,
    /// Its look-up hash.
    pub hash: String,
}

/// Where a stored message came from, so that it can be answered.
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
