//! Who may do what: each act of staff asks the one table, once somebody was named.

use crate::common::{AT_ONCE, Binary, On, TestDb, World, families};
use courtesy::domain::people::channel::Mode;
use courtesy::domain::people::staff::StaffRole;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::people::{link, reply};
use courtesy::flows::visits::closure::{self, ClosureRequest};
use courtesy::store::{parties, staff, tasks};

async fn a_volunteer_changes_no_family_and_writes_to_nobody(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says("+447700900102", "Which door do we use?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.topic == TaskKind::ReadMessage)
        .unwrap()
        .id;
    let party = parties::find(&w.svc.db, "BRK-0105:contact").await.unwrap();
    let day = "2026-11-28".parse().unwrap();
    let closing = ClosureRequest {
        centre: "BRK".into(),
        from: day,
        to: day,
        hours: None,
        why: "burst pipe".into(),
    };
    let families = closure::preview(&w.svc, &closing).await.unwrap().families;
    let discreet = PhoneChange {
        mode: Some(Mode::Discreet),
        ..PhoneChange::default()
    };
    let each = async |who: &str| {
        let said = [
            phone::change(&w.svc, &party, &discreet, who, w.svc.clock.now())
                .await
                .err(),
            link::make_code(&w.svc, &party, who).await.err(),
            reply::reply(&w.svc, &task, "The side door, as usual.", who)
                .await
                .err(),
            closure::send(&w.svc, &closing, families, who).await.err(),
        ];
        said.map(|e| e.map_or_else(|| "done".to_owned(), |e| e.to_string()))
    };
    let mut tx = w.svc.db.begin().await.unwrap();
    for (name, role) in [
        ("Vera", StaffRole::Volunteer),
        ("Mary", StaffRole::Coordinator),
    ] {
        staff::put(&mut tx, w.svc.clock.now(), name, role)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let e = link::confirm(&w.svc, &party, "1234", "Vera")
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("may not link a chat"), "{e}");
    for (said, what) in each("Vera").await.iter().zip([
        "change what is on file",
        "link a chat",
        "answer a message",
        "close the centre",
    ]) {
        assert!(
            said.contains("Vera is a volunteer and may not") && said.contains(what),
            "{said}"
        );
    }
    for said in each("staff").await {
        assert!(said.contains("is no person of this centre"), "{said}");
    }
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    assert_eq!(each("Mary").await, ["done"; 4]);
    assert_eq!(w.stands("BRK-0105").await, "closed none none");
    w.end().await;
}

async fn anybody_named_stops_and_a_coordinator_lets_go(on: On) {
    let db = TestDb::new(on).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    std::fs::write(b.dir.path().join("centre.toml"), AT_ONCE).unwrap();
    b.ok(&["centre", "apply", "centre.toml"]);
    std::fs::write(
        b.dir.path().join("one.csv"),
        families(1, courtesy::clock::Clock::System.now()),
    )
    .unwrap();
    b.ok(&["import", "one.csv"]);
    b.ok(&["hold", "on"]);
    let quiet = [
        "record", "family", "K-00000", "--party", "contact", "--mode", "discreet",
    ];
    b.ok(&quiet);
    for (name, role) in [("Vera", "volunteer"), ("Mary", "coordinator")] {
        b.ok(&["user", "add", name, "--role", role]);
    }
    let refused = |args: &[&str], part: &str| {
        let (code, out, err) = b.run(args);
        assert!(
            code == 1 && out.is_empty() && err.contains(part),
            "{args:?}: {code} {out} {err}"
        );
    };
    b.ok(&["hold", "on", "--as", "Vera"]);
    refused(&["hold", "on"], "say --as NAME");
    refused(
        &["hold", "off", "--count", "2", "--as", "Vera"],
        "Vera is a volunteer and may not let texts leave again",
    );
    refused(
        &["hold", "on", "--message", "none", "--as", "Eve"],
        "is no person of this centre",
    );
    assert!(
        b.run(&["hold", "off", "--as", "Mary"])
            .2
            .contains("will leave in the next hour")
    );
    refused(&quiet, "is no person of this centre");
    b.ok(&["user", "remove", "Vera"]);
    let (code, _, err) = b.run(&["user", "remove", "Mary"]);
    assert!(
        code == 0 && err.contains("nobody may record until"),
        "{err}"
    );
    // Everybody gone is not nobody ever named.
    refused(&quiet, "everybody who was named here has left");
    refused(
        &["record", "cancel", "none", "--by", "centre", "--as", "Mary"],
        "has left",
    );
    b.ok(&["user", "add", "Mary", "--role", "coordinator"]);
    b.ok(&[&quiet[..], &["--as", "Mary"]].concat());
}

crate::on_both!(
    a_volunteer_changes_no_family_and_writes_to_nobody,
    anybody_named_stops_and_a_coordinator_lets_go
);
