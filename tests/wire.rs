//! One suite of exchanges against the simulator and against the emulator, which was written from
//! the provider's specification. So the simulator is as real as the emulator.

use crate::common::{
    AT_ONCE, BOT, Binary, EMULATOR_TOKEN, Emulator, On, TestDb, eventually, families_in_chats,
};
use courtesy::channels::telegram::{ErrandResult, Telegram, TelegramSettings, UpdateMode};
use courtesy::channels::twilio::{Sender, SmsSettings, Twilio};
use courtesy::channels::{InboundEvent, SendOutcome};
use courtesy::domain::outgoing::receipt::Receipt;
use courtesy::domain::replies::inbound::InboundKind;
use courtesy::simulator::sms_service::SmsService;
use courtesy::simulator::telegram::TelegramService;
use courtesy::simulator::{ACCOUNT, OUR_NUMBER, TOKEN};
use std::time::Duration;

fn sms(url: &str, token: &str, from: &str) -> Twilio {
    Twilio::new(SmsSettings {
        base_url: url.into(),
        account_sid: ACCOUNT.into(),
        auth_token: token.into(),
        sender: Sender::Number(from.into()),
        timeout: Duration::from_secs(5),
    })
    .unwrap()
}

const CALLBACK: &str = "http://127.0.0.1:9/hooks/sms/status/t";

