//! WhatsApp through the real binary against the emulator of the service: the 24 hours, content templates, presses, the next agreed
//! channel, lost answers, STOP. Nobody gets a text twice, and the emulator sees no break of the contract.

use crate::common::{AT_ONCE, Binary, Emulator, On, Serving, TestDb, eventually, families};
use courtesy::channels::sms::parse_form;
use courtesy::domain::whatsapp::names;
use courtesy::store::inbox;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const OUR_WHATSAPP: &str = "whatsapp:+14155238886";
const RESIDENT: &str = "+447711000000";
const CONTACT: &str = "+447711000001";
const BOTH: &str = "yes:whatsapp+sms";
const LIMIT: Duration = Duration::from_secs(15);

/// The service's id of the content template of a text.
fn sid(name: &str) -> String {
    format!("HX{:032x}", names().position(|n| n == name).unwrap())
}

/// A create request that the emulator took: its form, and the id that it gave.
struct Sent {
    form: HashMap<String, String>,
    sid: String,
}

impl Sent {
    fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    fn variables(&self) -> Vec<String> {
        let all: Value = serde_json::from_str(self.get("ContentVariables")).unwrap();
        (1..=all.as_object().unwrap().len()).map(|n| all[n.to_string()].as_str().unwrap().to_owned()).collect()
    }

    /// The token that its buttons bring back.
    fn token(&self) -> String {
        self.variables().pop().unwrap()
    }
}

/// One family at a centre that texts at once, both parents on WhatsApp, and the binary that serves them.
struct World {
    emulator: Emulator,
    b: Binary,
    db: TestDb,
    serving: Option<Serving>,
    families: usize,
}

impl World {
    /// Not serving yet. `content` names the texts that stand at the service.
    async fn prepared(on: On, content: &[&str], consent: &str, families_n: usize, rules: &str) -> World {
        let emulator = Emulator::start(&[]);
        let db = TestDb::new(on).await;
        let b = Binary::with_emulator(&db.url, &emulator.url, 0);
        let sids: Vec<String> = content.iter().map(|n| format!("{n} = \"{}\"", sid(n))).collect();
        let text = std::fs::read_to_string(&b.config).unwrap();
        std::fs::write(&b.config, format!("{text}[whatsapp]\nfrom = \"{OUR_WHATSAPP}\"\n[whatsapp.content_sid]\n{}\n", sids.join("\n"))).unwrap();
        std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE.replace("[rules]\n", &format!("[rules]\n{rules}"))).unwrap();
        let csv = families(families_n, courtesy::clock::Clock::System.now()).replace(",,sms,en,yes,", &format!(",,whatsapp,en,{consent},"));
        std::fs::write(b.dir.path().join("families.csv"), csv).unwrap();
        b.ok(&["centre", "apply", "centre.toml"]);
        World { emulator, b, db, serving: None, families: families_n }
    }

    async fn serve(&mut self) {
        let serving = self.b.serve();
        self.emulator.control("config", json!({ "inbound_url": format!("{}/hooks/sms/inbound", serving.url) })).await;
        self.serving = Some(serving);
    }

    /// Serving, both asked.
    async fn asked(on: On, content: &[&str], consent: &str, rules: &str) -> World {
        let mut w = World::prepared(on, content, consent, 1, rules).await;
        w.b.ok(&["import", "families.csv"]);
        w.serve().await;
        w.all_sent("both are asked").await;
        w
    }

    /// Serving, both wrote on WhatsApp a moment ago and were not asked yet; then the texts are let go.
    async fn after_they_wrote(on: On, content: &[&str], meanwhile: impl AsyncFnOnce(&World)) -> World {
        let mut w = World::prepared(on, content, BOTH, 1, "").await;
        w.b.ok(&["hold", "on"]);
        w.b.ok(&["import", "families.csv"]);
        w.serve().await;
        for phone in [RESIDENT, CONTACT] {
            w.writes(phone, "which door?").await;
        }
        eventually(LIMIT, "read and due", || async { (w.tasks("read_message") == 2 && w.b.json(&["list", "messages"]).len() == 4).then_some(()) }).await;
        meanwhile(&w).await;
        w.b.ok(&["hold", "off", "--count", "4"]);
        w
    }

    async fn writes(&self, phone: &str, body: &str) {
        self.inbound(json!({ "from": format!("whatsapp:{phone}"), "to": OUR_WHATSAPP, "body": body })).await;
    }

    /// Presses a button: its words as the text, its payload, and the message that it answers.
    async fn presses(&self, phone: &str, words: &str, payload: &str, below: &str) {
        self.inbound(
            json!({ "from": format!("whatsapp:{phone}"), "to": OUR_WHATSAPP, "body": words, "ButtonText": words, "ButtonPayload": payload, "OriginalRepliedMessageSid": below }),
        )
        .await;
    }

    async fn inbound(&self, what: Value) {
        let heard = self.emulator.control("reply", what.clone()).await;
        assert_eq!(heard["webhook"]["response"]["status"], 200, "{what} {heard}");
        let db = self.db.open().await;
        eventually(LIMIT, "what came in is applied", || async { (!inbox::anything_new(&db).await.unwrap()).then_some(()) }).await;
        db.close().await;
    }

    /// Everything that the emulator took from us for an address, in order.
    async fn sent(&self, to: &str) -> Vec<Sent> {
        let all = self.emulator.ask("requests").await;
        let took = all["requests"].as_array().unwrap().iter().filter(|r| r["method"] == "POST" && r["sid"].is_string());
        took.map(|r| Sent { form: parse_form(r["body"].as_str().unwrap().as_bytes()).unwrap().into_iter().collect(), sid: r["sid"].as_str().unwrap().to_owned() })
            .filter(|s| s.get("To") == to)
            .collect()
    }

    async fn by_whatsapp(&self, phone: &str) -> Vec<Sent> {
        self.sent(&format!("whatsapp:{phone}")).await
    }

    /// Waits until so many texts went to an address; gives the last.
    async fn nth(&self, to: &str, n: usize) -> Sent {
        let mut all = eventually(LIMIT, &format!("text {n} to {to}"), || async {
            let all = self.sent(to).await;
            (all.len() >= n).then_some(all)
        })
        .await;
        assert_eq!(all.len(), n, "to {to}: {:?}", all.iter().map(|s| &s.form).collect::<Vec<_>>());
        all.pop().unwrap()
    }

    /// Waits until every message has ended well.
    async fn all_sent(&self, what: &str) -> Vec<Value> {
        eventually(Duration::from_secs(60), what, || async {
            let rows = self.b.json(&["list", "messages"]);
            let done = rows.iter().all(|m| matches!(m["state"].as_str(), Some("sent" | "delivered")));
            (rows.len() >= 2 * self.families && done).then_some(rows)
        })
        .await
    }

    fn tasks(&self, topic: &str) -> usize {
        self.b.json(&["list", "tasks"]).iter().filter(|t| t["topic"] == topic && t["state"] == "open").count()
    }

    fn answers(&self) -> String {
        let s = &self.b.json(&["list", "sessions"])[0];
        format!("{} {} {}", s["state"].as_str().unwrap(), s["answers"]["resident"].as_str().unwrap(), s["answers"]["contact"].as_str().unwrap())
    }

    async fn stands(&self, wanted: &str) {
        eventually(LIMIT, wanted, || async { (self.answers() == wanted).then_some(()) }).await;
    }

    /// A moment in which nothing more may leave.
    async fn quiet(&self) {
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
}

