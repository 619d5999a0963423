//! When a record counts: dates that lie before what they follow, and what goes on after a file is
//! closed or a visit is over.

use crate::common::{On, World, at};
use crate::money::{CONTACT, RESIDENT, by, cancels, case, fees, task, until, world};
use crate::money_again::{open, pay, session};
use courtesy::domain::money::policy::Absent;
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::{self};
use courtesy::flows::money::{record as recorded, release};
use courtesy::flows::people::calls;
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::{answer, attendance, reinstate};
use courtesy::store::{centres, facts};

async fn a_visit_is_not_put_back_on_before_it_was_called_off(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-26T19:00").await;
    let s = session(&w, "BRK-0101", 0).await;
    let early = Recording {
        by: "Mary",
        at: at("2026-11-26T17:59"),
    };
    let e = reinstate::reinstate(&w.svc, &s.id, &early)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        e.contains("--at lies before it was called off (Thu 26 Nov 18:00)"),
        "{e}"
    );
    assert_eq!(
        w.stands("BRK-0101").await.split(' ').next(),
        Some("cancelled")
    );
    reinstate::reinstate(
        &w.svc,
        &s.id,
        &Recording {
            by: "Mary",
            at: at("2026-11-26T18:30"),
        },
    )
    .await
    .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, [] as [&str; 0]);
    w.end().await;
}

async fn a_command_beside_a_practice_is_never_before_what_is_recorded(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    // The clock of the practice runs on by itself: nobody set it for hours.
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set(&mut tx, "practice_clock", "2026-11-26T09:59:00+00:00")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    cancels(&w, CONTACT, "other").await;
    let off_at = session(&w, "BRK-0101", 0).await.cancelled_at.unwrap();
    let clock = centres::simulator_clock(&w.svc.db).await.unwrap().unwrap();
    assert!(
        off_at <= clock && clock <= w.svc.clock.now(),
        "{off_at} {clock}"
    );
    w.end().await;
}

async fn the_days_to_pay_count_from_the_later_telling_and_never_before_the_release(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    w.says(CONTACT, "STOP").await;
    w.says(RESIDENT, "STOP").await;
    let s = session(&w, "BRK-0101", 0).await;
    until(&w, "2026-11-26T18:00").await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T11:00").await;
    let c = case(&w, "BRK-0101").await;
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    // On Saturday: it goes on Monday, and names the day that it will name then.
    until(&w, "2026-12-12T11:00").await;
    let held = task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await;
    let form = release::release(&w.svc, &held, None, true, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(form.at, Some(at("2026-12-14T10:00")));
    assert!(
        form.lines[0].contains("If unpaid by Mon 21 Dec"),
        "{:?}",
        form.lines
    );
    until(&w, "2026-12-14T10:00").await;
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-14T11:00").await;
    for role in [Role::Contact, Role::Resident] {
        let e = calls::told(
            &w.svc,
            &c,
            role,
            &Recording {
                by: "Mary",
                at: at("2026-12-05T10:00"),
            },
        )
        .await
        .unwrap_err()
        .to_string();
        assert!(e.contains("was let go only on Mon 14 Dec at 10:00"), "{e}");
    }
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-16T11:00").await;
    calls::told(&w.svc, &c, Role::Resident, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-23T23:00").await;
    assert!(
        !case(&w, "BRK-0101").await.archived,
        "the seventh day of the one who was told last"
    );
    until(&w, "2026-12-24T00:01").await;
    assert!(case(&w, "BRK-0101").await.archived);
    w.end().await;
}

async fn a_text_to_the_other_parent_counts_as_well(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-12-14T10:30").await;
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await,
        Some("no answer"),
        false,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-14T11:00").await;
    let all = facts::of_case(&w.svc.db, &case(&w, "BRK-0101").await.id)
        .await
        .unwrap();
    let heard: Vec<String> = all
        .iter()
        .filter(|f| f.detail.0.starts_with("all_parties_notice") && f.kind != "released")
        .map(|f| format!("{} {}", f.kind, f.role.unwrap()))
        .collect();
    assert!(
        heard.len() == 2
            && heard.contains(&"told contact".into())
            && heard.contains(&"informed resident".into()),
        "{heard:?}"
    );
    w.end().await;
}

async fn visits_of_a_closed_file_are_for_a_person(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-12-14T10:00").await;
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await,
        Some("no answer"),
        false,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-22T11:00").await;
    let held = task(&w, "BRK-0101", TaskKind::ReleaseCaseClosed).await;
    let form = release::release(&w.svc, &held, None, true, &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(
        form.lines
            .iter()
            .any(|l| l.contains("still booked: Sat 26 Dec 10:00")),
        "{:?}",
        form.lines
    );
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::ClosedFileVisit).await,
        [] as [&str; 0],
        "only shown"
    );
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(open(&w, "BRK-0101", TaskKind::ClosedFileVisit).await, ["-"]);
    // Nobody did it, and nobody came: no fee by itself.
    until(&w, "2026-12-26T12:30").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::ClosedFileVisit).await,
        [] as [&str; 0],
        "it has begun"
    );
    let third = session(&w, "BRK-0101", 2).await;
    attendance::no_show(&w.svc, &third.id, Absent::Contact, &by(&w, "Tom"))
        .await
        .unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["due 4500 contact"],
        "that of November alone"
    );
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::NoShow));
    w.end().await;
}

