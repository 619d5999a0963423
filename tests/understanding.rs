//! Conversations through the real app: which question an answer belongs to, what is asked back or
//! handed over, one clarification a day, machines, phones that somebody else reads, private words,
//! bad input, and the message as a person sees it.

use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World};
use base64::Engine;
use courtesy::domain::people::person::Mode;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::phone::{self, PhoneChange};
use courtesy::flows::people::reply;
use courtesy::simulator::{ACCOUNT, OUR_NUMBER, TOKEN, time};
use courtesy::store::{facts, parties, tasks};

const SIOBHAN: &str = "+447700900101";
const DWAYNE: &str = "+447700900102";
const RESIDENT_105: &str = "+447700900109";
const CONTACT_104: &str = "+447700900108";
const CONTACT_105: &str = "+447700900110";

const HANDED: &str = "Birchfield: thank you. Staff will read this when the office is open. Nothing \
                      has changed yet. In an emergency ring 999. Phone 020 7946 0101";
const SORRY: &str = "Birchfield: sorry, we did not understand. Nothing is changed. Reply YES if \
                     you will come or NO if you cannot, or ring 020 7946 0101";

async fn mode(w: &World, party: &str) -> Mode {
    parties::find(&w.svc.db, party).await.unwrap().mode
}

/// The facts of a case as `kind rule detail`.
async fn said(w: &World, case_ref: &str) -> Vec<String> {
    let case = courtesy::store::cases::find(&w.svc.db, case_ref)
        .await
        .unwrap();
    facts::of_case(&w.svc.db, &case.id)
        .await
        .unwrap()
        .into_iter()
        .map(|f| format!("{} {} {}", f.kind, f.rule, f.detail.0))
        .collect()
}

/// Both visits of BRK-0101 on one weekend are asked about.
async fn two_visits(on: On, now: &str) -> World {
    let w = World::two_visits(on, now).await;
    w.until("2026-11-27T10:30").await;
    w
}

async fn a_yes_for_one_day_and_a_no_for_the_other_is_never_guessed(on: On) {
    let w = two_visits(on, "2026-11-27T10:00").await;
    for (i, body) in [
        "yes sat no sunday",
        "can come sat cant come sun",
        "sat yes sun no",
    ]
    .into_iter()
    .enumerate()
    {
        w.says(DWAYNE, body).await;
        assert_eq!(
            w.last(DWAYNE),
            if i == 0 { SORRY } else { HANDED },
            "{body}"
        );
    }
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    // One day alone says which; and a date is a day.
    w.says(DWAYNE, "Yes see you on the 29th").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: thank you. You have confirmed Sun 29 Nov, 2pm."
    );
    w.says(DWAYNE, "yes see you on the 5th").await;
    assert_eq!(
        w.stands("BRK-0101").await,
        "booked none none",
        "the fifth is no day that is open"
    );
    w.end().await;
    // Both days at once fit both questions: asked back. Three visits are for a person.
    let w = two_visits(on, "2026-11-27T10:00").await;
    w.says(DWAYNE, "yes to saturday and yes to sunday").await;
    assert!(
        w.last(DWAYNE)
            .contains("which visit? Reply 1 for Sat 28 Nov, 10am or 2 for Sun 29 Nov, 2pm"),
        "{}",
        w.last(DWAYNE)
    );
    w.says(SIOBHAN, "yes").await;
    assert_eq!(w.last(SIOBHAN), HANDED);
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    w.end().await;
}

async fn a_day_or_a_date_of_another_visit_is_no_answer(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    for body in [
        "yes see you sunday",
        "can't make the 5th",
        "Yes see you on the 28th December",
        "can't come on the 28/12",
        "yes at 3pm",
        "not coming sunday",
    ] {
        w.says(CONTACT_105, body).await;
        assert!(
            [SORRY, HANDED].contains(&w.last(CONTACT_105).as_str()),
            "{body}: {}",
            w.last(CONTACT_105)
        );
    }
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    assert!(
        !said(&w, "BRK-0105")
            .await
            .iter()
            .any(|f| f.starts_with("cancel_asked"))
    );
    for (body, phone) in [
        ("yes see you on the 28th", CONTACT_105),
        ("yes see you at 12.55", RESIDENT_105),
    ] {
        w.says(phone, body).await;
        assert!(
            w.last(phone).contains("You have confirmed Sat 28 Nov"),
            "{body}: {}",
            w.last(phone)
        );
    }
    w.end().await;
}