/// Nobody wrote: the confirmation goes as its content template, with the values of the text and the token of its buttons.
async fn outside_the_window_a_content_template_goes(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    for phone in [RESIDENT, CONTACT] {
        let text = w.nth(&format!("whatsapp:{phone}"), 1).await;
        assert_eq!((text.get("From"), text.get("ContentSid"), text.get("Body")), (OUR_WHATSAPP, sid("confirm_request").as_str(), ""));
        let v = text.variables();
        assert_eq!((v.len(), v[0].as_str(), v[3].as_str(), v[4].as_str()), (6, "Birchfield", "If you cancel now a fee may apply.", "020 7946 0101"));
        assert!(v[1].split(' ').count() == 3 && v[2].ends_with('m'), "a day and a time: {v:?}");
        assert!(text.get("StatusCallback").ends_with(&v[5]), "the token of the attempt");
        assert!(w.sent(phone).await.is_empty(), "nothing by SMS");
    }
    let rows = w.b.json(&["list", "messages"]);
    assert!(rows.iter().all(|m| m["channel"] == "whatsapp" && m["attempts"].as_array().unwrap().len() == 1), "{rows:?}");
    assert!(w.b.json(&["list", "parties"]).iter().all(|p| p["channel"] == "whatsapp" && p["usable"] == true));
    w.emulator.no_violations().await;
}

