//! A NO in words, its code, and taking a cancellation back.

use super::*;
use crate::domain::ids::CancelQuestionId;
#[cfg(test)]
use crate::domain::ids::SessionId;

#[test]
fn a_no_changes_nothing_until_its_code_comes() {
    let d = decide(&message("no", "26T10:05:00", vec![visit("a")]));
    assert_eq!(
        d.effects,
        [Effect::CancelAsked {
            session: SessionId::new("a"),
            reason: None,
            first_no_at: t("26T10:05:00"),
            late: true
        }]
    );
    let asked = KnownVisit {
        question: Some(question("26T09:00:00")),
        ..visit("a")
    };
    let d = decide(&message("5271", "26T10:05:00", vec![asked.clone()]));
    assert_eq!(
        d.effects[0],
        Effect::Cancel {
            session: SessionId::new("a"),
            question: CancelQuestionId::new("q"),
            reason: Reason::IllChild,
            at: t("26T09:00:00")
        }
    );
    // Wrong, with words around it, too late, after the third try: nothing.
    for (text, at) in [
        ("5272", "26T10:05:00"),
        ("5271 thanks", "26T10:05:00"),
        ("5271", "27T09:00:01"),
        ("5271", "28T10:00:00"),
    ] {
        let d = decide(&message(text, at, vec![asked.clone()]));
        assert!(
            !d.effects.iter().any(|e| matches!(e, Effect::Cancel { .. })),
            "{text} {at}"
        );
    }
    let spent = KnownVisit {
        question: Some(CancelQuestion {
            tries: 3,
            ..question("26T09:00:00")
        }),
        ..visit("a")
    };
    assert!(
        !decide(&message("5271", "26T10:05:00", vec![spent]))
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Cancel { .. }))
    );
}

#[test]
fn a_cancellation_can_be_taken_back_until_it_is_released() {
    let off = KnownVisit {
        state: SessionState::Cancelled,
        cancelled_by_me: true,
        release_at: Some(t("26T14:30:00")),
        answer: Answer::Cancelled,
        ..visit("a")
    };
    let d = decide(&message("yes", "26T14:12:00", vec![off.clone()]));
    assert_eq!(
        d.effects,
        [Effect::TakeBack {
            session: SessionId::new("a")
        }]
    );
    let d = decide(&message("yes", "26T14:30:00", vec![off]));
    assert_eq!(
        (d.rule, kind(&d)),
        ("C11", Some(MessageKind::NeedsCoordinatorAck))
    );
}

#[test]
fn a_question_is_finished_where_it_was_asked_and_ended_anywhere() {
    let elsewhere = KnownVisit {
        question: Some(question("26T10:00:00")),
        question_here: false,
        ..visit("a")
    };
    assert!(
        !decide(&message("5271", "26T10:05:00", vec![elsewhere.clone()]))
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Cancel { .. }))
    );
    let d = decide(&message("yes", "26T10:05:00", vec![elsewhere.clone()]));
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
    let d = decide(&message("no", "26T10:05:00", vec![elsewhere]));
    assert!(
        matches!(&d.effects[0], Effect::CancelAsked { first_no_at, .. } if *first_no_at == t("26T10:00:00")),
        "{d:?}"
    );
}

fn off(o: KnownVisit, release: &str) -> KnownVisit {
    KnownVisit {
        state: SessionState::Cancelled,
        cancelled_by_me: true,
        release_at: Some(t(release)),
        answer: Answer::Cancelled,
        ..o
    }
}

