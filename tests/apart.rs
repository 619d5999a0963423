//! People apart: canaries in every field of the other party, over all texts; and what goes to A is
//! the same in two worlds that differ only in what B did, said or is.

use crate::common::{BIRCHFIELD, On, SAMPLE, World};
use courtesy::domain::money::policy::{Note, NoteSubject};
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::flows::money::record as recorded;
use courtesy::flows::money::record::NewPayment;
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::{answer, cancel, reinstate};
use courtesy::simulator::time;

const A: &str = "+447700900611";
const B: &str = "+447700900612";

/// One family: A is the resident parent, B is the contact parent and full of canaries.
fn family(b_name: &str, b_arrives: &str, b_leaves: &str, b_language: &str, fee: &str) -> String {
    format!(
        "{}\nBRK,Birchfield Road Child Contact \
         Centre,Europe/London,X-1,yes,2,2026-11-28,14:00,16:00,supported,{fee},GBP,contact,Ann \
         Asker,{A},,sms,en,yes,13:40,16:10,{b_name},{B},,sms,{b_language},yes,{b_arrives},{b_leaves},solicitor,Canary \
         & Co,020 7946 0999,canary@law.example,booked,2026-11-07T09:30:00Z,canary note\n",
        SAMPLE.lines().next().unwrap()
    )
}

const CANARIES: &[&str] = &[
    "Canarius",
    "Zebedee",
    "0612",
    "2:17",
    "14:17",
    "3:53",
    "15:53",
    "1:37",
    "Ann",
    "Asker",
    "X-1",
    "canary",
    "Canary",
    "solicitor",
    "court",
    "45",
    "4500",
    "£",
    " ill",
    "resident",
    "contact",
    "child",
];

async fn no_text_holds_anything_of_the_other(on: On) {
    let csv = family("Canarius Zebedee", "14:17", "15:53", "en", "4500");
    let w = World::new(on, "2026-11-24T09:00", &[BIRCHFIELD], &csv).await;
    w.moves("X-1", "2026-11-28T14:30").await;
    w.until("2026-11-24T10:00").await;
    w.moves("X-1", "2026-11-28T14:00").await;
    w.until("2026-11-26T10:00").await;
    for phone in [A, B] {
        for body in ["yes", "help", "is he coming?", "no"] {
            w.says(phone, body).await;
        }
    }
    w.until("2026-11-26T12:00").await;
    w.says(B, &w.code(B, "other")).await;
    w.until("2026-11-26T13:00").await;
    for body in ["yes", "STOP", "START"] {
        w.says(A, body).await;
    }
    let to_a = w.got(A);
    assert!(to_a.len() >= 8, "{to_a:#?}");
    for text in &to_a {
        // The option of the cancel question is its reader's own: "child ill, I am ill".
        let text = text.replace(" child ill", "").replace("I am ill", "");
        // The code is random: any two digits may stand in it.
        let is_code = |w: &&str| {
            w.trim_end_matches(['.', ',']).len() == 4
                && w.trim_end_matches(['.', ','])
                    .bytes()
                    .all(|b| b.is_ascii_digit())
                && !w.starts_with("01")
        };
        let text = text
            .split(' ')
            .filter(|w| !is_code(w))
            .collect::<Vec<_>>()
            .join(" ");
        for canary in CANARIES {
            let own =
                matches!(*canary, "child" | "contact") && text.contains("We will contact you");
            assert!(
                own || !text.contains(canary),
                "{canary:?} of the other party in: {text}"
            );
        }
        for time in ["2:30pm", "2pm"] {
            assert!(
                !text.contains(time),
                "the session's start ({time}) in a text to who arrives earlier: {text}"
            );
        }
    }
    w.end().await;
}

/// All that went to A, with the minute.
fn heard_by_a(w: &World) -> Vec<String> {
    w.provider
        .messages()
        .into_iter()
        .filter(|m| m.to == A)
        .map(|m| format!("{} {}", m.created.format("%Y-%m-%dT%H:%M"), m.body))
        .collect()
}

async fn what_a_hears_does_not_depend_on_b_but_through_the_session(on: On) {
    let plain = World::new(
        on,
        "2026-11-24T09:00",
        &[BIRCHFIELD],
        &family("Ben", "14:00", "16:00", "en", "4500"),
    )
    .await;
    let busy = World::new(
        on,
        "2026-11-24T09:00",
        &[BIRCHFIELD],
        &family("Canarius", "14:17", "15:53", "pl", "4500"),
    )
    .await;
    for w in [&plain, &busy] {
        w.until("2026-11-26T10:00").await;
        w.says(A, "yes").await;
    }
    // B asks to cancel, does not finish it, stops and starts, writes and writes; A asks about B.
    for body in [
        "no",
        "7777",
        "stop",
        "start",
        "she is a liar",
        "yes",
        "no",
        "help",
    ] {
        busy.says(B, body).await;
    }
    for w in [&plain, &busy] {
        w.until("2026-11-27T12:00").await;
        w.says(A, "has he confirmed? is it still on?").await;
        w.until("2026-11-28T18:00").await;
    }
    assert_eq!(heard_by_a(&plain), heard_by_a(&busy));
    plain.end().await;
    busy.end().await;
}

