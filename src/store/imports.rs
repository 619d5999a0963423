//! What an import reads and changes of what is on file: cases with their parties and sessions, and what the last import saw.

use super::db::{Arg, Tx};
use crate::args;
use crate::domain::person::{Channel, Consent, Private, Role};
use crate::domain::session::SessionState;
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;

/// What the import has to know of a party on file.
#[derive(Debug, Clone)]
pub struct KnownParty {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Private,
    /// The wanted channel.
    pub channel: Channel,
    /// Language of its texts.
    pub language: String,
    /// Consent.
    pub consent: Consent,
    /// Every number and chat it has or had.
    pub addresses: Vec<KnownAddress>,
}

/// A number or chat that a party has or had.
#[derive(Debug, Clone)]
pub struct KnownAddress {
    /// `sms`, `telegram`, `whatsapp` or `ring`.
    pub channel: String,
    /// Its look-up hash.
    pub hash: String,
    /// `current`, `pending` or `past`.
    pub state: String,
    /// Texts to it were stopped from the phone itself.
    pub stopped: bool,
}

/// What the import has to know of a case on file.
#[derive(Debug, Clone, Default)]
pub struct KnownCase {
    /// Its id.
    pub id: String,
    /// Its parties.
    pub parties: HashMap<Role, KnownParty>,
    /// Its sessions.
    pub sessions: Vec<KnownSession>,
}

/// What the import has to know of a session on file.
#[derive(Debug, Clone)]
pub struct KnownSession {
    /// Its id.
    pub id: String,
    /// Its reference in files.
    pub session_ref: Option<String>,
    /// Its start on the wall clock.
    pub start_local: String,
    /// Its start (UTC).
    pub starts_at: DateTime<Utc>,
    /// Its end (UTC).
    pub ends_at: DateTime<Utc>,
    /// Where it stands.
    pub state: SessionState,
    /// What is remembered of the row that the last import wrote or saw.
    pub imported: String,
}

/// Keeps another import of these centres waiting until the end of the transaction (PostgreSQL; SQLite has one writer anyway).
pub async fn one_import(tx: &mut Tx, centres: &[&str]) -> Result<()> {
    if tx.is_postgres() && !centres.is_empty() {
        let sql = format!("SELECT code FROM centre WHERE code IN ({}) ORDER BY code {{lock}}", super::db::list_of(1, centres.len()));
        tx.all(sql, centres.iter().map(|c| Arg::from(*c)).collect()).await?;
    }
    Ok(())
}

/// Some cases of a centre by reference, those that are on file.
pub async fn known(tx: &mut Tx, centre: &str, case_refs: &[&str]) -> Result<HashMap<String, KnownCase>> {
    let seal = tx.seal();
    let mut args: Vec<Arg> = args![centre];
    args.extend(case_refs.iter().map(|r| Arg::from(*r)));
    let some = format!("c.centre = $1 AND c.case_ref IN ({})", super::db::list_of(2, case_refs.len()));
    let mut out: HashMap<String, KnownCase> = HashMap::new();
    for r in tx.all(format!("SELECT c.id, c.case_ref FROM case_file c WHERE {some}"), args.clone()).await? {
        out.insert(r.text("case_ref")?, KnownCase { id: r.text("id")?, ..KnownCase::default() });
    }
    if out.is_empty() {
        return Ok(out);
    }
    let parties = format!("SELECT c.case_ref, p.id, p.role, p.name, p.channel, p.language, p.consent FROM party p JOIN case_file c ON c.id = p.case_id WHERE {some}");
    for r in tx.all(parties, args.clone()).await? {
        let Some(case) = out.get_mut(&r.text("case_ref")?) else { continue };
        let party = KnownParty {
            id: r.text("id")?,
            name: seal.open(&r.text("name")?),
            channel: r.word("channel")?,
            language: r.text("language")?,
            consent: r.word("consent")?,
            addresses: Vec::new(),
        };
        case.parties.insert(r.word("role")?, party);
    }
    let addresses = format!(
        "SELECT c.case_ref, p.role, a.channel, a.number_hash, a.state,
           (SELECT count(*) FROM opt_out o WHERE o.number_hash = a.number_hash AND o.channel = a.channel AND o.active = TRUE) AS stops
         FROM address a JOIN party p ON p.id = a.party_id JOIN case_file c ON c.id = p.case_id WHERE {some}"
    );
    for r in tx.all(addresses, args.clone()).await? {
        if let Some(p) = out.get_mut(&r.text("case_ref")?).and_then(|c| c.parties.get_mut(&r.word("role").ok()?)) {
            p.addresses.push(KnownAddress { channel: r.text("channel")?, hash: r.text("number_hash")?, state: r.text("state")?, stopped: r.int("stops")? > 0 });
        }
    }
    let sessions = format!(
        "SELECT c.case_ref, s.id, s.session_ref, s.start_local, s.starts_at, s.ends_at, s.state, s.imported FROM session s JOIN case_file c ON c.id = s.case_id WHERE {some}"
    );
    for r in tx.all(sessions, args).await? {
        let Some(case) = out.get_mut(&r.text("case_ref")?) else { continue };
        case.sessions.push(KnownSession {
            id: r.text("id")?,
            session_ref: r.text_opt("session_ref")?,
            start_local: r.text("start_local")?,
            starts_at: r.time("starts_at")?,
            ends_at: r.time("ends_at")?,
            state: r.word("state")?,
            imported: r.text("imported")?,
        });
    }
    Ok(out)
}

