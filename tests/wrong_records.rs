//! Wrong records are taken out of the reckoning, and everything follows from what stands.

use crate::common::{BIRCHFIELD, On, World};
use crate::money::{
    CONTACT, RESIDENT, about_money, birchfield, by, cancels, case, fees, task, until, world,
};
use crate::money_again::{open, pay, session};
use courtesy::domain::ids::{FactId, SessionId};
use courtesy::domain::money::policy::{Absent, Note, NoteSubject};
use courtesy::domain::people::role::Role;
use courtesy::domain::people::staff::StaffRole;
use courtesy::domain::task::TaskKind;
use courtesy::flows::error::{self, Error};
use courtesy::flows::money::correct::void;
use courtesy::flows::money::{record as recorded, release};
use courtesy::flows::people::{calls, decision};
use courtesy::flows::visits::closure::{self, ClosureRequest};
use courtesy::flows::visits::{answer, attendance, cancel, reinstate};
use courtesy::store::{facts, staff};

/// The ids of the records of a case of this kind, in the order in which they were recorded.
async fn records(w: &World, case_ref: &str, kind: &str) -> Vec<FactId> {
    let id = case(w, case_ref).await.id;
    let mut all = facts::of_case(&w.svc.db, &id).await.unwrap();
    all.sort_by_key(|f| f.recorded_at);
    all.into_iter()
        .filter(|f| f.kind == kind)
        .map(|f| f.id)
        .collect()
}

/// Takes the last record of this kind out.
async fn takes_out(w: &World, kind: &str) -> error::Result<Vec<String>> {
    let id = records(w, "BRK-0101", kind).await.pop().unwrap();
    void(
        &w.svc,
        &case(w, "BRK-0101").await,
        &id,
        "the wrong family",
        &by(w, "Mary"),
    )
    .await
}

fn no(r: error::Result<Vec<String>>) -> String {
    r.unwrap_err().to_string()
}

async fn a_wrong_payment_brings_fee_and_hold_back(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    let c = case(&w, "BRK-0101").await;
    recorded::payment(&w.svc, &c, &pay(9000), &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::Refund));
    // Before the receipt left: as if it had never been there.
    let said = takes_out(&w, "payment").await.unwrap();
    assert!(
        said[0].contains("GBP 45.00 is due from the contact parent")
            && said[1].contains("no new bookings"),
        "{said:?}"
    );
    assert_eq!(
        (
            fees(&w, "BRK-0101").await,
            about_money(&w, "BRK-0101").await
        ),
        (
            vec!["due 4500 contact".to_owned()],
            vec![
                "fee_notice delivered".into(),
                "fee_settled withdrawn".into()
            ]
        )
    );
    assert!(
        !w.tasks("BRK-0101").await.contains(&TaskKind::Refund),
        "nothing is to be given back"
    );
    assert!(
        !w.tasks("BRK-0101").await.contains(&TaskKind::OwedAgain),
        "nobody was told that nothing is owed"
    );
    // The same payment for the right case is no double; after its receipt a manager is asked.
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T12:00").await;
    assert!(w.last(CONTACT).contains("Nothing is owed"));
    takes_out(&w, "payment").await.unwrap();
    assert_eq!(open(&w, "BRK-0101", TaskKind::OwedAgain).await, ["contact"]);
    let held = task(&w, "BRK-0101", TaskKind::OwedAgain).await;
    let e = decision::decision(&w.svc, &held, None, "", &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("courtesy release"), "{e}");
    // It was right after all: recorded again, and nothing is left to decide.
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::OwedAgain).await,
        [] as [&str; 0]
    );
    until(&w, "2026-11-30T12:00").await;
    assert_eq!(
        w.got(CONTACT)
            .iter()
            .filter(|t| t.contains("Nothing is owed"))
            .count(),
        1,
        "{:?}",
        w.got(CONTACT)
    );
    w.end().await;
}