async fn before_the_release_a_lives_in_a_world_where_the_visit_is_on(on: On) {
    let worlds = [
        World::new(
            on,
            "2026-11-24T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await,
        World::new(
            on,
            "2026-11-24T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await,
    ];
    for w in &worlds {
        w.until("2026-11-26T11:00").await;
    }
    // In the second world B finished a cancellation a moment ago.
    let b = &worlds[1];
    b.says(B, "no").await;
    b.says(B, &b.code(B, "other")).await;
    for w in &worlds {
        w.until("2026-11-26T11:05").await;
        w.says(A, "yes").await;
        w.until("2026-11-26T11:10").await;
        w.says(A, "is he coming?").await;
    }
    assert_eq!(heard_by_a(&worlds[0]), heard_by_a(&worlds[1]));
    for w in worlds {
        w.end().await;
    }
}

/// B calls off a few minutes before A's question is due, and one of them takes it back: A's phone
/// shows the same in the same minute.
async fn what_is_taken_back_moves_nothing_of_the_others(on: On) {
    let mut heard = Vec::new();
    for story in [
        "nothing",
        "taken back before the question",
        "taken back after it",
        "finished",
    ] {
        let w = World::new(
            on,
            "2026-11-24T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await;
        w.until("2026-11-26T09:52").await;
        if story != "nothing" {
            w.says(B, "no").await;
            w.says(B, &w.code(B, "other")).await;
            assert_eq!(w.stands("X-1").await, "cancelled none cancelled");
        }
        w.until("2026-11-26T09:55").await;
        if story.ends_with("before the question") {
            w.says(B, "YES").await;
        }
        w.until("2026-11-26T10:07").await;
        if story.ends_with("after it") {
            w.says(B, "YES").await;
        }
        let until = if story == "finished" {
            "2026-11-26T10:14"
        } else {
            "2026-11-27T12:00"
        };
        w.until(until).await;
        assert_eq!(
            w.stands("X-1").await.starts_with("booked"),
            story != "finished",
            "{story}"
        );
        heard.push((story, heard_by_a(&w)));
        if story == "finished" {
            // The news comes at its quarter hour, and nothing after it.
            w.until("2026-11-27T12:00").await;
            let all = heard_by_a(&w);
            assert!(
                all.len() == heard[0].1.len() + 1
                    && all.last().unwrap().starts_with("2026-11-26T10:15")
                    && all.last().unwrap().contains("will not go ahead"),
                "{all:#?}"
            );
        }
        w.end().await;
    }
    assert!(
        heard[0]
            .1
            .last()
            .unwrap()
            .starts_with("2026-11-26T10:00 Birchfield: your visit is"),
        "{heard:#?}"
    );
    for (story, texts) in &heard {
        assert_eq!(*texts, heard[0].1, "{story}");
    }
}

/// The same with the news of a move that waits for the morning.
async fn what_is_taken_back_at_night_moves_nothing_of_the_others(on: On) {
    let mut heard = Vec::new();
    for taken_back in [false, true] {
        let w = World::new(
            on,
            "2026-11-24T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await;
        w.until("2026-11-25T21:00").await;
        w.moves("X-1", "2026-11-28T15:00").await;
        w.until("2026-11-26T07:49").await;
        let (s, _) = w.session("X-1").await;
        let rec = Recording {
            by: "Mary",
            at: w.svc.clock.now(),
        };
        if taken_back {
            answer::answer(&w.svc, &s.id, Role::Contact, false, None, &rec)
                .await
                .unwrap();
            time::settle(&w.svc).await.unwrap();
        }
        w.until("2026-11-26T08:03").await;
        if taken_back {
            reinstate::reinstate(
                &w.svc,
                &s.id,
                &Recording {
                    by: "Mary",
                    at: w.svc.clock.now(),
                },
            )
            .await
            .unwrap();
            time::settle(&w.svc).await.unwrap();
        }
        w.until("2026-11-27T12:00").await;
        heard.push(heard_by_a(&w));
        w.end().await;
    }
    assert!(
        heard[0]
            .iter()
            .any(|t| t.starts_with("2026-11-26T08:00 Birchfield: your visit has moved")),
        "{heard:#?}"
    );
    assert_eq!(heard[1], heard[0]);
}

async fn one_text_for_every_cause(on: On) {
    let mut heard = Vec::new();
    for dedup_key in ["contact by text", "contact by phone", "centre"] {
        let w = World::new(
            on,
            "2026-11-26T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await;
        w.until("2026-11-26T10:00").await;
        let (s, _) = w.session("X-1").await;
        match dedup_key {
            "contact by text" => w.says(B, "no").await,
            _ => w.until("2026-11-26T10:01").await,
        }
        w.until("2026-11-26T10:07").await;
        let rec = Recording {
            by: "test",
            at: w.svc.clock.now(),
        };
        match dedup_key {
            "contact by text" => w.says(B, &w.code(B, "other")).await,
            "contact by phone" => answer::answer(&w.svc, &s.id, Role::Contact, false, None, &rec)
                .await
                .unwrap(),
            _ => cancel::cancel(&w.svc, &s.id, &rec).await.unwrap(),
        }
        time::settle(&w.svc).await.unwrap();
        w.until("2026-11-26T12:00").await;
        heard.push(heard_by_a(&w));
        w.end().await;
    }
    assert!(heard[0].last().unwrap().starts_with(
        "2026-11-26T10:30 Birchfield: the visit on Sat 28 Nov, 1:40pm will not go ahead."
    ));
    assert!(heard.iter().all(|h| *h == heard[0]), "{heard:#?}");
}

async fn money_notes_and_who_pays_never_reach_the_other(on: On) {
    let mut heard = Vec::new();
    for story in [
        "nothing more",
        "a note",
        "paid by B",
        "paid by A",
        "waived",
        "written off",
        "a threat",
        "no texts any more",
    ] {
        let w = World::new(
            on,
            "2026-11-26T09:00",
            &[BIRCHFIELD],
            &family("Ben", "14:00", "16:00", "en", "4500"),
        )
        .await;
        w.until("2026-11-27T11:00").await;
        if story == "a threat" {
            w.says(B, "she said she will kill me if I come").await;
            assert!(w.tasks("X-1").await.contains(&TaskKind::Safeguarding));
        }
        w.says(B, "no").await;
        w.says(B, &w.code(B, if story == "a note" { "I" } else { "other" }))
            .await;
        if story == "no texts any more" {
            w.says(B, "STOP").await;
        }
        w.until("2026-11-27T15:00").await;
        let (s, _) = w.session("X-1").await;
        let case = courtesy::store::cases::find(&w.svc.db, "X-1")
            .await
            .unwrap();
        let rec = Recording {
            by: "Mary",
            at: w.svc.clock.now(),
        };
        let fee = || async {
            courtesy::flows::money::lists::fees(&w.svc.db, None, w.svc.clock.now())
                .await
                .unwrap()
                .remove(0)
                .id
        };
        let pay = |by| NewPayment {
            minor: 4500,
            by,
            again: false,
        };
        match story {
            "a note" => {
                let day = "2026-11-28".parse().unwrap();
                let note = Note {
                    about: NoteSubject::Contact,
                    from: day,
                    to: day,
                    children: None,
                    brought: false,
                };
                drop(
                    recorded::note(&w.svc, &case, &s.id, &note, &rec)
                        .await
                        .unwrap(),
                );
            }
            "paid by B" => drop(
                recorded::payment(&w.svc, &case, &pay("contact"), &rec)
                    .await
                    .unwrap(),
            ),
            "paid by A" => drop(
                recorded::payment(&w.svc, &case, &pay("resident"), &rec)
                    .await
                    .unwrap(),
            ),
            "waived" => drop(
                recorded::decide(&w.svc, &fee().await, true, "first time", &rec)
                    .await
                    .unwrap(),
            ),
            "written off" => drop(
                recorded::decide(&w.svc, &fee().await, false, "gone away", &rec)
                    .await
                    .unwrap(),
            ),
            _ => {}
        }
        w.until("2026-12-04T12:00").await;
        w.says(A, "does he owe anything?").await;
        heard.push((story, heard_by_a(&w)));
        w.end().await;
    }
    assert!(
        heard[0].1.iter().any(|t| t.contains("will not go ahead")),
        "{heard:#?}"
    );
    for (story, texts) in &heard {
        assert_eq!(*texts, heard[0].1, "{story}");
    }
}

crate::on_both!(
    no_text_holds_anything_of_the_other,
    what_a_hears_does_not_depend_on_b_but_through_the_session,
    before_the_release_a_lives_in_a_world_where_the_visit_is_on,
    what_is_taken_back_moves_nothing_of_the_others,
    what_is_taken_back_at_night_moves_nothing_of_the_others,
    one_text_for_every_cause,
    money_notes_and_who_pays_never_reach_the_other,
);
