//! Where WhatsApp may go: what was agreed, what is safe, and a centre's own number.

use super::*;

/// Staff begin and end WhatsApp on the number on file; a file cannot widen what was agreed, and
/// takes it away.
async fn staff_and_files_say_where_whatsapp_may_go(on: On) {
    let mut w = World::prepared(on, &["confirm_request"], "yes:whatsapp+sms", 1, "").await;
    let plain = families(1, courtesy::clock::Clock::System.now());
    std::fs::write(w.b.dir.path().join("families.csv"), &plain).unwrap();
    w.b.ok(&["hold", "on"]);
    w.b.ok(&["import", "families.csv"]);
    let (code, _, err) = w.b.run(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "safe",
    ]);
    assert!(code == 1 && err.contains("--spoken"), "{err}");
    let (code, _, err) = w.b.run(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "never",
    ]);
    assert!(code == 1 && err.contains("no address on whatsapp"), "{err}");
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "safe",
        "--spoken",
        "in-person",
    ]);
    let channel = |role: &str| {
        w.b.json(&["list", "parties"])
            .into_iter()
            .find(|p| p["role"] == role)
            .unwrap()["channel"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (channel("contact"), channel("resident")),
        ("whatsapp".into(), "sms".into())
    );
    w.b.ok(&["hold", "off", "--count", "2"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    assert_eq!(
        (
            w.by_whatsapp(CONTACT).await.len(),
            w.sent(CONTACT).await.len(),
            w.sent(RESIDENT).await.len()
        ),
        (1, 0, 1)
    );
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--whatsapp",
        "ring_first",
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
        "by SMS, which was agreed too"
    );
    w.emulator.no_violations().await;
}

/// Whether a text may go to a number is said for each channel.
async fn a_number_may_be_safe_on_whatsapp_alone(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.b.ok(&[
        "record", "family", "K-00000", "--party", "contact", "--sms", "never",
    ]);
    w.writes(CONTACT, "yes").await;
    w.stands("booked none confirmed").await;
    assert!(
        w.nth(&format!("whatsapp:{CONTACT}"), 2)
            .await
            .get("Body")
            .contains("You have confirmed")
    );
    // The other way round it is nobody's word: it is read by a person and not answered.
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "resident",
        "--whatsapp",
        "never",
    ]);
    w.writes(RESIDENT, "yes").await;
    eventually(LIMIT, "read by a person", || async {
        (w.tasks("read_message") == 1).then_some(())
    })
    .await;
    assert_eq!(w.answers(), "booked none confirmed");
    w.inbound(json!({ "from": RESIDENT, "body": "yes" })).await;
    assert!(
        w.nth(RESIDENT, 1)
            .await
            .get("Body")
            .contains("You have confirmed"),
        "by SMS, where it is safe"
    );
    assert_eq!(w.by_whatsapp(RESIDENT).await.len(), 1);
    w.emulator.no_violations().await;
}

