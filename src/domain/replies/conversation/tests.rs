//! What messages do.

#[cfg(test)]
use crate::domain::ids::{CancelQuestionId, CaseId, ChoiceId, SessionId};
use crate::domain::replies::conversation::*;
use crate::domain::replies::understanding::understand;

fn t(s: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("2026-11-{s}Z"))
        .unwrap()
        .with_timezone(&Utc)
}

fn local(s: &str) -> NaiveDateTime {
    crate::domain::local_time::parse_local(&format!("2026-11-{s}")).unwrap()
}

pub(crate) fn open(session: &str) -> KnownVisit {
    KnownVisit {
        session: SessionId::new(session),
        case: CaseId::new("c"),
        starts_at: t("28T10:00:00"),
        ask_version: 1,
        arrives: local("28T10:00"),
        notice_hours: 48,
        moved: None,
        cancel_answer: CancelAnswer::Code,
        state: SessionState::Booked,
        cancelled_by_me: false,
        release_at: None,
        answer: Answer::None,
        asked: QuestionState {
            at: Some(t("26T10:00:00")),
            accepted_at: Some(t("26T10:00:00")),
            older: false,
        },
        decided_at: None,
        question: None,
        question_here: true,
        questions_today: 0,
        wrong_tries: 0,
        cancel_blocked: false,
    }
}

pub(crate) fn heard(text: &str, at: &str, open: Vec<KnownVisit>) -> InboundContext {
    InboundContext {
        at: t(at),
        earliest: t(at),
        sent_by: t(at),
        understood: understand(text),
        pressed: None,
        choosing: None,
        media: false,
        known: true,
        agreed: true,
        resting: false,
        opted_out: false,
        opted_at: None,
        provider_stopped: false,
        asked_last: None,
        clarified: false,
        lately: RecentInbound::default(),
        quiet_word: false,
        open,
        dates: Vec::new(),
    }
}

fn question(at: &str) -> CancelQuestion {
    CancelQuestion {
        id: CancelQuestionId::new("q"),
        code_prefix: "527".into(),
        offered: vec![Reason::IllChild, Reason::Other],
        asked_at: t(at),
        first_no_at: t(at),
        tries: 0,
    }
}

fn kind(d: &Decision) -> Option<MessageKind> {
    d.reply.as_ref().map(|r| r.kind)
}

#[test]
fn yes_confirms_the_one_question() {
    let d = decide(&heard("yes", "26T10:05:00", vec![open("a")]));
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
        ..open("a")
    };
    let d = decide(&heard("yes", "27T10:05:00", vec![answered, open("b")]));
    assert_eq!(
        d.effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
}

#[test]
fn two_open_questions_are_asked_back_with_numbers_and_three_are_handed_over() {
    let sunday = || KnownVisit {
        starts_at: t("29T10:00:00"),
        arrives: local("29T10:00"),
        ..open("b")
    };
    let two = || vec![open("a"), sunday()];
    for (text, wanted) in [
        ("yes", AmbiguousWish::Confirm),
        ("no", AmbiguousWish::Cancel(None)),
    ] {
        let d = decide(&heard(text, "27T10:05:00", two()));
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
            choosing: choosing.clone(),
            ..heard("2", "27T10:06:00", two())
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
            open("a"),
            KnownVisit {
                ask_version: 2,
                ..sunday()
            },
        ];
        for (n, open) in [("3", two()), ("2", moved)] {
            let d = decide(&InboundContext {
                choosing: choosing.clone(),
                ..heard(n, "27T10:06:00", open)
            });
            assert_eq!(kind(&d), Some(MessageKind::NeedsCoordinatorAck), "{n}");
        }
    }
    // A day that is named says which; one that names neither says nothing.
    assert_eq!(
        decide(&heard("yes sunday", "27T10:05:00", two())).effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
    assert_eq!(
        decide(&heard("yes monday", "27T10:05:00", two())).rule,
        "another-day"
    );
    // Without a question a number means nothing; two at the same moment, or three, are never
    // guessed.
    let same = vec![open("a"), open("b")];
    let three = vec![
        open("a"),
        sunday(),
        KnownVisit {
            starts_at: t("30T10:00:00"),
            arrives: local("30T10:00"),
            ..open("c")
        },
    ];
    for (text, open) in [
        ("1", two()),
        ("5271", two()),
        ("yes", same.clone()),
        ("no", same),
        ("yes", three.clone()),
        ("no", three),
    ] {
        let d = decide(&heard(text, "27T10:05:00", open));
        assert_eq!(kind(&d), Some(MessageKind::NeedsCoordinatorAck), "{text}");
        assert!(matches!(d.effects[..], [Effect::Task { .. }]), "{text}");
    }
}

