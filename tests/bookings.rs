//! Bookings by hand and in series, moves with their question to both parents, sessions to be
//! replaced, milestones and announced rules.

use crate::common::{BIRCHFIELD, Binary, LIFFEY, On, SAMPLE, TestDb, World};
use courtesy::domain::ids::{CaseId, SessionId};
use courtesy::domain::local_time::{parse_local, parse_time};
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::attendee::Session;
use courtesy::domain::visits::notice::Origin;
use courtesy::domain::visits::session::SessionState;
use courtesy::flows::money::lists;
use courtesy::flows::money::record::{self, NewPayment};
use courtesy::flows::recording::Recording;
use courtesy::flows::scan::confirmations;
use courtesy::flows::visits::booking::{Booked, Booking};
use courtesy::flows::visits::{answer, ask_date, cancel, move_session, reinstate};
use courtesy::flows::visits::{book, end_series};
use courtesy::simulator::time;
use courtesy::store::sessions::{self};
use courtesy::store::{cases, facts, messages};

/// BRK-0105: Saturday 13:00, not ordered by a court; the resident parent arrives at 12:55, the
/// contact parent at 13:05.
const RESIDENT: &str = "+447700900109";
const CONTACT: &str = "+447700900110";

fn now(w: &World) -> Recording<'static> {
    Recording {
        by: "test",
        at: w.svc.clock.now(),
    }
}

fn local(s: &str) -> chrono::NaiveDateTime {
    parse_local(s).unwrap()
}

async fn case_id(w: &World, case_ref: &str) -> CaseId {
    cases::find(&w.svc.db, case_ref).await.unwrap().id
}

async fn try_book(w: &World, case_ref: &str, b: Booking) -> courtesy::flows::error::Result<Booked> {
    let booked = book::book(&w.svc, &case_id(w, case_ref).await, &b, &now(w)).await;
    time::settle(&w.svc).await.unwrap();
    booked
}

async fn series(w: &World, case_ref: &str, first: &str, every: &str, weeks_ahead: i64) -> Booked {
    let b = Booking {
        start: local(first),
        every: Some(every.parse().unwrap()),
        weeks_ahead: Some(weeks_ahead),
        ..Booking::default()
    };
    try_book(w, case_ref, b).await.unwrap()
}

async fn of_case(w: &World, case_ref: &str) -> Vec<Session> {
    sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .map(|(s, _)| s)
        .filter(|s| s.case_ref == case_ref)
        .collect()
}

/// The starts of a case's sessions with what is not booked marked: `12-05 12-12! 12-19`.
async fn starts(w: &World, case_ref: &str) -> String {
    let mark = |s: &Session| {
        format!(
            "{}{}",
            s.start_local.format("%m-%d"),
            if s.state == SessionState::Booked {
                ""
            } else {
                "!"
            }
        )
    };
    of_case(w, case_ref)
        .await
        .iter()
        .map(mark)
        .collect::<Vec<_>>()
        .join(" ")
}

