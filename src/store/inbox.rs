//! What came in: stored before it is answered, applied once.

use super::db::{Arg, Db, Tx};
use super::sealed::random_id;
use crate::args;
use crate::domain::person::{Address, Channel, Mode, Private, Role};
use crate::domain::senders::Senders;
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use std::collections::{HashMap, HashSet};

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
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
        /// What the button holds.
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

impl What {
    fn word(&self) -> &'static str {
        match self {
            What::Text { .. } => "text",
            What::Press { .. } => "press",
            What::Blocked => "blocked",
            What::Unblocked => "unblocked",
            What::Group => "group",
        }
    }
}

/// A received message on its way into the store.
#[derive(Debug, Clone)]
pub struct Received {
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
    /// What came.
    pub what: What,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// For what carries no time of its own: it may have come at any instant since then.
    pub earliest_at: Option<DateTime<Utc>>,
    /// `hook` or `listing`.
    pub found_by: &'static str,
}

/// Stores what came in; what is there already is left alone. Gives how many were new.
pub async fn store(tx: &mut Tx, now: DateTime<Utc>, received: &[Received]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = received
        .iter()
        .enumerate()
        .map(|(i, r)| {
            // They are applied in the order in which they came.
            let recorded = now + Duration::microseconds(i as i64);
            let hash = Address::read(r.channel, &r.from).map_or_else(|| seal.id_of(&format!("no-number/{}", r.from)), |a| seal.address_hash(&a));
            let (body, media, opt_out_type, detail) = match &r.what {
                What::Text { body, media, opt_out_type } => (body.0.as_str(), *media, opt_out_type.clone(), String::new()),
                What::Press { query, data, message } => (data.as_str(), 0, None, format!("{query} {message}")),
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
        "INSERT INTO inbound (id, provider, provider_message_id, channel, sender, number, number_hash, body, media, opt_out_type, at, recorded_at, found_by, state, kind, detail, earliest_at) VALUES",
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
    /// The channel and our sender that it came to.
    pub channel: Channel,
    /// See `channel`.
    pub sender: String,
    /// Who wrote; `None` for a short code or a name.
    pub from: Option<Address>,
    /// The look-up hash of it.
    pub number_hash: String,
    /// What came.
    pub what: What,
    /// When it reached the centre's number.
    pub at: DateTime<Utc>,
    /// The earliest instant at which it may have come.
    pub earliest_at: Option<DateTime<Utc>>,
}

impl Inbound {
    /// The words, if it has words.
    pub fn words(&self) -> &str {
        match &self.what {
            What::Text { body, .. } => &body.0,
            _ => "",
        }
    }

    /// The channel with our sender.
    pub fn line(&self) -> (Channel, &str) {
        (self.channel, &self.sender)
    }
}

/// Takes of the messages that were not applied yet the one that was sent first. Another process takes one of another number: what came
/// from one phone is applied in its order.
pub async fn next(tx: &mut Tx) -> Result<Option<Inbound>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT id, channel, sender, number, number_hash, body, media, opt_out_type, at, kind, detail, earliest_at FROM inbound i WHERE state = 'new'
               AND NOT EXISTS (SELECT 1 FROM inbound o WHERE o.state = 'new' AND o.number_hash = i.number_hash AND (o.at, o.recorded_at) < (i.at, i.recorded_at))
             ORDER BY at, recorded_at, id LIMIT 1 {skip}",
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
                What::Press { query: query.to_owned(), data: body.0, message: message.to_owned() }
            }
            "blocked" => What::Blocked,
            "unblocked" => What::Unblocked,
            "group" => What::Group,
            _ => What::Text { body, media: r.int("media")?, opt_out_type: r.text_opt("opt_out_type")? },
        };
        Ok(Inbound {
            id: r.text("id")?,
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
    Ok(db.one("SELECT id FROM inbound WHERE state = 'new' LIMIT 1", args![]).await?.is_some())
}

/// A text that passed between us and one number.
#[derive(Debug, Clone)]
pub struct Passed {
    /// When it came, or when its first try began.
    pub at: DateTime<Utc>,
    /// The words.
    pub body: Private,
    /// What came, or what went.
    pub way: Way,
}

/// Which way a text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// From the number to us.
    In {
        /// Its id.
        id: String,
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
        answers: Option<String>,
    },
}

/// What passed between us and a number since then, by one channel and sender of ours, the oldest first: for the person who answers.
pub async fn passed(tx: &mut Tx, from: &CameFrom, since: DateTime<Utc>) -> Result<Vec<Passed>> {
    let seal = tx.seal();
    let mut out = Vec::new();
    let came =
        "SELECT id, at, body, media, intent, rule FROM inbound WHERE number_hash = $1 AND channel = $2 AND sender = $3 AND at > $4 AND kind = 'text' ORDER BY at, recorded_at";
    for r in tx.all(came, args![&from.hash, from.channel.as_str(), &from.sender, since]).await? {
        let way = Way::In { id: r.text("id")?, understood: r.text_opt("intent")?.zip(r.text_opt("rule")?), media: r.int("media")? };
        out.push(Passed { at: r.time("at")?, body: seal.open(&r.text("body")?), way });
    }
    let went = "SELECT a.started_at, a.body, m.kind, m.state, m.cause FROM attempt a JOIN message m ON m.id = a.message_id
                WHERE a.number_hash = $1 AND a.channel = $2 AND a.sender = $3 AND a.started_at > $4 AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain')) ORDER BY a.started_at";
    for r in tx.all(went, args![&from.hash, from.channel.as_str(), &from.sender, since]).await? {
        let answers = r.text("cause")?.strip_prefix("reply/").map(|id| id.split('/').next().unwrap_or_default().to_owned());
        out.push(Passed { at: r.time("started_at")?, body: seal.open(&r.text("body")?), way: Way::Out { kind: r.text("kind")?, state: r.text("state")?, answers } });
    }
    out.sort_by_key(|p| p.at);
    Ok(out)
}

/// Where a message came from.
pub struct CameFrom {
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
pub async fn sender_of(tx: &mut Tx, id: &str) -> Result<Option<CameFrom>> {
    let seal = tx.seal();
    let row = tx.one("SELECT channel, sender, number, number_hash FROM inbound WHERE id = $1", args![id]).await?;
    row.map(|r| Ok(CameFrom { channel: r.word("channel")?, sender: r.text("sender")?, address: seal.open(&r.text("number")?).0, hash: r.text("number_hash")? })).transpose()
}

/// What was applied from a number since then, without this one: when it came and its words.
pub async fn lately(tx: &mut Tx, number_hash: &str, but: &str, since: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, Private)>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT at, body FROM inbound WHERE number_hash = $1 AND at > $2 AND id <> $3 AND state = 'done' AND kind = 'text' ORDER BY at DESC LIMIT 100",
            args![number_hash, since, but],
        )
        .await?;
    rows.iter().map(|r| Ok((r.time("at")?, seal.open(&r.text("body")?)))).collect()
}

