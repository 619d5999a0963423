//! Fees when something is corrected, recorded late, told late or cannot be told; and visits that
//! are on again.

use crate::common::{BIRCHFIELD, On, World, at};
use crate::money::{
    CONTACT, RESIDENT, about_money, birchfield, by, cancels, case, fees, nothing_about_money, task,
    until, world,
};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::money::policy::Absent;
use courtesy::domain::people::person::Role;
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::attendee::Session;
use courtesy::domain::visits::notice::Origin;
use courtesy::domain::visits::session::Reason;
use courtesy::flows::money::record::NewPayment;
use courtesy::flows::money::{lists, record as recorded, release};
use courtesy::flows::people::{calls, decision};
use courtesy::flows::receive;
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::closure::{self, ClosureRequest};
use courtesy::flows::visits::{answer, attendance, move_session, reinstate};
use courtesy::simulator::time;
use courtesy::store::attempts::NewReceipt;
use courtesy::store::sessions::{self};
use courtesy::store::{centres, messages, tasks};

/// The n-th session of a case, counted from 0.
pub async fn session(w: &World, case_ref: &str, n: usize) -> Session {
    let all = sessions::list(&w.svc.db, None).await.unwrap();
    all.into_iter()
        .map(|(s, _)| s)
        .filter(|s| s.case_ref == case_ref)
        .nth(n)
        .unwrap()
}

pub fn pay(minor: i64) -> NewPayment<'static> {
    NewPayment {
        minor,
        by: "contact",
        again: false,
    }
}

/// The service's word on the last text of a kind to the contact parent.
async fn receipt(w: &World, kind: &str, status: &str, error_code: Option<&str>) {
    let all = messages::list(&w.svc.db, None).await.unwrap();
    let m = all
        .iter()
        .filter(|m| {
            m.kind.as_str() == kind
                && m.role.as_deref() == Some("contact")
                && m.provider_id.is_some()
        })
        .max_by_key(|m| m.sent_at)
        .unwrap();
    let token = m.attempts.last().unwrap().token.clone();
    let r = NewReceipt {
        token,
        provider_id: m.provider_id.clone().unwrap(),
        status: status.into(),
        error_code: error_code.map(str::to_owned),
    };
    receive::receipt(&w.svc, &r).await.unwrap();
    time::settle(&w.svc).await.unwrap();
}

/// The open tasks of a case with a topic, as roles.
pub async fn open(w: &World, case_ref: &str, topic: TaskKind) -> Vec<String> {
    let all = tasks::list(&w.svc.db, None).await.unwrap();
    all.into_iter()
        .filter(|t| {
            t.state == "open" && t.topic == topic && t.case_ref.as_deref() == Some(case_ref)
        })
        .map(|t| t.role.map_or("-".into(), |r| r.to_string()))
        .collect()
}

async fn close_saturday(w: &World) {
    let day = "2026-11-28".parse().unwrap();
    let closing = ClosureRequest {
        centre: "BRK".into(),
        from: day,
        to: day,
        hours: None,
        why: "burst pipe".into(),
    };
    let families = closure::preview(&w.svc, &closing).await.unwrap().families;
    closure::send(&w.svc, &closing, families, "Mary")
        .await
        .unwrap();
}

async fn a_visit_that_is_put_back_on_and_moved_keeps_what_was_said_of_its_day(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    assert!(w.last(CONTACT).contains("pay a fee of £45"));
    let s = session(&w, "BRK-0101", 0).await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    w.moves("BRK-0101", "2026-12-05T10:00").await;
    until(&w, "2026-11-27T13:00").await;
    let settled: Vec<String> = w
        .got(CONTACT)
        .into_iter()
        .filter(|t| t.contains("Nothing is owed"))
        .collect();
    assert_eq!(
        settled,
        ["Birchfield: about your visit on Sat 28 Nov. Nothing is owed for it. Phone 020 7946 0101"],
        "once, of the day that the fee was for"
    );
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_notice delivered", "fee_settled delivered"]
    );
    w.end().await;

    // In time for the 12th; put back on, moved forward: the old message is not late now.
    let w = world(on, "2026-11-25T09:00").await;
    let s = session(&w, "BRK-0101", 1).await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    move_session::move_to(
        &w.svc,
        &s.id,
        parse_local("2026-11-26T14:00").unwrap(),
        Origin::Centre,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-11-25T12:00").await;
    assert_eq!(about_money(&w, "BRK-0101").await, [] as [&str; 0]);
    w.end().await;
}

