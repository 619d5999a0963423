//! Stories through the real app: its own clock, the practice service on loopback, both databases.

use crate::common::{BIRCHFIELD, On, SAMPLE, World, at};
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::flows::receive;
use courtesy::flows::recording::Recording;
use courtesy::flows::scan::confirmations;
use courtesy::flows::visits::{answer, cancel};
use courtesy::simulator::{OUR_NUMBER, time};
use courtesy::store::{centres, messages};

/// People of the sample: BRK-0101 (10:00), BRK-0105 (13:00, arrivals 12:55 and 13:05), BRK-0109
/// (Sunday 10:00).
const RESIDENT_101: &str = "+447700900101";
const CONTACT_101: &str = "+447700900102";
const RESIDENT_103: &str = "+447700900105";
const CONTACT_103: &str = "+447700900106";
const RESIDENT_105: &str = "+447700900109";
const CONTACT_105: &str = "+447700900110";
const RESIDENT_109: &str = "+447700900117";
const CONTACT_109: &str = "+447700900118";

async fn both_are_asked_at_the_same_instant_and_a_yes_is_confirmed(on: On) {
    let w = World::sample(on, "2026-11-26T09:59").await;
    assert!(w.news().is_empty());
    w.until("2026-11-26T10:00").await;
    let texts = w.news();
    assert_eq!(
        texts.len(),
        12,
        "six Saturday sessions at each of the phones that take texts"
    );
    assert!(texts.iter().all(|m| {
        m.body
            .contains("Reply YES if you will come or NO if you cannot")
    }));
    assert_eq!(
        w.got(RESIDENT_101),
        [
            "Birchfield: your visit is Sat 28 Nov, 9:45am. Reply YES if you will come or NO if you \
             cannot. If you cancel now a fee may apply. Phone 020 7946 0101"
        ]
    );
    assert_eq!(
        w.got(CONTACT_103),
        [] as [&str; 0],
        "opted out before: rung, not texted"
    );
    assert!(w.tasks("BRK-0103").await.contains(&TaskKind::RingOptedOut));
    w.says(RESIDENT_101, "Yes thanks").await;
    assert_eq!(
        w.last(RESIDENT_101),
        "Birchfield: thank you. You have confirmed Sat 28 Nov, 9:45am."
    );
    assert_eq!(w.stands("BRK-0101").await, "booked confirmed none");
    assert_eq!(w.got(CONTACT_101).len(), 1, "the other hears nothing of it");
    // The scan is idempotent, and nobody is asked twice.
    w.news();
    w.until("2026-11-27T09:59").await;
    assert!(w.news().is_empty());
    w.end().await;
}

async fn a_no_is_finished_by_its_code_and_the_other_hears_neutrally_on_the_quarter_hour(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "no we cant come").await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none none",
        "a NO alone changes nothing"
    );
    let code = w.code(CONTACT_105, "other");
    w.says("+447700900199", &code).await;
    w.says(RESIDENT_101, &code).await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none none",
        "the code counts from its own phone only"
    );
    w.until("2026-11-26T10:03:20").await;
    w.says(CONTACT_105, &code).await;
    assert_eq!(w.stands("BRK-0105").await, "cancelled none cancelled");
    assert_eq!(
        w.last(CONTACT_105),
        "Birchfield: we have noted that you cannot come on Sat 28 Nov. There is no charge. We will \
         contact you about the next visit."
    );
    assert_eq!(w.got(RESIDENT_105).len(), 1, "not yet");
    w.until("2026-11-26T10:29:59").await;
    assert_eq!(w.got(RESIDENT_105).len(), 1, "not before the quarter hour");
    w.until("2026-11-26T10:30").await;
    assert_eq!(
        w.last(RESIDENT_105),
        "Birchfield: the visit on Sat 28 Nov, 12:55pm will not go ahead. We do not give reasons. \
         We will contact you about the next one. Phone 020 7946 0101"
    );
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::Cancellation));
    // A YES after that never reinstates (C11).
    w.says(CONTACT_105, "YES").await;
    assert_eq!(w.stands("BRK-0105").await, "cancelled none cancelled");
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::Reconfirm));
    assert!(w.last(CONTACT_105).contains("Staff will read this"));
    w.end().await;
}