/// Marks it applied, with what was understood and the rule.
pub async fn done(tx: &mut Tx, id: &str, intent: &str, rule: &str) -> Result<()> {
    tx.exec("UPDATE inbound SET state = 'done', intent = $1, rule = $2 WHERE id = $3 AND state = 'new'", args![intent, rule, id]).await?;
    Ok(())
}

/// When somebody last wrote from each of these addresses to our sender, if that was not before `since`.
pub async fn last_wrote(tx: &mut Tx, at: (Channel, &str), hashes: &[String], since: DateTime<Utc>) -> Result<HashMap<String, DateTime<Utc>>> {
    let mut out = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, max(at) AS last FROM inbound WHERE channel = $1 AND sender = $2 AND at >= $3 AND number_hash IN ({}) GROUP BY number_hash",
            super::db::list_of(4, chunk.len())
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
        let sql = format!("SELECT provider_message_id FROM inbound WHERE provider = $1 AND provider_message_id IN ({})", super::db::list_of(2, chunk.len()));
        let mut args: Vec<Arg> = args![provider];
        args.extend(chunk.iter().map(Arg::from));
        for r in db.all(sql, args).await? {
            out.insert(r.text("provider_message_id")?);
        }
    }
    Ok(out)
}

/// Addresses that are opted out: (channel, our sender, hash).
pub type OptOuts = HashSet<(Channel, String, String)>;

