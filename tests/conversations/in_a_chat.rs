//! The same in a chat as by text.

use super::*;
use crate::common::{BIRCHFIELD, LIFFEY, On, World, sample_with};
use courtesy::domain::people::address::Address;
use courtesy::domain::people::channel::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::people::reply;
use courtesy::store::{parties, tasks};

const HANDED: &str = "Birchfield: thank you. Staff will read this when the office is open. Nothing \
                      has changed yet. In an emergency ring 999. Phone 020 7946 0101";
const SORRY: &str = "Birchfield: sorry, we did not understand. Nothing is changed. Reply YES if \
                     you will come or NO if you cannot, or ring 020 7946 0101";

const STAFF: &str = "+447700900999";

/// The sample with a second visit of BRK-0104 on the Sunday. Its resident uses a chat, and a phone
/// of the staff gets the alerts.
async fn in_a_chat(on: On, now: &str) -> World {
    let sunday = [("session_date", "2026-11-29")];
    let w = World::with(
        on,
        now,
        &[BIRCHFIELD, LIFFEY],
        &sample_with(&[("BRK-0104", &sunday)]),
        |s| s.alert_to = vec![Address::sms(&STAFF.parse().unwrap())],
    )
    .await;
    w.until("2026-11-27T10:30").await;
    w
}

async fn in_a_chat_it_is_asked_back_or_handed_over_and_never_guessed(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let said = w.chat(MAIRE).len();
    w.chats_in(MAIRE, "yes sat no sunday").await;
    w.chats_in(MAIRE, "sat yes sun no").await;
    w.chats_in(MAIRE, "is it still on?").await;
    w.chats_in(MAIRE, "has he confirmed").await;
    assert_eq!(
        w.chat(MAIRE)[said..],
        [SORRY, HANDED],
        "one clarification, then the one hand-over text, then silence"
    );
    assert_eq!(w.tasks("BRK-0104").await.len(), 4, "a person reads each");
    w.chats_in(MAIRE, "yes").await;
    assert!(
        w.chat(MAIRE).last().unwrap().contains("which visit?"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.presses(MAIRE, "2").await;
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked confirmed none"]
    );
    w.end().await;
}

async fn in_a_chat_a_change_of_mind_and_late_answers(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    w.chats_in(MAIRE, "yes sunday").await;
    // A change of mind.
    w.chats_in(MAIRE, "cancel sunday please").await;
    w.chats_in(MAIRE, "yes sunday").await;
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked confirmed none"]
    );
    // After the cut-off, and after the visit.
    w.until("2026-11-28T11:00").await;
    w.chats_in(MAIRE, "no saturday").await;
    assert!(
        w.chat(MAIRE).last().unwrap().contains("A fee may apply"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.until("2026-11-29T20:00").await;
    let stood = all_of(&w, "BRK-0104").await;
    for text in ["yes", "no", "cancel please"] {
        w.chats_in(MAIRE, text).await;
    }
    assert_eq!(
        (
            all_of(&w, "BRK-0104").await,
            w.chat(MAIRE).last().unwrap().as_str()
        ),
        (stood, HANDED)
    );
    w.end().await;
}

async fn in_a_chat_danger_and_machines_are_as_by_text(on: On) {
    // Whatever is handed over gets the same words at the same instant, by text and in a chat.
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    for i in 0..20 {
        w.until(&format!("2026-11-27T10:{:02}", 31 + i)).await;
        w.chats_in(MAIRE, "Automatic reply: I am away until Monday")
            .await;
    }
    assert_eq!(
        w.tasks("BRK-0104").await,
        [TaskKind::ReadMessage, TaskKind::AutoReplies]
    );
    assert_eq!(
        w.chat(MAIRE).len(),
        3,
        "two requests and one answer: {:?}",
        w.chat(MAIRE)
    );
    w.until("2026-11-27T12:00").await;
    let alerts = w.got(STAFF).len();
    w.chats_in(MAIRE, "yes. he made me write this").await;
    assert_eq!(
        (w.chat(MAIRE).last().unwrap().as_str(), w.chat(MAIRE).len()),
        (HANDED, 4)
    );
    assert_eq!(
        parties::find(&w.svc.db, "BRK-0104:resident")
            .await
            .unwrap()
            .mode,
        Mode::Silent
    );
    w.until("2026-11-27T12:02").await;
    assert_eq!(
        w.got(STAFF)[alerts..],
        ["Desk: 1 urgent task. Please sign in."]
    );
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked none none"]
    );
    w.until("2026-11-27T14:00").await;
    w.chats_in(MAIRE, "which door?").await;
    assert_eq!(w.chat(MAIRE).len(), 4, "nothing more goes there");
    w.end().await;
}

async fn in_a_chat_quiet_words_are_as_by_text(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let party = parties::find(&w.svc.db, "BRK-0104:resident").await.unwrap();
    let word = PhoneChange {
        quiet_word: Some("Is there parking?".into()),
        ..PhoneChange::default()
    };
    phone::change(&w.svc, &party, &word, "Mary", w.svc.clock.now())
        .await
        .unwrap();
    w.chats_in(MAIRE, "is there parking").await;
    assert_eq!(w.chat(MAIRE).last().unwrap(), HANDED, "as to anybody else");
    assert!(w.tasks("BRK-0104").await.contains(&TaskKind::QuietWord));
    assert_eq!(
        parties::find(&w.svc.db, "BRK-0104:resident")
            .await
            .unwrap()
            .mode,
        Mode::Discreet
    );
    w.end().await;
}

async fn in_a_chat_what_cannot_be_read_is_kept_and_handed_over(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let bad = [
        "👍🏽",
        "🤷",
        "\u{202e}SEY",
        "ye\0s",
        "\u{feff}\u{200b}",
        "\u{1b}[2J",
        "   ",
        "?",
    ];
    for (i, text) in bad.iter().enumerate() {
        w.until(&format!("2026-11-27T{}:00", 11 + i)).await;
        w.chats_in(MAIRE, text).await;
    }
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked none none"]
    );
    let open: Vec<_> = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.case_ref.as_deref() == Some("BRK-0104") && t.topic == TaskKind::ReadMessage)
        .collect();
    assert_eq!(open.len(), bad.len());
    let waiting = reply::waiting(&w.svc, &open[0].id).await.unwrap();
    for text in bad {
        let kept = text.replace('\0', "\u{2400}");
        assert!(
            waiting.passed.iter().any(|p| p.body.0 == kept),
            "{text:?} is kept as received"
        );
    }
    w.end().await;
}

crate::on_both!(
    in_a_chat_it_is_asked_back_or_handed_over_and_never_guessed,
    in_a_chat_a_change_of_mind_and_late_answers,
    in_a_chat_danger_and_machines_are_as_by_text,
    in_a_chat_quiet_words_are_as_by_text,
    in_a_chat_what_cannot_be_read_is_kept_and_handed_over,
);
