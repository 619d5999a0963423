//! Webhooks that are forged, cut off, huge, slow or somebody else's; callbacks in any order;
//! messages that arrived while nobody was listening.

use crate::common::{AT_ONCE, Binary, Emulator, On, TestDb, World, eventually, families};
use base64::Engine;
use courtesy::channels::twilio::sign;
use courtesy::simulator::{ACCOUNT, OUR_NUMBER, TOKEN};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn form(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(k, v)| format!("{k}={}", v.replace('+', "%2B").replace(' ', "+")))
        .collect::<Vec<_>>()
        .join("&")
}

async fn post(url: &str, token: &str, pairs: &[(&str, &str)]) -> u16 {
    let owned: Vec<(String, String)> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let signature = base64::engine::general_purpose::STANDARD.encode(sign(token, url, &owned));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client
        .post(url)
        .header("x-twilio-signature", signature)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(pairs))
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

async fn forged_foreign_and_huge_hooks_are_refused_and_nothing_is_stored(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let url = format!(
        "http://{}/hooks/sms/inbound",
        w.running.as_ref().unwrap().listen
    );
    let good = [
        ("MessageSid", "SM1"),
        ("AccountSid", ACCOUNT),
        ("From", "+447700900101"),
        ("To", OUR_NUMBER),
        ("Body", "YES"),
        ("NumMedia", "0"),
        ("Blank", ""),
    ];
    assert_eq!(post(&url, "guessed", &good).await, 403);
    let with = |key: &str, value: &'static str| {
        good.map(|(k, v)| if k == key { (k, value) } else { (k, v) })
    };
    assert_eq!(
        post(
            &url,
            TOKEN,
            &with("AccountSid", "AC00000000000000000000000000000000")
        )
        .await,
        403
    );
    assert_eq!(post(&url, TOKEN, &with("To", "+15005550009")).await, 403);
    assert_eq!(post(&url, TOKEN, &with("MessageSid", "")).await, 400);
    let huge: &'static str = Box::leak("x".repeat(70_000).into_boxed_str());
    assert_eq!(post(&url, TOKEN, &with("Body", huge)).await, 413);
    assert_eq!(courtesy::store::inbox::count(&w.svc.db).await.unwrap(), []);
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    assert_eq!(post(&url, TOKEN, &good).await, 200);
    assert_eq!(
        post(&url, TOKEN, &good).await,
        200,
        "the same again is no second message"
    );
    assert_eq!(
        courtesy::store::inbox::count(&w.svc.db).await.unwrap(),
        [("sms".to_owned(), 1)]
    );
    w.end().await;
}

async fn slow_and_cut_hooks_are_cut_off(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let listen = w.running.as_ref().unwrap().listen;
    let slow = |bytes: &'static [u8]| {
        tokio::task::spawn_blocking(move || {
            let mut s = TcpStream::connect(listen).unwrap();
            s.write_all(bytes).unwrap();
            s.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let began = Instant::now();
            let mut out = Vec::new();
            let _ = s.read_to_end(&mut out);
            (began.elapsed(), String::from_utf8_lossy(&out).into_owned())
        })
    };
    let head = slow(b"POST /hooks/sms/inbound HTTP/1.1\r\nHost: x\r\nContent-Le");
    let body = slow(b"POST /hooks/sms/inbound HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\nBody=YES");
    let (head, body) = (head.await.unwrap(), body.await.unwrap());
    assert!(
        head.0 < Duration::from_secs(8),
        "a half-sent head is cut off: {:?}",
        head.0
    );
    assert!(
        body.0 < Duration::from_secs(15) && body.1.contains("408"),
        "a half-sent body is cut off: {body:?}"
    );
    // Meanwhile and afterwards other requests are served.
    w.says("+447700900102", "YES").await;
    assert_eq!(w.stands("BRK-0101").await, "booked none confirmed");
    w.end().await;
}