async fn a_debtor_gains_no_time_by_asking_for_another_date(on: On) {
    for (origin, waits) in [(Origin::Parent, true), (Origin::Centre, false)] {
        let w = world(on, "2026-11-26T09:59").await;
        until(&w, "2026-11-26T18:00").await;
        cancels(&w, CONTACT, "other").await;
        until(&w, "2026-11-30T12:00").await;
        let s = session(&w, "BRK-0101", 1).await;
        move_session::move_to(
            &w.svc,
            &s.id,
            parse_local("2026-12-19T10:00").unwrap(),
            origin,
            &by(&w, "Mary"),
        )
        .await
        .unwrap();
        until(&w, "2026-12-12T10:01").await;
        assert_eq!(
            w.tasks("BRK-0101")
                .await
                .contains(&TaskKind::ReleaseAllParties),
            waits,
            "{origin}"
        );
        until(&w, "2026-12-19T10:01").await;
        assert!(
            w.tasks("BRK-0101")
                .await
                .contains(&TaskKind::ReleaseAllParties),
            "{origin}"
        );
        w.end().await;
    }
}

async fn who_never_heard_of_a_closure_hears_nothing_of_its_end(on: On) {
    // Not a text has left: it is night.
    let w = world(on, "2026-11-26T21:00").await;
    let before = (w.got(RESIDENT), w.got(CONTACT));
    close_saturday(&w).await;
    let s = session(&w, "BRK-0101", 0).await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T09:00").await;
    assert!(
        w.got(RESIDENT)
            .iter()
            .chain(&w.got(CONTACT))
            .all(|t| !t.contains("after all") && !t.contains("closed")),
        "{:?}",
        w.got(RESIDENT)
    );
    assert!(
        w.got(RESIDENT).len() == before.0.len() + 1
            && w.last(RESIDENT).contains("your visit is Sat 28 Nov"),
        "only the question: {:?}",
        w.got(RESIDENT)
    );
    // Who was to be rung and was not: nothing, and nobody rings any more. Who was rung hears that
    // it is on.
    let s = session(&w, "BRK-0103", 0).await;
    assert_eq!(
        open(&w, "BRK-0103", TaskKind::RingSessionOff).await,
        ["contact"]
    );
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0103", TaskKind::RingSessionOff).await,
        [] as [&str; 0]
    );
    w.end().await;

    let w = world(on, "2026-11-26T12:00").await;
    centres_on_hold(&w, true).await;
    close_saturday(&w).await;
    let ring = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| {
            t.case_ref.as_deref() == Some("BRK-0101")
                && t.role == Some(Role::Resident)
                && t.topic == TaskKind::RingSessionOff
        });
    decision::decision(&w.svc, &ring.unwrap().id, None, "told", &by(&w, "Mary"))
        .await
        .unwrap();
    let s = session(&w, "BRK-0101", 0).await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    centres_on_hold(&w, false).await;
    until(&w, "2026-11-26T13:00").await;
    assert!(
        w.last(RESIDENT).contains("will go ahead after all"),
        "{:?}",
        w.got(RESIDENT)
    );
    assert!(
        w.got(CONTACT).iter().all(|t| !t.contains("after all")),
        "{:?}",
        w.got(CONTACT)
    );
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::RingSessionOff).await,
        [] as [&str; 0]
    );
    // Told of it, as everybody is.
    close_saturday(&w).await;
    until(&w, "2026-11-26T14:00").await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-26T15:00").await;
    assert!(
        w.last(RESIDENT).contains("after all") && w.last(CONTACT).contains("after all"),
        "{:?}",
        w.got(CONTACT)
    );
    w.end().await;
}

