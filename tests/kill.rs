//! kill -9 at random moments while the texting service takes texts and its answers get lost: each text is there exactly once, and none
//! stays uncertain. Counted in the emulator's own list by number and body.

use crate::common::{AT_ONCE, Binary, Emulator, On, TestDb, eventually, families};
use courtesy::store::sealed::random_u32;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

const FAMILIES: usize = 30;

fn runs() -> usize {
    std::env::var("COURTESY_KILL_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

async fn survives(on: On, fault: &str) {
    for run in 0..runs() {
        let emulator = Emulator::start(&[]);
        let db = TestDb::new(on).await;
        let b = Binary::with_emulator(&db.url, &emulator.url, if run % 2 == 0 { 40 } else { 0 });
        std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
        std::fs::write(b.dir.path().join("families.csv"), families(FAMILIES, courtesy::clock::Clock::System.now())).unwrap();
        b.ok(&["centre", "apply", "centre.toml"]);
        b.ok(&["import", "families.csv"]);
        emulator.control("fault", json!({ "point": "create", "kind": fault, "times": 12, "skip": random_u32() % 10, "ms": 60_000 })).await;
        emulator.control("config", json!({ "latency_ms": 20 })).await;
        // Two kills at random moments, then a run that lives.
        for _ in 0..2 {
            let mut serving = b.serve();
            tokio::time::sleep(Duration::from_millis(u64::from(random_u32() % 1500))).await;
            serving.kill();
        }
        let _serving = b.serve();
        let want = FAMILIES * 2;
        eventually(Duration::from_secs(60), "every text is sent and recorded", || async {
            let rows = b.json(&["list", "messages"]);
            let sent = rows.iter().filter(|m| matches!(m["state"].as_str(), Some("sent" | "delivered"))).count();
            (sent == want && rows.len() == want).then_some(())
        })
        .await;
        let mut count: HashMap<(String, String), usize> = HashMap::new();
        for key in emulator.outbound().await {
            *count.entry(key).or_default() += 1;
        }
        let rows = b.json(&["list", "messages"]);
        assert_eq!(count.len(), want, "run {run} of {fault}: lost");
        assert!(count.values().all(|n| *n == 1), "run {run} of {fault}: doubled");
        assert!(rows.iter().all(|m| m["state"] != "uncertain"), "run {run} of {fault}: uncertain");
        emulator.no_violations().await;
    }
}

macro_rules! faults {
    ($($name:ident = $fault:literal),+) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::survives(super::On::Sqlite, $fault).await })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::survives(super::On::Postgres, $fault).await })+ }
    };
}
faults!(
    killed_while_answers_are_reset = "reset_after",
    killed_while_answers_are_500 = "500_after",
    killed_while_answers_hang = "hang_after",
    killed_while_answers_are_cut = "truncate"
);
