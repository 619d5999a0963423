//! The commands as people type them: what is printed, what is refused, and the exit codes.

use crate::common::{AT_ONCE, Binary, On, TestDb, families};
use chrono::Datelike as _;
use courtesy::clock::Clock;
use std::path::Path;

fn sample() -> String {
    format!(
        "{}/tests/data/sample_centre.csv",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn everything_wrong_is_said_at_once_and_wrong_usage_is_2() {
    let b = Binary::new(
        "[databse]\nurl = \"sqlite://x.db\"\n[sms]\nfrom = \"Birch\"\nrate_per_secnd = 1\n",
    );
    let (code, out, err) = b.run(&["check"]);
    assert_eq!((code, out.as_str()), (1, ""));
    for part in [
        "Did you mean database?",
        "sms.account_sid: it is missing",
        "sms.auth_token: it is missing",
        "Did you mean sms.rate_per_second?",
        "A name cannot receive answers",
        "5 wrong",
    ] {
        assert!(err.contains(part), "{part} not in {err}");
    }
    assert_eq!(b.run(&["serve"]).0, 1);
    for wrong in [
        &["nonsense"][..],
        &["list", "everything"],
        &["record", "answer"],
        &["import"],
        &["demo", "--clock", "later"],
    ] {
        assert_eq!(b.run(wrong).0, 2, "{wrong:?}");
    }
    assert_eq!(b.run(&["--help"]).0, 0);
    assert!(!Path::new(&b.dir.path().join("x.db")).exists());
}

#[test]
fn a_database_that_cannot_be_reached_is_said_plainly() {
    for (url, part) in [
        (
            "postgres://nobody@127.0.0.1:9/none",
            "cannot reach the PostgreSQL server",
        ),
        (
            "sqlite:///nowhere/at/all/x.db",
            "the folder /nowhere/at/all does not exist",
        ),
        ("mysql://x", "is not the address of a database"),
    ] {
        let b = Binary::new(&format!("[database]\nurl = \"{url}\"\n"));
        let (code, _, err) = b.run(&["list", "sessions"]);
        assert_eq!(code, 1);
        assert!(
            err.contains(part) && !err.contains("stack backtrace"),
            "{err}"
        );
    }
}

#[test]
fn a_template_with_a_missing_value_stops_the_start() {
    let b = Binary::new("");
    std::fs::create_dir_all(b.dir.path().join("message-templates/en")).unwrap();
    std::fs::write(
        b.dir.path().join("message-templates/en/session_off.txt"),
        "{{ centre }}: off because of {{ reason }}",
    )
    .unwrap();
    for command in ["check", "serve"] {
        let (code, _, err) = b.run(&[command]);
        assert_eq!(code, 1);
        assert!(
            err.contains("session_off.txt") && err.contains("reason"),
            "{err}"
        );
    }
}

/// Weeks from the sample's Saturday to one early in a February that is still ahead: no clock change
/// and no bank holiday lies near it.
fn weeks_to_next_february() -> i64 {
    let sample = chrono::NaiveDate::from_ymd_opt(2026, 11, 28).unwrap();
    let today = courtesy::clock::Clock::System.now().date_naive();
    (0..)
        .find(|weeks| {
            let day = sample + chrono::Duration::weeks(*weeks);
            day.month() == 2 && day.day() <= 7 && day > today + chrono::Duration::days(14)
        })
        .unwrap()
}

/// The text with every date (`2026-11-28`) so many weeks later.
fn later(text: &str, weeks: i64) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let date = rest
            .get(..10)
            .filter(|d| d.starts_with(|c: char| c.is_ascii_digit()))
            .and_then(|d| chrono::NaiveDate::parse_from_str(d, "%Y-%m-%d").ok());
        let taken = match date {
            Some(date) => {
                out.push_str(&(date + chrono::Duration::weeks(weeks)).to_string());
                10
            }
            None => {
                let c = rest.chars().next().unwrap();
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// `2027-02-04` as the plan writes it: `4 Feb`.
fn day(date: &str) -> String {
    let date: chrono::NaiveDate = date.parse().unwrap();
    date.format("%-d %b").to_string()
}

async fn a_centre_its_file_and_its_plan(on: On) {
    let db = TestDb::new(on).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    std::fs::write(
        b.dir.path().join("c.toml"),
        include_str!("../src/simulator/birchfield.toml"),
    )
    .unwrap();
    assert_eq!(
        b.ok(&["centre", "apply", "c.toml"]).trim(),
        "BRK: created, sending"
    );
    assert_eq!(
        b.ok(&["centre", "apply", "c.toml"]).trim(),
        "BRK: nothing changed"
    );
    std::fs::write(
        b.dir.path().join("c.toml"),
        include_str!("../src/simulator/birchfield.toml")
            .replace("fee_pence = 4500", "fee_pence = 5000"),
    )
    .unwrap();
    assert!(
        b.ok(&["centre", "apply", "c.toml"])
            .contains("rules.fee_pence: 4500 -> 5000")
    );
    std::fs::write(
        b.dir.path().join("bad.toml"),
        "code = \"BRK\"\nname = \"x\"\ntimezone = \"Nowhere\"\nfoo = 1\n",
    )
    .unwrap();
    let (code, _, err) = b.run(&["centre", "apply", "bad.toml"]);
    assert!(
        code == 1 && err.contains("timezone") && err.contains("foo"),
        "{err}"
    );

    // The real clock runs here, so the sample lies ahead of it.
    let weeks = weeks_to_next_february();
    let ahead = |text: &str| later(text, weeks);
    let csv = std::fs::read_to_string(sample()).unwrap();
    let file = b.dir.path().join("sample.csv");
    std::fs::write(&file, ahead(&csv)).unwrap();
    let sample = file.display().to_string();
    let words = b.ok(&["import", &sample, "--dry-run"]);
    assert!(
        words.starts_with("dry run, nothing was written: 23 sessions: 23 new"),
        "{words}"
    );
    assert!(b.json(&["list", "sessions"]).is_empty());
    b.ok(&["import", &sample]);
    assert!(b.ok(&["import", &sample]).starts_with(
        "23 sessions: 0 new, 23 unchanged, 0 moved, 0 differ, 0 called off, 0 missing; 0 new cases"
    ));
    let centres = b.json(&["centre", "list"]);
    assert_eq!(
        (centres.len(), &centres[1]["centre"], &centres[1]["held"]),
        (2, &"LIF".into(), &true.into()),
        "a centre that the file names is made, on hold"
    );
    let dirty = format!(
        "{}/tests/data/sample_centre_dirty.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let (code, out, err) = b.run(&["import", &dirty]);
    assert_eq!(
        (code, out.trim(), err.lines().count()),
        (1, "38 errors, 2 warnings: nothing was written", 40)
    );
    assert!(err.starts_with("3:case_ref: case_ref is empty"), "{err}");

    let plan = b.json(&["plan", "--at", &ahead("2026-11-25T09:00"), "--days", "7"]);
    let of = |case: &str, role: &str| {
        plan.iter()
            .find(|p| p["case_ref"] == case && p["role"] == role)
            .unwrap()
            .clone()
    };
    let p = of("BRK-0101", "resident");
    assert_eq!(
        (
            p["at"].as_str(),
            p["send"].as_bool(),
            p["rule"].as_str(),
            p["not_after"].as_str()
        ),
        (
            Some(ahead("2026-11-26T10:00:00Z").as_str()),
            Some(true),
            Some("K01"),
            Some(ahead("2026-11-28T07:45:00Z").as_str())
        )
    );
    assert_eq!(of("BRK-0103", "contact")["reason"], "opted_out");
    assert_eq!(of("BRK-0107", "contact")["reason"], "no_usable_channel");
    assert_eq!(of("BRK-0112", "resident")["reason"], "cancelled");
    assert!(
        b.ok(&["plan", "--at", &ahead("2026-11-25T09:00"), "--days", "7"])
            .contains(&format!(
                "Thu {} 10:00  to BRK resident of BRK-0101: will you come Sat {} 09:45?",
                day(&ahead("2026-11-26")),
                day(&ahead("2026-11-28"))
            ))
    );

    let sessions = b.json(&["list", "sessions", "--centre", "BRK"]);
    let keys: Vec<&String> = sessions[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "session",
            "case_ref",
            "centre",
            "starts_at",
            "ends_at",
            "starts_local",
            "contact_type",
            "state",
            "version",
            "answers"
        ]
    );
    assert_eq!(
        (
            sessions[0]["starts_at"].as_str(),
            sessions[0]["starts_local"].as_str()
        ),
        (
            Some(ahead("2026-11-28T10:00:00Z").as_str()),
            Some(ahead("2026-11-28T10:00").as_str())
        )
    );
    let parties = b.ok(&["list", "parties", "--json"]);
    assert!(
        parties.contains("\"party\":\"BRK-0101:resident\"")
            && !parties.contains("7700")
            && !parties.contains("Siobh"),
        "{parties}"
    );

    let id = sessions[0]["session"].as_str().unwrap();
    b.ok(&[
        "record", "answer", id, "--party", "resident", "yes", "--as", "Mary",
    ]);
    b.ok(&[
        "record",
        "move",
        id,
        "--to",
        &ahead("2026-11-28 11:00"),
        "--as",
        "Mary",
    ]);
    let s = &b
        .json(&["list", "sessions"])
        .into_iter()
        .find(|s| s["session"] == id)
        .unwrap();
    assert_eq!(
        (
            s["version"].as_i64(),
            s["starts_local"].as_str(),
            s["answers"]["resident"].as_str()
        ),
        (
            Some(2),
            Some(ahead("2026-11-28T11:00").as_str()),
            Some("none")
        )
    );
    let taken = ahead("2026-11-28 11:00");
    for (args, part) in [
        (
            vec!["record", "move", id, "--to", "2027-03-28 01:30"],
            "does not exist in Europe/London",
        ),
        (
            vec!["record", "move", id, "--to", &taken],
            "at that time already",
        ),
        (
            vec!["record", "answer", "nothere", "--party", "resident", "yes"],
            "there is no session nothere",
        ),
        (
            vec![
                "record",
                "answer",
                id,
                "--party",
                "resident",
                "yes",
                "--at",
                "2030-01-01T10:00",
            ],
            "lies in the future",
        ),
        (vec!["case", "BRK-9999"], "there is no case BRK-9999"),
    ] {
        let (code, _, err) = b.run(&args);
        assert!(code == 1 && err.contains(part), "{args:?}: {err}");
    }
    b.ok(&["record", "cancel", id, "--by", "centre", "--as", "Mary"]);
    assert_eq!(
        b.run(&["record", "cancel", id, "--by", "centre"]).0,
        1,
        "twice is once"
    );
    let case = b.ok(&["case", "BRK-0101"]);
    for part in [
        "the session was booked",
        "confirmed [session",
        &ahead("the session was moved: 2026-11-28T10:00 -> 2026-11-28T11:00"),
        "the centre called the session off",
        "(C22), by Mary",
    ] {
        assert!(case.contains(part), "{part} not in {case}");
    }
    assert!(!case.contains("Siobh") && !case.contains("7700"));
    let messages = b.json(&["list", "messages"]);
    // Until both hear that it is off, the news of the move is as good as before; with the release
    // it ends.
    let waits = |kind: &str| {
        messages
            .iter()
            .filter(|m| m["kind"] == kind && m["state"] == "waiting")
            .count()
    };
    assert_eq!(
        (waits("session_moved"), waits("session_off")),
        (2, 2),
        "{messages:?}"
    );
}

crate::on_both!(money_as_people_type_it, a_centre_its_file_and_its_plan);

#[test]
fn practice_and_service_never_share_a_database() {
    let b = Binary::new(AT_ONCE.split("code").next().unwrap_or(""));
    let folder = b.dir.path().join("p");
    std::fs::create_dir(&folder).unwrap();
    // A service once ran on the file that a practice would use.
    let served = Binary::new(&format!(
        "[database]\nurl = \"sqlite://{}/practice.db\"\n[web]\nlisten = \
         \"127.0.0.1:0\"\ndesk_listen = \"127.0.0.1:0\"\n",
        folder.display()
    ));
    let mut serving = served.serve();
    serving.kill();
    let (code, _, err) = b.run(&["demo", "--once", "--dir", folder.to_str().unwrap()]);
    assert!(
        code == 1 && err.contains("has served real families"),
        "{err}"
    );
}

async fn money_as_people_type_it(on: On) {
    let db = TestDb::new(on).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    let centre = b.dir.path().join("centre.toml");
    std::fs::write(
        &centre,
        AT_ONCE.replace("start = \"sending\"", "start = \"hold\""),
    )
    .unwrap();
    b.ok(&["centre", "apply", centre.to_str().unwrap()]);
    let file = b.dir.path().join("families.csv");
    std::fs::write(&file, families(2, Clock::System.now())).unwrap();
    b.ok(&["import", file.to_str().unwrap()]);
    let session = b.json(&["list", "sessions"])[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let case = b.json(&["list", "sessions"])[0]["case_ref"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(b.json(&["list", "fees"]).is_empty());
    b.ok(&[
        "record", "answer", &session, "--party", "contact", "no", "--reason", "travel", "--as",
        "Mary",
    ]);
    let fees = b.json(&["list", "fees"]);
    let keys: Vec<&str> = fees[0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "fee",
            "case_ref",
            "session",
            "liable",
            "amount_pence",
            "state",
            "due_at"
        ]
    );
    assert_eq!(
        (
            &fees[0]["liable"],
            &fees[0]["amount_pence"],
            &fees[0]["state"],
            &fees[0]["due_at"]
        ),
        (
            &"contact".into(),
            &4500.into(),
            &"due".into(),
            &serde_json::Value::Null
        )
    );
    let fee = fees[0]["fee"].as_str().unwrap();
    // A centre elsewhere comes first in the database: a time is that of the centre whose fee or
    // task it is.
    let elsewhere = b.dir.path().join("elsewhere.toml");
    std::fs::write(
        &elsewhere,
        AT_ONCE
            .replace("\"BRK\"", "\"AAA\"")
            .replace("Europe/London", "Asia/Tokyo"),
    )
    .unwrap();
    b.ok(&["centre", "apply", elsewhere.to_str().unwrap()]);
    let soon = (Clock::System.now() + chrono::Duration::hours(2))
        .format("%Y-%m-%dT%H:%M")
        .to_string();
    let waiting = b.json(&["list", "tasks"])[0]["task"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = |args: &[&str], code: i32, part: &str| {
        let (c, out, err) = b.run(args);
        assert!(
            c == code && out.is_empty() && err.contains(part),
            "{args:?}: {c}\n{out}\n{err}"
        );
    };
    refused(
        &[
            "record", "payment", &case, "--pence", "ten", "--by", "contact",
        ],
        2,
        "invalid value",
    );
    refused(
        &[
            "record", "payment", "NO-1", "--pence", "10", "--by", "contact",
        ],
        1,
        "there is no case NO-1",
    );
    refused(
        &[
            "record", "payment", &case, "--pence", "-4500", "--by", "contact",
        ],
        2,
        "",
    );
    refused(
        &["record", "waive", fee, "--why", "x", "--at", &soon],
        1,
        "lies in the future",
    );
    refused(
        &["record", "decision", &waiting, "--at", &soon],
        1,
        "lies in the future",
    );
    refused(
        &["record", "waive", "nothing", "--why", "x"],
        1,
        "there is no fee nothing",
    );
    refused(
        &[
            "record",
            "payment",
            &case,
            "--pence",
            "4500",
            "--by",
            "contact",
            "--at",
            "2099-01-01T10:00",
        ],
        1,
        "lies in the future",
    );
    refused(
        &[
            "record",
            "note",
            &case,
            "--session",
            &session,
            "--about",
            "contact",
            "--covers",
            "Saturday",
        ],
        2,
        "is no date",
    );
    refused(
        &["record", "no-show", &session, "--party", "contact"],
        1,
        "did not take place",
    );
    refused(&["release", "nothing"], 1, "there is no task");
    refused(
        &["record", "reinstate", "nothing"],
        1,
        "there is no session",
    );
    assert_eq!(
        b.ok(&["user", "add", "Helen", "--role", "manager"]),
        "Helen: manager\n"
    );
    refused(
        &[
            "record",
            "waive",
            fee,
            "--why",
            "first time",
            "--as",
            "Mary",
        ],
        1,
        "is no person of this centre",
    );
    refused(
        &["user", "add", "import", "--role", "manager"],
        1,
        "cannot be a person's name",
    );
    assert!(
        b.ok(&[
            "record", "payment", &case, "--pence", "2000", "--by", "other", "--as", "Helen"
        ])
        .contains("GBP 25.00 is due from the contact parent")
    );
    assert!(
        b.ok(&[
            "record",
            "waive",
            fee,
            "--why",
            "first time",
            "--as",
            "Helen"
        ])
        .contains("the fee no longer applies")
    );
    assert_eq!(b.json(&["list", "fees"])[0]["state"], "waived");
    let topics: Vec<_> = b
        .json(&["list", "tasks"])
        .iter()
        .map(|t| t["topic"].as_str().unwrap().to_owned())
        .collect();
    assert!(topics.contains(&"refund".to_owned()), "{topics:?}");
    let steps = b.json(&["case", &case]);
    let late = steps.iter().find(|s| s["rule"] == "C01").unwrap();
    assert_eq!(late["document"], "Handbook for parents, Learning Steps");
    assert_eq!(
        late["sentence"],
        "If contact is cancelled under 48 hours\u{2019} notice then the charge will be incurred."
    );
    for step in steps.iter().filter(|s| s["rule"] != "") {
        assert!(step["sentence"].is_string(), "{step}");
    }
    let (today, ahead) = (
        Clock::System.now() - chrono::Duration::days(2),
        Clock::System.now() + chrono::Duration::days(3),
    );
    let span = [
        today.format("%Y-%m-%d").to_string(),
        ahead.format("%Y-%m-%d").to_string(),
    ];
    let out = b.ok(&[
        "export", "fees", "--centre", "BRK", "--from", &span[0], "--to", &span[1],
    ]);
    assert!(
        out.lines().count() == 2 && out.contains(",GBP,4500,2000,0,waived,"),
        "{out}"
    );
    assert_eq!(
        b.ok(&[
            "export",
            "attendance",
            "--centre",
            "BRK",
            "--from",
            &span[0],
            "--to",
            &span[1]
        ]),
        "case_ref,date,start,end,resident,contact\n"
    );
    // A text that waits is held and let go by its own name.
    let other = b
        .json(&["list", "sessions"])
        .into_iter()
        .find(|s| s["state"] == "booked")
        .unwrap()["session"]
        .as_str()
        .unwrap()
        .to_owned();
    b.ok(&[
        "record", "answer", &other, "--party", "resident", "no", "--as", "Helen",
    ]);
    let text = b
        .json(&["list", "messages"])
        .into_iter()
        .find(|m| m["kind"] == "fee_notice" && m["state"] == "waiting")
        .unwrap()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    b.ok(&["hold", "on", "--message", &text, "--as", "Helen"]);
    refused(
        &["hold", "on", "--message", &text, "--as", "Helen"],
        1,
        "does not wait",
    );
    b.ok(&["hold", "off", "--message", &text, "--as", "Helen"]);
    assert_eq!(b.ok(&["user", "list"]), "Helen  manager\n");
    b.ok(&["user", "remove", "Helen"]);
    refused(&["user", "remove", "Helen"], 1, "nobody is named");
}

#[test]
fn a_weekend_in_the_terminal() {
    let b = Binary::new("");
    let out = b.ok(&["demo", "--once"]);
    for part in [
        "Yes thanks",
        "will not go ahead",
        "Staff will read this",
        "your visit has moved from Sun 29 Nov",
        "Sun 29 Nov BRK-0109   11:00  booked  asked                    confirmed",
        "Sat 28 Nov BRK-0105   13:00  off     no answer                cancelled",
    ] {
        assert!(out.contains(part), "{part} not in\n{out}");
    }
}
