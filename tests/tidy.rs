//! The drawing of the house, checked: who may import whom, where SQL and the clock live, and that
//! no page or text is out of its room.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};

/// A room and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("clock", &[]),
    ("words", &["domain"]),
    ("store", &["domain", "store"]),
    ("channels", &["domain", "channels"]),
    ("config", &["domain", "channels"]),
    (
        "flows",
        &["domain", "store", "channels", "words", "clock", "flows"],
    ),
    (
        "web",
        &["domain", "store", "channels", "flows", "words", "web"],
    ),
    (
        "practice",
        &[
            "domain", "store", "channels", "flows", "web", "clock", "config", "app", "practice",
        ],
    ),
    (
        "app",
        &[
            "domain", "store", "channels", "flows", "web", "clock", "config", "words",
        ],
    ),
    (
        "cli",
        &[
            "domain", "store", "channels", "flows", "web", "clock", "config", "words", "app",
            "practice", "cli",
        ],
    ),
];

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every source file with its room and its text without the tests at its end.
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths
        .into_iter()
        .map(|p| {
            let name = p.strip_prefix(&root).unwrap().display().to_string();
            let room = name.split(['/', '.']).next().unwrap().to_owned();
            let text = std::fs::read_to_string(&p).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
            (name, room, code)
        })
        .filter(|(name, ..)| name != "lib.rs" && name != "main.rs")
        .collect()
}

fn code_lines(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter(|l| !l.trim_start().starts_with("//"))
}

#[test]
fn arrows_point_one_way() {
    for (name, room, code) in sources() {
        let (_, may) = ARROWS
            .iter()
            .find(|(r, _)| *r == room)
            .unwrap_or_else(|| panic!("{name}: the room {room} is not in the drawing"));
        for line in code_lines(&code) {
            for (at, _) in line.match_indices("crate::") {
                let used: String = line[at + 7..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                if matches!(used.as_str(), "args" | "string_enum" | "") {
                    continue;
                }
                assert!(
                    may.contains(&used.as_str()),
                    "{name}: {room} may not use {used}: {}",
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn each_thing_lives_in_its_room() {
    for (name, room, code) in sources() {
        for line in code_lines(&code) {
            let at = || format!("{name}: {}", line.trim());
            assert!(
                room == "store"
                    || ![
                        "SELECT ",
                        "INSERT INTO",
                        "UPDATE message",
                        "DELETE FROM",
                        "sqlx::"
                    ]
                    .iter()
                    .any(|s| line.contains(s)),
                "SQL lives in the store: {}",
                at()
            );
            assert!(
                name == "store/db.rs" || !line.contains("sqlx::"),
                "db.rs alone knows two databases: {}",
                at()
            );
            assert!(
                room == "clock"
                    || !(line.contains("Utc::now(")
                        || line.contains("Local::now(")
                        || line.contains("SystemTime::now(")),
                "clock.rs alone reads the time: {}",
                at()
            );
            let waits = line.match_indices(".await").any(|(i, w)| {
                !line[i + w.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            assert!(
                room != "domain"
                    || !(waits
                        || ["async fn", "std::fs", "std::env", "reqwest", "tokio::"]
                            .iter()
                            .any(|s| line.contains(s))),
                "the domain has no IO: {}",
                at()
            );
            assert!(
                matches!(room.as_str(), "channels" | "practice") || !line.contains("reqwest::"),
                "providers live in channels: {}",
                at()
            );
            assert!(
                !line.contains(".unwrap()") && !line.contains("todo!(") && !line.contains("dbg!("),
                "left open: {}",
                at()
            );
        }
    }
}

#[test]
fn a_file_says_what_lives_in_it() {
    for (name, _, code) in sources() {
        assert!(code.starts_with("//! "), "{name} does not open with //!");
    }
}

#[test]
fn every_message_kind_has_its_template_and_no_other() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("message-templates/en");
    let mut on_disk: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().replace(".txt", ""))
        .filter(|n| n != "language.toml")
        .collect();
    let mut kinds: Vec<String> = courtesy::domain::outgoing::message::MessageKind::ALL
        .iter()
        .map(|k| k.to_string())
        .collect();
    on_disk.sort();
    // The words of the buttons stand beside the kinds.
    kinds.push("buttons".into());
    kinds.sort();
    assert_eq!(on_disk, kinds);
}
