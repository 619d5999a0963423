//! What a message carries beside the session that it is about: one enum, one stored form.
//!
//! The stored form is JSON with the name of the variant. Version 0.1 wrote a form of its own for
//! each kind of message; [`Payload::read`] still reads those, so that texts that waited during an
//! update leave afterwards.

#![warn(missing_docs)]

use crate::domain::ids::{CancelQuestionId, ChoiceId, DateQuestionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::Mode;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One of two visits between which a parent chooses: the centre's name, if the two visits are at
/// different centres, and the parent's own arrival.
pub type VisitOption = (Option<String>, NaiveDateTime);

/// What a message carries beside its session. Never printed by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Nothing: the session says all.
    #[default]
    None,
    /// The cancel question that the text puts.
    CancelQuestion(CancelQuestionId),
    /// The numbered question that the text puts, with its two visits.
    WhichVisit {
        /// The question.
        choice: ChoiceId,
        /// The visits to choose from.
        options: [VisitOption; 2],
    },
    /// The question about another date that the text puts.
    AnotherDate {
        /// The question.
        question: DateQuestionId,
        /// The party's own arrival on the other date.
        arrival: DateTime<Utc>,
    },
    /// Whether the cancellation came within the centre's notice period.
    CancelledInTime(bool),
    /// The party's own arrival before a move.
    OldArrival(DateTime<Utc>),
    /// The day of the visit that a fee or a note is for.
    VisitDay(NaiveDate),
    /// The first day of new rules.
    RulesFrom(NaiveDate),
    /// The mode of the phone before the message that is answered made it quieter. An answer that
    /// already followed the new mode would tell of the change.
    ModeBefore(Mode),
    /// The number that a parent reads to staff to link a chat.
    LinkNumber(String),
    /// What a member of staff wrote.
    StaffText(String),
    /// How many urgent tasks wait.
    UrgentTasks(i64),
}

