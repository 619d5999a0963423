//! Questions about another date.

use super::*;
use crate::domain::ids::DateQuestionId;
#[cfg(test)]
use crate::domain::ids::SessionId;

fn sunday() -> NaiveDateTime {
    local("29T14:00")
}

/// A question about Sunday in place of Saturday; the request for Saturday was confirmed.
fn date() -> KnownDateQuestion {
    KnownDateQuestion {
        question: DateQuestionId::new("d"),
        session: SessionId::new("a"),
        role: Role::Contact,
        arrives: sunday(),
        asked_at: t("26T12:00:00"),
        answered: false,
        closed: false,
    }
}

fn answer_to(text: &str, answer: Answer, date_questions: Vec<KnownDateQuestion>) -> InboundContext {
    let asked = KnownVisit {
        answer,
        ..visit("a")
    };
    InboundContext {
        date_questions,
        ..message(text, "26T13:00:00", vec![asked])
    }
}

fn rule_of(h: &InboundContext) -> (&'static str, bool) {
    let d = decide(h);
    assert!(
        d.effects.iter().all(
            |e| matches!(e, Effect::DateAnswer { .. } | Effect::Task { .. })
                || h.date_questions.is_empty()
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
    date_answers::answer(&answer_to(text, Answer::None, vec![date()])).is_none()
}

#[test]
fn an_answer_belongs_to_its_question() {
    for (text, yes) in [
        ("yes", true),
        ("No", false),
        ("YES", true),
        ("no thanks", false),
    ] {
        let d = decide(&answer_to(text, Answer::Confirmed, vec![date()]));
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
            rule_of(&answer_to(text, Answer::None, vec![date()])),
            ("date-answer", true),
            "{text}: asked two hours after the request"
        );
        let older = KnownDateQuestion {
            asked_at: t("26T09:00:00"),
            ..date()
        };
        assert!(
            !rule_of(&InboundContext {
                date_questions: vec![older],
                ..answer_to(text, Answer::None, vec![])
            })
            .1,
            "{text}: it is the request that is answered"
        );
        let just_now = KnownDateQuestion {
            asked_at: t("26T12:59:00"),
            ..date()
        };
        assert_eq!(
            rule_of(&answer_to(text, Answer::None, vec![just_now])),
            ("date-or-visit", false),
            "{text}"
        );
    }
    assert_eq!(
        rule_of(&answer_to("yes sunday", Answer::None, vec![date()])),
        ("date-answer", true),
        "the named day says which"
    );
    assert!(dates_are_not_asked("yes saturday") && dates_are_not_asked("no not saturday"));
    assert_eq!(
        rule_of(&answer_to("no she is ill", Answer::Confirmed, vec![date()])),
        ("date-or-visit", false),
        "a reason is no answer to a date"
    );
    let two = vec![
        date(),
        KnownDateQuestion {
            question: DateQuestionId::new("e"),
            ..date()
        },
    ];
    assert_eq!(
        rule_of(&answer_to("yes", Answer::Confirmed, two)),
        ("two-dates", false)
    );
}

#[test]
fn answered_or_closed_it_changes_nothing_more() {
    let again = KnownDateQuestion {
        answered: true,
        ..date()
    };
    assert_eq!(
        rule_of(&answer_to("no", Answer::Confirmed, vec![again.clone()])),
        ("date-again", false)
    );
    assert_eq!(
        rule_of(&answer_to("yes", Answer::None, vec![again])),
        ("yes", false),
        "the request for the visit is what is open"
    );
    let crossed = KnownDateQuestion {
        closed: true,
        ..date()
    };
    assert_eq!(
        rule_of(&answer_to("no", Answer::Confirmed, vec![crossed])),
        ("date-or-visit", false)
    );
    let not_yet = KnownDateQuestion {
        asked_at: t("26T13:00:01"),
        ..date()
    };
    assert_eq!(
        rule_of(&answer_to("yes", Answer::None, vec![not_yet])),
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
        ..answer_to("", Answer::None, dates)
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
            vec![KnownDateQuestion {
                answered: true,
                ..date()
            }],
        ),
    ] {
        let d = decide(&h);
        assert!(d.effects.is_empty() && d.reply.unwrap().kind == MessageKind::OldButton);
    }
}
