//! Fees, doctor's notes and holds through the real app: what is due, who is told what and when, and
//! what the other phone never shows.

use crate::common::{BIRCHFIELD, On, World, at, eventually, sample_with};
use courtesy::domain::ids::{FeeId, TaskId};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::money::policy::{Absent, Note, NoteSubject};
use courtesy::domain::people::role::Role;
use courtesy::domain::people::staff::StaffRole;
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::session::Reason;
use courtesy::flows::money::record::NewPayment;
use courtesy::flows::money::{lists, record as recorded, release};
use courtesy::flows::people::{calls, decision, referral};
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::closure::{self, ClosureRequest};
use courtesy::flows::visits::{answer, attendance, cancel, reinstate};
use courtesy::simulator::time;
use courtesy::store::cases::{self, Case};
use courtesy::store::{messages, sessions, staff, tasks};
use std::time::Duration;

pub const RESIDENT: &str = "+447700900101";
pub const CONTACT: &str = "+447700900102";
/// Four weeks after the first; the sample has one in between.
const THIRD: &[(&str, &str)] = &[("session_date", "2026-12-26")];

/// BRK-0101 with visits on 28 November, 12 and 26 December at 10:00; the resident arrives 9:45.
pub async fn world(on: On, now: &str) -> World {
    World::new(on, now, &[BIRCHFIELD], &birchfield(&[("BRK-0101", THIRD)])).await
}

/// The sample of one centre with more lines.
pub fn birchfield(lines: &[(&str, &[(&str, &str)])]) -> String {
    let all = sample_with(lines);
    all.lines()
        .filter(|l| !l.starts_with("LIF") && !l.contains("BRK-0111"))
        .map(|l| format!("{l}\n"))
        .collect()
}

pub async fn case(w: &World, case_ref: &str) -> Case {
    cases::find(&w.svc.db, case_ref).await.unwrap()
}

pub fn by<'a>(w: &World, who: &'a str) -> Recording<'a> {
    Recording {
        by: who,
        at: w.svc.clock.now(),
    }
}

/// The fees of a case: `due 4500 resident`.
pub async fn fees(w: &World, case_ref: &str) -> Vec<String> {
    let all = lists::fees(&w.svc.db, None, w.svc.clock.now())
        .await
        .unwrap();
    all.into_iter()
        .filter(|f| f.case_ref == case_ref)
        .map(|f| {
            format!(
                "{} {} {}",
                f.standing.fee,
                f.standing.outstanding,
                f.liable.unwrap()
            )
        })
        .collect()
}

pub async fn fee_id(w: &World, case_ref: &str) -> FeeId {
    lists::fees(&w.svc.db, None, w.svc.clock.now())
        .await
        .unwrap()
        .into_iter()
        .find(|f| f.case_ref == case_ref)
        .unwrap()
        .id
}

pub async fn task(w: &World, case_ref: &str, topic: TaskKind) -> TaskId {
    let all = tasks::list(&w.svc.db, None).await.unwrap();
    all.into_iter()
        .find(|t| t.topic == topic && t.state == "open" && t.case_ref.as_deref() == Some(case_ref))
        .unwrap_or_else(|| panic!("no open task {topic}"))
        .id
}

/// Moves the clock, and waits until it is known what became of the texts about money on the way.
pub async fn until(w: &World, local: &str) {
    w.until(local).await;
    eventually(
        Duration::from_secs(10),
        "receipts of the texts about money",
        || async {
            let all = messages::list(&w.svc.db, None).await.unwrap();
            (!all
                .iter()
                .any(|m| m.kind.is_money() && m.state.as_str() == "sent" && m.channel == "sms"))
            .then_some(())
        },
    )
    .await;
    time::settle(&w.svc).await.unwrap();
}

/// The kinds of texts about money of a case, as `kind state`.
pub async fn about_money(w: &World, case_ref: &str) -> Vec<String> {
    let all = messages::list(&w.svc.db, None).await.unwrap();
    let mut out: Vec<_> = all
        .into_iter()
        .filter(|m| m.kind.is_money() && m.case_ref.as_deref() == Some(case_ref))
        .collect();
    out.sort_by_key(|m| m.queued_at);
    out.into_iter()
        .map(|m| format!("{} {}", m.kind, m.state))
        .collect()
}

/// A parent cancels late by text and gives the reason.
pub async fn cancels(w: &World, phone: &str, option: &str) {
    w.says(phone, "no").await;
    let code = w.code(phone, option);
    w.says(phone, &code).await;
}

