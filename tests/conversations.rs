//! Conversations by text and in a chat: which visit a date or a time names, answers that come late
//! or out of order, questions that cross, and the party that changes its channel in the middle.

use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World, at, sample_with};
use courtesy::domain::local_time::parse_local;
use courtesy::domain::people::person::{Address, Channel, Mode, Private};
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::attendee;
use courtesy::domain::visits::notice::Origin;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::people::reply;
use courtesy::flows::receive;
use courtesy::flows::recording::Recording;
use courtesy::flows::scan::confirmations;
use courtesy::flows::visits::{ask_date, cancel};
use courtesy::simulator::{OUR_NUMBER, time};
use courtesy::store::inbox::{InboundKind, NewInbound};
use courtesy::store::{parties, sessions, tasks};

/// BRK-0105: Saturday 13:00; the resident arrives 12:55, the contact parent 13:05.
const RESIDENT: &str = "+447700900109";
const CONTACT: &str = "+447700900110";
/// The resident of BRK-0104, Saturday 13:00 with arrival 12:45: a chat, and a phone.
const MAIRE: i64 = 5_500_100_107;
const MAIRE_PHONE: &str = "+447700900107";

/// State and answers of all sessions of a case, in their order.
async fn all_of(w: &World, case_ref: &str) -> Vec<String> {
    let all = sessions::list(&w.svc.db, None).await.unwrap();
    let answer = |places: &[attendee::Attendee], role: &str| {
        places
            .iter()
            .find(|p| p.role.as_str() == role)
            .unwrap()
            .answer
    };
    all.iter()
        .filter(|(s, _)| s.case_ref == case_ref)
        .map(|(s, p)| {
            format!(
                "{} {} {}",
                s.state,
                answer(p, "resident"),
                answer(p, "contact")
            )
        })
        .collect()
}

/// InboundKind was sent at `sent` reaches us only now, by the list of the service.
async fn comes_late(w: &World, from: &str, body: &str, sent: &str) {
    let late = NewInbound {
        provider: "sms".into(),
        channel: Channel::Sms,
        provider_message_id: format!("SM-late-{from}-{body}-{sent}"),
        sender: OUR_NUMBER.into(),
        from: from.into(),
        kind: InboundKind::Text {
            body: Private(body.into()),
            media: 0,
            opt_out_type: None,
        },
        earliest_at: None,
        at: at(sent),
        found_by: "listing",
    };
    assert_eq!(receive::store(&w.svc, &[late]).await.unwrap(), 1);
    time::settle(&w.svc).await.unwrap();
}

/// The sample, with Maire agreed by chat and by text.
fn on_two_channels() -> String {
    SAMPLE.replace(
        "5500100107,telegram,en,yes,",
        "5500100107,telegram,en,yes:telegram+sms,",
    )
}

const NEXT_WEEK: [(&str, &str); 1] = [("session_date", "2026-12-05")];
const SAME_DAY: [(&str, &str); 6] = [
    ("start_time", "15:00"),
    ("end_time", "15:15"),
    ("resident_arrival", "14:55"),
    ("resident_departure", "15:05"),
    ("contact_arrival", "15:05"),
    ("contact_departure", "15:15"),
];

