//! Which parties have an address, and whether it may be used.

use crate::args;
use crate::domain::ids::{CaseId, PartyId};
use crate::domain::people::channel::{Channel, Mode};
use crate::domain::people::role::Role;
use crate::domain::people::senders::Senders;
use crate::store::db::{Arg, Tx, placeholder_list};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// A party that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub centre: String,
    pub case_id: CaseId,
    pub party_id: PartyId,
    pub role: Role,
    /// How much its phone may show.
    pub mode: Mode,
    /// Its language (BCP 47).
    pub language: String,
    /// Hash of its private word, if it chose one.
    pub quiet_word: Option<String>,
}

/// Parties with this address at the centres that our sender serves.
pub async fn parties_with(
    tx: &mut Tx,
    senders: &Senders,
    at: (Channel, &str),
    number_hash: &str,
) -> Result<Vec<Owner>> {
    let mut all = parties_anywhere(tx, number_hash).await?;
    all.retain(|p| senders.speaks_for(at.1, &p.centre, at.0));
    Ok(all)
}

/// Parties with this address at any centre.
pub async fn parties_anywhere(tx: &mut Tx, number_hash: &str) -> Result<Vec<Owner>> {
    let rows = tx
        .all(
            "SELECT DISTINCT c.centre, c.id AS case_id, p.id AS party_id, p.role, p.mode,
               p.language, p.quiet_word
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.number_hash = $1 AND a.state = 'current'
             ORDER BY c.centre, c.id",
            args![number_hash],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(Owner {
                centre: r.text("centre")?,
                case_id: r.id("case_id")?,
                party_id: r.id("party_id")?,
                role: r.parsed("role")?,
                mode: r.parsed("mode")?,
                language: r.text("language")?,
                quiet_word: r.text_opt("quiet_word")?,
            })
        })
        .collect()
}

/// The most discreet mode among the parties with each address.
pub async fn modes_of(tx: &mut Tx, hashes: &[String]) -> Result<HashMap<String, Mode>> {
    let mut out: HashMap<String, Mode> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT a.number_hash, p.mode
             FROM address a
             JOIN party p ON p.id = a.party_id
             WHERE a.state = 'current' AND p.mode <> 'normal' AND a.number_hash IN ({})",
            placeholder_list(1, chunk.len())
        );
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            let mode: Mode = r.parsed("mode")?;
            let entry = out.entry(r.text("number_hash")?).or_insert(mode);
            *entry = mode.max(*entry);
        }
    }
    Ok(out)
}

/// The language of the parties with each address, if all use the same.
pub async fn languages_of(tx: &mut Tx, hashes: &[String]) -> Result<HashMap<String, String>> {
    let mut found: HashMap<String, HashSet<String>> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let of = placeholder_list(1, chunk.len());
        let sql = format!(
            "SELECT a.number_hash, p.language
             FROM address a
             JOIN party p ON p.id = a.party_id
             WHERE a.state = 'current' AND a.number_hash IN ({of})"
        );
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            found
                .entry(r.text("number_hash")?)
                .or_default()
                .insert(r.text("language")?);
        }
    }
    Ok(found
        .into_iter()
        .filter(|(_, of)| of.len() == 1)
        .filter_map(|(hash, of)| Some((hash, of.into_iter().next()?)))
        .collect())
}

/// Those of these addresses that must not be used on a channel: paused, not safe, or no longer a
/// party's.
///
/// An address that was never on file, or only for calls, is not among them. An entry for this
/// channel counts before one for another channel with the same number.
pub async fn unusable_among(
    tx: &mut Tx,
    channel: Channel,
    hashes: &[String],
) -> Result<HashSet<String>> {
    // By hash: whether any entry is current, and whether messages may go there on this channel and
    // on others.
    let mut found: HashMap<String, (bool, Option<bool>, Option<bool>)> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, channel, state, safe, paused_at
             FROM address
             WHERE number_hash IN ({})",
            placeholder_list(1, chunk.len())
        );
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            let entry = found.entry(r.text("number_hash")?).or_default();
            let of = r.text("channel")?;
            if r.text("state")? != "current" {
                continue;
            }
            entry.0 = true;
            if of != "ring" {
                let open = r.text("safe")? == "safe" && r.time_opt("paused_at")?.is_none();
                let side = if of == channel.as_str() {
                    &mut entry.1
                } else {
                    &mut entry.2
                };
                *side = Some(side.unwrap_or(true) && open);
            }
        }
    }
    let closed = |(current, here, elsewhere): &(bool, Option<bool>, Option<bool>)| {
        !current || !here.or(*elsewhere).unwrap_or(true)
    };
    Ok(found
        .into_iter()
        .filter(|(_, f)| closed(f))
        .map(|(hash, _)| hash)
        .collect())
}

/// Pauses an address until staff have spoken with its owner. `None` ends the pause.
pub async fn set_paused(
    tx: &mut Tx,
    parties: &[Owner],
    number_hash: &str,
    since: Option<DateTime<Utc>>,
) -> Result<()> {
    for p in parties {
        tx.exec(
            "UPDATE address SET paused_at = $1 WHERE party_id = $2 AND number_hash = $3",
            args![since, &p.party_id, number_hash],
        )
        .await?;
    }
    Ok(())
}

/// Records that the bot was blocked in a chat. `None` unblocks it.
pub async fn set_blocked(
    tx: &mut Tx,
    chat_hash: &str,
    since: Option<DateTime<Utc>>,
) -> Result<u64> {
    tx.exec(
        "UPDATE address
         SET blocked_at = $1
         WHERE channel = 'telegram' AND number_hash = $2 AND state = 'current'",
        args![since, chat_hash],
    )
    .await
}

/// Whether one of these parties agreed to messages at this address on this channel.
pub async fn is_agreed(
    tx: &mut Tx,
    channel: Channel,
    number_hash: &str,
    parties: &[Owner],
) -> Result<bool> {
    let rows = tx
        .all(
            "SELECT party_id
             FROM address
             WHERE number_hash = $1 AND channel = $2 AND state = 'current'",
            args![number_hash, channel.as_str()],
        )
        .await?;
    let ids: Vec<PartyId> = rows
        .iter()
        .map(|r| r.id("party_id"))
        .collect::<Result<_>>()?;
    Ok(parties.iter().any(|p| ids.contains(&p.party_id)))
}
