//! Answers: presses and words, a cancellation that is finished in its place, a STOP, and what
//! nobody heard.

use super::*;

/// A press answers its own question, once.
async fn a_press_answers_its_own_question(on: On) {
    let w = World::asked(on, &["confirm_request", "session_moved"], BOTH, "").await;
    let (a, b) = (
        format!("whatsapp:{RESIDENT}"),
        format!("whatsapp:{CONTACT}"),
    );
    let (first, theirs) = (w.nth(&b, 1).await, w.nth(&a, 1).await);
    w.presses(
        CONTACT,
        "Yes",
        &format!("{}:yes", first.token()),
        &first.sid,
    )
    .await;
    w.stands("booked none confirmed").await;
    assert!(
        w.nth(&b, 2)
            .await
            .get("Body")
            .contains("thank you. You have confirmed")
    );
    // Pressed twice: nothing more is said or changed. The other parent's button proves nothing from
    // this phone.
    w.presses(
        CONTACT,
        "Yes",
        &format!("{}:yes", first.token()),
        &first.sid,
    )
    .await;
    assert_eq!(
        w.b.json(&["list", "messages"]).len(),
        3,
        "two questions and one thanks"
    );
    w.presses(
        CONTACT,
        "Yes",
        &format!("{}:yes", theirs.token()),
        &theirs.sid,
    )
    .await;
    assert_eq!(w.answers(), "booked none confirmed");
    assert!(
        w.nth(&b, 3)
            .await
            .get("Body")
            .contains("This button is no longer in use"),
        "only the foreign one is answered"
    );
    // A button without a token is known by the message that it answers.
    w.presses(RESIDENT, "Yes", "YES", &theirs.sid).await;
    w.stands("booked confirmed confirmed").await;
    // After a move the old buttons change nothing, the new ones do.
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let later = (courtesy::clock::Clock::System.now() + chrono::Duration::hours(23))
        .with_timezone(&chrono_tz::Europe::London)
        .format("%Y-%m-%d %H:%M")
        .to_string();
    w.b.ok(&["record", "move", &session, "--to", &later]);
    let moved = w.nth(&b, 4).await;
    assert_eq!(
        (moved.get("ContentSid"), moved.variables().len()),
        (sid("session_moved").as_str(), 7)
    );
    w.presses(
        CONTACT,
        "Yes",
        &format!("{}:yes", first.token()),
        &first.sid,
    )
    .await;
    assert_eq!(w.answers(), "booked none none");
    w.presses(
        CONTACT,
        "Yes",
        &format!("{}:yes", moved.token()),
        &moved.sid,
    )
    .await;
    w.stands("booked none confirmed").await;
    assert_eq!(w.tasks("uncertain_message"), 0);
    w.emulator.no_violations().await;
}

/// A NO is finished by a second press, and the other parent hears it by the next agreed channel.
async fn a_cancellation_is_finished_by_a_second_press(on: On) {
    let w = World::asked(
        on,
        &[
            "confirm_request",
            "cancel_reason_ask",
            "cancel_reason_ask_late",
        ],
        BOTH,
        "notice_hours = 1\n",
    )
    .await;
    let b = format!("whatsapp:{CONTACT}");
    let first = w.nth(&b, 1).await;
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid)
        .await;
    let question = w.nth(&b, 2).await;
    assert_eq!(question.get("ContentSid"), sid("cancel_reason_ask"));
    assert!(
        question.variables()[2]
            .contains("press Cancel this visit. To keep it press Keep the visit."),
        "{:?}",
        question.variables()
    );
    assert_eq!(
        w.answers(),
        "booked none none",
        "a NO changes nothing by itself"
    );
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid)
        .await;
    w.presses(
        CONTACT,
        "Cancel this visit",
        &format!("{}:cancel", question.token()),
        &question.sid,
    )
    .await;
    w.stands("cancelled none cancelled").await;
    w.presses(
        CONTACT,
        "Cancel this visit",
        &format!("{}:cancel", question.token()),
        &question.sid,
    )
    .await;
    assert!(
        w.nth(&b, 3)
            .await
            .get("Body")
            .contains("we have noted that you cannot come"),
        "noted once"
    );
    assert!(
        w.nth(RESIDENT, 1)
            .await
            .get("Body")
            .contains("will not go ahead"),
        "no content template for it, and they never wrote"
    );
    w.emulator.no_violations().await;
    // Late: the reasons are buttons of a template of its own.
    let w = World::asked(
        on,
        &[
            "confirm_request",
            "cancel_reason_ask",
            "cancel_reason_ask_late",
        ],
        BOTH,
        "",
    )
    .await;
    let first = w.nth(&b, 1).await;
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid)
        .await;
    let question = w.nth(&b, 2).await;
    assert_eq!(question.get("ContentSid"), sid("cancel_reason_ask_late"));
    w.presses(
        CONTACT,
        "Child ill",
        &format!("{}:ill_child", question.token()),
        &question.sid,
    )
    .await;
    w.stands("cancelled none cancelled").await;
    w.emulator.no_violations().await;
}