async fn a_late_no_gets_reasons_and_counts_from_the_first_no(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T10:05").await;
    w.says(RESIDENT_101, "no").await;
    let text = w.last(RESIDENT_101);
    assert!(
        text.contains("1 child ill")
            && text.contains("4 other")
            && text.contains("A fee may apply"),
        "{text}"
    );
    let code = w.code(RESIDENT_101, "other");
    w.until("2026-11-26T19:00").await;
    w.says(RESIDENT_101, &code).await;
    let (s, _) = w.session("BRK-0101").await;
    assert_eq!(
        s.cancelled_at.unwrap().timestamp(),
        at("2026-11-26T10:05").timestamp()
    );
    assert!(
        !w.last(RESIDENT_101).contains("charge"),
        "late: silent about money"
    );
    w.end().await;
}

async fn until_the_release_a_yes_takes_it_back_without_trace(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "NO").await;
    let code = w.code(CONTACT_105, "other");
    w.until("2026-11-26T14:03").await;
    w.says(CONTACT_105, &code).await;
    w.until("2026-11-26T14:12").await;
    w.says(CONTACT_105, "YES").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.until("2026-11-26T16:00").await;
    assert_eq!(w.got(RESIDENT_105).len(), 1, "the other phone stays silent");
    w.end().await;
}

async fn a_cancellation_at_the_moment_wins_and_taken_back_the_other_is_still_asked(on: On) {
    // K12, counted from the release: before it the other parent is asked as if it were on, or the
    // silence would tell.
    for (told, texts) in [
        ("2026-11-26T09:44", vec!["will not go ahead"]),
        (
            "2026-11-26T09:50",
            vec!["your visit is", "will not go ahead"],
        ),
    ] {
        let w = World::sample(on, told).await;
        let (s, _) = w.session("BRK-0105").await;
        answer::answer(
            &w.svc,
            &s.id,
            Role::Contact,
            false,
            None,
            &Recording {
                by: "test",
                at: w.svc.clock.now(),
            },
        )
        .await
        .unwrap();
        time::settle(&w.svc).await.unwrap();
        w.until("2026-11-26T12:00").await;
        let got = w.got(RESIDENT_105);
        assert!(
            got.len() == texts.len() && got.iter().zip(&texts).all(|(t, part)| t.contains(part)),
            "{told}: {got:#?}"
        );
        w.end().await;
    }

    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-27T09:50").await;
    w.says(CONTACT_109, "no").await;
    assert!(
        w.last(CONTACT_109).contains("to cancel Sun 29 Nov"),
        "one visit ahead: it is clear which, also before anything was asked"
    );
    w.end().await;
}

async fn three_hours_before_the_other_is_told_at_once(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-28T10:20").await;
    w.says(CONTACT_105, "no").await;
    w.says(CONTACT_105, &w.code(CONTACT_105, "travel")).await;
    assert!(w.last(RESIDENT_105).contains("will not go ahead"));
    w.end().await;
}

async fn wrong_codes_end_with_a_person(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_101, "no").await;
    let right = w.code(CONTACT_101, "other");
    for wrong in ["0000", "0001", "0002"] {
        w.says(CONTACT_101, wrong).await;
    }
    w.says(CONTACT_101, &right).await;
    assert_eq!(
        w.stands("BRK-0101").await,
        "booked none none",
        "after three wrong tries the right one is dead"
    );
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::CancelByPhone));
    w.says(CONTACT_101, "no").await;
    assert!(
        w.last(CONTACT_101).contains("Staff will read this"),
        "no more cancelling by text for that session"
    );
    w.end().await;
}

