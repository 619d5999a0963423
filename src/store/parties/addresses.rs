//! The addresses of one party.

use crate::args;
use crate::domain::ids::{AddressId, PartyId};
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::store::db::Tx;
use crate::store::parties::party::Party;
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone)]
pub struct StoredAddress {
    pub id: AddressId,
    /// `sms`, `telegram`, `whatsapp` or `ring`.
    pub channel: String,
    /// The number or chat id.
    pub value: String,
    pub hash: String,
    /// `safe`, `ring_first` or `never`.
    pub safe: String,
    /// `current`, `pending` or `past`.
    pub state: String,
    /// Paused since then: a stranger answered.
    pub paused_at: Option<DateTime<Utc>>,
    /// The bot is blocked there since then.
    pub blocked_at: Option<DateTime<Utc>>,
}

/// Every address that a party has or had.
pub async fn addresses(tx: &mut Tx, party_id: &PartyId) -> Result<Vec<StoredAddress>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT id, channel, number, number_hash, safe, state, paused_at, blocked_at
             FROM address
             WHERE party_id = $1
             ORDER BY since, id",
            args![party_id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(StoredAddress {
                id: r.id("id")?,
                channel: r.text("channel")?,
                value: seal.open(&r.text("number")?).0,
                hash: r.text("number_hash")?,
                safe: r.text("safe")?,
                state: r.text("state")?,
                paused_at: r.time_opt("paused_at")?,
                blocked_at: r.time_opt("blocked_at")?,
            })
        })
        .collect()
}

/// The current addresses of these parties for messages: (centre, channel, hash).
pub async fn routes_of(
    tx: &mut Tx,
    party_ids: &[PartyId],
) -> Result<Vec<(String, Channel, String)>> {
    let mut out = Vec::new();
    for id in party_ids {
        let rows = tx
            .all(
                "SELECT c.centre, a.channel, a.number_hash
                 FROM address a
                 JOIN party p ON p.id = a.party_id
                 JOIN case_file c ON c.id = p.case_id
                 WHERE a.party_id = $1 AND a.state = 'current' AND a.channel <> 'ring'",
                args![id],
            )
            .await?;
        for r in rows {
            out.push((
                r.text("centre")?,
                r.parsed("channel")?,
                r.text("number_hash")?,
            ));
        }
    }
    Ok(out)
}

/// Whether another party of the case has or ever had this address (rule a9: a hard error).
pub async fn belongs_to_another_party(tx: &mut Tx, party: &Party, hash: &str) -> Result<bool> {
    let row = tx
        .one(
            "SELECT a.id
             FROM address a
             JOIN party p ON p.id = a.party_id
             WHERE p.case_id = $1 AND p.id <> $2 AND a.number_hash = $3
             LIMIT 1",
            args![&party.case_id, &party.id, hash],
        )
        .await?;
    Ok(row.is_some())
}

/// Sets a party's address on a channel. Its earlier ones become `past`.
pub async fn set_address(
    tx: &mut Tx,
    now: DateTime<Utc>,
    party_id: &PartyId,
    address: &Address,
    hash: &str,
) -> Result<()> {
    let (channel, value) = (address.channel().as_str(), tx.seal().seal(address.as_str()));
    tx.exec(
        "UPDATE address
         SET state = 'past'
         WHERE party_id = $1 AND channel = $2 AND state <> 'past' AND number_hash <> $3",
        args![party_id, channel, hash],
    )
    .await?;
    tx.exec(
        "INSERT INTO address (
           id, party_id, channel, number, number_hash, safe, verified, state, since
         )
         VALUES ($1, $2, $3, $4, $5, 'safe', TRUE, 'current', $6)
         ON CONFLICT (party_id, channel, number_hash) DO UPDATE SET
           safe = 'safe', verified = TRUE, state = 'current', blocked_at = NULL, paused_at = NULL",
        args![random_id(), party_id, channel, value, hash, now],
    )
    .await?;
    Ok(())
}

/// Sets the state of an address: `current`, `pending` or `past`.
pub async fn set_state(tx: &mut Tx, address_id: &AddressId, state: &str) -> Result<()> {
    tx.exec(
        "UPDATE address SET state = $1 WHERE id = $2",
        args![state, address_id],
    )
    .await?;
    Ok(())
}

/// Sets whether messages may go to a party's address on a channel, after staff have spoken with its
/// owner.
pub async fn set_safe(
    tx: &mut Tx,
    party_id: &PartyId,
    channel: Channel,
    safe: &str,
) -> Result<u64> {
    tx.exec(
        "UPDATE address
         SET safe = $1, verified = TRUE,
           paused_at = CASE WHEN $1 = 'safe' THEN NULL ELSE paused_at END
         WHERE party_id = $2 AND channel = $3 AND state = 'current'",
        args![safe, party_id, channel.as_str()],
    )
    .await
}