const STOPPED: &str = "SELECT channel, sender, number_hash FROM opt_out WHERE active = TRUE";
/// As long as there are fewer, all are read at once, which is quicker than to look for many.
const FEW: usize = 500;

fn read_stopped(rows: &[super::db::Row], out: &mut OptOuts) -> Result<()> {
    for r in rows {
        out.insert((r.word("channel")?, r.text("sender")?, r.text("number_hash")?));
    }
    Ok(())
}

fn stopped_among(hashes: &[String]) -> (String, Vec<Arg>) {
    (format!("{STOPPED} AND number_hash IN ({})", super::db::list_of(1, hashes.len())), hashes.iter().map(Arg::from).collect())
}

/// Which of these addresses are opted out, and where.
pub async fn opted_out_among(tx: &mut Tx, hashes: &[String]) -> Result<OptOuts> {
    let mut out = OptOuts::new();
    let all = if hashes.len() > 1 { tx.all(format!("{STOPPED} LIMIT {FEW}"), args![]).await? } else { Vec::new() };
    if hashes.len() > 1 && all.len() < FEW {
        read_stopped(&all, &mut out)?;
        return Ok(out);
    }
    for chunk in hashes.chunks(500) {
        let (sql, args) = stopped_among(chunk);
        read_stopped(&tx.all(sql, args).await?, &mut out)?;
    }
    Ok(out)
}

/// The same outside a transaction.
pub async fn opted_out_among_in(db: &Db, hashes: &[String]) -> Result<OptOuts> {
    let mut out = OptOuts::new();
    let all = db.all(format!("{STOPPED} LIMIT {FEW}"), args![]).await?;
    if all.len() < FEW {
        read_stopped(&all, &mut out)?;
        return Ok(out);
    }
    for chunk in hashes.chunks(500) {
        let (sql, args) = stopped_among(chunk);
        read_stopped(&db.all(sql, args).await?, &mut out)?;
    }
    Ok(out)
}

/// Opts an address out or in at a sender. `said` is where a party said so; `None`: the service reports it.
pub async fn set_opt_out(tx: &mut Tx, at: (Channel, &str), number_hash: &str, active: bool, said: Option<(Channel, &str)>, now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at, said_on, said_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (channel, sender, number_hash) DO UPDATE SET active = $4, changed_at = $5, said_on = $6, said_by = $7 WHERE opt_out.changed_at <= $5",
        args![at.0.as_str(), at.1, number_hash, active, now, said.map(|s| s.0.as_str()), said.map(|s| s.1)],
    )
    .await?;
    Ok(())
}

/// A STOP that was said elsewhere stops this address too, unless it is stopped already by itself or by the service.
pub async fn stop_too(tx: &mut Tx, at: (Channel, &str), number_hash: &str, said: (Channel, &str), now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at, said_on, said_by) VALUES ($1, $2, $3, TRUE, $4, $5, $6)
         ON CONFLICT (channel, sender, number_hash) DO UPDATE SET active = TRUE, changed_at = $4, said_on = $5, said_by = $6
         WHERE opt_out.active = FALSE AND opt_out.changed_at <= $4",
        args![at.0.as_str(), at.1, number_hash, now, said.0.as_str(), said.1],
    )
    .await?;
    Ok(())
}

/// A START ends what the STOP in the same place had stopped elsewhere, and nothing else.
pub async fn start_too(tx: &mut Tx, at: (Channel, &str), number_hash: &str, said: (Channel, &str), now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "UPDATE opt_out SET active = FALSE, changed_at = $4 WHERE channel = $1 AND sender = $2 AND number_hash = $3 AND active = TRUE AND changed_at <= $4
         AND said_on = $5 AND said_by = $6",
        args![at.0.as_str(), at.1, number_hash, now, said.0.as_str(), said.1],
    )
    .await?;
    Ok(())
}

