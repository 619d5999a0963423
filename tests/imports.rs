//! A centre's file comes in again, and files as spreadsheets really write them.

use crate::common::{Binary, On, SAMPLE, TestDb, World, at};
use courtesy::domain::people::channel::Consent;
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::flows::import::options::DateFormat;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::options::Imported;
use courtesy::flows::import::{self, COLUMNS, look};
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::answer;
use courtesy::store::imports::{KnownAddress, KnownCase};
use courtesy::store::{Db, cases, facts, messages, sessions, tasks};
use std::collections::HashMap;

const RESIDENT_101: &str = "+447700900101";
const RESIDENT_105: &str = "+447700900109";
const CONTACT_105: &str = "+447700900110";

/// A good line, and what of it is different.
fn line(changes: &[(&str, &str)]) -> String {
    let mut fields = HashMap::from([
        ("centre_code", "BRK"),
        ("centre_name", "Birchfield Road Child Contact Centre"),
        ("timezone", "Europe/London"),
        ("case_ref", "K-1"),
        ("court_ordered", "no"),
        ("children", "1"),
        ("session_date", "2026-12-05"),
        ("start_time", "10:00"),
        ("end_time", "12:00"),
        ("contact_type", "supported"),
        ("fee_pence", "4500"),
        ("currency", "GBP"),
        ("usually_pays", "contact"),
        ("resident_name", "Ann Ash"),
        ("resident_phone", "07700 900601"),
        ("resident_channel", "sms"),
        ("resident_language", "en"),
        ("resident_consent", "yes"),
        ("contact_name", "Bob Birch"),
        ("contact_phone", "07700 900602"),
        ("contact_channel", "sms"),
        ("contact_language", "en"),
        ("contact_consent", "yes"),
        ("status", "booked"),
        ("booked_at", "2026-11-07T09:30:00Z"),
    ]);
    fields.extend(changes.iter().copied());
    COLUMNS
        .iter()
        .chain(&["session_ref"])
        .map(|c| *fields.get(c).unwrap_or(&""))
        .collect::<Vec<_>>()
        .join(",")
}

