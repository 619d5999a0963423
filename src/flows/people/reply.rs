//! Staff answer a message that waits for a person, in their own words. The words are checked before
//! they leave.

use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::{InboundId, TaskId};
use crate::domain::local_time::{after_all_quiet, wall};
use crate::domain::outgoing::lint::{self, OtherParties};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Say;
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Mode};
use crate::domain::people::staff::Act;
use crate::flows::compose::speaker;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::service::Service;
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::{Tx, centres, inbox, parties, sessions, staff, tasks};
use anyhow::Context;
use chrono::{DateTime, Duration, Timelike, Utc};

/// An answer that could not leave for this long is dropped.
const LASTS: Duration = Duration::hours(24);

/// What an answer would be, or was.
#[derive(Debug)]
pub struct ReplyForm {
    pub party: String,
    pub words: String,
    /// The SMS parts that they take.
    pub parts: u32,
}

/// What the readers of a phone must not learn from it: names, numbers and arrivals of the other
/// parties of their cases.
async fn others_of(
    tx: &mut Tx,
    svc: &Service,
    owners: &[inbox::Owner],
    now: DateTime<Utc>,
    tz: chrono_tz::Tz,
) -> Result<OtherParties> {
    let mut all = OtherParties::default();
    for owner in owners {
        let party = parties::get(tx, &owner.party_id)
            .await?
            .context("a party is missing")?;
        let of_one = others_of_party(tx, svc, &party, now, tz).await?;
        all.names.extend(of_one.names);
        all.numbers.extend(of_one.numbers);
        all.arrivals.extend(of_one.arrivals);
    }
    Ok(all)
}

async fn others_of_party(
    tx: &mut Tx,
    svc: &Service,
    party: &parties::Party,
    now: DateTime<Utc>,
    tz: chrono_tz::Tz,
) -> Result<OtherParties> {
    let mut others = OtherParties::default();
    for (other, name) in parties::other_parties(tx, party).await? {
        others.names.push(name.0);
        others.numbers.extend(
            parties::addresses(tx, &other)
                .await?
                .into_iter()
                .filter(|a| a.value.starts_with('+'))
                .map(|a| a.value),
        );
    }
    let contexts =
        sessions::contexts_of_case(tx, svc.lines().senders(), &party.case_id, now).await?;
    let at = |t: DateTime<Utc>| (wall(tz, t).hour(), wall(tz, t).minute());
    let own: Vec<(u32, u32)> = contexts
        .iter()
        .filter(|s| s.attendee.role == party.role)
        .map(|s| at(s.attendee.arrives_at))
        .collect();
    let theirs = contexts
        .iter()
        .filter(|s| s.attendee.role != party.role)
        .map(|s| at(s.attendee.arrives_at));
    others.arrivals = theirs.filter(|t| !own.contains(t)).collect();
    Ok(others)
}

/// How far back a conversation is shown.
const SHOWN: Duration = Duration::days(14);

/// A message that waits for a person, with what a person has to know to answer it.
#[derive(Debug)]
pub struct WaitingMessage {
    pub task: tasks::TaskContext,
    /// Who has the number that it came from, by `CASE:role`: one, several, or nobody on file.
    pub parties: Vec<String>,
    /// By which channel it came.
    pub channel: Channel,
    pub message: InboundId,
    /// The centre's zone, in which times are shown.
    pub tz: chrono_tz::Tz,
    /// How much the phones of these parties may show, where that is not everything.
    pub quiet: Option<Mode>,
    /// The messages of the last two weeks, both ways.
    pub passed: Vec<inbox::ThreadEntry>,
}

/// What waits in a task: the message, who may have written it, what was sent before and what was
/// answered.
///
/// # Errors
/// An unknown task, or one that holds no message.
pub async fn waiting(svc: &Service, task: &TaskId) -> Result<WaitingMessage> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let Some(about) = tasks::get(&mut tx, task).await? else {
        return Err(Error::no_task(task));
    };
    let Some(message) = about.inbound_id.clone() else {
        refuse!(
            "task {task} holds no message; it is {} and asks for something else",
            about.topic
        )
    };
    let from = inbox::source_of(&mut tx, &message)
        .await?
        .context("the message of the task is missing")?;
    let lines = svc.lines();
    let owners = inbox::parties_with(
        &mut tx,
        lines.senders(),
        (from.channel, &from.sender),
        &from.hash,
    )
    .await?;
    let mut parties = Vec::with_capacity(owners.len());
    for o in &owners {
        if let Some(p) = parties::get(&mut tx, &o.party_id).await? {
            parties.push(format!("{}:{}", p.case_ref, p.role));
        }
    }
    let all = centres::all_in(&mut tx).await?;
    let tz = owners
        .first()
        .and_then(|o| all.get(&o.centre))
        .or_else(|| all.values().next())
        .map_or(chrono_tz::Tz::UTC, |c| c.centre.tz);
    let quiet = owners
        .iter()
        .map(|o| o.mode)
        .max()
        .filter(|m| *m != Mode::Normal);
    let passed = without_codes(inbox::thread(&mut tx, &from, now - SHOWN).await?);
    Ok(WaitingMessage {
        task: about,
        parties,
        channel: from.channel,
        message,
        tz,
        quiet,
        passed,
    })
}