/// Nothing about money or a note stands on a phone, but a notice to all parties.
pub fn nothing_about_money(texts: &[String]) {
    for t in texts {
        let lower = t.to_lowercase();
        assert!(
            !lower.contains('£')
                && !lower.contains("fee is")
                && !lower.contains("note ")
                && !lower.contains("owed")
                && !lower.contains("doctor"),
            "{t}"
        );
    }
}

async fn an_ill_child_a_note_and_nothing_owed(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "child").await;
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 resident"]
    );
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: we have noted that you cannot come on Sat 28 Nov. We will contact you about \
         the next visit. Phone 020 7946 0101"
    );
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["note_request waiting"],
        "it stands in the list until the office opens"
    );
    until(&w, "2026-11-27T09:59").await;
    assert_eq!(w.got(RESIDENT).len(), 3);
    until(&w, "2026-11-27T10:00").await;
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: at your next visit please give us a doctor's note for Sat 28 Nov. Then there \
         is no fee. Without it the fee is due. Phone 020 7946 0101"
    );
    // The courtesy moment of the next visit, after the question about it and some distance from it.
    until(&w, "2026-12-10T10:00").await;
    assert!(
        w.last(RESIDENT)
            .contains("your visit is Sat 12 Dec, 9:45am"),
        "{}",
        w.last(RESIDENT)
    );
    until(&w, "2026-12-10T10:10").await;
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: on Sat 12 Dec please bring us the note for Sat 28 Nov. Without it the fee is \
         due that day. Phone 020 7946 0101"
    );
    until(&w, "2026-12-12T10:20").await;
    let (s, _) = w.session("BRK-0101").await;
    let day = "2026-11-28".parse().unwrap();
    let note = Note {
        about: NoteSubject::Child,
        from: day,
        to: day,
        children: None,
        brought: true,
    };
    let said = recorded::note(
        &w.svc,
        &case(&w, "BRK-0101").await,
        &s.id,
        &note,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(said, ["Sat 28 Nov 2026: the fee no longer applies"]);
    until(&w, "2026-12-12T12:00").await;
    assert!(
        !w.last(RESIDENT).contains("Nothing is owed"),
        "not while the family is there, and not on a Saturday"
    );
    until(&w, "2026-12-14T10:00").await;
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: about your visit on Sat 28 Nov. Nothing is owed for it. Phone 020 7946 0101"
    );
    until(&w, "2026-12-25T12:00").await;
    assert_eq!(fees(&w, "BRK-0101").await, ["waived 0 resident"]);
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        [
            "note_request delivered",
            "note_reminder delivered",
            "fee_settled delivered"
        ]
    );
    nothing_about_money(&w.got(CONTACT));
    let other = w.got(CONTACT);
    assert_eq!(
        other
            .iter()
            .filter(|t| t.contains("will not go ahead"))
            .count(),
        1
    );
    assert_eq!(
        other.len(),
        4,
        "two more visits were asked about, and nothing else: {other:?}"
    );
    w.end().await;
}

