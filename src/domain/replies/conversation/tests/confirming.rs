//! A YES in words.

use super::*;
use crate::domain::ids::CancelQuestionId;
#[cfg(test)]
use crate::domain::ids::SessionId;

#[test]
fn yes_confirms_the_one_question() {
    let d = decide(&message("yes", "26T10:05:00", vec![visit("a")]));
    assert_eq!(
        d.effects,
        [Effect::Confirm {
            session: SessionId::new("a")
        }]
    );
    assert_eq!(kind(&d), Some(MessageKind::ConfirmAck));
    // The newest open question: Saturday is answered, Sunday waits.
    let answered = KnownVisit {
        answer: Answer::Confirmed,
        ..visit("a")
    };
    let d = decide(&message("yes", "27T10:05:00", vec![answered, visit("b")]));
    assert_eq!(
        d.effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
}

#[test]
fn an_answer_to_another_day_or_mere_courtesy_is_no_answer() {
    for text in ["yes see you sunday", "can't make it sun"] {
        let d = decide(&message(text, "26T10:05:00", vec![visit("a")]));
        assert_eq!(d.rule, "another-day", "{text}");
    }
    assert_eq!(
        decide(&message(
            "yes see you saturday",
            "26T10:05:00",
            vec![visit("a")]
        ))
        .rule,
        "yes"
    );
    // "No problem, thanks" to "we have noted that you cannot come" takes nothing back, and to the
    // cancel question keeps nothing.
    let off = KnownVisit {
        state: SessionState::Cancelled,
        cancelled_by_me: true,
        release_at: Some(t("26T14:30:00")),
        answer: Answer::Cancelled,
        ..visit("a")
    };
    assert_eq!(
        decide(&message("no problem thanks", "26T14:12:00", vec![off])).rule,
        "courtesy-or-yes"
    );
    let asked = KnownVisit {
        question: Some(question("26T10:05:00")),
        ..visit("a")
    };
    assert_eq!(
        decide(&message("No problem", "26T10:09:00", vec![asked.clone()])).rule,
        "courtesy-or-yes"
    );
    assert_eq!(
        decide(&message("No problem", "26T10:09:00", vec![visit("a")])).rule,
        "yes"
    );
    // One visit has an open cancel question, another waits for its answer: which one is kept is not
    // guessed.
    assert_eq!(
        decide(&message("yes", "27T10:05:00", vec![asked, visit("b")])).rule,
        "two-visits"
    );
}

#[test]
fn yes_keeps_a_visit_that_was_asked_to_be_cancelled() {
    let asked = KnownVisit {
        question: Some(question("26T10:05:00")),
        ..visit("a")
    };
    let d = decide(&message("yes", "26T10:09:00", vec![asked]));
    assert_eq!(
        d.effects,
        [
            Effect::CloseQuestion {
                question: CancelQuestionId::new("q")
            },
            Effect::Confirm {
                session: SessionId::new("a")
            }
        ]
    );
}

#[test]
fn a_yes_that_crossed_a_move_is_asked_once_more() {
    let moved = KnownVisit {
        asked: QuestionState {
            at: Some(t("26T12:00:00")),
            accepted_at: Some(t("26T12:00:00")),
            older: true,
        },
        ..visit("a")
    };
    let d = decide(&message("yes", "26T12:01:59", vec![moved.clone()]));
    assert!(d.effects.is_empty() && kind(&d) == Some(MessageKind::ConfirmRequest));
    assert_eq!(
        decide(&message("yes", "26T12:02:00", vec![moved])).effects,
        [Effect::Confirm {
            session: SessionId::new("a")
        }]
    );
    let waiting = KnownVisit {
        asked: QuestionState {
            at: None,
            accepted_at: None,
            older: true,
        },
        ..visit("a")
    };
    assert!(
        decide(&message("yes", "26T12:01:00", vec![waiting]))
            .effects
            .iter()
            .all(|e| matches!(e, Effect::Task { .. }))
    );
}

#[test]
fn a_named_visit_is_confirmed_while_another_one_is_being_cancelled() {
    let held = || KnownVisit {
        question: Some(question("26T10:05:00")),
        ..visit("a")
    };
    assert_eq!(
        decide(&message(
            "yes sunday",
            "26T10:06:00",
            vec![held(), sunday()]
        ))
        .effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
    let kept = [
        Effect::CloseQuestion {
            question: CancelQuestionId::new("q"),
        },
        Effect::Confirm {
            session: SessionId::new("a"),
        },
    ];
    assert_eq!(
        decide(&message("yes sat", "26T10:06:00", vec![held(), sunday()])).effects,
        kept
    );
}