fn file(lines: &[&[(&str, &str)]]) -> String {
    let header = COLUMNS
        .iter()
        .chain(&["session_ref"])
        .copied()
        .collect::<Vec<_>>()
        .join(",");
    [header]
        .into_iter()
        .chain(lines.iter().map(|l| line(l)))
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// A centre whose file comes in more than once, a minute between two.
struct Centre {
    store: Db,
    _db: TestDb,
    minutes: std::cell::Cell<i64>,
}

impl Centre {
    async fn new(on: On, csv: &str) -> Centre {
        let db = TestDb::new(on).await;
        let c = Centre {
            store: db.open().await,
            _db: db,
            minutes: 0.into(),
        };
        assert_eq!(c.import(csv).await.1, "");
        c
    }

    async fn import_as(&self, csv: &str, how: &ImportOptions<'_>) -> (Imported, String) {
        self.minutes.set(self.minutes.get() + 1);
        let now = at("2026-11-22T12:00") + chrono::Duration::minutes(self.minutes.get());
        let i = import::import(&self.store, csv.as_bytes(), how, now)
            .await
            .unwrap();
        let found = found(&i);
        (i, found)
    }

    async fn import(&self, csv: &str) -> (Imported, String) {
        self.import_as(csv, &ImportOptions::default()).await
    }

    async fn party(&self, role: Role) -> cases::ListedParty {
        cases::parties(&self.store, &Default::default(), None)
            .await
            .unwrap()
            .into_iter()
            .find(|p| p.role == role)
            .unwrap()
    }

    async fn case(&self) -> KnownCase {
        let mut tx = self.store.begin().await.unwrap();
        courtesy::store::imports::known_cases(&mut tx, "BRK", &["K-1"])
            .await
            .unwrap()
            .remove("K-1")
            .unwrap()
    }

    /// The addresses of a party: `sms current, ring pending`.
    async fn addresses(&self, role: Role) -> String {
        let mut all: Vec<String> = self.case().await.parties[&role]
            .addresses
            .iter()
            .map(|KnownAddress { channel, state, .. }| format!("{channel} {state}"))
            .collect();
        all.sort();
        all.join(", ")
    }

    /// Start and state of every session.
    async fn sessions(&self) -> Vec<String> {
        let all = sessions::list(&self.store, None).await.unwrap();
        all.iter()
            .map(|(s, _)| format!("{} {}", s.start_local.format("%d %H:%M"), s.state))
            .collect()
    }

    async fn facts(&self) -> Vec<String> {
        let case = cases::find(&self.store, "K-1").await.unwrap();
        facts::of_case(&self.store, &case.id)
            .await
            .unwrap()
            .into_iter()
            .filter(|f| f.kind != "booked")
            .map(|f| format!("{} {} {}", f.kind, f.by, f.detail.0))
            .collect()
    }
}

/// The findings as `line column kind`, an error with a mark.
fn found(i: &Imported) -> String {
    let one = |f: &import::Finding| {
        format!(
            "{} {} {}{}",
            f.line,
            f.column,
            f.kind,
            if f.severity == import::Severity::Error {
                "!"
            } else {
                ""
            }
        )
    };
    assert_eq!(
        i.counts.is_none(),
        i.findings
            .iter()
            .any(|f| f.severity == import::Severity::Error)
    );
    i.findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// New, unchanged, moved, differ, called off, missing.
fn counts(i: &Imported) -> [usize; 6] {
    let c = i.counts.as_ref().unwrap();
    [
        c.new_sessions,
        c.unchanged,
        c.moved,
        c.differs,
        c.cancelled,
        c.missing,
    ]
}

async fn what_happened_since_is_never_undone(on: On) {
    let w = World::sample(on, "2026-11-25T12:00").await;
    let import = |csv: String| {
        let (db, now) = (w.svc.db.clone(), w.svc.clock.now());
        async move {
            import::import(&db, csv.as_bytes(), &ImportOptions::default(), now)
                .await
                .unwrap()
        }
    };
    let recording = Recording {
        by: "Mary",
        at: w.svc.clock.now(),
    };
    answer::answer(
        &w.svc,
        &w.session("BRK-0105").await.0.id,
        Role::Contact,
        false,
        None,
        &recording,
    )
    .await
    .unwrap();
    w.moves("BRK-0109", "2026-11-29 11:00").await;
    w.says(RESIDENT_101, "STOP").await;
    let i = import(SAMPLE.to_owned()).await;
    assert_eq!(
        (counts(&i), found(&i)),
        ([0, 23, 0, 0, 0, 0], String::new()),
        "the same lines again are unchanged, whatever happened since"
    );

    let more = SAMPLE
        .lines()
        .find(|l| l.contains("BRK-0101") && l.contains("2026-12-12"))
        .unwrap()
        .replace("2026-12-12", "2026-12-19");
    let changed = SAMPLE
        .replace("13:15,handover,1500", "13:15,handover,1600")
        .replace(
            "BRK-0109,no,2,2026-11-29,10:00,12:00,supported,4500",
            "BRK-0109,no,2,2026-11-29,10:00,12:00,supported,4600",
        );
    let changed = format!("{changed}{more}\n");
    let i = import(changed.clone()).await;
    assert_eq!(counts(&i), [1, 21, 0, 2, 0, 0]);
    assert_eq!(
        found(&i),
        "6 status differs; 12 start_time differs; 25 resident_consent differs"
    );
    assert!(w.stands("BRK-0105").await.starts_with("cancelled"));
    assert_eq!(
        w.session("BRK-0109")
            .await
            .0
            .start_local
            .format("%H:%M")
            .to_string(),
        "11:00"
    );
    let i = import(changed).await;
    assert_eq!(
        (counts(&i), found(&i)),
        ([0, 24, 0, 0, 0, 0], String::new()),
        "what was said is not said again"
    );
    // The file catches up with the move: nothing differs any more.
    let caught_up = SAMPLE
        .replace(
            "BRK-0109,no,2,2026-11-29,10:00,12:00",
            "BRK-0109,no,2,2026-11-29,11:00,13:00",
        )
        .replace(
            "900117,,sms,en,yes,09:45,12:15",
            "900117,,sms,en,yes,10:45,13:15",
        );
    let caught_up = caught_up.replace(
        "Chloë Ng,07700 900118,,sms,en,yes,10:00,12:00",
        "Chloë Ng,07700 900118,,sms,en,yes,11:00,13:00",
    );
    let w2 = World::sample(on, "2026-11-25T12:00").await;
    w2.moves("BRK-0109", "2026-11-29 11:00").await;
    let i = import::import(
        &w2.svc.db,
        caught_up.as_bytes(),
        &ImportOptions::default(),
        w2.svc.clock.now(),
    )
    .await
    .unwrap();
    assert_eq!(
        (counts(&i), found(&i)),
        ([0, 23, 0, 0, 0, 0], String::new())
    );
    w2.end().await;
    w.end().await;
}

async fn a_wish_for_less_is_honoured_and_never_taken_back(on: On) {
    let c = Centre::new(on, &file(&[&[]])).await;
    let (i, f) = c
        .import(&file(&[
            &[("resident_consent", "stop")],
            &[("session_date", "2026-12-12"), ("resident_consent", "stop")],
        ]))
        .await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([1, 1, 0, 0, 0, 0], "2 resident_consent consent_lowered"),
        "said once, not on every line"
    );
    assert_eq!(
        (
            c.party(Role::Resident).await.consent,
            c.party(Role::Resident).await.usable
        ),
        (Consent::Stop, false)
    );
    assert_eq!(c.facts().await, ["opted_out import yes -> stop"]);
    let (i, f) = c
        .import(&file(&[
            &[],
            &[("session_date", "2026-12-12"), ("resident_consent", "stop")],
        ]))
        .await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([0, 1, 0, 1, 0, 0], "2 resident_consent differs")
    );
    assert_eq!(c.party(Role::Resident).await.consent, Consent::Stop);
    // Within one new file the lesser wish counts too.
    let c = Centre::new(on, &file(&[&[("contact_consent", "no")]])).await;
    let other = [
        ("case_ref", "K-2"),
        ("resident_phone", "07700 900611"),
        ("contact_phone", "07700 900612"),
    ];
    let later = [
        &other[..],
        &[("session_date", "2026-12-12"), ("contact_consent", "no")],
    ]
    .concat();
    let (_, f) = c
        .import(&file(&[&[("contact_consent", "no")], &other, &later]))
        .await;
    assert_eq!(f, "4 contact_consent consent_lowered");
    assert!(
        cases::parties(&c.store, &Default::default(), None)
            .await
            .unwrap()
            .iter()
            .all(|p| p.role == Role::Resident || p.consent == Consent::No)
    );
}

