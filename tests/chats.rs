//! Telegram: buttons bound to their question, a second press to cancel, links by code, blocked
//! chats, groups, and the phone that is used instead.

use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::link;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::store::{messages, parties};

/// The contact parent of BRK-0102, by Telegram; the other one has a phone.
const LUKASZ: i64 = 5_500_100_104;
/// The resident parent of BRK-0104 at 1pm, by Telegram; her own phone is for ringing, the other
/// parent's gets texts.
const MAIRE: i64 = 5_500_100_107;
const BARTHOLOMEW: &str = "+447700900108";
const LUKASZ_PHONE: &str = "+447700900104";

async fn link(w: &World, party: &str) -> String {
    let party = parties::find(&w.svc.db, party).await.unwrap();
    link::make_code(&w.svc, &party, "Mary").await.unwrap()
}

async fn linked(w: &World, party: &str) -> Vec<(String, String)> {
    let party = parties::find(&w.svc.db, party).await.unwrap();
    let mut tx = w.svc.db.begin().await.unwrap();
    parties::addresses(&mut tx, &party.id)
        .await
        .unwrap()
        .into_iter()
        .filter(|a| a.channel == "telegram")
        .map(|a| (a.value, a.state))
        .collect()
}

async fn a_press_confirms_and_a_second_one_changes_nothing(on: On) {
    let w = World::sample(on, "2026-11-26T09:59").await;
    w.until("2026-11-26T10:00").await;
    assert_eq!(
        w.chat(LUKASZ),
        [
            "Birchfield: your visit is Sat 28 Nov, 10am. Reply YES if you will come or NO if you \
             cannot. If you cancel now a fee may apply. Phone 020 7946 0101"
        ]
    );
    assert!(
        w.got(LUKASZ_PHONE).is_empty(),
        "one text, on the channel that was wanted"
    );
    let (message, buttons) = w.buttons(LUKASZ);
    w.presses(LUKASZ, "Yes").await;
    assert_eq!(w.stands("BRK-0102").await, "booked none confirmed");
    assert_eq!(
        w.chat(LUKASZ)[1],
        "Birchfield: thank you. You have confirmed Sat 28 Nov, 10am."
    );
    assert!(
        w.chats
            .messages()
            .iter()
            .all(|m| m.chat != LUKASZ || m.buttons.is_empty()),
        "the buttons are gone"
    );
    // A client that still shows old buttons: the press gets a friendly answer and changes nothing.
    assert!(
        !w.chats.press(LUKASZ, message, &buttons[1].1),
        "the simulated chat has no button any more"
    );
    w.chats_in(LUKASZ, "yes").await;
    assert_eq!(w.stands("BRK-0102").await, "booked none confirmed");
    w.end().await;
}

async fn a_cancellation_in_a_chat_is_finished_by_a_second_press(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.presses(MAIRE, "No").await;
    assert_eq!(
        w.stands("BRK-0104").await,
        "booked none none",
        "a NO changes nothing by itself"
    );
    assert!(
        w.chat(MAIRE)[1].contains(
            "press Cancel this visit. To keep it press Keep the visit. \
                                       If you did not ask for this ring 020 7946 0101"
        ),
        "{:?}",
        w.chat(MAIRE)
    );
    w.presses(MAIRE, "Cancel this visit").await;
    assert_eq!(w.stands("BRK-0104").await, "cancelled cancelled none");
    assert!(
        w.chat(MAIRE)[2]
            .contains("we have noted that you cannot come on Sat 28 Nov. There is no charge.")
    );
    // Rule S3: the same words on the other address of theirs would go only if that was agreed; this
    // phone has no consent for texts.
    assert!(w.got("+447700900107").is_empty());
    w.until("2026-11-26T10:30").await;
    assert!(w.last(BARTHOLOMEW).contains("will not go ahead"));
    w.end().await;
}

