//! A centre's file comes in: read whole, checked whole, and written in one transaction or not at all.

mod check;
mod read;

use super::plan::first_look;
use super::record::{self, Recording};
use crate::domain::centre::Centre;
use crate::domain::person::{Channel, Consent, Role};
use crate::store::cases::{self, KnownCase, NewAddress, NewCase, NewParty, NewPlace, NewSession};
use crate::store::facts::{self, Fact};
use crate::store::sealed::random_id;
use crate::store::{Db, Tx, centres, sessions};
use anyhow::{Result, anyhow};
pub use check::{Finding, Severity};
use check::{PartyRow, SessionRow};
use chrono::{DateTime, Utc};
pub use read::COLUMNS;
use std::collections::{BTreeMap, HashMap};

/// How dates are written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// `2026-11-28` only.
    Iso,
    /// `28/11/2026` as well.
    Dmy,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines with a session.
    pub sessions: usize,
    /// Sessions that were new.
    pub new_sessions: usize,
    /// Sessions that stood there already, word for word.
    pub unchanged: usize,
    /// Sessions that the file names by their `session_ref` at another time: moved, both parents are told.
    pub moved: usize,
    /// Sessions that differ from the file and were left alone.
    pub differs: usize,
    /// Cases that were new.
    pub new_cases: usize,
    /// Centres that were made, on hold.
    pub new_centres: usize,
}

/// The end of an import: what was found, and what was written if there was no error.
pub struct Imported {
    /// Every finding, in the order of the lines.
    pub findings: Vec<Finding>,
    /// What was done; `None` if an error stopped it.
    pub counts: Option<Counts>,
}

/// What can be found in a file by itself, without a database: nothing on file is known.
pub fn look(bytes: &[u8], dates: Dates) -> Vec<Finding> {
    match read::read(bytes) {
        Err(finding) => vec![*finding],
        Ok(file) => check::check(&file, dates, &HashMap::new(), &HashMap::new()).0,
    }
}

/// Imports the bytes of a file. With any error nothing is written; with `dry_run` nothing in any case.
///
/// # Errors
/// Of the database. What is wrong with the file is no error but a finding.
pub async fn import(db: &Db, bytes: &[u8], dates: Dates, dry_run: bool, now: DateTime<Utc>, progress: &dyn Fn(u64)) -> Result<Imported> {
    let mut tx = db.begin().await?;
    let stored = centres::all_in(&mut tx).await?;
    let countries: HashMap<String, String> = stored.iter().map(|(code, c)| (code.clone(), c.centre.country.clone())).collect();
    let zones: HashMap<String, String> = stored.iter().map(|(code, c)| (code.clone(), c.centre.tz.name().to_owned())).collect();
    let (mut findings, rows) = match read::read(bytes) {
        Err(finding) => (vec![*finding], Vec::new()),
        Ok(file) => check::check(&file, dates, &countries, &zones),
    };
    progress(rows.len() as u64);
    let mut counts = Counts { sessions: rows.len(), ..Counts::default() };
    if findings.iter().all(|f| f.severity != Severity::Error) {
        write(&mut tx, &rows, &stored, now, &mut counts, &mut findings).await?;
    }
    findings.sort_by_key(|f| f.line);
    if findings.iter().any(|f| f.severity == Severity::Error) {
        return Ok(Imported { findings, counts: None });
    }
    if !dry_run {
        tx.commit().await?;
    }
    Ok(Imported { findings, counts: Some(counts) })
}

/// A centre that the file names and the database lacks: made from the file's columns, on hold.
fn centre_of(row: &SessionRow) -> Result<(Centre, String)> {
    let mut table = toml::Table::new();
    let country = check::country_of(&row.timezone);
    for (k, v) in [("code", row.centre.as_str()), ("name", &row.centre_name), ("timezone", &row.timezone), ("country", country), ("start", "hold")] {
        table.insert(k.into(), v.into());
    }
    let rules = toml::Table::from_iter([("currency".to_owned(), row.currency.as_str().into())]);
    table.insert("rules".into(), rules.into());
    let file = toml::to_string(&table)?;
    let centre = Centre::parse(&file).map_err(|p| anyhow!("line {}: {}", row.line, p[0]))?;
    Ok((centre, file))
}

