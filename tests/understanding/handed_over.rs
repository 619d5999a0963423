//! What a person reads: unclear messages, questions, machines, bad input.

use super::*;
use crate::common::{On, World};
use base64::Engine;
use courtesy::domain::people::channel::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::people::reply;
use courtesy::simulator::{ACCOUNT, OUR_NUMBER, TOKEN, time};
use courtesy::store::{parties, tasks};

async fn one_clarification_a_day_then_the_one_hand_over_text_then_silence(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "maybe").await;
    assert_eq!(w.last(DWAYNE), SORRY);
    w.says(DWAYNE, "I'll try").await;
    assert_eq!(w.last(DWAYNE), HANDED);
    let n = w.got(DWAYNE).len();
    w.says(DWAYNE, "depends on work").await;
    assert_eq!(w.got(DWAYNE).len(), n, "once an hour");
    assert_eq!(
        w.tasks("BRK-0101").await,
        [
            TaskKind::ReadMessage,
            TaskKind::ReadMessage,
            TaskKind::ReadMessage
        ],
        "a person reads each"
    );
    // The other parent has a day of her own, and another question is not touched by it.
    w.says(CONTACT_105, "not sure").await;
    assert_eq!(w.last(CONTACT_105), SORRY);
    // The next day once more.
    w.until("2026-11-27T10:30").await;
    w.says(DWAYNE, "hopefully").await;
    assert_eq!(w.last(DWAYNE), SORRY);
    // Who has answered already, or was never asked, is not asked to answer.
    w.says(CONTACT_105, "yes").await;
    w.says(CONTACT_105, "hm not sure what that was").await;
    assert_eq!(w.last(CONTACT_105), HANDED);
    w.end().await;
}

async fn whatever_is_handed_over_gets_the_same_bytes_at_the_same_instant(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let mut replies = Vec::new();
    let texts = [
        "what time is it?",
        "my new number is 07700 900555",
        "can we do sunday instead",
        "running late",
        "you lot are a joke",
        "he hit me last night",
        "he is making me write this",
        "my ex reads my messages",
        "Is it still on?",
        "one of them is poorly, I'll bring the other",
        "5271",
        "2",
        "yes see you sunday",
        "I took all my tablets",
    ];
    for (hour, body) in (11..).zip(texts) {
        let phone = [DWAYNE, CONTACT_105, RESIDENT_105][usize::try_from(hour).unwrap() % 3];
        let day = if hour < 20 {
            format!("2026-11-26T{hour}:00")
        } else {
            format!("2026-11-27T{:02}:00", hour - 10)
        };
        w.until(&day).await;
        if mode(&w, "BRK-0101:contact").await != Mode::Normal
            || mode(&w, "BRK-0105:contact").await != Mode::Normal
            || mode(&w, "BRK-0105:resident").await != Mode::Normal
        {
            for p in ["BRK-0101:contact", "BRK-0105:contact", "BRK-0105:resident"] {
                let party = parties::find(&w.svc.db, p).await.unwrap();
                phone::change(
                    &w.svc,
                    &party,
                    &PhoneChange {
                        mode: Some(Mode::Normal),
                        spoken: Some(phone::Spoken::InPerson),
                        ..PhoneChange::default()
                    },
                    "Mary",
                    w.svc.clock.now(),
                )
                .await
                .unwrap();
            }
        }
        let before = w.got(phone).len();
        w.says(phone, body).await;
        let got: Vec<(String, i64)> = w
            .provider
            .messages()
            .into_iter()
            .filter(|m| m.to == phone)
            .skip(before)
            .map(|m| (m.body, (m.created - w.svc.clock.now()).num_seconds()))
            .collect();
        replies.push((body, got));
    }
    for (body, got) in &replies {
        assert_eq!(*got, [(HANDED.to_owned(), 0)], "{body}");
    }
    w.end().await;
}

async fn is_it_still_on_never_gets_a_state(on: On) {
    let questions = [
        "Is it still on?",
        "has he confirmed",
        "has she cancelled?",
        "is he coming saturday",
        "did she say yes",
    ];
    // Four states of the other parent: nothing, confirmed, about to cancel, cancelled and not
    // released yet.
    for state in 0..4 {
        let w = World::sample(on, "2026-11-26T10:00").await;
        match state {
            1 => w.says(CONTACT_105, "yes").await,
            2 => w.says(CONTACT_105, "no").await,
            3 => {
                w.says(CONTACT_105, "no").await;
                w.says(CONTACT_105, &w.code(CONTACT_105, "other")).await;
            }
            _ => {}
        }
        w.until("2026-11-26T10:01").await;
        let before = w.got(RESIDENT_105).len();
        for q in questions {
            w.says(RESIDENT_105, q).await;
        }
        assert_eq!(w.got(RESIDENT_105)[before..], [HANDED], "state {state}");
        w.end().await;
    }
}

async fn a_machine_that_answers_ours_is_answered_once_and_opens_one_task(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    for i in 0..20 {
        w.until(&format!("2026-11-26T10:{:02}", 10 + i)).await;
        w.says(
            DWAYNE,
            "Thank you for your message. This mailbox is not monitored.",
        )
        .await;
    }
    assert_eq!(
        w.got(DWAYNE).len(),
        2,
        "the request and one answer: {:?}",
        w.got(DWAYNE)
    );
    assert_eq!(
        w.tasks("BRK-0101").await,
        [TaskKind::ReadMessage, TaskKind::AutoReplies]
    );
    // Very many at once, each different: the same. But an answer is an answer, and danger is told.
    for i in 0..40 {
        w.says(CONTACT_105, &format!("Ticket #{i} was opened for you"))
            .await;
    }
    let tasks = w.tasks("BRK-0105").await;
    assert!(
        tasks.len() <= 11 && tasks.contains(&TaskKind::AutoReplies),
        "{tasks:?}"
    );
    assert!(w.got(CONTACT_105).len() <= 3, "{:?}", w.got(CONTACT_105));
    w.says(CONTACT_105, "he has a knife").await;
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::Safeguarding));
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.end().await;
}