async fn a_changed_channel_or_language_is_reported_and_left(on: On) {
    let c = Centre::new(on, &file(&[&[]])).await;
    let changed = file(&[&[("resident_channel", "none"), ("contact_language", "pl")]]);
    let (i, f) = c.import(&changed).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        (
            [0, 0, 0, 1, 0, 0],
            "2 resident_channel differs; 2 contact_language differs"
        )
    );
    assert_eq!(
        (
            c.party(Role::Resident).await.channel.as_str(),
            c.party(Role::Resident).await.usable
        ),
        ("sms", true)
    );
    assert_eq!(c.import(&changed).await.1, "");
}

async fn the_file_calls_sessions_off_and_says_so_first(on: On) {
    let w = World::sample(on, "2026-11-26T11:00").await;
    let off = |csv: &str, case: &str| {
        let line = csv.lines().find(|l| l.contains(case)).unwrap();
        csv.replace(line, &line.replace(",booked,2026", ",cancelled,2026"))
    };
    let import = |csv: String, tell: bool| {
        let (db, now) = (w.svc.db.clone(), w.svc.clock.now());
        async move {
            import::import(
                &db,
                csv.as_bytes(),
                &ImportOptions {
                    tell,
                    ..ImportOptions::default()
                },
                now,
            )
            .await
            .unwrap()
        }
    };
    w.news();
    let first = off(SAMPLE, "BRK-0105").replace(
        "12:00,supported,4500,GBP,contact,Siobhán",
        "12:00,supported,4400,GBP,contact,Siobhán",
    );
    let i = import(first.clone(), false).await;
    assert_eq!(
        found(&i),
        "6 status cancelled_by_file; 2  differs; 9  differs",
        "first, whatever line it stands on"
    );
    assert_eq!(counts(&i), [0, 20, 0, 2, 1, 0]);
    assert_eq!(w.stands("BRK-0105").await, "cancelled none none");
    let ring = |t: &[TaskKind]| t.iter().filter(|t| **t == TaskKind::RingSessionOff).count();
    assert_eq!(ring(&w.tasks("BRK-0105").await), 2, "one for each parent");
    w.until("2026-11-26T13:00").await;
    assert!(w.news().is_empty(), "nobody is texted");
    let case = cases::find(&w.svc.db, "BRK-0105").await.unwrap();
    let told = facts::of_case(&w.svc.db, &case.id)
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(
        (told.kind.as_str(), told.rule.as_str(), told.by.as_str()),
        ("cancelled", "C22", "import")
    );
    // Put back on in the file: a file does not do that.
    assert!(found(&import(SAMPLE.to_owned(), false).await).contains("6 status differs"));
    assert_eq!(w.stands("BRK-0105").await, "cancelled none none");
    // With --tell both hear of it.
    let i = import(off(&first, "BRK-0103"), true).await;
    assert!(
        found(&i).starts_with("4 status cancelled_by_file"),
        "{}",
        found(&i)
    );
    w.until("2026-11-26T13:30").await;
    assert!(
        w.last("+447700900105").contains("will not go ahead"),
        "{}",
        w.last("+447700900105")
    );
    assert!(
        w.got(RESIDENT_105)
            .iter()
            .chain(&w.got(CONTACT_105))
            .all(|t| !t.contains("will not go ahead"))
    );
    // A session that is over is called off, and nobody hears of it.
    w.until("2026-11-30T12:00").await;
    w.news();
    let open = w.tasks("BRK-0107").await;
    let i = import(off(&off(&first, "BRK-0103"), "BRK-0107"), true).await;
    assert_eq!(counts(&i)[4], 1);
    w.until("2026-11-30T14:00").await;
    assert!(w.news().is_empty() && w.tasks("BRK-0107").await == open);
    assert!(w.stands("BRK-0107").await.starts_with("cancelled"));
    assert!(
        messages::list(&w.svc.db, None)
            .await
            .unwrap()
            .iter()
            .all(|m| m.case_ref.as_deref() != Some("BRK-0107") || m.kind.as_str() != "session_off")
    );
    w.end().await;
}

