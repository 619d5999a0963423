//! Cases, their parties and the addresses of those.

use crate::args;
use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::people::person::{Channel, Consent, Phone, Private, Role};
use crate::domain::people::senders::Senders;
use crate::store::db::{Arg, Db, Tx};
use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A case as it stands in the database.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The centre's code.
    pub centre: String,
    /// Its reference.
    pub case_ref: String,
    /// The file is closed.
    pub archived: bool,
}

/// Finds a case by `BRK-0101`, or `BRK/BRK-0101` where two centres share it.
///
/// # Errors
/// No such case, or more than one; in plain words.
pub async fn find(db: &Db, case: &str) -> Result<Case> {
    let (centre, case_ref) = match case.split_once('/') {
        Some((c, r)) => (Some(c), r),
        None => (None, case),
    };
    let rows = db
        .all(
            "SELECT id, centre, case_ref, state
             FROM case_file
             WHERE case_ref = $1 AND ($2 IS NULL OR centre = $2)
             ORDER BY centre",
            args![case_ref, centre],
        )
        .await?;
    match rows.as_slice() {
        [] => bail!("there is no case {case}; `courtesy list parties` shows all"),
        [r] => Ok(Case {
            id: r.id("id")?,
            centre: r.text("centre")?,
            case_ref: r.text("case_ref")?,
            archived: r.text("state")? == "archived",
        }),
        many => {
            let names: Vec<_> = many
                .iter()
                .map(|r| Ok(format!("{}/{}", r.text("centre")?, r.text("case_ref")?)))
                .collect::<Result<_>>()?;
            bail!(
                "{case} stands at several centres: write {}",
                names.join(" or ")
            )
        }
    }
}

/// A party as lists show it: no name, no number.
#[derive(Debug, Clone)]
pub struct ListedParty {
    /// The case's reference.
    pub case_ref: String,
    /// The centre's code.
    pub centre: String,
    /// The role.
    pub role: Role,
    /// The wanted channel.
    pub channel: Channel,
    /// Consent; `stop` also where the number is opted out.
    pub consent: Consent,
    /// Whether a Telegram chat is linked.
    pub linked: bool,
    /// Whether a text can go to it now.
    pub usable: bool,
}

/// All parties of a centre or of all.
pub async fn parties(db: &Db, senders: &Senders, centre: Option<&str>) -> Result<Vec<ListedParty>> {
    let rows = db
        .all(
            "SELECT p.id, c.case_ref, c.centre, p.role, p.channel, p.consent, p.mode
             FROM party p
             JOIN case_file c ON c.id = p.case_id
             WHERE $1 IS NULL OR c.centre = $1
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![centre],
        )
        .await?;
    let addresses = db
        .all(
            "SELECT a.party_id, a.channel, a.number_hash, a.safe, a.blocked_at, a.paused_at
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.state = 'current' AND a.channel <> 'ring' AND ($1 IS NULL OR c.centre = $1)",
            args![centre],
        )
        .await?;
    // By party: the channel, the hash, and whether texts may go there but for an opt-out.
    let mut by_party: HashMap<PartyId, Vec<(Channel, String, bool)>> = HashMap::new();
    let mut hashes = Vec::with_capacity(addresses.len());
    for a in addresses {
        let open = a.text("safe")? == "safe"
            && a.time_opt("blocked_at")?.is_none()
            && a.time_opt("paused_at")?.is_none();
        let hash = a.text("number_hash")?;
        hashes.push(hash.clone());
        by_party
            .entry(a.id("party_id")?)
            .or_default()
            .push((a.word("channel")?, hash, open));
    }
    let stopped = crate::store::inbox::opted_out_among_in(db, &hashes).await?;
    rows.iter()
        .map(|r| {
            let at_centre = r.text("centre")?;
            let routes = by_party.remove(&r.id("id")?).unwrap_or_default();
            let is_stopped = |(channel, hash, _): &(Channel, String, bool)| {
                senders
                    .of(&at_centre, *channel)
                    .is_some_and(|s| stopped.contains(&(*channel, s.to_owned(), hash.clone())))
            };
            let has_sender = |channel: Channel| {
                channel == Channel::Sms || senders.of(&at_centre, channel).is_some()
            };
            let usable = routes
                .iter()
                .any(|r| r.2 && has_sender(r.0) && !is_stopped(r));
            let consent: Consent = r.word("consent")?;
            Ok(ListedParty {
                case_ref: r.text("case_ref")?,
                role: r.word("role")?,
                channel: r.word("channel")?,
                consent: if !usable && routes.iter().any(is_stopped) {
                    Consent::Stop
                } else {
                    consent
                },
                linked: routes.iter().any(|(c, ..)| *c == Channel::Telegram),
                usable: consent == Consent::Yes && usable && r.text("mode")? != "silent",
                centre: at_centre,
            })
        })
        .collect()
}