fn pressed(
    press: Press,
    at: &str,
    below: Option<PromptRef>,
    open: Vec<KnownVisit>,
) -> InboundContext {
    InboundContext {
        pressed: Some(ButtonPress { press, below }),
        ..heard("", at, open)
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
        vec![open("a"), open("b")],
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
        ..open("a")
    };
    let moved = KnownVisit {
        ask_version: 2,
        ..open("a")
    };
    let over = KnownVisit {
        starts_at: t("26T10:00:00"),
        ..open("a")
    };
    for (press, below, open) in [
        (Press::Yes, request(), vec![confirmed]),
        (Press::Yes, request(), vec![moved.clone()]),
        (Press::No, request(), vec![moved]),
        (Press::Yes, None, vec![open("a")]),
        (Press::No, None, vec![open("a")]),
        (Press::Yes, request(), vec![open("b")]),
        (Press::No, request(), vec![over]),
        (Press::IllChild, request(), vec![open("a")]),
    ] {
        let d = decide(&pressed(press, "26T10:05:00", below.clone(), open));
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
        vec![open("a")],
    ));
    assert!(matches!(
        &d.effects[..],
        [Effect::CancelAsked { late: true, .. }]
    ));
    assert_eq!(kind(&d), Some(MessageKind::CancelReasonAsk));
    let asked = || KnownVisit {
        question: Some(question("26T10:05:00")),
        ..open("a")
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
    for (at, below, open) in [
        ("26T10:15:01", finish(), asked()),
        ("26T10:06:00", other_question, asked()),
        ("26T10:06:00", finish(), open("a")),
    ] {
        let d = decide(&pressed(Press::IllChild, at, below, vec![open]));
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
            vec![open("a")],
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

#[test]
fn a_wrong_number_rests_and_each_family_is_rung() {
    let other = KnownVisit {
        case: CaseId::new("d"),
        ..open("b")
    };
    let d = decide(&heard(
        "wrong number mate",
        "26T10:05:00",
        vec![open("a"), other],
    ));
    assert_eq!(d.effects[0], Effect::PauseAddress);
    assert_eq!(d.effects.len(), 3, "one ring task for each family");
    assert_eq!(kind(&d), Some(MessageKind::WrongNumberAck));
}

#[test]
fn an_answer_to_another_day_or_mere_courtesy_is_no_answer() {
    for text in ["yes see you sunday", "can't make it sun"] {
        let d = decide(&heard(text, "26T10:05:00", vec![open("a")]));
        assert_eq!(d.rule, "another-day", "{text}");
    }
    assert_eq!(
        decide(&heard(
            "yes see you saturday",
            "26T10:05:00",
            vec![open("a")]
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
        ..open("a")
    };
    assert_eq!(
        decide(&heard("no problem thanks", "26T14:12:00", vec![off])).rule,
        "courtesy-or-yes"
    );
    let asked = KnownVisit {
        question: Some(question("26T10:05:00")),
        ..open("a")
    };
    assert_eq!(
        decide(&heard("No problem", "26T10:09:00", vec![asked.clone()])).rule,
        "courtesy-or-yes"
    );
    assert_eq!(
        decide(&heard("No problem", "26T10:09:00", vec![open("a")])).rule,
        "yes"
    );
    // One visit has an open cancel question, another waits for its answer: which one is kept is not
    // guessed.
    assert_eq!(
        decide(&heard("yes", "27T10:05:00", vec![asked, open("b")])).rule,
        "two-visits"
    );
}

#[test]
fn a_no_changes_nothing_until_its_code_comes() {
    let d = decide(&heard("no", "26T10:05:00", vec![open("a")]));
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
        ..open("a")
    };
    let d = decide(&heard("5271", "26T10:05:00", vec![asked.clone()]));
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
        let d = decide(&heard(text, at, vec![asked.clone()]));
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
        ..open("a")
    };
    assert!(
        !decide(&heard("5271", "26T10:05:00", vec![spent]))
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Cancel { .. }))
    );
}