async fn a_session_moved_since_is_not_called_off(on: On) {
    let w = World::sample(on, "2026-11-25T12:00").await;
    let line = SAMPLE.lines().find(|l| l.contains("BRK-0104")).unwrap();
    let off = SAMPLE.replace(line, &line.replace(",booked,2026", ",cancelled,2026"));
    w.moves("BRK-0104", "2026-11-28 14:00").await;
    let i = import::import(
        &w.svc.db,
        off.as_bytes(),
        &ImportOptions {
            tell: true,
            ..ImportOptions::default()
        },
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    assert_eq!(
        (found(&i).as_str(), counts(&i)),
        ("5 status differs", [0, 22, 0, 1, 0, 0])
    );
    assert!(w.stands("BRK-0104").await.starts_with("booked"));
    w.end().await;
}

async fn what_people_changed_since_stays(on: On) {
    let c = Centre::new(on, &file(&[&[("status", "cancelled")]])).await;
    let new = [("contact_phone", "07700 900699"), ("status", "cancelled")];
    assert_eq!(
        c.import(&file(&[&new])).await.1,
        "2 contact_phone pending_number"
    );
    // Staff confirm the number, link a chat, correct a name, and put the session back on.
    let mut tx = c.store.begin().await.unwrap();
    for sql in [
        "UPDATE address SET state = 'past' WHERE state = 'current' AND party_id IN (SELECT id FROM \
         party WHERE role = 'contact')",
        "UPDATE address SET state = 'current', verified = TRUE, safe = 'safe' WHERE state = \
         'pending'",
        "UPDATE party SET channel = 'telegram' WHERE role = 'resident'",
        "UPDATE party SET name = 'Ann Ashe' WHERE role = 'resident'",
        "UPDATE session SET state = 'booked', version = version + 1, cancelled_by = NULL, \
         cancelled_at = NULL",
    ] {
        tx.exec(sql, vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (i, f) = c.import(&file(&[&new])).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([0, 1, 0, 0, 0, 0], ""),
        "the same line says nothing new"
    );
    let back = [
        ("resident_name", "Ann Ashe"),
        ("status", "cancelled"),
        ("fee_pence", "4600"),
    ];
    let (i, f) = c.import(&file(&[&back])).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        (
            [0, 0, 0, 1, 0, 0],
            "2 resident_channel differs; 2 contact_phone differs; 2 status differs"
        )
    );
    assert_eq!(c.sessions().await, ["05 10:00 booked"], "put back on since");
    assert_eq!(
        (
            c.addresses(Role::Contact).await.as_str(),
            c.party(Role::Resident).await.channel.as_str()
        ),
        ("sms current, sms past", "telegram")
    );
    // The number that the other parent once had is refused for ever.
    let had = [
        &back[..],
        &[
            ("resident_phone", "07700 900602"),
            ("contact_phone", "07700 900699"),
        ],
    ]
    .concat();
    assert_eq!(
        c.import(&file(&[&had])).await.1,
        "2 resident_phone shared_number_between_parties!"
    );
}

async fn a_session_that_the_file_lacks_is_left_and_counted(on: On) {
    let second = [("session_date", "2026-12-06")];
    let later = [("session_date", "2026-12-20")];
    let other = [
        ("case_ref", "K-2"),
        ("session_date", "2026-12-05"),
        ("resident_phone", "07700 900611"),
        ("contact_phone", "07700 900612"),
    ];
    let third = [
        ("case_ref", "K-3"),
        ("session_date", "2026-12-07"),
        ("resident_phone", "07700 900621"),
        ("contact_phone", "07700 900622"),
    ];
    let c = Centre::new(on, &file(&[&[], &second, &later, &other, &third])).await;
    let (i, f) = c.import(&file(&[&[], &third])).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([0, 2, 0, 0, 0, 2], "1 case_ref missing; 1 case_ref missing"),
        "the 20th is outside the days of the file"
    );
    assert!(
        i.findings
            .iter()
            .any(|f| f.what.starts_with("K-1: its session of 2026-12-06 10:00"))
            && i.findings.iter().any(|f| f.what.starts_with("K-2: "))
    );
    assert!(c.sessions().await.iter().all(|s| s.ends_with("booked")));
}