async fn without_a_note_up_to_the_closed_file_and_a_new_referral(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "child").await;
    until(&w, "2026-12-12T11:59").await;
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 resident"]
    );
    until(&w, "2026-12-12T12:00").await;
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["due 4500 resident"],
        "at the end of the next contact"
    );
    until(&w, "2026-12-14T10:00").await;
    assert_eq!(
        w.last(RESIDENT),
        "Birchfield: about your visit on Sat 28 Nov. Please pay a fee of £45 before the next \
         visit. New visits are booked after that. Questions? 020 7946 0101"
    );
    // Nothing goes to all parties by itself.
    until(&w, "2026-12-15T12:00").await;
    nothing_about_money(&w.got(CONTACT));
    let held = task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await;
    let e = release::release(&w.svc, &held, None, false, &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("ring the resident first"), "{e}");
    let form = release::release(&w.svc, &held, None, true, &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(
        form.lines[0].contains(
            "A payment is still open. Anyone may pay it. If unpaid by Tue \
                                    22 Dec the file will close."
        ),
        "{:?}",
        form.lines
    );
    assert!(
        form.lines.iter().any(|l| l
            .contains("contact (by text): owes nothing; will know that the payment is not theirs")),
        "{:?}",
        form.lines
    );
    assert_eq!(
        w.tasks("BRK-0101")
            .await
            .iter()
            .filter(|t| **t == TaskKind::ReleaseAllParties)
            .count(),
        1,
        "a look releases nothing"
    );
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(
        release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
            .await
            .is_err(),
        "once"
    );
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        w.got(CONTACT)
            .iter()
            .filter(|t| t.contains("payment is still open"))
            .count(),
        0,
        "ten minutes to take it back"
    );
    until(&w, "2026-12-15T12:10").await;
    assert_eq!(w.last(CONTACT), w.last(RESIDENT), "the same bytes to both");
    assert!(w.last(CONTACT).contains("by Tue 22 Dec"));
    // Seven days to the end of the seventh.
    until(&w, "2026-12-22T23:59").await;
    assert!(!case(&w, "BRK-0101").await.archived);
    until(&w, "2026-12-23T00:00").await;
    assert!(case(&w, "BRK-0101").await.archived);
    // A closed file gets no courtesy texts.
    until(&w, "2026-12-24T11:00").await;
    assert!(
        !w.last(CONTACT).contains("Sat 26 Dec"),
        "{}",
        w.last(CONTACT)
    );
    let held = task(&w, "BRK-0101", TaskKind::ReleaseCaseClosed).await;
    calls::rang(
        &w.svc,
        &case(&w, "BRK-0101").await,
        Role::Resident,
        "spoke",
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    release::release(&w.svc, &held, None, false, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-24T12:00").await;
    let closed = "Birchfield: your file is now closed and no visits are booked. To start again a \
                  new referral is needed. Phone 020 7946 0101";
    assert_eq!(
        (w.last(RESIDENT).as_str(), w.last(CONTACT).as_str()),
        (closed, closed)
    );
    // The money settles the debt and leaves the file closed; a new referral opens it.
    let c = case(&w, "BRK-0101").await;
    assert!(
        referral::referral(&w.svc, &c, &by(&w, "Mary"))
            .await
            .unwrap_err()
            .to_string()
            .contains("still owed")
    );
    recorded::payment(
        &w.svc,
        &c,
        &NewPayment {
            minor: 4500,
            by: "contact",
            again: false,
        },
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    until(&w, "2026-12-29T10:00").await;
    assert!(
        w.last(RESIDENT)
            .contains("Nothing is owed for it. The file stays closed"),
        "{}",
        w.last(RESIDENT)
    );
    assert_eq!(
        w.last(CONTACT),
        closed,
        "nobody learns who paid, nor that it was paid"
    );
    assert!(case(&w, "BRK-0101").await.archived);
    referral::referral(&w.svc, &c, &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(!case(&w, "BRK-0101").await.archived);
    w.end().await;
}

async fn any_other_reason_is_due_at_once_and_whoever_pays_settles_it(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-27T11:00").await;
    cancels(&w, CONTACT, "travel").await;
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 contact"]);
    assert!(
        !w.last(CONTACT).contains('£'),
        "the answer is silent about money"
    );
    until(&w, "2026-11-27T11:30").await;
    assert_eq!(
        w.last(CONTACT),
        "Birchfield: about your visit on Sat 28 Nov. Please pay a fee of £45 before the next \
         visit. New visits are booked after that. Questions? 020 7946 0101"
    );
    let c = case(&w, "BRK-0101").await;
    let pay = |minor, who| NewPayment {
        minor,
        by: who,
        again: false,
    };
    for (p, wrong) in [
        (pay(0, "resident"), "more than nothing"),
        (pay(-5, "resident"), "more than nothing"),
    ] {
        assert!(
            recorded::payment(&w.svc, &c, &p, &by(&w, "Mary"))
                .await
                .unwrap_err()
                .to_string()
                .contains(wrong)
        );
    }
    let elsewhere = recorded::payment(
        &w.svc,
        &case(&w, "BRK-0102").await,
        &pay(4500, "resident"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(
        elsewhere.contains("nothing was ever owed on BRK-0102"),
        "{elsewhere}"
    );
    let ahead = Recording {
        by: "Mary",
        at: at("2026-11-28T09:00"),
    };
    assert!(
        recorded::payment(&w.svc, &c, &pay(2000, "resident"), &ahead)
            .await
            .unwrap_err()
            .to_string()
            .contains("future")
    );
    recorded::payment(&w.svc, &c, &pay(2000, "resident"), &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["due 2500 contact"]);
    let twice = recorded::payment(&w.svc, &c, &pay(2000, "resident"), &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        twice.contains("the same payment (GBP 20.00 by resident) was recorded for that day"),
        "{twice}"
    );
    let said = recorded::payment(
        &w.svc,
        &c,
        &NewPayment {
            again: true,
            ..pay(3000, "resident")
        },
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(
        said,
        [
            "Sat 28 Nov 2026: paid",
            "GBP 5.00 more than is owed: a manager decides (task refund)"
        ]
    );
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::Refund));
    until(&w, "2026-11-27T12:00").await;
    assert_eq!(
        w.last(CONTACT),
        "Birchfield: about your visit on Sat 28 Nov. Nothing is owed for it. Phone 020 7946 0101"
    );
    nothing_about_money(&w.got(RESIDENT));
    // The deadline passes and nothing happens.
    until(&w, "2026-12-20T12:00").await;
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    w.end().await;
}

async fn staff_hold_or_waive_a_text_before_it_leaves(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    let all = messages::list(&w.svc.db, None).await.unwrap();
    let waiting = all
        .iter()
        .find(|m| m.kind.as_str() == "fee_notice")
        .unwrap();
    assert_eq!(
        (waiting.state.as_str(), waiting.not_before),
        ("waiting", at("2026-11-27T10:00"))
    );
    let mut tx = w.svc.db.begin().await.unwrap();
    assert!(
        courtesy::store::money::hold_text(&mut tx, &waiting.id, "Mary", w.svc.clock.now())
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    until(&w, "2026-11-27T12:00").await;
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_notice waiting"],
        "held"
    );
    // Only a manager waives, once people are named.
    let fee = fee_id(&w, "BRK-0101").await;
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
    let no = |e: courtesy::flows::error::Error| e.to_string();
    assert!(
        no(
            recorded::decide(&w.svc, &fee, true, "first time", &by(&w, "Mary"))
                .await
                .unwrap_err()
        )
        .contains("for a manager to decide")
    );
    assert!(
        no(
            recorded::decide(&w.svc, &fee, true, "first time", &by(&w, "Nobody"))
                .await
                .unwrap_err()
        )
        .contains("is no person of this centre")
    );
    assert!(
        no(recorded::decide(&w.svc, &fee, true, " ", &by(&w, "Helen"))
            .await
            .unwrap_err())
        .contains("say why")
    );
    let c = case(&w, "BRK-0101").await;
    assert!(
        no(recorded::payment(
            &w.svc,
            &c,
            &NewPayment {
                minor: 4500,
                by: "contact",
                again: false
            },
            &by(&w, "Tom")
        )
        .await
        .unwrap_err())
        .contains("may not record this")
    );
    recorded::decide(&w.svc, &fee, true, "first time", &by(&w, "Helen"))
        .await
        .unwrap();
    assert!(
        no(
            recorded::decide(&w.svc, &fee, true, "again", &by(&w, "Helen"))
                .await
                .unwrap_err()
        )
        .contains("waived already")
    );
    until(&w, "2026-11-27T13:00").await;
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_notice withdrawn", "fee_settled delivered"]
    );
    assert!(w.got(CONTACT).iter().all(|t| !t.contains('£')));
    w.end().await;
}

async fn a_closure_ends_an_unpaid_fee_and_a_reinstated_visit_has_none(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 contact"]);
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
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["waived 0 contact"],
        "C13: it could not have taken place"
    );
    until(&w, "2026-11-27T12:00").await;
    assert_eq!(
        w.last(CONTACT),
        "Birchfield: about your visit on Sat 28 Nov. Nothing is owed for it. Phone 020 7946 0101"
    );
    w.end().await;

    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, CONTACT, "other").await;
    until(&w, "2026-11-27T11:00").await;
    let (s, _) = w.session("BRK-0101").await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    assert!(
        reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
            .await
            .is_err()
    );
    until(&w, "2026-11-27T12:00").await;
    assert_eq!(fees(&w, "BRK-0101").await, [] as [&str; 0]);
    let on_again = |t: &str| {
        format!(
            "Birchfield: the visit on Sat 28 Nov, {t} will go ahead after all. Reply YES if you \
             will come. Phone 020 7946 0101"
        )
    };
    assert_eq!(w.last(RESIDENT), on_again("9:45am"));
    assert!(
        w.got(CONTACT).contains(&on_again("10am")) && w.last(CONTACT).contains("Nothing is owed"),
        "{:?}",
        w.got(CONTACT)
    );
    w.says(RESIDENT, "yes").await;
    assert_eq!(w.stands("BRK-0101").await, "booked confirmed none");
    w.end().await;
}

async fn a_cancellation_that_nobody_heard_of_comes_back_without_a_trace(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:01").await;
    cancels(&w, CONTACT, "other").await;
    let before = w.got(RESIDENT);
    let (s, _) = w.session("BRK-0101").await;
    reinstate::reinstate(&w.svc, &s.id, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-27T19:00").await;
    assert_eq!(
        w.got(RESIDENT),
        before,
        "the other parent never hears that it was off"
    );
    assert!(
        w.got(CONTACT)
            .iter()
            .any(|t| t.contains("will go ahead after all"))
    );
    w.end().await;
}

async fn a_no_show_is_charged_to_whom_staff_name(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    let (s, _) = w.session("BRK-0101").await;
    let early = attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(early.contains("had not begun"), "{early}");
    until(&w, "2026-11-28T10:40").await;
    attendance::no_show(&w.svc, &s.id, Absent::Unknown, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        [] as [&str; 0],
        "C12: nobody in particular"
    );
    attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 contact"]);
    // He was in the car park: the later record takes the place of the earlier one, and no text had
    // left.
    attendance::attended(&w.svc, &s.id, "both", &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, [] as [&str; 0]);
    until(&w, "2026-12-01T12:00").await;
    assert!(w.got(CONTACT).iter().all(|t| !t.contains('£')));
    assert_eq!(
        w.stands("BRK-0101").await.split(' ').next(),
        Some("attended")
    );
    w.end().await;
}

async fn who_was_named_by_mistake_hears_it_and_the_right_one_is_asked(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-28T12:10").await;
    let (s, _) = w.session("BRK-0101").await;
    attendance::no_show(&w.svc, &s.id, Absent::Contact, &by(&w, "Tom"))
        .await
        .unwrap();
    // The other volunteer saw the resident: that says nothing of him.
    attendance::attended(&w.svc, &s.id, "resident", &by(&w, "Ann"))
        .await
        .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 contact"]);
    // Corrected before anything left: the right parent is asked, the wrong one hears nothing.
    attendance::no_show(&w.svc, &s.id, Absent::Resident, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-30T10:30").await;
    assert!(
        w.last(RESIDENT).contains("pay a fee of £45"),
        "{}",
        w.last(RESIDENT)
    );
    nothing_about_money(&w.got(CONTACT));
    // Corrected after it left: nothing is owed after all.
    attendance::attended(&w.svc, &s.id, "both", &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-11-30T11:00").await;
    assert!(
        w.last(RESIDENT).contains("Nothing is owed"),
        "{}",
        w.last(RESIDENT)
    );
    assert_eq!(
        w.stands("BRK-0101").await.split(' ').next(),
        Some("attended")
    );
    w.end().await;
}

async fn nobody_travels_to_a_visit_of_a_closed_file(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "other").await;
    until(&w, "2026-12-14T10:00").await;
    let held = task(&w, "BRK-0101", TaskKind::ReleaseAllParties).await;
    release::release(&w.svc, &held, Some("no answer"), false, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-23T12:00").await;
    assert!(case(&w, "BRK-0101").await.archived);
    let all = sessions::list(&w.svc.db, None).await.unwrap();
    let third = all
        .into_iter()
        .map(|(s, _)| s)
        .find(|s| {
            s.case_ref == "BRK-0101" && s.start_local == parse_local("2026-12-26T10:00").unwrap()
        })
        .unwrap();
    cancel::cancel(&w.svc, &third.id, &by(&w, "Mary"))
        .await
        .unwrap();
    until(&w, "2026-12-23T14:00").await;
    assert!(
        w.got(CONTACT).iter().all(|t| !t.contains("26 Dec")),
        "a closed file gets no texts"
    );
    assert_eq!(
        w.tasks("BRK-0101")
            .await
            .iter()
            .filter(|t| **t == TaskKind::RingSessionOff)
            .count(),
        2,
        "both are rung"
    );
    w.end().await;
}

async fn a_threat_stops_money_texts_to_the_one_who_wrote_it_alone(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T17:00").await;
    w.says(RESIDENT, "he said he will kill me if I bring him")
        .await;
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::Safeguarding));
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "other").await;
    until(&w, "2026-11-30T12:00").await;
    assert!(
        w.got(RESIDENT).iter().all(|t| !t.contains('£')),
        "no bill for being threatened out of a visit"
    );
    let paused = task(&w, "BRK-0101", TaskKind::MoneyPaused).await;
    let e = release::release(&w.svc, &paused, None, false, &by(&w, "Helen"))
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("safety is open"), "{e}");
    let alarm = task(&w, "BRK-0101", TaskKind::Safeguarding).await;
    decision::decision(&w.svc, &alarm, None, "spoke to her", &by(&w, "Helen"))
        .await
        .unwrap();
    release::release(&w.svc, &paused, None, false, &by(&w, "Helen"))
        .await
        .unwrap();
    until(&w, "2026-11-30T13:00").await;
    assert!(w.last(RESIDENT).contains("pay a fee of £45"));
    w.end().await;
}

