//! Numbered questions: "which visit?".

use super::*;
use crate::domain::ids::ChoiceId;
#[cfg(test)]
use crate::domain::ids::SessionId;

#[test]
fn two_open_questions_are_asked_back_with_numbers_and_three_are_handed_over() {
    let sunday = || KnownVisit {
        starts_at: t("29T10:00:00"),
        arrives: local("29T10:00"),
        ..visit("b")
    };
    let two = || vec![visit("a"), sunday()];
    for (text, wanted) in [
        ("yes", AmbiguousWish::Confirm),
        ("no", AmbiguousWish::Cancel(None)),
    ] {
        let d = decide(&message(text, "27T10:05:00", two()));
        assert_eq!(
            d.effects,
            [Effect::AskWhich {
                wanted,
                options: [(SessionId::new("a"), 1), (SessionId::new("b"), 1)]
            }],
            "{text}"
        );
        assert_eq!(kind(&d), Some(MessageKind::WhichSession), "{text}");
        // The number answers it, for that visit alone.
        let choosing = Some(OpenChoice {
            id: ChoiceId::new("c"),
            wanted,
            options: vec![(SessionId::new("a"), 1), (SessionId::new("b"), 1)],
            said_at: t("26T10:00:00"),
        });
        let d = decide(&InboundContext {
            open_choice: choosing.clone(),
            ..message("2", "27T10:06:00", two())
        });
        assert_eq!(
            d.effects[0],
            Effect::Chosen {
                choice: ChoiceId::new("c")
            }
        );
        match wanted {
            AmbiguousWish::Confirm => assert_eq!(
                d.effects[1..],
                [Effect::Confirm {
                    session: SessionId::new("b")
                }]
            ),
            AmbiguousWish::Cancel(_) => assert!(
                matches!(&d.effects[1..], [Effect::CancelAsked { session, .. }] if session.as_str() == "b")
            ),
        }
        // A number that was not offered, or a visit that moved meanwhile, is for a person.
        let moved = vec![
            visit("a"),
            KnownVisit {
                ask_version: 2,
                ..sunday()
            },
        ];
        for (n, visits) in [("3", two()), ("2", moved)] {
            let d = decide(&InboundContext {
                open_choice: choosing.clone(),
                ..message(n, "27T10:06:00", visits)
            });
            assert_eq!(kind(&d), Some(MessageKind::NeedsCoordinatorAck), "{n}");
        }
    }
    // A day that is named says which; one that names neither says nothing.
    assert_eq!(
        decide(&message("yes sunday", "27T10:05:00", two())).effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
    assert_eq!(
        decide(&message("yes monday", "27T10:05:00", two())).rule,
        "another-day"
    );
    // Without a question a number means nothing; two at the same moment, or three, are never
    // guessed.
    let same = vec![visit("a"), visit("b")];
    let three = vec![
        visit("a"),
        sunday(),
        KnownVisit {
            starts_at: t("30T10:00:00"),
            arrives: local("30T10:00"),
            ..visit("c")
        },
    ];
    for (text, visits) in [
        ("1", two()),
        ("5271", two()),
        ("yes", same.clone()),
        ("no", same),
        ("yes", three.clone()),
        ("no", three),
    ] {
        let d = decide(&message(text, "27T10:05:00", visits));
        assert_eq!(kind(&d), Some(MessageKind::NeedsCoordinatorAck), "{text}");
        assert!(matches!(d.effects[..], [Effect::Task { .. }]), "{text}");
    }
}

/// When the first NO of the cancellation counts that a decision begins.
#[test]
fn a_yes_ends_the_numbered_question_and_its_first_time() {
    let waits = which_visit(AmbiguousWish::Cancel(None), "26T09:00:00");
    let said = |text: &str, at: &str, visits: Vec<KnownVisit>| {
        decide(&InboundContext {
            open_choice: waits.clone(),
            ..message(text, at, visits)
        })
    };
    let ends = Effect::Chosen {
        choice: ChoiceId::new("c"),
    };
    let confirmed = || KnownVisit {
        answer: Answer::Confirmed,
        ..visit("a")
    };
    // The NO may have been about Sunday: somebody reads it.
    let d = said("yes saturday", "26T11:00:00", vec![visit("a"), sunday()]);
    assert_eq!(
        d.effects,
        [
            ends.clone(),
            Effect::Confirm {
                session: SessionId::new("a")
            },
            Effect::Task {
                topic: TaskKind::ReadMessage,
                session: Some(SessionId::new("b"))
            }
        ]
    );
    let picture = InboundContext {
        open_choice: waits.clone(),
        media: true,
        ..message("yes", "26T11:00:00", vec![visit("a"), sunday()])
    };
    assert!(
        !decide(&picture).effects.contains(&ends)
            && !decide(&InboundContext {
                sender: Sender::Paused,
                media: false,
                ..picture
            })
            .effects
            .contains(&ends)
    );
    assert!(
        said("yes saturday", "26T11:00:00", vec![confirmed(), sunday()])
            .effects
            .contains(&ends),
        "also where nothing changes"
    );
    assert!(
        said("yes", "26T11:00:00", vec![confirmed(), sunday()])
            .effects
            .contains(&ends)
    );
    let held = KnownVisit {
        question: Some(question("26T09:30:00")),
        ..visit("a")
    };
    assert!(
        said("yes", "26T11:00:00", vec![held, sunday()])
            .effects
            .contains(&ends),
        "also where a person decides which"
    );
    // Both are confirmed: the number says what is kept, and the first time is gone.
    let both = vec![
        confirmed(),
        KnownVisit {
            answer: Answer::Confirmed,
            ..sunday()
        },
    ];
    assert!(matches!(
        &said("yes", "26T11:00:00", both).effects[..],
        [Effect::AskWhich {
            wanted: AmbiguousWish::Confirm,
            ..
        }]
    ));
    // Thanks, another day and a question end nothing.
    for text in ["which door?", "yes monday", "yes but"] {
        assert!(
            !said(text, "26T11:00:00", vec![visit("a"), sunday()])
                .effects
                .contains(&ends),
            "{text}"
        );
    }
    // The name of the day is the answer as well as its number, and counts from the first NO, for 24
    // hours.
    for text in ["1", "no saturday"] {
        let d = said(text, "26T11:00:00", vec![visit("a"), sunday()]);
        assert_eq!(
            (d.effects.contains(&ends), first_no(&d)),
            (true, Some(t("26T09:00:00"))),
            "{text}"
        );
        assert_eq!(
            first_no(&said(text, "27T09:00:01", vec![visit("a"), sunday()])),
            Some(t("27T09:00:01")),
            "{text}"
        );
    }
}
