//! A party and its preferences.

use crate::args;
use crate::domain::ids::{CaseId, PartyId};
use crate::domain::local_time::{Quiet, parse_hours};
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::people::private::Private;
use crate::domain::people::role::Role;
use crate::store::cases;
use crate::store::db::{Db, Row, Tx};
use crate::store::lookup_error::LookupError;
use anyhow::Result;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone)]
pub struct Party {
    pub id: PartyId,
    pub case_id: CaseId,
    pub case_ref: String,
    pub centre: String,
    pub role: Role,
    pub channel: Channel,
    pub consent: Consent,
    /// How much its phone may show.
    pub mode: Mode,
    /// Whether it has quiet hours of its own.
    pub has_hours: bool,
    /// The language of its texts.
    pub language: String,
}

const PARTY: &str = "
    SELECT p.id, p.case_id, c.case_ref, c.centre, p.role, p.channel, p.consent, p.mode,
      p.safe_hours, p.language
    FROM party p
    JOIN case_file c ON c.id = p.case_id";

pub(super) fn read(r: &Row) -> Result<Party> {
    Ok(Party {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        case_ref: r.text("case_ref")?,
        centre: r.text("centre")?,
        role: r.parsed("role")?,
        channel: r.parsed("channel")?,
        language: r.text("language")?,
        consent: r.parsed("consent")?,
        mode: r.parsed("mode")?,
        has_hours: r.text_opt("safe_hours")?.is_some(),
    })
}

/// Finds a party by `BRK-0101:resident`, or by `BRK/BRK-0101:resident` where two centres use the
/// same reference.
///
/// # Errors
/// No such case or party, or more than one.
pub async fn find(db: &Db, party: &str) -> Result<Party> {
    let Some((case, role)) = party.rsplit_once(':') else {
        return Err(LookupError::Unclear(format!(
            "{party:?} is not a party; write BRK-0101:resident, :contact or :referrer"
        ))
        .into());
    };
    let Ok(role) = role.parse::<Role>() else {
        return Err(LookupError::Unclear(format!(
            "{role:?} is not a role; write resident, contact or referrer"
        ))
        .into());
    };
    let case = cases::find(db, case).await?;
    match db
        .one(
            format!("{PARTY} WHERE p.case_id = $1 AND p.role = $2"),
            args![&case.id, role.as_str()],
        )
        .await?
    {
        Some(r) => read(&r),
        None => {
            Err(LookupError::NotFound(format!("the case {} has no {role}", case.case_ref)).into())
        }
    }
}

/// A party by its id.
pub async fn get(tx: &mut Tx, id: &PartyId) -> Result<Option<Party>> {
    tx.one(format!("{PARTY} WHERE p.id = $1"), args![id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The other parties of the case: id and name.
pub async fn other_parties(tx: &mut Tx, party: &Party) -> Result<Vec<(PartyId, Private)>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT id, name FROM party WHERE case_id = $1 AND id <> $2",
            args![&party.case_id, &party.id],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.id("id")?, seal.open(&r.text("name")?))))
        .collect()
}

/// Sets the preferred channel and the consent.
pub async fn set_channel(
    tx: &mut Tx,
    party_id: &PartyId,
    channel: Channel,
    consent: Consent,
) -> Result<()> {
    tx.exec(
        "UPDATE party SET channel = $1, consent = $2 WHERE id = $3",
        args![channel.as_str(), consent.as_str(), party_id],
    )
    .await?;
    Ok(())
}

/// Sets how much a party's phone may show.
pub async fn set_mode(tx: &mut Tx, party_id: &PartyId, mode: Mode) -> Result<()> {
    tx.exec(
        "UPDATE party SET mode = $1 WHERE id = $2",
        args![mode.as_str(), party_id],
    )
    .await?;
    Ok(())
}

/// Sets the hash of a party's private word, or removes it.
pub async fn set_quiet_word(tx: &mut Tx, party_id: &PartyId, hash: Option<&str>) -> Result<()> {
    tx.exec(
        "UPDATE party SET quiet_word = $1 WHERE id = $2",
        args![hash, party_id],
    )
    .await?;
    Ok(())
}

/// The hours in which this party's phone must not show a message.
pub async fn quiet_hours(tx: &mut Tx, party_id: &PartyId) -> Result<Option<Quiet>> {
    let row = tx
        .one(
            "SELECT safe_hours FROM party WHERE id = $1",
            args![party_id],
        )
        .await?;
    Ok(row
        .map_or(Ok(None), |r| r.text_opt("safe_hours"))?
        .as_deref()
        .and_then(parse_hours))
}

/// Sets the hours in which a party's phone may show a message (`09:00-15:00`), or removes them.
pub async fn set_hours(tx: &mut Tx, party_id: &PartyId, hours: Option<&str>) -> Result<()> {
    tx.exec(
        "UPDATE party SET safe_hours = $1 WHERE id = $2",
        args![hours, party_id],
    )
    .await?;
    Ok(())
}

/// Schedules questions again that could not be sent to a party: it has an address now, or wants
/// messages again.
pub async fn reschedule_asks(tx: &mut Tx, party_id: &PartyId, now: DateTime<Utc>) -> Result<u64> {
    tx.exec(
        "UPDATE attendee
         SET ask_at = $1, asked = ''
         WHERE party_id = $2
           AND answer = 'none'
           AND ask_at IS NULL
           AND asked IN ('no_usable_channel', 'opted_out')
           AND session_id IN (SELECT id FROM session WHERE state = 'booked' AND starts_at > $1)",
        args![now, party_id],
    )
    .await
}
