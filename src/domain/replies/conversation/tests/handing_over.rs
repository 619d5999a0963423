//! What a person does: STOP, strangers, danger, leftovers.

use super::*;
use crate::domain::ids::CaseId;
#[cfg(test)]
use crate::domain::ids::SessionId;

#[test]
fn a_wrong_number_rests_and_each_family_is_rung() {
    let other = KnownVisit {
        case: CaseId::new("d"),
        ..visit("b")
    };
    let d = decide(&message(
        "wrong number mate",
        "26T10:05:00",
        vec![visit("a"), other],
    ));
    assert_eq!(d.effects[0], Effect::PauseAddress);
    assert_eq!(d.effects.len(), 3, "one ring task for each family");
    assert_eq!(kind(&d), Some(MessageKind::WrongNumberAck));
}

#[test]
fn stop_is_honoured_and_somebody_rings() {
    let d = decide(&message("STOP", "26T10:05:00", vec![visit("a")]));
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
        ..message("CANCEL", "26T10:05:00", vec![visit("a")])
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
            recent: RecentExchange {
                clarified: true,
                ..RecentExchange::default()
            },
            ..message(text, "26T10:05:00", vec![visit("a")])
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
        sender: Sender::Stranger,
        ..message("YES", "26T10:05:00", vec![])
    };
    assert_eq!(kind(&decide(&h)), Some(MessageKind::UnknownSender));
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
            sender: Sender::NotAgreedHere,
            ..message(
                text,
                "26T10:05:00",
                vec![KnownVisit {
                    question: Some(question("26T10:00:00")),
                    ..visit("a")
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

/// Words beside an answer that nobody knows are for a person too, and a reason among them is asked
/// for and not taken.
#[test]
fn what_nobody_could_read_beside_an_answer_is_read_by_a_person() {
    let read = |d: &Decision| {
        d.effects
            .contains(&Effect::task(TaskKind::ReadMessage, Some(&visit("s"))))
    };
    let d = decide(&message(
        "Yes we will be there, thank you for the glockenspiel",
        "26T11:00:00",
        vec![visit("s")],
    ));
    assert!(
        d.effects.contains(&Effect::Confirm {
            session: SessionId::new("s")
        }) && read(&d),
        "{d:?}"
    );
    let d = decide(&message(
        "she is poorly, glockenspiel everywhere, can't come",
        "27T11:00:00",
        vec![visit("s")],
    ));
    assert!(
        matches!(d.effects[0], Effect::CancelAsked { reason: None, .. }) && read(&d),
        "{d:?}"
    );
    let d = decide(&message("yes thanks", "26T11:00:00", vec![visit("s")]));
    assert!(!read(&d), "{d:?}");
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
        let d = decide(&message(text, "28T07:00:00", vec![sunday(), visit("a")]));
        assert!(
            d.effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: Some(s), .. } if s.as_str() == "a"))
                && !d.effects.is_empty(),
            "{text}: {d:?}"
        );
        let days_before = decide(&message(text, "26T07:00:00", vec![visit("a")]));
        assert!(
            days_before
                .effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: None, .. })),
            "{text}"
        );
        let two_families = vec![
            visit("a"),
            KnownVisit {
                case: CaseId::new("d"),
                ..visit("b")
            },
        ];
        assert!(
            decide(&message(text, "28T07:00:00", two_families))
                .effects
                .iter()
                .all(|e| matches!(e, Effect::Task { session: None, .. })),
            "{text}"
        );
    }
}
