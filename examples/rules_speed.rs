//! Measures the rules on money on one core: histories per second, lines of `try rules` per second,
//! and one long history.
//!
//! `cargo run --release --example rules_speed -- tests/data/policy_cases.jsonl`

use chrono::Duration;
use courtesy::cli::try_cases::policy_case::PolicyCase;
use courtesy::domain::money::policy::{About, Fact, Facts, LaterSession, Note, What, assess};
use serde_json::Value;
use std::hint::black_box;
use std::time::Instant;

/// A history of 500 facts: 240 notes for the wrong day, 200 part payments of a penny, and 60
/// contacts, every other one cancelled.
fn long(facts: &Facts) -> Facts {
    let mut f = facts.clone();
    let first = f.session.start;
    let day = (first + Duration::days(90)).date_naive();
    let note = Note {
        about: About::Child,
        from: day,
        to: day,
        children: None,
        brought: false,
    };
    f.history.extend((0..240).map(|n| Fact {
        at: first + Duration::hours(n),
        what: What::Note(note),
    }));
    f.history.extend((0..200).map(|n| Fact {
        at: first + Duration::minutes(n * 61),
        what: What::Paid(1),
    }));
    f.later = (1..=60)
        .map(|n| {
            let start = first + Duration::days(7 * n);
            let off = (n % 2 == 1).then(|| {
                (
                    courtesy::domain::money::policy::OffBy::Centre,
                    Some(start - Duration::days(1)),
                )
            });
            LaterSession {
                start,
                end: start + Duration::hours(2),
                booked_at: None,
                off,
            }
        })
        .collect();
    f
}

fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).unwrap_or_else(|| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/policy_cases.jsonl").to_owned()
    });
    let text = std::fs::read_to_string(file)?;
    let mut cases = Vec::new();
    for line in text.lines() {
        let v: Value = serde_json::from_str(line)?;
        cases.push(PolicyCase::read(&v["input"]).map_err(|p| anyhow::anyhow!("{p}"))?);
    }
    anyhow::ensure!(!cases.is_empty(), "the file holds no case");
    let rounds = 400_000 / cases.len();
    let started = Instant::now();
    for _ in 0..rounds {
        for c in &cases {
            black_box(assess(black_box(&c.facts)));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let n = rounds * cases.len();
    println!(
        "assess: {n} histories in {seconds:.2} s, {:.0} a second",
        n as f64 / seconds
    );

    let rounds = 40_000 / cases.len();
    let (started, mut bytes) = (Instant::now(), 0);
    for _ in 0..rounds {
        for line in text.lines() {
            let v: Value = serde_json::from_str(line)?;
            let case = PolicyCase::read(&v["input"]).map_err(|p| anyhow::anyhow!("{p}"))?;
            let actual = case.actual();
            let ok = actual == v["expected"];
            // As the command writes it, next to the expected result.
            bytes += serde_json::json!({
                "id": v["id"],
                "actual": actual,
                "expected": v["expected"],
                "ok": ok,
            })
            .to_string()
            .len();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let n = rounds * cases.len();
    println!(
        "read, assess, write: {n} lines in {seconds:.2} s, {:.0} a second, {} bytes a line",
        n as f64 / seconds,
        bytes / n
    );

    let longest = cases.iter().map(|c| long(&c.facts)).collect::<Vec<_>>();
    let mut worst = 0.0f64;
    for f in &longest {
        black_box(assess(f));
        let started = Instant::now();
        let a = black_box(assess(black_box(f)));
        let took = started.elapsed().as_secs_f64() * 1e6;
        anyhow::ensure!(a.notices.is_sorted(), "out of order");
        worst = worst.max(took);
    }
    println!(
        "a history of 500 facts: {worst:.0} microseconds at worst of {}",
        longest.len()
    );
    Ok(())
}
