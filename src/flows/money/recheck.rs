//! Checks a text about money again in the transaction that claims it.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::MessageId;
use crate::domain::local_time::wall;
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::decide::MoneyFacts;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Say;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::money::assessed_case::{AssessedCase, allowed, next_contact, still_so};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, money};
use anyhow::Result;
use chrono::{DateTime, Days, Utc};

/// Reads what a claimed text about money says now.
pub(crate) async fn facts(
    tx: &mut Tx,
    centre: &Centre,
    message: &ClaimedMessage,
    context: &AttendeeContext,
    now: DateTime<Utc>,
) -> Result<MoneyFacts> {
    let kind = message.kind;
    let AssessedCase { case, assessed, .. } =
        AssessedCase::read(tx, centre, &context.session.case_id).await?;
    let (session, role) = (&context.session.id, context.attendee.role);
    let standing = assessed.standing(session, now);
    let to_all = matches!(
        kind,
        MessageKind::AllPartiesNotice | MessageKind::CaseClosed
    );
    // A visit that was moved since has another day now.
    let date = match message.payload {
        Payload::VisitDay(day) => day,
        _ => wall(centre.tz, context.session.starts_at).date(),
    };
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
                    .find(|s| s.id == *session)
                    .map_or(7, |s| s.payment_days);
                local(now)
                    .checked_add_days(Days::new(u64::from(days)))
                    .map(|last_day| Say::AllPartiesNotice { last_day })
            }
            MessageKind::CaseClosed => Some(Say::CaseClosed),
            _ => None,
        };
    // What tells all parties of a debt waits for the safety of the one who owes it (safety rule
    // M4).
    let mut in_danger = money::has_open_safety_task(tx, &case.id, role).await?;
    if let Some(liable) = standing.liable.filter(|_| to_all) {
        in_danger |= money::has_open_safety_task(tx, &case.id, liable.role()).await?;
    }
    Ok(MoneyFacts {
        say,
        allowed: allowed(centre, &case, context, now),
        in_danger,
    })
}

/// Stops a text about money to a party whose own safety is in an open task. A manager decides
/// (safety rule M3).
pub(crate) async fn pause(
    tx: &mut Tx,
    context: &AttendeeContext,
    message_id: &MessageId,
    now: DateTime<Utc>,
) -> Result<()> {
    money::hold_for_manager(tx, message_id, now).await?;
    let key = TaskKey::money_paused(message_id);
    let task = NewTask::of_attendee(key, TaskKind::MoneyPaused, context).message(message_id);
    tasks::open(tx, now, &task).await?;
    tasks::reopen(tx, &task.dedup_key).await
}