async fn a_reply_to_an_old_text_a_late_one_and_a_change_of_mind(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    // The visit moved, the YES was for the old time: asked once more, and answered then.
    w.moves("BRK-0105", "2026-11-28T14:00").await;
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    w.until("2026-11-26T10:13").await;
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    // A change of mind is a NO like any other: its code finishes it, and a YES before that keeps
    // the visit.
    w.says(CONTACT_105, "sorry can't make it now").await;
    let code = w.code(CONTACT_105, "other");
    w.says(CONTACT_105, "actually yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.says(CONTACT_105, "yes").await;
    w.says(CONTACT_105, &code).await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none confirmed",
        "the YES ended the question"
    );
    // After the cut-off a NO is late and still only asked; but a move of the centre's can be
    // refused for two days.
    w.until("2026-11-27T18:00").await;
    w.says(CONTACT_105, "no").await;
    assert!(
        !w.last(CONTACT_105).contains("A fee may apply"),
        "{}",
        w.last(CONTACT_105)
    );
    w.says(CONTACT_104, "no").await;
    assert!(
        w.last(CONTACT_104).contains("A fee may apply"),
        "{}",
        w.last(CONTACT_104)
    );
    // After the visit nothing is changed by any answer.
    let stood = w.stands("BRK-0101").await;
    w.until("2026-11-28T19:00").await;
    for body in ["yes", "no", "cancel please", &code] {
        w.says(DWAYNE, body).await;
        assert_eq!(w.last(DWAYNE), HANDED, "{body}");
    }
    assert_eq!(w.stands("BRK-0101").await, stood);
    w.end().await;
}

async fn one_clarification_a_day_then_the_one_hand_over_text_then_silence(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "maybe").await;
    assert_eq!(w.last(DWAYNE), SORRY);
    w.says(DWAYNE, "I'll try").await;
    assert_eq!(w.last(DWAYNE), HANDED);
    let n = w.got(DWAYNE).len();
    w.says(DWAYNE, "depends on work").await;
    assert_eq!(w.got(DWAYNE).len(), n, "once an hour");
    assert_eq!(
        w.tasks("BRK-0101").await,
        [
            TaskKind::ReadMessage,
            TaskKind::ReadMessage,
            TaskKind::ReadMessage
        ],
        "a person reads each"
    );
    // The other parent has a day of her own, and another question is not touched by it.
    w.says(CONTACT_105, "not sure").await;
    assert_eq!(w.last(CONTACT_105), SORRY);
    // The next day once more.
    w.until("2026-11-27T10:30").await;
    w.says(DWAYNE, "hopefully").await;
    assert_eq!(w.last(DWAYNE), SORRY);
    // Who has answered already, or was never asked, is not asked to answer.
    w.says(CONTACT_105, "yes").await;
    w.says(CONTACT_105, "hm not sure what that was").await;
    assert_eq!(w.last(CONTACT_105), HANDED);
    w.end().await;
}