async fn nobody_rings_before_a_visit_that_is_over_off_or_answered(on: On) {
    let rings = [TaskKind::RingOptedOut, TaskKind::RingNoAddress];
    let w = world(on, "2026-11-26T09:59").await;
    w.says(CONTACT, "STOP").await;
    w.says(RESIDENT, "STOP").await;
    until(&w, "2026-11-26T12:00").await;
    let left = async |w: &World| {
        let mut out = Vec::new();
        for topic in rings {
            out.extend(open(w, "BRK-0101", topic).await);
        }
        out.sort();
        out.dedup();
        out
    };
    assert_eq!(left(&w).await, ["contact", "resident"]);
    // One was rung and will come.
    let s = session(&w, "BRK-0101", 0).await;
    answer::answer(&w.svc, &s.id, Role::Contact, true, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-26T13:00").await;
    assert_eq!(left(&w).await, ["resident"]);
    until(&w, "2026-11-28T12:01").await;
    assert_eq!(left(&w).await, [] as [&str; 0], "over");
    // The next one is called off by one of them.
    until(&w, "2026-12-10T12:00").await;
    assert_eq!(left(&w).await, ["contact", "resident"]);
    let s = session(&w, "BRK-0101", 1).await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-10T13:00").await;
    assert_eq!(left(&w).await, [] as [&str; 0]);
    w.end().await;
}

async fn what_is_left_over_of_a_payment_of_the_past_is_said(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-30T11:00").await;
    let c = case(&w, "BRK-0101").await;
    let said = recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(
        !said.iter().any(|l| l.contains("more than is owed")),
        "{said:?}"
    );
    let before = Recording {
        by: "Mary",
        at: at("2026-11-28T11:00"),
    };
    let said = recorded::payment(&w.svc, &c, &pay(4000), &before)
        .await
        .unwrap();
    assert!(
        said.iter()
            .any(|l| l.contains("GBP 40.00 more than is owed")),
        "{said:?}"
    );
    w.end().await;
}

async fn a_dry_run_says_what_would_be(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    let more = [("session_date", "2027-01-09")];
    let csv = crate::money::birchfield(&[("BRK-0101", &more)]);
    let tried = import::import(
        &w.svc.db,
        csv.as_bytes(),
        &ImportOptions {
            dry_run: true,
            ..ImportOptions::default()
        },
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    assert!(
        tried
            .findings
            .iter()
            .any(|f| f.what.contains("would not be booked")
                && f.what.contains("a task would be open")),
        "{:?}",
        tried.findings
    );
    let done = import::import(
        &w.svc.db,
        csv.as_bytes(),
        &ImportOptions::default(),
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    assert!(
        done.findings
            .iter()
            .any(|f| f.what.contains("was not booked") && f.what.contains("a task is open")),
        "{:?}",
        done.findings
    );
    w.end().await;
}

crate::on_both!(
    a_visit_is_not_put_back_on_before_it_was_called_off,
    a_command_beside_a_practice_is_never_before_what_is_recorded,
    the_days_to_pay_count_from_the_later_telling_and_never_before_the_release,
    a_text_to_the_other_parent_counts_as_well,
    visits_of_a_closed_file_are_for_a_person,
    nobody_rings_before_a_visit_that_is_over_off_or_answered,
    what_is_left_over_of_a_payment_of_the_past_is_said,
    a_dry_run_says_what_would_be,
);
