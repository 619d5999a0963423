//! Presses on buttons.

use super::*;
use crate::domain::ids::CancelQuestionId;
#[cfg(test)]
use crate::domain::ids::SessionId;

fn pressed(
    press: Press,
    at: &str,
    below: Option<PromptRef>,
    visits: Vec<KnownVisit>,
) -> InboundContext {
    InboundContext {
        pressed: Some(ButtonPress { press, below }),
        ..message("", at, visits)
    }
}

fn below(kind: MessageKind) -> PromptRef {
    PromptRef {
        kind,
        session: Some(SessionId::new("a")),
        ask_version: 1,
        question: "q".into(),
    }
}

#[test]
fn a_press_answers_its_own_question_and_an_old_foreign_or_second_one_changes_nothing() {
    let request = || Some(below(MessageKind::ConfirmRequest));
    let d = decide(&pressed(
        Press::Yes,
        "26T10:05:00",
        request(),
        vec![visit("a"), visit("b")],
    ));
    assert_eq!(
        d.effects,
        [Effect::Confirm {
            session: SessionId::new("a")
        }],
        "a press needs no guessing between two visits"
    );
    let confirmed = KnownVisit {
        answer: Answer::Confirmed,
        ..visit("a")
    };
    let moved = KnownVisit {
        ask_version: 2,
        ..visit("a")
    };
    let over = KnownVisit {
        starts_at: t("26T10:00:00"),
        ..visit("a")
    };
    for (press, below, visits) in [
        (Press::Yes, request(), vec![confirmed]),
        (Press::Yes, request(), vec![moved.clone()]),
        (Press::No, request(), vec![moved]),
        (Press::Yes, None, vec![visit("a")]),
        (Press::No, None, vec![visit("a")]),
        (Press::Yes, request(), vec![visit("b")]),
        (Press::No, request(), vec![over]),
        (Press::IllChild, request(), vec![visit("a")]),
    ] {
        let d = decide(&pressed(press, "26T10:05:00", below.clone(), visits));
        assert_eq!(
            (d.effects, d.reply.map(|r| r.kind)),
            (vec![], Some(MessageKind::OldButton)),
            "{press} {below:?}"
        );
    }
}

#[test]
fn in_a_chat_a_second_press_within_ten_minutes_finishes_a_cancellation() {
    let d = decide(&pressed(
        Press::No,
        "26T10:05:00",
        Some(below(MessageKind::ConfirmRequest)),
        vec![visit("a")],
    ));
    assert!(matches!(
        &d.effects[..],
        [Effect::CancelAsked { late: true, .. }]
    ));
    assert_eq!(kind(&d), Some(MessageKind::CancelReasonAsk));
    let asked = || KnownVisit {
        question: Some(question("26T10:05:00")),
        ..visit("a")
    };
    let finish = || Some(below(MessageKind::CancelReasonAsk));
    let d = decide(&pressed(
        Press::IllChild,
        "26T10:15:00",
        finish(),
        vec![asked()],
    ));
    assert_eq!(
        d.effects[0],
        Effect::Cancel {
            session: SessionId::new("a"),
            question: CancelQuestionId::new("q"),
            reason: Reason::IllChild,
            at: t("26T10:05:00")
        }
    );
    let keep = decide(&pressed(
        Press::Keep,
        "26T10:09:00",
        finish(),
        vec![asked()],
    ));
    assert_eq!(
        keep.effects,
        [
            Effect::CloseQuestion {
                question: CancelQuestionId::new("q")
            },
            Effect::Confirm {
                session: SessionId::new("a")
            }
        ]
    );
    let other_question = Some(PromptRef {
        question: "older".into(),
        ..below(MessageKind::CancelReasonAsk)
    });
    for (at, below, known) in [
        ("26T10:15:01", finish(), asked()),
        ("26T10:06:00", other_question, asked()),
        ("26T10:06:00", finish(), visit("a")),
    ] {
        let d = decide(&pressed(Press::IllChild, at, below, vec![known]));
        assert_eq!(
            (d.effects, d.reply.map(|r| r.kind)),
            (vec![], Some(MessageKind::OldButton)),
            "{at}"
        );
    }
    // A second NO while the question is open asks nothing anew.
    assert_eq!(
        decide(&pressed(
            Press::No,
            "26T10:06:00",
            Some(below(MessageKind::ConfirmRequest)),
            vec![asked()]
        ))
        .rule,
        "press-again"
    );
}

#[test]
fn a_press_that_may_have_come_while_we_were_away_counts_as_in_time_and_a_person_is_told() {
    let away = |earliest| InboundContext {
        earliest: t(earliest),
        ..pressed(
            Press::No,
            "26T10:30:00",
            Some(below(MessageKind::ConfirmRequest)),
            vec![visit("a")],
        )
    };
    let d = decide(&away("26T09:58:00"));
    assert!(
        matches!(
            &d.effects[..],
            [
                Effect::CancelAsked { late: false, .. },
                Effect::Task {
                    topic: TaskKind::CountedInTime,
                    ..
                }
            ]
        ),
        "{:?}",
        d.effects
    );
    let d = decide(&away("26T10:00:01"));
    assert!(
        matches!(&d.effects[..], [Effect::CancelAsked { late: true, .. }]),
        "the cut-off had passed before we were away: {:?}",
        d.effects
    );
}
