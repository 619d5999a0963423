//! Links a Telegram chat to a party. The first time a single-use code is enough; another chat is
//! linked only when staff have heard the number that it shows. A new link ends the old chat at once
//! (safety rules G1 to G3, a9, a15).

use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Say;
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Consent};
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::flows::compose::speaker;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::lines::{Lines, message_of};
use crate::flows::service::Service;
use crate::store::errands::{self, NewErrand};
use crate::store::facts::{self, Fact};
use crate::store::inbox::{self, Inbound};
use crate::store::outbox::{self, NewMessage};
use crate::store::parties::{self, NewLinkCode, Party};
use crate::store::sealed::{random_token, random_u32};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, messages, staff};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};

/// How long a code can be used.
pub const CODE_LASTS: Duration = Duration::hours(24);
/// How long a chat waits for staff to hear its number.
const NUMBER_LASTS: Duration = Duration::hours(24);
/// Wrong numbers before a waiting chat is given up.
const WRONG_NUMBERS: i64 = 3;
/// Texts of an old chat that are replaced go back this far.
const REPLACED_SINCE: Duration = Duration::days(30);
/// An answer that could not leave for this long is dropped.
const ANSWER_LASTS: Duration = Duration::hours(1);

/// The code in `/start CODE`, as a bot gets it from a link.
pub fn code_in(text: &str) -> Option<&str> {
    let code = text.trim().strip_prefix("/start ")?.trim();
    (!code.is_empty()
        && code.len() <= 64
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'))
    .then_some(code)
}

/// Makes a single-use code for a party: 128 bit, good for 24 hours. Only its hash is kept.
pub async fn make_code(svc: &Service, party: &Party, by: &str) -> Result<String> {
    let lines = svc.lines();
    let line = lines
        .of(&party.centre, Channel::Telegram)
        .ok_or_else(|| Error::refused("no bot is set: fill in [telegram] in courtesy.toml"))?;
    let now = svc.clock.now();
    let code = random_token();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Link).await?;
    let hash = tx.seal().secret_hash(&code);
    parties::add_link_code(
        &mut tx,
        now,
        &NewLinkCode {
            hash: &hash,
            party_id: &party.id,
            sender: &line.sender,
            by,
            expires_at: now + CODE_LASTS,
        },
    )
    .await?;
    fact(&mut tx, party, "link_made", now, by, now).await?;
    tx.commit().await?;
    Ok(code)
}

async fn fact(
    tx: &mut Tx,
    party: &Party,
    kind: &str,
    at: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let f = Fact::new(kind, "G1", by, at)
        .case(&party.case_id)
        .role(party.role);
    facts::add(tx, now, &[f]).await
}

