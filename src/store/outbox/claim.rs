//! Claiming due messages, and giving claims back unsent.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::MessageId;
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::message::MessageState;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::store::db::{Arg, Tx};
use crate::store::inbox;
use crate::store::outbox::line::LineScope;
use crate::store::outbox::payload::read_payload;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Claims due messages of a line's centres that are not on hold, replies first, at most `limit`.
pub async fn claim(
    tx: &mut Tx,
    line: LineScope<'_>,
    claim: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<ClaimedMessage>> {
    let (filter, values) = line.filter(5);
    let mut args: Vec<Arg> = args![now, limit, claim, line.channel.as_str()];
    args.extend(values);
    let rows = tx
        .all(
            format!(
                "WITH due AS (
                   SELECT m.id
                   FROM message m
                   WHERE m.state = 'waiting'
                     AND m.held_at IS NULL
                     AND m.channel = $4
                     AND m.not_before <= $1
                     {filter}
                     AND (
                       m.kind = 'staff_alert'
                       OR NOT EXISTS (
                         SELECT 1
                         FROM hold h
                         WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')
                       )
                     )
                   ORDER BY m.rank, m.not_before
                   LIMIT $2 {{skip}}
                 )
                 UPDATE message
                 SET state = 'sending', claim = $3
                 WHERE id IN (SELECT id FROM due) AND state = 'waiting'
                 RETURNING id, cause, kind, centre, case_id, role, session_id, session_version,
                   ask_version, to_number, to_hash, data, rank, not_before, not_after, tries,
                   not_by"
            ),
            args,
        )
        .await?;
    let seal = tx.seal();
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let session = match (
            r.id_opt("session_id")?,
            r.int_opt("session_version")?,
            r.int_opt("ask_version")?,
        ) {
            (Some(s), Some(v), Some(a)) => Some((s, v, a)),
            _ => None,
        };
        let to = match (r.text_opt("to_number")?, r.text_opt("to_hash")?) {
            (Some(n), Some(h)) => Address::read(line.channel, &seal.open(&n).0).map(|a| (a, h)),
            _ => None,
        };
        let kind = r.parsed("kind")?;
        let claimed = ClaimedMessage {
            id: r.id("id")?,
            dedup_key: MessageKey::stored(r.text("cause")?),
            kind,
            centre: r.text("centre")?,
            case_id: r.id_opt("case_id")?,
            role: r.parsed_opt("role")?,
            session,
            to,
            to_opted_out: false,
            payload: read_payload(&seal, kind, &r.text("data")?),
            not_before: r.time("not_before")?,
            not_after: r.time_opt("not_after")?,
            tries: r.int("tries")?,
            excluded_channel: r.parsed_opt("not_by")?,
        };
        out.push((r.int("rank")?, claimed));
    }
    let hashes: Vec<String> = out
        .iter()
        .filter_map(|(_, c)| c.to.as_ref().map(|t| t.1.clone()))
        .collect();
    let stopped = inbox::opted_out_among(tx, &hashes).await?;
    for (_, c) in &mut out {
        c.to_opted_out = c.to.as_ref().is_some_and(|(_, hash)| {
            stopped.contains(&(line.channel, line.sender.to_owned(), hash.clone()))
        });
    }
    // Replies first. Within one instant the order must not reveal who was decided about first.
    out.sort_by(|(a, x), (b, y)| (a, x.not_before, &x.id).cmp(&(b, y.not_before, &y.id)));
    Ok(out.into_iter().map(|(_, c)| c).collect())
}

/// A claimed message that moves to another channel.
#[derive(Debug)]
pub struct Rerouted {
    pub id: MessageId,
    pub channel: Channel,
    /// For a message with a fixed address: the new address and its hash.
    pub to: Option<(Address, String)>,
    /// A channel that did not take it.
    pub excluded_channel: Option<Channel>,
}

/// Moves claimed messages to another channel, where they wait.
pub async fn reroute(tx: &mut Tx, rows: Vec<Rerouted>) -> Result<()> {
    let seal = tx.seal();
    let rows = rows
        .into_iter()
        .map(|r| {
            let (number, hash) = r.to.map(|(a, hash)| (seal.seal(a.as_str()), hash)).unzip();
            args![
                r.id,
                r.channel.as_str(),
                number,
                hash,
                r.excluded_channel.map(Channel::as_str)
            ]
        })
        .collect();
    tx.update_many(
        "id, channel, to_number, to_hash, not_by",
        "UPDATE message
         SET state = 'waiting', channel = v.channel,
           to_number = coalesce(v.to_number, message.to_number),
           to_hash = coalesce(v.to_hash, message.to_hash),
           not_by = coalesce(v.not_by, message.not_by), claim = NULL
         FROM v
         WHERE message.id = v.id AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}

/// Ends claims: a message waits again until `not_before`, or ends with a reason.
pub async fn end_claims(
    tx: &mut Tx,
    rows: Vec<(MessageId, MessageState, Option<String>, DateTime<Utc>)>,
) -> Result<()> {
    let rows = rows
        .into_iter()
        .map(|(id, state, reason, not_before)| args![id, state.as_str(), reason, not_before])
        .collect();
    tx.update_many(
        "id, state, reason, not_before",
        "UPDATE message
         SET state = v.state, reason = v.reason, not_before = v.not_before, claim = NULL
         FROM v
         WHERE message.id = v.id AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}