async fn a_named_date_is_the_visit_of_that_date_or_none(on: On) {
    let csv = sample_with(&[("BRK-0105", &NEXT_WEEK), ("BRK-0104", &NEXT_WEEK)]);
    let w = World::new(on, "2026-11-26T10:00", &[BIRCHFIELD, LIFFEY], &csv).await;
    for text in [
        "yes to the 5th",
        "yes 5 dec",
        "Yes Sat 5th",
        "yes sunday 28th",
    ] {
        w.says(RESIDENT, text).await;
        w.chats_in(MAIRE, text).await;
        assert_eq!(
            all_of(&w, "BRK-0105").await,
            ["booked none none", "booked none none"],
            "{text}"
        );
        assert_eq!(
            all_of(&w, "BRK-0104").await,
            ["booked none none", "booked none none"],
            "{text}"
        );
    }
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::ReadMessage));
    w.says(RESIDENT, "yes to the 28th").await;
    w.chats_in(MAIRE, "yes sat 28 nov").await;
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["booked confirmed none", "booked none none"]
    );
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked confirmed none", "booked none none"]
    );
    w.says(CONTACT, "no to the 5th sorry").await;
    assert!(
        w.last(CONTACT).contains("to cancel Sat 5 Dec"),
        "{}",
        w.last(CONTACT)
    );
    w.until("2026-11-26T10:30").await;
    w.chats_in(MAIRE, "no to 5 December").await;
    assert!(
        w.chat(MAIRE)
            .last()
            .unwrap()
            .contains("to cancel Sat 5 Dec"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.end().await;
}

async fn a_named_time_is_the_own_arrival_or_none(on: On) {
    let csv = sample_with(&[("BRK-0105", &SAME_DAY), ("BRK-0104", &SAME_DAY)]);
    let w = World::new(on, "2026-11-26T10:00", &[BIRCHFIELD, LIFFEY], &csv).await;
    w.until("2026-11-26T10:30").await;
    assert_eq!(
        (w.got(CONTACT).len(), w.chat(MAIRE).len()),
        (2, 2),
        "both visits are asked about"
    );
    // No arrival of theirs; 13:00 is the visit's, and 14:55 is the other parent's.
    for text in ["yes 2pm", "yes 1pm", "yes 2:55pm", "yes 13:00"] {
        w.says(CONTACT, text).await;
        assert_eq!(
            all_of(&w, "BRK-0105").await,
            ["booked none none", "booked none none"],
            "{text}"
        );
    }
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::ReadMessage));
    w.says(CONTACT, "yes 3:05pm").await;
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["booked none none", "booked none confirmed"]
    );
    w.chats_in(MAIRE, "no to the 2:55pm one").await;
    w.presses(MAIRE, "Cancel this visit").await;
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "cancelled cancelled none"]
    );
    w.says(RESIDENT, "yes").await;
    assert!(
        w.last(RESIDENT)
            .contains("which visit? Reply 1 for Sat 28 Nov, 12:55pm or 2 for Sat 28 Nov, 2:55pm"),
        "{}",
        w.last(RESIDENT)
    );
    w.says(RESIDENT, "no to 12:55").await;
    let code = w.code(RESIDENT, "other");
    w.says(RESIDENT, &code).await;
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["cancelled cancelled none", "booked none confirmed"]
    );
    w.end().await;
}

async fn an_older_message_that_comes_late_changes_nothing(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    // A NO from before the YES that is known.
    w.until("2026-11-26T10:10").await;
    w.says(RESIDENT, "YES").await;
    w.until("2026-11-26T10:20").await;
    let texts = w.got(RESIDENT).len();
    comes_late(&w, RESIDENT, "NO", "2026-11-26T10:05").await;
    assert_eq!(w.stands("BRK-0105").await, "booked confirmed none");
    assert_eq!(w.got(RESIDENT).len(), texts, "it is asked nothing");
    assert_eq!(
        w.tasks("BRK-0105").await,
        [TaskKind::ReadMessage],
        "a person sees it"
    );
    // One that says the same is no matter for a person.
    comes_late(&w, RESIDENT, "yes", "2026-11-26T10:06").await;
    assert_eq!(
        (w.tasks("BRK-0105").await.len(), w.got(RESIDENT).len()),
        (1, texts)
    );
    // InboundKind came after it counts.
    comes_late(&w, RESIDENT, "no sorry", "2026-11-26T10:15").await;
    assert!(w.last(RESIDENT).contains("to cancel Sat 28 Nov"));
    // A YES from before the code that finished a cancellation takes nothing back.
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T10:26").await;
    w.says(CONTACT, &w.code(CONTACT, "other")).await;
    comes_late(&w, CONTACT, "YES", "2026-11-26T10:24").await;
    assert_eq!(w.stands("BRK-0105").await, "cancelled confirmed cancelled");
    w.until("2026-11-26T11:00").await;
    assert!(w.last(RESIDENT).contains("will not go ahead"));
    w.end().await;
    // In a chat: what Telegram brings late is judged by Telegram's own time.
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T10:10").await;
    w.presses(MAIRE, "Yes").await;
    let bot = w
        .svc
        .lines()
        .all()
        .iter()
        .find(|l| l.channel == Channel::Telegram)
        .unwrap()
        .clone();
    let late = NewInbound {
        provider: bot.name(),
        channel: Channel::Telegram,
        provider_message_id: "900001".into(),
        sender: bot.sender.clone(),
        from: MAIRE.to_string(),
        kind: InboundKind::Text {
            body: Private("no".into()),
            media: 0,
            opt_out_type: None,
        },
        earliest_at: None,
        at: at("2026-11-26T10:05"),
        found_by: "hook",
    };
    let said = w.chat(MAIRE).len();
    receive::store(&w.svc, &[late]).await.unwrap();
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        (w.stands("BRK-0104").await.as_str(), w.chat(MAIRE).len()),
        ("booked confirmed none", said)
    );
    assert_eq!(w.tasks("BRK-0104").await, [TaskKind::ReadMessage]);
    w.end().await;
}