async fn an_unfinished_cancellation_becomes_a_ring_task(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "no").await;
    assert!(w.tasks("BRK-0105").await.is_empty());
    w.until("2026-11-26T10:31").await;
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    assert_eq!(w.tasks("BRK-0105").await, [TaskKind::CancelUnfinished]);
    w.says(CONTACT_105, "yes").await;
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await.len()
        ),
        ("booked none confirmed", 0),
        "a YES keeps the visit and ends the task"
    );
    w.end().await;
}

async fn by_word_where_the_centre_wants_it(on: On) {
    let centre = BIRCHFIELD.replace("[rules]", "[rules]\ncancel_answer = \"word\"");
    let w = World::new(
        on,
        "2026-11-26T10:00",
        &[&centre, crate::common::LIFFEY],
        SAMPLE,
    )
    .await;
    w.says(CONTACT_101, "No").await;
    assert!(
        w.last(CONTACT_101)
            .contains("ILL CHILD, ILL ME, TRAVEL or OTHER")
    );
    w.says(CONTACT_101, "other").await;
    assert_eq!(w.stands("BRK-0101").await, "cancelled none cancelled");
    w.end().await;
}

async fn a_moved_session_withdraws_the_old_texts_and_asks_both_anew(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(RESIDENT_105, "YES").await;
    w.until("2026-11-26T11:00").await;
    w.moves("BRK-0105", "2026-11-28T14:00").await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none none",
        "the old answer is void"
    );
    assert_eq!(
        w.last(RESIDENT_105),
        "Birchfield: your visit has moved from Sat 28 Nov 12:55pm to Sat 28 Nov 1:55pm. Reply YES \
         if you will come. Phone 020 7946 0101"
    );
    assert_eq!(
        w.last(CONTACT_105),
        "Birchfield: your visit has moved from Sat 28 Nov 1:05pm to Sat 28 Nov 2:05pm. Reply YES \
         if you will come. Phone 020 7946 0101"
    );
    // A YES that may have crossed the new text confirms nothing: asked once more.
    w.says(RESIDENT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    assert!(
        w.last(RESIDENT_105)
            .contains("your visit is Sat 28 Nov, 1:55pm")
    );
    w.until("2026-11-26T11:03").await;
    w.says(RESIDENT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked confirmed none");
    // The courtesy moment has passed: the move was the request, and no second one comes.
    w.news();
    w.until("2026-11-27T09:00").await;
    assert!(w.news().is_empty());
    w.end().await;
}

async fn a_move_before_the_courtesy_moment_is_followed_by_the_request_unless_it_was_answered(
    on: On,
) {
    let w = World::sample(on, "2026-11-24T12:00").await;
    w.moves("BRK-0109", "2026-11-29T11:00").await;
    w.until("2026-11-24T12:05").await;
    w.says(RESIDENT_109, "yes").await;
    w.until("2026-11-27T10:00").await;
    assert!(
        w.last(RESIDENT_109)
            .contains("You have confirmed Sun 29 Nov, 10:45am"),
        "answered the move: not asked again"
    );
    assert!(
        w.last(CONTACT_109)
            .contains("your visit is Sun 29 Nov, 11am"),
        "did not: asked at the courtesy moment"
    );
    w.end().await;
}

async fn stop_start_help_and_whatever_is_unclear(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_101, "help").await;
    assert!(w.last(CONTACT_101).contains("STOP to end texts"));
    w.says(CONTACT_101, "what if he brings his girlfriend")
        .await;
    w.says(RESIDENT_103, "you lot are a joke").await;
    assert_eq!(
        w.last(CONTACT_101),
        w.last(RESIDENT_103),
        "the same bytes for everything that a person reads"
    );
    let before = w.got(CONTACT_101).len();
    w.says(CONTACT_101, "what about his dog").await;
    assert_eq!(
        w.got(CONTACT_101).len(),
        before,
        "the hand-over text comes once an hour"
    );
    assert_eq!(
        w.tasks("BRK-0101").await,
        [TaskKind::ReadMessage, TaskKind::ReadMessage],
        "each message is a task all the same"
    );
    w.says(CONTACT_101, "STOP").await;
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::RingOptedOut));
    assert_eq!(
        w.session("BRK-0101").await.0.state.as_str(),
        "booked",
        "STOP is no cancellation"
    );
    // While opted out, news become ring tasks, never silence.
    let (s, _) = w.session("BRK-0101").await;
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
    assert!(!w.last(CONTACT_101).contains("will not go ahead"));
    assert!(w.last(RESIDENT_101).contains("will not go ahead"));
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingSessionOff)
    );
    w.says(CONTACT_101, "START").await;
    assert!(w.last(CONTACT_101).contains("texts are on again"));
    w.end().await;
}