async fn whatever_is_handed_over_gets_the_same_bytes_at_the_same_instant(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let mut heard = Vec::new();
    let texts = [
        "what time is it?",
        "my new number is 07700 900555",
        "can we do sunday instead",
        "running late",
        "you lot are a joke",
        "he hit me last night",
        "he is making me write this",
        "my ex reads my messages",
        "Is it still on?",
        "one of them is poorly, I'll bring the other",
        "5271",
        "2",
        "yes see you sunday",
        "I took all my tablets",
    ];
    for (hour, body) in (11..).zip(texts) {
        let phone = [DWAYNE, CONTACT_105, RESIDENT_105][usize::try_from(hour).unwrap() % 3];
        let day = if hour < 20 {
            format!("2026-11-26T{hour}:00")
        } else {
            format!("2026-11-27T{:02}:00", hour - 10)
        };
        w.until(&day).await;
        if mode(&w, "BRK-0101:contact").await != Mode::Normal
            || mode(&w, "BRK-0105:contact").await != Mode::Normal
            || mode(&w, "BRK-0105:resident").await != Mode::Normal
        {
            for p in ["BRK-0101:contact", "BRK-0105:contact", "BRK-0105:resident"] {
                let party = parties::find(&w.svc.db, p).await.unwrap();
                phone::change(
                    &w.svc,
                    &party,
                    &PhoneChange {
                        mode: Some(Mode::Normal),
                        spoken: Some(phone::Spoken::InPerson),
                        ..PhoneChange::default()
                    },
                    "Mary",
                    w.svc.clock.now(),
                )
                .await
                .unwrap();
            }
        }
        let before = w.got(phone).len();
        w.says(phone, body).await;
        let got: Vec<(String, i64)> = w
            .provider
            .messages()
            .into_iter()
            .filter(|m| m.to == phone)
            .skip(before)
            .map(|m| (m.body, (m.created - w.svc.clock.now()).num_seconds()))
            .collect();
        heard.push((body, got));
    }
    for (body, got) in &heard {
        assert_eq!(*got, [(HANDED.to_owned(), 0)], "{body}");
    }
    w.end().await;
}

async fn is_it_still_on_never_gets_a_state(on: On) {
    let questions = [
        "Is it still on?",
        "has he confirmed",
        "has she cancelled?",
        "is he coming saturday",
        "did she say yes",
    ];
    // Four states of the other parent: nothing, confirmed, about to cancel, cancelled and not
    // released yet.
    for state in 0..4 {
        let w = World::sample(on, "2026-11-26T10:00").await;
        match state {
            1 => w.says(CONTACT_105, "yes").await,
            2 => w.says(CONTACT_105, "no").await,
            3 => {
                w.says(CONTACT_105, "no").await;
                w.says(CONTACT_105, &w.code(CONTACT_105, "other")).await;
            }
            _ => {}
        }
        w.until("2026-11-26T10:01").await;
        let before = w.got(RESIDENT_105).len();
        for q in questions {
            w.says(RESIDENT_105, q).await;
        }
        assert_eq!(w.got(RESIDENT_105)[before..], [HANDED], "state {state}");
        w.end().await;
    }
}

async fn a_machine_that_answers_ours_is_answered_once_and_opens_one_task(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    for i in 0..20 {
        w.until(&format!("2026-11-26T10:{:02}", 10 + i)).await;
        w.says(
            DWAYNE,
            "Thank you for your message. This mailbox is not monitored.",
        )
        .await;
    }
    assert_eq!(
        w.got(DWAYNE).len(),
        2,
        "the request and one answer: {:?}",
        w.got(DWAYNE)
    );
    assert_eq!(
        w.tasks("BRK-0101").await,
        [TaskKind::ReadMessage, TaskKind::AutoReplies]
    );
    // Very many at once, each different: the same. But an answer is an answer, and danger is told.
    for i in 0..40 {
        w.says(CONTACT_105, &format!("Ticket #{i} was opened for you"))
            .await;
    }
    let tasks = w.tasks("BRK-0105").await;
    assert!(
        tasks.len() <= 11 && tasks.contains(&TaskKind::AutoReplies),
        "{tasks:?}"
    );
    assert!(w.got(CONTACT_105).len() <= 3, "{:?}", w.got(CONTACT_105));
    w.says(CONTACT_105, "he has a knife").await;
    assert!(w.tasks("BRK-0105").await.contains(&TaskKind::Safeguarding));
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.end().await;
}

