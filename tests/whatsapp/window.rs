//! The 24-hour window: what is sent as a content template, what as free text, and what by the next
//! agreed channel.

use super::*;

/// Nobody wrote: the confirmation goes as its content template, with the values of the text and the
/// token of its buttons.
async fn outside_the_window_a_content_template_goes(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    for phone in [RESIDENT, CONTACT] {
        let text = w.nth(&format!("whatsapp:{phone}"), 1).await;
        assert_eq!(
            (text.get("From"), text.get("ContentSid"), text.get("Body")),
            (OUR_WHATSAPP, sid("confirm_request").as_str(), "")
        );
        let v = text.variables();
        assert_eq!(
            (v.len(), v[0].as_str(), v[3].as_str(), v[4].as_str()),
            (
                6,
                "Birchfield",
                "If you cancel now a fee may apply.",
                "020 7946 0101"
            )
        );
        assert!(
            v[1].split(' ').count() == 3 && v[2].ends_with('m'),
            "a day and a time: {v:?}"
        );
        assert!(
            text.get("StatusCallback").ends_with(&v[5]),
            "the token of the attempt"
        );
        assert!(w.sent(phone).await.is_empty(), "nothing by SMS");
    }
    let rows = w.b.json(&["list", "messages"]);
    assert!(
        rows.iter()
            .all(|m| m["channel"] == "whatsapp" && m["attempts"].as_array().unwrap().len() == 1),
        "{rows:?}"
    );
    assert!(
        w.b.json(&["list", "parties"])
            .iter()
            .all(|p| p["channel"] == "whatsapp" && p["usable"] == true)
    );
    w.emulator.no_violations().await;
}

/// Without a content template it goes by SMS at the same instant if that was agreed; otherwise a
/// person rings.
async fn without_a_content_template_the_next_agreed_channel_takes_it(on: On) {
    let w = World::asked(on, &["session_off"], BOTH, "").await;
    for phone in [RESIDENT, CONTACT] {
        assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        assert!(w.by_whatsapp(phone).await.is_empty());
    }
    let rows = w.b.json(&["list", "messages"]);
    let instant = |m: &Value, key: &str| {
        m[key]
            .as_str()
            .unwrap()
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    };
    for m in &rows {
        assert_eq!(
            (
                m["channel"].as_str(),
                m["attempts"].as_array().unwrap().len()
            ),
            (Some("sms"), 1)
        );
        assert!(
            instant(&m["attempts"][0], "started_at") - instant(m, "not_before")
                < chrono::Duration::seconds(30),
            "{m}"
        );
    }
    w.emulator.no_violations().await;
    let mut w = World::prepared(on, &[], "yes", 1, "").await;
    w.b.ok(&["import", "families.csv"]);
    w.serve().await;
    eventually(LIMIT, "both are rung", || async {
        (w.tasks("ring_no_address") == 2).then_some(())
    })
    .await;
    assert!(
        w.b.json(&["list", "messages"])
            .iter()
            .all(|m| m["state"] == "withdrawn"
                && m["reason"] == "no_usable_channel"
                && m["attempts"] == json!([]))
    );
    assert!(w.sent(RESIDENT).await.is_empty() && w.by_whatsapp(RESIDENT).await.is_empty());
    w.emulator.no_violations().await;
}

/// Within a day of their own message the words go as they are, and as the content template where
/// that brings buttons.
async fn inside_the_window_words_are_free(on: On) {
    let w = World::after_they_wrote(on, &["session_off"], async |_| ()).await;
    w.all_sent("answered and asked").await;
    for phone in [RESIDENT, CONTACT] {
        let all = w.by_whatsapp(phone).await;
        let bodies: Vec<&str> = all.iter().map(|s| s.get("Body")).collect();
        assert_eq!(all.len(), 2, "{bodies:?}");
        assert!(
            bodies.iter().any(|b| b.contains("Staff will read this"))
                && bodies
                    .iter()
                    .any(|b| b.contains("Reply YES if you will come")),
            "{bodies:?}"
        );
        assert!(w.sent(phone).await.is_empty());
    }
    // The answer is understood as it is by SMS, and thanked in the same place.
    w.writes(CONTACT, "Yes thanks").await;
    w.stands("booked none confirmed").await;
    assert!(
        w.nth(&format!("whatsapp:{CONTACT}"), 3)
            .await
            .get("Body")
            .contains("You have confirmed")
    );
    // A message without buttons is sent as free text although it has a template.
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(
        w.nth(&format!("whatsapp:{CONTACT}"), 4)
            .await
            .get("Body")
            .contains("will not go ahead")
    );
    w.emulator.no_violations().await;
    let w = World::after_they_wrote(on, &["confirm_request"], async |_| ()).await;
    w.all_sent("answered and asked").await;
    assert_eq!(
        w.by_whatsapp(CONTACT)
            .await
            .iter()
            .filter(|s| s.get("ContentSid") == sid("confirm_request"))
            .count(),
        1,
        "with its buttons"
    );
    w.emulator.no_violations().await;
}