async fn set(w: &World, what: &str, case_ref: &str) {
    let mut tx = w.svc.db.begin().await.unwrap();
    tx.exec(
        format!("UPDATE case_file SET {what} WHERE case_ref = '{case_ref}'"),
        vec![],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn a_session_is_booked_by_hand_like_the_last(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    try_book(
        &w,
        "BRK-0105",
        Booking {
            start: local("2026-12-12T13:00"),
            ..Booking::default()
        },
    )
    .await
    .unwrap();
    let all = sessions::list(&w.svc.db, None).await.unwrap();
    let (s, places) = all
        .iter()
        .find(|(s, _)| s.case_ref == "BRK-0105" && s.start_local == local("2026-12-12T13:00"))
        .unwrap();
    let (first, before) = all.iter().find(|(s, _)| s.case_ref == "BRK-0105").unwrap();
    assert_eq!(
        (
            s.fee_minor,
            s.notice_hours,
            s.ends_at - s.starts_at,
            &s.contact_type
        ),
        (
            1500,
            48,
            first.ends_at - first.starts_at,
            &first.contact_type
        )
    );
    for (p, b) in places.iter().zip(before) {
        assert_eq!(
            (p.role, p.arrives_at - s.starts_at, p.leaves_at - s.ends_at),
            (
                b.role,
                b.arrives_at - first.starts_at,
                b.leaves_at - first.ends_at
            )
        );
    }
    // It is asked about like any other.
    w.until("2026-12-10T10:00").await;
    assert!(
        w.last(RESIDENT)
            .contains("your visit is Sat 12 Dec, 12:55pm"),
        "{}",
        w.last(RESIDENT)
    );
    assert!(w.last(CONTACT).contains("your visit is Sat 12 Dec, 1:05pm"));
    let own = Booking {
        start: local("2026-12-19T13:00"),
        minutes: Some(60),
        resident_arrives: parse_time("12:30"),
        ..Booking::default()
    };
    try_book(&w, "BRK-0105", own).await.unwrap();
    let (s, places) = sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .rfind(|(s, _)| s.case_ref == "BRK-0105")
        .unwrap();
    let resident = places.iter().find(|p| p.role == Role::Resident).unwrap();
    assert_eq!(
        (
            (s.ends_at - s.starts_at).num_minutes(),
            (resident.arrives_at - s.starts_at).num_minutes()
        ),
        (60, -30)
    );
    w.end().await;
}

async fn what_may_not_be_booked_is_said_plainly(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let before = starts(&w, "BRK-0105").await;
    let refused = async |b: Booking, part: &str| {
        let e = format!("{:#}", try_book(&w, "BRK-0105", b).await.unwrap_err());
        assert!(e.contains(part), "{part} not in {e}");
    };
    let at = |s: &str| Booking {
        start: local(s),
        ..Booking::default()
    };
    refused(at("2026-11-26T09:59"), "has passed").await;
    refused(at("2027-03-28T01:30"), "does not exist").await;
    refused(at("2027-10-31T01:30"), "happens twice").await;
    refused(at("2026-11-28T12:50"), "has a session at that time already").await;
    refused(
        Booking {
            every: "monthly-1st".parse().ok(),
            ..at("2026-12-12T13:00")
        },
        "2nd Saturday",
    )
    .await;
    refused(
        Booking {
            replaces: Some(SessionId::new("nothing")),
            ..at("2026-12-12T13:00")
        },
        "is no session of BRK-0105",
    )
    .await;
    let (booked, _) = w.session("BRK-0105").await;
    refused(
        Booking {
            replaces: Some(booked.id.clone()),
            ..at("2026-12-12T13:00")
        },
        "nothing to replace",
    )
    .await;
    // A first look at the centre is no model: nobody's arrival is guessed.
    let mut tx = w.svc.db.begin().await.unwrap();
    tx.exec(
        "UPDATE session SET contact_type = 'previsit' WHERE case_id IN (SELECT id FROM \
             case_file WHERE case_ref = 'BRK-0105')",
        vec![],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    refused(at("2026-12-12T13:00"), "write --minutes").await;
    refused(
        Booking {
            minutes: Some(60),
            ..at("2026-12-12T13:00")
        },
        "write --resident-arrives",
    )
    .await;
    set(&w, "bookings_hold = TRUE", "BRK-0105").await;
    refused(at("2026-12-12T13:00"), "until what is owed is settled").await;
    set(&w, "bookings_hold = FALSE, state = 'archived'", "BRK-0105").await;
    refused(at("2026-12-12T13:00"), "a new referral opens it again").await;
    assert_eq!(
        starts(&w, "BRK-0105").await,
        before,
        "nothing of it was written"
    );
    w.end().await;
}

async fn a_series_is_booked_ahead_and_each_n_once(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 4).await;
    assert_eq!(starts(&w, "BRK-0105").await, "11-28 12-05 12-12 12-19");
    // One occurrence is called off and one moved: the series goes on, and neither is made again.
    let all = of_case(&w, "BRK-0105").await;
    cancel::cancel(&w.svc, &all[1].id, &now(&w)).await.unwrap();
    move_session::move_to(
        &w.svc,
        &all[2].id,
        local("2026-12-15T13:00"),
        Origin::Centre,
        &now(&w),
    )
    .await
    .unwrap();
    w.until("2026-12-08T09:00").await;
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28 12-05! 12-15 12-19 12-26 01-02"
    );
    // A skipped week shifts nothing, and a look more changes nothing.
    for _ in 0..3 {
        confirmations::scan(&w.svc, w.svc.clock.now())
            .await
            .unwrap();
    }
    assert_eq!(of_case(&w, "BRK-0105").await.len(), 6);
    let history = facts::of_case(&w.svc.db, &case_id(&w, "BRK-0105").await)
        .await
        .unwrap();
    assert_eq!(
        history
            .iter()
            .filter(|f| f.kind == "booked" && f.rule == "series")
            .count(),
        5
    );
    assert_eq!(
        w.got(RESIDENT)
            .iter()
            .filter(|t| t.contains("your visit is Sat 5 Dec"))
            .count(),
        0,
        "a session that is off is not asked about"
    );
    w.end().await;
}

async fn a_hold_stops_the_series_and_its_end_lets_it_go_on(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 2).await;
    assert_eq!(starts(&w, "BRK-0105").await, "11-28 12-05");
    set(&w, "bookings_hold = TRUE", "BRK-0105").await;
    w.until("2026-12-21T09:00").await;
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28 12-05",
        "new bookings alone stop: what was booked took place"
    );
    set(&w, "bookings_hold = FALSE", "BRK-0105").await;
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28 12-05 12-26 01-02",
        "what passed is not booked, what is ahead is"
    );
    set(&w, "state = 'archived'", "BRK-0105").await;
    w.until("2027-01-10T09:00").await;
    assert_eq!(starts(&w, "BRK-0105").await, "11-28 12-05 12-26 01-02");
    w.end().await;
}

