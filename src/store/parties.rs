//! One party and its addresses, for linking a chat and for what staff record about a phone.

use crate::args;
use crate::domain::ids::{AddressId, CaseId, PartyId, WaitingChatId};
use crate::domain::people::person::{Address, Channel, Consent, Mode, Private, Role};
use crate::store::db::{Db, Tx};
use crate::store::sealed::random_id;
use anyhow::{Result, bail};
use chrono::{DateTime, Utc};

/// A party.
#[derive(Debug, Clone)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// Its case.
    pub case_id: CaseId,
    /// The case's reference.
    pub case_ref: String,
    /// The centre's code.
    pub centre: String,
    /// Its role.
    pub role: Role,
    /// The wanted channel.
    pub channel: Channel,
    /// Consent.
    pub consent: Consent,
    /// How much its phone may show.
    pub mode: Mode,
    /// Whether it has hours of its own.
    pub has_hours: bool,
    /// The language of its texts.
    pub language: String,
}

const PARTY: &str = "
    SELECT p.id, p.case_id, c.case_ref, c.centre, p.role, p.channel, p.consent, p.mode,
      p.safe_hours, p.language
    FROM party p
    JOIN case_file c ON c.id = p.case_id";

fn read(r: &crate::store::db::Row) -> Result<Party> {
    Ok(Party {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        case_ref: r.text("case_ref")?,
        centre: r.text("centre")?,
        role: r.word("role")?,
        channel: r.word("channel")?,
        language: r.text("language")?,
        consent: r.word("consent")?,
        mode: r.word("mode")?,
        has_hours: r.text_opt("safe_hours")?.is_some(),
    })
}

/// Finds a party by `BRK-0101:resident`, or `BRK/BRK-0101:resident` where two centres share a
/// reference.
///
/// # Errors
/// In plain words: no such case or party, or more than one.
pub async fn find(db: &Db, party: &str) -> Result<Party> {
    let Some((case, role)) = party.rsplit_once(':') else {
        bail!("{party:?} is no party; write BRK-0101:resident, :contact or :referrer")
    };
    let Ok(role) = role.parse::<Role>() else {
        bail!("{role:?} is no role; write resident, contact or referrer")
    };
    let case = crate::store::cases::find(db, case).await?;
    match db
        .one(
            format!("{PARTY} WHERE p.case_id = $1 AND p.role = $2"),
            args![&case.id, role.as_str()],
        )
        .await?
    {
        Some(r) => read(&r),
        None => bail!("the case {} has no {role}", case.case_ref),
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

/// An address as it is stored.
#[derive(Debug, Clone)]
pub struct StoredAddress {
    /// Its id.
    pub id: AddressId,
    /// `sms`, `telegram`, `whatsapp` or `ring`.
    pub channel: String,
    /// The number or the chat's id.
    pub value: String,
    /// Its look-up hash.
    pub hash: String,
    /// `safe`, `ring_first` or `never`.
    pub safe: String,
    /// `current`, `pending` or `past`.
    pub state: String,
    /// It rests since then: a stranger answered.
    pub paused_at: Option<DateTime<Utc>>,
    /// The bot was blocked there since then.
    pub blocked_at: Option<DateTime<Utc>>,
}

/// Every address that a party has or had.
pub async fn addresses(tx: &mut Tx, party_id: &PartyId) -> Result<Vec<StoredAddress>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT id, channel, number, number_hash, safe, state, paused_at, blocked_at
             FROM address
             WHERE party_id = $1
             ORDER BY since, id",
            args![party_id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(StoredAddress {
                id: r.id("id")?,
                channel: r.text("channel")?,
                value: seal.open(&r.text("number")?).0,
                hash: r.text("number_hash")?,
                safe: r.text("safe")?,
                state: r.text("state")?,
                paused_at: r.time_opt("paused_at")?,
                blocked_at: r.time_opt("blocked_at")?,
            })
        })
        .collect()
}

/// The present addresses on which these parties get texts: (centre, channel, hash).
pub async fn routes_of(
    tx: &mut Tx,
    party_ids: &[PartyId],
) -> Result<Vec<(String, Channel, String)>> {
    let mut out = Vec::new();
    for id in party_ids {
        let rows = tx
            .all(
                "SELECT c.centre, a.channel, a.number_hash
                 FROM address a
                 JOIN party p ON p.id = a.party_id
                 JOIN case_file c ON c.id = p.case_id
                 WHERE a.party_id = $1 AND a.state = 'current' AND a.channel <> 'ring'",
                args![id],
            )
            .await?;
        for r in rows {
            out.push((
                r.text("centre")?,
                r.word("channel")?,
                r.text("number_hash")?,
            ));
        }
    }
    Ok(out)
}