async fn exchanges(url: &str, token: &str) {
    let us = sms(url, token, OUR_NUMBER);
    us.probe().await.unwrap();
    assert!(sms(url, "wrong", OUR_NUMBER).probe().await.is_err());
    // A text is accepted, listed with its body, and delivered.
    let SendOutcome::Accepted {
        provider_id,
        receipt,
    } = us
        .send(
            "+447700900101",
            "Séan & \"Co\" £45 😊",
            Some(Duration::from_secs(3600)),
            CALLBACK,
        )
        .await
    else {
        panic!("not accepted")
    };
    assert_eq!(receipt, Some(Receipt::Queued));
    let listed = us.list_to("+447700900101").await.unwrap();
    assert_eq!(listed.len(), 1);
    let m = &listed[0];
    assert_eq!(
        (
            m.provider_id.as_str(),
            m.body.as_str(),
            m.from.as_deref(),
            m.inbound,
            m.to.as_str()
        ),
        (
            provider_id.as_str(),
            "Séan & \"Co\" £45 😊",
            Some(OUR_NUMBER),
            false,
            "+447700900101"
        )
    );
    assert!(m.created_at.is_some());
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while us.list_to("+447700900101").await.unwrap()[0].receipt != Some(Receipt::Delivered) {
        assert!(std::time::Instant::now() < end, "never delivered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // All pages are read, and only messages to that number.
    for i in 0..205 {
        assert!(matches!(
            us.send("+447700900102", &format!("n {i}"), None, CALLBACK)
                .await,
            SendOutcome::Accepted { .. }
        ));
    }
    let mut bodies: Vec<String> = us
        .list_to("+447700900102")
        .await
        .unwrap()
        .into_iter()
        .map(|m| m.body)
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 205);
    assert!(
        us.list_inbound(chrono::DateTime::UNIX_EPOCH)
            .await
            .unwrap()
            .is_empty()
    );
    // Refusals, for one number or for the whole channel.
    let refused = |t: SendOutcome| match t {
        SendOutcome::RefusedNumber { error, .. } => format!("number {}", &error[..5]),
        SendOutcome::RefusedChannel { error } => format!("channel {}", &error[..5]),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(us.send("0770", "x", None, CALLBACK).await),
        "number 21211"
    );
    assert_eq!(
        refused(us.send("+447700900101", "", None, CALLBACK).await),
        "number 21602"
    );
    assert_eq!(
        refused(
            us.send("+447700900101", &"x".repeat(1601), None, CALLBACK)
                .await
        ),
        "number 21617"
    );
    assert_eq!(
        refused(
            sms(url, token, "+447700900999")
                .send("+447700900101", "x", None, CALLBACK)
                .await
        ),
        "channel 21606"
    );
    assert_eq!(
        refused(
            sms(url, "wrong", OUR_NUMBER)
                .send("+447700900101", "x", None, CALLBACK)
                .await
        ),
        "channel 20003"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_sms_service() {
    let provider = SmsService::start(ACCOUNT, TOKEN, &[OUR_NUMBER])
        .await
        .unwrap();
    exchanges(provider.url(), TOKEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator() {
    let emulator = Emulator::start(&[]);
    exchanges(&emulator.url, EMULATOR_TOKEN).await;
    let v = emulator.ask("violations").await;
    // The one empty text was sent on purpose.
    assert!(
        v["violations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|v| v["detail"].to_string().contains("To: does not match")
                || v["detail"].to_string().contains("Body")),
        "{v}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failure_means() {
    let emulator = Emulator::start(&[]);
    let us = sms(&emulator.url, EMULATOR_TOKEN, OUR_NUMBER);
    let class = |t: &SendOutcome| match t {
        SendOutcome::Accepted { .. } => "accepted",
        SendOutcome::NotSent { .. } => "not sent",
        SendOutcome::RefusedNumber { .. }
        | SendOutcome::OutsideWindow { .. }
        | SendOutcome::RefusedChannel { .. } => "refused",
        SendOutcome::Unknown { .. } => "unknown",
    };
    for (kind, want) in [
        ("reset_before", "unknown"),
        ("reset_after", "unknown"),
        ("500", "unknown"),
        ("500_after", "unknown"),
        ("503", "unknown"),
        ("html_502", "unknown"),
        ("truncate", "unknown"),
        ("garbage", "unknown"),
        ("429", "not sent"),
    ] {
        emulator
            .control(
                "fault",
                serde_json::json!({ "point": "create", "kind": kind, "retry_after": 7 }),
            )
            .await;
        let tried = us.send("+447700900101", kind, None, CALLBACK).await;
        assert_eq!(class(&tried), want, "{kind}: {tried:?}");
        if let SendOutcome::NotSent { wait, .. } = tried {
            assert_eq!(wait, Some(Duration::from_secs(7)));
        }
    }
    let nobody = sms("http://127.0.0.1:9", EMULATOR_TOKEN, OUR_NUMBER);
    assert_eq!(
        class(&nobody.send("+447700900101", "x", None, CALLBACK).await),
        "not sent"
    );
    // A list with an error proves nothing.
    emulator
        .control(
            "fault",
            serde_json::json!({ "point": "list", "kind": "500" }),
        )
        .await;
    assert!(us.list_to("+447700900101").await.is_err());
    emulator.no_violations().await;
}

fn bot(url: &str, token: &str) -> Telegram {
    let mode = UpdateMode::Polling {
        wait: Duration::from_secs(1),
    };
    Telegram::new(TelegramSettings {
        api_url: url.into(),
        bot_token: token.into(),
        mode,
        timeout: Duration::from_secs(2),
    })
    .unwrap()
}

/// One suite of exchanges by Telegram, against the simulator and against the emulator.
async fn chat_exchanges(
    url: &str,
    token: &str,
    say: impl AsyncFn(i64, &str),
    press: impl AsyncFn(i64, i64, &str),
) {
    let us = bot(url, token);
    us.probe().await.unwrap();
    assert!(bot(url, "999999:WRONG").probe().await.is_err());
    assert!(us.username().await.unwrap().to_lowercase().ends_with("bot"));
    us.receive_at("http://127.0.0.1:9/hooks/telegram")
        .await
        .unwrap();
    assert!(
        matches!(
            us.send(424_242, "x", Vec::new()).await,
            SendOutcome::RefusedNumber { blocked: true, .. }
        ),
        "a chat that never wrote"
    );
    say(42, "hello").await;
    let first = us.fetch(None).await.unwrap();
    let [
        InboundEvent {
            from,
            kind: InboundKind::Text { body, media: 0, .. },
            ..
        },
    ] = &first.events[..]
    else {
        panic!("{:?}", first.events)
    };
    assert_eq!((from.as_str(), body.0.as_str()), ("42", "hello"));
    // Until a later fetch confirms it, it comes again.
    assert_eq!(us.fetch(None).await.unwrap().events, first.events);
    assert!(us.fetch(first.next).await.unwrap().events.is_empty());
    let buttons = vec![vec![
        ("Yes".to_owned(), "token:yes".to_owned()),
        ("No".to_owned(), "token:no".to_owned()),
    ]];
    let SendOutcome::Accepted { provider_id, .. } =
        us.send(42, "Séan & \"Co\" £45 😊", buttons).await
    else {
        panic!("not accepted")
    };
    let message: i32 = provider_id.parse().unwrap();
    press(42, i64::from(message), "token:yes").await;
    let second = us.fetch(first.next).await.unwrap();
    let [
        InboundEvent {
            kind:
                InboundKind::Press {
                    query,
                    data,
                    message: below,
                },
            at: None,
            ..
        },
    ] = &second.events[..]
    else {
        panic!("{:?}", second.events)
    };
    assert_eq!(
        (data.as_str(), below.as_str()),
        ("token:yes", provider_id.as_str())
    );
    assert_eq!(
        us.answer(query, "no longer in use").await,
        ErrandResult::Done
    );
    assert_eq!(
        us.answer("4711", "").await,
        ErrandResult::Never,
        "too old, or nobody's"
    );
    assert_eq!(us.unbutton(42, message).await, ErrandResult::Done);
    assert_eq!(
        us.unbutton(42, message).await,
        ErrandResult::Done,
        "not modified is success"
    );
    assert_eq!(
        us.replace(42, message, "this message is no longer in use")
            .await,
        ErrandResult::Done
    );
    assert_eq!(
        us.replace(42, message, "this message is no longer in use")
            .await,
        ErrandResult::Done
    );
    assert_eq!(us.replace(42, 999, "x").await, ErrandResult::Never);
    assert!(us.fetch(second.next).await.unwrap().events.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_telegram() {
    let chats = TelegramService::start(BOT, "CourtesyPracticeBot")
        .await
        .unwrap();
    let (a, b) = (chats.clone(), chats.clone());
    chat_exchanges(
        chats.url(),
        BOT,
        async |chat, text| {
            a.say(chat, text);
        },
        async |chat, message, data| assert!(b.press(chat, message, data)),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulated_chats() {
    let emulator = Emulator::telegram();
    chat_exchanges(
        &emulator.url,
        BOT,
        async |chat, text| {
            emulator
                .control("say", serde_json::json!({ "chat": chat, "text": text }))
                .await;
        },
        async |chat, message, data| {
            emulator
                .control(
                    "press",
                    serde_json::json!({ "chat": chat, "message_id": message, "data": data }),
                )
                .await;
        },
    )
    .await;
    emulator.no_violations().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failure_of_telegram_means() {
    let emulator = Emulator::telegram();
    let us = bot(&emulator.url, BOT);
    emulator
        .control("chat", serde_json::json!({ "chat": 42 }))
        .await;
    let class = |t: &SendOutcome| match t {
        SendOutcome::Accepted { .. } => "accepted",
        SendOutcome::NotSent { .. } => "not sent",
        SendOutcome::RefusedNumber { blocked: true, .. } => "blocked",
        SendOutcome::RefusedNumber { .. }
        | SendOutcome::OutsideWindow { .. }
        | SendOutcome::RefusedChannel { .. } => "refused",
        SendOutcome::Unknown { .. } => "unknown",
    };
    for (fault, want) in [
        (serde_json::json!({ "kind": "reset_before" }), "unknown"),
        (serde_json::json!({ "kind": "reset_after" }), "unknown"),
        (
            serde_json::json!({ "kind": "hang_after", "ms": 5000 }),
            "unknown",
        ),
        (serde_json::json!({ "kind": "garbage" }), "unknown"),
        (serde_json::json!({ "code": 403 }), "blocked"),
        (serde_json::json!({ "code": 401 }), "refused"),
        (
            serde_json::json!({ "code": 429, "retry_after": 7 }),
            "not sent",
        ),
    ] {
        let mut fault = fault;
        fault["method"] = "sendMessage".into();
        emulator.control("fail", fault.clone()).await;
        let tried = us.send(42, "words", Vec::new()).await;
        assert_eq!(class(&tried), want, "{fault}: {tried:?}");
        if let SendOutcome::NotSent { wait, .. } = tried {
            assert_eq!(wait, Some(Duration::from_secs(7)));
        }
    }
    assert_eq!(
        class(
            &bot("http://127.0.0.1:9", BOT)
                .send(42, "x", Vec::new())
                .await
        ),
        "not sent"
    );
}

/// The real binary with a bot at the emulator: a link, presses, doubled updates, groups, pictures,
/// and the webhook with its secret.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_as_a_whole() {
    for on in [On::Sqlite, On::Postgres] {
        let emulator = Emulator::telegram();
        let db = TestDb::new(on).await;
        let b = Binary::with_bot(&db.url, &emulator.url);
        std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
        std::fs::write(
            b.dir.path().join("families.csv"),
            families_in_chats(1, courtesy::clock::Clock::System.now()),
        )
        .unwrap();
        for chat in [1000, 1001] {
            emulator
                .control("chat", serde_json::json!({ "chat": chat }))
                .await;
        }
        b.ok(&["centre", "apply", "centre.toml"]);
        let serving = b.serve();
        b.ok(&["import", "families.csv"]);
        let sent = async |chat: i64| {
            emulator.ask(&format!("sent?chat={chat}")).await["sent"]
                .as_array()
                .unwrap()
                .len()
        };
        eventually(Duration::from_secs(5), "both are asked", || async {
            (sent(1000).await == 1 && sent(1001).await == 1).then_some(())
        })
        .await;
        // A new chat replaces the old one only when staff have confirmed its number.
        let link = b.ok(&["link", "K-00000:resident", "--json"]);
        let code = serde_json::from_str::<serde_json::Value>(link.trim()).unwrap()["code"]
            .as_str()
            .unwrap()
            .to_owned();
        emulator
            .control(
                "say",
                serde_json::json!({ "chat": 2000, "text": format!("/start {code}") }),
            )
            .await;
        let shown = eventually(Duration::from_secs(5), "a number", || async {
            emulator.ask("sent?chat=2000").await["sent"]
                .as_array()
                .unwrap()
                .first()
                .map(|m| m["text"].as_str().unwrap().to_owned())
        })
        .await;
        let number: String = shown
            .split("this number: ")
            .nth(1)
            .unwrap()
            .chars()
            .take(4)
            .collect();
        assert_eq!(
            b.run(&["link", "K-00000:resident", "--number", "12345"]).0,
            1
        );
        b.ok(&["link", "K-00000:resident", "--number", &number]);
        // A press below the old chat's text changes nothing; below the other parent's it confirms,
        // once, though it comes twice.
        emulator
            .control("press", serde_json::json!({ "chat": 1000, "label": "Yes" }))
            .await;
        emulator
            .control("press", serde_json::json!({ "chat": 1001, "label": "Yes" }))
            .await;
        eventually(Duration::from_secs(5), "confirmed", || async {
            (b.json(&["list", "sessions"])[0]["answers"]["contact"] == "confirmed").then_some(())
        })
        .await;
        assert_eq!(
            b.json(&["list", "sessions"])[0]["answers"]["resident"],
            "none"
        );
        let seen: serde_json::Value = serde_json::json!({ "update_id": 1, "message": { "message_id": 5, "date": courtesy::clock::Clock::System.now().timestamp(), "chat": { "id": 1001, "type": "private", "first_name": "C" },
            "from": { "id": 1001, "is_bot": false, "first_name": "C" }, "text": "NO" } });
        for _ in 0..2 {
            emulator
                .control("resend", serde_json::json!({ "update": seen }))
                .await;
        }
        // A picture is for a person; a group is left.
        emulator
            .control(
                "update",
                serde_json::json!({ "kind": "message", "payload": { "message_id": 77, "date": 1_795_000_000, "chat": { "id": 1001, "type": "private", "first_name": "C" },
                    "from": { "id": 1001, "is_bot": false, "first_name": "C" }, "photo": [{ "file_id": "a", "file_unique_id": "b", "width": 1, "height": 1 }] } }),
            )
            .await;
        emulator
            .control(
                "say",
                serde_json::json!({ "chat": -77, "text": "hello all" }),
            )
            .await;
        let topics = || {
            b.json(&["list", "tasks"])
                .into_iter()
                .map(|t| t["topic"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        eventually(
            Duration::from_secs(5),
            "a picture is for a person",
            || async { topics().contains(&"media".to_owned()).then_some(()) },
        )
        .await;
        eventually(Duration::from_secs(5), "the group is left", || async {
            emulator.ask("requests").await["requests"]
                .as_array()
                .unwrap()
                .iter()
                .any(|r| r["method"] == "leaveChat")
                .then_some(())
        })
        .await;
        let asked = b
            .json(&["list", "messages"])
            .iter()
            .filter(|m| m["kind"] == "cancel_reason_ask")
            .count();
        assert_eq!(asked, 1, "the doubled NO is one NO");
        drop(serving);
        // By webhook: only with the secret.
        let text = std::fs::read_to_string(&b.config).unwrap().replace(
            "poll_seconds = 1",
            "mode = \"webhook\"\nwebhook_secret = \"s3cret_word\"",
        );
        std::fs::write(&b.config, text).unwrap();
        let serving = b.serve();
        let hook = format!("{}/hooks/telegram", serving.url);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let press = serde_json::json!({ "update_id": 990_000_001, "message": { "message_id": 9, "date": 1_795_000_000, "chat": { "id": 2000, "type": "private", "first_name": "A" },
            "from": { "id": 2000, "is_bot": false, "first_name": "A" }, "text": "HELP" } });
        let post = async |secret: &str, body: String| {
            client
                .post(&hook)
                .header("x-telegram-bot-api-secret-token", secret)
                .body(body)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(post("guessed", press.to_string()).await, 403);
        assert_eq!(post("", press.to_string()).await, 403);
        assert_eq!(post("s3cret_word", press.to_string()).await, 200);
        assert_eq!(
            post("s3cret_word", press.to_string()).await,
            200,
            "the same again is no second message"
        );
        assert_eq!(
            post("s3cret_word", "{\"update_id\":1}".into()).await,
            200,
            "nothing that we read"
        );
        assert_eq!(post("s3cret_word", "x".repeat(70_000)).await, 413);
        eventually(Duration::from_secs(5), "help", || async {
            let sent = emulator.ask("sent?chat=2000").await;
            let helped = sent["sent"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|m| m["text"].as_str().unwrap().contains("To talk to us ring"))
                .count();
            (helped == 1).then_some(())
        })
        .await;
        let v = emulator.ask("violations").await;
        // The emulator does not know leaveChat, which the Bot API does.
        assert!(
            v["violations"]
                .as_array()
                .unwrap()
                .iter()
                .all(|v| v["where"] == "leaveChat"),
            "{v}"
        );
    }
}
