//! Phones and people: one number for two visits, two families, two centres; strangers, STOP, quiet
//! phones and safe hours; and two centres with senders of their own.

use crate::common::{BIRCHFIELD, LIFFEY, On, SECOND_NUMBER, World, sample_with};
use courtesy::domain::people::address::Address;
use courtesy::domain::people::channel::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange, Spoken};
use courtesy::store::{parties, tasks};

const SIOBHAN: &str = "+447700900101";
const DWAYNE: &str = "+447700900102";

async fn change(
    w: &World,
    party: &str,
    c: PhoneChange,
) -> courtesy::flows::error::Result<Vec<String>> {
    let party = parties::find(&w.svc.db, party).await.unwrap();
    phone::change(&w.svc, &party, &c, "Mary", w.svc.clock.now()).await
}

async fn two_open_visits_are_asked_with_numbers(on: On) {
    let w = World::two_visits(on, "2026-11-27T10:00").await;
    w.until("2026-11-27T10:30").await;
    assert_eq!(w.got(DWAYNE).len(), 2, "{:?}", w.got(DWAYNE));
    w.says(DWAYNE, "Yes").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: which visit? Reply 1 for Sat 28 Nov, 10am or 2 for Sun 29 Nov, 2pm. Nothing \
         has changed yet. Phone 020 7946 0101"
    );
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    w.says(DWAYNE, "2").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: thank you. You have confirmed Sun 29 Nov, 2pm."
    );
    assert_eq!(
        w.stands("BRK-0101").await,
        "booked none none",
        "Saturday still waits"
    );
    w.says(DWAYNE, "yes").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: thank you. You have confirmed Sat 28 Nov, 10am."
    );
    assert_eq!(w.stands("BRK-0101").await, "booked none confirmed");
    // The other parent names the day; and a number without a question is for a person.
    w.says(SIOBHAN, "yes saturday").await;
    assert_eq!(
        w.last(SIOBHAN),
        "Birchfield: thank you. You have confirmed Sat 28 Nov, 9:45am."
    );
    w.says(DWAYNE, "2").await;
    assert!(w.last(DWAYNE).contains("Staff will read this"));
    w.end().await;
}

async fn one_number_in_two_families_and_at_two_centres_is_asked_and_never_guessed(on: On) {
    // She has two cases already (Saturday and Sunday): both fathers' visits are hers to answer,
    // each by its own day.
    let w = World::sample(on, "2026-11-27T10:00").await;
    w.until("2026-11-27T10:30").await;
    w.says(SIOBHAN, "NO").await;
    assert_eq!(
        w.last(SIOBHAN),
        "Birchfield: which visit? Reply 1 for Sat 28 Nov, 9:45am or 2 for Sun 29 Nov, 2:20pm. \
         Nothing has changed yet. Phone 020 7946 0101"
    );
    w.says(SIOBHAN, "1").await;
    assert!(
        w.last(SIOBHAN).contains("to cancel Sat 28 Nov"),
        "{}",
        w.last(SIOBHAN)
    );
    let code = w.code(SIOBHAN, "other");
    w.says(SIOBHAN, &code).await;
    assert_eq!(w.stands("BRK-0101").await, "cancelled cancelled none");
    assert_eq!(w.stands("BRK-0111").await, "booked none none");
    w.end().await;
    // The same phone at another centre, which shares our number: the centre's name stands with each
    // visit.
    let csv = sample_with(&[(
        "LIF-2001",
        &[
            ("resident_phone", DWAYNE),
            ("case_ref", "LIF-2999"),
            ("resident_name", "Dwayne Carver"),
            ("session_date", "2026-11-28"),
            ("contact_phone", "+353 20 910 2077"),
            ("contact_telegram_id", ""),
            ("contact_channel", "sms"),
        ],
    )]);
    let w = World::new(on, "2026-11-27T10:00", &[BIRCHFIELD, LIFFEY], &csv).await;
    w.until("2026-11-27T10:40").await;
    w.says(DWAYNE, "yes").await;
    assert!(
        w.last(DWAYNE).contains(
            "which visit? Reply 1 for Birchfield, Sat 28 Nov, 10am or 2 for Liffey, Sat 28 Nov, "
        ),
        "{}",
        w.last(DWAYNE)
    );
    w.says(DWAYNE, "1").await;
    assert_eq!(w.stands("BRK-0101").await, "booked none confirmed");
    assert_eq!(w.stands("LIF-2999").await, "booked none none");
    w.end().await;
}