/// When an address said STOP or START last at a sender, and whether it is stopped.
pub async fn opt_out_of(tx: &mut Tx, at: (Channel, &str), number_hash: &str) -> Result<Option<(DateTime<Utc>, bool)>> {
    let row = tx.one("SELECT changed_at, active FROM opt_out WHERE channel = $1 AND sender = $2 AND number_hash = $3", args![at.0.as_str(), at.1, number_hash]).await?;
    row.map(|r| Ok((r.time("changed_at")?, r.flag("active")?))).transpose()
}

/// Whether one of these parties agreed to get texts at an address by this channel.
pub async fn is_agreed(tx: &mut Tx, channel: Channel, number_hash: &str, parties: &[Owner]) -> Result<bool> {
    let rows = tx.all("SELECT party_id FROM address WHERE number_hash = $1 AND channel = $2 AND state = 'current'", args![number_hash, channel.as_str()]).await?;
    let ids: Vec<String> = rows.iter().map(|r| r.text("party_id")).collect::<Result<_>>()?;
    Ok(parties.iter().any(|p| ids.contains(&p.party_id)))
}

/// Takes the opt-outs of a centre's parties along to the centre's new sender: who said STOP has said it to the centre.
pub async fn carry_opt_outs(tx: &mut Tx, now: DateTime<Utc>, centre: &str, channel: Channel, old: &str, new: &str) -> Result<u64> {
    tx.exec(
        "INSERT INTO opt_out (channel, sender, number_hash, active, changed_at)
         SELECT DISTINCT o.channel, $1, o.number_hash, TRUE, $2 FROM opt_out o JOIN address a ON a.number_hash = o.number_hash JOIN party p ON p.id = a.party_id JOIN case_file c ON c.id = p.case_id
         WHERE o.channel = $3 AND o.sender = $4 AND o.active = TRUE AND c.centre = $5
         ON CONFLICT (channel, sender, number_hash) DO NOTHING",
        args![new, now, channel.as_str(), old, centre],
    )
    .await
}

/// A party that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The centre's code.
    pub centre: String,
    /// The case.
    pub case_id: String,
    /// The party.
    pub party_id: String,
    /// Its role.
    pub role: Role,
    /// How much its phone may show.
    pub mode: Mode,
    /// Its language (BCP 47).
    pub language: String,
    /// The hash of its private word, if it chose one.
    pub quiet_word: Option<String>,
}

/// Parties with an address at the centres for which our sender speaks.
pub async fn parties_with(tx: &mut Tx, senders: &Senders, at: (Channel, &str), number_hash: &str) -> Result<Vec<Owner>> {
    let rows = tx
        .all(
            "SELECT DISTINCT c.centre, c.id AS case_id, p.id AS party_id, p.role, p.mode, p.language, p.quiet_word FROM address a JOIN party p ON p.id = a.party_id JOIN case_file c ON c.id = p.case_id
             WHERE a.number_hash = $1 AND a.state = 'current' ORDER BY c.centre, c.id",
            args![number_hash],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let owner = Owner {
            centre: r.text("centre")?,
            case_id: r.text("case_id")?,
            party_id: r.text("party_id")?,
            role: r.word("role")?,
            mode: r.word("mode")?,
            language: r.text("language")?,
            quiet_word: r.text_opt("quiet_word")?,
        };
        if senders.speaks_for(at.1, &owner.centre, at.0) {
            out.push(owner);
        }
    }
    Ok(out)
}

/// The quietest mode among the parties with each of these addresses.
pub async fn modes_of(tx: &mut Tx, hashes: &[String]) -> Result<HashMap<String, Mode>> {
    let mut out: HashMap<String, Mode> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT a.number_hash, p.mode FROM address a JOIN party p ON p.id = a.party_id WHERE a.state = 'current' AND p.mode <> 'normal' AND a.number_hash IN ({})",
            super::db::list_of(1, chunk.len())
        );
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            let mode: Mode = r.word("mode")?;
            let entry = out.entry(r.text("number_hash")?).or_insert(mode);
            *entry = mode.max(*entry);
        }
    }
    Ok(out)
}