async fn a_phone_that_somebody_else_reads_goes_silent_at_once(on: On) {
    for body in [
        "Yes. he is reading my messages",
        "she has my phone",
        "dont reply he checks my texts",
        "use my other number",
    ] {
        let w = World::sample(on, "2026-11-26T10:00").await;
        w.says(DWAYNE, body).await;
        assert_eq!(w.last(DWAYNE), HANDED, "the ordinary answer: {body}");
        assert_eq!(
            (
                mode(&w, "BRK-0101:contact").await,
                mode(&w, "BRK-0101:resident").await
            ),
            (Mode::Silent, Mode::Normal),
            "{body}"
        );
        assert!(w.tasks("BRK-0101").await.contains(&TaskKind::Safeguarding));
        assert_eq!(
            w.stands("BRK-0101").await,
            "booked none none",
            "nothing else in it acts"
        );
        assert!(
            said(&w, "BRK-0101")
                .await
                .contains(&"mode_changed D4 silent".to_owned())
        );
        let n = w.got(DWAYNE).len();
        w.until("2026-11-26T12:00").await;
        w.says(DWAYNE, "what time was it?").await;
        w.says(SIOBHAN, "no saturday").await;
        let code = w.code(SIOBHAN, "other");
        w.says(SIOBHAN, &code).await;
        w.until("2026-11-26T15:00").await;
        assert_eq!(w.got(DWAYNE).len(), n, "nothing more goes there: {body}");
        assert!(
            w.tasks("BRK-0101")
                .await
                .contains(&TaskKind::RingSessionOff),
            "a person rings"
        );
        w.end().await;
    }
    // Where the phone was discreet, the answer is that of a discreet phone.
    let w = World::sample(on, "2026-11-26T10:00").await;
    let party = parties::find(&w.svc.db, "BRK-0101:contact").await.unwrap();
    phone::change(
        &w.svc,
        &party,
        &PhoneChange {
            mode: Some(Mode::Discreet),
            ..PhoneChange::default()
        },
        "Mary",
        w.svc.clock.now(),
    )
    .await
    .unwrap();
    w.says(DWAYNE, "he goes through my phone").await;
    assert_eq!(
        w.last(DWAYNE),
        "Birchfield: please ring us when you can. Thank you."
    );
    assert_eq!(mode(&w, "BRK-0101:contact").await, Mode::Silent);
    w.end().await;
}

async fn a_private_word_changes_nothing_that_is_seen(on: On) {
    let mut heard = Vec::new();
    for registered in [true, false] {
        let w = World::sample(on, "2026-11-26T10:00").await;
        let party = parties::find(&w.svc.db, "BRK-0101:contact").await.unwrap();
        let word = |word: &str| PhoneChange {
            quiet_word: Some(word.into()),
            ..PhoneChange::default()
        };
        if registered {
            for bad in ["yes", "not coming", "stop texting me", "parking", "5271"] {
                assert!(
                    phone::change(&w.svc, &party, &word(bad), "Mary", w.svc.clock.now())
                        .await
                        .is_err(),
                    "{bad}"
                );
            }
            let done = phone::change(
                &w.svc,
                &party,
                &word("Is there parking?"),
                "Mary",
                w.svc.clock.now(),
            )
            .await
            .unwrap();
            assert!(!done.concat().contains("parking"), "{done:?}");
        }
        w.says(SIOBHAN, "is there parking").await;
        w.says(DWAYNE, "is there any parking").await;
        w.until("2026-11-26T11:30").await;
        w.says(DWAYNE, "IS THERE PARKING ").await;
        assert_eq!(
            mode(&w, "BRK-0101:contact").await,
            if registered {
                Mode::Discreet
            } else {
                Mode::Normal
            }
        );
        assert_eq!(
            w.tasks("BRK-0101").await.contains(&TaskKind::QuietWord),
            registered
        );
        assert_eq!(
            mode(&w, "BRK-0101:resident").await,
            Mode::Normal,
            "the word belongs to one person"
        );
        heard.push(
            w.provider
                .messages()
                .into_iter()
                .filter(|m| !m.inbound)
                .map(|m| format!("{} {} {}", m.created.format("%dT%H:%M"), m.to, m.body))
                .collect::<std::collections::BTreeSet<_>>(),
        );
        w.end().await;
    }
    assert_eq!(heard[0], heard[1]);
}

