//! InboundKind came in: stored before it is answered, applied once.

mod opt_outs;
mod owners;
mod passed;

use crate::args;
use crate::domain::ids::{CaseId, InboundId};
use crate::domain::people::person::{Address, Channel, Private};
use crate::store::db::{Arg, Db, Tx};
use crate::store::sealed::random_id;
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use std::collections::{HashMap, HashSet};

pub use crate::store::inbox::opt_outs::{
    OptOuts, carry_opt_outs, opt_out_of, opted_out_among, opted_out_among_in, set_opt_out,
    start_too, stop_too,
};
pub use crate::store::inbox::owners::{
    Owner, block, closed_among, is_agreed, languages_of, modes_of, parties_anywhere, parties_with,
    pause,
};
pub use crate::store::inbox::passed::{CameFrom, Direction, ThreadEntry, passed, sender_of};

/// InboundKind came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundKind {
    /// Words, perhaps with pictures or sound.
    Text {
        /// The words, as received.
        body: Private,
        /// Pictures and sounds with it.
        media: i64,
        /// The service's opt-out mark.
        opt_out_type: Option<String>,
    },
    /// A press on a button.
    Press {
        /// The service's id of the press, to answer it.
        query: String,
        /// InboundKind the button holds.
        data: String,
        /// The message below which it stands.
        message: String,
    },
    /// The bot was blocked in this chat.
    Blocked,
    /// The bot was let in again.
    Unblocked,
    /// The bot is in a group or a channel, where it has no business.
    Group,
}

impl InboundKind {
    fn word(&self) -> &'static str {
        match self {
            InboundKind::Text { .. } => "text",
            InboundKind::Press { .. } => "press",
            InboundKind::Blocked => "blocked",
            InboundKind::Unblocked => "unblocked",
            InboundKind::Group => "group",
        }
    }
}

/// A received message on its way into the store.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// The service that brought it, with the account where ids are its own.
    pub provider: String,
    /// Its id there: a replay is no second message.
    pub provider_message_id: String,
    /// The channel.
    pub channel: Channel,
    /// Our sender that it came to.
    pub sender: String,
    /// Who wrote, as the service names them.
    pub from: String,
    /// InboundKind came.
    pub what: InboundKind,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// For what carries no time of its own: it may have come at any instant since then.
    pub earliest_at: Option<DateTime<Utc>>,
    /// `hook` or `listing`.
    pub found_by: &'static str,
}

/// Stores what came in; what is there already is left alone. Gives how many were new.
pub async fn store(tx: &mut Tx, now: DateTime<Utc>, received: &[NewInbound]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = received
        .iter()
        .enumerate()
        .map(|(i, r)| {
            // They are applied in the order in which they came.
            let recorded = now + Duration::microseconds(i as i64);
            let hash = Address::read(r.channel, &r.from).map_or_else(
                || seal.id_of(&format!("no-number/{}", r.from)),
                |a| seal.address_hash(&a),
            );
            let (body, media, opt_out_type, detail) = match &r.what {
                InboundKind::Text {
                    body,
                    media,
                    opt_out_type,
                } => (body.0.as_str(), *media, opt_out_type.clone(), String::new()),
                InboundKind::Press {
                    query,
                    data,
                    message,
                } => (data.as_str(), 0, None, format!("{query} {message}")),
                _ => ("", 0, None, String::new()),
            };
            args![
                random_id(),
                &r.provider,
                &r.provider_message_id,
                r.channel.as_str(),
                &r.sender,
                seal.seal(&r.from),
                hash,
                seal.seal(&body.replace('\0', "\u{2400}")),
                media,
                opt_out_type,
                r.at,
                recorded,
                r.found_by,
                "new",
                r.what.word(),
                seal.seal(&detail),
                r.earliest_at
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO inbound (
           id, provider, provider_message_id, channel, sender, number, number_hash, body, media,
           opt_out_type, at, recorded_at, found_by, state, kind, detail, earliest_at
         ) VALUES",
        "ON CONFLICT (provider, provider_message_id) DO NOTHING",
        rows,
    )
    .await
}

/// A stored message that was not applied yet.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Its id.
    pub id: InboundId,
    /// The channel and our sender that it came to.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// Who wrote; `None` for a short code or a name.
    pub from: Option<Address>,
    /// The look-up hash of it.
    pub number_hash: String,
    /// InboundKind came.
    pub what: InboundKind,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// The earliest instant at which it may have come.
    pub earliest_at: Option<DateTime<Utc>>,
}

impl Inbound {
    /// The words, if it has words.
    pub fn words(&self) -> &str {
        match &self.what {
            InboundKind::Text { body, .. } => &body.0,
            _ => "",
        }
    }

    /// The channel with our sender.
    pub fn line(&self) -> (Channel, &str) {
        (self.channel, &self.sender)
    }
}

/// Takes of the messages that were not applied yet the one that was sent first. Another process
/// takes one of another number: what came from one phone is applied in its order.
pub async fn next(tx: &mut Tx) -> Result<Option<Inbound>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT id, channel, sender, number, number_hash, body, media, opt_out_type, at, kind,
               detail, earliest_at
             FROM inbound i
             WHERE state = 'new'
               AND NOT EXISTS (
                 SELECT 1
                 FROM inbound o
                 WHERE o.state = 'new'
                   AND o.number_hash = i.number_hash
                   AND (o.at, o.recorded_at) < (i.at, i.recorded_at)
               )
             ORDER BY at, recorded_at, id
             LIMIT 1 {skip}",
            args![],
        )
        .await?;
    row.map(|r| {
        let channel: Channel = r.word("channel")?;
        let body = seal.open(&r.text("body")?);
        let what = match r.text("kind")?.as_str() {
            "press" => {
                let detail = seal.open(&r.text("detail")?).0;
                let (query, message) = detail.split_once(' ').unwrap_or((&detail, ""));
                InboundKind::Press {
                    query: query.to_owned(),
                    data: body.0,
                    message: message.to_owned(),
                }
            }
            "blocked" => InboundKind::Blocked,
            "unblocked" => InboundKind::Unblocked,
            "group" => InboundKind::Group,
            _ => InboundKind::Text {
                body,
                media: r.int("media")?,
                opt_out_type: r.text_opt("opt_out_type")?,
            },
        };
        Ok(Inbound {
            id: r.id("id")?,
            channel,
            sender: r.text("sender")?,
            from: Address::read(channel, &seal.open(&r.text("number")?).0),
            number_hash: r.text("number_hash")?,
            what,
            at: r.time("at")?,
            earliest_at: r.time_opt("earliest_at")?,
        })
    })
    .transpose()
}