async fn a_bare_cancel_is_a_cancellation_that_the_service_may_have_blocked(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    // The service blocks the number at CANCEL, so the question is refused there: a person rings.
    w.says(CONTACT_101, "CANCEL").await;
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    let tasks = w.tasks("BRK-0101").await;
    assert!(
        tasks
            .iter()
            .any(|t| matches!(t, TaskKind::CancelByPhone | TaskKind::RingOptedOut)),
        "{tasks:?}"
    );
    w.end().await;
}

async fn a_stranger_learns_nothing_and_is_answered_once(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    for body in ["YES", "who are you", "is Dwayne coming?"] {
        w.says("+447700900777", body).await;
    }
    assert_eq!(
        w.got("+447700900777"),
        ["Sorry, we do not know this number. Please ring the office if you need us."]
    );
    w.says("60777", "YES").await;
    assert!(w.got("60777").is_empty(), "never to short codes");
    w.end().await;
}

async fn answers_are_capped(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.news();
    for i in 0..60 {
        w.says(
            CONTACT_101,
            if i % 3 == 0 {
                "NO"
            } else if i % 3 == 1 {
                "help"
            } else {
                "hm"
            },
        )
        .await;
    }
    assert!(
        w.got(CONTACT_101).len() <= 1 + 6,
        "{}",
        w.got(CONTACT_101).len()
    );
    w.end().await;
}

async fn a_replay_has_no_effect(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(RESIDENT_101, "YES").await;
    let text = w
        .provider
        .messages()
        .into_iter()
        .rfind(|m| m.inbound)
        .unwrap();
    for found_by in ["hook", "listing"] {
        let again = courtesy::store::inbox::NewInbound {
            provider: "sms".into(),
            channel: courtesy::domain::people::channel::Channel::Sms,
            provider_message_id: text.sid.clone(),
            sender: OUR_NUMBER.into(),
            from: text.from.clone(),
            kind: courtesy::domain::replies::inbound::InboundKind::Text {
                body: courtesy::domain::people::private::Private(text.body.clone()),
                media: 0,
                opt_out_type: None,
            },
            earliest_at: None,
            at: w.svc.clock.now(),
            found_by,
        };
        assert_eq!(receive::store(&w.svc, &[again]).await.unwrap(), 0);
    }
    time::settle(&w.svc).await.unwrap();
    assert_eq!(w.got(RESIDENT_101).len(), 2);
    w.end().await;
}

async fn hold_stops_everything_and_receiving_goes_on(on: On) {
    let w = World::sample(on, "2026-11-26T09:59").await;
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set_hold(&mut tx, "BRK", true, "test", "test", w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    w.until("2026-11-26T10:10").await;
    assert!(w.news().iter().all(|m| m.body.starts_with("Liffey")));
    w.says(RESIDENT_101, "what is going on").await;
    assert!(
        w.tasks("BRK-0101").await.contains(&TaskKind::ReadMessage)
            || w.tasks("BRK-0111").await.contains(&TaskKind::ReadMessage)
            || {
                let all = courtesy::store::tasks::list(&w.svc.db, None).await.unwrap();
                all.iter().any(|t| t.topic == TaskKind::ReadMessage)
            }
    );
    // "Will not go ahead" on hold is rung.
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
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::RingSessionOff, TaskKind::RingSessionOff]
    );
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set_hold(&mut tx, "BRK", false, "test", "test", w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    w.until("2026-11-26T10:20").await;
    assert!(
        w.got(CONTACT_101).len() == 1,
        "what is still useful goes out afterwards"
    );
    w.end().await;
}

