//! What a session keeps as of its booking, what a file may book, and when a text speaks of a fee.

use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World, sample_with};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::task::TaskKind;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::options::Imported;
use courtesy::flows::import::{self, Severity};
use courtesy::store::sessions;

/// BRK-0105 has a fee of its own, 1500; BRK-0101 the centre's, 4500.
fn day(
    case_ref: &'static str,
    date: &'static str,
    more: &[(&'static str, &'static str)],
) -> String {
    sample_with(&[(case_ref, &[&[("session_date", date)], more].concat())])
}

async fn brings(w: &World, csv: &str) -> Imported {
    let i = import::import(
        &w.svc.db,
        csv.as_bytes(),
        &ImportOptions::default(),
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    courtesy::simulator::time::settle(&w.svc).await.unwrap();
    i
}

fn said(i: &Imported) -> Vec<(&'static str, Severity)> {
    i.findings
        .iter()
        .filter(|f| f.kind != "missing")
        .map(|f| (f.kind, f.severity))
        .collect()
}

async fn terms(w: &World, case_ref: &str, start: &str) -> Option<(i64, i64)> {
    let start = parse_local(start).unwrap();
    sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|(s, _)| s.case_ref == case_ref && s.start_local == start)
        .map(|(s, _)| (s.fee_minor, s.notice_hours))
}

async fn case(w: &World, what: &str, case_ref: &str) {
    let mut tx = w.svc.db.begin().await.unwrap();
    tx.exec(
        format!("UPDATE case_file SET {what} WHERE case_ref = '{case_ref}'"),
        vec![],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn a_line_takes_the_announced_fee_unless_another_was_agreed(on: On) {
    let centre = format!(
        "{BIRCHFIELD}[[rules_from]]\ndate = \"2027-01-09\"\nfee_pence = 5000\nnotice_hours = 72\n"
    );
    let w = World::new(on, "2026-11-24T09:00", &[&centre, LIFFEY], SAMPLE).await;
    let all = |date| {
        let own = [("session_date", date)];
        let none = [("session_date", date), ("fee_pence", "0")];
        sample_with(&[("BRK-0101", &own), ("BRK-0105", &own), ("BRK-0106", &none)])
    };
    let before = brings(&w, &all("2027-01-08")).await;
    assert!(said(&before).is_empty(), "{:?}", before.findings);
    let start = |date: &str, time: &str| format!("{date}T{time}");
    let first = sessions::list(&w.svc.db, None).await.unwrap();
    let time_of = |case_ref: &str| {
        first
            .iter()
            .find(|(s, _)| s.case_ref == case_ref)
            .unwrap()
            .0
            .start_local
            .format("%H:%M")
            .to_string()
    };
    for (case_ref, fee) in [("BRK-0101", 4500), ("BRK-0105", 1500), ("BRK-0106", 0)] {
        assert_eq!(
            terms(&w, case_ref, &start("2027-01-08", &time_of(case_ref))).await,
            Some((fee, 48)),
            "{case_ref}: before the day"
        );
    }
    // From the day on: the centre's old fee is the new one, a fee of a family's own and none at all
    // stay.
    let sheet = all("2027-01-09");
    let after = brings(&w, &sheet).await;
    assert_eq!(
        said(&after),
        [("fee_announced", Severity::Warning)],
        "{:?}",
        after.findings
    );
    let f = after
        .findings
        .iter()
        .find(|f| f.kind == "fee_announced")
        .unwrap();
    assert!(
        f.what.contains("4500") && f.what.contains("5000") && f.column == "fee_pence",
        "{f:?}"
    );
    for (case_ref, fee) in [("BRK-0101", 5000), ("BRK-0105", 1500), ("BRK-0106", 0)] {
        assert_eq!(
            terms(&w, case_ref, &start("2027-01-09", &time_of(case_ref))).await,
            Some((fee, 72)),
            "{case_ref}"
        );
    }
    // The same sheet again says nothing new, and one that has caught up neither.
    assert!(said(&brings(&w, &sheet).await).is_empty());
    let caught_up = sample_with(&[
        (
            "BRK-0101",
            &[("session_date", "2027-01-09"), ("fee_pence", "5000")],
        ),
        ("BRK-0105", &[("session_date", "2027-01-09")]),
        (
            "BRK-0106",
            &[("session_date", "2027-01-09"), ("fee_pence", "0")],
        ),
    ]);
    let again = brings(&w, &caught_up).await;
    assert!(said(&again).is_empty(), "{:?}", again.findings);
    w.end().await;
}

async fn a_file_books_nothing_for_a_case_that_may_not_be_booked(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    for (what, kind) in [
        ("bookings_hold = TRUE", "bookings_hold"),
        ("bookings_hold = FALSE, state = 'archived'", "case_closed"),
    ] {
        case(&w, what, "BRK-0105").await;
        let i = brings(&w, &day("BRK-0105", "2026-12-12", &[])).await;
        assert_eq!(said(&i), [(kind, Severity::Warning)], "{:?}", i.findings);
        let c = i.counts.unwrap();
        assert_eq!((c.new_sessions, c.not_booked), (0, 1));
        assert_eq!(terms(&w, "BRK-0105", "2026-12-12T13:00").await, None);
        assert_eq!(
            w.tasks("BRK-0105")
                .await
                .iter()
                .filter(|t| **t == TaskKind::NotBooked)
                .count(),
            1,
            "one task, however often the file comes"
        );
    }
    // What took place already is history, and one that is off is no booking.
    let past = brings(&w, &day("BRK-0105", "2026-11-14", &[])).await;
    let off = brings(
        &w,
        &day("BRK-0105", "2026-12-19", &[("status", "cancelled")]),
    )
    .await;
    assert!(past.counts.unwrap().new_sessions == 1 && off.counts.unwrap().new_sessions == 1);
    // When the hold is over the next file books it, and the task is done.
    case(&w, "bookings_hold = FALSE, state = 'open'", "BRK-0105").await;
    let i = brings(&w, &day("BRK-0105", "2026-12-12", &[])).await;
    assert_eq!(i.counts.unwrap().new_sessions, 1, "{:?}", i.findings);
    assert!(!w.tasks("BRK-0105").await.contains(&TaskKind::NotBooked));
    w.end().await;
}

async fn a_question_speaks_of_a_fee_only_where_there_is_one(on: On) {
    for (fee, speaks) in [("4500", true), ("0", false)] {
        let csv = sample_with(&[]).replace(",1500,GBP", &format!(",{fee},GBP"));
        let w = World::new(on, "2026-11-24T09:00", &[BIRCHFIELD, LIFFEY], &csv).await;
        w.until("2026-11-27T11:00").await;
        // BRK-0105, after the cut-off; the first and the second way to ask.
        w.says("+447700900110", "no").await;
        let asked = w.last("+447700900110");
        assert_eq!(asked.contains("fee may apply"), speaks, "{fee}: {asked}");
        assert_eq!(
            asked.contains("child ill"),
            speaks,
            "a reason is asked only where money hangs on it: {asked}"
        );
        w.says("+447700900109", "no my little one is ill").await;
        let known = w.last("+447700900109");
        assert!(
            known.contains("to cancel") && known.contains("fee may apply") == speaks,
            "{fee}: {known}"
        );
        w.end().await;
    }
}

crate::on_both!(
    a_line_takes_the_announced_fee_unless_another_was_agreed,
    a_file_books_nothing_for_a_case_that_may_not_be_booked,
    a_question_speaks_of_a_fee_only_where_there_is_one,
);