/// A case to write.
pub struct NewCase {
    /// Its id.
    pub id: CaseId,
    /// The centre's code.
    pub centre: String,
    /// Its reference.
    pub case_ref: String,
    /// Contact is set by a court order.
    pub court_ordered: bool,
    /// Children that attend.
    pub children: i64,
}

/// A party to write.
pub struct NewParty {
    /// Its id.
    pub id: PartyId,
    /// Its case.
    pub case_id: CaseId,
    /// The role.
    pub role: Role,
    /// The name; sealed.
    pub name: String,
    /// Language of its texts.
    pub language: String,
    /// The wanted channel.
    pub channel: Channel,
    /// Consent.
    pub consent: Consent,
    /// A referrer's kind and e-mail; sealed.
    pub detail: String,
}

/// An address to write.
pub struct NewAddress {
    /// Its party.
    pub party_id: PartyId,
    /// `sms`, `telegram` or `ring`.
    pub channel: &'static str,
    /// The number, or the chat's id.
    pub value: String,
    /// Its look-up hash.
    pub hash: String,
    /// `safe`, `ring_first` or `never`.
    pub safe: &'static str,
    /// `current` or `pending`.
    pub state: &'static str,
}

/// A session to write, with the places of the parents.
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its case.
    pub case_id: CaseId,
    /// Its reference in files.
    pub session_ref: Option<String>,
    /// Start and end (UTC).
    pub starts_at: DateTime<Utc>,
    /// End (UTC).
    pub ends_at: DateTime<Utc>,
    /// Start on the wall clock.
    pub start_local: String,
    /// The zone.
    pub timezone: String,
    /// What kind of contact.
    pub contact_type: String,
    /// `booked` or `cancelled`.
    pub state: &'static str,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// The rules in force at booking: notice hours, fee, currency, payer, days.
    pub notice_hours: i64,
    /// Fee in minor units.
    pub fee_minor: i64,
    /// ISO code.
    pub currency: String,
    /// Who usually pays.
    pub payer: String,
    /// Days to pay.
    pub payment_days: i64,
    /// Fingerprint of the imported row.
    pub imported: String,
    /// The places: role, party, arrival, departure, known since, due at, word.
    pub places: Vec<NewAttendee>,
}

/// A parent's place to write.
pub struct NewAttendee {
    /// Which parent.
    pub role: Role,
    /// The party.
    pub party_id: PartyId,
    /// Own arrival.
    pub arrives_at: DateTime<Utc>,
    /// Own departure.
    pub leaves_at: DateTime<Utc>,
    /// Since when the question could have been asked.
    pub ask_known: DateTime<Utc>,
    /// When it is due.
    pub ask_at: Option<DateTime<Utc>>,
}