async fn a_restart_catches_up_and_nothing_stale_goes_out(on: On) {
    // The clock was never moved through Thursday: the program was down.
    let w = World::sample(on, "2026-11-24T12:00").await;
    w.svc.clock.set(at("2026-11-27T21:30"));
    time::settle(&w.svc).await.unwrap();
    assert!(w.news().is_empty(), "not at night");
    w.until("2026-11-28T08:00").await;
    let texts = w.news();
    // 08:00 is exactly two hours before ten: in time for who arrives at ten, too late for who
    // arrives at 9:45.
    assert!(
        texts.iter().any(|m| m.to == CONTACT_101)
            && texts
                .iter()
                .all(|m| m.to != RESIDENT_101 || !m.body.contains("Sat 28")),
        "{texts:?}"
    );
    w.end().await;
}

async fn a_text_past_its_use_expires_and_is_listed(on: On) {
    let w = World::sample(on, "2026-11-26T09:59").await;
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set_hold(&mut tx, "*", true, "test", "test", w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    w.svc.clock.set(at("2026-11-26T10:00"));
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    w.svc.clock.set(at("2026-11-28T09:00"));
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    let (s, _) = w.session("BRK-0101").await;
    let mine: Vec<_> = messages::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|m| m.session_id.as_ref() == Some(&s.id))
        .collect();
    assert!(
        !mine.is_empty() && mine.iter().all(|m| m.state.as_str() == "expired"),
        "{mine:?}"
    );
    w.end().await;
}

async fn a_clock_that_jumps_stops_the_sending(on: On) {
    let w = World::sample(on, "2026-11-26T09:59").await;
    w.svc
        .liveness
        .stop(Some("clock: it jumped by 3600 s".into()));
    w.svc.clock.set(at("2026-11-26T10:00"));
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    w.svc.wake_deliver.notify_one();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert!(w.news().is_empty());
    let ready = reqwest::get(format!(
        "http://{}/readyz",
        w.running.as_ref().unwrap().listen
    ))
    .await
    .unwrap();
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("it jumped"));
    w.svc.liveness.stop(None);
    time::settle(&w.svc).await.unwrap();
    assert_eq!(w.news().len(), 12);
    w.end().await;
}

/// Both parents cancel, neither knows of the other: whoever takes back learns at the grid that it
/// is off, and nobody travels.
async fn both_cancel_and_the_first_takes_it_back(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T10:03").await;
    w.says(CONTACT_105, "no").await;
    w.says(CONTACT_105, &w.code(CONTACT_105, "other")).await;
    w.until("2026-11-26T10:06").await;
    w.says(RESIDENT_105, "no").await;
    w.says(RESIDENT_105, &w.code(RESIDENT_105, "other")).await;
    assert!(
        w.last(RESIDENT_105)
            .contains("we have noted that you cannot come")
    );
    w.until("2026-11-26T10:12").await;
    w.says(CONTACT_105, "YES").await;
    assert!(
        w.last(CONTACT_105).contains("You have confirmed"),
        "the first hears nothing of the second before the release"
    );
    w.until("2026-11-26T12:00").await;
    assert_eq!(w.stands("BRK-0105").await, "cancelled cancelled confirmed");
    assert!(w.last(CONTACT_105).contains("will not go ahead"));
    assert!(
        w.got(RESIDENT_105)
            .iter()
            .all(|t| !t.contains("will not go ahead")),
        "who cancelled is not told that it is off"
    );
    w.end().await;
}