async fn what_is_owed_stops_the_series_until_it_is_paid(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 2).await;
    w.until("2026-11-27T09:00").await;
    let (s, _) = w.session("BRK-0105").await;
    answer::answer(&w.svc, &s.id, Role::Contact, false, None, &now(&w))
        .await
        .unwrap();
    time::settle(&w.svc).await.unwrap();
    w.until("2026-12-02T09:00").await;
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28! 12-05",
        "\"no contact will be booked until this is settled\""
    );
    let e = try_book(
        &w,
        "BRK-0105",
        Booking {
            start: local("2026-12-19T13:00"),
            ..Booking::default()
        },
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("until what is owed is settled"), "{e}");
    let case = cases::find(&w.svc.db, "BRK-0105").await.unwrap();
    record::payment(
        &w.svc,
        &case,
        &NewPayment {
            minor: 1500,
            by: "other",
            again: false,
        },
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    assert_eq!(starts(&w, "BRK-0105").await, "11-28! 12-05 12-12");
    w.end().await;
}

async fn a_closed_day_and_a_day_with_a_session_are_passed_over(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    try_book(
        &w,
        "BRK-0105",
        Booking {
            start: local("2026-12-19T10:00"),
            minutes: Some(60),
            ..Booking::default()
        },
    )
    .await
    .unwrap();
    let saturday = |d: &str| d.parse::<chrono::NaiveDate>().unwrap();
    try_book(
        &w,
        "BRK-0106",
        Booking {
            start: local("2026-12-12T15:00"),
            minutes: Some(60),
            ..Booking::default()
        },
    )
    .await
    .unwrap();
    let closing = courtesy::flows::visits::closure::ClosureRequest {
        centre: "BRK".into(),
        from: saturday("2026-12-12"),
        to: saturday("2026-12-12"),
        hours: None,
        why: "boiler".into(),
    };
    let p = courtesy::flows::visits::closure::preview(&w.svc, &closing)
        .await
        .unwrap();
    courtesy::flows::visits::closure::send(&w.svc, &closing, p.families, "Mary")
        .await
        .unwrap();
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 5).await;
    assert_eq!(starts(&w, "BRK-0105").await, "11-28 12-05 12-19 12-26");
    w.end().await;
}

