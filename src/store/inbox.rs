//! What came in: stored before it is answered, applied once.

use super::db::{Arg, Db, Tx};
use super::sealed::random_id;
use crate::args;
use crate::domain::person::{Phone, Private};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

/// A received message on its way into the store.
#[derive(Debug, Clone)]
pub struct Received {
    /// The service that brought it.
    pub provider: &'static str,
    /// Its id there: a replay is no second message.
    pub provider_message_id: String,
    /// Our sender that it came to.
    pub sender: String,
    /// Who wrote, as the service names them.
    pub from: String,
    /// The words, as received.
    pub body: Private,
    /// Pictures and sounds with it.
    pub media: i64,
    /// The service's opt-out mark.
    pub opt_out_type: Option<String>,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// `hook` or `listing`.
    pub found_by: &'static str,
}

/// Stores what came in; what is there already is left alone. Gives how many were new.
pub async fn store(tx: &mut Tx, now: DateTime<Utc>, received: &[Received]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = received
        .iter()
        .map(|r| {
            let hash = Phone::from_e164(&r.from).map_or_else(|| seal.id_of(&format!("no-number/{}", r.from)), |p| seal.number_hash(&p));
            args![
                random_id(),
                r.provider,
                &r.provider_message_id,
                "sms",
                &r.sender,
                seal.seal(&r.from),
                hash,
                seal.seal(&r.body.0.replace('\0', "\u{2400}")),
                r.media,
                &r.opt_out_type,
                r.at,
                now,
                r.found_by,
                "new"
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO inbound (id, provider, provider_message_id, channel, sender, number, number_hash, body, media, opt_out_type, at, recorded_at, found_by, state) VALUES",
        "ON CONFLICT (provider, provider_message_id) DO NOTHING",
        rows,
    )
    .await
}

/// A stored message that was not applied yet.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Its id.
    pub id: String,
    /// Our sender that it came to.
    pub sender: String,
    /// Who wrote; `None` for a short code or a name.
    pub from: Option<Phone>,
    /// The look-up hash of it.
    pub number_hash: String,
    /// The words.
    pub body: Private,
    /// Pictures and sounds with it.
    pub media: i64,
    /// The service's opt-out mark.
    pub opt_out_type: Option<String>,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
}

/// Takes the oldest message that was not applied yet; another process takes another.
pub async fn next(tx: &mut Tx) -> Result<Option<Inbound>> {
    let seal = tx.seal();
    let row =
        tx.one("SELECT id, sender, number, number_hash, body, media, opt_out_type, at FROM inbound WHERE state = 'new' ORDER BY recorded_at, id LIMIT 1 {skip}", args![]).await?;
    row.map(|r| {
        Ok(Inbound {
            id: r.text("id")?,
            sender: r.text("sender")?,
            from: Phone::from_e164(&seal.open(&r.text("number")?).0),
            number_hash: r.text("number_hash")?,
            body: seal.open(&r.text("body")?),
            media: r.int("media")?,
            opt_out_type: r.text_opt("opt_out_type")?,
            at: r.time("at")?,
        })
    })
    .transpose()
}

/// Whether something waits to be applied.
pub async fn anything_new(db: &Db) -> Result<bool> {
    Ok(db.one("SELECT id FROM inbound WHERE state = 'new' LIMIT 1", args![]).await?.is_some())
}

/// Marks it applied, with what was understood and the rule.
pub async fn done(tx: &mut Tx, id: &str, intent: &str, rule: &str) -> Result<()> {
    tx.exec("UPDATE inbound SET state = 'done', intent = $1, rule = $2 WHERE id = $3 AND state = 'new'", args![intent, rule, id]).await?;
    Ok(())
}

/// Which of these ids of a provider are stored already.
pub async fn known(db: &Db, provider: &str, ids: &[String]) -> Result<std::collections::HashSet<String>> {
    let mut out = std::collections::HashSet::new();
    for chunk in ids.chunks(500) {
        let sql = format!("SELECT provider_message_id FROM inbound WHERE provider = $1 AND provider_message_id IN ({})", super::db::list_of(2, chunk.len()));
        let mut args: Vec<Arg> = args![provider];
        args.extend(chunk.iter().map(Arg::from));
        for r in db.all(sql, args).await? {
            out.insert(r.text("provider_message_id")?);
        }
    }
    Ok(out)
}

/// Whether a number is opted out at a sender.
pub async fn opted_out(tx: &mut Tx, sender: &str, number_hash: &str) -> Result<bool> {
    let row = tx.one("SELECT active FROM opt_out WHERE channel = 'sms' AND sender = $1 AND number_hash = $2", args![sender, number_hash]).await?;
    row.map_or(Ok(false), |r| r.flag("active"))
}

/// Opts a number out or in at a sender.
pub async fn set_opt_out(tx: &mut Tx, sender: &str, number_hash: &str, active: bool, now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at) VALUES ('sms', $1, $2, $3, $4)
         ON CONFLICT (channel, sender, number_hash) DO UPDATE SET active = $3, changed_at = $4",
        args![sender, number_hash, active, now],
    )
    .await?;
    Ok(())
}

/// Parties with a number: (centre, case, party).
pub async fn parties_with(tx: &mut Tx, number_hash: &str) -> Result<Vec<(String, String, String)>> {
    let rows = tx
        .all(
            "SELECT DISTINCT c.centre, c.id AS case_id, p.id AS party_id FROM address a JOIN party p ON p.id = a.party_id JOIN case_file c ON c.id = p.case_id
             WHERE a.number_hash = $1 AND a.state = 'current' ORDER BY c.centre, c.id",
            args![number_hash],
        )
        .await?;
    rows.iter().map(|r| Ok((r.text("centre")?, r.text("case_id")?, r.text("party_id")?))).collect()
}

/// The messages of a party's numbers, for the case's history: (when, intent, rule).
pub async fn of_case(db: &Db, case_id: &str) -> Result<Vec<(DateTime<Utc>, String, String)>> {
    let rows = db
        .all(
            "SELECT i.at, i.intent, i.rule FROM inbound i WHERE i.state = 'done' AND i.number_hash IN
               (SELECT a.number_hash FROM address a JOIN party p ON p.id = a.party_id WHERE p.case_id = $1 AND a.channel = 'sms') ORDER BY i.at",
            args![case_id],
        )
        .await?;
    rows.iter().map(|r| Ok((r.time("at")?, r.text_opt("intent")?.context("intent")?, r.text_opt("rule")?.context("rule")?))).collect()
}

/// How many came in, by channel.
pub async fn count(db: &Db) -> Result<i64> {
    db.one("SELECT count(*) AS n FROM inbound", args![]).await?.map_or(Ok(0), |r| r.int("n"))
}
