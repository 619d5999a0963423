//! Inbound messages: stored before they are answered, applied once.

use crate::args;
use crate::domain::ids::InboundId;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::domain::replies::inbound::InboundKind;
use crate::store::db::{Arg, Db, Tx, placeholder_list};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::collections::HashSet;

/// An inbound message to store.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// The provider, with the account where message ids are per account.
    pub provider: String,
    /// The provider's id. A replay is recognised by it.
    pub provider_message_id: String,
    pub channel: Channel,
    /// Our sender that received it.
    pub sender: String,
    /// The sender as the provider names it.
    pub from: String,
    pub kind: InboundKind,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// For events without a time of their own: the earliest time at which it can have happened.
    pub earliest_at: Option<DateTime<Utc>>,
    /// `hook` or `listing`.
    pub found_by: &'static str,
}

/// Stores inbound messages, ignoring known ones. Returns how many were new.
pub async fn store(tx: &mut Tx, now: DateTime<Utc>, received: &[NewInbound]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = received
        .iter()
        .enumerate()
        .map(|(i, r)| {
            // Distinct times keep the order in which they were received.
            let recorded = now + Duration::microseconds(i as i64);
            let hash = Address::read(r.channel, &r.from).map_or_else(
                || seal.id_of(&format!("no-number/{}", r.from)),
                |a| seal.address_hash(&a),
            );
            let (body, media, opt_out_type, detail) = match &r.kind {
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
                r.kind.as_str(),
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

/// A stored message that is not applied yet.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub id: InboundId,
    /// The channel and our sender that received it.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// The sender; `None` for a short code or a name.
    pub from: Option<Address>,
    /// Lookup hash of the sender.
    pub number_hash: String,
    pub kind: InboundKind,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// The earliest time at which it can have happened.
    pub earliest_at: Option<DateTime<Utc>>,
}

impl Inbound {
    /// Its text; empty for other events.
    pub fn text(&self) -> &str {
        match &self.kind {
            InboundKind::Text { body, .. } => &body.0,
            _ => "",
        }
    }

    /// The channel and our sender.
    pub fn line(&self) -> (Channel, &str) {
        (self.channel, &self.sender)
    }
}

/// Takes the unapplied message that was sent first.
///
/// Another process takes one from another number, so the messages of one phone are applied in
/// order.
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
        let channel: Channel = r.parsed("channel")?;
        let body = seal.open(&r.text("body")?);
        let kind = match r.text("kind")?.as_str() {
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
            kind,
            at: r.time("at")?,
            earliest_at: r.time_opt("earliest_at")?,
        })
    })
    .transpose()
}

/// Whether a message waits to be applied.
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

/// Marks a message as applied, with its intent and the rule.
pub async fn mark_applied(tx: &mut Tx, id: &InboundId, intent: &str, rule: &str) -> Result<()> {
    tx.exec(
        "UPDATE inbound
         SET state = 'done', intent = $1, rule = $2
         WHERE id = $3 AND state = 'new'",
        args![intent, rule, id],
    )
    .await?;
    Ok(())
}

/// Which of these provider ids are stored already.
pub async fn known(db: &Db, provider: &str, ids: &[String]) -> Result<HashSet<String>> {
    let mut out = HashSet::new();
    for chunk in ids.chunks(500) {
        let sql = format!(
            "SELECT provider_message_id
             FROM inbound
             WHERE provider = $1 AND provider_message_id IN ({})",
            placeholder_list(2, chunk.len())
        );
        let mut args: Vec<Arg> = args![provider];
        args.extend(chunk.iter().map(Arg::from));
        for r in db.all(sql, args).await? {
            out.insert(r.text("provider_message_id")?);
        }
    }
    Ok(out)
}