#[test]
fn what_is_named_is_taken_back_or_handed_over_and_no_other() {
    let back = |d: &Decision| d.effects.clone();
    let taken = |s: &str| {
        vec![Effect::TakeBack {
            session: SessionId::new(s),
        }]
    };
    let (at, until) = ("26T14:12:00", "26T14:30:00");
    assert_eq!(
        back(&decide(&message(
            "yes sat",
            at,
            vec![off(visit("a"), until), sunday()]
        ))),
        taken("a"),
        "another visit waits for its answer"
    );
    let held = KnownVisit {
        question: Some(question("26T14:00:00")),
        ..sunday()
    };
    assert_eq!(
        back(&decide(&message(
            "yes sat",
            at,
            vec![off(visit("a"), until), held]
        ))),
        taken("a")
    );
    let both = || vec![off(visit("a"), until), off(sunday(), until)];
    assert_eq!(
        back(&decide(&message("yes sunday", at, both()))),
        taken("b")
    );
    assert_eq!(
        decide(&message("yes", at, both())).rule,
        "two-visits",
        "two are off and none is named"
    );
    assert_eq!(
        back(&decide(&message(
            "yes sunday",
            at,
            vec![off(visit("a"), until), sunday()]
        ))),
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
    // Told already: a person, about the visit that is named.
    let reconfirm = |s: &str| {
        vec![Effect::Task {
            topic: TaskKind::Reconfirm,
            session: Some(SessionId::new(s)),
        }]
    };
    assert_eq!(
        back(&decide(&message("yes sunday", "26T14:30:00", both()))),
        reconfirm("b")
    );
    assert_eq!(
        back(&decide(&message(
            "yes sat",
            "26T14:30:00",
            vec![off(visit("a"), until), sunday()]
        ))),
        reconfirm("a")
    );
    let last = KnownVisit {
        decided_at: Some(t("26T14:20:00")),
        ..off(sunday(), until)
    };
    assert_eq!(
        back(&decide(&message(
            "yes",
            "26T14:30:00",
            vec![off(visit("a"), until), last]
        ))),
        reconfirm("b"),
        "the one that was spoken of last"
    );
}

#[test]
fn a_bare_no_goes_to_the_newest_open_question() {
    let held = |at: &str| KnownVisit {
        question: Some(question(at)),
        ..visit("a")
    };
    let asks = |d: &Decision| {
        d.effects.iter().find_map(|e| {
            if let Effect::CancelAsked { session, .. } = e {
                Some(session.clone())
            } else {
                None
            }
        })
    };
    // The question that finishes Saturday's cancellation is newer than Sunday's request: Saturday
    // once more.
    let d = decide(&message(
        "no",
        "26T11:00:00",
        vec![held("26T10:30:00"), sunday()],
    ));
    assert_eq!(
        (asks(&d).as_ref().map(SessionId::as_str), first_no(&d)),
        (Some("a"), Some(t("26T10:30:00")))
    );
    // Sunday was asked about after it.
    let later = || KnownVisit {
        asked: QuestionState {
            at: Some(t("26T11:00:00")),
            accepted_at: Some(t("26T11:00:00")),
            older: false,
        },
        ..sunday()
    };
    assert_eq!(
        asks(&decide(&message(
            "no",
            "26T11:02:00",
            vec![held("26T10:30:00"), later()]
        )))
        .as_ref()
        .map(SessionId::as_str),
        Some("b")
    );
    let d = decide(&message(
        "no",
        "26T11:01:59",
        vec![held("26T10:30:00"), later()],
    ));
    assert_eq!(
        (d.rule, asks(&d)),
        ("two-visits", None),
        "it may have crossed"
    );
    // Nothing else waits: no two minutes, and not the visit of which nobody asked.
    let unasked = KnownVisit {
        asked: QuestionState::default(),
        ..sunday()
    };
    let confirmed = KnownVisit {
        answer: Answer::Confirmed,
        ..sunday()
    };
    for other in [unasked, confirmed] {
        assert_eq!(
            asks(&decide(&message(
                "no",
                "26T10:31:00",
                vec![held("26T10:30:00"), other]
            )))
            .as_ref()
            .map(SessionId::as_str),
            Some("a")
        );
    }
    assert_eq!(
        asks(&decide(&message(
            "no sunday",
            "26T10:31:00",
            vec![held("26T10:30:00"), sunday()]
        )))
        .as_ref()
        .map(SessionId::as_str),
        Some("b"),
        "what is named decides first"
    );
}