async fn keeping_a_visit_and_taking_a_cancellation_back_are_a_press_each(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.presses(MAIRE, "No").await;
    w.presses(MAIRE, "Keep the visit").await;
    assert_eq!(w.stands("BRK-0104").await, "booked confirmed none");
    w.chats_in(MAIRE, "no").await;
    w.presses(MAIRE, "Cancel this visit").await;
    assert_eq!(w.stands("BRK-0104").await, "cancelled cancelled none");
    w.chats_in(MAIRE, "yes").await;
    assert_eq!(
        w.stands("BRK-0104").await,
        "booked confirmed none",
        "nobody was told yet"
    );
    w.until("2026-11-26T11:00").await;
    assert!(!w.last(BARTHOLOMEW).contains("will not go ahead"));
    w.end().await;
}

async fn a_late_cancellation_asks_the_reason_with_buttons_and_keeps_the_first_no(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T10:20").await;
    w.presses(LUKASZ, "No").await;
    let (_, buttons) = w.buttons(LUKASZ);
    let labels: Vec<&str> = buttons.iter().map(|(l, _)| l.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Child ill",
            "I am ill",
            "Travel",
            "Other reason",
            "Keep the visit"
        ]
    );
    w.until("2026-11-26T10:31").await;
    // Eleven minutes later the second press is too late: it gets a friendly answer, and a person
    // rings.
    w.presses(LUKASZ, "Child ill").await;
    assert_eq!(w.stands("BRK-0102").await, "booked none none");
    assert!(
        w.chats
            .answers()
            .last()
            .unwrap()
            .1
            .contains("no longer in use"),
        "{:?}",
        w.chats.answers()
    );
    w.until("2026-11-26T10:51").await;
    assert!(
        w.tasks("BRK-0102")
            .await
            .contains(&TaskKind::CancelUnfinished)
    );
    w.end().await;
}

async fn a_press_after_a_move_is_an_old_one(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let (message, buttons) = w.buttons(LUKASZ);
    let (s, _) = w.session("BRK-0102").await;
    let rec = courtesy::flows::recording::Recording {
        by: "Mary",
        at: w.svc.clock.now(),
    };
    courtesy::flows::visits::move_session::move_to(
        &w.svc,
        &s.id,
        parse_local("2026-11-28T14:00").unwrap(),
        courtesy::domain::visits::notice::Origin::Centre,
        &rec,
    )
    .await
    .unwrap();
    assert!(
        w.chats.press(LUKASZ, message, &buttons[0].1),
        "the button is still there"
    );
    w.chats_settled().await;
    assert_eq!(
        w.stands("BRK-0102").await,
        "booked none none",
        "a YES to the old time confirms nothing"
    );
    assert!(
        w.chats
            .answers()
            .last()
            .unwrap()
            .1
            .contains("no longer in use")
    );
    w.until("2026-11-26T10:12").await;
    w.presses(LUKASZ, "Yes").await;
    assert_eq!(w.stands("BRK-0102").await, "booked none confirmed");
    w.end().await;
}

async fn a_foreign_press_and_a_strangers_words_change_nothing(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let (_, buttons) = w.buttons(LUKASZ);
    // A forged press from another chat.
    w.chats.open(99);
    let before = w.chat(99).len();
    w.chats_in(99, "/start").await;
    assert_eq!(
        w.chat(99)[before..],
        ["Sorry, we do not know this number. Please ring the office if you need us."]
    );
    let update = courtesy::channels::InboundEvent {
        provider_id: "4000000".into(),
        from: "99".into(),
        at: None,
        kind: courtesy::domain::replies::inbound::InboundKind::Press {
            query: "q".into(),
            data: buttons[0].1.clone(),
            message: "1".into(),
        },
    };
    let lines = w.svc.lines();
    let line = lines
        .of("BRK", courtesy::domain::people::channel::Channel::Telegram)
        .unwrap();
    let received = courtesy::flows::receive::chats::received(line, update, w.svc.clock.now(), None);
    courtesy::flows::receive::store(&w.svc, &[received.clone(), received])
        .await
        .unwrap();
    w.chats_settled().await;
    assert_eq!(w.stands("BRK-0102").await, "booked none none");
    w.end().await;
}