/// Writes cases.
pub async fn insert_cases(tx: &mut Tx, now: DateTime<Utc>, rows: &[NewCase]) -> Result<()> {
    let rows = rows
        .iter()
        .map(|c| {
            args![
                &c.id,
                &c.centre,
                &c.case_ref,
                c.court_ordered,
                c.children,
                "open",
                now
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO case_file (
           id, centre, case_ref, court_ordered, children, state, created_at
         ) VALUES",
        "",
        rows,
    )
    .await?;
    Ok(())
}

/// Writes parties.
pub async fn insert_parties(tx: &mut Tx, now: DateTime<Utc>, rows: &[NewParty]) -> Result<()> {
    let seal = tx.seal();
    let rows = rows
        .iter()
        .map(|p| {
            args![
                &p.id,
                &p.case_id,
                p.role.as_str(),
                seal.seal(&p.name),
                &p.language,
                p.channel.as_str(),
                p.consent.as_str(),
                "normal",
                seal.seal(&p.detail),
                now
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO party (
           id, case_id, role, name, language, channel, consent, mode, detail, created_at
         ) VALUES",
        "",
        rows,
    )
    .await?;
    Ok(())
}

/// Writes addresses; one that the party has already stays as it is.
pub async fn insert_addresses(tx: &mut Tx, now: DateTime<Utc>, rows: &[NewAddress]) -> Result<()> {
    let seal = tx.seal();
    let rows = rows
        .iter()
        .map(|a| {
            args![
                crate::store::sealed::random_id(),
                &a.party_id,
                a.channel,
                seal.seal(&a.value),
                &a.hash,
                a.safe,
                false,
                a.state,
                now
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO address (
           id, party_id, channel, number, number_hash, safe, verified, state, since
         ) VALUES",
        "ON CONFLICT (party_id, channel, number_hash) DO NOTHING",
        rows,
    )
    .await?;
    Ok(())
}

/// Writes sessions with their places.
pub async fn insert_sessions(tx: &mut Tx, rows: &[NewSession]) -> Result<()> {
    let sessions: Vec<Vec<Arg>> = rows
        .iter()
        .map(|s| {
            args![
                &s.id,
                &s.case_id,
                &s.session_ref,
                s.starts_at,
                s.ends_at,
                &s.start_local,
                &s.timezone,
                &s.contact_type,
                s.state,
                1,
                s.booked_at,
                (s.state == "cancelled").then_some("centre"),
                (s.state == "cancelled").then_some(s.booked_at),
                s.notice_hours,
                s.fee_minor,
                &s.currency,
                &s.payer,
                s.payment_days,
                &s.imported
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO session (
           id, case_id, session_ref, starts_at, ends_at, start_local, timezone, contact_type,
           state, version, booked_at, cancelled_by, cancelled_at, notice_hours, fee_minor,
           currency, payer, payment_days, imported
         ) VALUES",
        "",
        sessions,
    )
    .await?;
    let places: Vec<Vec<Arg>> = rows
        .iter()
        .flat_map(|s| {
            s.places.iter().map(|p| {
                args![
                    &s.id,
                    p.role.as_str(),
                    &p.party_id,
                    p.arrives_at,
                    p.leaves_at,
                    1,
                    p.ask_known,
                    p.ask_at,
                    "",
                    "none"
                ]
            })
        })
        .collect();
    tx.insert_many(
        "INSERT INTO attendee (
           session_id, role, party_id, arrives_at, leaves_at, ask_version, ask_known, ask_at,
           asked, answer
         ) VALUES",
        "",
        places,
    )
    .await?;
    Ok(())
}

/// A number that the practice phones show: whose it is, in words for the one who practises.
pub async fn numbers(db: &Db) -> Result<Vec<(Phone, String, Role, Private, Channel)>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.number, c.case_ref, p.role, p.name, p.channel
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.channel IN ('sms', 'ring') AND a.state = 'current' AND p.role <> 'referrer'
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        if let Some(phone) = Phone::from_e164(&seal.open(&r.text("number")?).0) {
            out.push((
                phone,
                r.text("case_ref")?,
                r.word("role")?,
                seal.open(&r.text("name")?),
                r.word("channel")?,
            ));
        }
    }
    Ok(out)
}

/// The Telegram chats on file, for the practice phones: the chat's id and whose it is.
pub async fn chats(db: &Db) -> Result<Vec<(i64, String, Role, Private)>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.number, c.case_ref, p.role, p.name
             FROM address a
             JOIN party p ON p.id = a.party_id
             JOIN case_file c ON c.id = p.case_id
             WHERE a.channel = 'telegram' AND a.state = 'current'
             ORDER BY c.centre, c.case_ref, p.role DESC",
            args![],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        if let Ok(chat) = seal.open(&r.text("number")?).0.parse() {
            out.push((
                chat,
                r.text("case_ref")?,
                r.word("role")?,
                seal.open(&r.text("name")?),
            ));
        }
    }
    Ok(out)
}