async fn centres_on_hold(w: &World, on: bool) {
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set_hold(&mut tx, "BRK", on, "test", "", w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn money_that_goes_to_an_older_fee_after_a_receipt_is_for_a_manager(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-12-11T12:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-12-14T11:00").await;
    let c = case(&w, "BRK-0101").await;
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-14T12:00").await;
    assert_eq!(
        w.last(CONTACT),
        "Birchfield: about your visit on Sat 12 Dec. Nothing is owed for it. Phone 020 7946 0101"
    );
    // On Tuesday somebody finds that the resident did not come on 28 November.
    until(&w, "2026-12-15T11:00").await;
    let first = session(&w, "BRK-0101", 0).await;
    let then = Recording {
        by: "Mary",
        at: at("2026-11-28T10:40"),
    };
    attendance::no_show(&w.svc, &first.id, Absent::Resident, &then)
        .await
        .unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["paid 0 resident", "due 4500 contact"],
        "the rule: the oldest first"
    );
    let (to_contact, to_resident) = (w.got(CONTACT), w.got(RESIDENT));
    until(&w, "2026-12-21T12:00").await;
    let about = |got: Vec<String>, before: &[String]| {
        got[before.len()..]
            .iter()
            .filter(|t| t.contains("fee") || t.contains("owed"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            about(w.got(CONTACT), &to_contact),
            about(w.got(RESIDENT), &to_resident)
        ),
        (vec![], vec![]),
        "nothing about money by itself"
    );
    assert_eq!(open(&w, "BRK-0101", TaskKind::OwedAgain).await, ["contact"]);
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    // Released: the fee is asked for again, and its clock starts there.
    let held = task(&w, "BRK-0101", TaskKind::OwedAgain).await;
    release::release(&w.svc, &held, None, false, &by(&w, "Helen"))
        .await
        .unwrap();
    until(&w, "2026-12-21T15:00").await;
    assert_eq!(about(w.got(CONTACT), &to_contact).len(), 1);
    assert!(
        w.last(CONTACT).contains("pay a fee of £45"),
        "{}",
        w.last(CONTACT)
    );
    until(&w, "2026-12-26T10:01").await;
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "the first visit after the new telling"
    );
    recorded::payment(
        &w.svc,
        &c,
        &NewPayment {
            again: true,
            ..pay(4500)
        },
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-29T12:00").await;
    assert!(
        w.last(CONTACT).contains("Sat 12 Dec. Nothing is owed"),
        "{}",
        w.last(CONTACT)
    );
    assert!(!w.tasks("BRK-0101").await.contains(&TaskKind::OwedAgain));
    w.end().await;
}

async fn a_call_closes_the_task_of_the_one_who_was_rung_and_money_closes_all(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    w.says(CONTACT, "STOP").await;
    w.says(RESIDENT, "STOP").await;
    let s = session(&w, "BRK-0101", 0).await;
    until(&w, "2026-11-26T18:00").await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T11:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"]
    );
    let c = case(&w, "BRK-0101").await;
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-14T10:00").await;
    let held = task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await;
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-14T11:00").await;
    let mut both = open(&w, "BRK-0101", TaskKind::TellByPhone).await;
    both.sort();
    assert_eq!(both, ["contact", "resident"]);
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["resident"],
        "the other one was not rung"
    );
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        [] as [&str; 0],
        "nobody has to hear any more that a payment is open"
    );
    until(&w, "2026-12-14T13:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"],
        "who owed hears that nothing is owed"
    );
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        [] as [&str; 0]
    );
    w.end().await;
}