async fn a_wrong_note_or_waiver_is_taken_out(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "child").await;
    let (c, s) = (case(&w, "BRK-0101").await, session(&w, "BRK-0101", 0).await);
    let day = "2026-11-28".parse().unwrap();
    let note = Note {
        about: NoteSubject::Child,
        from: day,
        to: day,
        children: None,
        brought: false,
    };
    recorded::note(&w.svc, &c, &s.id, &note, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["waived 0 resident"]);
    takes_out(&w, "note").await.unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 resident"]
    );
    until(&w, "2026-11-27T11:00").await;
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_settled withdrawn", "note_request delivered"]
    );
    // Waived after the deadline, with its receipt; then it was another fee that was meant.
    until(&w, "2026-12-14T11:00").await;
    let fee = courtesy::flows::money::lists::fees(&w.svc.db, None, w.svc.clock.now())
        .await
        .unwrap()
        .remove(0)
        .id;
    recorded::decide(&w.svc, &fee, true, "first time", &by(&w, "Helen"))
        .await
        .unwrap();
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    until(&w, "2026-12-14T13:00").await;
    takes_out(&w, "waived").await.unwrap();
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "nothing goes on before a manager decided"
    );
    let held = task(&w, "BRK-0101", TaskKind::OwedAgain).await;
    release::release(&w.svc, &held, None, true, &by(&w, "Helen"))
        .await
        .unwrap();
    release::release(&w.svc, &held, None, false, &by(&w, "Helen"))
        .await
        .unwrap();
    until(&w, "2026-12-14T14:00").await;
    // The deadline for the note had passed before the waiver, and has passed (choice C05).
    assert!(
        w.last(RESIDENT).contains("pay a fee of £45"),
        "{}",
        w.last(RESIDENT)
    );
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 resident"]);
    w.end().await;
}

async fn what_was_reached_before_a_receipt_stays_when_the_payment_was_wrong(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-12-14T10:30").await;
    let c = case(&w, "BRK-0101").await;
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await,
        Some("no answer"),
        false,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-22T09:00").await;
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::ReleaseCaseClosed).await,
        Some("no answer"),
        false,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-22T12:00").await;
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-22T13:00").await;
    assert!(
        w.last(CONTACT).contains("Nothing is owed"),
        "{}",
        w.last(CONTACT)
    );
    let said = takes_out(&w, "payment").await.unwrap();
    assert!(
        said[0].contains("GBP 45.00 is due") && said[1].contains("closed and archived"),
        "{said:?}"
    );
    assert_eq!(open(&w, "BRK-0101", TaskKind::OwedAgain).await, ["contact"]);
    assert!(
        !w.tasks("BRK-0101")
            .await
            .iter()
            .any(|t| matches!(t, TaskKind::ReleaseAllParties | TaskKind::ReleaseCaseClosed)),
        "{:?}",
        w.tasks("BRK-0101").await
    );
    // Asked for again; that the file is closed was told, and is not told once more.
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::OwedAgain).await,
        None,
        false,
        &by(&w, "Helen"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-30T12:00").await;
    assert!(
        w.last(CONTACT).contains("pay a fee of £45"),
        "{}",
        w.last(CONTACT)
    );
    assert!(
        !w.tasks("BRK-0101")
            .await
            .iter()
            .any(|t| matches!(t, TaskKind::ReleaseAllParties | TaskKind::ReleaseCaseClosed)),
        "{:?}",
        w.tasks("BRK-0101").await
    );
    w.end().await;
}

async fn a_deadline_that_lay_after_the_receipt_has_not_passed(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-12-11T11:00").await;
    let c = case(&w, "BRK-0101").await;
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-15T12:00").await;
    takes_out(&w, "payment").await.unwrap();
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::OwedAgain).await,
        None,
        false,
        &by(&w, "Helen"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-16T12:00").await;
    assert!(
        w.last(CONTACT).contains("pay a fee of £45"),
        "{}",
        w.last(CONTACT)
    );
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "the visit of the 12th was no deadline for whoever had paid"
    );
    until(&w, "2026-12-26T10:01").await;
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    w.end().await;
}