/// Without a content template it goes by SMS at the same instant if that was agreed; otherwise a person rings.
async fn without_a_content_template_the_next_agreed_channel_takes_it(on: On) {
    let w = World::asked(on, &["session_off"], BOTH, "").await;
    for phone in [RESIDENT, CONTACT] {
        assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        assert!(w.by_whatsapp(phone).await.is_empty());
    }
    let rows = w.b.json(&["list", "messages"]);
    let instant = |m: &Value, key: &str| m[key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for m in &rows {
        assert_eq!((m["channel"].as_str(), m["attempts"].as_array().unwrap().len()), (Some("sms"), 1));
        assert!(instant(&m["attempts"][0], "started_at") - instant(m, "not_before") < chrono::Duration::seconds(3), "{m}");
    }
    w.emulator.no_violations().await;
    let mut w = World::prepared(on, &[], "yes", 1, "").await;
    w.b.ok(&["import", "families.csv"]);
    w.serve().await;
    eventually(LIMIT, "both are rung", || async { (w.tasks("ring_no_address") == 2).then_some(()) }).await;
    assert!(w.b.json(&["list", "messages"]).iter().all(|m| m["state"] == "withdrawn" && m["reason"] == "no_usable_channel" && m["attempts"] == json!([])));
    assert!(w.sent(RESIDENT).await.is_empty() && w.by_whatsapp(RESIDENT).await.is_empty());
    w.emulator.no_violations().await;
}

/// Within a day of their own message the words go as they are, and as the content template where that brings buttons.
async fn inside_the_window_words_are_free(on: On) {
    let w = World::after_they_wrote(on, &["session_off"], async |_| ()).await;
    w.all_sent("answered and asked").await;
    for phone in [RESIDENT, CONTACT] {
        let all = w.by_whatsapp(phone).await;
        let bodies: Vec<&str> = all.iter().map(|s| s.get("Body")).collect();
        assert_eq!(all.len(), 2, "{bodies:?}");
        assert!(bodies.iter().any(|b| b.contains("Staff will read this")) && bodies.iter().any(|b| b.contains("Reply YES if you will come")), "{bodies:?}");
        assert!(w.sent(phone).await.is_empty());
    }
    // The answer is understood as it is by SMS, and thanked in the same place.
    w.writes(CONTACT, "Yes thanks").await;
    w.stands("booked none confirmed").await;
    assert!(w.nth(&format!("whatsapp:{CONTACT}"), 3).await.get("Body").contains("You have confirmed"));
    // What has no buttons goes in free words though it has a template.
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(w.nth(&format!("whatsapp:{CONTACT}"), 4).await.get("Body").contains("will not go ahead"));
    w.emulator.no_violations().await;
    let w = World::after_they_wrote(on, &["confirm_request"], async |_| ()).await;
    w.all_sent("answered and asked").await;
    assert_eq!(w.by_whatsapp(CONTACT).await.iter().filter(|s| s.get("ContentSid") == sid("confirm_request")).count(), 1, "with its buttons");
    w.emulator.no_violations().await;
}

/// A refusal with 63016 at once: SMS takes it, once.
async fn refused_at_once_outside_the_window(on: On) {
    let w = World::after_they_wrote(on, &[], async |w| {
        for phone in [RESIDENT, CONTACT] {
            let to = format!("whatsapp:{phone}");
            w.emulator.control("fault", json!({ "point": "create", "kind": "error", "code": 63016, "status": 400, "times": -1, "match": { "To": to } })).await;
        }
    })
    .await;
    for phone in [RESIDENT, CONTACT] {
        assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        assert!(w.by_whatsapp(phone).await.is_empty());
    }
    // The answer to what they wrote belongs to that chat and to no visit: a person rings.
    eventually(LIMIT, "both are rung", || async { (w.tasks("ring_no_address") == 2).then_some(()) }).await;
    w.quiet().await;
    assert_eq!((w.sent(RESIDENT).await.len(), w.sent(CONTACT).await.len()), (1, 1), "nobody is doubled");
    for m in w.b.json(&["list", "messages"]).iter().filter(|m| m["kind"] == "confirm_request") {
        let tries: Vec<_> = m["attempts"].as_array().unwrap().iter().map(|a| (a["channel"].as_str().unwrap(), a["outcome"].as_str().unwrap())).collect();
        assert_eq!(tries, [("whatsapp", "refused"), ("sms", "accepted")], "{m}");
    }
    assert_eq!(w.tasks("bad_number"), 0);
    w.emulator.no_violations().await;
}

/// The service takes it and says later that it came too late: SMS takes it, once, whatever else is said of it after that.
async fn told_later_that_it_was_outside_the_window(on: On) {
    for status in ["failed", "undelivered"] {
        let w = World::after_they_wrote(on, &[], async |w| {
            w.emulator.control("config", json!({ "whatsapp_window_s": 0, "freeform_status": status })).await;
        })
        .await;
        for phone in [RESIDENT, CONTACT] {
            assert!(w.nth(phone, 1).await.get("Body").contains("your visit is"));
        }
        let rows = eventually(LIMIT, "both by SMS", || async {
            let rows: Vec<_> = w.b.json(&["list", "messages"]).into_iter().filter(|m| m["kind"] == "confirm_request").collect();
            rows.iter().all(|m| m["state"] == "delivered" && m["channel"] == "sms").then_some(rows)
        })
        .await;
        for m in &rows {
            let tries: Vec<_> = m["attempts"].as_array().unwrap().iter().map(|a| (a["channel"].as_str().unwrap(), a["outcome"].as_str().unwrap())).collect();
            assert_eq!(tries, [("whatsapp", "refused"), ("sms", "accepted")], "{m}");
            // The same again, something older, and the opposite change nothing.
            let first = m["attempts"][0]["provider_id"].as_str().unwrap();
            for (late, code) in [(status, json!(63016)), ("sent", Value::Null), ("delivered", Value::Null), ("read", Value::Null)] {
                w.emulator.control("callback", json!({ "sid": first, "status": late, "error_code": code, "n": 2 })).await;
            }
        }
        w.quiet().await;
        assert_eq!((w.sent(RESIDENT).await.len(), w.sent(CONTACT).await.len()), (1, 1), "nobody is doubled");
        let after: Vec<_> = w.b.json(&["list", "messages"]).into_iter().filter(|m| m["kind"] == "confirm_request").collect();
        assert!(after.iter().all(|m| m["state"] == "delivered" && m["channel"] == "sms" && m["attempts"].as_array().unwrap().len() == 2), "{after:?}");
        assert_eq!(w.tasks("bad_number"), 0);
        w.emulator.no_violations().await;
    }
}

/// The same, found by the listing because the answer was lost and no callback came.
async fn looked_up_and_found_outside_the_window(on: On) {
    let w = World::after_they_wrote(on, &[], async |w| {
        w.emulator.control("config", json!({ "whatsapp_window_s": 0, "callbacks": [] })).await;
        w.emulator.control("fault", json!({ "point": "create", "kind": "reset_after", "times": -1, "match": { "To": format!("whatsapp:{CONTACT}") } })).await;
    })
    .await;
    assert!(w.nth(CONTACT, 1).await.get("Body").contains("your visit is"));
    w.quiet().await;
    assert_eq!(w.sent(CONTACT).await.len(), 1, "nobody is doubled");
    let request = w.b.json(&["list", "messages"]).into_iter().find(|m| m["kind"] == "confirm_request" && m["role"] == "contact").unwrap();
    let tries: Vec<_> = request["attempts"].as_array().unwrap().iter().map(|a| (a["channel"].as_str().unwrap(), a["outcome"].as_str().unwrap())).collect();
    assert_eq!(tries, [("whatsapp", "refused"), ("sms", "accepted")], "{request}");
    assert_eq!(w.tasks("bad_number"), 0);
    w.emulator.no_violations().await;
}

/// What was decided for the WhatsApp address, more than a day after its owner's last message, goes to the party's next address too.
async fn an_answer_recorded_by_staff_reaches_the_next_address(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "answer", &session, "--party", "contact", "no", "--reason", "travel"]);
    assert!(w.nth(CONTACT, 2).await.get("Body").contains("pay a fee of £45"));
    assert!(w.sent(CONTACT).await[0].get("Body").contains("we have noted that you cannot come"));
    assert!(w.nth(RESIDENT, 1).await.get("Body").contains("will not go ahead"));
    assert_eq!((w.by_whatsapp(CONTACT).await.len(), w.by_whatsapp(RESIDENT).await.len()), (1, 1));
    w.emulator.no_violations().await;
}