async fn a_wrong_number_rests_until_staff_have_spoken_with_the_parent(on: On) {
    let w = World::sample(on, "2026-11-25T12:00").await;
    w.says(DWAYNE, "Who's this?").await;
    assert_eq!(
        w.got(DWAYNE),
        ["Sorry. We will not text this number again."]
    );
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingWrongNumber)
    );
    w.until("2026-11-26T11:00").await;
    assert_eq!(w.got(DWAYNE).len(), 1, "nothing more goes there");
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::RingNoAddress));
    let again = PhoneChange {
        sms: Some("safe".into()),
        ..PhoneChange::default()
    };
    assert!(
        change(&w, "BRK-0101:contact", again.clone())
            .await
            .unwrap_err()
            .to_string()
            .contains("--spoken"),
        "not on anybody's word"
    );
    change(
        &w,
        "BRK-0101:contact",
        PhoneChange {
            spoken: Some(Spoken::CalledBack),
            ..again
        },
    )
    .await
    .unwrap();
    w.until("2026-11-26T11:10").await;
    assert!(
        w.last(DWAYNE).contains("your visit is Sat 28 Nov"),
        "the question that could not be put is put now"
    );
    assert!(
        !w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingWrongNumber)
    );
    w.end().await;
}

async fn who_wants_no_texts_is_rung_when_the_visit_is_off(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "STOP").await;
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::RingOptedOut));
    let texts = w.got(DWAYNE).len();
    w.says(SIOBHAN, "no sorry").await;
    let code = w.code(SIOBHAN, "other");
    w.says(SIOBHAN, &code).await;
    w.until("2026-11-26T11:00").await;
    assert_eq!(w.got(DWAYNE).len(), texts);
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingSessionOff)
    );
    w.end().await;
}

async fn a_discreet_phone_gets_two_bare_texts_and_a_silent_one_nothing(on: On) {
    let w = World::sample(on, "2026-11-26T09:00").await;
    change(
        &w,
        "BRK-0101:contact",
        PhoneChange {
            mode: Some(Mode::Discreet),
            ..PhoneChange::default()
        },
    )
    .await
    .unwrap();
    change(
        &w,
        "BRK-0103:resident",
        PhoneChange {
            mode: Some(Mode::Silent),
            ..PhoneChange::default()
        },
    )
    .await
    .unwrap();
    w.until("2026-11-26T10:00").await;
    assert_eq!(
        w.got(DWAYNE),
        ["Birchfield: are you free on Sat 28 Nov as usual? Please reply YES or NO."]
    );
    assert!(w.got("+447700900105").is_empty());
    assert!(w.tasks("BRK-0103").await.contains(&TaskKind::RingNoAddress));
    w.says(DWAYNE, "yes").await;
    assert_eq!(w.stands("BRK-0101").await, "booked none confirmed");
    assert_eq!(w.got(DWAYNE).len(), 1, "thanks are not said");
    w.says(DWAYNE, "what time is it again?").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: please ring us when you can. Thank you."
    );
    // To cancel takes a call.
    w.says(DWAYNE, "no I can't come").await;
    assert!(
        !w.got(DWAYNE).iter().any(|t| t.contains("cancel")),
        "{:?}",
        w.got(DWAYNE)
    );
    assert!(w.tasks("BRK-0101").await.contains(&TaskKind::CancelByPhone));
    // The other parent cancels: a bare text, and a call.
    w.says(SIOBHAN, "no").await;
    let code = w.code(SIOBHAN, "other");
    w.says(SIOBHAN, &code).await;
    w.until("2026-11-26T14:00").await;
    assert!(
        w.got(DWAYNE)
            .iter()
            .all(|t| t.starts_with("Birchfield: are you free")
                || t.starts_with("Birchfield: please ring us")),
        "{:?}",
        w.got(DWAYNE)
    );
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingSessionOff)
    );
    // What the silent one writes is read by a person and answered by nothing.
    w.says("+447700900105", "yes").await;
    assert!(w.got("+447700900105").is_empty());
    // Louder takes a talk.
    let louder = PhoneChange {
        mode: Some(Mode::Normal),
        ..PhoneChange::default()
    };
    assert!(
        change(&w, "BRK-0101:contact", louder.clone())
            .await
            .is_err()
    );
    change(
        &w,
        "BRK-0101:contact",
        PhoneChange {
            spoken: Some(Spoken::InPerson),
            ..louder
        },
    )
    .await
    .unwrap();
    w.end().await;
}