async fn who_was_told_by_phone_that_nothing_is_owed_was_told(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    w.says(CONTACT, "STOP").await;
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
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T12:00").await;
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    takes_out(&w, "payment").await.unwrap();
    assert_eq!(open(&w, "BRK-0101", TaskKind::OwedAgain).await, ["contact"]);
    until(&w, "2026-12-14T10:00").await;
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "no deadline runs"
    );
    // Let go, a person asks for it once more.
    release::release(
        &w.svc,
        &task(&w, "BRK-0101", TaskKind::OwedAgain).await,
        None,
        false,
        &by(&w, "Helen"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-14T11:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"]
    );
    calls::told(&w.svc, &c, Role::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-14T13:00").await;
    assert_eq!(
        open(&w, "BRK-0101", TaskKind::TellByPhone).await,
        ["contact"],
        "and says when it is settled"
    );
    w.end().await;
}

async fn a_wrong_absence_leaves_no_trace_and_a_right_one_is_told_once(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-28T12:10").await;
    let s = session(&w, "BRK-0101", 0).await;
    attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Tom"))
        .await
        .unwrap();
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::NoShow));
    takes_out(&w, "no_show").await.unwrap();
    assert_eq!(w.stands("BRK-0101").await.split(' ').next(), Some("booked"));
    assert!(!w.tasks("BRK-0101").await.contains(&TaskKind::NoShow));
    attendance::attended(&w.svc, &s.id, "resident", &by(&w, "Tom"))
        .await
        .unwrap();
    attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Tom"))
        .await
        .unwrap();
    takes_out(&w, "no_show").await.unwrap();
    assert_eq!(
        w.stands("BRK-0101").await.split(' ').next(),
        Some("attended")
    );
    assert!(
        facts::attendance(&w.svc.db, "BRK")
            .await
            .unwrap()
            .iter()
            .filter(|((id, _), _)| *id == s.id)
            .all(|(_, came)| *came)
    );
    until(&w, "2026-11-30T12:00").await;
    assert!(w.got(CONTACT).iter().all(|t| !t.contains('£')));
    w.end().await;
}

async fn what_cannot_be_taken_out_says_why(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    let c = case(&w, "BRK-0101").await;
    recorded::payment(&w.svc, &c, &pay(4500), &by(&w, "Mary"))
        .await
        .unwrap();
    let payment = records(&w, "BRK-0101", "payment").await.remove(0);
    let mary = by(&w, "Mary");
    assert!(
        no(void(&w.svc, &c, &FactId::new("nonsense"), "wrong", &mary).await)
            .contains("there is no record nonsense")
    );
    assert!(no(void(&w.svc, &c, &payment, " ", &mary).await).contains("say why"));
    let other = case(&w, "BRK-0102").await;
    assert!(
        no(void(&w.svc, &other, &payment, "wrong", &mary).await)
            .contains("belongs to another case")
    );
    takes_out(&w, "payment").await.unwrap();
    assert!(no(takes_out(&w, "payment").await).contains("was taken out already"));
    assert!(no(takes_out(&w, "voided").await).contains("record it again"));
    assert!(no(takes_out(&w, "booked").await).contains("is no record that can be taken out"));
    assert!(
        no(takes_out(&w, "told").await).contains("is no record that can be taken out"),
        "what a phone received is no record of a person"
    );
    assert!(no(takes_out(&w, "cancelled").await).contains("courtesy record reinstate"));
    let mut tx = w.svc.db.begin().await.unwrap();
    for (name, role) in [
        ("Mary", StaffRole::Coordinator),
        ("Helen", StaffRole::Manager),
        ("Tom", StaffRole::Volunteer),
    ] {
        staff::put(&mut tx, w.svc.clock.now(), name, role)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    recorded::payment(&w.svc, &c, &pay(4000), &by(&w, "Mary"))
        .await
        .unwrap();
    let payment = records(&w, "BRK-0101", "payment").await.pop().unwrap();
    assert!(
        no(void(&w.svc, &c, &payment, "wrong", &by(&w, "Tom")).await)
            .contains("may not record this")
    );
    assert!(
        no(takes_out(&w, "cancelled").await).contains("for a manager to decide"),
        "what a parent wrote is no mistake of staff"
    );
    assert_eq!(fees(&w, "BRK-0101").await, ["due 500 contact"]);
    w.end().await;
}

async fn a_wrong_cancellation_of_a_visit_that_took_place_is_taken_out(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    let s = session(&w, "BRK-0101", 0).await;
    until(&w, "2026-11-27T18:00").await;
    answer::answer(&w.svc, &s.id, Role::Resident, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T18:10").await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 resident"]);
    until(&w, "2026-11-30T09:00").await;
    let [first, second] = records(&w, "BRK-0101", "cancelled")
        .await
        .try_into()
        .unwrap();
    let c = case(&w, "BRK-0101").await;
    // Off by the other parent's, if that one stands; then by nobody.
    void(&w.svc, &c, &first, "the wrong family", &by(&w, "Mary"))
        .await
        .unwrap();
    let stood = session(&w, "BRK-0101", 0).await;
    assert_eq!(
        (
            stood.state.as_str(),
            stood.cancelled_by.map(|b| b.as_str()),
            fees(&w, "BRK-0101").await
        ),
        (
            "cancelled",
            Some("contact"),
            vec!["due 4500 contact".to_owned()]
        )
    );
    void(&w.svc, &c, &second, "the wrong family", &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    assert_eq!(fees(&w, "BRK-0101").await, [] as [&str; 0]);
    attendance::attended(&w.svc, &s.id, "both", &by(&w, "Mary"))
        .await
        .unwrap();
    w.end().await;
}

async fn a_fee_that_was_void_before_its_notice_left_is_asked_for_once(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    let s = session(&w, "BRK-0101", 0).await;
    until(&w, "2026-11-26T18:40").await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-26T19:00").await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T12:00").await;
    assert_eq!(
        w.got(CONTACT).iter().filter(|t| t.contains('£')).count(),
        1,
        "{:?}",
        w.got(CONTACT)
    );
    w.end().await;
}

