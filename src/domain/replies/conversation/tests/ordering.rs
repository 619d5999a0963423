//! Messages that reach us out of order.

use super::*;
#[cfg(test)]
use crate::domain::ids::SessionId;

#[test]
fn what_was_sent_before_the_last_word_changes_nothing() {
    let confirmed = KnownVisit {
        answer: Answer::Confirmed,
        decided_at: Some(t("26T10:10:00")),
        ..visit("a")
    };
    let d = decide(&message("no", "26T10:05:00", vec![confirmed.clone()]));
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
    let d = decide(&message("yes", "26T10:05:00", vec![confirmed.clone()]));
    assert_eq!(
        (d.rule, d.effects, d.reply),
        ("overtaken", vec![], None),
        "it says the same"
    );
    assert_eq!(
        decide(&message("no", "26T10:10:00", vec![confirmed.clone()])).rule,
        "S1",
        "at the same second it is no older"
    );
    // What comes at once is newer, whatever two clocks say.
    let h = InboundContext {
        sent_by: t("26T10:10:02"),
        ..message("no", "26T10:09:57", vec![confirmed.clone()])
    };
    assert_eq!(decide(&h).rule, "S1");
    // Another visit that is named, and not decided since, is answered; without a name it may be
    // about the one that was.
    let sunday = || KnownVisit {
        starts_at: t("29T10:00:00"),
        arrives: local("29T10:00"),
        ..visit("b")
    };
    assert_eq!(
        decide(&message(
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
        decide(&message(
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
            decide(&message(text, "26T10:05:00", vec![confirmed.clone()])).rule,
            rule
        );
    }
    let h = InboundContext {
        opt_out: OptOut {
            active: false,
            changed_at: Some(t("26T10:10:00")),
        },
        ..message("STOP", "26T10:05:00", vec![confirmed])
    };
    assert_eq!(
        decide(&h).effects,
        [Effect::Task {
            topic: TaskKind::ReadMessage,
            session: None
        }]
    );
}