async fn a_link_is_used_once_and_moves_only_when_staff_heard_the_number(on: On) {
    let w = World::sample(on, "2026-11-25T12:00").await;
    let code = link(&w, "BRK-0101:contact").await;
    assert_eq!(code.len(), 32, "128 bit");
    w.chats_in(700, &format!("/start {code}")).await;
    assert!(
        w.chat(700)[0].starts_with("Birchfield: we will text you about your visits here."),
        "{:?}",
        w.chat(700)
    );
    assert_eq!(
        linked(&w, "BRK-0101:contact").await,
        [("700".to_owned(), "current".to_owned())]
    );
    // The same code again, from anybody: refused, and answered once an hour.
    for _ in 0..3 {
        w.chats_in(701, &format!("/start {code}")).await;
    }
    assert_eq!(
        w.chat(701),
        ["This link cannot be used. Please ask the office for a new one."]
    );
    // The request goes to the chat now, and not to the phone.
    w.until("2026-11-26T10:00").await;
    assert!(w.chat(700)[1].contains("your visit is Sat 28 Nov"));
    assert!(w.got("+447700900102").is_empty());
    // Another chat with a valid code: nothing changes until staff have confirmed the number.
    let code = link(&w, "BRK-0101:contact").await;
    w.chats_in(702, &format!("/start {code}")).await;
    let shown = w.chat(702)[0].clone();
    let number = shown.split("this number: ").nth(1).unwrap()[..4].to_owned();
    assert_eq!(
        linked(&w, "BRK-0101:contact").await,
        [("700".to_owned(), "current".to_owned())]
    );
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::ConfirmChat));
    let (old_message, old_buttons) = w.buttons(700);
    let party = parties::find(&w.svc.db, "BRK-0101:contact").await.unwrap();
    let wrong = if number == "0000" { "0001" } else { "0000" };
    assert!(
        link::confirm(&w.svc, &party, wrong, "Mary")
            .await
            .unwrap_err()
            .to_string()
            .contains("not the number")
    );
    link::confirm(&w.svc, &party, &number, "Mary")
        .await
        .unwrap();
    w.chats_settled().await;
    assert_eq!(
        linked(&w, "BRK-0101:contact").await,
        [
            ("700".to_owned(), "past".to_owned()),
            ("702".to_owned(), "current".to_owned())
        ]
    );
    // The old chat's texts are replaced and its buttons are dead (G2).
    assert!(
        w.chat(700)
            .iter()
            .all(|t| t == "Birchfield: this message is no longer in use."),
        "{:?}",
        w.chat(700)
    );
    w.chats.press(700, old_message, &old_buttons[0].1);
    w.chats_settled().await;
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    w.end().await;
}

