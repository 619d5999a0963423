//! A text about money is looked at again in the transaction that claims it.

use crate::domain::centre::Centre;
use crate::domain::local_time::wall;
use crate::domain::outgoing::message::Kind;
use crate::domain::outgoing::say::Say;
use crate::domain::task::Topic;
use crate::flows::money::assessed_case::{Seen, allowed, next_contact, still_so};
use crate::store::Tx;
use crate::store::money::{self};
use crate::store::sessions::Seat;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Days, Utc};

/// What a claimed text about money has to know before it leaves.
pub(crate) struct Look {
    /// What is said; `None`: it is not so any more.
    pub(crate) say: Option<Say>,
    /// The earliest moment that hours, quiet hours and the family's own session allow; `None`:
    /// there is none.
    pub(crate) allowed: Option<DateTime<Utc>>,
    /// A task about this party's own safety is open (safety rule M3).
    pub(crate) unsafe_now: bool,
}

/// Looks once more at a text about money, in the transaction that claims it.
///
/// `data` is what was kept with it: the day of the visit that it names.
pub(crate) async fn look(
    tx: &mut Tx,
    centre: &Centre,
    kind: Kind,
    data: &str,
    seat: &Seat,
    now: DateTime<Utc>,
) -> Result<Look> {
    let Seen { case, assessed, .. } = Seen::read(tx, centre, &seat.session.case_id).await?;
    let (session, role) = (seat.session.id.as_str(), seat.attendee.role);
    let standing = assessed.standing(session, now);
    let to_all = matches!(kind, Kind::AllPartiesNotice | Kind::CaseClosed);
    // A visit that was moved since has another day now.
    let date = data
        .parse()
        .unwrap_or_else(|_| wall(centre.tz, seat.session.starts_at).date());
    let local = |at: DateTime<Utc>| wall(centre.tz, at).date();
    let deadline = assessed.of(session).and_then(|a| a.deadline);
    let say = match kind {
        _ if !still_so(kind, &assessed, session, (!to_all).then_some(role), now) => None,
        Kind::FeeNotice => assessed.of(session).map(|a| Say::FeeNotice {
            amount: a.charge.with(standing.outstanding),
            date,
        }),
        Kind::NoteRequest => Some(Say::NoteRequest { date }),
        Kind::NoteReminder => next_contact(&case, seat, centre, now)
            .or(deadline)
            .map(|d| Say::NoteReminder {
                date,
                bring_on: local(d),
            }),
        Kind::FeeSettled => {
            // That the file is closed is told to whoever owed the fee; others read it when a person
            // releases it.
            let owed = standing.liable.is_some_and(|p| p.role() == role);
            Some(Say::FeeSettled {
                date,
                file_closed: owed && assessed.at(now).archived,
            })
        }
        Kind::AllPartiesNotice => {
            let days = case
                .record
                .sessions
                .iter()
                .find(|s| s.id == session)
                .map_or(7, |s| s.payment_days);
            local(now)
                .checked_add_days(Days::new(u64::from(days)))
                .map(|last_day| Say::AllPartiesNotice { last_day })
        }
        Kind::CaseClosed => Some(Say::CaseClosed),
        _ => None,
    };
    // What tells all parties of a debt waits for the safety of the one who owes it (safety rule
    // M4).
    let mut unsafe_now = money::safety_open(tx, &case.id, role).await?;
    if let Some(liable) = standing.liable.filter(|_| to_all) {
        unsafe_now |= money::safety_open(tx, &case.id, liable.role()).await?;
    }
    Ok(Look {
        say,
        allowed: allowed(centre, &case, seat, now),
        unsafe_now,
    })
}

/// A text about money stops for a party whose own safety is in an open task; a manager decides
/// (safety rule M3).
pub(crate) async fn pause(
    tx: &mut Tx,
    seat: &Seat,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    money::pause_text(tx, message_id, now).await?;
    let task = NewTask {
        centre: Some(&seat.session.centre),
        case_id: Some(&seat.session.case_id),
        session_id: Some(&seat.session.id),
        role: Some(seat.attendee.role),
        message_id: Some(message_id),
        ..NewTask::new(format!("paused/{message_id}"), Topic::MoneyPaused)
    };
    tasks::open(tx, now, &task).await?;
    tasks::open_again(tx, &task.cause).await
}