/// A centre has a number of its own on WhatsApp, at the account of all; `check` says what is missing.
async fn a_centre_has_a_number_of_its_own(on: On) {
    const OWN: &str = "whatsapp:+15005550009";
    let mut w = World::prepared(on, &[], BOTH, 1, "").await;
    w.emulator = Emulator::start(&["--from-number", "+15005550006", "--from-number", OUR_WHATSAPP, "--from-number", OWN]);
    let text = std::fs::read_to_string(&w.b.config).unwrap();
    let base = text.lines().find(|l| l.starts_with("base_url")).unwrap();
    std::fs::write(&w.b.config, text.replace(base, &format!("base_url = \"{}\"", w.emulator.url))).unwrap();
    let centre = w.b.dir.path().join("centre.toml");
    let file = std::fs::read_to_string(&centre).unwrap();
    std::fs::write(&centre, format!("{file}[whatsapp]\nfrom = \"+15005550009\"\n[whatsapp.content_sid]\nsesion_off = \"{}\"\n", sid("session_off"))).unwrap();
    let (code, _, err) = w.b.run(&["centre", "apply", "centre.toml"]);
    assert!(code == 1 && err.contains("\"whatsapp:+44…\"") && err.contains("Did you mean whatsapp.content_sid.session_off?"), "{err}");
    std::fs::write(&centre, format!("{file}[whatsapp]\nfrom = \"{OWN}\"\n[whatsapp.content_sid]\nconfirm_request = \"{}\"\n", sid("confirm_request"))).unwrap();
    w.b.ok(&["centre", "apply", "centre.toml"]);
    let (code, out, err) = w.b.run(&["check", "--online"]);
    assert!(code == 0 && out.contains(&format!("the texting service of {OWN} answers")), "{out}{err}");
    assert!(err.contains(&format!("whatsapp.content_sid ({OWN}): no content template for session_off, session_moved, closure")), "{err}");
    w.b.ok(&["import", "families.csv"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    let text = w.nth(&format!("whatsapp:{CONTACT}"), 1).await;
    assert_eq!((text.get("From"), text.get("ContentSid")), (OWN, sid("confirm_request").as_str()));
    w.inbound(json!({ "from": format!("whatsapp:{CONTACT}"), "to": OWN, "body": "yes" })).await;
    w.stands("booked none confirmed").await;
    assert_eq!(w.nth(&format!("whatsapp:{CONTACT}"), 2).await.get("From"), OWN);
    w.emulator.no_violations().await;
}

/// Any other word of the service is as for SMS: a person rings, and nothing goes elsewhere by itself.
async fn other_refusals_are_for_a_person(on: On) {
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    w.b.ok(&["import", "families.csv"]);
    w.emulator.control("fault", json!({ "point": "create", "kind": "error", "code": 63024, "status": 400, "match": { "To": format!("whatsapp:{RESIDENT}") } })).await;
    w.emulator.control("outcome", json!({ "to": format!("whatsapp:{CONTACT}"), "status": "undelivered", "error_code": 63024 })).await;
    w.serve().await;
    eventually(LIMIT, "both are rung", || async { (w.tasks("bad_number") == 2).then_some(()) }).await;
    w.quiet().await;
    assert!(w.sent(RESIDENT).await.is_empty() && w.sent(CONTACT).await.is_empty());
    w.emulator.no_violations().await;
}

/// A press answers its own question, once.
async fn a_press_answers_its_own_question(on: On) {
    let w = World::asked(on, &["confirm_request", "session_moved"], BOTH, "").await;
    let (a, b) = (format!("whatsapp:{RESIDENT}"), format!("whatsapp:{CONTACT}"));
    let (first, theirs) = (w.nth(&b, 1).await, w.nth(&a, 1).await);
    w.presses(CONTACT, "Yes", &format!("{}:yes", first.token()), &first.sid).await;
    w.stands("booked none confirmed").await;
    assert!(w.nth(&b, 2).await.get("Body").contains("thank you. You have confirmed"));
    // Pressed twice: nothing more is said or changed. The other parent's button proves nothing from this phone.
    w.presses(CONTACT, "Yes", &format!("{}:yes", first.token()), &first.sid).await;
    assert_eq!(w.b.json(&["list", "messages"]).len(), 3, "two questions and one thanks");
    w.presses(CONTACT, "Yes", &format!("{}:yes", theirs.token()), &theirs.sid).await;
    assert_eq!(w.answers(), "booked none confirmed");
    assert!(w.nth(&b, 3).await.get("Body").contains("This button is no longer in use"), "only the foreign one is answered");
    // A button without a token is known by the message that it answers.
    w.presses(RESIDENT, "Yes", "YES", &theirs.sid).await;
    w.stands("booked confirmed confirmed").await;
    // After a move the old buttons change nothing, the new ones do.
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    let later = (courtesy::clock::Clock::System.now() + chrono::Duration::hours(23)).with_timezone(&chrono_tz::Europe::London).format("%Y-%m-%d %H:%M").to_string();
    w.b.ok(&["record", "move", &session, "--to", &later]);
    let moved = w.nth(&b, 4).await;
    assert_eq!((moved.get("ContentSid"), moved.variables().len()), (sid("session_moved").as_str(), 7));
    w.presses(CONTACT, "Yes", &format!("{}:yes", first.token()), &first.sid).await;
    assert_eq!(w.answers(), "booked none none");
    w.presses(CONTACT, "Yes", &format!("{}:yes", moved.token()), &moved.sid).await;
    w.stands("booked none confirmed").await;
    assert_eq!(w.tasks("uncertain_message"), 0);
    w.emulator.no_violations().await;
}

/// A NO is finished by a second press, and the other parent hears it by the next agreed channel.
async fn a_cancellation_is_finished_by_a_second_press(on: On) {
    let w = World::asked(on, &["confirm_request", "cancel_reason_ask", "cancel_reason_ask_late"], BOTH, "notice_hours = 1\n").await;
    let b = format!("whatsapp:{CONTACT}");
    let first = w.nth(&b, 1).await;
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid).await;
    let question = w.nth(&b, 2).await;
    assert_eq!(question.get("ContentSid"), sid("cancel_reason_ask"));
    assert!(question.variables()[2].contains("press Cancel this visit. To keep it press Keep the visit."), "{:?}", question.variables());
    assert_eq!(w.answers(), "booked none none", "a NO changes nothing by itself");
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid).await;
    w.presses(CONTACT, "Cancel this visit", &format!("{}:cancel", question.token()), &question.sid).await;
    w.stands("cancelled none cancelled").await;
    w.presses(CONTACT, "Cancel this visit", &format!("{}:cancel", question.token()), &question.sid).await;
    assert!(w.nth(&b, 3).await.get("Body").contains("we have noted that you cannot come"), "noted once");
    assert!(w.nth(RESIDENT, 1).await.get("Body").contains("will not go ahead"), "no content template for it, and they never wrote");
    w.emulator.no_violations().await;
    // Late: the reasons are buttons of a template of its own.
    let w = World::asked(on, &["confirm_request", "cancel_reason_ask", "cancel_reason_ask_late"], BOTH, "").await;
    let first = w.nth(&b, 1).await;
    w.presses(CONTACT, "No", &format!("{}:no", first.token()), &first.sid).await;
    let question = w.nth(&b, 2).await;
    assert_eq!(question.get("ContentSid"), sid("cancel_reason_ask_late"));
    w.presses(CONTACT, "Child ill", &format!("{}:ill_child", question.token()), &question.sid).await;
    w.stands("cancelled none cancelled").await;
    w.emulator.no_violations().await;
}