/// Without buttons a word finishes it: on WhatsApp, where the sender is known, and not by SMS,
/// where it can be faked.
async fn a_cancellation_is_finished_by_a_word_in_the_same_place(on: On) {
    // Even where the centre takes a word by SMS.
    let w = World::asked(on, &["confirm_request"], BOTH, "cancel_answer = \"word\"\n").await;
    let b = format!("whatsapp:{CONTACT}");
    w.nth(&b, 1).await;
    w.writes(CONTACT, "NO").await;
    let question = w.nth(&b, 2).await;
    assert!(
        question
            .get("Body")
            .contains("reply with ILL CHILD, ILL ME, TRAVEL or OTHER. A fee may apply."),
        "{}",
        question.get("Body")
    );
    w.inbound(json!({ "from": CONTACT, "body": "OTHER" })).await;
    w.inbound(json!({ "from": CONTACT, "body": "ILL CHILD" }))
        .await;
    assert_eq!(
        w.answers(),
        "booked none none",
        "whoever fakes the number by SMS finishes nothing"
    );
    w.writes(CONTACT, "travel").await;
    w.stands("cancelled none cancelled").await;
    w.emulator.no_violations().await;
}

/// A STOP there stops SMS to the same number too, as its words say; a START in the same place ends
/// what that STOP had stopped, and no more.
async fn a_stop_on_whatsapp_stops_the_texts_to_that_number(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.writes(CONTACT, "STOP").await;
    eventually(LIMIT, "a person rings", || async {
        (w.tasks("ring_opted_out") == 1).then_some(())
    })
    .await;
    let contact = || {
        w.b.json(&["list", "parties"])
            .into_iter()
            .find(|p| p["role"] == "contact")
            .unwrap()
    };
    assert!(
        contact()["usable"] == false && contact()["consent"] == "stop",
        "{}",
        contact()
    );
    w.writes(CONTACT, "START").await;
    assert!(
        w.nth(&format!("whatsapp:{CONTACT}"), 2)
            .await
            .get("Body")
            .contains("texts are on again")
    );
    assert!(contact()["usable"] == true && contact()["consent"] == "yes");
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "never",
    ]);
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(
        w.nth(CONTACT, 1)
            .await
            .get("Body")
            .contains("will not go ahead"),
        "SMS is on again too"
    );
    w.emulator.no_violations().await;
    // A STOP by SMS of its own, beside that of WhatsApp, is not ended there.
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.inbound(json!({ "from": CONTACT, "body": "STOP" })).await;
    w.writes(CONTACT, "STOP").await;
    w.writes(CONTACT, "START").await;
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "never",
    ]);
    let before = w.sent(CONTACT).await.len();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    eventually(LIMIT, "rung: SMS is stopped still", || async {
        (w.tasks("ring_session_off") == 1).then_some(())
    })
    .await;
    assert_eq!(w.sent(CONTACT).await.len(), before);
    w.emulator.no_violations().await;
    // Who agreed to WhatsApp alone gets nothing more, and is rung.
    let w = World::asked(on, &["confirm_request", "session_off"], "yes", "").await;
    w.writes(CONTACT, "STOP").await;
    let contact = || {
        w.b.json(&["list", "parties"])
            .into_iter()
            .find(|p| p["role"] == "contact")
            .unwrap()
    };
    eventually(LIMIT, "stopped", || async {
        (contact()["consent"] == "stop" && contact()["usable"] == false).then_some(())
    })
    .await;
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    eventually(LIMIT, "rung about the visit", || async {
        (w.tasks("ring_session_off") == 1).then_some(())
    })
    .await;
    assert!(w.sent(CONTACT).await.is_empty() && w.by_whatsapp(CONTACT).await.len() == 1);
    w.emulator.no_violations().await;
}