async fn another_pattern_touches_only_what_nobody_was_told_of(on: On) {
    let w = World::sample(on, "2026-12-01T09:00").await;
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 6).await;
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28 12-05 12-12 12-19 12-26 01-02 01-09"
    );
    w.until("2026-12-10T10:05").await;
    w.says(CONTACT, "yes").await;
    let all = of_case(&w, "BRK-0105").await;
    move_session::move_to(
        &w.svc,
        &all[3].id,
        local("2026-12-20T13:00"),
        Origin::Parent,
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    w.news();
    let change = Booking {
        start: local("2026-12-12T15:00"),
        every: "fortnightly".parse().ok(),
        ..Booking::default()
    };
    let id = case_id(&w, "BRK-0105").await;
    let ended = end_series::end(
        &w.svc,
        &id,
        None,
        "2026-12-12".parse().unwrap(),
        Some(&change),
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    let days = |list: &[chrono::NaiveDateTime]| {
        list.iter()
            .map(|d| d.format("%m-%d").to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(days(&ended.unbooked), ["12-26", "01-02", "01-09", "01-16"]);
    assert_eq!(
        days(&ended.kept.iter().map(|k| k.1).collect::<Vec<_>>()),
        ["12-12", "12-20"],
        "asked about and confirmed; moved"
    );
    assert_eq!(
        starts(&w, "BRK-0105").await,
        "11-28 12-05 12-12 12-20 12-26! 12-26 01-02! 01-09! 01-09 01-16! 01-23"
    );
    assert!(
        w.news().is_empty(),
        "nobody had been told of them, so nobody is told that they are off"
    );
    let (s, places) = sessions::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .rfind(|(s, _)| s.case_ref == "BRK-0105")
        .unwrap();
    assert_eq!(
        (s.ends_at - s.starts_at).num_minutes(),
        15,
        "another pattern, the same visit"
    );
    assert!(
        places
            .iter()
            .all(|p| (p.arrives_at - s.starts_at).num_minutes()
                == if p.role == Role::Resident { -5 } else { 5 })
    );
    // The old series makes nothing more; the new one goes on, and a stop ends it.
    w.until("2026-12-18T12:00").await;
    assert_eq!(
        of_case(&w, "BRK-0105").await.last().unwrap().start_local,
        local("2027-02-06T15:00")
    );
    end_series::end(
        &w.svc,
        &id,
        None,
        "2027-01-10".parse().unwrap(),
        None,
        &now(&w),
    )
    .await
    .unwrap();
    w.until("2027-01-20T12:00").await;
    assert_eq!(
        of_case(&w, "BRK-0105")
            .await
            .iter()
            .rfind(|s| s.state == SessionState::Booked)
            .unwrap()
            .start_local,
        local("2027-01-09T15:00")
    );
    let e = end_series::end(
        &w.svc,
        &id,
        None,
        "2027-02-10".parse().unwrap(),
        None,
        &now(&w),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("no series that runs"), "{e}");
    w.end().await;
}

/// What the two phones got after the question about another date was closed, with the instants.
async fn after_a_closed_question(
    on: On,
    origin: Origin,
    no_from: Option<&str>,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    let (s, _) = w.session("BRK-0105").await;
    ask_date::ask(&w.svc, &s.id, local("2026-11-29T14:00"), origin, &now(&w))
        .await
        .unwrap();
    time::settle(&w.svc).await.unwrap();
    w.until("2026-11-24T10:00").await;
    if let Some(phone) = no_from {
        w.says(phone, "No").await;
    }
    w.until("2026-11-24T11:07").await;
    // What is closed is the same for a refusal, for no room and for a wish taken back.
    ask_date::close(&w.svc, &s.id, &now(&w)).await.unwrap();
    w.until("2026-11-24T13:00").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    let refused = messages::list(&w.svc.db, Some("BRK"))
        .await
        .unwrap()
        .into_iter()
        .filter(|m| m.kind.as_str() == "date_refused");
    let at: Vec<String> = refused
        .map(|m| m.sent_at.unwrap().format("%H:%M").to_string())
        .collect();
    let texts = |phone: &str| {
        w.got(phone)
            .into_iter()
            .filter(|t| !t.contains("Staff will read"))
            .collect()
    };
    let out = (texts(RESIDENT), texts(CONTACT), at);
    w.end().await;
    out
}

/// A reply holds its session and then wants the case; who ends a series takes the two in the same
/// order, so neither is thrown out.
async fn the_end_of_a_series_and_a_reply_wait_for_one_another(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 4).await;
    let case = case_id(&w, "BRK-0105").await;
    let last = of_case(&w, "BRK-0105").await.pop().unwrap();
    let mut reply = w.svc.db.begin().await.unwrap();
    sessions::lock(&mut reply, std::slice::from_ref(&last.id))
        .await
        .unwrap();
    let ending = tokio::spawn({
        let (svc, case, at) = (w.svc.clone(), case.clone(), w.svc.clock.now());
        async move {
            end_series::end(
                &svc,
                &case,
                None,
                "2026-12-12".parse().unwrap(),
                None,
                &Recording { by: "Mary", at },
            )
            .await
        }
    });
    // Time for the other one to take what it takes first and to wait for the rest.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    courtesy::store::milestones::rescan(&mut reply, &case)
        .await
        .unwrap();
    reply.commit().await.unwrap();
    let ended = ending.await.unwrap().unwrap();
    assert_eq!(ended.unbooked.len(), 2);
    assert_eq!(starts(&w, "BRK-0105").await, "11-28 12-05 12-12! 12-19!");
    w.end().await;
}

async fn a_refusal_no_room_and_a_withdrawal_share_one_text_whoever_asked(on: On) {
    let by_centre = after_a_closed_question(on, Origin::Centre, None).await;
    assert_eq!(
        by_centre.0,
        [
            "Birchfield: can you come on Sun 29 Nov, 1:55pm in place of Sat 28 Nov, 12:55pm? Reply \
             YES or NO. Until we write again nothing changes. Phone 020 7946 0101",
            "Birchfield: your visit stays on Sat 28 Nov, 12:55pm. The other date is not possible. \
             Phone 020 7946 0101"
        ]
    );
    assert_eq!(by_centre.2, ["11:15", "11:15"], "both at one quarter hour");
    for (origin, no_from) in [
        (Origin::Parent, Some(RESIDENT)),
        (Origin::Centre, Some(CONTACT)),
        (Origin::Parent, None),
    ] {
        assert_eq!(
            after_a_closed_question(on, origin, no_from).await,
            by_centre,
            "{origin} {no_from:?}"
        );
    }
}

async fn both_agree_and_a_person_moves(on: On) {
    let w = World::sample(on, "2026-11-24T09:00").await;
    let (s, _) = w.session("BRK-0105").await;
    ask_date::ask(
        &w.svc,
        &s.id,
        local("2026-11-29T14:00"),
        Origin::Parent,
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    let e = ask_date::ask(
        &w.svc,
        &s.id,
        local("2026-11-29T15:00"),
        Origin::Parent,
        &now(&w),
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("--close"), "{e}");
    w.until("2026-11-24T09:30").await;
    w.says(RESIDENT, "Yes").await;
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await
        ),
        ("booked none none", vec![]),
        "a YES to the date confirms nothing"
    );
    assert_eq!(w.got(CONTACT).len(), 1, "the other one hears nothing of it");
    ask_date::answer(&w.svc, &s.id, Role::Contact, false, &now(&w))
        .await
        .unwrap();
    assert_eq!(w.tasks("BRK-0105").await, [TaskKind::DateDeclined]);
    ask_date::answer(&w.svc, &s.id, Role::Contact, true, &now(&w))
        .await
        .unwrap();
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::DateAgreed],
        "rung again, they can after all"
    );
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    move_session::move_to(
        &w.svc,
        &s.id,
        local("2026-11-29T14:00"),
        Origin::Parent,
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    w.until("2026-11-24T10:00").await;
    assert!(w.tasks("BRK-0105").await.is_empty());
    assert_eq!(
        w.last(CONTACT),
        "Birchfield: your visit has moved from Sat 28 Nov 1:05pm to Sun 29 Nov 2:05pm. Reply YES \
         if you will come. Phone 020 7946 0101"
    );
    w.says(CONTACT, "yes").await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none confirmed",
        "now the answer is to the move"
    );
    w.end().await;
}

