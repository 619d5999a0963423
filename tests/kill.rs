//! kill -9 at random moments while the SMS provider accepts messages and its responses get lost.
//!
//! Each message is sent exactly once, and none stays uncertain. The emulator's own list counts, by
//! number and body.

use crate::common::{
    AT_ONCE, Binary, Emulator, On, TestDb, eventually, families, families_in_chats,
};
use courtesy::store::sealed::random_u32;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

const FAMILIES: usize = 30;

fn runs() -> usize {
    std::env::var("COURTESY_KILL_RUNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(2)
}

async fn survives(on: On, fault: &str) {
    for run in 0..runs() {
        let emulator = Emulator::start(&[]);
        let db = TestDb::new(on).await;
        let b = Binary::with_emulator(&db.url, &emulator.url, if run % 2 == 0 { 40 } else { 0 });
        std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
        std::fs::write(
            b.dir.path().join("families.csv"),
            families(FAMILIES, courtesy::clock::Clock::System.now()),
        )
        .unwrap();
        b.ok(&["centre", "apply", "centre.toml"]);
        b.ok(&["import", "families.csv"]);
        emulator
            .control(
                "fault",
                json!({
                    "point": "create",
                    "kind": fault,
                    "times": 12,
                    "skip": random_u32() % 10,
                    "ms": 60_000,
                }),
            )
            .await;
        emulator
            .control("config", json!({ "latency_ms": 20 }))
            .await;
        // Two kills at random moments, then a run that survives.
        for _ in 0..2 {
            let mut serving = b.serve();
            tokio::time::sleep(Duration::from_millis(u64::from(random_u32() % 1500))).await;
            serving.kill();
        }
        let _serving = b.serve();
        let want = FAMILIES * 2;
        eventually(
            Duration::from_secs(60),
            "every text is sent and recorded",
            || async {
                let rows = b.json(&["list", "messages"]);
                let sent = rows
                    .iter()
                    .filter(|m| matches!(m["state"].as_str(), Some("sent" | "delivered")))
                    .count();
                (sent == want && rows.len() == want).then_some(())
            },
        )
        .await;
        let mut count: HashMap<(String, String), usize> = HashMap::new();
        for key in emulator.outbound().await {
            *count.entry(key).or_default() += 1;
        }
        let rows = b.json(&["list", "messages"]);
        assert_eq!(count.len(), want, "run {run} of {fault}: lost");
        assert!(
            count.values().all(|n| *n == 1),
            "run {run} of {fault}: sent twice"
        );
        assert!(
            rows.iter().all(|m| m["state"] != "uncertain"),
            "run {run} of {fault}: uncertain"
        );
        emulator.no_violations().await;
    }
}

/// kill -9 while Telegram accepts messages and presses, and its responses get lost.
///
/// No message is sent twice, unknown ones are `uncertain` with a task, and every press is applied
/// once. The emulator's own list counts.
async fn chats_survive(on: On, fault: &str) {
    for run in 0..runs() {
        chats_survive_once(on, fault, &format!("run {run} of {fault}")).await;
    }
}

async fn chats_survive_once(on: On, fault: &str, run: &str) {
    let emulator = Emulator::telegram();
    let db = TestDb::new(on).await;
    let b = Binary::with_bot(&db.url, &emulator.url);
    std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
    std::fs::write(
        b.dir.path().join("families.csv"),
        families_in_chats(FAMILIES / 2, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    b.ok(&["import", "families.csv"]);
    for chat in 1000..1000 + FAMILIES as i64 {
        emulator.control("chat", json!({ "chat": chat })).await;
    }
    emulator.control("fail", telegram_fault(fault)).await;
    emulator
        .control("config", json!({ "latency_ms": 20 }))
        .await;
    for _ in 0..2 {
        serve_and_kill(&b).await;
    }
    let serving = b.serve();
    let rows = eventually(Duration::from_secs(60), "every text has ended", || async {
        let rows = b.json(&["list", "messages"]);
        (rows.len() == FAMILIES && rows.iter().all(has_ended)).then_some(rows)
    })
    .await;
    let arrived = sent_by_chat(&emulator).await;
    assert!(arrived.values().all(|n| *n == 1), "{run}: sent twice");
    let uncertain = rows.iter().filter(|m| m["state"] == "uncertain").count();
    assert!(
        arrived.len() >= FAMILIES - uncertain,
        "{run}: a message marked as sent did not arrive"
    );
    let tasks = b
        .json(&["list", "tasks"])
        .iter()
        .filter(|t| t["topic"] == "uncertain_message")
        .count();
    assert_eq!(tasks, uncertain, "{run}: there is a task for each");

    drop(serving);
    press_yes_in_all(&emulator, &arrived).await;
    serve_and_kill(&b).await;
    let _serving = b.serve();
    every_press_is_applied(&b, arrived.len()).await;
    let after = sent_by_chat(&emulator).await;
    assert!(
        after.values().all(|n| *n <= 2),
        "{run}: a reply was sent twice: {after:?}"
    );
    // A press proves that its message was delivered.
    assert!(
        b.json(&["list", "messages"])
            .iter()
            .all(|m| m["kind"] != "confirm_request"
                || m["state"] != "uncertain"
                || arrived.len() < FAMILIES)
    );
    emulator.no_violations().await;
}

fn telegram_fault(fault: &str) -> serde_json::Value {
    match fault {
        "429" => json!({
            "method": "sendMessage",
            "code": 429,
            "retry_after": 1,
            "times": 3,
            "skip": random_u32() % 10,
        }),
        kind => json!({
            "method": "sendMessage",
            "kind": kind,
            "times": 4,
            "skip": random_u32() % 10,
            "ms": 60_000,
        }),
    }
}

/// Starts the server and kills it at a random moment.
async fn serve_and_kill(b: &Binary) {
    let mut serving = b.serve();
    tokio::time::sleep(Duration::from_millis(u64::from(random_u32() % 900))).await;
    serving.kill();
}

fn has_ended(message: &serde_json::Value) -> bool {
    matches!(
        message["state"].as_str(),
        Some("sent" | "delivered" | "uncertain")
    )
}

/// Everyone who got a message presses Yes, some twice.
async fn press_yes_in_all(emulator: &Emulator, arrived: &HashMap<i64, usize>) {
    for (i, chat) in arrived.keys().enumerate() {
        for _ in 0..if i % 3 == 0 { 2 } else { 1 } {
            emulator
                .control("press", json!({ "chat": chat, "label": "Yes" }))
                .await;
        }
    }
}

async fn every_press_is_applied(b: &Binary, presses: usize) {
    eventually(
        Duration::from_secs(60),
        "every press is applied",
        || async {
            let sessions = b.json(&["list", "sessions"]);
            let confirmed: usize = sessions
                .iter()
                .map(|s| {
                    ["resident", "contact"]
                        .iter()
                        .filter(|r| s["answers"][**r] == "confirmed")
                        .count()
                })
                .sum();
            let rows = b.json(&["list", "messages"]);
            let acks: Vec<_> = rows.iter().filter(|m| m["kind"] == "confirm_ack").collect();
            let all = confirmed == presses && acks.len() == presses;
            (all && acks.into_iter().all(has_ended)).then_some(())
        },
    )
    .await;
}

/// Number of messages per chat. Fails if a chat got the same message twice.
async fn sent_by_chat(emulator: &Emulator) -> HashMap<i64, usize> {
    let mut count: HashMap<i64, usize> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for m in emulator.ask("sent").await["sent"].as_array().unwrap() {
        let chat = m["chat"].as_i64().unwrap();
        assert!(
            seen.insert((chat, m["text"].as_str().unwrap().to_owned())),
            "the same message twice to {chat}"
        );
        *count.entry(chat).or_default() += 1;
    }
    count
}

macro_rules! faults {
    ($survives:ident: $($name:ident = $fault:literal),+) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::super::$survives(super::super::On::Sqlite, $fault).await })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::super::$survives(super::super::On::Postgres, $fault).await })+ }
    };
}
mod texts {
    faults!(survives:
    killed_while_answers_are_reset = "reset_after",
    killed_while_answers_are_500 = "500_after",
    killed_while_answers_hang = "hang_after",
    killed_while_answers_are_cut = "truncate"
    );
}

mod chats {
    faults!(chats_survive:
    killed_while_chats_are_reset = "reset_after",
    killed_while_chats_hang = "hang_after",
    killed_while_chats_are_told_to_wait = "429"
    );
}
