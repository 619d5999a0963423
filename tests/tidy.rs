//! The drawing of the house, checked: who may import whom, where SQL and the clock live, and that
//! no page or text is out of its room.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A room and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("clock", &[]),
    ("templates", &["domain", "templates"]),
    ("store", &["domain", "store"]),
    ("channels", &["domain", "channels"]),
    ("config", &["domain", "channels", "config"]),
    (
        "flows",
        &["domain", "store", "channels", "templates", "clock", "flows"],
    ),
    (
        "web",
        &["domain", "store", "channels", "flows", "templates", "web"],
    ),
    (
        "simulator",
        &[
            "domain",
            "store",
            "channels",
            "flows",
            "web",
            "clock",
            "config",
            "app",
            "simulator",
        ],
    ),
    (
        "app",
        &[
            "domain",
            "store",
            "channels",
            "flows",
            "web",
            "clock",
            "config",
            "templates",
            "app",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "store",
            "channels",
            "flows",
            "web",
            "clock",
            "config",
            "templates",
            "app",
            "simulator",
            "cli",
        ],
    ),
];

/// Rooms in which no two modules may import each other, and no child its parent and the reverse.
const WITHOUT_CIRCLES: &[&str] = &["domain", "flows", "store"];

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

/// Whether a file holds tests and nothing else.
fn is_test_file(name: &str) -> bool {
    let path: Vec<&str> = name.split('/').collect();
    path.iter().any(|part| {
        ["tests", "tests.rs", "properties.rs"].contains(part) || part.ends_with("_tests.rs")
    })
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
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or("")
                .to_owned();
            (name, room, code)
        })
        .filter(|(name, ..)| name != "lib.rs" && name != "main.rs")
        .filter(|(name, ..)| !is_test_file(name))
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