async fn receipts_doubled_reversed_unknown(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let list = courtesy::store::messages::list(&w.svc.db, None)
        .await
        .unwrap();
    let m = &list[0];
    let (token, sid) = (m.attempts[0].token.clone(), m.provider_id.clone().unwrap());
    let base = format!(
        "http://{}/hooks/sms/status",
        w.running.as_ref().unwrap().listen
    );
    for (token, status) in [
        (token.as_str(), "undelivered"),
        (token.as_str(), "sent"),
        (token.as_str(), "undelivered"),
        ("nobodys", "delivered"),
    ] {
        let pairs = [
            ("MessageSid", sid.as_str()),
            ("AccountSid", ACCOUNT),
            ("MessageStatus", status),
            ("ErrorCode", "30003"),
        ];
        assert_eq!(post(&format!("{base}/{token}"), TOKEN, &pairs).await, 200);
    }
    let after = courtesy::store::messages::list(&w.svc.db, None)
        .await
        .unwrap();
    let state = after.iter().find(|x| x.id == m.id).unwrap().state;
    // The simulator may have reported "delivered" before we report "undelivered": the first final
    // status stays.
    assert!(matches!(state.as_str(), "undelivered" | "delivered"));
    w.end().await;
}

async fn a_replay_has_no_effect_however_old(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let url = format!(
        "http://{}/hooks/sms/inbound",
        w.running.as_ref().unwrap().listen
    );
    let old = [
        ("MessageSid", "SM7"),
        ("AccountSid", ACCOUNT),
        ("From", "+447700900101"),
        ("To", OUR_NUMBER),
        ("Body", "STOP"),
        ("NumMedia", "0"),
    ];
    assert_eq!(post(&url, TOKEN, &old).await, 200);
    w.until("2026-11-26T10:01").await;
    w.says("+447700900101", "START").await;
    let texts = w.got("+447700900101").len();
    // A month later somebody replays a recorded request with its valid signature.
    w.until("2026-12-26T10:00").await;
    assert_eq!(post(&url, TOKEN, &old).await, 200);
    w.until("2026-12-26T10:01").await;
    let parties = courtesy::store::cases::parties(&w.svc.db, w.svc.lines().senders(), None)
        .await
        .unwrap();
    assert!(
        parties
            .iter()
            .any(|p| p.case_ref == "BRK-0101" && p.role.as_str() == "resident" && p.usable),
        "still opted in"
    );
    assert!(w.got("+447700900101").len() >= texts);
    w.end().await;
}

crate::on_both!(
    forged_foreign_and_huge_hooks_are_refused_and_nothing_is_stored,
    slow_and_cut_hooks_are_cut_off,
    receipts_doubled_reversed_unknown,
    a_replay_has_no_effect_however_old
);

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_answers_this_machine_alone() {
    let w = World::sample(On::Sqlite, "2026-11-26T10:00").await;
    let desk = w.running.as_ref().unwrap().desk.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |name: &'static str, value: &'static str| {
        let client = client.clone();
        async move {
            client
                .get(format!("http://{desk}/"))
                .header(name, value)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        }
    };
    assert_eq!(get("accept", "*/*").await, 200);
    assert_eq!(get("x-forwarded-for", "203.0.113.9").await, 403);
    assert_eq!(get("forwarded", "for=203.0.113.9").await, 403);
    assert_eq!(get("host", "evil.example").await, 403);
    let metrics = client
        .get(format!("http://{desk}/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        metrics.contains("courtesy_messages_total{kind=\"confirm_request\"")
            && metrics.contains("courtesy_last_tick_seconds{loop="),
        "{metrics}"
    );
    assert!(!metrics.contains("7700"));
    w.end().await;
}

/// The real binary against the emulator: it answers, finds messages that arrived while nobody was
/// listening, and never breaks the contract.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_as_a_whole() {
    for on in [On::Sqlite, On::Postgres] {
        let emulator = Emulator::start(&[]);
        let db = TestDb::new(on).await;
        let b = Binary::with_emulator(&db.url, &emulator.url, 0);
        std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
        b.ok(&["centre", "apply", "centre.toml"]);
        let mut serving = b.serve();
        // An import by another process is texted (how soon is measured by the benchmarks: a busy
        // machine is no fault).
        std::fs::write(
            b.dir.path().join("families.csv"),
            families(3, courtesy::clock::Clock::System.now()),
        )
        .unwrap();
        b.ok(&["import", "families.csv"]);
        eventually(Duration::from_secs(20), "six texts", || async {
            (emulator.outbound().await.len() == 6).then_some(())
        })
        .await;
        let (to, _) = emulator.outbound().await[0].clone();
        let hook = format!("{}/hooks/sms/inbound", serving.url);
        let said = |body: &'static str, url: Option<String>| {
            let (to, emulator) = (to.clone(), &emulator);
            async move {
                emulator
                    .control(
                        "reply",
                        serde_json::json!({
                            "from": to,
                            "to": OUR_NUMBER,
                            "body": body,
                            "url": url,
                            "dup": 1,
                        }),
                    )
                    .await
            }
        };
        let answer = said("Yes thanks", Some(hook.clone())).await;
        assert_eq!(
            (
                answer["webhook"]["response"]["status"].as_u64(),
                answer["webhook"]["response"]["body"].as_str(),
                answer["replies"].as_array().map(Vec::len)
            ),
            (Some(200), Some("<Response/>"), Some(0))
        );
        eventually(Duration::from_secs(10), "an answer", || async {
            emulator
                .outbound()
                .await
                .iter()
                .any(|(n, body)| *n == to && body.contains("You have confirmed"))
                .then_some(())
        })
        .await;
        let confirmed = |b: &Binary| {
            b.json(&["list", "sessions"])
                .iter()
                .filter(|s| {
                    s["answers"]["resident"] == "confirmed"
                        || s["answers"]["contact"] == "confirmed"
                })
                .count()
        };
        assert_eq!(confirmed(&b), 1);
        // Killed. A text arrives while nobody is listening; the next start lists it.
        serving.kill();
        let (other, _) = emulator
            .outbound()
            .await
            .into_iter()
            .find(|(n, _)| *n != to)
            .unwrap();
        emulator
            .control(
                "reply",
                serde_json::json!({
                    "from": other,
                    "to": OUR_NUMBER,
                    "body": "YES",
                    "url": "http://127.0.0.1:9/gone",
                }),
            )
            .await;
        let serving = b.serve();
        eventually(
            Duration::from_secs(10),
            "the missed text is found",
            || async {
                (confirmed(&b) >= 2
                    || b.json(&["list", "sessions"]).iter().any(|s| {
                        s["answers"]["resident"] == "confirmed"
                            && s["answers"]["contact"] == "confirmed"
                    }))
                .then_some(())
            },
        )
        .await;
        // SIGTERM stops it in order.
        let pid = serving.child.id().to_string();
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap();
        let mut serving = serving;
        let code = serving.child.wait().unwrap();
        assert_eq!(code.code(), Some(0), "{}", b.log());
        emulator.no_violations().await;
    }
}