impl Payload {
    /// The stored form: empty for nothing, else JSON.
    pub fn write(&self) -> String {
        match self {
            Payload::None => String::new(),
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }

    /// Reads the stored form of a message of this kind. What cannot be read carries nothing; the
    /// decision before sending then ends the message or uses what the session says.
    pub fn read(kind: MessageKind, stored: &str) -> Payload {
        if stored.is_empty() {
            return Payload::None;
        }
        serde_json::from_str(stored)
            .ok()
            .or_else(|| first_form(kind, stored))
            .unwrap_or_default()
    }

    /// The question that a text with buttons puts; empty if it puts none.
    pub fn question(&self) -> &str {
        match self {
            Payload::CancelQuestion(id) => id.as_str(),
            Payload::WhichVisit { choice, .. } => choice.as_str(),
            Payload::AnotherDate { question, .. } => question.as_str(),
            _ => "",
        }
    }

    /// The party's own arrival before a move.
    pub fn old_arrival(&self) -> Option<DateTime<Utc>> {
        match self {
            Payload::OldArrival(at) => Some(*at),
            _ => None,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The forms of version 0.1, one for each kind of message.
fn first_form(kind: MessageKind, stored: &str) -> Option<Payload> {
    Some(match kind {
        MessageKind::CancelReasonAsk => Payload::CancelQuestion(CancelQuestionId::new(stored)),
        MessageKind::WhichSession => {
            let mut lines = stored.lines();
            let choice = ChoiceId::new(lines.next()?);
            let mut option = || {
                let (at, centre) = lines.next()?.split_once('|')?;
                let centre = Some(centre.to_owned()).filter(|c| !c.is_empty());
                Some((centre, at.parse().ok()?))
            };
            Payload::WhichVisit {
                choice,
                options: [option()?, option()?],
            }
        }
        MessageKind::DateQuestion => {
            let (question, arrival) = stored.split_once('\n')?;
            Payload::AnotherDate {
                question: DateQuestionId::new(question),
                arrival: arrival.parse().ok()?,
            }
        }
        MessageKind::CancellationAck => Payload::CancelledInTime(stored == "in_time"),
        MessageKind::SessionOff | MessageKind::SessionMoved => {
            Payload::OldArrival(stored.parse().ok()?)
        }
        MessageKind::FeeChange => Payload::RulesFrom(stored.parse().ok()?),
        MessageKind::NeedsCoordinatorAck | MessageKind::UnclearReply => {
            Payload::ModeBefore(stored.strip_prefix("as ")?.parse().ok()?)
        }
        MessageKind::LinkNumber => Payload::LinkNumber(stored.to_owned()),
        MessageKind::StaffReply => Payload::StaffText(stored.to_owned()),
        MessageKind::StaffAlert => Payload::UrgentTasks(stored.parse().ok()?),
        kind if kind.is_money() => Payload::VisitDay(stored.parse().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> DateTime<Utc> {
        s.parse().unwrap()
    }

    fn local(s: &str) -> NaiveDateTime {
        s.parse().unwrap()
    }

    fn all() -> Vec<(MessageKind, Payload)> {
        let day = NaiveDate::from_ymd_opt(2026, 11, 28).unwrap();
        vec![
            (MessageKind::ConfirmRequest, Payload::None),
            (
                MessageKind::CancelReasonAsk,
                Payload::CancelQuestion(CancelQuestionId::new("q1")),
            ),
            (
                MessageKind::WhichSession,
                Payload::WhichVisit {
                    choice: ChoiceId::new("c1"),
                    options: [
                        (Some("Birchfield".into()), local("2026-11-28T10:00:00")),
                        (None, local("2026-11-29T14:30:00")),
                    ],
                },
            ),
            (
                MessageKind::DateQuestion,
                Payload::AnotherDate {
                    question: DateQuestionId::new("d1"),
                    arrival: at("2026-11-29T14:00:00Z"),
                },
            ),
            (MessageKind::CancellationAck, Payload::CancelledInTime(true)),
            (
                MessageKind::CancellationAck,
                Payload::CancelledInTime(false),
            ),
            (
                MessageKind::SessionMoved,
                Payload::OldArrival(at("2026-11-28T10:00:00Z")),
            ),
            (
                MessageKind::SessionOff,
                Payload::OldArrival(at("2026-11-28T10:00:00Z")),
            ),
            (MessageKind::FeeNotice, Payload::VisitDay(day)),
            (MessageKind::NoteReminder, Payload::VisitDay(day)),
            (MessageKind::CaseClosed, Payload::VisitDay(day)),
            (MessageKind::FeeChange, Payload::RulesFrom(day)),
            (
                MessageKind::NeedsCoordinatorAck,
                Payload::ModeBefore(Mode::Normal),
            ),
            (
                MessageKind::UnclearReply,
                Payload::ModeBefore(Mode::Discreet),
            ),
            (MessageKind::LinkNumber, Payload::LinkNumber("4711".into())),
            (
                MessageKind::StaffReply,
                Payload::StaffText("{\"odd\": \"but ours\"}".into()),
            ),
            (MessageKind::StaffAlert, Payload::UrgentTasks(3)),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for (kind, payload) in all() {
            assert!(
                Payload::read(kind, &payload.write()) == payload,
                "{kind}: {}",
                payload.write()
            );
        }
    }

    #[test]
    fn the_forms_of_version_0_1_are_read() {
        // As version 0.1 wrote them, in the order of `all`.
        let first = [
            "",
            "q1",
            "c1\n2026-11-28T10:00:00|Birchfield\n2026-11-29T14:30:00|",
            "d1\n2026-11-29T14:00:00+00:00",
            "in_time",
            "late",
            "2026-11-28T10:00:00+00:00",
            "2026-11-28T10:00:00+00:00",
            "2026-11-28",
            "2026-11-28",
            "2026-11-28",
            "2026-11-28",
            "as normal",
            "as discreet",
            "4711",
            "{\"odd\": \"but ours\"}",
            "3",
        ];
        for ((kind, payload), stored) in all().into_iter().zip(first) {
            assert!(Payload::read(kind, stored) == payload, "{kind}: {stored:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_carries_nothing() {
        for kind in MessageKind::ALL.iter().copied() {
            let free = matches!(
                kind,
                MessageKind::CancelReasonAsk | MessageKind::LinkNumber | MessageKind::StaffReply
            );
            for stored in ["?", "null", "{}", "2026-13-45", "{\"visit_day\":\"x\"}"] {
                let read = Payload::read(kind, stored);
                assert!(
                    free || kind == MessageKind::CancellationAck || read == Payload::None,
                    "{kind}: {stored}"
                );
            }
        }
    }

    #[test]
    fn a_payload_is_never_printed() {
        assert_eq!(
            format!("{:?}", Payload::StaffText("see you".into())),
            "[redacted]"
        );
    }
}