/// The module of a source file: `["flows", "send", "engine"]`.
fn module_of(name: &str) -> Vec<String> {
    let mut path: Vec<String> = name
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// Writes out `a::{b, c::d}` as `a::b` and `a::c::d`.
fn written_out(tree: &str, prefix: &str, out: &mut Vec<String>) {
    let (mut depth, mut start) = (0, 0);
    let mut branches = Vec::new();
    for (i, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&tree[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    branches.push(&tree[start..]);
    for branch in branches.iter().map(|b| b.trim()).filter(|b| !b.is_empty()) {
        match branch.split_once('{') {
            Some((head, rest)) => {
                let rest = rest.strip_suffix('}').unwrap_or(rest);
                written_out(rest, &format!("{prefix}{head}"), out);
            }
            None => out.push(format!("{prefix}{branch}")),
        }
    }
}

/// Every path that a file names: in `use` and in its code.
fn named_paths(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code_lines(code).collect();
    let code = lines.join("\n");
    let mut out = Vec::new();
    for statement in code.split(';') {
        let Some((before, tree)) = statement.split_once("use ") else {
            continue;
        };
        let first = before.lines().last().unwrap_or_default().trim();
        if first.is_empty() || first.starts_with("pub") {
            let tree: String = tree.split_whitespace().collect();
            written_out(&tree, "", &mut out);
        }
    }
    let path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    for word in code
        .split(|c| !path(c))
        .filter(|w| w.contains("::") && !w.ends_with("::"))
    {
        out.push(word.to_owned());
    }
    out
}

/// The module that a path names, seen from `own`; `None` for what is not ours.
fn target(path: &str, own: &[String], modules: &[Vec<String>]) -> Option<Vec<String>> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut from: Vec<String> = own.to_vec();
    match *parts.first()? {
        "crate" => {
            from.clear();
            parts.remove(0);
        }
        "self" => {
            parts.remove(0);
        }
        "super" => {
            while parts.first() == Some(&"super") {
                from.pop();
                parts.remove(0);
            }
        }
        _ => {}
    }
    from.extend(parts.iter().map(|p| (*p).to_owned()));
    (1..=from.len())
        .rev()
        .map(|n| from[..n].to_vec())
        .find(|m| modules.contains(m))
        .filter(|m| m != own)
}

#[test]
fn no_two_modules_import_each_other() {
    let sources = sources();
    let modules: Vec<Vec<String>> = sources.iter().map(|(name, ..)| module_of(name)).collect();
    let imports: Vec<Vec<usize>> = sources
        .iter()
        .zip(&modules)
        .map(|((_, _, code), own)| {
            named_paths(code)
                .iter()
                .filter_map(|path| target(path, own, &modules))
                .filter_map(|m| modules.iter().position(|x| *x == m))
                .collect()
        })
        .collect();
    for (start, module) in modules.iter().enumerate() {
        if !WITHOUT_CIRCLES.contains(&module[0].as_str()) {
            continue;
        }
        let (mut seen, mut open) = (vec![false; modules.len()], vec![(start, vec![start])]);
        while let Some((at, way)) = open.pop() {
            for next in imports[at].iter().copied() {
                let names = |way: &[usize]| -> Vec<String> {
                    way.iter().map(|m| modules[*m].join("::")).collect()
                };
                assert!(
                    next != start,
                    "a circle of imports: {} -> {}",
                    names(&way).join(" -> "),
                    module.join("::")
                );
                if !seen[next] {
                    seen[next] = true;
                    let mut on = way.clone();
                    on.push(next);
                    open.push((next, on));
                }
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
                name.starts_with("store/db/") || !line.contains("sqlx::"),
                "store/db/ alone knows two databases: {}",
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
                matches!(room.as_str(), "channels" | "simulator") || !line.contains("reqwest::"),
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

/// The ids of the rules in `docs/rules.md`.
fn listed_rules() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    std::fs::read_to_string(page)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells.len() == 6).then(|| cells[1].to_owned())
        })
        .filter(|id| id != "Rule" && id != "---")
        .collect()
}

/// Whether a word has the shape of a rule's id: `C28`, `K11`, `S1`, `S1a`, `M3` …
fn is_rule_id(word: &str) -> bool {
    let bytes = word.as_bytes();
    match bytes {
        [b'C' | b'K', tens, ones] => tens.is_ascii_digit() && ones.is_ascii_digit(),
        [b'S', digit, part] => digit.is_ascii_digit() && part.is_ascii_lowercase(),
        [b'A' | b'D' | b'G' | b'J' | b'M' | b'S' | b'T', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

/// The same for the ids in small letters (`a2`, `f10`), which are words of other things too.
fn is_small_rule_id(word: &str) -> bool {
    word.strip_prefix(|c: char| ('a'..='h').contains(&c))
        .is_some_and(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The rules cited in comments: large ids anywhere, small ones where the word "rule" or "safety"
/// introduces them.
fn cited_in_comments(comments: &str, cited: &mut BTreeSet<String>) {
    let mut introduced = false;
    for word in comments.split(|c: char| !c.is_alphanumeric()) {
        if is_rule_id(word) || (introduced && is_small_rule_id(word)) {
            cited.insert(word.to_owned());
        } else if matches!(word.to_lowercase().as_str(), "rule" | "rules" | "safety") {
            introduced = true;
        } else if !matches!(word, "" | "and" | "to" | "or") {
            introduced = false;
        }
    }
}

/// The string literals of some code, in order.
fn literals(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

/// What stands between the bracket that opens at the start of `code` and the one that closes it.
fn arguments(code: &str) -> &str {
    let mut depth = 1;
    for (n, c) in code.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[..n];
        }
    }
    code
}

/// Calls that take a rule, with the place of the rule among the literals in their arguments.
const CALLS: &[(&str, usize)] = &[
    ("decision(", 0),
    ("hand_over(", 0),
    ("old_button(", 0),
    ("dead(", 0),
    ("over(", 0),
    ("is(Intent::", 0),
    ("Understood::new(", 0),
    ("Err(\"", 0),
    (".step(", 0),
    (".waive(", 0),
    (".review(", 0),
    (".tell(", 0),
    (".tell_all(", 0),
    ("fact(", 1),
    ("came(", 1),
    ("Ok((\"link\"", 0),
];

/// The rules that code gives to what it decides or records.
fn cited_in_code(name: &str, code: &str, cited: &mut BTreeSet<String>) {
    let mut cite = |id: &str| {
        if !id.is_empty() && !id.contains('{') {
            cited.insert(id.to_owned());
        }
    };
    for line in code.lines() {
        for word in literals(line) {
            let id = word.split_once('-').map_or(word, |(id, _)| id);
            let of_an_answer = name.starts_with("domain/replies/")
                && !name.starts_with("domain/replies/patterns")
                && word.trim_end_matches('-').contains('-')
                && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if is_rule_id(id) || is_small_rule_id(word) || of_an_answer {
                cite(word);
            }
        }
        for marker in ["rule: \"", "rule = \""] {
            if let Some((_, rest)) = line.split_once(marker) {
                cite(rest.split('"').next().unwrap_or_default());
            }
        }
    }
    let deciding = [
        "domain/replies/conversation",
        "domain/money/policy",
        "flows/",
    ];
    let reading = name.starts_with("domain/replies/understanding");
    if !reading && !deciding.iter().any(|room| name.starts_with(room)) {
        return;
    }
    for (call, place) in CALLS.iter().filter(|(c, _)| reading || *c != "Err(\"") {
        for (at, _) in code.match_indices(call) {
            let open = at + call.find('(').unwrap() + 1;
            let before = code[..at].chars().next_back();
            if !call.starts_with('.')
                && before.is_some_and(|c| c.is_alphanumeric() || "_.".contains(c))
            {
                continue;
            }
            let found = literals(arguments(&code[open..]));
            let skip = usize::from(call.ends_with("\"link\""));
            if let Some(id) = found.get(place + skip).filter(|id| {
                id.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            }) {
                cite(id);
            }
        }
    }
}

#[test]
fn every_cited_rule_stands_in_the_rules_page() {
    let listed = listed_rules();
    assert!(listed.len() > 100, "the page cannot be read");
    let mut cited_by: BTreeMap<String, String> = BTreeMap::new();
    let mut all_literals: BTreeSet<String> = BTreeSet::new();
    for (name, _, code) in sources() {
        let is_comment = |l: &&str| l.trim_start().starts_with("//");
        let comments: Vec<&str> = code.lines().filter(is_comment).map(str::trim).collect();
        let code = code_lines(&code).collect::<Vec<_>>().join("\n");
        let mut cited = BTreeSet::new();
        cited_in_comments(&comments.join(" ").replace(['/', '!'], " "), &mut cited);
        cited_in_code(&name, &code, &mut cited);
        all_literals.extend(code.lines().flat_map(literals).map(str::to_owned));
        for id in cited {
            cited_by.entry(id).or_insert_with(|| name.clone());
        }
    }
    let missing: Vec<_> = cited_by
        .iter()
        .filter(|(id, _)| !listed.contains(*id))
        .collect();
    assert!(missing.is_empty(), "docs/rules.md lacks {missing:?}");
    let unused: Vec<_> = listed
        .iter()
        .filter(|id| !cited_by.contains_key(*id) && !all_literals.contains(*id))
        .collect();
    assert!(unused.is_empty(), "nothing cites {unused:?}");
}

#[test]
fn every_table_is_in_the_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let picture = std::fs::read_to_string(root.join("docs/tables.md")).unwrap();
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(root.join("migrations")).unwrap() {
        let sql = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        tables.extend(
            sql.lines()
                .filter_map(|line| line.strip_prefix("CREATE TABLE "))
                .map(|rest| rest.split([' ', '(']).next().unwrap().to_owned()),
        );
    }
    assert!(tables.len() > 20, "no tables found in migrations/");
    for table in &tables {
        assert!(
            picture.contains(&format!("\n    {table} {{")),
            "{table} is missing in the diagram of docs/tables.md"
        );
        assert!(
            picture.contains(&format!("\n| `{table}` |")),
            "{table} is missing in the list of docs/tables.md"
        );
    }
    let drawn = picture.lines().filter(|line| {
        line.strip_suffix(" {")
            .is_some_and(|name| !name.trim().contains(' '))
    });
    for line in drawn {
        let name = line.trim().trim_end_matches(" {");
        assert!(
            tables.iter().any(|t| t == name),
            "docs/tables.md draws {name}, which no migration creates"
        );
    }
}