/// A new number of a file waits for staff with all that was agreed for it, and a consent that no
/// longer names WhatsApp ends it.
async fn a_new_number_keeps_what_was_agreed(on: On) {
    const NEW: &str = "+447711000077";
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    w.b.ok(&["hold", "on"]);
    w.b.ok(&["import", "families.csv"]);
    let file = w.b.dir.path().join("families.csv");
    let csv = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, csv.replace(CONTACT, NEW)).unwrap();
    let (_, _, err) = w.b.run(&["import", "families.csv"]);
    assert!(err.contains("it waits until staff confirm it"), "{err}");
    assert_eq!(w.tasks("confirm_number"), 1);
    w.b.ok(&[
        "record",
        "family",
        "K-00000",
        "--party",
        "contact",
        "--confirm-number",
        "--spoken",
        "called-back",
    ]);
    w.b.ok(&["hold", "off", "--count", "2"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    assert_eq!(
        (
            w.by_whatsapp(NEW).await.len(),
            w.by_whatsapp(CONTACT).await.len(),
            w.sent(NEW).await.len()
        ),
        (1, 0, 0)
    );
    let session = w.b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(
        w.nth(NEW, 1)
            .await
            .get("Body")
            .contains("will not go ahead"),
        "SMS was agreed for it too"
    );
    w.emulator.no_violations().await;
    // SMS is wanted and WhatsApp agreed beside it; then it is not.
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    w.b.ok(&["hold", "on"]);
    let file = w.b.dir.path().join("families.csv");
    let csv = std::fs::read_to_string(&file)
        .unwrap()
        .replace(",,whatsapp,en,", ",,sms,en,");
    std::fs::write(&file, &csv).unwrap();
    w.b.ok(&["import", "families.csv"]);
    std::fs::write(&file, csv.replace("yes:whatsapp+sms", "yes:sms")).unwrap();
    let (_, _, err) = w.b.run(&["import", "families.csv"]);
    assert!(
        err.contains("the consent no longer names WhatsApp"),
        "{err}"
    );
    w.b.ok(&[
        "record", "family", "K-00000", "--party", "contact", "--sms", "never",
    ]);
    let contact =
        w.b.json(&["list", "parties"])
            .into_iter()
            .find(|p| p["role"] == "contact")
            .unwrap();
    assert_eq!(
        contact["usable"], false,
        "nothing is left that was agreed and is safe"
    );
    w.b.ok(&["hold", "off", "--count", "1"]);
    w.serve().await;
    eventually(LIMIT, "rung", || async {
        (w.tasks("ring_no_address") == 1).then_some(())
    })
    .await;
    assert!(w.by_whatsapp(CONTACT).await.is_empty() && w.sent(CONTACT).await.is_empty());
    w.emulator.no_violations().await;
}

/// A centre has a number of its own on WhatsApp, at the account of all; `check` says what is
/// missing.
async fn a_centre_has_a_number_of_its_own(on: On) {
    const OWN: &str = "whatsapp:+15005550009";
    let mut w = World::prepared(on, &[], BOTH, 1, "").await;
    w.emulator = Emulator::start(&[
        "--from-number",
        "+15005550006",
        "--from-number",
        OUR_WHATSAPP,
        "--from-number",
        OWN,
    ]);
    let text = std::fs::read_to_string(&w.b.config).unwrap();
    let base = text.lines().find(|l| l.starts_with("base_url")).unwrap();
    std::fs::write(
        &w.b.config,
        text.replace(base, &format!("base_url = \"{}\"", w.emulator.url)),
    )
    .unwrap();
    let centre = w.b.dir.path().join("centre.toml");
    let file = std::fs::read_to_string(&centre).unwrap();
    std::fs::write(
        &centre,
        format!(
            "{file}[whatsapp]\nfrom = \
                                     \"+15005550009\"\n[whatsapp.content_sid]\nsesion_off = \
                                     \"{}\"\n",
            sid("session_off")
        ),
    )
    .unwrap();
    let (code, _, err) = w.b.run(&["centre", "apply", "centre.toml"]);
    assert!(
        code == 1
            && err.contains("\"whatsapp:+44…\"")
            && err.contains("Did you mean whatsapp.content_sid.session_off?"),
        "{err}"
    );
    std::fs::write(
        &centre,
        format!(
            "{file}[whatsapp]\nfrom = \
                                     \"{OWN}\"\n[whatsapp.content_sid]\nconfirm_request = \
                                     \"{}\"\n",
            sid("confirm_request")
        ),
    )
    .unwrap();
    w.b.ok(&["centre", "apply", "centre.toml"]);
    let (code, out, err) = w.b.run(&["check", "--online"]);
    assert!(
        code == 0 && out.contains(&format!("the texting service of {OWN} answers")),
        "{out}{err}"
    );
    assert!(
        err.contains(&format!(
            "whatsapp.content_sid ({OWN}): no content template for \
                                   session_off, session_moved, closure"
        )),
        "{err}"
    );
    w.b.ok(&["import", "families.csv"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    let text = w.nth(&format!("whatsapp:{CONTACT}"), 1).await;
    assert_eq!(
        (text.get("From"), text.get("ContentSid")),
        (OWN, sid("confirm_request").as_str())
    );
    w.inbound(json!({ "from": format!("whatsapp:{CONTACT}"), "to": OWN, "body": "yes" }))
        .await;
    w.stands("booked none confirmed").await;
    assert_eq!(
        w.nth(&format!("whatsapp:{CONTACT}"), 2).await.get("From"),
        OWN
    );
    w.emulator.no_violations().await;
}

/// What a parent who agreed to SMS alone writes there is read by a person and not answered.
async fn what_comes_where_nothing_was_agreed_is_read_and_not_answered(on: On) {
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    std::fs::write(
        w.b.dir.path().join("families.csv"),
        families(1, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    w.b.ok(&["import", "families.csv"]);
    w.serve().await;
    w.all_sent("both are asked by SMS").await;
    w.writes(CONTACT, "NO we cannot come").await;
    let read =
        w.b.json(&["list", "tasks"])
            .into_iter()
            .find(|t| t["topic"] == "read_message")
            .unwrap();
    assert!(
        read["case_ref"] == "K-00000" && read["due_at"].is_string(),
        "before the visit that is next: {read}"
    );
    assert!(
        w.b.ok(&["reply", read["task"].as_str().unwrap()])
            .contains("NO we cannot come")
    );
    assert_eq!(w.answers(), "booked none none");
    // A hint that somebody else reads the phone holds all the same, and so does a STOP.
    w.writes(RESIDENT, "he is reading my messages").await;
    assert_eq!(w.tasks("safeguarding"), 1);
    w.writes(CONTACT, "stop").await;
    let party = |role: &str| {
        w.b.json(&["list", "parties"])
            .into_iter()
            .find(|p| p["role"] == role)
            .unwrap()
    };
    assert_eq!(party("contact")["usable"].as_bool(), Some(false));
    w.quiet().await;
    assert!(
        w.by_whatsapp(CONTACT).await.is_empty() && w.by_whatsapp(RESIDENT).await.is_empty(),
        "nothing was agreed there"
    );
    assert_eq!(
        (w.sent(CONTACT).await.len(), w.sent(RESIDENT).await.len()),
        (1, 1)
    );
    w.emulator.no_violations().await;
}

crate::on_both!(
    what_comes_where_nothing_was_agreed_is_read_and_not_answered,
    staff_and_files_say_where_whatsapp_may_go,
    a_number_may_be_safe_on_whatsapp_alone,
    a_new_number_keeps_what_was_agreed,
    a_centre_has_a_number_of_its_own,
);
