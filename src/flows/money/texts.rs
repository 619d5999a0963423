//! The texts about money of a case: what is called for is queued, what no longer is, is withdrawn.

use crate::domain::local_time::{instant, wall};
use crate::domain::money::policy::record::OWED_AGAIN;
use crate::domain::money::policy::{FeeState, NoticeKind};
use crate::domain::outgoing::message::{Ended, Kind, MessageState};
use crate::domain::people::person::Role;
use crate::domain::people::senders::Senders;
use crate::flows::money::assessed_case::{Called, Seen, allowed, still_so, text_kind};
use crate::flows::money::{notified, owed_again};
use crate::flows::to_seat;
use crate::store::Tx;
use crate::store::money::{self, MoneyText};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions::{self, Seat};
use anyhow::Result;
use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use std::collections::HashSet;

/// A text about money keeps this distance to the message that caused it, so that staff see it
/// before it leaves (safety rule M2).
const TIME_TO_LOOK: Duration = Duration::minutes(10);

/// A text that is called for now.
struct Wanted<'a> {
    cause: String,
    kind: Kind,
    session: &'a str,
    role: Role,
    /// The instant that the rules call for.
    at: DateTime<Utc>,
    /// The day that it names, if it is not that of the visit as it is booked.
    date: Option<NaiveDate>,
}

fn asks(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::FeeNotice | Kind::NoteRequest | Kind::NoteReminder
    )
}

/// The texts that are called for and say what is so. Of one kind only the last one: an earlier fee
/// of the session was void before.
fn wanted<'a>(
    seen: &Seen<'_>,
    called: &'a [Called<'_>],
    undecided: &HashSet<String>,
    texts: &'a [MoneyText],
    now: DateTime<Utc>,
) -> Vec<Wanted<'a>> {
    let assessed = &seen.assessed;
    let mut list: Vec<Wanted<'a>> = Vec::new();
    for c in called {
        let (Some(kind), Some(role)) = (text_kind(c.kind), c.role) else {
            continue;
        };
        // A receipt for a fee of which nobody ever heard, settled by money that was meant for
        // another, waits for the manager as well.
        let unheard = kind == Kind::FeeSettled
            && !undecided.is_empty()
            && !texts
                .iter()
                .any(|t| t.session.as_deref() == Some(c.session));
        if unheard
            || (asks(kind) && undecided.contains(c.session))
            || !still_so(kind, assessed, c.session, Some(role), now)
        {
            continue;
        }
        list.retain(|w| !(w.kind == kind && w.session == c.session && w.role == role));
        list.push(Wanted {
            cause: format!("money/{kind}/{}/{role}/{}", c.session, c.n),
            kind,
            session: c.session,
            role,
            at: c.at,
            date: None,
        });
    }
    asked_again(seen, undecided, texts, now, &mut list);
    // Who was asked for money that they do not owe after all hears it: a notice is never unsent,
    // the correction is a new one. So does who was asked once more after a receipt, when it is
    // settled.
    for t in texts
        .iter()
        .filter(|t| t.kind == Kind::FeeNotice && t.is_said())
    {
        let (Some(session), Some(role)) = (t.session.as_deref(), t.role) else {
            continue;
        };
        let settled = called.iter().any(|c| {
            c.kind == NoticeKind::FeeSettled && c.session == session && c.role == Some(role)
        });
        let by_mistake = t.left()
            && !settled
            && assessed.standing(session, now).liable.map(|p| p.role()) != Some(role);
        let receipt_comes = list.iter().any(|w| {
            w.kind == Kind::FeeSettled
                && w.session == session
                && w.role == role
                && !texts.iter().any(|t| t.cause == w.cause && t.is_said())
        });
        let once_more = t.cause.contains("/again-")
            && !receipt_comes
            && still_so(Kind::FeeSettled, assessed, session, Some(role), now);
        if by_mistake || once_more {
            let cause = format!("money/{}/{session}/{role}/after-{}", Kind::FeeSettled, t.id);
            list.push(Wanted {
                cause,
                kind: Kind::FeeSettled,
                session,
                role,
                at: now,
                date: t.date,
            });
        }
    }
    list
}