/// The booked sessions of a centre that start on these days of its wall clock (the last included), a page of them after `after`:
/// (id, case, start).
pub async fn booked_on(tx: &mut Tx, centre: &str, days: (NaiveDate, NaiveDate), after: &str, page: i64) -> Result<Vec<(String, String, String)>> {
    let rows = tx
        .all(
            "SELECT s.id, c.case_ref, s.start_local FROM session s JOIN case_file c ON c.id = s.case_id
             WHERE c.centre = $1 AND s.state = 'booked' AND s.start_local >= $2 AND s.start_local < $3 AND s.id > $4 ORDER BY s.id LIMIT $5",
            args![centre, days.0.to_string(), (days.1 + chrono::Days::new(1)).to_string(), after, page],
        )
        .await?;
    rows.iter().map(|r| Ok((r.text("id")?, r.text("case_ref")?, r.text("start_local")?))).collect()
}

/// What an import saw of a session: what is remembered of the row, and its reference if it had none.
pub struct Seen {
    /// The session.
    pub session: String,
    /// What is remembered of the row.
    pub imported: String,
    /// Its reference in files.
    pub session_ref: Option<String>,
}

/// Remembers what an import saw.
pub async fn remember(tx: &mut Tx, rows: Vec<Seen>) -> Result<()> {
    let rows = rows.into_iter().map(|s| args![s.session, s.imported, s.session_ref]).collect();
    tx.with_many(
        "id, imported, session_ref",
        "UPDATE session SET imported = v.imported, session_ref = coalesce(session.session_ref, v.session_ref) FROM v WHERE session.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// Gives a party another name.
pub async fn rename(tx: &mut Tx, party: &str, name: &str) -> Result<()> {
    let name = tx.seal().seal(name);
    tx.exec("UPDATE party SET name = $1 WHERE id = $2", args![name, party]).await?;
    Ok(())
}

/// Gives a party another consent.
pub async fn set_consent(tx: &mut Tx, party: &str, consent: Consent) -> Result<()> {
    tx.exec("UPDATE party SET consent = $1 WHERE id = $2", args![consent.as_str(), party]).await?;
    Ok(())
}

/// Keeps a number of a party for ringing: no texts go to it.
pub async fn ring_only(tx: &mut Tx, party: &str, hash: &str) -> Result<()> {
    tx.exec("UPDATE address SET safe = 'ring_first' WHERE party_id = $1 AND number_hash = $2 AND channel = 'sms' AND safe = 'safe'", args![party, hash]).await?;
    Ok(())
}