async fn bad_input_is_kept_shown_safely_and_handed_to_a_person(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let heap = format!("o{}", "\u{301}".repeat(10_000));
    let bad = [
        "",
        "   ",
        "👍🏽",
        "🤷",
        "\u{202e}SEY",
        "ye\0s",
        "\u{feff}\u{200b}",
        "\u{1b}[2J",
        "?",
        heap.as_str(),
        "ＹＥＳ？",
    ];
    for (i, body) in bad.iter().enumerate() {
        w.until(&format!("2026-11-26T{}:{:02}", 11 + i / 6, i % 6 * 10))
            .await;
        w.says(DWAYNE, body).await;
    }
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    let open: Vec<_> = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.case_ref.as_deref() == Some("BRK-0101"))
        .collect();
    assert_eq!(open.len(), bad.len(), "{open:?}");
    let waiting = reply::waiting(&w.svc, &open[4].id).await.unwrap();
    let came: Vec<&str> = waiting
        .passed
        .iter()
        .filter(|p| matches!(p.direction, courtesy::store::inbox::Direction::In { .. }))
        .map(|p| p.body.0.as_str())
        .collect();
    for body in bad {
        let kept = body.replace('\0', "\u{2400}");
        assert!(
            came.contains(&kept.as_str()),
            "{body:?} is kept as received"
        );
        assert!(
            !courtesy::domain::sanitize::sanitize(&kept)
                .chars()
                .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)),
            "{body:?} is shown safely"
        );
    }
    w.end().await;
}

async fn bytes_that_are_no_utf_8_are_kept_and_are_no_yes(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let hook = format!(
        "http://{}/hooks/sms/inbound",
        w.running.as_ref().unwrap().listen
    );
    let pairs: Vec<(&[u8], &[u8])> = vec![
        (b"MessageSid", b"SMbytes"),
        (b"AccountSid", ACCOUNT.as_bytes()),
        (b"From", CONTACT_105.as_bytes()),
        (b"To", OUR_NUMBER.as_bytes()),
        (b"Body", b"YES\xff\xfe"),
    ];
    let body = pairs
        .iter()
        .map(|(k, v)| {
            format!(
                "{}={}",
                String::from_utf8_lossy(k),
                v.iter().map(|b| format!("%{b:02x}")).collect::<String>()
            )
        })
        .collect::<Vec<_>>()
        .join("&");
    let signature = base64::engine::general_purpose::STANDARD
        .encode(courtesy::channels::twilio::sign(TOKEN, &hook, &pairs));
    let post = |signature: String| {
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .post(&hook)
            .header("x-twilio-signature", signature)
            .body(body.clone())
            .send()
    };
    assert_eq!(post("AAAA".into()).await.unwrap().status(), 403);
    assert_eq!(post(signature).await.unwrap().status(), 200);
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await
        ),
        ("booked none none", vec![TaskKind::ReadMessage])
    );
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.case_ref.as_deref() == Some("BRK-0105"))
        .unwrap();
    assert!(
        reply::waiting(&w.svc, &task.id)
            .await
            .unwrap()
            .passed
            .iter()
            .any(|p| p.body.0 == "YES\\xFF\\xFE")
    );
    w.end().await;
}

async fn a_person_sees_the_message_what_came_before_and_what_was_answered(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "no").await;
    let code = w.code(DWAYNE, "other");
    w.says(DWAYNE, &format!("{code} thanks")).await;
    w.says(DWAYNE, "Which door do we use?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .rfind(|t| t.topic == TaskKind::ReadMessage)
        .unwrap()
        .id;
    let seen = reply::waiting(&w.svc, &task).await.unwrap();
    assert_eq!(
        (seen.parties.as_slice(), seen.quiet),
        (&["BRK-0101:contact".to_owned()][..], None)
    );
    let bodies: Vec<&str> = seen.passed.iter().map(|p| p.body.0.as_str()).collect();
    assert!(
        bodies[0].contains("your visit is Sat 28 Nov") && bodies.contains(&"Which door do we use?"),
        "{bodies:?}"
    );
    assert!(
        bodies.contains(&"**** thanks") && !bodies.iter().any(|b| b.contains(&code[..3])),
        "no code is shown: {bodies:?}"
    );
    let own = seen
        .passed
        .iter()
        .filter(
            |p| matches!(&p.direction, courtesy::store::inbox::Direction::In { id, .. } if *id == seen.message),
        )
        .count();
    assert_eq!(own, 1);
    // It is of no other phone.
    assert!(!bodies.iter().any(|b| b.contains("9:45am")));
    w.end().await;
}

crate::on_both!(
    one_clarification_a_day_then_the_one_hand_over_text_then_silence,
    whatever_is_handed_over_gets_the_same_bytes_at_the_same_instant,
    is_it_still_on_never_gets_a_state,
    a_machine_that_answers_ours_is_answered_once_and_opens_one_task,
    bad_input_is_kept_shown_safely_and_handed_to_a_person,
    bytes_that_are_no_utf_8_are_kept_and_are_no_yes,
    a_person_sees_the_message_what_came_before_and_what_was_answered,
);
