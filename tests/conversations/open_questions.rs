//! Which question an answer belongs to.

use super::*;
use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World, at, sample_with};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::notice::Origin;
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::ask_date;
use courtesy::simulator::time;
use courtesy::store::sessions;

/// The sample, with Maire agreed by chat and by text.
fn on_two_channels() -> String {
    SAMPLE.replace(
        "5500100107,telegram,en,yes,",
        "5500100107,telegram,en,yes:telegram+sms,",
    )
}

/// The sample with a second visit of BRK-0105 on the Sunday; both are asked about.
async fn saturday_and_sunday(on: On) -> World {
    let w = World::new(
        on,
        "2026-11-27T10:00",
        &[BIRCHFIELD, LIFFEY],
        &sample_with(&[("BRK-0105", &[("session_date", "2026-11-29")])]),
    )
    .await;
    w.until("2026-11-27T10:30").await;
    w
}

/// Asks both parents of a case whether they can come on Sunday afternoon instead.
async fn ask_for_sunday(w: &World, case: &str) {
    let (s, _) = w.session(case).await;
    ask_date::ask(
        &w.svc,
        &s.id,
        parse_local("2026-11-29T14:00").unwrap(),
        Origin::Parent,
        &Recording {
            by: "test",
            at: w.svc.clock.now(),
        },
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
}

async fn a_request_after_a_date_question_gets_the_answer(on: On) {
    let w = World::sample(on, "2026-11-24T10:00").await;
    for case in ["BRK-0105", "BRK-0104"] {
        ask_for_sunday(&w, case).await;
    }
    w.until("2026-11-26T10:10").await;
    assert!(
        w.last(CONTACT).contains("your visit is Sat 28 Nov"),
        "{}",
        w.last(CONTACT)
    );
    w.says(CONTACT, "NO").await;
    assert!(
        w.last(CONTACT).contains("to cancel Sat 28 Nov"),
        "the request is the newest question: {}",
        w.last(CONTACT)
    );
    w.says(RESIDENT, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked confirmed none");
    w.chats_in(MAIRE, "no").await;
    assert!(
        w.chat(MAIRE).last().unwrap().contains("Cancel this visit"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.end().await;
}

async fn a_date_question_after_a_request_gets_the_answer_unless_it_may_have_crossed(on: On) {
    // The other way round: the question about the date came last. While one may have crossed the
    // other nobody guesses.
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T12:00").await;
    ask_for_sunday(&w, "BRK-0105").await;
    w.until("2026-11-26T12:01").await;
    w.says(RESIDENT, "yes").await;
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await
        ),
        ("booked none none", vec![TaskKind::ReadMessage])
    );
    w.until("2026-11-26T12:05").await;
    w.says(CONTACT, "no").await;
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::DateDeclined));
    assert!(!w.last(CONTACT).contains("to cancel"));
    w.end().await;
}

async fn a_yes_in_a_chat_ends_a_question_asked_by_text(on: On) {
    let w = World::new(
        on,
        "2026-11-26T10:00",
        &[BIRCHFIELD, LIFFEY],
        &on_two_channels(),
    )
    .await;
    w.says(MAIRE_PHONE, "no").await;
    let code = w.code(MAIRE_PHONE, "other");
    w.chats_in(MAIRE, "yes").await;
    assert_eq!(w.stands("BRK-0104").await, "booked confirmed none");
    w.says(MAIRE_PHONE, &code).await;
    assert_eq!(
        w.stands("BRK-0104").await,
        "booked confirmed none",
        "the YES ended the question, wherever it was asked"
    );
    w.end().await;
}

async fn notice_counts_from_the_first_no_on_any_channel(on: On) {
    // The notice counts from the first NO, also when the cancellation is finished in another place.
    let w = World::new(
        on,
        "2026-11-26T10:00",
        &[BIRCHFIELD, LIFFEY],
        &on_two_channels(),
    )
    .await;
    w.until("2026-11-26T11:05").await;
    w.says(MAIRE_PHONE, "no").await;
    let code = w.code(MAIRE_PHONE, "other");
    w.until("2026-11-26T16:00").await;
    w.chats_in(MAIRE, "no").await;
    w.says(MAIRE_PHONE, &code).await;
    assert_eq!(
        w.stands("BRK-0104").await,
        "booked none none",
        "the older code is no longer valid"
    );
    w.presses(MAIRE, "Cancel this visit").await;
    assert_eq!(w.stands("BRK-0104").await, "cancelled cancelled none");
    let (s, _) = w.session("BRK-0104").await;
    assert_eq!(
        s.cancelled_at.unwrap().timestamp(),
        at("2026-11-26T11:05").timestamp()
    );
    w.end().await;
}