async fn a_move_is_never_guessed(on: On) {
    let at = |start: &'static str, end: &'static str| [("start_time", start), ("end_time", end)];
    let (ten, two, four) = (
        at("10:00", "12:00"),
        at("14:00", "15:00"),
        at("16:00", "17:00"),
    );
    let c = Centre::new(on, &file(&[&ten, &two])).await;
    assert_eq!(
        c.import(&file(&[&ten, &four])).await.1,
        "3 start_time looks_like_a_move!"
    );
    assert_eq!(
        c.import(&file(&[&four])).await.1,
        "2 start_time looks_like_a_move!",
        "one of two moved, or both went"
    );
    let off = [&four[..], &[("status", "cancelled")]].concat();
    assert_eq!(
        c.import(&file(&[&ten, &off])).await.1,
        "3 start_time looks_like_a_move!",
        "moved and called off: by whom, from when?"
    );
    let (i, f) = c.import(&file(&[&ten, &two, &four])).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([1, 2, 0, 0, 0, 0], ""),
        "nothing is gone, so it is a third"
    );
    assert_eq!(
        counts(&c.import(&file(&[&ten, &two])).await.0),
        [0, 2, 0, 0, 0, 1],
        "nothing is new, so it is missing"
    );
    let tomorrow = [&at("18:00", "19:00")[..], &[("session_date", "2026-12-06")]].concat();
    assert_eq!(
        c.import(&file(&[&ten, &two, &tomorrow])).await.1,
        "1 case_ref missing",
        "another day is another session"
    );
}

async fn a_reference_names_a_session_for_good(on: On) {
    let (ten, eleven) = (
        [("start_time", "10:00"), ("end_time", "12:00")],
        [("start_time", "11:00"), ("end_time", "13:00")],
    );
    let with = |times: &[(&'static str, &'static str)], name: &'static str| {
        [times, &[("session_ref", name)]].concat()
    };
    let c = Centre::new(on, &file(&[&ten])).await;
    // Given to a session that is on file, it names it from now on.
    assert_eq!(
        counts(&c.import(&file(&[&with(&ten, "S-1")])).await.0),
        [0, 1, 0, 0, 0, 0]
    );
    let (i, f) = c.import(&file(&[&with(&eleven, "S-1")])).await;
    assert_eq!((counts(&i), f.as_str()), ([0, 0, 1, 0, 0, 0], ""));
    assert_eq!(c.sessions().await, ["05 11:00 booked"]);
    // Another reference at the same time is the same session; at another time nobody guesses.
    assert_eq!(c.import(&file(&[&with(&eleven, "S-2")])).await.1, "");
    assert_eq!(
        c.import(&file(&[&with(&ten, "S-2")])).await.1,
        "2 start_time looks_like_a_move!"
    );
    let longer = [
        ("start_time", "12:00"),
        ("end_time", "15:00"),
        ("session_ref", "S-1"),
    ];
    assert_eq!(
        c.import(&file(&[&longer])).await.1,
        "2 start_time differs",
        "more than the time changed"
    );
    assert_eq!(c.sessions().await, ["05 11:00 booked"]);
    assert_eq!(
        found_in(&file(&[
            &with(&ten, "S-1"),
            &[("session_date", "2026-12-06"), ("session_ref", "S-1")]
        ])),
        "3 session_ref duplicate_session_ref!"
    );
    // Moved here, and the file has the old line and the new one: two lines for one session.
    let both = file(&[&with(&longer[..2], "S-1"), &eleven]);
    assert_eq!(c.import(&both).await.1, "3 start_time overlapping_session!");
}

async fn another_name_needs_a_word(on: On) {
    let c = Centre::new(on, &file(&[&[]])).await;
    let renamed = file(&[
        &[("contact_name", "Robert Birch")],
        &[
            ("contact_name", "Robert Birch"),
            ("session_date", "2026-12-12"),
        ],
    ]);
    assert_eq!(c.import(&renamed).await.1, "2 contact_name case_conflict!");
    let rename = ImportOptions {
        rename: true,
        ..ImportOptions::default()
    };
    let (i, f) = c.import_as(&renamed, &rename).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        ([1, 1, 0, 0, 0, 0], "2 contact_name renamed")
    );
    assert_eq!(
        c.case().await.parties[&Role::Contact].name.0,
        "Robert Birch"
    );
    assert_eq!(c.facts().await, ["renamed import "], "no name in it");
    let exchanged = file(&[&[
        ("resident_name", "Robert Birch"),
        ("contact_name", "Ann Ash"),
    ]]);
    assert_eq!(
        c.import_as(&exchanged, &rename).await.1,
        "2 resident_name case_conflict!; 2 contact_name case_conflict!"
    );
    // Another referrer is no other parent.
    let with = |name: &'static str| {
        file(&[&[
            ("contact_name", "Robert Birch"),
            ("referrer_role", "solicitor"),
            ("referrer_name", name),
        ]])
    };
    assert_eq!(c.import(&with("Hale")).await.1, "");
    assert_eq!(
        c.import(&with("Fenwick")).await.1,
        "2 referrer_name differs"
    );
}