/// The code of a cancellation is for the parent's phone alone (rule S1): neither it nor what may be
/// one is shown.
fn without_codes(mut passed: Vec<inbox::ThreadEntry>) -> Vec<inbox::ThreadEntry> {
    let secret = |way: &inbox::Direction| matches!(way, inbox::Direction::Out { kind, .. } if [MessageKind::CancelReasonAsk.as_str(), MessageKind::LinkNumber.as_str()].contains(&kind.as_str()));
    let asked = passed.iter().any(|p| secret(&p.direction));
    for p in &mut passed {
        if secret(&p.direction) {
            p.body.0 = "(the question with its code, which only that phone sees)".into();
        } else if asked && matches!(p.direction, inbox::Direction::In { .. }) {
            p.body.0 = mask_codes(&p.body.0);
        }
    }
    passed
}

/// Every four digits in a row.
fn mask_codes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c.filter(char::is_ascii_digit) {
            Some(d) => digits.push(d),
            None => {
                out.push_str(if digits.len() == 4 { "****" } else { &digits });
                digits.clear();
                out.extend(c);
            }
        }
    }
    out
}

/// Answers the message of a task; that completes the task.
///
/// # Errors
/// An unknown task, or one that holds no message; a phone of several families, or one that shows no
/// answers; words that may not leave; somebody who may not.
pub async fn reply(svc: &Service, task: &TaskId, text: &str, by: &str) -> Result<ReplyForm> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, by, Act::Reply).await?;
    let recipient = recipient(svc, &mut tx, task).await?;
    let party = &recipient.party;
    must_take_answers(&mut tx, &recipient).await?;
    let centre = centres::all_in(&mut tx)
        .await?
        .remove(&party.centre)
        .context("the party's centre is missing")?
        .centre;
    // Whoever has this phone reads it, also for a case at another centre.
    let readers = inbox::parties_anywhere(&mut tx, &recipient.hash).await?;
    let others = others_of(&mut tx, svc, &readers, now, centre.tz).await?;
    let wrong = lint::check(text, &svc.templates.refused(&party.language), &others);
    if !wrong.is_empty() {
        refuse!(
            "the text may not leave, nothing was sent:\n  {}",
            wrong.join("\n  ")
        );
    }
    let say = Say::StaffReply {
        text: text.to_owned(),
    };
    let rendered = svc.templates.render(&say, &speaker(&centre), "en")?;
    let quiet: Vec<_> = centre
        .courtesy
        .quiet
        .into_iter()
        .chain(parties::quiet_hours(&mut tx, &party.id).await?)
        .collect();
    let Some(not_before) = after_all_quiet(&quiet, centre.tz, now) else {
        refuse!(
            "the hours of the centre and of this phone leave no moment for a text: ring; nothing \
             was sent"
        )
    };
    let message = NewMessage {
        dedup_key: MessageKey::staff_reply(task),
        kind: MessageKind::StaffReply,
        centre: party.centre.clone(),
        case_id: Some(party.case_id.clone()),
        party_id: Some(party.id.clone()),
        role: Some(party.role),
        session: None,
        to: Some((recipient.address.clone(), recipient.hash.clone())),
        channel: recipient.line.0,
        payload: Payload::StaffText(text.to_owned()),
        not_before,
        not_after: Some(not_before + LASTS),
    };
    outbox::enqueue(&mut tx, now, &[message]).await?;
    tasks::mark_done(&mut tx, now, task).await?;
    let fact = Fact::new("answered_by_staff", "D3", by, now)
        .case(&party.case_id)
        .role(party.role);
    facts::add(&mut tx, now, &[fact]).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.changed.notify_waiters();
    Ok(ReplyForm {
        party: format!("{}:{}", party.case_ref, party.role),
        words: rendered.body,
        parts: rendered.segments,
    })
}

/// The one party that a message waits from.
struct Recipient {
    party: parties::Party,
    address: Address,
    hash: String,
    /// The line that the message came by: channel and our sender.
    line: (Channel, String),
}

async fn recipient(svc: &Service, tx: &mut Tx, task: &TaskId) -> Result<Recipient> {
    let Some(t) = tasks::get(tx, task).await? else {
        return Err(Error::no_task(task));
    };
    if t.state != "open" {
        refuse!("task {task} is done already; nothing was sent");
    }
    let Some(inbound) = t.inbound_id.as_ref() else {
        refuse!("task {task} holds no message to answer; it asks for something else")
    };
    let from = inbox::source_of(tx, inbound)
        .await?
        .context("the message of the task is missing")?;
    let Some(address) = Address::read(from.channel, &from.address) else {
        refuse!("the message came from no number that can be answered; nothing was sent")
    };
    let lines = svc.lines();
    let at = (from.channel, from.sender.as_str());
    let owners = inbox::parties_with(tx, lines.senders(), at, &from.hash).await?;
    let of_task: Vec<_> = owners
        .iter()
        .filter(|o| t.case_id.as_ref().is_none_or(|c| *c == o.case_id))
        .collect();
    let [owner] = of_task.as_slice() else {
        refuse!(
            "{}; ring instead, nothing was sent",
            if owners.is_empty() {
                "nobody on file has that number"
            } else {
                "several families have that phone, and which one is meant is not clear"
            }
        )
    };
    let party = parties::get(tx, &owner.party_id)
        .await?
        .context("the party is missing")?;
    Ok(Recipient {
        party,
        address,
        hash: from.hash,
        line: (from.channel, from.sender),
    })
}

async fn must_take_answers(tx: &mut Tx, to: &Recipient) -> Result<()> {
    if to.party.mode != Mode::Normal {
        refuse!(
            "this party's phone is {}: it shows no answers, so ring at a safe time; nothing was \
             sent",
            to.party.mode
        );
    }
    let (channel, sender) = to.line.clone();
    if inbox::opted_out_among(tx, std::slice::from_ref(&to.hash))
        .await?
        .contains(&(channel, sender, to.hash.clone()))
    {
        refuse!("this party wants no texts: ring; nothing was sent");
    }
    Ok(())
}