async fn what_was_told_is_not_taken_back(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "no").await;
    w.says(CONTACT_105, &w.code(CONTACT_105, "other")).await;
    w.until("2026-11-26T10:31").await;
    // The YES was written before the release and comes to us only now.
    let late = courtesy::store::inbox::NewInbound {
        provider: "sms".into(),
        channel: courtesy::domain::people::channel::Channel::Sms,
        provider_message_id: "SMlate".into(),
        sender: OUR_NUMBER.into(),
        from: CONTACT_105.into(),
        kind: courtesy::domain::replies::inbound::InboundKind::Text {
            body: courtesy::domain::people::private::Private("YES".into()),
            media: 0,
            opt_out_type: None,
        },
        earliest_at: None,
        at: at("2026-11-26T10:12"),
        found_by: "listing",
    };
    receive::store(&w.svc, &[late]).await.unwrap();
    time::settle(&w.svc).await.unwrap();
    assert_eq!(w.stands("BRK-0105").await, "cancelled none cancelled");
    assert!(
        w.last(CONTACT_105).contains("Staff will read this")
            && w.tasks("BRK-0105").await.contains(&TaskKind::Reconfirm)
    );
    w.end().await;
}

async fn who_never_heard_of_a_move_hears_of_the_visit_that_they_know(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T21:00").await;
    w.moves("BRK-0105", "2026-11-29T15:00").await;
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
    w.until("2026-11-27T09:00").await;
    assert!(
        w.last(RESIDENT_105)
            .contains("the visit on Sat 28 Nov, 12:55pm will not go ahead"),
        "{}",
        w.last(RESIDENT_105)
    );
    w.end().await;
}

async fn what_staff_record_ends_what_was_begun_by_text(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "no").await;
    let code = w.code(CONTACT_105, "other");
    w.until("2026-11-26T10:31").await;
    assert_eq!(w.tasks("BRK-0105").await, [TaskKind::CancelUnfinished]);
    let (s, _) = w.session("BRK-0105").await;
    answer::answer(
        &w.svc,
        &s.id,
        Role::Contact,
        true,
        None,
        &Recording {
            by: "test",
            at: w.svc.clock.now(),
        },
    )
    .await
    .unwrap();
    assert!(w.tasks("BRK-0105").await.is_empty());
    w.says(CONTACT_105, &code).await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none confirmed",
        "the old code is dead"
    );
    w.end().await;
}

crate::on_both!(
    both_cancel_and_the_first_takes_it_back,
    what_was_told_is_not_taken_back,
    who_never_heard_of_a_move_hears_of_the_visit_that_they_know,
    what_staff_record_ends_what_was_begun_by_text,
    both_are_asked_at_the_same_instant_and_a_yes_is_confirmed,
    a_no_is_finished_by_its_code_and_the_other_hears_neutrally_on_the_quarter_hour,
    a_late_no_gets_reasons_and_counts_from_the_first_no,
    until_the_release_a_yes_takes_it_back_without_trace,
    a_cancellation_at_the_moment_wins_and_taken_back_the_other_is_still_asked,
    three_hours_before_the_other_is_told_at_once,
    wrong_codes_end_with_a_person,
    an_unfinished_cancellation_becomes_a_ring_task,
    by_word_where_the_centre_wants_it,
    a_moved_session_withdraws_the_old_texts_and_asks_both_anew,
    a_move_before_the_courtesy_moment_is_followed_by_the_request_unless_it_was_answered,
    stop_start_help_and_whatever_is_unclear,
    a_bare_cancel_is_a_cancellation_that_the_service_may_have_blocked,
    a_stranger_learns_nothing_and_is_answered_once,
    answers_are_capped,
    a_replay_has_no_effect,
    hold_stops_everything_and_receiving_goes_on,
    a_restart_catches_up_and_nothing_stale_goes_out,
    a_text_past_its_use_expires_and_is_listed,
    a_clock_that_jumps_stops_the_sending,
);