async fn another_number_waits_and_the_other_partys_is_refused(on: On) {
    let c = Centre::new(on, &file(&[&[]])).await;
    let new = [
        ("contact_phone", "07700 900699"),
        ("contact_telegram_id", "5500100104"),
    ];
    let (i, f) = c.import(&file(&[&new])).await;
    assert_eq!(
        (counts(&i), f.as_str()),
        (
            [0, 1, 0, 0, 0, 0],
            "2 contact_phone pending_number; 2 contact_telegram_id pending_number"
        )
    );
    assert_eq!(
        c.addresses(Role::Contact).await,
        "sms current, sms pending, telegram pending"
    );
    let open = || async {
        tasks::list(&c.store, None)
            .await
            .unwrap()
            .into_iter()
            .filter(|t| t.topic == TaskKind::ConfirmNumber && t.role == Some(Role::Contact))
            .count()
    };
    assert_eq!(open().await, 2);
    let more = [&new[..], &[("session_date", "2026-12-12")]].concat();
    assert_eq!(c.import(&file(&[&new])).await.1, "", "not said anew");
    assert_eq!(
        c.import(&file(&[&new, &more])).await.1,
        "",
        "nor on a new line"
    );
    assert_eq!(
        (open().await, c.addresses(Role::Contact).await.as_str()),
        (2, "sms current, sms pending, telegram pending")
    );
    // Whatever the other party has, had, or waits to have is refused, and so is an exchange: one
    // error each.
    for phone in ["07700 900699", "07700 900602"] {
        let shared = [("resident_phone", phone), ("contact_phone", "07700 900698")];
        assert_eq!(
            c.import(&file(&[&shared])).await.1,
            "2 resident_phone shared_number_between_parties!"
        );
    }
    let swapped = [
        ("resident_phone", "07700 900602"),
        ("contact_phone", "07700 900601"),
    ];
    let later = [&swapped[..], &[("session_date", "2026-12-12")]].concat();
    assert_eq!(
        c.import(&file(&[&swapped, &later])).await.1,
        "2 contact_phone swapped_numbers!"
    );
    let all = [
        &swapped[..],
        &[("resident_name", "Bob Birch"), ("contact_name", "Ann Ash")],
    ]
    .concat();
    assert_eq!(
        c.import_as(
            &file(&[
                &all,
                &[&all[..], &[("session_date", "2026-12-12")]].concat()
            ]),
            &ImportOptions {
                rename: true,
                ..ImportOptions::default()
            }
        )
        .await
        .1,
        "2 contact_phone swapped_numbers!"
    );
    assert_eq!(c.addresses(Role::Resident).await, "sms current");
    let (_, f) = c
        .import(&file(&[&[
            ("contact_phone", ""),
            ("contact_channel", "none"),
            ("contact_consent", "no"),
        ]]))
        .await;
    assert_eq!(
        f,
        "2 contact_phone differs; 2 contact_consent consent_lowered; 2 contact_channel differs"
    );
}

async fn a_consent_names_its_channels(on: On) {
    let both = [
        ("resident_channel", "telegram"),
        ("resident_telegram_id", "5500100104"),
        ("resident_consent", "yes:telegram+sms"),
    ];
    let chat = [&both[..2], &[("resident_consent", "yes:telegram")]].concat();
    let c = Centre::new(on, &file(&[&both])).await;
    assert_eq!(
        (
            c.addresses(Role::Resident).await.as_str(),
            c.party(Role::Resident).await.usable
        ),
        ("sms current, telegram current", true)
    );
    let (_, f) = c.import(&file(&[&chat])).await;
    assert_eq!(
        (f.as_str(), c.party(Role::Resident).await.usable),
        ("2 resident_consent consent_lowered", false),
        "texts are no longer named"
    );
    let c = Centre::new(
        on,
        &file(&[&[&both[..2], &[("resident_consent", "yes")]].concat()]),
    )
    .await;
    assert_eq!(
        c.addresses(Role::Resident).await,
        "ring current, telegram current",
        "consent to a chat is none to texts"
    );
    assert_eq!(
        c.import(&file(&[&both])).await.1,
        "2 resident_consent differs"
    );
    assert_eq!(
        c.addresses(Role::Resident).await,
        "ring current, telegram current"
    );
}