async fn a_phone_shows_texts_only_in_its_safe_hours(on: On) {
    let w = World::sample(on, "2026-11-26T09:00").await;
    change(
        &w,
        "BRK-0101:contact",
        PhoneChange {
            hours: Some("12:30-15:00".into()),
            ..PhoneChange::default()
        },
    )
    .await
    .unwrap();
    assert!(
        change(
            &w,
            "BRK-0101:contact",
            PhoneChange {
                hours: Some("noon".into()),
                ..PhoneChange::default()
            }
        )
        .await
        .is_err()
    );
    w.until("2026-11-26T12:29").await;
    assert!(w.got(DWAYNE).is_empty());
    w.until("2026-11-26T12:30").await;
    assert_eq!(w.got(DWAYNE).len(), 1);
    // The visit falls out on the morning itself: the phone may not show it then, so a person rings.
    w.until("2026-11-28T08:30").await;
    w.says(SIOBHAN, "no saturday").await;
    let code = w.code(SIOBHAN, "other");
    w.says(SIOBHAN, &code).await;
    assert_eq!(w.stands("BRK-0101").await, "cancelled cancelled none");
    assert_eq!(w.got(DWAYNE).len(), 1, "haste is no reason");
    assert!(
        w.tasks("BRK-0101")
            .await
            .contains(&TaskKind::RingSessionOff)
    );
    w.end().await;
}

async fn two_centres_have_their_own_numbers_and_a_stop_belongs_to_one(on: On) {
    // One parent with one phone at both centres; Liffey texts from a number of its own.
    let liffey = format!(
        "{LIFFEY}\n[sms]\nbase_url = \"PROVIDER\"\naccount_sid = \"{}\"\nauth_token = \"{}\"\nfrom \
         = \"{SECOND_NUMBER}\"\nrate_per_second = 0\nmax_per_day = 0\nsettle_seconds = \
         1\nlook_again_seconds = 1\n",
        courtesy::simulator::ACCOUNT,
        courtesy::simulator::TOKEN
    );
    let csv = sample_with(&[(
        "LIF-2001",
        &[
            ("resident_phone", DWAYNE),
            ("case_ref", "LIF-2999"),
            ("resident_name", "Dwayne Carver"),
            ("session_date", "2026-11-28"),
            ("contact_name", "Peadar Quigg"),
            ("contact_phone", "+353 20 910 2077"),
            ("contact_telegram_id", ""),
            ("contact_channel", "sms"),
        ],
    )]);
    let w = World::new(on, "2026-11-26T10:00", &[BIRCHFIELD, &liffey], &csv).await;
    w.until("2026-11-26T10:30").await;
    let from: Vec<(String, bool)> = w
        .provider
        .messages()
        .iter()
        .filter(|m| m.to == DWAYNE)
        .map(|m| (m.from.clone(), m.body.starts_with("Liffey")))
        .collect();
    assert!(
        from.contains(&(SECOND_NUMBER.to_owned(), true))
            && from.contains(&(courtesy::simulator::OUR_NUMBER.to_owned(), false)),
        "{from:?}"
    );
    // An answer belongs to the centre of the number it came to: no question which.
    w.says_to(SECOND_NUMBER, DWAYNE, "Yes").await;
    assert_eq!(w.stands("LIF-2999").await, "booked confirmed none");
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    // Whoever has this phone reads an answer of either centre: it names no other parent of the
    // other.
    w.says(DWAYNE, "Which door is it?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.topic == TaskKind::ReadMessage)
        .unwrap();
    let e =
        courtesy::flows::people::reply::reply(&w.svc, &task.id, "The same door as Peadar", "Mary")
            .await
            .unwrap_err()
            .to_string();
    assert!(
        e.contains("names another person") && e.contains("nothing was sent"),
        "{e}"
    );
    w.says(DWAYNE, "STOP").await;
    let listed = courtesy::store::cases::parties(&w.svc.db, w.svc.lines().senders(), None)
        .await
        .unwrap();
    let of = |case_ref: &str, role: &str| {
        listed
            .iter()
            .find(|p| p.case_ref == case_ref && p.role.as_str() == role)
            .unwrap()
    };
    assert_eq!(
        (
            of("BRK-0101", "contact").usable,
            of("LIF-2999", "resident").usable
        ),
        (false, true),
        "opted out at one number, not at the other"
    );
    w.end().await;
}

async fn staff_are_alerted_to_what_is_urgent_and_to_nothing_else(on: On) {
    let staff = "+447700900999";
    let w = World::with(
        on,
        "2026-11-26T10:00",
        &[BIRCHFIELD, LIFFEY],
        crate::common::SAMPLE,
        |s| {
            s.alert_to = vec![Address::sms(&staff.parse().unwrap())];
        },
    )
    .await;
    w.says(SIOBHAN, "what time does it start?").await;
    assert!(w.got(staff).is_empty(), "two days ahead, it can wait");
    w.until("2026-11-27T11:00").await;
    w.says(SIOBHAN, "STOP").await;
    w.says(DWAYNE, "STOP").await;
    w.until("2026-11-27T11:01").await;
    let first = w.got(staff);
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(
        first[0].starts_with("Desk: ") && first[0].ends_with(". Please sign in."),
        "{first:?}"
    );
    assert!(!first[0].contains("BRK") && !first[0].contains("Sat"));
    w.says("+447700900103", "STOP").await;
    w.until("2026-11-27T11:05").await;
    assert_eq!(
        w.got(staff).len(),
        1,
        "what comes up within ten minutes is counted together"
    );
    w.until("2026-11-27T11:20").await;
    assert_eq!(w.got(staff).len(), 2);
    w.until("2026-11-27T13:00").await;
    assert_eq!(w.got(staff).len(), 2, "nobody is alerted twice to the same");
    w.end().await;
}

async fn a_reply_after_the_visit_is_for_a_person(on: On) {
    let w = World::sample(on, "2026-11-28T09:00").await;
    w.until("2026-11-28T13:00").await;
    w.says(DWAYNE, "yes").await;
    assert!(
        w.last(DWAYNE).contains("Staff will read this"),
        "{}",
        w.last(DWAYNE)
    );
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    w.end().await;
}

async fn a_chatty_phone_gets_six_answers_a_day(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let before = w.got(DWAYNE).len();
    for i in 0..30 {
        w.until(&format!("2026-11-26T10:{:02}", i + 1)).await;
        w.says(DWAYNE, if i % 2 == 0 { "what time?" } else { "HELP" })
            .await;
    }
    for hour in 11..20 {
        w.until(&format!("2026-11-26T{hour}:30")).await;
        w.says(DWAYNE, "and now?").await;
    }
    let answers = w.got(DWAYNE).len() - before;
    assert!((3..=6).contains(&answers), "{answers}");
    let open = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .iter()
        .filter(|t| t.case_ref.as_deref() == Some("BRK-0101"))
        .count();
    assert!(open >= 24, "each is read by a person all the same: {open}");
    w.end().await;
}

async fn staff_answer_in_their_own_words_which_are_read_over(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "Which door do we use?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.topic == TaskKind::ReadMessage)
        .unwrap()
        .id;
    let answer = |text: &'static str| {
        let (svc, task) = (w.svc.clone(), task.clone());
        async move { courtesy::flows::people::reply::reply(&svc, &task, text, "Mary").await }
    };
    for (text, why) in [
        ("Siobhan comes by the front", "names another person"),
        ("Not before 9:45", "arrives"),
        ("Ask the court", "court"),
        ("See http://x.example", "link"),
        ("", "empty"),
    ] {
        let e = answer(text).await.unwrap_err().to_string();
        assert!(
            e.contains(why) && e.contains("nothing was sent"),
            "{text}: {e}"
        );
    }
    let done =
        courtesy::flows::people::reply::reply(&w.svc, &task, "The side door, as usual.", "Mary")
            .await
            .unwrap();
    assert_eq!((done.party.as_str(), done.parts), ("BRK-0101:contact", 1));
    w.until("2026-11-26T10:05").await;
    assert_eq!(w.last(DWAYNE), "Birchfield: The side door, as usual.");
    assert!(!w.got(SIOBHAN).iter().any(|t| t.contains("side door")));
    assert!(!w.tasks("BRK-0101").await.contains(&TaskKind::ReadMessage));
    assert!(
        courtesy::flows::people::reply::reply(&w.svc, &task, "Again", "Mary")
            .await
            .unwrap_err()
            .to_string()
            .contains("done already")
    );
    w.end().await;
}

