//! Queues the texts about money that a case calls for, and withdraws those that it no longer does.

use crate::domain::dedup_key::{MessageKey, TaskKey};
use crate::domain::ids::SessionId;
use crate::domain::local_time::{instant, wall};
use crate::domain::money::policy::recorded_fact::OWED_AGAIN;
use crate::domain::money::policy::{FeeState, NoticeKind};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::role::Role;
use crate::domain::people::senders::Senders;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::compose::message_to;
use crate::flows::money::assessed_case::{AssessedCase, CalledNotice, allowed, still_so};
use crate::flows::money::{notified, owed_again};
use crate::store::Tx;
use crate::store::money::{self, MoneyText};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions;
use anyhow::Result;
use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use std::collections::HashSet;

/// A text about money waits this long after the message that caused it, so that staff see it before
/// it is sent (safety rule M2).
const TIME_TO_LOOK: Duration = Duration::minutes(10);

/// A text that is called for now.
struct WantedText<'a> {
    dedup_key: MessageKey,
    kind: MessageKind,
    session: &'a SessionId,
    role: Role,
    /// The instant that the rules call for.
    at: DateTime<Utc>,
    /// The date that it names, if that is not the date of the visit as it is booked.
    date: Option<NaiveDate>,
}

fn asks(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::FeeNotice | MessageKind::NoteRequest | MessageKind::NoteReminder
    )
}

/// The texts that are called for and still true. Of each kind only the last one, because an earlier
/// fee of the session was voided.
fn wanted<'a>(
    seen: &AssessedCase<'_>,
    called: &'a [CalledNotice<'_>],
    undecided: &HashSet<SessionId>,
    texts: &'a [MoneyText],
    now: DateTime<Utc>,
) -> Vec<WantedText<'a>> {
    let assessed = &seen.assessed;
    let mut list: Vec<WantedText<'a>> = Vec::new();
    for c in called {
        let (Some(kind), Some(role)) = (c.kind.private_text(), c.role) else {
            continue;
        };
        // If the fee was never asked for and was settled by money meant for another one, its
        // receipt waits for the manager as well.
        let unheard = kind == MessageKind::FeeSettled
            && !undecided.is_empty()
            && !texts.iter().any(|t| t.session.as_ref() == Some(c.session));
        if unheard
            || (asks(kind) && undecided.contains(c.session))
            || !still_so(kind, assessed, c.session, Some(role), now)
        {
            continue;
        }
        list.retain(|w| !(w.kind == kind && w.session == c.session && w.role == role));
        list.push(WantedText {
            dedup_key: MessageKey::money(kind, c.session, role, c.n),
            kind,
            session: c.session,
            role,
            at: c.at,
            date: None,
        });
    }
    asked_again(seen, undecided, texts, now, &mut list);
    // A party who was asked for money that they do not owe after all is told so: a notice cannot be
    // unsent, so another one corrects it. A party who was asked again after a receipt is told when
    // that is settled.
    for t in texts
        .iter()
        .filter(|t| t.kind == MessageKind::FeeNotice && t.is_dealt_with())
    {
        let (Some(session), Some(role)) = (t.session.as_ref(), t.role) else {
            continue;
        };
        let settled = called.iter().any(|c| {
            c.kind == NoticeKind::Message(MessageKind::FeeSettled)
                && c.session == session
                && c.role == Some(role)
        });
        let by_mistake = t.may_have_left()
            && !settled
            && assessed.standing(session, now).liable.map(|p| p.role()) != Some(role);
        let receipt_comes = list.iter().any(|w| {
            w.kind == MessageKind::FeeSettled
                && w.session == session
                && w.role == role
                && !texts
                    .iter()
                    .any(|t| t.dedup_key == w.dedup_key && t.is_dealt_with())
        });
        let once_more = t.dedup_key.is_money_again()
            && !receipt_comes
            && still_so(MessageKind::FeeSettled, assessed, session, Some(role), now);
        if by_mistake || once_more {
            list.push(WantedText {
                dedup_key: MessageKey::money_correction(session, role, &t.id),
                kind: MessageKind::FeeSettled,
                session,
                role,
                at: now,
                date: t.date,
            });
        }
    }
    list
}

/// Asks once more for what a manager released after a receipt, if nothing else asks for it.
fn asked_again<'a>(
    seen: &AssessedCase<'_>,
    undecided: &HashSet<SessionId>,
    texts: &'a [MoneyText],
    now: DateTime<Utc>,
    list: &mut Vec<WantedText<'a>>,
) {
    for t in texts
        .iter()
        .filter(|t| t.kind == MessageKind::FeeSettled && t.is_dealt_with())
    {
        let (Some(session), Some(role)) = (t.session.as_ref(), t.role) else {
            continue;
        };
        let s = seen.assessed.standing(session, now);
        let kind = match s.fee {
            FeeState::Due => MessageKind::FeeNotice,
            FeeState::Provisional => MessageKind::NoteRequest,
            _ => continue,
        };
        let let_go = seen.case.record.released(session, OWED_AGAIN)
            && !undecided.contains(session)
            && s.liable.map(|p| p.role()) == Some(role);
        let fresh = |w: &WantedText<'_>| {
            w.kind == kind
                && w.session == session
                && w.role == role
                && !texts
                    .iter()
                    .any(|t| t.dedup_key == w.dedup_key && t.is_dealt_with())
        };
        let times = owed_again::times(seen, session);
        let dedup_key = MessageKey::money_again(kind, session, role, times);
        if let_go
            && !list.iter().any(fresh)
            && !list.iter().any(|w| w.dedup_key == dedup_key)
            && still_so(kind, &seen.assessed, session, Some(role), now)
        {
            list.push(WantedText {
                dedup_key,
                kind,
                session,
                role,
                at: now,
                date: t.date,
            });
        }
    }
}