/// The other parties of the case: id and name.
pub async fn others(tx: &mut Tx, party: &Party) -> Result<Vec<(PartyId, Private)>> {
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

/// Whether another party of the case has or ever had this address (rule a9: a hard error).
pub async fn is_the_others(tx: &mut Tx, party: &Party, hash: &str) -> Result<bool> {
    let row = tx
        .one(
            "SELECT a.id
             FROM address a
             JOIN party p ON p.id = a.party_id
             WHERE p.case_id = $1 AND p.id <> $2 AND a.number_hash = $3
             LIMIT 1",
            args![&party.case_id, &party.id, hash],
        )
        .await?;
    Ok(row.is_some())
}

/// Gives a party this address on a channel; those it had there are past.
pub async fn set_address(
    tx: &mut Tx,
    now: DateTime<Utc>,
    party_id: &PartyId,
    address: &Address,
    hash: &str,
) -> Result<()> {
    let (channel, value) = (address.channel().as_str(), tx.seal().seal(address.as_str()));
    tx.exec(
        "UPDATE address
         SET state = 'past'
         WHERE party_id = $1 AND channel = $2 AND state <> 'past' AND number_hash <> $3",
        args![party_id, channel, hash],
    )
    .await?;
    tx.exec(
        "INSERT INTO address (
           id, party_id, channel, number, number_hash, safe, verified, state, since
         )
         VALUES ($1, $2, $3, $4, $5, 'safe', TRUE, 'current', $6)
         ON CONFLICT (party_id, channel, number_hash) DO UPDATE SET
           safe = 'safe', verified = TRUE, state = 'current', blocked_at = NULL, paused_at = NULL",
        args![random_id(), party_id, channel, value, hash, now],
    )
    .await?;
    Ok(())
}

/// Gives an address another state: `current`, `pending` or `past`.
pub async fn set_state(tx: &mut Tx, address_id: &AddressId, state: &str) -> Result<()> {
    tx.exec(
        "UPDATE address SET state = $1 WHERE id = $2",
        args![state, address_id],
    )
    .await?;
    Ok(())
}

/// Says whether texts may go to a party's address on a channel, and that staff have spoken with its
/// owner.
pub async fn set_safe(
    tx: &mut Tx,
    party_id: &PartyId,
    channel: Channel,
    safe: &str,
) -> Result<u64> {
    tx.exec(
        "UPDATE address
         SET safe = $1, verified = TRUE,
           paused_at = CASE WHEN $1 = 'safe' THEN NULL ELSE paused_at END
         WHERE party_id = $2 AND channel = $3 AND state = 'current'",
        args![safe, party_id, channel.as_str()],
    )
    .await
}

/// Sets the wanted channel, and consent with it.
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

/// Sets the hash of a party's private word; `None` takes it away.
pub async fn set_quiet_word(tx: &mut Tx, party_id: &PartyId, hash: Option<&str>) -> Result<()> {
    tx.exec(
        "UPDATE party SET quiet_word = $1 WHERE id = $2",
        args![hash, party_id],
    )
    .await?;
    Ok(())
}

/// The hours in which this party's phone shows nothing.
pub async fn quiet_of(
    tx: &mut Tx,
    party_id: &PartyId,
) -> Result<Option<crate::domain::local_time::Quiet>> {
    let row = tx
        .one(
            "SELECT safe_hours FROM party WHERE id = $1",
            args![party_id],
        )
        .await?;
    Ok(row
        .map_or(Ok(None), |r| r.text_opt("safe_hours"))?
        .as_deref()
        .and_then(crate::domain::local_time::parse_hours))
}

/// Sets the hours in which a party's phone may show a text (`09:00-15:00`); `None`: whenever the
/// centre sends.
pub async fn set_hours(tx: &mut Tx, party_id: &PartyId, hours: Option<&str>) -> Result<()> {
    tx.exec(
        "UPDATE party SET safe_hours = $1 WHERE id = $2",
        args![hours, party_id],
    )
    .await?;
    Ok(())
}