async fn a_chat_of_the_other_parent_is_refused_and_codes_grow_old(on: On) {
    let w = World::sample(on, "2026-11-25T12:00").await;
    let code = link(&w, "BRK-0102:resident").await;
    w.chats_in(LUKASZ, &format!("/start {code}")).await;
    assert_eq!(
        w.chat(LUKASZ).last().unwrap(),
        "This link cannot be used. Please ask the office for a new one."
    );
    assert!(linked(&w, "BRK-0102:resident").await.is_empty());
    assert!(w.tasks("BRK-0102").await.contains(&TaskKind::LinkRefused));
    // A chat that the other parent once had is refused too.
    let party = parties::find(&w.svc.db, "BRK-0102:contact").await.unwrap();
    phone::change(
        &w.svc,
        &party,
        &PhoneChange {
            unlink: true,
            ..PhoneChange::default()
        },
        "Mary",
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    let code = link(&w, "BRK-0102:resident").await;
    w.until("2026-11-25T14:00").await;
    w.chats_in(LUKASZ, &format!("/start {code}")).await;
    assert!(linked(&w, "BRK-0102:resident").await.is_empty());
    // A code expires after a day, and a new one replaces the old one.
    let old = link(&w, "BRK-0101:contact").await;
    let older = link(&w, "BRK-0101:resident").await;
    let _new = link(&w, "BRK-0101:resident").await;
    w.chats_in(710, &format!("/start {older}")).await;
    w.until("2026-11-26T14:01").await;
    w.chats_in(711, &format!("/start {old}")).await;
    assert!(
        linked(&w, "BRK-0101:contact").await.is_empty()
            && linked(&w, "BRK-0101:resident").await.is_empty()
    );
    w.end().await;
}

async fn a_blocked_chat_is_seen_and_the_phone_is_used_only_where_that_was_agreed(on: On) {
    // Two parents by Telegram: one agreed to texts too, the other did not.
    let csv = SAMPLE.replacen(
        "5500100104,telegram,pl,yes",
        "5500100104,telegram,pl,yes:telegram+sms",
        1,
    );
    let w = World::new(on, "2026-11-26T09:00", &[BIRCHFIELD, LIFFEY], &csv).await;
    w.chats.block(LUKASZ, true);
    w.chats_settled().await;
    assert!(w.tasks("BRK-0102").await.contains(&TaskKind::ChatBlocked));
    // A second chat is blocked without an update: the refusal reveals it.
    let (other, other_phone) = (5_500_100_107, "+447700900107");
    w.chats.block_silently(other);
    w.until("2026-11-26T10:00").await;
    assert!(
        w.last(LUKASZ_PHONE).contains("your visit is Sat 28 Nov"),
        "the agreed phone is used"
    );
    assert!(
        w.got(other_phone).is_empty(),
        "a phone without consent is for ringing"
    );
    let all = messages::list(&w.svc.db, None).await.unwrap();
    let refused = all
        .iter()
        .find(|m| {
            m.attempts
                .iter()
                .any(|a| a.outcome.as_deref() == Some("refused"))
        })
        .unwrap();
    let case_ref = refused.case_ref.clone().unwrap();
    assert_eq!(
        (refused.state.as_str(), refused.reason.as_deref()),
        ("withdrawn", Some("no_usable_channel"))
    );
    assert!(
        w.tasks(&case_ref).await.contains(&TaskKind::RingNoAddress)
            && w.tasks(&case_ref).await.contains(&TaskKind::ChatBlocked)
    );
    w.end().await;
}

async fn stop_in_a_chat_stops_the_phone_too_and_groups_are_left(on: On) {
    let csv = SAMPLE.replacen(
        "5500100104,telegram,pl,yes",
        "5500100104,telegram,pl,yes:telegram+sms",
        1,
    );
    let w = World::new(on, "2026-11-25T12:00", &[BIRCHFIELD, LIFFEY], &csv).await;
    w.chats_in(LUKASZ, "/stop").await;
    assert!(w.chat(LUKASZ)[0].contains("we will not text you again"));
    assert!(w.tasks("BRK-0102").await.contains(&TaskKind::RingOptedOut));
    w.until("2026-11-26T10:00").await;
    assert!(
        w.got(LUKASZ_PHONE).is_empty() && w.chat(LUKASZ).len() == 1,
        "nothing more on either"
    );
    // A picture is for a person; the bot leaves groups.
    w.chats.say(-500, "hello all");
    w.chats_settled().await;
    assert!(!w.chats.is_in(-500), "left");
    assert!(w.chat(-500).is_empty());
    w.end().await;
}

crate::on_both!(
    a_press_confirms_and_a_second_one_changes_nothing,
    a_cancellation_in_a_chat_is_finished_by_a_second_press,
    keeping_a_visit_and_taking_a_cancellation_back_are_a_press_each,
    a_late_cancellation_asks_the_reason_with_buttons_and_keeps_the_first_no,
    a_press_after_a_move_is_an_old_one,
    a_foreign_press_and_a_strangers_words_change_nothing,
    a_link_is_used_once_and_moves_only_when_staff_heard_the_number,
    a_chat_of_the_other_parent_is_refused_and_codes_grow_old,
    a_blocked_chat_is_seen_and_the_phone_is_used_only_where_that_was_agreed,
    stop_in_a_chat_stops_the_phone_too_and_groups_are_left,
);
