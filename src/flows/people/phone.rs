//! What staff learn about a phone from its owner: what it may show and when, whether it is safe, and
//! whether a new number is theirs. A quieter setting needs only a word. A louder one needs a talk, in
//! person or by ringing the number on file (safety rules D1, D2, a4, a10).

use crate::domain::local_time::parse_hours;
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::people::staff::Act;
use crate::domain::replies::understanding::{Intent, normalize, understand};
use crate::domain::task::TaskKind;
use crate::flows::error::{Result, refuse};
use crate::flows::recording::not_in_the_future;
use crate::flows::service::Service;
use crate::store::facts::{self, Fact};
use crate::store::parties::{self, Party};
use crate::store::{Tx, staff, tasks};
use crate::string_enum;
use chrono::{DateTime, Utc};

string_enum! {
    /// How staff know that they spoke with the right person (rule a10).
    Spoken {
        /// In person, with photo ID.
        InPerson = "in-person",
        /// On the number on file, which staff rang.
        CalledBack = "called-back",
    }
}

/// What is recorded about a party's phone; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct PhoneChange {
    /// How much it may show.
    pub mode: Option<Mode>,
    /// Hours in which it may show a text, `09:00-15:00`; an empty text: whenever the centre sends.
    pub hours: Option<String>,
    /// Whether its number may be texted: `safe`, `ring_first` or `never`.
    pub sms: Option<String>,
    /// Whether its chat may be written to.
    pub telegram: Option<String>,
    /// Whether its number may be written to on WhatsApp; `safe` also begins it on the number on
    /// file.
    pub whatsapp: Option<String>,
    /// The number that waits is theirs: it takes the old one's place.
    pub confirm_number: bool,
    /// The number that waits is not theirs.
    pub refuse_number: bool,
    pub unlink: bool,
    /// The private word that the parent chose (rule D5); an empty text takes it away.
    pub quiet_word: Option<String>,
    /// How staff know whom they spoke with.
    pub spoken: Option<Spoken>,
}

/// What was changed so far: in words for staff, and as kinds of facts.
#[derive(Default)]
struct Done {
    words: Vec<String>,
    kinds: Vec<&'static str>,
}

impl Done {
    fn add(&mut self, kind: &'static str, words: impl Into<String>) {
        self.words.push(words.into());
        self.kinds.push(kind);
    }
}

impl PhoneChange {
    fn needs_talk(&self, what: &str) -> Result<()> {
        if self.spoken.is_none() {
            refuse!(
                "{what} takes a talk with the parent: add --spoken in-person (with photo ID) or \
                 --spoken called-back (on the number on file); nothing was changed"
            );
        }
        Ok(())
    }
}