/// What came while nobody listened is listed and stored for its own channel; what has a wrong
/// signature is not.
async fn what_nobody_heard_is_listed(on: On) {
    let mut w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.serving = None;
    w.emulator
        .control("config", json!({ "inbound_url": Value::Null }))
        .await;
    w.emulator
        .control(
            "reply",
            json!({ "from": format!("whatsapp:{CONTACT}"), "to": OUR_WHATSAPP, "body": "yes" }),
        )
        .await;
    w.serve().await;
    w.stands("booked none confirmed").await;
    assert!(
        w.nth(&format!("whatsapp:{CONTACT}"), 2)
            .await
            .get("Body")
            .contains("You have confirmed")
    );
    let refused = w
        .emulator
        .control(
            "reply",
            json!({
                "from": format!("whatsapp:{RESIDENT}"),
                "to": OUR_WHATSAPP,
                "body": "yes",
                "signature": "bad",
            }),
        )
        .await;
    assert_eq!(refused["webhook"]["response"]["status"], 403);
    assert_eq!(w.answers(), "booked none confirmed");
    w.emulator.no_violations().await;
}

/// What cannot be read comes through the hook of either channel as it is, changes nothing, and is
/// shown without steering a terminal or a page; lists and the board show no words at all.
async fn what_cannot_be_read_is_shown_safely(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    let bad = [
        "",
        "   ",
        "👍",
        "🤷🏽",
        "\u{202e}SEY canary",
        "ye\0s canary",
        "\u{feff}\u{200b}",
        "\u{1b}[2Jyes canary",
        "<script>canary</script>",
    ];
    for text in bad {
        w.writes(CONTACT, text).await;
        w.inbound(json!({ "from": RESIDENT, "body": text })).await;
    }
    assert_eq!(w.answers(), "booked none none");
    let open: Vec<Value> =
        w.b.json(&["list", "tasks"])
            .into_iter()
            .filter(|t| t["state"] == "open")
            .collect();
    let mut ways = std::collections::BTreeSet::new();
    assert_eq!(
        open.iter().filter(|t| t["topic"] == "read_message").count()
            + open.iter().filter(|t| t["topic"] == "auto_replies").count(),
        open.len(),
        "{open:?}"
    );
    for t in &open {
        let shown = w.b.ok(&["reply", t["task"].as_str().unwrap()]);
        ways.insert(
            shown
                .lines()
                .find(|l| l.starts_with("from "))
                .unwrap()
                .to_owned(),
        );
        assert!(
            !shown.chars().any(|c| (c.is_control() && c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || c == '\u{200b}'),
            "{shown:?}"
        );
        assert!(
            shown.contains("<U+202E>SEY canary")
                && shown.contains("<U+001B>[2Jyes canary")
                && shown.contains("(no words)")
                && shown.contains('👍'),
            "{shown}"
        );
    }
    assert!(
        ways.len() == 2
            && ways.iter().any(|l| l.contains("contact, by whatsapp"))
            && ways.iter().any(|l| l.contains("resident, by sms")),
        "{ways:?}"
    );
    for list in ["tasks", "messages", "sessions", "parties"] {
        assert!(!w.b.ok(&["list", list]).contains("canary"), "{list}");
    }
    let desk = w.serving.as_ref().unwrap().desk.clone();
    let board = w
        .emulator
        .client
        .get(&desk)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        board.contains("K-00000") && !board.contains("canary"),
        "{board}"
    );
    w.emulator.no_violations().await;
}

crate::on_both!(
    what_cannot_be_read_is_shown_safely,
    a_press_answers_its_own_question,
    a_cancellation_is_finished_by_a_second_press,
    a_cancellation_is_finished_by_a_word_in_the_same_place,
    a_stop_on_whatsapp_stops_the_texts_to_that_number,
    what_nobody_heard_is_listed,
);