async fn illness_that_is_told_afterwards_is_kept_and_changes_nothing_else(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "cancel please").await;
    w.says(CONTACT_105, &w.code(CONTACT_105, "other")).await;
    let stood = w.stands("BRK-0105").await;
    w.until("2026-11-26T11:40").await;
    let others = w.got(RESIDENT_105).len();
    w.says(CONTACT_105, "my son has chicken pox so we can't come")
        .await;
    assert!(
        said(&w, "BRK-0105")
            .await
            .contains(&"cancelled C28 ill_child".to_owned()),
        "{:?}",
        said(&w, "BRK-0105").await
    );
    assert!(
        w.last(CONTACT_105)
            .contains("we have noted that you cannot come on Sat 28 Nov"),
        "{}",
        w.last(CONTACT_105)
    );
    w.until("2026-11-26T13:00").await;
    assert_eq!(
        (w.stands("BRK-0105").await, w.got(RESIDENT_105).len()),
        (stood, others),
        "the other parent hears nothing of it"
    );
    // The other parent did not cancel: what she says of illness is no reason of this cancellation.
    w.says(RESIDENT_105, "my son has chicken pox so we can't come")
        .await;
    assert_eq!(
        said(&w, "BRK-0105")
            .await
            .iter()
            .filter(|f| f.contains("C28"))
            .count(),
        1
    );
    w.end().await;
}

async fn one_of_several_children_ill_is_no_cancellation(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(RESIDENT_105, "one of them is poorly, I'll bring the other")
        .await;
    assert_eq!(w.last(RESIDENT_105), HANDED);
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    assert_eq!(w.tasks("BRK-0105").await, [TaskKind::SomeChildren]);
    assert!(
        said(&w, "BRK-0105")
            .await
            .contains(&"some_children some-children ill".to_owned())
    );
    w.end().await;
}

async fn other_languages_act_by_whole_agreed_words_alone(on: On) {
    let w = World::new(on, "2026-11-26T10:00", &[BIRCHFIELD, LIFFEY], SAMPLE).await;
    w.says(CONTACT_105, "tak ale nie wiem").await;
    assert_eq!(w.last(CONTACT_105), SORRY);
    w.says(CONTACT_105, "da").await;
    assert_eq!(
        w.stands("BRK-0105").await,
        "booked none none",
        "a word that is something else in English counts only where its language is enabled"
    );
    w.says(CONTACT_105, "Tak, będziemy!").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.end().await;
}

async fn bad_input_is_kept_shown_safely_and_handed_to_a_person(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let heap = format!("o{}", "\u{301}".repeat(10_000));
    let bad = [
        "",
        "   ",
        "👍🏽",
        "🤷",
        "\u{202e}SEY",
        "ye\0s",
        "\u{feff}\u{200b}",
        "\u{1b}[2J",
        "?",
        heap.as_str(),
        "ＹＥＳ？",
    ];
    for (i, body) in bad.iter().enumerate() {
        w.until(&format!("2026-11-26T{}:{:02}", 11 + i / 6, i % 6 * 10))
            .await;
        w.says(DWAYNE, body).await;
    }
    assert_eq!(w.stands("BRK-0101").await, "booked none none");
    let open: Vec<_> = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.case_ref.as_deref() == Some("BRK-0101"))
        .collect();
    assert_eq!(open.len(), bad.len(), "{open:?}");
    let waiting = reply::waiting(&w.svc, &open[4].id).await.unwrap();
    let came: Vec<&str> = waiting
        .passed
        .iter()
        .filter(|p| matches!(p.direction, courtesy::store::inbox::Direction::In { .. }))
        .map(|p| p.body.0.as_str())
        .collect();
    for body in bad {
        let kept = body.replace('\0', "\u{2400}");
        assert!(
            came.contains(&kept.as_str()),
            "{body:?} is kept as received"
        );
        assert!(
            !courtesy::domain::sanitize::shown(&kept)
                .chars()
                .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)),
            "{body:?} is shown safely"
        );
    }
    // Bytes that are no UTF-8, signed as they are: kept, and no YES.
    let hook = format!(
        "http://{}/hooks/sms/inbound",
        w.running.as_ref().unwrap().listen
    );
    let pairs: Vec<(&[u8], &[u8])> = vec![
        (b"MessageSid", b"SMbytes"),
        (b"AccountSid", ACCOUNT.as_bytes()),
        (b"From", CONTACT_105.as_bytes()),
        (b"To", OUR_NUMBER.as_bytes()),
        (b"Body", b"YES\xff\xfe"),
    ];
    let body = pairs
        .iter()
        .map(|(k, v)| {
            format!(
                "{}={}",
                String::from_utf8_lossy(k),
                v.iter().map(|b| format!("%{b:02x}")).collect::<String>()
            )
        })
        .collect::<Vec<_>>()
        .join("&");
    let signature = base64::engine::general_purpose::STANDARD
        .encode(courtesy::channels::twilio::sign(TOKEN, &hook, &pairs));
    let post = |signature: String| {
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .post(&hook)
            .header("x-twilio-signature", signature)
            .body(body.clone())
            .send()
    };
    assert_eq!(post("AAAA".into()).await.unwrap().status(), 403);
    assert_eq!(post(signature).await.unwrap().status(), 200);
    time::settle(&w.svc).await.unwrap();
    assert_eq!(
        (
            w.stands("BRK-0105").await.as_str(),
            w.tasks("BRK-0105").await
        ),
        ("booked none none", vec![TaskKind::ReadMessage])
    );
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.case_ref.as_deref() == Some("BRK-0105"))
        .unwrap();
    assert!(
        reply::waiting(&w.svc, &task.id)
            .await
            .unwrap()
            .passed
            .iter()
            .any(|p| p.body.0 == "YES\\xFF\\xFE")
    );
    w.end().await;
}