async fn after_an_outage_the_last_word_counts(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T11:00").await;
    let row = |body: &str, sent: &str| NewInbound {
        provider: "sms".into(),
        channel: Channel::Sms,
        provider_message_id: format!("SM-{body}"),
        sender: OUR_NUMBER.into(),
        from: RESIDENT.into(),
        kind: InboundKind::Text {
            body: Private(body.into()),
            media: 0,
            opt_out_type: None,
        },
        earliest_at: None,
        at: at(sent),
        found_by: "listing",
    };
    // The list of one line may be stored before that of another: they are applied in the order in
    // which they were sent.
    receive::store(
        &w.svc,
        &[
            row("yes", "2026-11-26T10:30"),
            row("no", "2026-11-26T10:20"),
        ],
    )
    .await
    .unwrap();
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await.len()
        ),
        ("booked confirmed none", 0)
    );
    // A START that is newer than a STOP stands.
    w.says(RESIDENT, "START").await;
    comes_late(&w, RESIDENT, "STOP", "2026-11-26T10:40").await;
    assert!(
        !w.last(RESIDENT).contains("will not text you again"),
        "{}",
        w.last(RESIDENT)
    );
    assert_eq!(w.tasks("BRK-0105").await, [TaskKind::ReadMessage]);
    w.says(RESIDENT, "help").await;
    assert!(w.last(RESIDENT).contains("reply YES if you will come"));
    w.end().await;
}