async fn the_newest_question_is_answered_and_a_named_day_says_which(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let (s, _) = w.session("BRK-0105").await;
    ask_date::ask(
        &w.svc,
        &s.id,
        local("2026-11-29T14:00"),
        Origin::Centre,
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    w.until("2026-11-26T10:20").await;
    assert!(
        w.last(CONTACT).contains("can you come on Sun 29 Nov"),
        "{}",
        w.last(CONTACT)
    );
    for (phone, text) in [(CONTACT, "no"), (RESIDENT, "YES")] {
        w.says(phone, text).await;
        assert!(
            w.last(phone).contains("Staff will read this"),
            "{}",
            w.last(phone)
        );
    }
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    assert!(
        w.tasks("BRK-0105").await.contains(&TaskKind::DateDeclined),
        "the question about the date came last"
    );
    // The day that is named says which is meant.
    w.says(CONTACT, "no not sunday").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    w.says(RESIDENT, "yes saturday").await;
    assert_eq!(w.stands("BRK-0105").await, "booked confirmed none");
    w.end().await;
}

async fn a_chat_answers_a_date_by_its_buttons(on: On) {
    // BRK-0104: the contact parent is in a chat.
    let w = World::sample(on, "2026-11-24T09:00").await;
    let chat = 5_500_100_107;
    let (s, _) = w.session("BRK-0104").await;
    let before = w.stands("BRK-0104").await;
    ask_date::ask(
        &w.svc,
        &s.id,
        local("2026-11-29T14:00"),
        Origin::Centre,
        &now(&w),
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    let label = w.buttons(chat).1[1].0.clone();
    w.presses(chat, &label).await;
    assert!(
        w.tasks("BRK-0104").await.contains(&TaskKind::DateDeclined),
        "{:?}",
        w.tasks("BRK-0104").await
    );
    assert_eq!(w.stands("BRK-0104").await, before);
    w.end().await;
}

async fn a_refusal_of_the_centres_own_move_is_free(on: On) {
    for (origin, free) in [(Origin::Centre, true), (Origin::Parent, false)] {
        let w = World::sample(on, "2026-11-26T10:00").await;
        let (s, _) = w.session("BRK-0105").await;
        move_session::move_to(&w.svc, &s.id, local("2026-11-28T14:00"), origin, &now(&w))
            .await
            .unwrap();
        time::settle(&w.svc).await.unwrap();
        w.until("2026-11-27T11:00").await;
        let told = w.last(RESIDENT);
        assert_eq!(
            told,
            "Birchfield: your visit has moved from Sat 28 Nov 12:55pm to Sat 28 Nov 1:55pm. Reply \
             YES if you will come. Phone 020 7946 0101",
            "whoever began it"
        );
        w.says(CONTACT, "no").await;
        assert_eq!(
            !w.last(CONTACT).contains("A fee may apply"),
            free,
            "{origin}: {}",
            w.last(CONTACT)
        );
        w.says(CONTACT, &w.code(CONTACT, "other")).await;
        assert_eq!(
            w.last(CONTACT).contains("There is no charge"),
            free,
            "{}",
            w.last(CONTACT)
        );
        let owed: Vec<i64> = lists::fees(&w.svc.db, None, w.svc.clock.now())
            .await
            .unwrap()
            .iter()
            .map(|f| f.standing.outstanding)
            .collect();
        assert_eq!(
            owed,
            if free { vec![] } else { vec![1500] },
            "{origin}: the rules on money see it alike"
        );
        w.end().await;
    }
}

async fn what_a_court_ordered_stays_to_be_replaced_until_it_is(on: On) {
    // BRK-0106 is court-ordered.
    let w = World::sample(on, "2026-11-24T09:00").await;
    let (missed, _) = w.session("BRK-0106").await;
    cancel::cancel(&w.svc, &missed.id, &now(&w)).await.unwrap();
    time::settle(&w.svc).await.unwrap();
    w.until("2026-11-24T10:00").await;
    assert!(
        w.tasks("BRK-0106").await.contains(&TaskKind::Replacement),
        "{:?}",
        w.tasks("BRK-0106").await
    );
    let (other, _) = w.session("BRK-0105").await;
    cancel::cancel(&w.svc, &other.id, &now(&w)).await.unwrap();
    w.until("2026-11-26T10:00").await;
    assert!(
        !w.tasks("BRK-0105").await.contains(&TaskKind::Replacement),
        "no court ordered it"
    );
    // It is on again after all, and then missed again.
    reinstate::reinstate(&w.svc, &missed.id, &now(&w))
        .await
        .unwrap();
    time::settle(&w.svc).await.unwrap();
    assert!(!w.tasks("BRK-0106").await.contains(&TaskKind::Replacement));
    w.until("2026-11-26T11:00").await;
    cancel::cancel(&w.svc, &missed.id, &now(&w)).await.unwrap();
    w.until("2026-11-26T12:00").await;
    assert!(w.tasks("BRK-0106").await.contains(&TaskKind::Replacement));
    let replacing = Booking {
        start: local("2026-12-05T10:00"),
        replaces: Some(missed.id.clone()),
        ..Booking::default()
    };
    let booked = try_book(&w, "BRK-0106", replacing.clone()).await.unwrap();
    assert!(!w.tasks("BRK-0106").await.contains(&TaskKind::Replacement));
    let e = try_book(
        &w,
        "BRK-0106",
        Booking {
            start: local("2026-12-06T10:00"),
            ..replacing
        },
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(e.contains("is replaced already"), "{e}");
    // The replacement is missed in its turn.
    cancel::cancel(&w.svc, &booked.sessions[0].0, &now(&w))
        .await
        .unwrap();
    w.until("2026-11-28T10:00").await;
    assert!(w.tasks("BRK-0106").await.contains(&TaskKind::Replacement));
    w.end().await;
}

async fn a_cancellation_that_is_taken_back_leaves_nothing_to_replace(on: On) {
    // BRK-0106 is court-ordered; this is its contact parent.
    let phone = "+447700900112";
    let w = World::sample(on, "2026-11-24T10:00").await;
    for (code, yes, later, replaced) in [
        (
            "2026-11-24T10:03",
            "2026-11-24T10:12",
            "2026-11-24T12:00",
            false,
        ),
        (
            "2026-11-24T14:00",
            "2026-11-24T14:31",
            "2026-11-24T15:00",
            true,
        ),
    ] {
        w.until(code).await;
        w.says(phone, "no").await;
        w.says(phone, &w.code(phone, "other")).await;
        assert_eq!(w.stands("BRK-0106").await, "cancelled none cancelled");
        confirmations::scan(&w.svc, w.svc.clock.now())
            .await
            .unwrap();
        assert!(
            !w.tasks("BRK-0106").await.contains(&TaskKind::Replacement),
            "not before the other parent is told"
        );
        w.until(yes).await;
        w.says(phone, "YES").await;
        w.until(later).await;
        assert_eq!(
            w.tasks("BRK-0106").await.contains(&TaskKind::Replacement),
            replaced
        );
    }
    w.end().await;
}

async fn milestones_and_habits_are_tasks_once(on: On) {
    let centre = BIRCHFIELD.replace(
        "[rules]",
        "[rules]\nreview_after_months = \
                                                1\nintroduction_meeting_after_months = \
                                                1\nreview_after_sessions = \
                                                2\nprevisit_invitation_days = 3",
    );
    let w = World::new(on, "2026-11-24T09:00", &[&centre, LIFFEY], SAMPLE).await;
    assert!(!w.tasks("BRK-0105").await.contains(&TaskKind::Previsit));
    w.until("2026-11-26T09:00").await;
    assert!(
        w.tasks("BRK-0105").await.contains(&TaskKind::Previsit),
        "three days before the first session"
    );
    series(&w, "BRK-0105", "2026-12-05T13:00", "weekly", 3).await;
    w.until("2026-12-06T09:00").await;
    assert!(
        w.tasks("BRK-0105").await.contains(&TaskKind::ReviewDue),
        "two sessions took place"
    );
    assert!(
        !w.tasks("BRK-0105")
            .await
            .contains(&TaskKind::IntroductionMeeting)
    );
    w.until("2026-12-15T09:00").await;
    let all = w.tasks("BRK-0105").await;
    assert_eq!(
        (
            all.iter().filter(|t| **t == TaskKind::ReviewDue).count(),
            all.iter()
                .filter(|t| **t == TaskKind::IntroductionMeeting)
                .count()
        ),
        (2, 1),
        "{all:?}"
    );
    // Three late cancellations of one parent in six sessions.
    for (told, saturday) in [
        ("2026-12-18T09:00", "12-19"),
        ("2026-12-25T09:00", "12-26"),
        ("2027-01-01T09:00", "01-02"),
    ] {
        w.until(told).await;
        let s = of_case(&w, "BRK-0105")
            .await
            .into_iter()
            .find(|s| s.start_local.format("%m-%d").to_string() == saturday)
            .unwrap();
        assert!(
            !w.tasks("BRK-0105").await.contains(&TaskKind::Pattern),
            "{saturday}"
        );
        answer::answer(&w.svc, &s.id, Role::Contact, false, None, &now(&w))
            .await
            .unwrap();
    }
    w.until("2027-01-01T12:00").await;
    assert_eq!(
        w.tasks("BRK-0105")
            .await
            .iter()
            .filter(|t| **t == TaskKind::Pattern)
            .count(),
        1
    );
    assert!(
        w.got(RESIDENT)
            .iter()
            .chain(&w.got(CONTACT))
            .all(|t| !t.contains("review") && !t.contains("pattern")),
        "the other parent is never told"
    );
    w.end().await;
}

async fn the_commands_book_and_announce(on: On) {
    let db = TestDb::new(on).await;
    let b = Binary::new(&format!("[database]\nurl = \"{}\"\n", db.url));
    let clock = courtesy::clock::Clock::System.now();
    let today = clock.with_timezone(&chrono_tz::Europe::London).date_naive();
    let day = |n: u64| (today + chrono::Days::new(n)).to_string();
    let file = |more: &str| {
        std::fs::write(
            b.dir.path().join("centre.toml"),
            format!("{}{more}", crate::common::AT_ONCE),
        )
        .unwrap();
    };
    file("");
    b.ok(&["centre", "apply", "centre.toml"]);
    std::fs::write(
        b.dir.path().join("one.csv"),
        crate::common::families(1, clock),
    )
    .unwrap();
    b.ok(&["import", "one.csv"]);
    let start = |n| format!("{} 10:00", day(n));
    let booked = b.ok(&[
        "record",
        "session",
        "K-00000",
        "--start",
        &start(30),
        "--every",
        "weekly",
        "--weeks-ahead",
        "8",
        "--as",
        "Mary",
    ]);
    assert!(
        booked.contains("recorded: series") && booked.matches("booked: ").count() == 4,
        "{booked}"
    );
    let listed = b.json(&["list", "sessions"]);
    assert_eq!(listed.len(), 5);
    let keys: Vec<&String> = listed[1].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "session",
            "case_ref",
            "centre",
            "starts_at",
            "ends_at",
            "starts_local",
            "contact_type",
            "state",
            "version",
            "answers"
        ]
    );
    // A change is announced two weeks ahead; it is taken by the sessions from that day on, and each
    // family is a task.
    file(&format!(
        "[[rules_from]]\ndate = \"{}\"\nfee_pence = 5000\n",
        day(13)
    ));
    let (code, _, err) = b.run(&["centre", "apply", "centre.toml"]);
    assert!(
        code == 1 && err.contains("14 days before") && err.contains(&day(14)),
        "{err}"
    );
    file(&format!(
        "[[rules_from]]\ndate = \"{}\"\nfee_pence = 5000\n",
        day(40)
    ));
    let out = b.ok(&["centre", "apply", "centre.toml"]);
    assert!(
        out.contains("booked sessions with other rules: 2; families to be told, as tasks: 1"),
        "{out}"
    );
    assert_eq!(
        b.json(&["list", "tasks"])
            .iter()
            .filter(|t| t["topic"] == "fee_change")
            .count(),
        1
    );
    assert!(
        b.ok(&["centre", "apply", "centre.toml"])
            .contains("nothing changed")
    );
    b.ok(&[
        "record",
        "session",
        "K-00000",
        "--start",
        &start(45),
        "--resident-arrives",
        "9:45",
    ]);
    let store = courtesy::store::Db::open(&db.url).await.unwrap();
    store.migrate().await.unwrap();
    let fees: Vec<i64> = sessions::list(&store, None)
        .await
        .unwrap()
        .into_iter()
        .map(|(s, _)| s.fee_minor)
        .collect();
    assert_eq!(fees, [4500, 4500, 4500, 5000, 5000, 5000]);
    store.close().await;
    let ended = b.ok(&["record", "series", "K-00000", "--stop", &day(44)]);
    assert!(
        ended.contains("taken back") && ended.contains("nobody had been told"),
        "{ended}"
    );
    let second = listed[1]["session"].as_str().unwrap();
    assert!(
        b.ok(&[
            "record",
            "ask-date",
            second,
            "--to",
            &start(31),
            "--origin",
            "parent"
        ])
        .contains("nothing changes")
    );
    assert!(
        b.ok(&[
            "record", "ask-date", second, "--party", "contact", "--answer", "yes"
        ])
        .contains("is not told")
    );
    assert!(
        b.ok(&["record", "ask-date", second, "--close"])
            .contains("in the same words")
    );
    assert!(
        b.ok(&[
            "record",
            "move",
            second,
            "--to",
            &start(31),
            "--origin",
            "parent"
        ])
        .contains("recorded")
    );
    for wrong in [
        &["record", "session", "K-00000"][..],
        &["record", "session", "K-00000", "--start", "soon"],
        &[
            "record",
            "session",
            "K-00000",
            "--start",
            &start(60),
            "--every",
            "daily",
        ],
        &["record", "series", "K-00000"],
        &["record", "ask-date", second],
    ] {
        assert_eq!(b.run(wrong).0, 2, "{wrong:?}");
    }
    let history = b.ok(&["case", "K-00000"]);
    for part in [
        "a series was booked: weekly from",
        "other rules were announced for it: fee 4500 GBP",
        "both were asked about another date",
        "the session was moved",
    ] {
        assert!(history.contains(part), "{part} not in {history}");
    }
}

crate::on_both!(
    a_session_is_booked_by_hand_like_the_last,
    what_may_not_be_booked_is_said_plainly,
    a_series_is_booked_ahead_and_each_n_once,
    a_hold_stops_the_series_and_its_end_lets_it_go_on,
    what_is_owed_stops_the_series_until_it_is_paid,
    a_closed_day_and_a_day_with_a_session_are_passed_over,
    another_pattern_touches_only_what_nobody_was_told_of,
    the_end_of_a_series_and_a_reply_wait_for_one_another,
    a_refusal_no_room_and_a_withdrawal_share_one_text_whoever_asked,
    both_agree_and_a_person_moves,
    the_newest_question_is_answered_and_a_named_day_says_which,
    a_chat_answers_a_date_by_its_buttons,
    a_refusal_of_the_centres_own_move_is_free,
    what_a_court_ordered_stays_to_be_replaced_until_it_is,
    a_cancellation_that_is_taken_back_leaves_nothing_to_replace,
    milestones_and_habits_are_tasks_once,
    the_commands_book_and_announce,
);
