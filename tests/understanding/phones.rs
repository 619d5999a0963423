//! Phones that somebody else reads, and private words.

use super::*;
use crate::common::{On, World};
use courtesy::domain::people::channel::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::store::parties;

async fn a_phone_that_somebody_else_reads_goes_silent_at_once(on: On) {
    for body in [
        "Yes. he is reading my messages",
        "she has my phone",
        "dont reply he checks my texts",
        "use my other number",
    ] {
        let w = World::sample(on, "2026-11-26T10:00").await;
        w.says(DWAYNE, body).await;
        assert_eq!(w.last(DWAYNE), HANDED, "the ordinary answer: {body}");
        assert_eq!(
            (
                mode(&w, "BRK-0101:contact").await,
                mode(&w, "BRK-0101:resident").await
            ),
            (Mode::Silent, Mode::Normal),
            "{body}"
        );
        assert!(w.tasks("BRK-0101").await.contains(&TaskKind::Safeguarding));
        assert_eq!(
            w.stands("BRK-0101").await,
            "booked none none",
            "nothing else in it acts"
        );
        assert!(
            said(&w, "BRK-0101")
                .await
                .contains(&"mode_changed D4 silent".to_owned())
        );
        let n = w.got(DWAYNE).len();
        w.until("2026-11-26T12:00").await;
        w.says(DWAYNE, "what time was it?").await;
        w.says(SIOBHAN, "no saturday").await;
        let code = w.code(SIOBHAN, "other");
        w.says(SIOBHAN, &code).await;
        w.until("2026-11-26T15:00").await;
        assert_eq!(w.got(DWAYNE).len(), n, "nothing more goes there: {body}");
        assert!(
            w.tasks("BRK-0101")
                .await
                .contains(&TaskKind::RingSessionOff),
            "a person rings"
        );
        w.end().await;
    }
}

async fn the_last_reply_to_a_discreet_phone_is_discreet(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let party = parties::find(&w.svc.db, "BRK-0101:contact").await.unwrap();
    phone::change(
        &w.svc,
        &party,
        &PhoneChange {
            mode: Some(Mode::Discreet),
            ..PhoneChange::default()
        },
        "Mary",
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    w.says(DWAYNE, "he goes through my phone").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: please ring us when you can. Thank you."
    );
    assert_eq!(mode(&w, "BRK-0101:contact").await, Mode::Silent);
    w.end().await;
}

async fn a_private_word_changes_nothing_that_is_seen(on: On) {
    let mut replies = Vec::new();
    for registered in [true, false] {
        let w = World::sample(on, "2026-11-26T10:00").await;
        let party = parties::find(&w.svc.db, "BRK-0101:contact").await.unwrap();
        let word = |word: &str| PhoneChange {
            quiet_word: Some(word.into()),
            ..PhoneChange::default()
        };
        if registered {
            for bad in ["yes", "not coming", "stop texting me", "parking", "5271"] {
                assert!(
                    phone::change(&w.svc, &party, &word(bad), "Mary", w.svc.clock.now())
                        .await
                        .is_err(),
                    "{bad}"
                );
            }
            let done = phone::change(
                &w.svc,
                &party,
                &word("Is there parking?"),
                "Mary",
                w.svc.clock.now(),
            )
            .await
            .unwrap();
            assert!(!done.concat().contains("parking"), "{done:?}");
        }
        w.says(SIOBHAN, "is there parking").await;
        w.says(DWAYNE, "is there any parking").await;
        w.until("2026-11-26T11:30").await;
        w.says(DWAYNE, "IS THERE PARKING ").await;
        assert_eq!(
            mode(&w, "BRK-0101:contact").await,
            if registered {
                Mode::Discreet
            } else {
                Mode::Normal
            }
        );
        assert_eq!(
            w.tasks("BRK-0101").await.contains(&TaskKind::QuietWord),
            registered
        );
        assert_eq!(
            mode(&w, "BRK-0101:resident").await,
            Mode::Normal,
            "the word belongs to one person"
        );
        replies.push(
            w.provider
                .messages()
                .into_iter()
                .filter(|m| !m.inbound)
                .map(|m| format!("{} {} {}", m.created.format("%dT%H:%M"), m.to, m.body))
                .collect::<std::collections::BTreeSet<_>>(),
        );
        w.end().await;
    }
    assert_eq!(replies[0], replies[1]);
}

crate::on_both!(
    a_phone_that_somebody_else_reads_goes_silent_at_once,
    the_last_reply_to_a_discreet_phone_is_discreet,
    a_private_word_changes_nothing_that_is_seen,
);
