//! Texts about milestones: which task has one, and when it may be sent.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use chrono::{DateTime, Duration, Utc};

/// A text about a milestone is sent at the earliest so long after its task was opened, so that staff
/// see it first and may hold it.
const SEEN_FIRST: Duration = Duration::days(1);
/// The same if the task is due before that.
const SEEN_IN_HASTE: Duration = Duration::hours(1);
/// A reminder that could not be sent for so long is dropped.
const REMINDER_LASTS: Duration = Duration::days(14);

/// The text that tells both parents what a task tells staff, if there is one.
pub fn text_of(topic: TaskKind) -> Option<MessageKind> {
    match topic {
        TaskKind::ReviewDue => Some(MessageKind::ReviewDue),
        TaskKind::IntroductionMeeting => Some(MessageKind::IntroductionMeeting),
        TaskKind::Previsit => Some(MessageKind::PrevisitInvitation),
        TaskKind::FeeChange => Some(MessageKind::FeeChange),
        _ => None,
    }
}

/// The earliest moment for a text whose task is opened at `now` and due at `due`. `at_once` is for a
/// centre that keeps no office hours for such texts: nobody is given time to look.
pub fn text_from(due: Option<DateTime<Utc>>, at_once: bool, now: DateTime<Utc>) -> DateTime<Utc> {
    match (at_once, due) {
        (true, _) => now,
        (false, Some(due)) if due < now + SEEN_FIRST => now + SEEN_IN_HASTE,
        _ => now + SEEN_FIRST,
    }
}

/// Until when such a text is worth sending: an invitation until the visit, a change of the rules
/// until its date (both are `last`), a reminder for two weeks.
pub fn text_until(
    kind: MessageKind,
    last: Option<DateTime<Utc>>,
    from: DateTime<Utc>,
) -> DateTime<Utc> {
    match (kind, last) {
        (MessageKind::PrevisitInvitation | MessageKind::FeeChange, Some(last)) => last,
        _ => from + REMINDER_LASTS,
    }
}