/// The language of the parties with each of these addresses, where all of them have the same.
pub async fn languages_of(tx: &mut Tx, hashes: &[String]) -> Result<HashMap<String, String>> {
    let mut found: HashMap<String, HashSet<String>> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let of = super::db::list_of(1, chunk.len());
        let sql = format!("SELECT a.number_hash, p.language FROM address a JOIN party p ON p.id = a.party_id WHERE a.state = 'current' AND a.number_hash IN ({of})");
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            found.entry(r.text("number_hash")?).or_default().insert(r.text("language")?);
        }
    }
    Ok(found.into_iter().filter(|(_, of)| of.len() == 1).filter_map(|(hash, of)| Some((hash, of.into_iter().next()?))).collect())
}

/// Those of these addresses that must not be used on a channel: at rest, not safe, or not any party's any more. A number that no party
/// ever had is not among them, and neither is one that is on file for ringing alone. What is on file for this very channel counts before
/// what is on file for another one with the same number.
pub async fn closed_among(tx: &mut Tx, channel: Channel, hashes: &[String]) -> Result<HashSet<String>> {
    // By hash: whether any of its rows is present, and whether texts may go there by this channel, and by any other.
    let mut found: HashMap<String, (bool, Option<bool>, Option<bool>)> = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!("SELECT number_hash, channel, state, safe, paused_at FROM address WHERE number_hash IN ({})", super::db::list_of(1, chunk.len()));
        for r in tx.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            let entry = found.entry(r.text("number_hash")?).or_default();
            let of = r.text("channel")?;
            if r.text("state")? != "current" {
                continue;
            }
            entry.0 = true;
            if of != "ring" {
                let open = r.text("safe")? == "safe" && r.time_opt("paused_at")?.is_none();
                let side = if of == channel.as_str() { &mut entry.1 } else { &mut entry.2 };
                *side = Some(side.unwrap_or(true) && open);
            }
        }
    }
    let closed = |(current, here, elsewhere): &(bool, Option<bool>, Option<bool>)| !current || !here.or(*elsewhere).unwrap_or(true);
    Ok(found.into_iter().filter(|(_, f)| closed(f)).map(|(hash, _)| hash).collect())
}

/// Lets an address rest until a person has spoken with its owner, or lets it go on.
pub async fn pause(tx: &mut Tx, parties: &[Owner], number_hash: &str, since: Option<DateTime<Utc>>) -> Result<()> {
    for p in parties {
        tx.exec("UPDATE address SET paused_at = $1 WHERE party_id = $2 AND number_hash = $3", args![since, &p.party_id, number_hash]).await?;
    }
    Ok(())
}

/// The bot was blocked in a chat, or let in again.
pub async fn block(tx: &mut Tx, chat_hash: &str, since: Option<DateTime<Utc>>) -> Result<u64> {
    tx.exec("UPDATE address SET blocked_at = $1 WHERE channel = 'telegram' AND number_hash = $2 AND state = 'current'", args![since, chat_hash]).await
}

/// The messages of a party's numbers, for the case's history: (when, intent, rule).
pub async fn of_case(db: &Db, case_id: &str) -> Result<Vec<(DateTime<Utc>, String, String)>> {
    let rows = db
        .all(
            "SELECT i.at, i.intent, i.rule FROM inbound i WHERE i.state = 'done' AND i.number_hash IN
               (SELECT a.number_hash FROM address a JOIN party p ON p.id = a.party_id WHERE p.case_id = $1 AND a.channel <> 'ring') ORDER BY i.at",
            args![case_id],
        )
        .await?;
    rows.iter().map(|r| Ok((r.time("at")?, r.text_opt("intent")?.context("intent")?, r.text_opt("rule")?.context("rule")?))).collect()
}

/// How many came in, by channel.
pub async fn count(db: &Db) -> Result<Vec<(String, i64)>> {
    let rows = db.all("SELECT channel, count(*) AS n FROM inbound GROUP BY channel ORDER BY channel", args![]).await?;
    rows.iter().map(|r| Ok((r.text("channel")?, r.int("n")?))).collect()
}