/// Lets the scheduler look again at questions that could not be put to a party, after it got an
/// address or wants texts again.
pub async fn ask_again(tx: &mut Tx, party_id: &PartyId, now: DateTime<Utc>) -> Result<u64> {
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

/// A single-use code to write; only its hash is kept.
pub struct NewCode<'a> {
    /// The code's hash.
    pub hash: &'a str,
    /// For whom.
    pub party_id: &'a PartyId,
    /// At which bot.
    pub sender: &'a str,
    /// Who made it.
    pub by: &'a str,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// Writes a code; the party's earlier ones end.
pub async fn add_code(tx: &mut Tx, now: DateTime<Utc>, c: &NewCode<'_>) -> Result<()> {
    tx.exec(
        "UPDATE link_code
         SET expires_at = $1
         WHERE party_id = $2 AND used_at IS NULL AND expires_at > $1",
        args![now, c.party_id],
    )
    .await?;
    tx.exec(
        "INSERT INTO link_code (code_hash, party_id, sender, made_at, made_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![c.hash, c.party_id, c.sender, now, c.by, c.expires_at],
    )
    .await?;
    Ok(())
}

/// Uses a code once; gives the party it is for. A code that is used, too old or of another bot is
/// none.
pub async fn use_code(
    tx: &mut Tx,
    now: DateTime<Utc>,
    hash: &str,
    sender: &str,
) -> Result<Option<PartyId>> {
    let row = tx
        .one(
            "SELECT party_id
             FROM link_code
             WHERE code_hash = $1 AND sender = $2 AND used_at IS NULL AND expires_at > $3",
            args![hash, sender, now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let n = tx
        .exec(
            "UPDATE link_code SET used_at = $1 WHERE code_hash = $2 AND used_at IS NULL",
            args![now, hash],
        )
        .await?;
    if n == 1 {
        row.id("party_id").map(Some)
    } else {
        Ok(None)
    }
}

/// A chat that waits until staff have heard its number.
pub struct WaitingChat {
    /// Its id.
    pub id: WaitingChatId,
    /// The bot.
    pub sender: String,
    /// The chat.
    pub chat: Address,
    /// Its hash.
    pub chat_hash: String,
    /// The four digits.
    pub number: String,
    /// Wrong numbers so far.
    pub tries: i64,
}

/// Lets a chat wait; an earlier one of the same party is void.
pub async fn add_waiting(
    tx: &mut Tx,
    now: DateTime<Utc>,
    party_id: &PartyId,
    sender: &str,
    chat: (&Address, &str),
    number: &str,
) -> Result<()> {
    let seal = tx.seal();
    tx.exec(
        "UPDATE link_wait SET state = 'void' WHERE party_id = $1 AND state = 'open'",
        args![party_id],
    )
    .await?;
    tx.exec(
        "INSERT INTO link_wait (
           id, party_id, sender, chat, chat_hash, number, tries, asked_at, state
         )
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 'open')",
        args![
            random_id(),
            party_id,
            sender,
            seal.seal(chat.0.as_str()),
            chat.1,
            seal.seal(number),
            now
        ],
    )
    .await?;
    Ok(())
}

/// The chat that waits for a party, if it asked since `since`.
pub async fn waiting(
    tx: &mut Tx,
    party_id: &PartyId,
    since: DateTime<Utc>,
) -> Result<Option<WaitingChat>> {
    let seal = tx.seal();
    let row = tx
        .one(
            "SELECT id, sender, chat, chat_hash, number, tries
             FROM link_wait
             WHERE party_id = $1 AND state = 'open' AND asked_at > $2
             ORDER BY asked_at DESC
             LIMIT 1",
            args![party_id, since],
        )
        .await?;
    let Some(r) = row else { return Ok(None) };
    let Some(chat) = Address::read(Channel::Telegram, &seal.open(&r.text("chat")?).0) else {
        return Ok(None);
    };
    Ok(Some(WaitingChat {
        id: r.id("id")?,
        sender: r.text("sender")?,
        chat,
        chat_hash: r.text("chat_hash")?,
        number: seal.open(&r.text("number")?).0,
        tries: r.int("tries")?,
    }))
}

/// Ends a waiting chat: linked, or given up after too many wrong numbers; or counts a wrong number.
pub async fn end_waiting(tx: &mut Tx, id: &WaitingChatId, state: &str, wrong: i64) -> Result<()> {
    tx.exec(
        "UPDATE link_wait SET state = $1, tries = tries + $2 WHERE id = $3",
        args![state, wrong, id],
    )
    .await?;
    Ok(())
}

/// The texts that a party got in a chat since then, with buttons or not: the provider's ids of
/// them.
pub async fn texts_in_chat(
    tx: &mut Tx,
    party_id: &PartyId,
    chat_hash: &str,
    since: DateTime<Utc>,
) -> Result<Vec<String>> {
    let rows = tx
        .all(
            "SELECT a.provider_id
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             WHERE m.party_id = $1
               AND a.number_hash = $2
               AND a.channel = 'telegram'
               AND a.provider_id IS NOT NULL
               AND a.started_at > $3
             ORDER BY a.started_at DESC
             LIMIT 100",
            args![party_id, chat_hash, since],
        )
        .await?;
    rows.iter().map(|r| r.text("provider_id")).collect()
}