async fn a_person_sees_the_message_what_came_before_and_what_was_answered(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(DWAYNE, "no").await;
    let code = w.code(DWAYNE, "other");
    w.says(DWAYNE, &format!("{code} thanks")).await;
    w.says(DWAYNE, "Which door do we use?").await;
    let task = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .rfind(|t| t.topic == TaskKind::ReadMessage)
        .unwrap()
        .id;
    let seen = reply::waiting(&w.svc, &task).await.unwrap();
    assert_eq!(
        (seen.parties.as_slice(), seen.quiet),
        (&["BRK-0101:contact".to_owned()][..], None)
    );
    let bodies: Vec<&str> = seen.passed.iter().map(|p| p.body.0.as_str()).collect();
    assert!(
        bodies[0].contains("your visit is Sat 28 Nov") && bodies.contains(&"Which door do we use?"),
        "{bodies:?}"
    );
    assert!(
        bodies.contains(&"**** thanks") && !bodies.iter().any(|b| b.contains(&code[..3])),
        "no code is shown: {bodies:?}"
    );
    let own = seen
        .passed
        .iter()
        .filter(
            |p| matches!(&p.direction, courtesy::store::inbox::Direction::In { id, .. } if *id == seen.message),
        )
        .count();
    assert_eq!(own, 1);
    // It is of no other phone.
    assert!(!bodies.iter().any(|b| b.contains("9:45am")));
    w.end().await;
}

crate::on_both!(
    a_yes_for_one_day_and_a_no_for_the_other_is_never_guessed,
    a_day_or_a_date_of_another_visit_is_no_answer,
    a_reply_to_an_old_text_a_late_one_and_a_change_of_mind,
    one_clarification_a_day_then_the_one_hand_over_text_then_silence,
    whatever_is_handed_over_gets_the_same_bytes_at_the_same_instant,
    is_it_still_on_never_gets_a_state,
    a_machine_that_answers_ours_is_answered_once_and_opens_one_task,
    a_phone_that_somebody_else_reads_goes_silent_at_once,
    a_private_word_changes_nothing_that_is_seen,
    illness_that_is_told_afterwards_is_kept_and_changes_nothing_else,
    one_of_several_children_ill_is_no_cancellation,
    other_languages_act_by_whole_agreed_words_alone,
    bad_input_is_kept_shown_safely_and_handed_to_a_person,
    a_person_sees_the_message_what_came_before_and_what_was_answered,
);