/// One phone with two cases: neither case's other parent is named in an answer to it.
async fn a_reply_names_nobody_of_any_case_of_that_phone(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(SIOBHAN, "Which door do we use?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.topic == TaskKind::ReadMessage)
        .unwrap();
    let cases: Vec<Option<String>> = vec![Some("BRK-0101".into()), Some("BRK-0111".into())];
    assert!(task.case_ref.is_none() || cases.contains(&task.case_ref));
    for text in [
        "Tremaine will be there Sunday",
        "Dwayne will be there Saturday",
    ] {
        let e = courtesy::flows::people::reply::reply(&w.svc, &task.id, text, "Mary")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            e.contains("nothing was sent")
                && (e.contains("names another person") || e.contains("several families")),
            "{text}: {e}"
        );
    }
    w.end().await;
}

crate::on_both!(
    a_reply_names_nobody_of_any_case_of_that_phone,
    two_open_visits_are_asked_with_numbers,
    one_number_in_two_families_and_at_two_centres_is_asked_and_never_guessed,
    a_wrong_number_rests_until_staff_have_spoken_with_the_parent,
    who_wants_no_texts_is_rung_when_the_visit_is_off,
    a_discreet_phone_gets_two_bare_texts_and_a_silent_one_nothing,
    a_phone_shows_texts_only_in_its_safe_hours,
    two_centres_have_their_own_numbers_and_a_stop_belongs_to_one,
    staff_are_alerted_to_what_is_urgent_and_to_nothing_else,
    a_reply_after_the_visit_is_for_a_person,
    a_chatty_phone_gets_six_answers_a_day,
    staff_answer_in_their_own_words_which_are_read_over,
);
