//! Earlier inbound messages.

use crate::args;
use crate::domain::ids::{CaseId, InboundId};
use crate::domain::people::channel::Channel;
use crate::domain::people::private::Private;
use crate::store::db::{Arg, Db, Tx, placeholder_list};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The texts from a number that were applied since `since`, without this one: time and text.
pub async fn recent_texts(
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

/// When each of these addresses last wrote to our sender, if not before `since`.
pub async fn last_inbound(
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
            placeholder_list(4, chunk.len())
        );
        let mut args: Vec<Arg> = args![at.0.as_str(), at.1, since];
        args.extend(chunk.iter().map(Arg::from));
        for r in tx.all(sql, args).await? {
            out.insert(r.text("number_hash")?, r.time("last")?);
        }
    }
    Ok(out)
}

/// The applied messages from a case's addresses: (time, intent, rule).
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

/// Number of inbound messages by channel.
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