/// A refusal with 63016 at once: SMS takes it, once.
async fn refused_at_once_outside_the_window(on: On) {
    let w = World::after_they_wrote(on, &[], async |w| {
        for phone in [RESIDENT, CONTACT] {
            let to = format!("whatsapp:{phone}");
            w.emulator
                .control(
                    "fault",
                    json!({
                        "point": "create",
                        "kind": "error",
                        "code": 63016,
                        "status": 400,
                        "times": -1,
                        "match": { "To": to },
                    }),
                )
                .await;
        }
    })
    .await;
    for phone in [RESIDENT, CONTACT] {
        assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        assert!(w.by_whatsapp(phone).await.is_empty());
    }
    // The answer to what they wrote belongs to that chat and to no visit: a person rings.
    eventually(LIMIT, "both are rung", || async {
        (w.tasks("ring_no_address") == 2).then_some(())
    })
    .await;
    w.quiet().await;
    assert_eq!(
        (w.sent(RESIDENT).await.len(), w.sent(CONTACT).await.len()),
        (1, 1),
        "nobody is doubled"
    );
    for m in
        w.b.json(&["list", "messages"])
            .iter()
            .filter(|m| m["kind"] == "confirm_request")
    {
        let tries: Vec<_> = m["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| {
                (
                    a["channel"].as_str().unwrap(),
                    a["outcome"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(tries, [("whatsapp", "refused"), ("sms", "accepted")], "{m}");
    }
    assert_eq!(w.tasks("bad_number"), 0);
    w.emulator.no_violations().await;
}

/// The provider accepts it and later reports that it came too late: SMS takes it once, whatever is
/// reported after that.
async fn told_later_that_it_was_outside_the_window(on: On) {
    for status in ["failed", "undelivered"] {
        let w = World::after_they_wrote(on, &[], async |w| {
            w.emulator
                .control(
                    "config",
                    json!({ "whatsapp_window_s": 0, "freeform_status": status }),
                )
                .await;
        })
        .await;
        for phone in [RESIDENT, CONTACT] {
            assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        }
        let rows = eventually(LIMIT, "both by SMS", || async {
            let rows: Vec<_> =
                w.b.json(&["list", "messages"])
                    .into_iter()
                    .filter(|m| m["kind"] == "confirm_request")
                    .collect();
            rows.iter()
                .all(|m| m["state"] == "delivered" && m["channel"] == "sms")
                .then_some(rows)
        })
        .await;
        for m in &rows {
            let tries: Vec<_> = m["attempts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| {
                    (
                        a["channel"].as_str().unwrap(),
                        a["outcome"].as_str().unwrap(),
                    )
                })
                .collect();
            assert_eq!(tries, [("whatsapp", "refused"), ("sms", "accepted")], "{m}");
            // The same again, something older, and the opposite change nothing.
            let first = m["attempts"][0]["provider_id"].as_str().unwrap();
            for (late, code) in [
                (status, json!(63016)),
                ("sent", Value::Null),
                ("delivered", Value::Null),
                ("read", Value::Null),
            ] {
                w.emulator
                    .control(
                        "callback",
                        json!({ "sid": first, "status": late, "error_code": code, "n": 2 }),
                    )
                    .await;
            }
        }
        w.quiet().await;
        assert_eq!(
            (w.sent(RESIDENT).await.len(), w.sent(CONTACT).await.len()),
            (1, 1),
            "nobody is doubled"
        );
        let after: Vec<_> =
            w.b.json(&["list", "messages"])
                .into_iter()
                .filter(|m| m["kind"] == "confirm_request")
                .collect();
        assert!(
            after.iter().all(|m| m["state"] == "delivered"
                && m["channel"] == "sms"
                && m["attempts"].as_array().unwrap().len() == 2),
            "{after:?}"
        );
        assert_eq!(w.tasks("bad_number"), 0);
        w.emulator.no_violations().await;
    }
}

/// The same, found by the listing because the answer was lost and no callback came.
async fn looked_up_and_found_outside_the_window(on: On) {
    let w = World::after_they_wrote(on, &[], async |w| {
        w.emulator
            .control("config", json!({ "whatsapp_window_s": 0, "callbacks": [] }))
            .await;
        w.emulator
            .control(
                "fault",
                json!({
                    "point": "create",
                    "kind": "reset_after",
                    "times": -1,
                    "match": { "To": format!("whatsapp:{CONTACT}") },
                }),
            )
            .await;
    })
    .await;
    assert!(
        w.nth(CONTACT, 1)
            .await
            .get("Body")
            .contains("your visit is")
    );
    w.quiet().await;
    assert_eq!(w.sent(CONTACT).await.len(), 1, "nobody is doubled");
    let request =
        w.b.json(&["list", "messages"])
            .into_iter()
            .find(|m| m["kind"] == "confirm_request" && m["role"] == "contact")
            .unwrap();
    let tries: Vec<_> = request["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| {
            (
                a["channel"].as_str().unwrap(),
                a["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        tries,
        [("whatsapp", "refused"), ("sms", "accepted")],
        "{request}"
    );
    assert_eq!(w.tasks("bad_number"), 0);
    w.emulator.no_violations().await;
}

/// What was decided for the WhatsApp address, more than a day after its owner's last message, goes
/// to the party's next address too.
async fn an_answer_recorded_by_staff_reaches_the_next_address(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&[
        "record", "answer", &session, "--party", "contact", "no", "--reason", "travel",
    ]);
    assert!(
        w.nth(CONTACT, 2)
            .await
            .get("Body")
            .contains("pay a fee of £45")
    );
    assert!(
        w.sent(CONTACT).await[0]
            .get("Body")
            .contains("we have noted that you cannot come")
    );
    assert!(
        w.nth(RESIDENT, 1)
            .await
            .get("Body")
            .contains("will not go ahead")
    );
    assert_eq!(
        (
            w.by_whatsapp(CONTACT).await.len(),
            w.by_whatsapp(RESIDENT).await.len()
        ),
        (1, 1)
    );
    w.emulator.no_violations().await;
}

/// Any other word of the service is as for SMS: a person rings, and nothing goes elsewhere by
/// itself.
async fn other_refusals_are_for_a_person(on: On) {
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    w.b.ok(&["import", "families.csv"]);
    w.emulator
        .control(
            "fault",
            json!({
                "point": "create",
                "kind": "error",
                "code": 63024,
                "status": 400,
                "match": { "To": format!("whatsapp:{RESIDENT}") },
            }),
        )
        .await;
    w.emulator
        .control(
            "outcome",
            json!({
                "to": format!("whatsapp:{CONTACT}"),
                "status": "undelivered",
                "error_code": 63024,
            }),
        )
        .await;
    w.serve().await;
    eventually(LIMIT, "both are rung", || async {
        (w.tasks("bad_number") == 2).then_some(())
    })
    .await;
    w.quiet().await;
    assert!(w.sent(RESIDENT).await.is_empty() && w.sent(CONTACT).await.is_empty());
    w.emulator.no_violations().await;
}

/// The service takes the texts and its answers are lost, and the program is killed: each is there
/// once, whatever the list shows of it.
async fn what_may_have_left_is_looked_up(on: On) {
    const FAMILIES: usize = 6;
    // By callback, and where none comes by the list, which shows no words of a content template.
    for (fault, called_back) in [
        ("reset_after", true),
        ("reset_after", false),
        ("500_after", false),
        ("truncate", false),
    ] {
        let mut w = World::prepared(on, &["confirm_request"], BOTH, FAMILIES, "").await;
        w.b.ok(&["import", "families.csv"]);
        w.emulator
            .control(
                "fault",
                json!({ "point": "create", "kind": fault, "times": 5, "skip": 2 }),
            )
            .await;
        w.emulator
            .control("config", json!({ "latency_ms": 20 }))
            .await;
        if !called_back {
            w.emulator
                .control("config", json!({ "callbacks": [] }))
                .await;
        }
        let mut killed = w.b.serve();
        tokio::time::sleep(Duration::from_millis(700)).await;
        killed.kill();
        w.serve().await;
        let rows = w.all_sent("every text is sent and recorded").await;
        assert_eq!(rows.len(), 2 * FAMILIES);
        let mut count: HashMap<String, usize> = HashMap::new();
        for (to, _) in w.emulator.outbound().await {
            *count.entry(to).or_default() += 1;
        }
        assert!(
            count.len() == 2 * FAMILIES
                && count
                    .iter()
                    .all(|(to, n)| *n == 1 && to.starts_with("whatsapp:")),
            "{fault}: {count:?}"
        );
        assert!(
            rows.iter()
                .all(|m| m["state"] == "delivered" || m["state"] == "sent")
                && w.tasks("uncertain_message") == 0
        );
        w.emulator.no_violations().await;
    }
}

/// One content template for a language, one for every party; what a centre's own file names goes
/// before what all centres have.
async fn a_content_template_for_a_language_and_a_centre(on: On) {
    let id = |n: u8| format!("HX{:032x}", 1000 + u32::from(n));
    let asked = async |own: &str| {
        let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
        let text = std::fs::read_to_string(&w.b.config).unwrap();
        std::fs::write(
            &w.b.config,
            format!(
                "{text}[whatsapp.content_sid.pl]\nconfirm_request = \"{}\"\n",
                id(1)
            ),
        )
        .unwrap();
        let dir = w.b.dir.path();
        let centre = std::fs::read_to_string(dir.join("centre.toml"))
            .unwrap()
            .replace("start = ", "languages = [\"pl\"]\nstart = ");
        std::fs::write(dir.join("centre.toml"), format!("{centre}{own}")).unwrap();
        let csv = std::fs::read_to_string(dir.join("families.csv"))
            .unwrap()
            .replacen(",whatsapp,en,", ",whatsapp,pl,", 1);
        std::fs::write(dir.join("families.csv"), csv).unwrap();
        w.b.ok(&["centre", "apply", "centre.toml"]);
        w.b.ok(&["import", "families.csv"]);
        w.serve().await;
        w.all_sent("both are asked").await;
        w
    };
    let fee = "If you cancel now a fee may apply.";
    let w = asked("").await;
    let (polish, english) = (
        w.nth(&format!("whatsapp:{RESIDENT}"), 1).await,
        w.nth(&format!("whatsapp:{CONTACT}"), 1).await,
    );
    assert_eq!(
        (polish.get("ContentSid"), english.get("ContentSid")),
        (id(1).as_str(), sid("confirm_request").as_str())
    );
    assert!(
        polish.variables()[3] != fee && english.variables()[3] == fee,
        "{:?}",
        polish.variables()
    );
    w.emulator.no_violations().await;
    // The centre's own for every party has English words, so its values are English too.
    let w = asked(&format!(
        "[whatsapp.content_sid]\nconfirm_request = \"{}\"\n",
        id(2)
    ))
    .await;
    for phone in [RESIDENT, CONTACT] {
        let text = w.nth(&format!("whatsapp:{phone}"), 1).await;
        assert_eq!(
            (text.get("ContentSid"), text.variables()[3].as_str()),
            (id(2).as_str(), fee)
        );
    }
    w.emulator.no_violations().await;
    let w = asked(&format!(
        "[whatsapp.content_sid]\nconfirm_request = \
                            \"{}\"\n[whatsapp.content_sid.pl]\nconfirm_request = \"{}\"\n",
        id(2),
        id(3)
    ))
    .await;
    assert_eq!(
        w.nth(&format!("whatsapp:{RESIDENT}"), 1)
            .await
            .get("ContentSid"),
        id(3)
    );
    assert_eq!(
        w.nth(&format!("whatsapp:{CONTACT}"), 1)
            .await
            .get("ContentSid"),
        id(2)
    );
    // Unknown kinds and languages are refused in either file.
    let text = std::fs::read_to_string(&w.b.config).unwrap();
    std::fs::write(
        &w.b.config,
        text.replace(
            "[whatsapp.content_sid.pl]\nconfirm_request",
            "[whatsapp.content_sid.polish]\nconfirm_request",
        ),
    )
    .unwrap();
    let (code, _, err) = w.b.run(&["check"]);
    assert!(
        code == 1 && err.contains("whatsapp.content_sid.polish"),
        "{err}"
    );
    std::fs::write(
        &w.b.config,
        text.replace(
            "[whatsapp.content_sid.pl]\nconfirm_request",
            "[whatsapp.content_sid.pl]\nconfirm",
        ),
    )
    .unwrap();
    let (code, _, err) = w.b.run(&["check"]);
    assert!(
        code == 1 && err.contains("Did you mean whatsapp.content_sid.pl.confirm_"),
        "{err}"
    );
    std::fs::write(&w.b.config, text).unwrap();
    let centre = w.b.dir.path().join("centre.toml");
    let file = std::fs::read_to_string(&centre).unwrap();
    std::fs::write(&centre, file.replace("content_sid.pl]", "content_sid.pll]")).unwrap();
    let (code, _, err) = w.b.run(&["centre", "apply", "centre.toml"]);
    assert!(
        code == 1 && err.contains("whatsapp.content_sid.pll"),
        "{err}"
    );
    w.emulator.no_violations().await;
}

crate::on_both!(
    a_content_template_for_a_language_and_a_centre,
    outside_the_window_a_content_template_goes,
    without_a_content_template_the_next_agreed_channel_takes_it,
    inside_the_window_words_are_free,
    refused_at_once_outside_the_window,
    told_later_that_it_was_outside_the_window,
    looked_up_and_found_outside_the_window,
    an_answer_recorded_by_staff_reaches_the_next_address,
    other_refusals_are_for_a_person,
    what_may_have_left_is_looked_up,
);