async fn write(tx: &mut Tx, rows: &[SessionRow], stored: &centres::Centres, now: DateTime<Utc>, counts: &mut Counts, findings: &mut Vec<Finding>) -> Result<()> {
    let seal = tx.seal();
    let mut all: BTreeMap<String, Centre> = stored.iter().map(|(k, v)| (k.clone(), v.centre.clone())).collect();
    let mut known: HashMap<String, HashMap<String, KnownCase>> = HashMap::new();
    for row in rows {
        if !all.contains_key(&row.centre) {
            let (centre, file) = centre_of(row)?;
            centres::put(tx, &centre, &file, now).await?;
            all.insert(row.centre.clone(), centre);
            counts.new_centres += 1;
        }
        if !known.contains_key(&row.centre) {
            known.insert(row.centre.clone(), cases::known(tx, &row.centre).await?);
        }
    }
    moves_in_disguise(rows, &known, findings);
    let mut moves = Vec::new();
    let (mut new_cases, mut new_parties, mut new_addresses, mut new_sessions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (Some(centre), Some(of_centre)) = (all.get(&row.centre), known.get_mut(&row.centre)) else { continue };
        let case = of_centre.entry(row.case_ref.clone()).or_insert_with(|| {
            let id = random_id();
            counts.new_cases += 1;
            new_cases.push(NewCase { id: id.clone(), centre: row.centre.clone(), case_ref: row.case_ref.clone(), court_ordered: row.court_ordered, children: row.children });
            KnownCase { id, ..KnownCase::default() }
        });
        for party in &row.parties {
            if let Some(on_file) = case.parties.get_mut(&party.role) {
                if on_file.name.0 != party.name {
                    findings.push(row.finding(
                        "resident_name",
                        "case_conflict",
                        Severity::Error,
                        party.role,
                        "the case has another person on file in this place; a new name needs a person to look",
                    ));
                }
                // A number that is not on file waits until staff have confirmed it.
                for (channel, value, hash) in addresses(&seal, party) {
                    if !on_file.addresses.iter().any(|(c, h, _)| c == channel && *h == hash) {
                        on_file.addresses.push((channel.to_owned(), hash.clone(), "pending".into()));
                        new_addresses.push(NewAddress { party_id: on_file.id.clone(), channel, value, hash, safe: "ring_first", state: "pending" });
                        findings.push(row.finding(
                            "phone",
                            "pending_number",
                            Severity::Warning,
                            party.role,
                            "another number than the one on file: it waits until staff confirm it",
                        ));
                    }
                }
                continue;
            }
            let id = random_id();
            let mut on_file = Vec::new();
            for (channel, value, hash) in addresses(&seal, party) {
                on_file.push((channel.to_owned(), hash.clone(), "current".to_owned()));
                let safe = if channel == "ring" { "ring_first" } else { "safe" };
                new_addresses.push(NewAddress { party_id: id.clone(), channel, value, hash, safe, state: "current" });
            }
            new_parties.push(NewParty {
                id: id.clone(),
                case_id: case.id.clone(),
                role: party.role,
                name: party.name.clone(),
                language: party.language.clone(),
                channel: party.channel,
                consent: party.consent,
                detail: party.detail.clone(),
            });
            case.parties.insert(party.role, cases::KnownParty { id, name: crate::domain::person::Private(party.name.clone()), addresses: on_file });
        }
        shared_with_the_other(case, row, findings);
        let fingerprint = row.fingerprint();
        let same = |s: &&cases::KnownSession| match (&row.session_ref, &s.session_ref) {
            (Some(a), Some(b)) => a == b,
            _ => s.starts_at == row.starts_at,
        };
        if let Some(s) = case.sessions.iter().find(same) {
            if s.imported == fingerprint {
                counts.unchanged += 1;
            } else if row.session_ref.is_some() && s.session_ref.is_some() && s.state == "booked" && row.status == "booked" && only_the_time_changed(s, row, now) {
                counts.moved += 1;
                moves.push((s.id.clone(), row, fingerprint));
            } else {
                counts.differs += 1;
                findings.push(row.finding("", "differs", Severity::Warning, Role::Resident, "the session on file differs from this line and was left as it is"));
            }
            continue;
        }
        counts.new_sessions += 1;
        let session = new_session(row, centre, case, now);
        case.sessions.push(cases::KnownSession {
            id: session.id.clone(),
            session_ref: row.session_ref.clone(),
            start_local: session.start_local.clone(),
            starts_at: row.starts_at,
            state: session.state.into(),
            imported: fingerprint,
        });
        new_sessions.push(session);
    }
    if findings.iter().any(|f| f.severity == Severity::Error) {
        return Ok(());
    }
    cases::insert_cases(tx, now, &new_cases).await?;
    cases::insert_parties(tx, now, &new_parties).await?;
    cases::insert_addresses(tx, now, &new_addresses).await?;
    cases::insert_sessions(tx, &new_sessions).await?;
    let booked: Vec<Fact<'_>> = new_sessions
        .iter()
        .map(|s| Fact { case_id: Some(&s.case_id), session_id: Some(&s.id), role: None, kind: s.state, at: s.booked_at.min(now), by: "import", rule: "import", detail: "" })
        .collect();
    facts::add(tx, now, &booked).await?;
    for (session, row, fingerprint) in moves {
        // Opt-outs are looked at when the texts leave; who our sender is does not matter here.
        if let Err(e) = record::move_in(tx, "", &session, row.start_local, &Recording { by: "import", at: now }, now).await {
            findings.push(row.finding("start_time", "move_refused", Severity::Error, Role::Resident, &format!("{e:#}")));
        }
        sessions::set_imported(tx, &session, &fingerprint).await?;
    }
    Ok(())
}