async fn a_referrer_who_was_told_or_need_not_be_waits_in_no_list(on: On) {
    let w = World::new(on, "2026-11-26T09:59", &[BIRCHFIELD], &birchfield(&[])).await;
    let resident = "+447700900103";
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, resident, "other").await;
    until(&w, "2026-12-14T10:00").await;
    let held = task(&w, "BRK-0102", TaskKind::ReleaseAllParties).await;
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0102", TaskKind::TellReferrer).await,
        ["referrer"]
    );
    let c = case(&w, "BRK-0102").await;
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0102", TaskKind::TellReferrer).await,
        [] as [&str; 0]
    );
    w.end().await;
}

async fn the_clock_starts_when_the_text_reached_the_phone(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    w.provider.stall(CONTACT);
    w.until("2026-11-27T10:30").await;
    assert!(w.last(CONTACT).contains("pay a fee of £45"));
    let due = async || {
        lists::fees(&w.svc.db, None, w.svc.clock.now())
            .await
            .unwrap()
            .into_iter()
            .find(|f| f.case_ref == "BRK-0101")
            .unwrap()
            .due_at
    };
    assert_eq!(due().await, None, "taken by the service is not told");
    // The phone was off: the text reaches it during the next visit.
    w.until("2026-11-28T12:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"],
        "after a day without a word somebody rings"
    );
    w.until("2026-12-12T11:00").await;
    receipt(&w, "fee_notice", "delivered", None).await;
    assert_eq!(
        due().await,
        Some(at("2026-12-26T10:00")),
        "the visit after it, not the one that had begun"
    );
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        [] as [&str; 0]
    );
    w.end().await;
}

async fn an_undelivered_text_told_nobody(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    w.provider.stall(CONTACT);
    w.until("2026-11-27T10:30").await;
    receipt(&w, "fee_notice", "undelivered", Some("30003")).await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"]
    );
    w.until("2026-12-12T12:00").await;
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    calls::told(
        &w.svc,
        &case(&w, "BRK-0101").await,
        Role::Contact,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    w.until("2026-12-26T10:01").await;
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    w.end().await;
}

async fn who_cannot_be_told_that_a_visit_is_on_or_moved_is_rung(on: On) {
    // Undelivered.
    let w = world(on, "2026-11-26T09:59").await;
    w.provider.stall(CONTACT);
    w.moves("BRK-0101", "2026-11-28T14:00").await;
    w.until("2026-11-26T10:30").await;
    receipt(&w, "session_moved", "undelivered", Some("30003")).await;
    assert!(
        !open(&w, "BRK-0101", TaskKind::RingSessionOn)
            .await
            .is_empty()
    );
    // Moved again: that task is about a time that is no more.
    w.moves("BRK-0101", "2026-11-28T15:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::RingSessionOn).await,
        [] as [&str; 0]
    );
    w.end().await;

    // Refused for good; opted out; on hold until the hour of the visit.
    let w = world(on, "2026-11-26T12:00").await;
    w.provider.refuse(CONTACT, 21614);
    w.says(RESIDENT, "STOP").await;
    w.moves("BRK-0101", "2026-11-28T14:00").await;
    w.until("2026-11-26T13:00").await;
    let mut both = open(&w, "BRK-0101", TaskKind::RingSessionOn).await;
    both.sort();
    assert_eq!(both, ["contact", "resident"]);
    let s = session(&w, "BRK-0102", 0).await;
    centres_on_hold(&w, true).await;
    move_session::move_to(
        &w.svc,
        &s.id,
        parse_local("2026-11-28T14:00").unwrap(),
        Origin::Centre,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    w.until("2026-11-28T14:30").await;
    assert_eq!(
        open(&w, "BRK-0102", TaskKind::RingSessionOn).await.len(),
        2,
        "neither heard of it"
    );
    w.end().await;
}

async fn a_second_cancellation_by_phone_is_recorded(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-26T19:00").await;
    assert!(w.last(RESIDENT).contains("will not go ahead"));
    let s = session(&w, "BRK-0101", 0).await;
    answer::answer(&w.svc, &s.id, Role::Resident, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-26T19:10").await;
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: we have noted that you cannot come on Sat 28 Nov. We will contact you about \
         the next visit. Phone 020 7946 0101"
    );
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["due 4500 contact"],
        "C10: the first one counts"
    );
    assert!(
        open(&w, "BRK-0101", TaskKind::Cancellation)
            .await
            .contains(&"resident".to_owned())
    );
    // Who cancelled says by phone that it was an illness (C28).
    answer::answer(
        &w.svc,
        &s.id,
        Role::Contact,
        false,
        Some(Reason::IllSelf),
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 contact"]
    );
    let yes = answer::answer(&w.svc, &s.id, Role::Contact, true, None, &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        yes.contains("is cancelled, not booked"),
        "C11: a yes brings nothing back: {yes}"
    );
    w.end().await;
}

