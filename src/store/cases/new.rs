//! Writing new cases, parties, addresses and sessions.

use crate::args;
use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::role::Role;
use crate::store::db::{Arg, Tx};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A case to insert.
pub struct NewCase {
    pub id: CaseId,
    pub centre: String,
    pub case_ref: String,
    /// Contact is ordered by a court.
    pub court_ordered: bool,
    /// Number of children who attend.
    pub children: i64,
}

/// A party to insert.
pub struct NewParty {
    pub id: PartyId,
    pub case_id: CaseId,
    pub role: Role,
    pub name: String,
    /// Language of its texts.
    pub language: String,
    pub channel: Channel,
    pub consent: Consent,
    /// A referrer's kind and e-mail; sealed.
    pub detail: String,
}

/// An address to insert.
pub struct NewAddress {
    pub party_id: PartyId,
    /// `sms`, `telegram` or `ring`.
    pub channel: &'static str,
    /// The number or chat id.
    pub value: String,
    pub hash: String,
    /// `safe`, `ring_first` or `never`.
    pub safe: &'static str,
    /// `current` or `pending`.
    pub state: &'static str,
}

/// A session to insert, with its attendees.
pub struct NewSession {
    pub id: SessionId,
    pub case_id: CaseId,
    /// Its reference in imported files.
    pub session_ref: Option<String>,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub start_local: String,
    /// Time zone.
    pub timezone: String,
    /// What kind of contact.
    pub contact_type: String,
    /// `booked` or `cancelled`.
    pub state: &'static str,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// Hours of notice, from the terms at booking.
    pub notice_hours: i64,
    /// Fee in minor units.
    pub fee_minor: i64,
    /// ISO code.
    pub currency: String,
    pub payer: String,
    pub payment_days: i64,
    /// Fingerprint of the imported row.
    pub imported: String,
    pub attendees: Vec<NewAttendee>,
}

/// An attendee to insert.
pub struct NewAttendee {
    /// Which parent.
    pub role: Role,
    pub party_id: PartyId,
    /// Own arrival.
    pub arrives_at: DateTime<Utc>,
    /// Own departure.
    pub leaves_at: DateTime<Utc>,
    /// Since when the question could have been asked.
    pub ask_known: DateTime<Utc>,
    /// When the question is due.
    pub ask_at: Option<DateTime<Utc>>,
}

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

/// Inserts addresses. An address that the party already has stays as it is.
pub async fn insert_addresses(tx: &mut Tx, now: DateTime<Utc>, rows: &[NewAddress]) -> Result<()> {
    let seal = tx.seal();
    let rows = rows
        .iter()
        .map(|a| {
            args![
                random_id(),
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

/// Inserts sessions with their attendees.
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
    let attendees: Vec<Vec<Arg>> = rows
        .iter()
        .flat_map(|s| {
            s.attendees.iter().map(|p| {
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
        attendees,
    )
    .await?;
    Ok(())
}