async fn who_cannot_be_texted_is_told_by_phone_and_only_then_the_clock_runs(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-27T11:00").await;
    cancels(&w, CONTACT, "other").await;
    w.says(CONTACT, "STOP").await;
    until(&w, "2026-12-12T12:00").await;
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::TellByPhone));
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "nobody was told: no clock"
    );
    calls::told(
        &w.svc,
        &case(&w, "BRK-0101").await,
        Role::Contact,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert!(!w.tasks("BRK-0101").await.contains(&TaskKind::TellByPhone));
    until(&w, "2026-12-26T09:59").await;
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties)
    );
    until(&w, "2026-12-26T10:01").await;
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::ReleaseAllParties),
        "the first session after the telling"
    );
    w.end().await;
}

async fn notes_that_do_not_fit_are_for_a_person(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "child").await;
    let c = case(&w, "BRK-0101").await;
    let (s, _) = w.session("BRK-0101").await;
    let note = |about, from: &str, to: &str| Note {
        about,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        children: None,
        brought: false,
    };
    let e = recorded::note(
        &w.svc,
        &c,
        &s.id,
        &note(NoteSubject::Child, "2026-11-28", "2026-11-27"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("before it begins"), "{e}");
    let other = case(&w, "BRK-0102").await;
    let e = recorded::note(
        &w.svc,
        &other,
        &s.id,
        &note(NoteSubject::Child, "2026-11-28", "2026-11-28"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("belongs to another case"), "{e}");
    recorded::note(
        &w.svc,
        &c,
        &s.id,
        &note(NoteSubject::Child, "2026-11-29", "2026-11-29"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    recorded::note(
        &w.svc,
        &c,
        &s.id,
        &note(NoteSubject::Resident, "2026-11-28", "2026-11-28"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 resident"]
    );
    assert_eq!(
        w.tasks("BRK-0101")
            .await
            .iter()
            .filter(|t| **t == TaskKind::NoteMismatch)
            .count(),
        2
    );
    recorded::note(
        &w.svc,
        &c,
        &s.id,
        &note(NoteSubject::Child, "2026-11-27", "2026-11-29"),
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(fees(&w, "BRK-0101").await, ["waived 0 resident"]);
    // A cancellation after the visit began is no cancellation.
    until(&w, "2026-12-12T10:30").await;
    let second = sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .map(|(s, _)| s)
        .find(|s| {
            s.case_ref == "BRK-0101" && s.start_local == parse_local("2026-12-12T10:00").unwrap()
        });
    let late = answer::answer(
        &w.svc,
        &second.unwrap().id,
        Role::Contact,
        false,
        None,
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(late.contains("had begun"), "{late}");
    w.end().await;
}

async fn contact_by_court_order_is_off_at_once_and_looked_at(on: On) {
    let w = world(on, "2026-11-24T09:00").await;
    // BRK-0102 is court-ordered. Cancelled with five days' notice: no fee, but a person looks, and
    // it is to be replaced.
    let (s, _) = w.session("BRK-0102").await;
    answer::answer(
        &w.svc,
        &s.id,
        Role::Resident,
        false,
        Some(Reason::Other),
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert_eq!(
        w.stands("BRK-0102").await.split(' ').next(),
        Some("cancelled"),
        "the child will not be there"
    );
    until(&w, "2026-11-24T10:00").await;
    let tasks = w.tasks("BRK-0102").await;
    assert!(
        tasks.contains(&TaskKind::CourtOrder) && tasks.contains(&TaskKind::Replacement),
        "{tasks:?}"
    );
    assert_eq!(fees(&w, "BRK-0102").await, [] as [&str; 0]);
    let look = task(&w, "BRK-0102", TaskKind::CourtOrder).await;
    decision::decision(
        &w.svc,
        &look,
        Some(true),
        "hospital letter seen",
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    assert!(
        decision::decision(&w.svc, &look, Some(true), "again", &by(&w, "Mary"))
            .await
            .is_err()
    );
    let tasks = w.tasks("BRK-0102").await;
    assert!(
        !tasks.contains(&TaskKind::CourtOrder) && tasks.contains(&TaskKind::Replacement),
        "{tasks:?}"
    );
    w.end().await;
}

async fn an_illness_that_is_told_later_turns_the_fee(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    cancels(&w, RESIDENT, "other").await;
    assert_eq!(fees(&w, "BRK-0101").await, ["due 4500 resident"]);
    let (s, _) = w.session("BRK-0101").await;
    // On Friday she writes why; on Monday, after the visit, staff hear it on the phone: both count,
    // and the second changes nothing more.
    until(&w, "2026-11-27T09:00").await;
    w.says(RESIDENT, "we cant make it my daughter is ill").await;
    assert_eq!(
        fees(&w, "BRK-0101").await,
        ["provisional_awaiting_note 0 resident"]
    );
    until(&w, "2026-11-30T10:00").await;
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_notice withdrawn", "note_request delivered"]
    );
    recorded::illness_told(
        &w.svc,
        &s.id,
        Role::Resident,
        Reason::IllChild,
        &by(&w, "Mary"),
    )
    .await
    .unwrap();
    let e = recorded::illness_told(
        &w.svc,
        &s.id,
        Role::Contact,
        Reason::IllSelf,
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("had not cancelled"), "{e}");
    let e = recorded::illness_told(
        &w.svc,
        &s.id,
        Role::Resident,
        Reason::Travel,
        &by(&w, "Mary"),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("only an illness"), "{e}");
    until(&w, "2026-12-01T12:00").await;
    assert_eq!(
        about_money(&w, "BRK-0101").await,
        ["fee_notice withdrawn", "note_request delivered"]
    );
    nothing_about_money(&w.got(CONTACT));
    w.end().await;
}

async fn several_children_and_nobody_said_how_many_are_ill(on: On) {
    let w = world(on, "2026-11-26T09:59").await;
    until(&w, "2026-11-26T18:00").await;
    // BRK-0109 has two children; the visit is on Sunday.
    until(&w, "2026-11-27T18:00").await;
    cancels(&w, "+447700900117", "child").await;
    assert!(w.tasks("BRK-0109").await.contains(&TaskKind::ChildrenCount));
    assert_eq!(
        fees(&w, "BRK-0109").await,
        ["provisional_awaiting_note 0 resident"]
    );
    let (s, _) = w.session("BRK-0109").await;
    let e = attendance::ill_children(&w.svc, &s.id, 3, &by(&w, "Mary"))
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("2 children attend"), "{e}");
    attendance::ill_children(&w.svc, &s.id, 1, &by(&w, "Mary"))
        .await
        .unwrap();
    assert_eq!(
        fees(&w, "BRK-0109").await,
        ["due 4500 resident"],
        "the other could have come"
    );
    assert!(!w.tasks("BRK-0109").await.contains(&TaskKind::ChildrenCount));
    w.end().await;
}

crate::on_both!(
    contact_by_court_order_is_off_at_once_and_looked_at,
    an_illness_that_is_told_later_turns_the_fee,
    several_children_and_nobody_said_how_many_are_ill,
    an_ill_child_a_note_and_nothing_owed,
    without_a_note_up_to_the_closed_file_and_a_new_referral,
    any_other_reason_is_due_at_once_and_whoever_pays_settles_it,
    staff_hold_or_waive_a_text_before_it_leaves,
    a_closure_ends_an_unpaid_fee_and_a_reinstated_visit_has_none,
    a_cancellation_that_nobody_heard_of_comes_back_without_a_trace,
    a_no_show_is_charged_to_whom_staff_name,
    a_threat_stops_money_texts_to_the_one_who_wrote_it_alone,
    who_was_named_by_mistake_hears_it_and_the_right_one_is_asked,
    nobody_travels_to_a_visit_of_a_closed_file,
    who_cannot_be_texted_is_told_by_phone_and_only_then_the_clock_runs,
    notes_that_do_not_fit_are_for_a_person,
);
