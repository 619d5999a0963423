//! Opt-outs. Each belongs to a channel, our sender and an address, and knows where STOP was said.

use crate::args;
use crate::domain::people::channel::Channel;
use crate::store::db::{Arg, Db, Row, Tx, placeholder_list};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Addresses that are opted out: (channel, our sender, hash).
pub type OptOuts = HashSet<(Channel, String, String)>;

const ACTIVE: &str = "SELECT channel, sender, number_hash FROM opt_out WHERE active = TRUE";
/// Up to this many opt-outs are all read at once, which is faster than looking for many hashes.
const FEW: usize = 500;

fn read_opt_outs(rows: &[Row], out: &mut OptOuts) -> Result<()> {
    for r in rows {
        out.insert((
            r.parsed("channel")?,
            r.text("sender")?,
            r.text("number_hash")?,
        ));
    }
    Ok(())
}

fn query_for(hashes: &[String]) -> (String, Vec<Arg>) {
    (
        format!(
            "{ACTIVE} AND number_hash IN ({})",
            placeholder_list(1, hashes.len())
        ),
        hashes.iter().map(Arg::from).collect(),
    )
}

/// Which of these addresses are opted out, and at which sender.
pub async fn opted_out_among(tx: &mut Tx, hashes: &[String]) -> Result<OptOuts> {
    let mut out = OptOuts::new();
    let all = if hashes.len() > 1 {
        tx.all(format!("{ACTIVE} LIMIT {FEW}"), args![]).await?
    } else {
        Vec::new()
    };
    if hashes.len() > 1 && all.len() < FEW {
        read_opt_outs(&all, &mut out)?;
        return Ok(out);
    }
    for chunk in hashes.chunks(500) {
        let (sql, args) = query_for(chunk);
        read_opt_outs(&tx.all(sql, args).await?, &mut out)?;
    }
    Ok(out)
}

/// [`opted_out_among`] outside a transaction.
pub async fn opted_out_among_in(db: &Db, hashes: &[String]) -> Result<OptOuts> {
    let mut out = OptOuts::new();
    let all = db.all(format!("{ACTIVE} LIMIT {FEW}"), args![]).await?;
    if all.len() < FEW {
        read_opt_outs(&all, &mut out)?;
        return Ok(out);
    }
    for chunk in hashes.chunks(500) {
        let (sql, args) = query_for(chunk);
        read_opt_outs(&db.all(sql, args).await?, &mut out)?;
    }
    Ok(out)
}

/// Opts an address out or back in at a sender. `said` is where the party said so; `None` if the
/// provider reports it.
pub async fn set_opt_out(
    tx: &mut Tx,
    at: (Channel, &str),
    number_hash: &str,
    active: bool,
    said: Option<(Channel, &str)>,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at, said_on, said_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (channel, sender, number_hash) DO UPDATE SET
           active = $4, changed_at = $5, said_on = $6, said_by = $7
         WHERE opt_out.changed_at <= $5",
        args![
            at.0.as_str(),
            at.1,
            number_hash,
            active,
            now,
            said.map(|s| s.0.as_str()),
            said.map(|s| s.1)
        ],
    )
    .await?;
    Ok(())
}

/// Extends a STOP said elsewhere to this address, unless it is opted out already by its own STOP or
/// by the provider.
pub async fn extend_stop(
    tx: &mut Tx,
    at: (Channel, &str),
    number_hash: &str,
    said: (Channel, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at, said_on, said_by)
         VALUES ($1, $2, $3, TRUE, $4, $5, $6)
         ON CONFLICT (channel, sender, number_hash) DO UPDATE SET
           active = TRUE, changed_at = $4, said_on = $5, said_by = $6
         WHERE opt_out.active = FALSE AND opt_out.changed_at <= $4",
        args![
            at.0.as_str(),
            at.1,
            number_hash,
            now,
            said.0.as_str(),
            said.1
        ],
    )
    .await?;
    Ok(())
}

/// Ends what a STOP said in the same place had extended to this address. Returns the number of
/// addresses that changed.
pub async fn extend_start(
    tx: &mut Tx,
    at: (Channel, &str),
    number_hash: &str,
    said: (Channel, &str),
    now: DateTime<Utc>,
) -> Result<u64> {
    tx.exec(
        "UPDATE opt_out
         SET active = FALSE, changed_at = $4
         WHERE channel = $1
           AND sender = $2
           AND number_hash = $3
           AND active = TRUE
           AND changed_at <= $4
           AND said_on = $5
           AND said_by = $6",
        args![
            at.0.as_str(),
            at.1,
            number_hash,
            now,
            said.0.as_str(),
            said.1
        ],
    )
    .await
}

/// When an address last said STOP or START at a sender, and whether it is opted out.
pub async fn opt_out_of(
    tx: &mut Tx,
    at: (Channel, &str),
    number_hash: &str,
) -> Result<Option<(DateTime<Utc>, bool)>> {
    let row = tx
        .one(
            "SELECT changed_at, active
             FROM opt_out
             WHERE channel = $1 AND sender = $2 AND number_hash = $3",
            args![at.0.as_str(), at.1, number_hash],
        )
        .await?;
    row.map(|r| Ok((r.time("changed_at")?, r.flag("active")?)))
        .transpose()
}

/// Copies the opt-outs of a centre's parties to the centre's new sender: a STOP is meant for the
/// centre.
pub async fn copy_opt_outs(
    tx: &mut Tx,
    now: DateTime<Utc>,
    centre: &str,
    channel: Channel,
    old: &str,
    new: &str,
) -> Result<u64> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at, said_on, said_by)
         SELECT DISTINCT o.channel, $1, o.number_hash, TRUE, $2, o.said_on, o.said_by
         FROM opt_out o
         JOIN address a ON a.number_hash = o.number_hash
         JOIN party p ON p.id = a.party_id
         JOIN case_file c ON c.id = p.case_id
         WHERE o.channel = $3 AND o.sender = $4 AND o.active = TRUE AND c.centre = $5
         ON CONFLICT (channel, sender, number_hash) DO NOTHING",
        args![new, now, channel.as_str(), old, centre],
    )
    .await
}