async fn the_fee_of_a_no_show_waits_for_the_next_working_day(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    let s = session(&w, "BRK-0101", 0).await;
    // The visit is on a Monday.
    move_session::move_to(
        &w.svc,
        &s.id,
        parse_local("2026-11-30T10:00").unwrap(),
        Origin::Centre,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-11-30T12:30").await;
    attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Tom"))
        .await
        .unwrap();
    until(&w, "2026-12-01T09:59").await;
    nothing_about_money(&w.got(CONTACT));
    assert_eq!(about_money(&w, "BRK-0101").await, ["fee_notice waiting"]);
    until(&w, "2026-12-01T10:01").await;
    assert!(w.last(CONTACT).contains("pay a fee of £45"));
    w.end().await;
}

async fn money_for_a_channel_without_a_line_is_told_by_phone(on: On) {
    let w = World::with(
        on,
        "2026-11-26T09:59",
        &[BIRCHFIELD],
        &birchfield(&[]),
        |s| s.sms = None,
    )
    .await;
    // The resident has a number only; this centre has a bot and nothing else.
    until(&w, "2026-11-26T18:00").await;
    let s = session(&w, "BRK-0102", 0).await;
    answer::answer(&w.svc, &s.id, Role::Resident, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T11:00").await;
    assert_eq!(
        open(&w, "BRK-0102", TaskKind::TellByPhone).await,
        ["resident"]
    );
    assert_eq!(about_money(&w, "BRK-0102").await, ["fee_notice withdrawn"]);
    until(&w, "2026-12-12T12:00").await;
    assert!(
        !w.tasks("BRK-0102")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "nobody told them: no clock"
    );
    calls::told(
        &w.svc,
        &case(&w, "BRK-0102").await,
        Role::Resident,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(
        open(&w, "BRK-0102", TaskKind::TellByPhone).await,
        [] as [&str; 0]
    );
    w.end().await;
}

crate::on_both!(
    a_visit_that_is_put_back_on_and_moved_keeps_what_was_said_of_its_day,
    a_debtor_gains_no_time_by_asking_for_another_date,
    who_never_heard_of_a_closure_hears_nothing_of_its_end,
    money_that_goes_to_an_older_fee_after_a_receipt_is_for_a_manager,
    a_call_closes_the_task_of_the_one_who_was_rung_and_money_closes_all,
    a_referrer_who_was_told_or_need_not_be_waits_in_no_list,
    the_clock_starts_when_the_text_reached_the_phone,
    an_undelivered_text_told_nobody,
    who_cannot_be_told_that_a_visit_is_on_or_moved_is_rung,
    a_second_cancellation_by_phone_is_recorded,
    the_fee_of_a_no_show_waits_for_the_next_working_day,
    money_for_a_channel_without_a_line_is_told_by_phone,
);
