//! What an import reads and changes: cases with their parties and sessions, and what the last
//! import saw.

use crate::args;
use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::private::Private;
use crate::domain::people::role::Role;
use crate::domain::visits::session::SessionState;
use crate::store::db::{Arg, Tx, placeholder_list};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{HashMap, HashSet};

/// A party on file, as an import needs it.
#[derive(Debug, Clone)]
pub struct KnownParty {
    pub id: PartyId,
    pub name: Private,
    pub channel: Channel,
    /// Language of its texts.
    pub language: String,
    pub consent: Consent,
    /// Every address that it has or had.
    pub addresses: Vec<KnownAddress>,
}

/// An address that a party has or had.
#[derive(Debug, Clone)]
pub struct KnownAddress {
    /// `sms`, `telegram`, `whatsapp` or `ring`.
    pub channel: String,
    pub hash: String,
    /// `current`, `pending` or `past`.
    pub state: String,
    /// The phone itself opted out.
    pub stopped: bool,
}

/// Why a case takes no new bookings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingBlock {
    /// Money is owed (choice C09).
    Hold,
    /// The case is archived.
    Closed,
}

/// A case on file, as an import needs it.
#[derive(Debug, Clone)]
pub struct KnownCase {
    pub id: CaseId,
    /// Why it takes no new bookings, if so.
    pub block: Option<BookingBlock>,
    pub parties: HashMap<Role, KnownParty>,
    pub sessions: Vec<KnownSession>,
}

impl KnownCase {
    /// A case with nothing else on file.
    pub fn new(id: CaseId) -> KnownCase {
        KnownCase {
            id,
            block: None,
            parties: HashMap::new(),
            sessions: Vec::new(),
        }
    }
}

/// A session on file, as an import needs it.
#[derive(Debug, Clone)]
pub struct KnownSession {
    pub id: SessionId,
    /// Its reference in imported files.
    pub session_ref: Option<String>,
    pub start_local: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub state: SessionState,
    pub fee_minor: i64,
    /// Fingerprint of the row that the last import wrote or saw.
    pub imported: String,
}

/// Locks centres against another import until the end of the transaction. SQLite has a single
/// writer and needs no lock.
pub async fn lock_centres(tx: &mut Tx, centres: &[&str]) -> Result<()> {
    if tx.is_postgres() && !centres.is_empty() {
        let sql = format!(
            "SELECT code
             FROM centre
             WHERE code IN ({})
             ORDER BY code {{lock}}",
            placeholder_list(1, centres.len())
        );
        tx.all(sql, centres.iter().map(|c| Arg::from(*c)).collect())
            .await?;
    }
    Ok(())
}

/// `column IN (…)` for these values.
fn any_of(column: &str, values: &[&str]) -> (String, Vec<Arg>) {
    (
        format!("{column} IN ({})", placeholder_list(1, values.len())),
        values.iter().map(|v| Arg::from(*v)).collect(),
    )
}

/// Those of these cases that are on file, by reference.
///
/// Each query uses the keys found by the one before. PostgreSQL then uses its indexes even on
/// tables that were filled a moment ago.
pub async fn known_cases(
    tx: &mut Tx,
    centre: &str,
    case_refs: &[&str],
) -> Result<HashMap<String, KnownCase>> {
    let seal = tx.seal();
    let mut args: Vec<Arg> = args![centre];
    args.extend(case_refs.iter().map(|r| Arg::from(*r)));
    let sql = format!(
        "SELECT id, case_ref, state, bookings_hold
         FROM case_file
         WHERE centre = $1 AND case_ref IN ({})",
        placeholder_list(2, case_refs.len())
    );
    let mut by_id: HashMap<CaseId, (String, KnownCase)> = HashMap::new();
    for r in tx.all(sql, args).await? {
        let id: CaseId = r.id("id")?;
        let block = match (r.text("state")?.as_str(), r.flag("bookings_hold")?) {
            ("archived", _) => Some(BookingBlock::Closed),
            (_, true) => Some(BookingBlock::Hold),
            _ => None,
        };
        by_id.insert(
            id.clone(),
            (
                r.text("case_ref")?,
                KnownCase {
                    block,
                    ..KnownCase::new(id)
                },
            ),
        );
    }
    if by_id.is_empty() {
        return Ok(HashMap::new());
    }
    let (of_cases, cases) = any_of(
        "case_id",
        &by_id.keys().map(CaseId::as_str).collect::<Vec<_>>(),
    );
    let sql = format!(
        "SELECT id, case_id, session_ref, start_local, starts_at, ends_at, state, fee_minor,
           imported
         FROM session
         WHERE {of_cases}"
    );
    for r in tx.all(sql, cases.clone()).await? {
        let Some((_, case)) = by_id.get_mut(&r.id("case_id")?) else {
            continue;
        };
        case.sessions.push(KnownSession {
            id: r.id("id")?,
            session_ref: r.text_opt("session_ref")?,
            start_local: r.text("start_local")?,
            starts_at: r.time("starts_at")?,
            ends_at: r.time("ends_at")?,
            state: r.parsed("state")?,
            fee_minor: r.int("fee_minor")?,
            imported: r.text("imported")?,
        });
    }
    let rows = tx
        .all(
            format!(
                "SELECT id, case_id, role, name, channel, language, consent
                 FROM party
                 WHERE {of_cases}"
            ),
            cases,
        )
        .await?;
    let mut addresses = addresses(
        tx,
        &rows
            .iter()
            .map(|r| r.id("id"))
            .collect::<Result<Vec<_>>>()?,
    )
    .await?;
    for r in rows {
        let Some((_, case)) = by_id.get_mut(&r.id("case_id")?) else {
            continue;
        };
        let id = r.id("id")?;
        let party = KnownParty {
            addresses: addresses.remove(&id).unwrap_or_default(),
            id,
            name: seal.open(&r.text("name")?),
            channel: r.parsed("channel")?,
            language: r.text("language")?,
            consent: r.parsed("consent")?,
        };
        case.parties.insert(r.parsed("role")?, party);
    }
    Ok(by_id.into_values().collect())
}