/// Without buttons a word finishes it: on WhatsApp, where the sender is known, and not by SMS, where it can be faked.
async fn a_cancellation_is_finished_by_a_word_in_the_same_place(on: On) {
    // Even where the centre takes a word by SMS.
    let w = World::asked(on, &["confirm_request"], BOTH, "cancel_answer = \"word\"\n").await;
    let b = format!("whatsapp:{CONTACT}");
    w.nth(&b, 1).await;
    w.writes(CONTACT, "NO").await;
    let question = w.nth(&b, 2).await;
    assert!(question.get("Body").contains("reply with ILL CHILD, ILL ME, TRAVEL or OTHER. A fee may apply."), "{}", question.get("Body"));
    w.inbound(json!({ "from": CONTACT, "body": "OTHER" })).await;
    w.inbound(json!({ "from": CONTACT, "body": "ILL CHILD" })).await;
    assert_eq!(w.answers(), "booked none none", "whoever fakes the number by SMS finishes nothing");
    w.writes(CONTACT, "travel").await;
    w.stands("cancelled none cancelled").await;
    w.emulator.no_violations().await;
}

/// The service takes the texts and its answers are lost, and the program is killed: each is there once, whatever the list shows of it.
async fn what_may_have_left_is_looked_up(on: On) {
    const FAMILIES: usize = 6;
    // By callback, and where none comes by the list, which shows no words of a content template.
    for (fault, called_back) in [("reset_after", true), ("reset_after", false), ("500_after", false), ("truncate", false)] {
        let mut w = World::prepared(on, &["confirm_request"], BOTH, FAMILIES, "").await;
        w.b.ok(&["import", "families.csv"]);
        w.emulator.control("fault", json!({ "point": "create", "kind": fault, "times": 5, "skip": 2 })).await;
        w.emulator.control("config", json!({ "latency_ms": 20 })).await;
        if !called_back {
            w.emulator.control("config", json!({ "callbacks": [] })).await;
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
        assert!(count.len() == 2 * FAMILIES && count.iter().all(|(to, n)| *n == 1 && to.starts_with("whatsapp:")), "{fault}: {count:?}");
        assert!(rows.iter().all(|m| m["state"] == "delivered" || m["state"] == "sent") && w.tasks("uncertain_message") == 0);
        w.emulator.no_violations().await;
    }
}

/// A STOP there stops SMS to the same number too, as its words say; a START in the same place ends what that STOP had stopped, and no more.
async fn a_stop_on_whatsapp_stops_the_texts_to_that_number(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.writes(CONTACT, "STOP").await;
    eventually(LIMIT, "a person rings", || async { (w.tasks("ring_opted_out") == 1).then_some(()) }).await;
    let contact = || w.b.json(&["list", "parties"]).into_iter().find(|p| p["role"] == "contact").unwrap();
    assert!(contact()["usable"] == false && contact()["consent"] == "stop", "{}", contact());
    w.writes(CONTACT, "START").await;
    assert!(w.nth(&format!("whatsapp:{CONTACT}"), 2).await.get("Body").contains("texts are on again"));
    assert!(contact()["usable"] == true && contact()["consent"] == "yes");
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "never"]);
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(w.nth(CONTACT, 1).await.get("Body").contains("will not go ahead"), "SMS is on again too");
    w.emulator.no_violations().await;
    // A STOP by SMS of its own, beside that of WhatsApp, is not ended there.
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.inbound(json!({ "from": CONTACT, "body": "STOP" })).await;
    w.writes(CONTACT, "STOP").await;
    w.writes(CONTACT, "START").await;
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "never"]);
    let before = w.sent(CONTACT).await.len();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    eventually(LIMIT, "rung: SMS is stopped still", || async { (w.tasks("ring_session_off") == 1).then_some(()) }).await;
    assert_eq!(w.sent(CONTACT).await.len(), before);
    w.emulator.no_violations().await;
    // Who agreed to WhatsApp alone gets nothing more, and is rung.
    let w = World::asked(on, &["confirm_request", "session_off"], "yes", "").await;
    w.writes(CONTACT, "STOP").await;
    let contact = || w.b.json(&["list", "parties"]).into_iter().find(|p| p["role"] == "contact").unwrap();
    eventually(LIMIT, "stopped", || async { (contact()["consent"] == "stop" && contact()["usable"] == false).then_some(()) }).await;
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    eventually(LIMIT, "rung about the visit", || async { (w.tasks("ring_session_off") == 1).then_some(()) }).await;
    assert!(w.sent(CONTACT).await.is_empty() && w.by_whatsapp(CONTACT).await.len() == 1);
    w.emulator.no_violations().await;
}