#[test]
fn yes_keeps_a_visit_that_was_asked_to_be_cancelled() {
    let asked = KnownVisit {
        question: Some(question("26T10:05:00")),
        ..open("a")
    };
    let d = decide(&heard("yes", "26T10:09:00", vec![asked]));
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
fn a_cancellation_can_be_taken_back_until_it_is_released() {
    let off = KnownVisit {
        state: SessionState::Cancelled,
        cancelled_by_me: true,
        release_at: Some(t("26T14:30:00")),
        answer: Answer::Cancelled,
        ..open("a")
    };
    let d = decide(&heard("yes", "26T14:12:00", vec![off.clone()]));
    assert_eq!(
        d.effects,
        [Effect::TakeBack {
            session: SessionId::new("a")
        }]
    );
    let d = decide(&heard("yes", "26T14:30:00", vec![off]));
    assert_eq!(
        (d.rule, kind(&d)),
        ("C11", Some(MessageKind::NeedsCoordinatorAck))
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
        ..open("a")
    };
    let d = decide(&heard("yes", "26T12:01:59", vec![moved.clone()]));
    assert!(d.effects.is_empty() && kind(&d) == Some(MessageKind::ConfirmRequest));
    assert_eq!(
        decide(&heard("yes", "26T12:02:00", vec![moved])).effects,
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
        ..open("a")
    };
    assert!(
        decide(&heard("yes", "26T12:01:00", vec![waiting]))
            .effects
            .iter()
            .all(|e| matches!(e, Effect::Task { .. }))
    );
}

#[test]
fn stop_is_honoured_and_somebody_rings() {
    let d = decide(&heard("STOP", "26T10:05:00", vec![open("a")]));
    assert_eq!(
        d.effects,
        [
            Effect::OptOut,
            Effect::Task {
                topic: TaskKind::RingOptedOut,
                session: Some(SessionId::new("a"))
            }
        ]
    );
    assert_eq!(kind(&d), Some(MessageKind::StopAck));
    let cancel_blocked = InboundContext {
        provider_stopped: true,
        ..heard("CANCEL", "26T10:05:00", vec![open("a")])
    };
    let d = decide(&cancel_blocked);
    assert_eq!(d.reply, None);
    assert!(
        d.effects.contains(&Effect::OptOut)
            && d.effects.contains(&Effect::Task {
                topic: TaskKind::CancelByPhone,
                session: Some(SessionId::new("a"))
            })
    );
}

#[test]
fn everything_handed_over_gets_the_same_words() {
    for text in [
        "what time is it?",
        "he is outside",
        "f off",
        "yes but",
        "🖕",
        "",
    ] {
        let d = decide(&InboundContext {
            clarified: true,
            ..heard(text, "26T10:05:00", vec![open("a")])
        });
        assert_eq!(
            d.reply,
            Some(Reply {
                kind: MessageKind::NeedsCoordinatorAck,
                session: None
            }),
            "{text}"
        );
    }
}

#[test]
fn a_stranger_learns_nothing() {
    let h = InboundContext {
        known: false,
        ..heard("YES", "26T10:05:00", vec![])
    };
    assert_eq!(kind(&decide(&h)), Some(MessageKind::UnknownSender));
}

#[test]
fn what_was_sent_before_the_last_word_changes_nothing() {
    let confirmed = KnownVisit {
        answer: Answer::Confirmed,
        decided_at: Some(t("26T10:10:00")),
        ..open("a")
    };
    let d = decide(&heard("no", "26T10:05:00", vec![confirmed.clone()]));
    assert_eq!(
        (d.rule, d.effects, d.reply),
        (
            "overtaken",
            vec![Effect::Task {
                topic: TaskKind::ReadMessage,
                session: Some(SessionId::new("a"))
            }],
            None
        )
    );
    let d = decide(&heard("yes", "26T10:05:00", vec![confirmed.clone()]));
    assert_eq!(
        (d.rule, d.effects, d.reply),
        ("overtaken", vec![], None),
        "it says the same"
    );
    assert_eq!(
        decide(&heard("no", "26T10:10:00", vec![confirmed.clone()])).rule,
        "S1",
        "at the same second it is no older"
    );
    // What comes at once is newer, whatever two clocks say.
    let h = InboundContext {
        sent_by: t("26T10:10:02"),
        ..heard("no", "26T10:09:57", vec![confirmed.clone()])
    };
    assert_eq!(decide(&h).rule, "S1");
    // Another visit that is named, and not decided since, is answered; without a name it may be
    // about the one that was.
    let sunday = || KnownVisit {
        starts_at: t("29T10:00:00"),
        arrives: local("29T10:00"),
        ..open("b")
    };
    assert_eq!(
        decide(&heard(
            "yes sunday",
            "26T10:05:00",
            vec![confirmed.clone(), sunday()]
        ))
        .effects,
        [Effect::Confirm {
            session: SessionId::new("b")
        }]
    );
    assert_eq!(
        decide(&heard(
            "yes",
            "26T10:05:00",
            vec![confirmed.clone(), sunday()]
        ))
        .rule,
        "overtaken"
    );
    // Danger, a STOP and a question are heard however late they are; a STOP before a START is for a
    // person.
    for (text, rule) in [
        ("he has a knife", "safeguarding_alert"),
        ("STOP", "stop"),
        ("which door?", "question"),
    ] {
        assert_eq!(
            decide(&heard(text, "26T10:05:00", vec![confirmed.clone()])).rule,
            rule
        );
    }
    let h = InboundContext {
        opted_at: Some(t("26T10:10:00")),
        ..heard("STOP", "26T10:05:00", vec![confirmed])
    };
    assert_eq!(
        decide(&h).effects,
        [Effect::Task {
            topic: TaskKind::ReadMessage,
            session: None
        }]
    );
}

#[test]
fn a_channel_that_was_not_agreed_on_decides_nothing_and_is_not_answered() {
    for text in [
        "yes",
        "no",
        "STOP",
        "START",
        "help",
        "which door?",
        "he is reading my messages",
        "Who's this?",
        "5271",
        "🤷",
        "",
    ] {
        let d = decide(&InboundContext {
            agreed: false,
            ..heard(
                text,
                "26T10:05:00",
                vec![KnownVisit {
                    question: Some(question("26T10:00:00")),
                    ..open("a")
                }],
            )
        });
        let quiet = |e: &Effect| {
            matches!(
                e,
                Effect::Task { .. }
                    | Effect::OptOut
                    | Effect::OptIn
                    | Effect::PauseAddress
                    | Effect::Quieten { .. }
            )
        };
        assert!(
            d.reply.is_none()
                && d.effects.iter().all(quiet)
                && d.effects.iter().any(|e| matches!(e, Effect::Task { .. })),
            "{text}: {d:?}"
        );
    }
}

#[test]
fn a_question_is_finished_where_it_was_asked_and_ended_anywhere() {
    let elsewhere = KnownVisit {
        question: Some(question("26T10:00:00")),
        question_here: false,
        ..open("a")
    };
    assert!(
        !decide(&heard("5271", "26T10:05:00", vec![elsewhere.clone()]))
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Cancel { .. }))
    );
    let d = decide(&heard("yes", "26T10:05:00", vec![elsewhere.clone()]));
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
    let d = decide(&heard("no", "26T10:05:00", vec![elsewhere]));
    assert!(
        matches!(&d.effects[0], Effect::CancelAsked { first_no_at, .. } if *first_no_at == t("26T10:00:00")),
        "{d:?}"
    );
}