async fn notice_counts_from_the_no_that_was_asked_back(on: On) {
    // Siobhan has two cases. She says NO in time; which one is meant she says when it is late.
    let w = World::sample(on, "2026-11-27T09:00").await;
    w.until("2026-11-27T14:20").await;
    let phone = "+447700900101";
    w.says(phone, "NO").await;
    assert!(w.last(phone).contains("which visit?"), "{}", w.last(phone));
    w.until("2026-11-27T14:40").await;
    w.says(phone, "2").await;
    assert!(
        w.last(phone).contains("to cancel Sun 29 Nov"),
        "{}",
        w.last(phone)
    );
    w.says(phone, &w.code(phone, "other")).await;
    let (s, _) = w.session("BRK-0111").await;
    assert_eq!(
        (s.state.as_str(), s.cancelled_at.unwrap().timestamp()),
        ("cancelled", at("2026-11-27T14:20").timestamp())
    );
    w.end().await;
}

async fn the_number_means_the_newest_wish_and_none_is_lost(on: On) {
    let w = saturday_and_sunday(on).await;
    w.says(CONTACT, "yes").await;
    assert!(
        w.last(CONTACT).contains("which visit?"),
        "{}",
        w.last(CONTACT)
    );
    w.until("2026-11-27T10:33").await;
    w.says(CONTACT, "no").await;
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::CancelUnfinished],
        "its text is not said twice in an hour"
    );
    w.says(CONTACT, "1").await;
    assert!(
        w.last(CONTACT).contains("to cancel Sat 28 Nov"),
        "{}",
        w.last(CONTACT)
    );
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["booked none none", "booked none none"]
    );
    assert!(w.tasks("BRK-0105").await.is_empty(), "its number came");
    w.says(RESIDENT, "no").await;
    w.until("2026-11-27T10:36").await;
    w.says(RESIDENT, "yes").await;
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::ReadMessage],
        "a YES that cannot be asked back is read"
    );
    w.says(RESIDENT, "2").await;
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["booked none none", "booked confirmed none"]
    );
    w.end().await;
}

async fn a_yes_ends_the_first_time_of_a_no_that_was_asked_back(on: On) {
    let w = saturday_and_sunday(on).await;
    w.says(RESIDENT, "NO").await;
    assert!(
        w.last(RESIDENT).contains("which visit?"),
        "{}",
        w.last(RESIDENT)
    );
    w.until("2026-11-27T10:40").await;
    for text in ["yes saturday", "yes sunday"] {
        w.says(RESIDENT, text).await;
    }
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["booked confirmed none", "booked confirmed none"]
    );
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::ReadMessage],
        "nobody is rung for it; that the NO was left open is read"
    );
    w.until("2026-11-27T14:00").await;
    w.says(RESIDENT, "1").await;
    assert!(
        !w.last(RESIDENT).contains("to cancel"),
        "the number answers nothing any more: {}",
        w.last(RESIDENT)
    );
    w.says(RESIDENT, "no").await;
    w.says(RESIDENT, "2").await;
    w.says(RESIDENT, &w.code(RESIDENT, "other")).await;
    let sunday = sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|(s, _)| s.case_ref == "BRK-0105")
        .nth(1)
        .unwrap()
        .0;
    assert_eq!(
        (
            sunday.state.as_str(),
            sunday.cancelled_at.unwrap().timestamp()
        ),
        ("cancelled", at("2026-11-27T14:00").timestamp())
    );
    w.end().await;
}

crate::on_both!(
    a_request_after_a_date_question_gets_the_answer,
    a_date_question_after_a_request_gets_the_answer_unless_it_may_have_crossed,
    a_yes_in_a_chat_ends_a_question_asked_by_text,
    notice_counts_from_the_first_no_on_any_channel,
    notice_counts_from_the_no_that_was_asked_back,
    the_number_means_the_newest_wish_and_none_is_lost,
    a_yes_ends_the_first_time_of_a_no_that_was_asked_back,
);