crate::on_both!(
    what_happened_since_is_never_undone,
    a_wish_for_less_is_honoured_and_never_taken_back,
    a_changed_channel_or_language_is_reported_and_left,
    the_file_calls_sessions_off_and_says_so_first,
    a_session_moved_since_is_not_called_off,
    what_people_changed_since_stays,
    a_session_that_the_file_lacks_is_left_and_counted,
    a_move_is_never_guessed,
    a_reference_names_a_session_for_good,
    another_name_needs_a_word,
    another_number_waits_and_the_other_partys_is_refused,
    a_consent_names_its_channels,
);

fn found_in(csv: &str) -> String {
    look(csv.as_bytes(), DateFormat::Iso)
        .iter()
        .map(|f| {
            format!(
                "{} {} {}{}",
                f.line,
                f.column,
                f.kind,
                if f.severity == import::Severity::Error {
                    "!"
                } else {
                    ""
                }
            )
        })
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn a_finding_names_its_physical_line() {
    let bad: &[(&str, &str)] = &[("start_time", "9.05")];
    let lines = file(&[
        &[],
        bad,
        &[("session_date", "2026-12-06"), ("start_time", "9.05")],
    ]);
    for (how, text, wanted) in [
        ("LF", lines.clone(), [3, 4]),
        (
            "CRLF, as Excel writes it",
            lines.replace('\n', "\r\n"),
            [3, 4],
        ),
        ("blank lines", lines.replacen('\n', "\n\n\n", 1), [5, 6]),
        (
            "blank lines with CRLF",
            lines.replacen('\n', "\n\n", 1).replace('\n', "\r\n"),
            [4, 5],
        ),
    ] {
        let found: Vec<u64> = look(text.as_bytes(), DateFormat::Iso)
            .iter()
            .map(|f| f.line)
            .collect();
        assert_eq!(found, wanted, "{how}");
    }
}

#[test]
fn fields_and_what_is_found_in_them() {
    for (field, value, wanted) in [
        ("resident_consent", "yes", ""),
        ("resident_consent", "yes:sms", ""),
        ("resident_consent", "yes: sms + telegram", ""),
        (
            "resident_consent",
            "yes:telegram",
            "2 resident_consent channel_without_consent!",
        ),
        (
            "resident_consent",
            "yes:pigeon",
            "2 resident_consent unknown_consent!",
        ),
        (
            "resident_consent",
            "yes:",
            "2 resident_consent unknown_consent!",
        ),
        (
            "resident_consent",
            "yes:sms+",
            "2 resident_consent unknown_consent!",
        ),
        (
            "resident_consent",
            "yes:none",
            "2 resident_consent unknown_consent!",
        ),
        (
            "resident_consent",
            "stop:sms",
            "2 resident_consent unknown_consent!",
        ),
        (
            "resident_consent",
            "maybe",
            "2 resident_consent unknown_consent!",
        ),
        ("session_ref", "=1+1", "2 session_ref formula_injection!"),
        ("session_ref", "S\u{0}1", "2 session_ref control_character!"),
        ("start_time", "9:05", ""),
        ("start_time", "09:05", ""),
        ("start_time", "09:05:00", ""),
        ("start_time", "9.05", "2 start_time invalid_time!"),
        (
            "session_date",
            "28.11.2026",
            "2 session_date ambiguous_date_format!",
        ),
        (
            "session_date",
            "28/11/26",
            "2 session_date ambiguous_date_format!",
        ),
        (
            "session_date",
            "+262142-12-31",
            "2 session_date invalid_date!",
        ),
        ("session_date", "0026-12-05", "2 session_date invalid_date!"),
    ] {
        assert_eq!(
            found_in(&file(&[&[(field, value)]])),
            wanted,
            "{field} {value:?}"
        );
    }
    let chat = [
        ("resident_channel", "telegram"),
        ("resident_telegram_id", "55"),
        ("resident_consent", "yes:telegram+sms"),
    ];
    for (phone, wanted) in [
        ("020 7946 0101", "2 resident_phone sms_to_landline!"),
        ("", "2 resident_phone missing_required!"),
        ("07700 900601", ""),
    ] {
        assert_eq!(
            found_in(&file(
                &[&[&chat[..], &[("resident_phone", phone)]].concat()]
            )),
            wanted,
            "{phone}"
        );
    }
}

#[test]
fn leading_zeros_that_a_spreadsheet_dropped_are_one_finding_a_column() {
    for number in ["7700900101", "447700900101", "7.7009E+09", "\"7,7009E+09\""] {
        let lines: Vec<[(&str, &str); 2]> = ["2026-12-05", "2026-12-06", "2026-12-07"]
            .map(|d| [("session_date", d), ("contact_phone", number)])
            .to_vec();
        let csv = file(&lines.iter().map(|l| &l[..]).collect::<Vec<_>>());
        assert_eq!(
            found_in(&csv),
            "1 contact_phone leading_zeros_dropped!",
            "{number}"
        );
        let what = &look(csv.as_bytes(), DateFormat::Iso)[0].what;
        assert!(
            what.starts_with("on 3 lines (the first is line 2)")
                && what.contains("format the column as text")
                && !what.contains("7009001"),
            "{what}"
        );
    }
    let csv = file(&[&[
        ("resident_phone", "7700900101"),
        ("contact_phone", "07700 900"),
        ("referrer_name", "Hale"),
        ("referrer_role", "solicitor"),
        ("referrer_phone", "2079460101"),
    ]]);
    assert_eq!(
        found_in(&csv),
        "1 referrer_phone leading_zeros_dropped!; 1 resident_phone leading_zeros_dropped!; 2 \
         contact_phone phone_too_short!"
    );
}

#[test]
fn files_as_spreadsheets_write_them() {
    let uk = SAMPLE;
    let dmy = |sep: char| {
        let mut out = uk.to_owned();
        for (iso, day) in [("2026-11-28,", "28"), ("2026-11-29,", "29")] {
            out = out.replace(iso, &format!("{day}{sep}11{sep}2026,"));
        }
        out.replace("2026-12-12,", &format!("12{sep}12{sep}2026,"))
    };
    let semicolons = |csv: &str| {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(csv.as_bytes());
        let mut writer = csv::WriterBuilder::new()
            .delimiter(b';')
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        reader
            .records()
            .for_each(|r| writer.write_record(&r.unwrap()).unwrap());
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    };
    let bom = |csv: &str| format!("\u{feff}{csv}");
    let short = |csv: &str| csv.replace(",09:", ",9:");
    let seconds = |csv: &str| csv.replace(":00,", ":00:00,").replace(":30,", ":30:00,");
    for (name, csv) in [
        ("CRLF", uk.replace('\n', "\r\n")),
        ("BOM", bom(uk)),
        ("semicolons", semicolons(uk)),
        ("H:MM", short(uk)),
        ("HH:MM:SS", seconds(uk)),
        ("Irish Excel", bom(&semicolons(&seconds(&dmy('/'))))),
        ("German Excel", bom(&semicolons(&short(&dmy('.'))))),
        ("dashes", dmy('-')),
        (
            "columns without a name",
            semicolons(uk).replace("\r\n", ";;\r\n"),
        ),
    ] {
        let found = look(csv.as_bytes(), DateFormat::Dmy);
        let wanted = if name.starts_with("columns") { 1 } else { 0 };
        assert!(
            found.len() == wanted && found.iter().all(|f| f.kind == "unknown_column"),
            "{name}: {found:?}"
        );
    }
    assert_eq!(
        look(dmy('.').as_bytes(), DateFormat::Iso)
            .iter()
            .filter(|f| f.kind == "ambiguous_date_format")
            .count(),
        23
    );
}

#[test]
fn every_finding_is_printed_also_on_success() {
    let b = Binary::new("[database]\nurl = \"sqlite://x.db\"\n");
    let write = |csv: String| std::fs::write(b.dir.path().join("f.csv"), csv).unwrap();
    write(file(&[&[("resident_language", "xx")]]));
    let lines = b.json(&["import", "f.csv"]);
    assert_eq!(
        (
            lines.len(),
            lines[0]["line"].as_i64(),
            lines[0]["kind"].as_str(),
            lines[0]["severity"].as_str()
        ),
        (1, Some(2), Some("unknown_language"), Some("warning"))
    );
    assert_eq!(
        lines[0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["line", "column", "kind", "severity", "what"]
    );
    write(file(&[
        &[("status", "cancelled")],
        &[("session_date", "2027-12-06")],
    ]));
    let (code, out, err) = b.run(&["import", "f.csv", "--json"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}{err}");
    assert!(
        out.lines().next().unwrap().contains("cancelled_by_file") || out.contains("differs"),
        "{out}"
    );
    let (code, out, err) = b.run(&["import", "f.csv", "--tell", "--rename"]);
    assert_eq!(
        (code, out.lines().count(), err.as_str()),
        (0, 1, ""),
        "one line of counts"
    );
    assert!(out.starts_with("2 sessions: 0 new, 2 unchanged"), "{out}");
    write(file(&[&[("status", "cancelled"), ("case_ref", "")]]));
    let (code, out, _) = b.run(&["import", "f.csv", "--json"]);
    assert_eq!((code, out.lines().count()), (1, 1));
    assert_eq!(b.run(&["import", "nowhere.csv"]).0, 1);
    assert_eq!(b.run(&["import", "f.csv", "--dates", "us"]).0, 2);
}