/// What a manager let go after a receipt is asked for once more, if nothing else asks for it.
fn asked_again<'a>(
    seen: &Seen<'_>,
    undecided: &HashSet<String>,
    texts: &'a [MoneyText],
    now: DateTime<Utc>,
    list: &mut Vec<Wanted<'a>>,
) {
    for t in texts
        .iter()
        .filter(|t| t.kind == Kind::FeeSettled && t.is_said())
    {
        let (Some(session), Some(role)) = (t.session.as_deref(), t.role) else {
            continue;
        };
        let s = seen.assessed.standing(session, now);
        let kind = match s.fee {
            FeeState::Due => Kind::FeeNotice,
            FeeState::Provisional => Kind::NoteRequest,
            _ => continue,
        };
        let let_go = seen.case.record.released(session, OWED_AGAIN)
            && !undecided.contains(session)
            && s.liable.map(|p| p.role()) == Some(role);
        let fresh = |w: &Wanted<'_>| {
            w.kind == kind
                && w.session == session
                && w.role == role
                && !texts.iter().any(|t| t.cause == w.cause && t.is_said())
        };
        let cause = format!(
            "money/{kind}/{session}/{role}/again-{}",
            owed_again::times(seen, session)
        );
        if let_go
            && !list.iter().any(fresh)
            && !list.iter().any(|w| w.cause == cause)
            && still_so(kind, &seen.assessed, session, Some(role), now)
        {
            list.push(Wanted {
                cause,
                kind,
                session,
                role,
                at: now,
                date: t.date,
            });
        }
    }
}

/// Queues what is called for and withdraws what no longer is. Gives when to look at what waits.
pub(super) async fn queue(
    senders: &Senders,
    tx: &mut Tx,
    seen: &Seen<'_>,
    called: &[Called<'_>],
    undecided: &HashSet<String>,
    texts: &[MoneyText],
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let list = wanted(seen, called, undecided, texts, now);
    let without_line =
        |channel| !senders.is_empty() && senders.of(&seen.case.centre, channel).is_none();
    // What no line takes is looked at when it is due, everything else when it should have left.
    let after = |channel, at| {
        if without_line(channel) {
            at
        } else {
            at + Duration::minutes(1)
        }
    };
    let mut look: Option<DateTime<Utc>> = None;
    for w in &list {
        let before = texts.iter().find(|t| t.cause == w.cause);
        if before.is_some_and(|t| {
            t.state != MessageState::Withdrawn
                || t.reason.as_deref() != Some(Ended::NoLongerDue.as_str())
        }) {
            continue;
        }
        let seats = sessions::seats(tx, senders, w.session).await?;
        let Some(seat) = seats.iter().find(|s| s.attendee.role == w.role) else {
            continue;
        };
        let not_before = when(tx, seen, seat, w, now).await?;
        let channel = match before {
            Some(t) => {
                money::wait_again(tx, &t.id, not_before, now).await?;
                t.channel
            }
            None => {
                let until = seen
                    .assessed
                    .of(w.session)
                    .and_then(|a| a.deadline)
                    .filter(|_| w.kind == Kind::NoteReminder);
                let date = w
                    .date
                    .unwrap_or_else(|| wall(seen.centre.tz, seat.session.starts_at).date());
                let message = NewMessage {
                    data: date.to_string(),
                    ..to_seat(seat, w.cause.clone(), w.kind, not_before, until)
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
        // What a person released stays only while it is so.
        let so = if t.cause.starts_with("money/") {
            list.iter().any(|w| w.cause == t.cause)
        } else {
            t.session
                .as_ref()
                .is_some_and(|s| still_so(t.kind, &seen.assessed, s, None, now))
        };
        if !so {
            money::withdraw(tx, &t.id, Ended::NoLongerDue.as_str()).await?;
        } else if t.not_before <= now && without_line(t.channel) {
            // No line will ever take it: a person tells the party, and the clock starts when they
            // did.
            if money::withdraw(tx, &t.id, Ended::NoAddress.as_str()).await? {
                notified::by_phone(tx, &seen.case, t, format!("ring-for/{}", t.cause), now).await?;
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

/// When a text may go: staff see it before it leaves, and what can still be taken back asks for no
/// money.
async fn when(
    tx: &mut Tx,
    seen: &Seen<'_>,
    seat: &Seat,
    w: &Wanted<'_>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let centre = seen.centre;
    let in_hours = centre.rules.money_hours.is_some();
    let mut at = if in_hours && w.kind != Kind::NoteReminder {
        now + TIME_TO_LOOK
    } else {
        w.at.max(now)
    };
    if in_hours
        && w.kind == Kind::FeeNotice
        && seen.assessed.of(w.session).is_some_and(|a| a.by_no_show)
    {
        // Somebody may have looked wrong, and the family may still be there: the next working day
        // (safety rule b9).
        let tomorrow = wall(centre.tz, now).date() + Days::new(1);
        at = at.max(instant(centre.tz, tomorrow.and_time(NaiveTime::MIN)));
    }
    if let Some(undo) = money::undo_until(tx, w.session, w.role).await? {
        at = at.max(undo);
    }
    Ok(allowed(centre, &seen.case, seat, at).unwrap_or(at))
}