/// What came while nobody listened is listed and stored for its own channel; what has a wrong signature is not.
async fn what_nobody_heard_is_listed(on: On) {
    let mut w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.serving = None;
    w.emulator.control("config", json!({ "inbound_url": Value::Null })).await;
    w.emulator.control("reply", json!({ "from": format!("whatsapp:{CONTACT}"), "to": OUR_WHATSAPP, "body": "yes" })).await;
    w.serve().await;
    w.stands("booked none confirmed").await;
    assert!(w.nth(&format!("whatsapp:{CONTACT}"), 2).await.get("Body").contains("You have confirmed"));
    let refused = w.emulator.control("reply", json!({ "from": format!("whatsapp:{RESIDENT}"), "to": OUR_WHATSAPP, "body": "yes", "signature": "bad" })).await;
    assert_eq!(refused["webhook"]["response"]["status"], 403);
    assert_eq!(w.answers(), "booked none confirmed");
    w.emulator.no_violations().await;
}

/// Staff begin and end WhatsApp on the number on file; a file cannot widen what was agreed, and takes it away.
async fn staff_and_files_say_where_whatsapp_may_go(on: On) {
    let mut w = World::prepared(on, &["confirm_request"], "yes:whatsapp+sms", 1, "").await;
    let plain = families(1, courtesy::clock::Clock::System.now());
    std::fs::write(w.b.dir.path().join("families.csv"), &plain).unwrap();
    w.b.ok(&["hold", "on"]);
    w.b.ok(&["import", "families.csv"]);
    let (code, _, err) = w.b.run(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "safe"]);
    assert!(code == 1 && err.contains("--spoken"), "{err}");
    let (code, _, err) = w.b.run(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "never"]);
    assert!(code == 1 && err.contains("no address on whatsapp"), "{err}");
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "safe", "--spoken", "in-person"]);
    let channel = |role: &str| w.b.json(&["list", "parties"]).into_iter().find(|p| p["role"] == role).unwrap()["channel"].as_str().unwrap().to_owned();
    assert_eq!((channel("contact"), channel("resident")), ("whatsapp".into(), "sms".into()));
    w.b.ok(&["hold", "off", "--count", "2"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    assert_eq!((w.by_whatsapp(CONTACT).await.len(), w.sent(CONTACT).await.len(), w.sent(RESIDENT).await.len()), (1, 0, 1));
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--whatsapp", "ring_first"]);
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(w.nth(CONTACT, 1).await.get("Body").contains("will not go ahead"), "by SMS, which was agreed too");
    w.emulator.no_violations().await;
}

/// Whether a text may go to a number is said for each channel.
async fn a_number_may_be_safe_on_whatsapp_alone(on: On) {
    let w = World::asked(on, &["confirm_request"], BOTH, "").await;
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--sms", "never"]);
    w.writes(CONTACT, "yes").await;
    w.stands("booked none confirmed").await;
    assert!(w.nth(&format!("whatsapp:{CONTACT}"), 2).await.get("Body").contains("You have confirmed"));
    // The other way round it is nobody's word: it is read by a person and not answered.
    w.b.ok(&["record", "family", "K-00000", "--party", "resident", "--whatsapp", "never"]);
    w.writes(RESIDENT, "yes").await;
    eventually(LIMIT, "read by a person", || async { (w.tasks("read_message") == 1).then_some(()) }).await;
    assert_eq!(w.answers(), "booked none confirmed");
    w.inbound(json!({ "from": RESIDENT, "body": "yes" })).await;
    assert!(w.nth(RESIDENT, 1).await.get("Body").contains("You have confirmed"), "by SMS, where it is safe");
    assert_eq!(w.by_whatsapp(RESIDENT).await.len(), 1);
    w.emulator.no_violations().await;
}

/// A new number of a file waits for staff with all that was agreed for it, and a consent that no longer names WhatsApp ends it.
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
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--confirm-number", "--spoken", "called-back"]);
    w.b.ok(&["hold", "off", "--count", "2"]);
    w.serve().await;
    w.all_sent("both are asked").await;
    assert_eq!((w.by_whatsapp(NEW).await.len(), w.by_whatsapp(CONTACT).await.len(), w.sent(NEW).await.len()), (1, 0, 0));
    let session = w.b.json(&["list", "sessions"])[0]["session"].as_str().unwrap().to_owned();
    w.b.ok(&["record", "cancel", &session, "--by", "centre"]);
    assert!(w.nth(NEW, 1).await.get("Body").contains("will not go ahead"), "SMS was agreed for it too");
    w.emulator.no_violations().await;
    // SMS is wanted and WhatsApp agreed beside it; then it is not.
    let mut w = World::prepared(on, &["confirm_request"], BOTH, 1, "").await;
    w.b.ok(&["hold", "on"]);
    let file = w.b.dir.path().join("families.csv");
    let csv = std::fs::read_to_string(&file).unwrap().replace(",,whatsapp,en,", ",,sms,en,");
    std::fs::write(&file, &csv).unwrap();
    w.b.ok(&["import", "families.csv"]);
    std::fs::write(&file, csv.replace("yes:whatsapp+sms", "yes:sms")).unwrap();
    let (_, _, err) = w.b.run(&["import", "families.csv"]);
    assert!(err.contains("the consent no longer names WhatsApp"), "{err}");
    w.b.ok(&["record", "family", "K-00000", "--party", "contact", "--sms", "never"]);
    let contact = w.b.json(&["list", "parties"]).into_iter().find(|p| p["role"] == "contact").unwrap();
    assert_eq!(contact["usable"], false, "nothing is left that was agreed and is safe");
    w.b.ok(&["hold", "off", "--count", "1"]);
    w.serve().await;
    eventually(LIMIT, "rung", || async { (w.tasks("ring_no_address") == 1).then_some(()) }).await;
    assert!(w.by_whatsapp(CONTACT).await.is_empty() && w.sent(CONTACT).await.is_empty());
    w.emulator.no_violations().await;
}

crate::on_both!(
    outside_the_window_a_content_template_goes,
    without_a_content_template_the_next_agreed_channel_takes_it,
    inside_the_window_words_are_free,
    refused_at_once_outside_the_window,
    told_later_that_it_was_outside_the_window,
    other_refusals_are_for_a_person,
    a_press_answers_its_own_question,
    a_cancellation_is_finished_by_a_second_press,
    a_cancellation_is_finished_by_a_word_in_the_same_place,
    what_may_have_left_is_looked_up,
    a_stop_on_whatsapp_stops_the_texts_to_that_number,
    what_nobody_heard_is_listed,
    staff_and_files_say_where_whatsapp_may_go,
    looked_up_and_found_outside_the_window,
    an_answer_recorded_by_staff_reaches_the_next_address,
    a_centre_has_a_number_of_its_own,
    a_number_may_be_safe_on_whatsapp_alone,
    a_new_number_keeps_what_was_agreed,
);
