//! Measures how fast replies are understood on one core.
//!
//! `cargo run --release --example replies_speed`

use courtesy::domain::replies::understanding::understand;
use std::time::Instant;

/// Makes a text of about this many characters.
type Make = fn(usize) -> String;

fn main() {
    let texts: Vec<String> = include_str!("../tests/data/replies.jsonl")
        .lines()
        .filter_map(|l| {
            serde_json::from_str::<serde_json::Value>(l)
                .ok()?
                .get("text")?
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    // The first call loads the patterns.
    let start = Instant::now();
    understand("yes");
    println!(
        "first text (loads the patterns)  {:>12.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let mut n = 0;
    while start.elapsed().as_secs() < 3 {
        texts
            .iter()
            .for_each(|t| drop(std::hint::black_box(understand(t))));
        n += texts.len();
    }
    println!(
        "texts of parents                 {:>12.0} a second",
        n as f64 / start.elapsed().as_secs_f64()
    );
    let hostile: [(&str, Make); 7] = [
        ("letters", |n| "a".repeat(n)),
        ("words", |n| "yes no cancel ".repeat(n / 14)),
        ("he he he", |n| "he ".repeat(n / 3)),
        ("is he going to be", |n| {
            "he is going to be told by ".repeat(n / 26)
        }),
        ("combining marks", |n| format!("yes{}", "\u{301}".repeat(n))),
        ("digits", |n| "1".repeat(n)),
        ("can't can't", |n| "i can't ".repeat(n / 8)),
    ];
    for (name, make) in hostile {
        let took = |n| {
            let text = make(n);
            let start = Instant::now();
            std::hint::black_box(understand(&text));
            start.elapsed().as_secs_f64() * 1e3
        };
        println!(
            "{name:<20} 10,000: {:>8.2} ms   100,000: {:>8.2} ms   1,000,000: {:>8.2} ms",
            took(10_000),
            took(100_000),
            took(1_000_000)
        );
    }
}