async fn a_corrected_number_of_ill_children_counts(on: On) {
    let w = World::new(
        on,
        "2026-11-26T09:59",
        &[BIRCHFIELD],
        &birchfield(&[("BRK-0109", &[("session_date", "2026-12-13")])]),
    )
    .await;
    until(&w, "2026-11-27T18:00").await;
    cancels(&w, "+447700900117", "child").await;
    let s = session(&w, "BRK-0109", 0).await;
    attendance::ill_children(&w.svc, &s.id, 1, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0109").await, ["due 4500 resident"]);
    attendance::ill_children(&w.svc, &s.id, 2, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        fees(&w, "BRK-0109").await,
        ["provisional_awaiting_note 0 resident"]
    );
    until(&w, "2026-11-30T10:30").await;
    attendance::ill_children(&w.svc, &s.id, 1, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0109").await, ["due 4500 resident"]);
    w.end().await;
}

/// What a caller may make of a refusal is in its type, not in its sentence.
async fn an_error_tells_what_to_do(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    let mary = by(&w, "Mary");
    let unknown = attendance::attended(&w.svc, &SessionId::new("nonsense"), "both", &mary).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    let (visit, _) = w.session("BRK-0101").await;
    let early = attendance::attended(&w.svc, &visit.id, "both", &mary).await;
    assert!(matches!(early, Err(Error::Refused(_))), "{early:?}");
    // The preview was read, and then one family's visit was called off.
    let closure = ClosureRequest {
        centre: "BRK".into(),
        from: visit.start_local.date(),
        to: visit.start_local.date(),
        hours: None,
        why: "burst pipe".into(),
    };
    let seen = closure::preview(&w.svc, &closure).await.unwrap();
    cancel::cancel(&w.svc, &visit.id, &mary).await.unwrap();
    let late = closure::send(&w.svc, &closure, seen.families, "Mary").await;
    assert!(matches!(late, Err(Error::Changed(_))), "{late:?}");
    let mut tx = w.svc.db.begin().await.unwrap();
    staff::put(&mut tx, w.svc.clock.now(), "Mary", StaffRole::Volunteer)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let forbidden = closure::send(&w.svc, &closure, seen.families, "Mary").await;
    assert!(matches!(forbidden, Err(Error::Refused(_))), "{forbidden:?}");
    w.end().await;
}

crate::on_both!(
    an_error_tells_what_to_do,
    a_wrong_payment_brings_fee_and_hold_back,
    a_wrong_note_or_waiver_is_taken_out,
    what_was_reached_before_a_receipt_stays_when_the_payment_was_wrong,
    a_deadline_that_lay_after_the_receipt_has_not_passed,
    who_was_told_by_phone_that_nothing_is_owed_was_told,
    a_wrong_absence_leaves_no_trace_and_a_right_one_is_told_once,
    what_cannot_be_taken_out_says_why,
    a_wrong_cancellation_of_a_visit_that_took_place_is_taken_out,
    a_fee_that_was_void_before_its_notice_left_is_asked_for_once,
    a_corrected_number_of_ill_children_counts,
);