async fn addresses(
    tx: &mut Tx,
    parties: &[PartyId],
) -> Result<HashMap<PartyId, Vec<KnownAddress>>> {
    let mut out: HashMap<PartyId, Vec<KnownAddress>> = HashMap::new();
    if parties.is_empty() {
        return Ok(out);
    }
    let (of_parties, args) = any_of(
        "party_id",
        &parties.iter().map(PartyId::as_str).collect::<Vec<_>>(),
    );
    for r in tx
        .all(
            format!(
                "SELECT party_id, channel, number_hash, state
                FROM address
                WHERE {of_parties}"
            ),
            args,
        )
        .await?
    {
        let address = KnownAddress {
            channel: r.text("channel")?,
            hash: r.text("number_hash")?,
            state: r.text("state")?,
            stopped: false,
        };
        out.entry(r.id("party_id")?).or_default().push(address);
    }
    let hashes: Vec<&str> = out.values().flatten().map(|a| a.hash.as_str()).collect();
    if !hashes.is_empty() {
        let (of_numbers, args) = any_of("number_hash", &hashes);
        let rows = tx
            .all(
                format!(
                    "SELECT channel, number_hash
                     FROM opt_out
                     WHERE active = TRUE AND {of_numbers}"
                ),
                args,
            )
            .await?;
        let stopped: HashSet<(String, String)> = rows
            .iter()
            .map(|r| Ok((r.text("channel")?, r.text("number_hash")?)))
            .collect::<Result<_>>()?;
        for a in out.values_mut().flatten().filter(|_| !stopped.is_empty()) {
            a.stopped = stopped.contains(&(a.channel.clone(), a.hash.clone()));
        }
    }
    Ok(out)
}

/// One page of a centre's booked sessions within these local days: (id, case, start). `after` is
/// the last id of the page before.
pub async fn booked_on(
    tx: &mut Tx,
    centre: &str,
    days: (NaiveDate, NaiveDate),
    after: Option<&SessionId>,
    page: i64,
) -> Result<Vec<(SessionId, String, String)>> {
    let rows = tx
        .all(
            "SELECT s.id, c.case_ref, s.start_local
             FROM session s
             JOIN case_file c ON c.id = s.case_id
             WHERE c.centre = $1
               AND s.state = 'booked'
               AND s.start_local >= $2
               AND s.start_local < $3
               AND s.id > $4
             ORDER BY s.id
             LIMIT $5",
            args![
                centre,
                days.0.to_string(),
                (days.1 + chrono::Days::new(1)).to_string(),
                after.map_or("", SessionId::as_str),
                page
            ],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.id("id")?, r.text("case_ref")?, r.text("start_local")?)))
        .collect()
}

/// What an import saw of a session.
pub struct SeenRow {
    pub session: SessionId,
    /// Fingerprint of the row.
    pub imported: String,
    /// Its reference in imported files, if it had none before.
    pub session_ref: Option<String>,
}

/// Saves what an import saw.
pub async fn save_seen_rows(tx: &mut Tx, rows: Vec<SeenRow>) -> Result<()> {
    let rows = rows
        .into_iter()
        .map(|s| args![s.session, s.imported, s.session_ref])
        .collect();
    tx.update_many(
        "id, imported, session_ref",
        "UPDATE session
         SET imported = v.imported, session_ref = coalesce(session.session_ref, v.session_ref)
         FROM v
         WHERE session.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// Changes a party's name.
pub async fn rename(tx: &mut Tx, party: &PartyId, name: &str) -> Result<()> {
    let name = tx.seal().seal(name);
    tx.exec(
        "UPDATE party SET name = $1 WHERE id = $2",
        args![name, party],
    )
    .await?;
    Ok(())
}

/// Changes a party's consent.
pub async fn set_consent(tx: &mut Tx, party: &PartyId, consent: Consent) -> Result<()> {
    tx.exec(
        "UPDATE party SET consent = $1 WHERE id = $2",
        args![consent.as_str(), party],
    )
    .await?;
    Ok(())
}

/// Marks a number as for calls only: no messages go to it on this channel.
pub async fn ring_only(tx: &mut Tx, party: &PartyId, hash: &str, channel: Channel) -> Result<()> {
    tx.exec(
        "UPDATE address
         SET safe = 'ring_first'
         WHERE party_id = $1 AND number_hash = $2 AND channel = $3 AND safe = 'safe'",
        args![party, hash, channel.as_str()],
    )
    .await?;
    Ok(())
}