/// A chat pressed Start with a code. Returns what was understood and the rule, as for every message.
pub(crate) async fn start(
    svc: &Service,
    tx: &mut Tx,
    lines: &Lines,
    inbound: &Inbound,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(&'static str, &'static str)> {
    let Some(chat) = inbound.from.clone() else {
        return Ok(("link", "no-chat"));
    };
    let hash = tx.seal().secret_hash(code);
    let party = match parties::use_link_code(tx, now, &hash, &inbound.sender).await? {
        Some(id) => parties::get(tx, &id).await?,
        None => None,
    };
    let Some(party) = party else {
        refuse(svc, tx, lines, inbound, &chat, now).await?;
        return Ok(("link", "a15"));
    };
    let task = |topic, dedup_key: TaskKey| NewTask {
        centre: None,
        case_id: None,
        role: Some(party.role),
        inbound_id: None,
        ..NewTask::new(dedup_key, topic)
    };
    if parties::belongs_to_another_party(tx, &party, &inbound.number_hash).await? {
        // Rule a9: what is said to one parent would be read by the other. The code is spent, and a
        // person looks.
        let t = NewTask {
            case_id: Some(&party.case_id),
            inbound_id: Some(&inbound.id),
            ..task(TaskKind::LinkRefused, TaskKey::link_refused(&inbound.id))
        };
        tasks::open(tx, now, &t).await?;
        refuse(svc, tx, lines, inbound, &chat, now).await?;
        return Ok(("link", "a9"));
    }
    let chats: Vec<_> = parties::addresses(tx, &party.id)
        .await?
        .into_iter()
        .filter(|a| a.channel == Channel::Telegram.as_str())
        .collect();
    let known = chats.iter().any(|a| {
        a.hash == inbound.number_hash
            && a.state == "current"
            && a.paused_at.is_none()
            && a.safe == "safe"
    });
    if chats.is_empty() || known {
        link(
            tx,
            &party,
            (&chat, &inbound.number_hash),
            &inbound.sender,
            "courtesy",
            now,
        )
        .await?;
        reply(
            tx,
            &party,
            inbound,
            &chat,
            MessageKind::Welcome,
            Payload::None,
            now,
        )
        .await?;
        return Ok(("link", "G1-first"));
    }
    // Another chat had it before: a stolen code alone must not move a parent's texts. Until staff
    // have heard the number, nothing goes there.
    let number = format!("{:04}", random_u32() % 10_000);
    parties::add_waiting_chat(
        tx,
        now,
        &party.id,
        &inbound.sender,
        (&chat, &inbound.number_hash),
        &number,
    )
    .await?;
    let t = NewTask {
        case_id: Some(&party.case_id),
        inbound_id: Some(&inbound.id),
        ..task(TaskKind::ConfirmChat, TaskKey::confirm_chat(&inbound.id))
    };
    tasks::open(tx, now, &t).await?;
    reply(
        tx,
        &party,
        inbound,
        &chat,
        MessageKind::LinkNumber,
        Payload::LinkNumber(number),
        now,
    )
    .await?;
    Ok(("link", "G1-waits"))
}

async fn refuse(
    svc: &Service,
    tx: &mut Tx,
    lines: &Lines,
    inbound: &Inbound,
    chat: &Address,
    now: DateTime<Utc>,
) -> Result<()> {
    // Rule a2: who tries codes gets one answer an hour.
    let lately =
        messages::answers_since(tx, &inbound.number_hash, now - Duration::hours(1)).await?;
    if lately
        .iter()
        .any(|(kind, ..)| *kind == MessageKind::LinkRefused)
    {
        return Ok(());
    }
    let all = centres::all_in(tx).await?;
    let Some(centre) = all
        .keys()
        .find(|c| {
            lines
                .senders()
                .speaks_for(&inbound.sender, c, Channel::Telegram)
        })
        .or_else(|| all.keys().next())
    else {
        tracing::warn!("a chat asked to be linked, and there is no centre yet");
        return Ok(());
    };
    let message = NewMessage {
        dedup_key: MessageKey::reply(&inbound.id),
        kind: MessageKind::LinkRefused,
        centre: centre.clone(),
        case_id: None,
        party_id: None,
        role: None,
        session: None,
        to: Some((chat.clone(), inbound.number_hash.clone())),
        channel: Channel::Telegram,
        payload: Payload::None,
        not_before: now,
        not_after: Some(now + ANSWER_LASTS),
    };
    outbox::enqueue(tx, now, &[message]).await?;
    svc.wake_senders();
    Ok(())
}

async fn reply(
    tx: &mut Tx,
    party: &Party,
    inbound: &Inbound,
    chat: &Address,
    kind: MessageKind,
    payload: Payload,
    now: DateTime<Utc>,
) -> Result<()> {
    let message = NewMessage {
        dedup_key: MessageKey::reply(&inbound.id),
        kind,
        centre: party.centre.clone(),
        case_id: Some(party.case_id.clone()),
        party_id: Some(party.id.clone()),
        role: Some(party.role),
        session: None,
        to: Some((chat.clone(), inbound.number_hash.clone())),
        channel: Channel::Telegram,
        payload,
        not_before: now,
        not_after: Some(now + ANSWER_LASTS),
    };
    outbox::enqueue(tx, now, &[message]).await?;
    Ok(())
}

/// Links this chat to a party. An old one ends at once: its buttons die and its last texts say that
/// they are no longer in use (rule G2).
async fn link(
    tx: &mut Tx,
    party: &Party,
    chat: (&Address, &str),
    sender: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let old: Vec<_> = parties::addresses(tx, &party.id)
        .await?
        .into_iter()
        .filter(|a| {
            a.channel == Channel::Telegram.as_str() && a.state == "current" && a.hash != chat.1
        })
        .collect();
    parties::set_address(tx, now, &party.id, chat.0, chat.1).await?;
    // Pressing Start with the party's own code is a wish for messages here; a STOP elsewhere stays
    // as it is.
    if party.consent != Consent::Yes {
        parties::set_safe(tx, &party.id, Channel::Sms, "ring_first").await?;
    }
    parties::set_channel(tx, &party.id, Channel::Telegram, Consent::Yes).await?;
    inbox::set_opt_out(tx, (Channel::Telegram, sender), chat.1, false, None, now).await?;
    parties::reschedule_asks(tx, &party.id, now).await?;
    fact(tx, party, "linked", now, by, now).await?;
    if old.is_empty() {
        return Ok(());
    }
    let centre = centres::all_in(tx)
        .await?
        .remove(&party.centre)
        .context("the centre of the party is missing")?
        .centre;
    for gone in old {
        let Some(address) = Address::read(Channel::Telegram, &gone.value) else {
            continue;
        };
        for provider_id in
            parties::provider_ids_in_chat(tx, &party.id, &gone.hash, now - REPLACED_SINCE).await?
        {
            if let Some(message) = message_of(&provider_id) {
                let words = words_of_an_old_chat(&centre);
                errands::add(
                    tx,
                    now,
                    &NewErrand {
                        sender,
                        what: "replace",
                        chat: &address,
                        target: &message.to_string(),
                        text: &words,
                    },
                    Duration::hours(47),
                )
                .await?;
            }
        }
    }
    Ok(())
}

fn words_of_an_old_chat(centre: &crate::domain::centre::Centre) -> String {
    // Rendered when it is done, by the words of the program; the errand holds only whose words they
    // are.
    speaker(centre).short_name
}

/// The text that replaces others in a chat that is no longer used.
pub(crate) fn no_longer_in_use(svc: &Service, short_name: &str) -> Result<String> {
    let speaker = crate::domain::outgoing::say::Speaker {
        centre: String::new(),
        short_name: short_name.to_owned(),
        phone: String::new(),
        emergency_number: String::new(),
        languages: Vec::new(),
    };
    Ok(svc
        .templates
        .render(&Say::NoLongerInUse, &speaker, "en")?
        .body)
}

/// Links a waiting chat: staff have heard the number that it shows, in person or on the verified
/// number that they rang.
///
/// # Errors
/// No chat waits, or the number is another one; after three wrong ones the chat is given up.
/// Somebody who may not.
pub async fn confirm(svc: &Service, party: &Party, number: &str, by: &str) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Link).await?;
    let Some(w) = parties::waiting_chat(&mut tx, &party.id, now - NUMBER_LASTS).await? else {
        refuse!(
            "no chat of {}:{} waits for its number; make a new link with `courtesy link`",
            party.case_ref,
            party.role
        )
    };
    if w.number != number.trim() {
        let last = w.tries + 1 >= WRONG_NUMBERS;
        parties::end_waiting_chat(&mut tx, &w.id, if last { "void" } else { "open" }, 1).await?;
        tx.commit().await?;
        refuse!(
            "that is not the number that the chat shows; nothing was linked{}",
            if last {
                ", and that chat is given up: make a new link"
            } else {
                ""
            }
        );
    }
    if parties::belongs_to_another_party(&mut tx, party, &w.chat_hash).await? {
        refuse!("another party of this case has or had that chat; nothing was linked");
    }
    parties::end_waiting_chat(&mut tx, &w.id, "done", 0).await?;
    link(&mut tx, party, (&w.chat, &w.chat_hash), &w.sender, by, now).await?;
    tasks::mark_done_of_party(
        &mut tx,
        now,
        &party.case_id,
        party.role,
        TaskKind::ConfirmChat,
    )
    .await?;
    let welcome = NewMessage {
        dedup_key: MessageKey::welcome(&w.id),
        kind: MessageKind::Welcome,
        centre: party.centre.clone(),
        case_id: Some(party.case_id.clone()),
        party_id: Some(party.id.clone()),
        role: Some(party.role),
        session: None,
        to: Some((w.chat.clone(), w.chat_hash.clone())),
        channel: Channel::Telegram,
        payload: Payload::None,
        not_before: now,
        not_after: Some(now + ANSWER_LASTS),
    };
    outbox::enqueue(&mut tx, now, &[welcome]).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.wake_errands.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_what_a_link_brings() {
        assert_eq!(code_in("/start 0a1b2c"), Some("0a1b2c"));
        for text in [
            "/start",
            "/start ",
            "start 0a1b",
            "/start a b",
            "/start é",
            "yes",
        ] {
            assert_eq!(code_in(text), None, "{text}");
        }
        assert_eq!(code_in(&format!("/start {}", "a".repeat(65))), None);
    }
}