/// Records what staff learned; returns what was changed, in words.
///
/// # Errors
/// A louder setting without a talk, a number of the other party, nothing to change; somebody who may
/// not.
pub async fn change(
    svc: &Service,
    party: &Party,
    c: &PhoneChange,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<String>> {
    let now = svc.clock.now();
    not_in_the_future(at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Family).await?;
    let mut done = Done::default();
    set_mode(&mut tx, party, c, &mut done).await?;
    set_hours(&mut tx, party, c, &mut done).await?;
    for (channel, safe) in [
        (Channel::Sms, &c.sms),
        (Channel::Telegram, &c.telegram),
        (Channel::Whatsapp, &c.whatsapp),
    ] {
        if let Some(safe) = safe {
            set_safe(&mut tx, party, c, (channel, safe), now, &mut done).await?;
        }
    }
    if c.confirm_number || c.refuse_number {
        let words = settle_pending(&mut tx, party, c).await?;
        let (case, role) = (&party.case_id, party.role);
        tasks::mark_done_of_party(&mut tx, now, case, role, TaskKind::ConfirmNumber).await?;
        let kind = if c.confirm_number {
            "number_confirmed"
        } else {
            "number_refused"
        };
        done.add(kind, words);
    }
    if c.unlink {
        unlink(&mut tx, party).await?;
        done.add("unlinked", "the chat is not used any more");
    }
    if let Some(words) = &c.quiet_word {
        let said = set_quiet_word(&mut tx, party, words).await?;
        done.add("quiet_word_changed", said);
    }
    if done.words.is_empty() {
        refuse!(
            "nothing to record: name a mode, hours, an address, a number or a quiet word; \
             `courtesy record family --help` shows all"
        );
    }
    parties::reschedule_asks(&mut tx, &party.id, now).await?;
    let detail = c.spoken.map_or("", Spoken::as_str);
    let list: Vec<Fact<'_>> = done
        .kinds
        .iter()
        .map(|kind| {
            Fact::new(kind, "D1", by, at)
                .case(&party.case_id)
                .role(party.role)
                .detail(detail)
        })
        .collect();
    facts::add(&mut tx, now, &list).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(done.words)
}

async fn set_mode(tx: &mut Tx, party: &Party, c: &PhoneChange, done: &mut Done) -> Result<()> {
    let Some(mode) = c.mode else { return Ok(()) };
    if mode < party.mode {
        c.needs_talk("a louder mode")?;
    }
    parties::set_mode(tx, &party.id, mode).await?;
    done.add("mode_changed", format!("mode: {} -> {mode}", party.mode));
    Ok(())
}

async fn set_hours(tx: &mut Tx, party: &Party, c: &PhoneChange, done: &mut Done) -> Result<()> {
    let Some(hours) = &c.hours else {
        return Ok(());
    };
    let set = Some(hours.trim()).filter(|h| !h.is_empty());
    if let Some(h) = set
        && parse_hours(h).is_none()
    {
        refuse!(
            "--hours: {h:?} is no span of the day; write 09:00-15:00, or \"\" for whenever the \
             centre sends"
        );
    }
    if party.has_hours {
        // Other hours than those that were agreed may be louder.
        c.needs_talk("other hours than those on file")?;
    }
    parties::set_hours(tx, &party.id, set).await?;
    let words = set.map_or_else(
        || "texts whenever the centre sends".to_owned(),
        |h| format!("texts only {h}"),
    );
    done.add("safe_hours_changed", words);
    Ok(())
}

/// Says of a party's address on a channel whether it is safe.
async fn set_safe(
    tx: &mut Tx,
    party: &Party,
    c: &PhoneChange,
    (channel, safe): (Channel, &str),
    now: DateTime<Utc>,
    done: &mut Done,
) -> Result<()> {
    if safe == "safe" {
        c.needs_talk("calling an address safe")?;
    }
    if parties::set_safe(tx, &party.id, channel, safe).await? == 0
        && !begins_whatsapp(tx, party, channel, safe, now).await?
    {
        refuse!(
            "{}:{} has no address on {channel}; nothing was changed",
            party.case_ref,
            party.role
        );
    }
    done.add(
        "address_changed",
        format!("{channel}: {}", safe.replace('_', " ")),
    );
    if safe == "safe" {
        let (case, role) = (&party.case_id, party.role);
        tasks::mark_done_of_party(tx, now, case, role, TaskKind::RingWrongNumber).await?;
    }
    Ok(())
}

async fn unlink(tx: &mut Tx, party: &Party) -> Result<()> {
    for a in parties::addresses(tx, &party.id)
        .await?
        .iter()
        .filter(|a| a.channel == "telegram" && a.state == "current")
    {
        parties::set_state(tx, &a.id, "past").await?;
    }
    if party.channel == Channel::Telegram {
        parties::set_channel(tx, &party.id, Channel::Sms, party.consent).await?;
    }
    Ok(())
}

/// Begins WhatsApp on the number on file for a parent who wants it, as the channel that is tried
/// first.
async fn begins_whatsapp(
    tx: &mut Tx,
    party: &Party,
    channel: Channel,
    safe: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    if channel != Channel::Whatsapp || safe != "safe" {
        return Ok(false);
    }
    let on_file = parties::addresses(tx, &party.id).await?;
    let Some(phone) = on_file
        .iter()
        .find(|a| a.state == "current" && a.channel != Channel::Telegram.as_str())
    else {
        return Ok(false);
    };
    let Some(address) =
        Address::read(channel, &phone.value).filter(|a| a.phone().is_some_and(|p| p.takes_texts()))
    else {
        return Ok(false);
    };
    parties::set_address(tx, now, &party.id, &address, &phone.hash).await?;
    // A wish for WhatsApp is no consent to texts.
    if party.consent != Consent::Yes {
        parties::set_safe(tx, &party.id, Channel::Sms, "ring_first").await?;
    }
    parties::set_channel(tx, &party.id, channel, Consent::Yes).await?;
    Ok(true)
}

/// Sets the quiet word: a message that a person would read anyway, so that its answer looks ordinary.
/// Only its keyed hash is kept.
async fn set_quiet_word(tx: &mut Tx, party: &Party, words: &str) -> Result<String> {
    let said = normalize(words);
    if said.is_empty() {
        parties::set_quiet_word(tx, &party.id, None).await?;
        return Ok("no quiet word".into());
    }
    let intent = understand(words).intent;
    let acts = !matches!(
        intent,
        Intent::Question
            | Intent::DetailsChange
            | Intent::Reschedule
            | Intent::RunningLate
            | Intent::Unclear
    );
    if acts || said.chars().count() < 8 || !said.contains(' ') {
        refuse!(
            "--quiet-word: choose an everyday question of at least two words that is no answer, \
             such as \"is there parking\"; nothing was changed"
        );
    }
    let hash = tx.seal().quiet_word_hash(&party.id, &said);
    parties::set_quiet_word(tx, &party.id, Some(&hash)).await?;
    Ok("a quiet word; it is kept as a hash that nobody can read".into())
}

/// Confirms or refuses the number that waits.
async fn settle_pending(tx: &mut Tx, party: &Party, c: &PhoneChange) -> Result<String> {
    let addresses = parties::addresses(tx, &party.id).await?;
    let pending: Vec<_> = addresses.iter().filter(|a| a.state == "pending").collect();
    if c.refuse_number && !pending.is_empty() {
        for a in &pending {
            parties::set_state(tx, &a.id, "past").await?;
        }
        return Ok("the number that waited is not used".into());
    }
    let mut hashes: Vec<&str> = pending.iter().map(|a| a.hash.as_str()).collect();
    hashes.dedup();
    let ([new, ..], [_]) = (pending.as_slice(), hashes.as_slice()) else {
        refuse!(
            "{}:{} has {} that waits to be confirmed; nothing was changed",
            party.case_ref,
            party.role,
            if pending.is_empty() {
                "no number"
            } else {
                "more than one number"
            }
        )
    };
    if new.channel == Channel::Telegram.as_str() {
        refuse!(
            "what waits is a chat, not a number: make a link with `courtesy link` and let the \
             parent open it; nothing was changed"
        );
    }
    c.needs_talk("a new number")?;
    if parties::belongs_to_another_party(tx, party, &new.hash).await? {
        refuse!(
            "another party of this case has or had that number: messages would reach the wrong \
             person; nothing was changed"
        );
    }
    for old in addresses
        .iter()
        .filter(|a| a.state == "current" && a.channel != "telegram")
    {
        parties::set_state(tx, &old.id, "past").await?;
    }
    // A number that is agreed for WhatsApp too has two rows.
    for new in &pending {
        parties::set_state(tx, &new.id, "current").await?;
    }
    parties::set_safe(tx, &party.id, Channel::Sms, "safe").await?;
    parties::set_safe(tx, &party.id, Channel::Whatsapp, "safe").await?;
    Ok("the new number is used from now on, the old one not any more".into())
}
