//! Checks a text about money again in the transaction that claims it.

use crate::domain::centre::Centre;
use crate::domain::local_time::wall;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Say;
use crate::domain::task::TaskKind;
use crate::flows::money::assessed_case::{AssessedCase, allowed, next_contact, still_so};
use crate::store::Tx;
use crate::store::money::{self};
use crate::store::sessions::AttendeeContext;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Days, Utc};

/// The result of that check.
pub(crate) struct MoneyCheck {
    /// What the text says; `None` if that is no longer true.
    pub(crate) say: Option<Say>,
    /// The earliest moment that office hours, quiet hours and the family's own session allow, if
    /// there is one.
    pub(crate) allowed: Option<DateTime<Utc>>,
    /// A task about this party's own safety is open (safety rule M3).
    pub(crate) unsafe_now: bool,
}

/// Checks a text about money once more, in the transaction that claims it.
///
/// `data` is stored with the text: the date of the visit that it names.
pub(crate) async fn look(
    tx: &mut Tx,
    centre: &Centre,
    kind: MessageKind,
    data: &str,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> Result<MoneyCheck> {
    let AssessedCase { case, assessed, .. } =
        AssessedCase::read(tx, centre, &context.session.case_id).await?;
    let (session, role) = (context.session.id.as_str(), context.attendee.role);
    let standing = assessed.standing(session, now);
    let to_all = matches!(
        kind,
        MessageKind::AllPartiesNotice | MessageKind::CaseClosed
    );
    // If the visit was moved since, its date is another one now.
    let date = data
        .parse()
        .unwrap_or_else(|_| wall(centre.tz, context.session.starts_at).date());
    let local = |at: DateTime<Utc>| wall(centre.tz, at).date();
    let deadline = assessed.of(session).and_then(|a| a.deadline);
    let say =
        match kind {
            _ if !still_so(kind, &assessed, session, (!to_all).then_some(role), now) => None,
            MessageKind::FeeNotice => assessed.of(session).map(|a| Say::FeeNotice {
                amount: a.charge.with(standing.outstanding),
                date,
            }),
            MessageKind::NoteRequest => Some(Say::NoteRequest { date }),
            MessageKind::NoteReminder => next_contact(&case, context, centre, now)
                .or(deadline)
                .map(|d| Say::NoteReminder {
                    date,
                    bring_on: local(d),
                }),
            MessageKind::FeeSettled => {
                // Only the party who owed the fee is told here that the file is closed. Others read
                // it when a person releases that notice.
                let owed = standing.liable.is_some_and(|p| p.role() == role);
                Some(Say::FeeSettled {
                    date,
                    file_closed: owed && assessed.at(now).archived,
                })
            }
            MessageKind::AllPartiesNotice => {
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
            MessageKind::CaseClosed => Some(Say::CaseClosed),
            _ => None,
        };
    // A notice to all parties waits for the safety of the party who owes the fee (safety rule M4).
    let mut unsafe_now = money::safety_open(tx, &case.id, role).await?;
    if let Some(liable) = standing.liable.filter(|_| to_all) {
        unsafe_now |= money::safety_open(tx, &case.id, liable.role()).await?;
    }
    Ok(MoneyCheck {
        say,
        allowed: allowed(centre, &case, context, now),
        unsafe_now,
    })
}

/// Stops a text about money to a party whose own safety is in an open task. A manager decides
/// (safety rule M3).
pub(crate) async fn pause(
    tx: &mut Tx,
    context: &AttendeeContext,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    money::pause_text(tx, message_id, now).await?;
    let task = NewTask {
        centre: Some(&context.session.centre),
        case_id: Some(&context.session.case_id),
        session_id: Some(&context.session.id),
        role: Some(context.attendee.role),
        message_id: Some(message_id),
        ..NewTask::new(format!("paused/{message_id}"), TaskKind::MoneyPaused)
    };
    tasks::open(tx, now, &task).await?;
    tasks::open_again(tx, &task.dedup_key).await
}
