//! Several processes at once send each message exactly once.

use crate::common::{AT_ONCE, Binary, Emulator, On, TestDb, eventually, families};
use std::collections::HashMap;
use std::time::Duration;

const FAMILIES: usize = 500;

async fn exactly_once(emulator: &Emulator, what: &str) {
    let mut count: HashMap<(String, String), usize> = HashMap::new();
    for key in emulator.outbound().await {
        *count.entry(key).or_default() += 1;
    }
    assert_eq!(count.len(), FAMILIES * 2, "{what}: lost");
    assert!(count.values().all(|n| *n == 1), "{what}: sent twice");
    emulator.no_violations().await;
}

async fn a_thousand_due_texts_by_two_processes(on: On) {
    let emulator = Emulator::start(&[]);
    let db = TestDb::new(on).await;
    let b = Binary::with_emulator(&db.url, &emulator.url, 0);
    std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
    std::fs::write(
        b.dir.path().join("families.csv"),
        families(FAMILIES, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    b.ok(&["import", "families.csv"]);
    // SQLite: a server and a worker. PostgreSQL: a server and two workers.
    let _serving = b.serve();
    let mut workers: Vec<_> = (0..if on == On::Sqlite { 1 } else { 2 })
        .map(|_| {
            b.command(&["worker", "--until-idle"])
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for w in &mut workers {
        assert_eq!(w.wait().unwrap().code(), Some(0));
    }
    eventually(Duration::from_secs(30), "all are recorded", || async {
        let rows = b.json(&["list", "messages"]);
        (rows.len() == FAMILIES * 2
            && rows
                .iter()
                .all(|m| matches!(m["state"].as_str(), Some("sent" | "delivered"))))
        .then_some(())
    })
    .await;
    exactly_once(&emulator, &format!("{on:?}")).await;
}

async fn a_worker_with_a_hold_says_how_many_stay(on: On) {
    let emulator = Emulator::start(&[]);
    let db = TestDb::new(on).await;
    let b = Binary::with_emulator(&db.url, &emulator.url, 0);
    std::fs::write(
        b.dir.path().join("centre.toml"),
        AT_ONCE.replace("start = \"sending\"", "start = \"hold\""),
    )
    .unwrap();
    std::fs::write(
        b.dir.path().join("families.csv"),
        families(4, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    b.ok(&["import", "families.csv"]);
    let (code, _, err) = b.run(&["worker", "--until-idle"]);
    assert_eq!(
        (code, err.contains("8 texts are due and stay")),
        (0, true),
        "{err}"
    );
    assert!(emulator.outbound().await.is_empty());
    let (code, _, err) = b.run(&["hold", "off"]);
    assert_eq!(
        (
            code,
            err.contains("8 texts will leave in the next hour; nothing was changed")
        ),
        (1, true),
        "{err}"
    );
    b.ok(&["hold", "off", "--count", "8"]);
    b.ok(&["worker", "--until-idle"]);
    assert_eq!(emulator.outbound().await.len(), 8);
}

async fn a_channel_that_refuses_us_stops_after_one_text(on: On) {
    let emulator = Emulator::start(&[]);
    let db = TestDb::new(on).await;
    let b = Binary::with_emulator(&db.url, &emulator.url, 20);
    std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
    std::fs::write(
        b.dir.path().join("families.csv"),
        families(20, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    b.ok(&["import", "families.csv"]);
    emulator
        .control(
            "fault",
            serde_json::json!({
                "point": "create",
                "kind": "error",
                "code": 21606,
                "status": 400,
                "times": -1,
            }),
        )
        .await;
    let (code, _, err) = b.run(&["worker", "--until-idle"]);
    assert_eq!(code, 1, "{err}");
    let tries = emulator.ask("requests").await["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["method"] == "POST")
        .count();
    assert!(
        tries <= 3,
        "{tries} messages were tried on a channel that refuses all"
    );
    assert!(
        b.json(&["list", "tasks"])
            .iter()
            .any(|t| t["topic"] == "channel_stopped")
    );
    assert!(b.run(&["check"]).2.contains("the service refuses us"));
    // Once the channel works again, nothing is lost.
    emulator.control("clearfaults", serde_json::json!({})).await;
    b.ok(&["hold", "off", "--count", "40"]);
    b.ok(&["worker", "--until-idle"]);
    assert_eq!(emulator.outbound().await.len(), 40);
    emulator.no_violations().await;
}

crate::on_both!(
    a_thousand_due_texts_by_two_processes,
    a_worker_with_a_hold_says_how_many_stay,
    a_channel_that_refuses_us_stops_after_one_text
);