/// Behind a reverse proxy the provider signs the public address, which is not where we listen.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_the_public_address_is_what_is_signed() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let emulator = Emulator::start(&[
        "--rewrite",
        &format!("https://texts.example.org=http://127.0.0.1:{port}"),
    ]);
    let db = TestDb::new(On::Sqlite).await;
    let b = Binary::with_emulator(&db.url, &emulator.url, 0);
    let text = std::fs::read_to_string(&b.config).unwrap().replace(
        "listen = \"127.0.0.1:0\"\ndesk",
        &format!(
            "listen = \"127.0.0.1:{port}\"\npublic_url = \"https://texts.example.org/\"\ndesk"
        ),
    );
    std::fs::write(&b.config, text).unwrap();
    std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
    std::fs::write(
        b.dir.path().join("families.csv"),
        families(1, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    b.ok(&["import", "families.csv"]);
    let _serving = b.serve();
    eventually(
        Duration::from_secs(6),
        "delivered, as the callbacks say",
        || async {
            let rows = b.json(&["list", "messages"]);
            (rows.len() == 2 && rows.iter().all(|m| m["state"] == "delivered")).then_some(())
        },
    )
    .await;
    let (to, _) = emulator.outbound().await[0].clone();
    let said = emulator
        .control(
            "reply",
            serde_json::json!({
                "from": to,
                "to": OUR_NUMBER,
                "body": "YES",
                "url": "https://texts.example.org/hooks/sms/inbound",
            }),
        )
        .await;
    assert_eq!(
        said["webhook"]["response"]["status"].as_u64(),
        Some(200),
        "{said}"
    );
    let forged = emulator
        .control(
            "reply",
            serde_json::json!({
                "from": to,
                "to": OUR_NUMBER,
                "body": "YES",
                "url": "https://texts.example.org/hooks/sms/inbound",
                "signature": "bad",
            }),
        )
        .await;
    assert_eq!(
        forged["webhook"]["response"]["status"].as_u64(),
        Some(403),
        "{forged}"
    );
    emulator.no_violations().await;
}
