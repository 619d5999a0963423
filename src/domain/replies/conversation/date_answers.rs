//! Answers to "can you come on another date?": a YES or NO belongs to the question that it answers,
//! and never confirms or cancels the visit itself. Pure.
//!
//! Seed 001: "With notice you can move your contact to a different week, day or time (subject to
//! availability and with consent from the other party)." The question goes to both in the same
//! words; neither learns who wished it, nor what the other one answered.

use crate::domain::ids::{DateQuestionId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::people::person::Role;
use crate::domain::replies::conversation::{
    Decision, Effect, InboundContext, PromptRef, decision, hand_over, old_button,
};
use crate::domain::replies::understanding::Intent;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, SessionState};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// A question that was closed within this time before an answer came may be what it answers.
pub const CROSSING: Duration = Duration::minutes(2);

/// A question about another date that was put to the address that writes, and that this party may
/// still take to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateAsked {
    /// Its id.
    pub question: DateQuestionId,
    /// The session that would be moved.
    pub session: SessionId,
    /// Which parent was asked.
    pub role: Role,
    /// The party's own arrival on the other date, on the centre's wall clock.
    pub arrives: NaiveDateTime,
    /// When its text began to leave.
    pub asked_at: DateTime<Utc>,
    /// This party answered it.
    pub answered: bool,
    /// It was closed a moment ago.
    pub closed: bool,
}

/// What a YES or NO in words does while a date question stands; `None` if it is no answer to one.
/// With a question about a visit open as well, what the words name says which is meant, and
/// otherwise the newest question is answered; a person asks while it may have crossed the answer to
/// the older one.
pub fn answer(h: &InboundContext) -> Option<Decision> {
    let standing: Vec<&DateAsked> = h.dates.iter().filter(|d| d.asked_at <= h.at).collect();
    if standing.is_empty() || h.opted_out || h.provider_stopped {
        return None;
    }
    let plain = match h.understood.intent {
        Intent::Confirm => h.understood.plain_yes,
        Intent::Cancel(reason) => reason.is_none(),
        _ => return None,
    };
    let yes = h.understood.intent == Intent::Confirm;
    let over = |rule| {
        Some(hand_over(
            rule,
            TaskKind::ReadMessage,
            h.open
                .iter()
                .find(|o| standing.iter().any(|d| d.session == o.session)),
        ))
    };
    let visits: Vec<_> = h
        .open
        .iter()
        .filter(|o| o.state == SessionState::Booked && o.starts_at > h.at)
        .collect();
    let undoable = h
        .open
        .iter()
        .any(|o| o.cancelled_by_me && o.release_at.is_some_and(|t| h.at < t));
    let newest_of_a_visit = visits
        .iter()
        .flat_map(|o| {
            let request = o.asked.at.filter(|_| o.answer == Answer::None);
            [
                request,
                o.question
                    .as_ref()
                    .filter(|q| q.is_open(h.at, o.starts_at))
                    .map(|q| q.asked_at),
            ]
        })
        .flatten()
        .chain(h.choosing.as_ref().map(|c| c.said_at))
        .max();
    let unanswered: Vec<&DateAsked> = standing.iter().copied().filter(|d| !d.answered).collect();
    let Some(newest) = unanswered.iter().map(|d| d.asked_at).max() else {
        // Their answer is in. What else is asked is answered as ever; with nothing asked, a second
        // word is for a person.
        return if newest_of_a_visit.is_some() || undoable {
            None
        } else {
            over("date-again")
        };
    };
    let named = &h.understood.named;
    if undoable {
        // What is named decides first, also a visit that may still be taken back.
        let of_a_visit = h.open.iter().any(|o| named.fits(o.arrives))
            && !unanswered.iter().any(|d| named.fits(d.arrives));
        return if !named.is_empty() && of_a_visit {
            None
        } else {
            over("date-or-visit")
        };
    }
    if !named.is_empty() {
        let of_visits = visits.iter().any(|o| named.fits(o.arrives));
        match unanswered
            .iter()
            .filter(|d| named.fits(d.arrives))
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] if of_visits => return None,
            [d] if !of_visits && plain && !d.closed => return Some(answered(d, yes)),
            _ if !of_visits => return over("date-or-visit"),
            _ => {}
        }
    }
    if let Some(visit) = newest_of_a_visit {
        if h.at < visit.max(newest) + CROSSING {
            return over("date-or-visit");
        }
        if visit > newest {
            return None;
        }
    }
    match unanswered.as_slice() {
        [d] if !d.closed && plain => Some(answered(d, yes)),
        [_] => over("date-or-visit"),
        _ => over("two-dates"),
    }
}

/// What a press below a date question does: it answers that very question, once.
pub fn press(h: &InboundContext, press: Press, below: &PromptRef) -> Decision {
    match (
        press,
        h.dates
            .iter()
            .find(|d| d.question.as_str() == below.question && !d.answered && !d.closed),
    ) {
        (Press::Yes, Some(d)) => answered(d, true),
        (Press::No, Some(d)) => answered(d, false),
        _ => old_button("press-on-an-old-date"),
    }
}