/// Words beside an answer that nobody knows are for a person too, and a reason among them is asked
/// for and not taken.
#[test]
fn what_nobody_could_read_beside_an_answer_is_read_by_a_person() {
    let read = |d: &Decision| {
        d.effects
            .contains(&task(TaskKind::ReadMessage, Some(&open("s"))))
    };
    let d = decide(&heard(
        "Yes we will be there, thank you for the glockenspiel",
        "26T11:00:00",
        vec![open("s")],
    ));
    assert!(
        d.effects.contains(&Effect::Confirm {
            session: SessionId::new("s")
        }) && read(&d),
        "{d:?}"
    );
    let d = decide(&heard(
        "she is poorly, glockenspiel everywhere, can't come",
        "27T11:00:00",
        vec![open("s")],
    ));
    assert!(
        matches!(d.effects[0], Effect::CancelAsked { reason: None, .. }) && read(&d),
        "{d:?}"
    );
    let d = decide(&heard("yes thanks", "26T11:00:00", vec![open("s")]));
    assert!(!read(&d), "{d:?}");
}

fn sunday() -> KnownVisit {
    KnownVisit {
        starts_at: t("29T14:00:00"),
        arrives: local("29T13:45"),
        ..open("b")
    }
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

fn choosing(wanted: AmbiguousWish, said_at: &str) -> Option<OpenChoice> {
    Some(OpenChoice {
        id: ChoiceId::new("c"),
        wanted,
        options: vec![(SessionId::new("a"), 1), (SessionId::new("b"), 1)],
        said_at: t(said_at),
    })
}

/// When the first NO of the cancellation counts that a decision begins.
fn first_no(d: &Decision) -> Option<DateTime<Utc>> {
    d.effects.iter().find_map(|e| {
        if let Effect::CancelAsked { first_no_at, .. } = e {
            Some(*first_no_at)
        } else {
            None
        }
    })
}

#[test]
fn a_yes_ends_the_numbered_question_and_its_first_time() {
    let waits = choosing(AmbiguousWish::Cancel(None), "26T09:00:00");
    let said = |text: &str, at: &str, open: Vec<KnownVisit>| {
        decide(&InboundContext {
            choosing: waits.clone(),
            ..heard(text, at, open)
        })
    };
    let ends = Effect::Chosen {
        choice: ChoiceId::new("c"),
    };
    let confirmed = || KnownVisit {
        answer: Answer::Confirmed,
        ..open("a")
    };
    // The NO may have been about Sunday: somebody reads it.
    let d = said("yes saturday", "26T11:00:00", vec![open("a"), sunday()]);
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
        choosing: waits.clone(),
        media: true,
        ..heard("yes", "26T11:00:00", vec![open("a"), sunday()])
    };
    assert!(
        !decide(&picture).effects.contains(&ends)
            && !decide(&InboundContext {
                resting: true,
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
        ..open("a")
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
            !said(text, "26T11:00:00", vec![open("a"), sunday()])
                .effects
                .contains(&ends),
            "{text}"
        );
    }
    // The name of the day is the answer as well as its number, and counts from the first NO, for 24
    // hours.
    for text in ["1", "no saturday"] {
        let d = said(text, "26T11:00:00", vec![open("a"), sunday()]);
        assert_eq!(
            (d.effects.contains(&ends), first_no(&d)),
            (true, Some(t("26T09:00:00"))),
            "{text}"
        );
        assert_eq!(
            first_no(&said(text, "27T09:00:01", vec![open("a"), sunday()])),
            Some(t("27T09:00:01")),
            "{text}"
        );
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
        back(&decide(&heard(
            "yes sat",
            at,
            vec![off(open("a"), until), sunday()]
        ))),
        taken("a"),
        "another visit waits for its answer"
    );
    let held = KnownVisit {
        question: Some(question("26T14:00:00")),
        ..sunday()
    };
    assert_eq!(
        back(&decide(&heard(
            "yes sat",
            at,
            vec![off(open("a"), until), held]
        ))),
        taken("a")
    );
    let both = || vec![off(open("a"), until), off(sunday(), until)];
    assert_eq!(back(&decide(&heard("yes sunday", at, both()))), taken("b"));
    assert_eq!(
        decide(&heard("yes", at, both())).rule,
        "two-visits",
        "two are off and none is named"
    );
    assert_eq!(
        back(&decide(&heard(
            "yes sunday",
            at,
            vec![off(open("a"), until), sunday()]
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
        back(&decide(&heard("yes sunday", "26T14:30:00", both()))),
        reconfirm("b")
    );
    assert_eq!(
        back(&decide(&heard(
            "yes sat",
            "26T14:30:00",
            vec![off(open("a"), until), sunday()]
        ))),
        reconfirm("a")
    );
    let last = KnownVisit {
        decided_at: Some(t("26T14:20:00")),
        ..off(sunday(), until)
    };
    assert_eq!(
        back(&decide(&heard(
            "yes",
            "26T14:30:00",
            vec![off(open("a"), until), last]
        ))),
        reconfirm("b"),
        "the one that was spoken of last"
    );
}

#[test]
fn a_named_visit_is_confirmed_while_another_one_is_being_cancelled() {
    let held = || KnownVisit {
        question: Some(question("26T10:05:00")),
        ..open("a")
    };
    assert_eq!(
        decide(&heard("yes sunday", "26T10:06:00", vec![held(), sunday()])).effects,
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
        decide(&heard("yes sat", "26T10:06:00", vec![held(), sunday()])).effects,
        kept
    );
}

#[test]
fn a_bare_no_goes_to_the_newest_open_question() {
    let held = |at: &str| KnownVisit {
        question: Some(question(at)),
        ..open("a")
    };
    let asks = |d: &Decision| {
        d.effects.iter().find_map(|e| {
            if let Effect::CancelAsked { session, .. } = e {
                Some(session.to_string())
            } else {
                None
            }
        })
    };
    // The question that finishes Saturday's cancellation is newer than Sunday's request: Saturday
    // once more.
    let d = decide(&heard(
        "no",
        "26T11:00:00",
        vec![held("26T10:30:00"), sunday()],
    ));
    assert_eq!(
        (asks(&d).as_deref(), first_no(&d)),
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
        asks(&decide(&heard(
            "no",
            "26T11:02:00",
            vec![held("26T10:30:00"), later()]
        )))
        .as_deref(),
        Some("b")
    );
    let d = decide(&heard(
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
            asks(&decide(&heard(
                "no",
                "26T10:31:00",
                vec![held("26T10:30:00"), other]
            )))
            .as_deref(),
            Some("a")
        );
    }
    assert_eq!(
        asks(&decide(&heard(
            "no sunday",
            "26T10:31:00",
            vec![held("26T10:30:00"), sunday()]
        )))
        .as_deref(),
        Some("b"),
        "what is named decides first"
    );
}

#[test]
fn what_is_said_shortly_before_a_visit_has_its_time() {
    for text in [
        "she has a cough, is that ok",
        "which door?",
        "can we do 3pm instead",
        "he has a knife",
        "my new number is 07700900123",
        "hmm",
        "7",
    ] {
        let d = decide(&heard(text, "28T07:00:00", vec![sunday(), open("a")]));
        assert!(
            d.effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: Some(s), .. } if s.as_str() == "a"))
                && !d.effects.is_empty(),
            "{text}: {d:?}"
        );
        let days_before = decide(&heard(text, "26T07:00:00", vec![open("a")]));
        assert!(
            days_before
                .effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: None, .. })),
            "{text}"
        );
        let two_families = vec![
            open("a"),
            KnownVisit {
                case: CaseId::new("d"),
                ..open("b")
            },
        ];
        assert!(
            decide(&heard(text, "28T07:00:00", two_families))
                .effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: None, .. })),
            "{text}"
        );
    }
}
