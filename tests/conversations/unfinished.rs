//! Cancellations that were begun and not finished: who is rung, and until when.

use super::*;
use crate::common::{On, World, at};
use courtesy::domain::people::channel::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::recording::Recording;
use courtesy::flows::scan::confirmations;
use courtesy::flows::visits::cancel;
use courtesy::store::{parties, tasks};

/// Open tasks to ring a parent of BRK-0105 who began to cancel.
async fn unfinished(w: &World) -> Vec<tasks::Task> {
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    let all = tasks::list(&w.svc.db, None).await.unwrap();
    all.into_iter()
        .filter(|t| {
            t.state == "open"
                && t.topic == TaskKind::CancelUnfinished
                && t.case_ref.as_deref() == Some("BRK-0105")
        })
        .collect::<Vec<_>>()
}

async fn an_unfinished_cancellation_is_one_call_until_its_code_comes(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T10:31").await;
    let open = unfinished(&w).await;
    assert_eq!(
        open.iter()
            .map(|t| t.due_at.unwrap().timestamp())
            .collect::<Vec<_>>(),
        [at("2026-11-28T11:05").timestamp()],
        "their own arrival less the centre's lead"
    );
    // A second NO is one call more for nobody, and its code ends the call.
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T11:10").await;
    assert_eq!(unfinished(&w).await.len(), 1);
    w.says(CONTACT, &w.code(CONTACT, "other")).await;
    assert!(unfinished(&w).await.is_empty());
    w.end().await;
}

async fn an_unfinished_cancellation_needs_no_call_while_the_visit_is_off(on: On) {
    // The other parent calls the visit off: nobody is rung, unless that is taken back; and nobody
    // when the visit has begun.
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T10:31").await;
    w.says(RESIDENT, "no").await;
    w.says(RESIDENT, &w.code(RESIDENT, "other")).await;
    assert!(unfinished(&w).await.is_empty());
    w.until("2026-11-26T10:35").await;
    w.says(RESIDENT, "yes").await;
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            unfinished(&w).await.len()
        ),
        ("booked confirmed none", 1)
    );
    w.until("2026-11-28T12:59").await;
    assert_eq!(unfinished(&w).await.len(), 1);
    w.until("2026-11-28T13:00").await;
    assert!(unfinished(&w).await.is_empty());
    w.end().await;
}

async fn a_visit_cancelled_before_anybody_rang_needs_no_call(on: On) {
    // Off before anybody had to ring.
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT, "no").await;
    let (s, _) = w.session("BRK-0105").await;
    cancel::cancel(
        &w.svc,
        &s.id,
        &Recording {
            by: "test",
            at: w.svc.clock.now(),
        },
    )
    .await
    .unwrap();
    w.until("2026-11-26T11:00").await;
    assert!(unfinished(&w).await.is_empty());
    w.end().await;
}

async fn a_no_from_a_silent_phone_is_one_call(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let party = parties::find(&w.svc.db, "BRK-0105:contact").await.unwrap();
    phone::change(
        &w.svc,
        &party,
        &PhoneChange {
            mode: Some(Mode::Silent),
            ..PhoneChange::default()
        },
        "Mary",
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    let (texts, tasks) = (w.got(CONTACT).len(), w.tasks("BRK-0105").await.len());
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T11:00").await;
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    assert_eq!(
        (
            w.tasks("BRK-0105").await[tasks..].to_vec(),
            w.got(CONTACT).len()
        ),
        (vec![TaskKind::CancelByPhone], texts)
    );
    w.end().await;
}

crate::on_both!(
    an_unfinished_cancellation_is_one_call_until_its_code_comes,
    an_unfinished_cancellation_needs_no_call_while_the_visit_is_off,
    a_visit_cancelled_before_anybody_rang_needs_no_call,
    a_no_from_a_silent_phone_is_one_call,
);