/// The answer is kept for the co-ordinator; the reply is the one hand-over text, the same for a yes
/// and a no.
fn answered(d: &DateAsked, yes: bool) -> Decision {
    let effect = Effect::DateAnswer {
        question: d.question.clone(),
        role: d.role,
        yes,
    };
    decision(
        "date-answer",
        vec![effect],
        Some((MessageKind::NeedsCoordinatorAck, None)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::replies::conversation::{ButtonPress, decide};

    fn t(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("2026-11-{s}Z"))
            .unwrap()
            .with_timezone(&Utc)
    }

    fn sunday() -> NaiveDateTime {
        crate::domain::local_time::parse_local("2026-11-29T14:00").unwrap()
    }

    /// A question about Sunday in place of Saturday; the request for Saturday was confirmed.
    fn date() -> DateAsked {
        DateAsked {
            question: DateQuestionId::new("d"),
            session: SessionId::new("a"),
            role: Role::Contact,
            arrives: sunday(),
            asked_at: t("26T12:00:00"),
            answered: false,
            closed: false,
        }
    }

    fn heard(text: &str, answer: Answer, dates: Vec<DateAsked>) -> InboundContext {
        let open = crate::domain::replies::conversation::tests::open("a");
        InboundContext {
            dates,
            ..crate::domain::replies::conversation::tests::heard(
                text,
                "26T13:00:00",
                vec![crate::domain::replies::conversation::KnownVisit { answer, ..open }],
            )
        }
    }

    fn rule_of(h: &InboundContext) -> (&'static str, bool) {
        let d = decide(h);
        assert!(
            d.effects.iter().all(
                |e| matches!(e, Effect::DateAnswer { .. } | Effect::Task { .. })
                    || h.dates.is_empty()
                    || d.rule == "yes"
                    || d.rule == "S1"
            ),
            "{d:?}"
        );
        (
            d.rule,
            d.effects
                .iter()
                .any(|e| matches!(e, Effect::DateAnswer { .. })),
        )
    }

    /// The named day is that of the visit, whose question is older.
    fn dates_are_not_asked(text: &str) -> bool {
        answer(&heard(text, Answer::None, vec![date()])).is_none()
    }

    #[test]
    fn an_answer_belongs_to_its_question() {
        for (text, yes) in [
            ("yes", true),
            ("No", false),
            ("YES", true),
            ("no thanks", false),
        ] {
            let d = decide(&heard(text, Answer::Confirmed, vec![date()]));
            assert_eq!(
                d.effects,
                [Effect::DateAnswer {
                    question: DateQuestionId::new("d"),
                    role: Role::Contact,
                    yes
                }],
                "{text}"
            );
            assert_eq!(d.reply.unwrap().kind, MessageKind::NeedsCoordinatorAck);
        }
    }

    #[test]
    fn with_both_open_the_newest_gets_it_unless_it_may_have_crossed() {
        for text in ["yes", "no"] {
            assert_eq!(
                rule_of(&heard(text, Answer::None, vec![date()])),
                ("date-answer", true),
                "{text}: asked two hours after the request"
            );
            let older = DateAsked {
                asked_at: t("26T09:00:00"),
                ..date()
            };
            assert!(
                !rule_of(&InboundContext {
                    dates: vec![older],
                    ..heard(text, Answer::None, vec![])
                })
                .1,
                "{text}: it is the request that is answered"
            );
            let just_now = DateAsked {
                asked_at: t("26T12:59:00"),
                ..date()
            };
            assert_eq!(
                rule_of(&heard(text, Answer::None, vec![just_now])),
                ("date-or-visit", false),
                "{text}"
            );
        }
        assert_eq!(
            rule_of(&heard("yes sunday", Answer::None, vec![date()])),
            ("date-answer", true),
            "the named day says which"
        );
        assert!(dates_are_not_asked("yes saturday") && dates_are_not_asked("no not saturday"));
        assert_eq!(
            rule_of(&heard("no she is ill", Answer::Confirmed, vec![date()])),
            ("date-or-visit", false),
            "a reason is no answer to a date"
        );
        let two = vec![
            date(),
            DateAsked {
                question: DateQuestionId::new("e"),
                ..date()
            },
        ];
        assert_eq!(
            rule_of(&heard("yes", Answer::Confirmed, two)),
            ("two-dates", false)
        );
    }

    #[test]
    fn answered_or_closed_it_changes_nothing_more() {
        let again = DateAsked {
            answered: true,
            ..date()
        };
        assert_eq!(
            rule_of(&heard("no", Answer::Confirmed, vec![again.clone()])),
            ("date-again", false)
        );
        assert_eq!(
            rule_of(&heard("yes", Answer::None, vec![again])),
            ("yes", false),
            "the request for the visit is what is open"
        );
        let crossed = DateAsked {
            closed: true,
            ..date()
        };
        assert_eq!(
            rule_of(&heard("no", Answer::Confirmed, vec![crossed])),
            ("date-or-visit", false)
        );
        let not_yet = DateAsked {
            asked_at: t("26T13:00:01"),
            ..date()
        };
        assert_eq!(
            rule_of(&heard("yes", Answer::None, vec![not_yet])),
            ("yes", false),
            "its text had not left"
        );
    }

    #[test]
    fn a_press_answers_the_text_above_it() {
        let below = |question: &str| PromptRef {
            kind: MessageKind::DateQuestion,
            session: Some(SessionId::new("a")),
            ask_version: 1,
            question: question.into(),
        };
        let press = |press, question, dates| InboundContext {
            pressed: Some(ButtonPress {
                press,
                below: Some(below(question)),
            }),
            ..heard("", Answer::None, dates)
        };
        let d = decide(&press(Press::No, "d", vec![date()]));
        assert_eq!(
            d.effects,
            [Effect::DateAnswer {
                question: DateQuestionId::new("d"),
                role: Role::Contact,
                yes: false
            }],
            "also with the visit's own question open"
        );
        for h in [
            press(Press::Yes, "e", vec![date()]),
            press(Press::Yes, "d", vec![]),
            press(
                Press::Yes,
                "d",
                vec![DateAsked {
                    answered: true,
                    ..date()
                }],
            ),
        ] {
            let d = decide(&h);
            assert!(d.effects.is_empty() && d.reply.unwrap().kind == MessageKind::OldButton);
        }
    }
}