/// Queues what is called for and withdraws what no longer is. Returns when to look at what waits.
pub(super) async fn queue(
    senders: &Senders,
    tx: &mut Tx,
    seen: &AssessedCase<'_>,
    called: &[CalledNotice<'_>],
    undecided: &HashSet<SessionId>,
    texts: &[MoneyText],
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let list = wanted(seen, called, undecided, texts, now);
    let without_line =
        |channel| !senders.is_empty() && senders.of(&seen.case.centre, channel).is_none();
    // A text that no line takes is looked at when it is due, any other when it should have been
    // sent.
    let after = |channel, at| {
        if without_line(channel) {
            at
        } else {
            at + Duration::minutes(1)
        }
    };
    let mut look: Option<DateTime<Utc>> = None;
    for w in &list {
        let before = texts.iter().find(|t| t.dedup_key == w.dedup_key);
        if before.is_some_and(|t| {
            t.state != MessageState::Withdrawn
                || t.reason.as_deref() != Some(EndReason::NoLongerDue.as_str())
        }) {
            continue;
        }
        let contexts = sessions::contexts_of_session(tx, senders, w.session).await?;
        let Some(context) = contexts.iter().find(|s| s.attendee.role == w.role) else {
            continue;
        };
        let not_before = when(tx, seen, context, w, now).await?;
        let channel = match before {
            Some(t) => {
                money::requeue(tx, &t.id, not_before, now).await?;
                t.channel
            }
            None => {
                let until = seen
                    .assessed
                    .of(w.session)
                    .and_then(|a| a.deadline)
                    .filter(|_| w.kind == MessageKind::NoteReminder);
                let date = w
                    .date
                    .unwrap_or_else(|| wall(seen.centre.tz, context.session.starts_at).date());
                let message = NewMessage {
                    payload: Payload::VisitDay(date),
                    ..message_to(context, w.dedup_key.clone(), w.kind, not_before, until)
                };
                let channel = message.channel;
                outbox::enqueue(tx, now, &[message]).await?;
                channel
            }
        };
        look = [look, Some(after(channel, not_before))]
            .into_iter()
            .flatten()
            .min();
    }
    for t in texts.iter().filter(|t| t.state == MessageState::Waiting) {
        // A text that a person released stays only while it is true.
        let so = if t.dedup_key.is_money() {
            list.iter().any(|w| w.dedup_key == t.dedup_key)
        } else {
            t.session
                .as_ref()
                .is_some_and(|s| still_so(t.kind, &seen.assessed, s, None, now))
        };
        if !so {
            money::withdraw(tx, &t.id, EndReason::NoLongerDue.as_str()).await?;
        } else if t.not_before <= now && without_line(t.channel) {
            // No line will ever take it, so a person tells the party, and the clock starts then.
            if money::withdraw(tx, &t.id, EndReason::NoAddress.as_str()).await? {
                notified::by_phone(tx, &seen.case, t, TaskKey::ring_for(&t.dedup_key), now).await?;
            }
        } else if !t.held {
            look = [look, Some(after(t.channel, t.not_before.max(now)))]
                .into_iter()
                .flatten()
                .min();
        }
    }
    Ok(look)
}

/// When a text may be sent. Staff see it first, and no money is asked for while the cancellation
/// can be taken back.
async fn when(
    tx: &mut Tx,
    seen: &AssessedCase<'_>,
    context: &AttendeeContext,
    w: &WantedText<'_>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let centre = seen.centre;
    let in_hours = centre.rules.money_hours.is_some();
    let mut at = if in_hours && w.kind != MessageKind::NoteReminder {
        now + TIME_TO_LOOK
    } else {
        w.at.max(now)
    };
    if in_hours
        && w.kind == MessageKind::FeeNotice
        && seen.assessed.of(w.session).is_some_and(|a| a.by_no_show)
    {
        // Staff may have been mistaken, and the family may still be there, so it waits for the next
        // working day (safety rule b9).
        let tomorrow = wall(centre.tz, now).date() + Days::new(1);
        at = at.max(instant(centre.tz, tomorrow.and_time(NaiveTime::MIN)));
    }
    if let Some(undo) = money::undo_until(tx, w.session, w.role).await? {
        at = at.max(undo);
    }
    Ok(allowed(centre, &seen.case, context, at).unwrap_or(at))
}