/// A session that nobody moved since its import, and that the file has at another time ahead: the file moves it.
fn only_the_time_changed(s: &cases::KnownSession, row: &SessionRow, now: DateTime<Utc>) -> bool {
    let imported_start = s.imported.split('|').next().unwrap_or("");
    imported_start == s.starts_at.to_string() && row.starts_at != s.starts_at && s.starts_at > now && row.starts_at > now
}

fn addresses(seal: &crate::store::sealed::Sealed, party: &PartyRow) -> Vec<(&'static str, String, String)> {
    let mut out = Vec::new();
    if let Some(phone) = &party.phone {
        let texts = party.channel == Channel::Sms && party.consent != Consent::No && phone.takes_texts();
        out.push((if texts { "sms" } else { "ring" }, phone.as_str().to_owned(), seal.number_hash(phone)));
    }
    if let Some(chat) = &party.telegram_id {
        out.push(("telegram", chat.clone(), seal.id_of(&format!("telegram/{chat}"))));
    }
    out
}

/// Rule a9: a number or chat that the other party of the case has or ever had is a hard error.
fn shared_with_the_other(case: &KnownCase, row: &SessionRow, findings: &mut Vec<Finding>) {
    let hashes = |role| case.parties.get(&role).map(|p| p.addresses.iter().map(|(_, h, _)| h.clone()).collect::<Vec<_>>()).unwrap_or_default();
    let (resident, contact) = (hashes(Role::Resident), hashes(Role::Contact));
    if resident.iter().any(|h| contact.contains(h)) && !findings.iter().any(|f| f.line == row.line && f.kind == "shared_number_between_parties") {
        findings.push(row.finding(
            "phone",
            "shared_number_between_parties",
            Severity::Error,
            Role::Contact,
            "a number that the other party has or had: messages would reach the other party",
        ));
    }
}

/// A file with one new and without one booked session of the same case on the same day may be a move: that is never guessed.
fn moves_in_disguise(rows: &[SessionRow], known: &HashMap<String, HashMap<String, KnownCase>>, findings: &mut Vec<Finding>) {
    let in_file: std::collections::HashSet<(&str, &str, DateTime<Utc>)> = rows.iter().map(|r| (r.centre.as_str(), r.case_ref.as_str(), r.starts_at)).collect();
    for row in rows {
        let Some(case) = known.get(&row.centre).and_then(|c| c.get(&row.case_ref)) else { continue };
        // A line that names a session on file by its reference says itself which one it is.
        if row.session_ref.is_some() && case.sessions.iter().any(|s| s.session_ref == row.session_ref) {
            continue;
        }
        if case.sessions.iter().any(|s| s.starts_at == row.starts_at) {
            continue;
        }
        let day = row.start_local.format("%Y-%m-%d").to_string();
        let gone =
            case.sessions.iter().any(|s| s.state == "booked" && s.start_local.starts_with(&day) && !in_file.contains(&(row.centre.as_str(), row.case_ref.as_str(), s.starts_at)));
        if gone {
            findings.push(row.finding(
                "start_time",
                "looks_like_a_move",
                Severity::Error,
                Role::Resident,
                "the case has a booked session on this day at another time that the file does not name; use `courtesy record move`, or give both lines a session_ref",
            ));
        }
    }
}

fn new_session(row: &SessionRow, centre: &Centre, case: &KnownCase, now: DateTime<Utc>) -> NewSession {
    let known = row.booked_at.max(now);
    let places = row
        .parties
        .iter()
        .filter_map(|p| {
            let (arrives_at, leaves_at) = p.times?;
            let due = row.status == "booked" && row.starts_at > now;
            Some(NewPlace {
                role: p.role,
                party_id: case.parties.get(&p.role)?.id.clone(),
                arrives_at,
                leaves_at,
                ask_known: known,
                ask_at: due.then(|| first_look(centre, row.start_local, known)),
            })
        })
        .collect();
    NewSession {
        id: random_id(),
        case_id: case.id.clone(),
        session_ref: row.session_ref.clone(),
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        start_local: crate::store::sessions::local_text(row.start_local),
        timezone: row.timezone.clone(),
        contact_type: row.contact_type.clone(),
        state: row.status,
        booked_at: row.booked_at,
        notice_hours: centre.rules.notice_hours,
        fee_minor: row.fee_minor,
        currency: row.currency.clone(),
        payer: row.usually_pays.clone(),
        payment_days: centre.rules.payment_days,
        imported: row.fingerprint(),
        places,
    }
}