/// Whether something waits to be applied.
pub async fn anything_new(db: &Db) -> Result<bool> {
    Ok(db
        .one(
            "SELECT id
             FROM inbound
             WHERE state = 'new'
             LIMIT 1",
            args![],
        )
        .await?
        .is_some())
}

/// InboundKind was applied from a number since then, without this one: when it came and its words.
pub async fn lately(
    tx: &mut Tx,
    number_hash: &str,
    but: &InboundId,
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Private)>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT at, body
             FROM inbound
             WHERE number_hash = $1 AND at > $2 AND id <> $3 AND state = 'done' AND kind = 'text'
             ORDER BY at DESC
             LIMIT 100",
            args![number_hash, since, but],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.time("at")?, seal.open(&r.text("body")?))))
        .collect()
}

/// Marks it applied, with what was understood and the rule.
pub async fn done(tx: &mut Tx, id: &InboundId, intent: &str, rule: &str) -> Result<()> {
    tx.exec(
        "UPDATE inbound
         SET state = 'done', intent = $1, rule = $2
         WHERE id = $3 AND state = 'new'",
        args![intent, rule, id],
    )
    .await?;
    Ok(())
}

/// When somebody last wrote from each of these addresses to our sender, if that was not before
/// `since`.
pub async fn last_wrote(
    tx: &mut Tx,
    at: (Channel, &str),
    hashes: &[String],
    since: DateTime<Utc>,
) -> Result<HashMap<String, DateTime<Utc>>> {
    let mut out = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, max(at) AS last
             FROM inbound
             WHERE channel = $1 AND sender = $2 AND at >= $3 AND number_hash IN ({})
             GROUP BY number_hash",
            crate::store::db::list_of(4, chunk.len())
        );
        let mut args: Vec<Arg> = args![at.0.as_str(), at.1, since];
        args.extend(chunk.iter().map(Arg::from));
        for r in tx.all(sql, args).await? {
            out.insert(r.text("number_hash")?, r.time("last")?);
        }
    }
    Ok(out)
}

/// Which of these ids of a provider are stored already.
pub async fn known(db: &Db, provider: &str, ids: &[String]) -> Result<HashSet<String>> {
    let mut out = HashSet::new();
    for chunk in ids.chunks(500) {
        let sql = format!(
            "SELECT provider_message_id
             FROM inbound
             WHERE provider = $1 AND provider_message_id IN ({})",
            crate::store::db::list_of(2, chunk.len())
        );
        let mut args: Vec<Arg> = args![provider];
        args.extend(chunk.iter().map(Arg::from));
        for r in db.all(sql, args).await? {
            out.insert(r.text("provider_message_id")?);
        }
    }
    Ok(out)
}

/// The messages of a party's numbers, for the case's history: (when, intent, rule).
pub async fn of_case(db: &Db, case_id: &CaseId) -> Result<Vec<(DateTime<Utc>, String, String)>> {
    let rows = db
        .all(
            "SELECT i.at, i.intent, i.rule
             FROM inbound i
             WHERE i.state = 'done'
               AND i.number_hash IN (
                 SELECT a.number_hash
                 FROM address a
                 JOIN party p ON p.id = a.party_id
                 WHERE p.case_id = $1 AND a.channel <> 'ring'
               )
             ORDER BY i.at",
            args![case_id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok((
                r.time("at")?,
                r.text_opt("intent")?.context("intent")?,
                r.text_opt("rule")?.context("rule")?,
            ))
        })
        .collect()
}

/// How many came in, by channel.
pub async fn count(db: &Db) -> Result<Vec<(String, i64)>> {
    let rows = db
        .all(
            "SELECT channel, count(*) AS n
             FROM inbound
             GROUP BY channel
             ORDER BY channel",
            args![],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.text("channel")?, r.int("n")?)))
        .collect()
}