async fn the_newest_question_gets_the_answer(on: On) {
    let ask = async |w: &World, case: &str| {
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
    };
    let w = World::sample(on, "2026-11-24T10:00").await;
    for case in ["BRK-0105", "BRK-0104"] {
        ask(&w, case).await;
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
    // The other way round: the question about the date came last. While one may have crossed the
    // other nobody guesses.
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.until("2026-11-26T12:00").await;
    ask(&w, "BRK-0105").await;
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

async fn a_question_belongs_to_the_party_and_not_to_its_channel(on: On) {
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
        "the older code is void"
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

async fn the_visit_that_is_named_is_taken_back(on: On) {
    let w = World::new(
        on,
        "2026-11-26T10:00",
        &[BIRCHFIELD, LIFFEY],
        &sample_with(&[("BRK-0105", &SAME_DAY)]),
    )
    .await;
    w.until("2026-11-26T10:30").await;
    for time in ["1:05pm", "3:05pm"] {
        w.says(CONTACT, &format!("no to the {time}")).await;
        w.says(CONTACT, &w.code(CONTACT, "other")).await;
    }
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["cancelled none cancelled", "cancelled none cancelled"]
    );
    w.until("2026-11-26T10:33").await;
    w.says(CONTACT, "yes to the 3:05pm").await;
    assert_eq!(
        all_of(&w, "BRK-0105").await,
        ["cancelled none cancelled", "booked none confirmed"]
    );
    w.until("2026-11-26T11:30").await;
    let told: Vec<_> = w
        .got(RESIDENT)
        .into_iter()
        .filter(|t| t.contains("will not go ahead"))
        .collect();
    assert!(told.len() == 1 && told[0].contains("12:55pm"), "{told:?}");
    w.end().await;
}

async fn who_is_rung_over_a_cancellation_is_rung_while_it_matters(on: On) {
    let unfinished = async |w: &World| {
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
    };
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

const HANDED: &str = "Birchfield: thank you. Staff will read this when the office is open. Nothing \
                      has changed yet. In an emergency ring 999. Phone 020 7946 0101";
const SORRY: &str = "Birchfield: sorry, we did not understand. Nothing is changed. Reply YES if \
                     you will come or NO if you cannot, or ring 020 7946 0101";

/// The sample with a second visit of BRK-0104 on the Sunday, and its resident's chat on a phone of
/// staff's watch.
async fn in_a_chat(on: On, now: &str) -> World {
    let sunday = [("session_date", "2026-11-29")];
    let w = World::with(
        on,
        now,
        &[BIRCHFIELD, LIFFEY],
        &sample_with(&[("BRK-0104", &sunday)]),
        |s| s.alert_to = vec![Address::sms(&STAFF.parse().unwrap())],
    )
    .await;
    w.until("2026-11-27T10:30").await;
    w
}

const STAFF: &str = "+447700900999";

async fn in_a_chat_it_is_asked_back_or_handed_over_and_never_guessed(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let said = w.chat(MAIRE).len();
    w.chats_in(MAIRE, "yes sat no sunday").await;
    w.chats_in(MAIRE, "sat yes sun no").await;
    w.chats_in(MAIRE, "is it still on?").await;
    w.chats_in(MAIRE, "has he confirmed").await;
    assert_eq!(
        w.chat(MAIRE)[said..],
        [SORRY, HANDED],
        "one clarification, then the one hand-over text, then silence"
    );
    assert_eq!(w.tasks("BRK-0104").await.len(), 4, "a person reads each");
    w.chats_in(MAIRE, "yes").await;
    assert!(
        w.chat(MAIRE).last().unwrap().contains("which visit?"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.presses(MAIRE, "2").await;
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked confirmed none"]
    );
    // A change of mind.
    w.chats_in(MAIRE, "cancel sunday please").await;
    w.chats_in(MAIRE, "yes sunday").await;
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked confirmed none"]
    );
    // After the cut-off, and after the visit.
    w.until("2026-11-28T11:00").await;
    w.chats_in(MAIRE, "no saturday").await;
    assert!(
        w.chat(MAIRE).last().unwrap().contains("A fee may apply"),
        "{:?}",
        w.chat(MAIRE)
    );
    w.until("2026-11-29T20:00").await;
    let stood = all_of(&w, "BRK-0104").await;
    for text in ["yes", "no", "cancel please"] {
        w.chats_in(MAIRE, text).await;
    }
    assert_eq!(
        (
            all_of(&w, "BRK-0104").await,
            w.chat(MAIRE).last().unwrap().as_str()
        ),
        (stood, HANDED)
    );
    w.end().await;
}

async fn in_a_chat_danger_machines_and_quiet_words_are_as_by_text(on: On) {
    // Whatever is handed over gets the same words at the same instant, by text and in a chat.
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    for i in 0..20 {
        w.until(&format!("2026-11-27T10:{:02}", 31 + i)).await;
        w.chats_in(MAIRE, "Automatic reply: I am away until Monday")
            .await;
    }
    assert_eq!(
        w.tasks("BRK-0104").await,
        [TaskKind::ReadMessage, TaskKind::AutoReplies]
    );
    assert_eq!(
        w.chat(MAIRE).len(),
        3,
        "two requests and one answer: {:?}",
        w.chat(MAIRE)
    );
    w.until("2026-11-27T12:00").await;
    let alerts = w.got(STAFF).len();
    w.chats_in(MAIRE, "yes. he made me write this").await;
    assert_eq!(
        (w.chat(MAIRE).last().unwrap().as_str(), w.chat(MAIRE).len()),
        (HANDED, 4)
    );
    assert_eq!(
        parties::find(&w.svc.db, "BRK-0104:resident")
            .await
            .unwrap()
            .mode,
        Mode::Silent
    );
    w.until("2026-11-27T12:02").await;
    assert_eq!(
        w.got(STAFF)[alerts..],
        ["Desk: 1 urgent task. Please sign in."]
    );
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked none none"]
    );
    w.until("2026-11-27T14:00").await;
    w.chats_in(MAIRE, "which door?").await;
    assert_eq!(w.chat(MAIRE).len(), 4, "nothing more goes there");
    w.end().await;
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let party = parties::find(&w.svc.db, "BRK-0104:resident").await.unwrap();
    let word = PhoneChange {
        quiet_word: Some("Is there parking?".into()),
        ..PhoneChange::default()
    };
    phone::change(&w.svc, &party, &word, "Mary", w.svc.clock.now())
        .await
        .unwrap();
    w.chats_in(MAIRE, "is there parking").await;
    assert_eq!(w.chat(MAIRE).last().unwrap(), HANDED, "as to anybody else");
    assert!(w.tasks("BRK-0104").await.contains(&TaskKind::QuietWord));
    assert_eq!(
        parties::find(&w.svc.db, "BRK-0104:resident")
            .await
            .unwrap()
            .mode,
        Mode::Discreet
    );
    w.end().await;
}

async fn in_a_chat_what_cannot_be_read_is_kept_and_handed_over(on: On) {
    let w = in_a_chat(on, "2026-11-27T10:00").await;
    let bad = [
        "👍🏽",
        "🤷",
        "\u{202e}SEY",
        "ye\0s",
        "\u{feff}\u{200b}",
        "\u{1b}[2J",
        "   ",
        "?",
    ];
    for (i, text) in bad.iter().enumerate() {
        w.until(&format!("2026-11-27T{}:00", 11 + i)).await;
        w.chats_in(MAIRE, text).await;
    }
    assert_eq!(
        all_of(&w, "BRK-0104").await,
        ["booked none none", "booked none none"]
    );
    let open: Vec<_> = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.case_ref.as_deref() == Some("BRK-0104") && t.topic == TaskKind::ReadMessage)
        .collect();
    assert_eq!(open.len(), bad.len());
    let waiting = reply::waiting(&w.svc, &open[0].id).await.unwrap();
    for text in bad {
        let kept = text.replace('\0', "\u{2400}");
        assert!(
            waiting.passed.iter().any(|p| p.body.0 == kept),
            "{text:?} is kept as received"
        );
    }
    w.end().await;
}

crate::on_both!(
    in_a_chat_it_is_asked_back_or_handed_over_and_never_guessed,
    in_a_chat_danger_machines_and_quiet_words_are_as_by_text,
    in_a_chat_what_cannot_be_read_is_kept_and_handed_over,
    a_named_date_is_the_visit_of_that_date_or_none,
    a_named_time_is_the_own_arrival_or_none,
    an_older_message_that_comes_late_changes_nothing,
    after_an_outage_the_last_word_counts,
    the_newest_question_gets_the_answer,
    a_question_belongs_to_the_party_and_not_to_its_channel,
    notice_counts_from_the_no_that_was_asked_back,
    the_number_means_the_newest_wish_and_none_is_lost,
    a_yes_ends_the_first_time_of_a_no_that_was_asked_back,
    the_visit_that_is_named_is_taken_back,
    who_is_rung_over_a_cancellation_is_rung_while_it_matters,
    a_no_from_a_silent_phone_is_one_call,
);
