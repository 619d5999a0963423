//! Milestones as texts: at the centres that want them, both parents read the same words at one
//! moment, and staff see them before.

use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World, at};
use courtesy::domain::centre::Centre;
use courtesy::domain::ids::TaskId;
use courtesy::domain::outgoing::message::{MessageKind, MessageState};
use courtesy::domain::people::role::Role;
use courtesy::domain::task::TaskKind;
use courtesy::flows::people::decision;
use courtesy::flows::recording::Recording;
use courtesy::flows::scan::confirmations;
use courtesy::flows::visits::{answer, cancel, terms};
use courtesy::simulator::time;
use courtesy::store::messages::{self, ListedMessage};
use courtesy::store::milestones::texts_of_tasks;
use courtesy::store::{centres, money, tasks};

/// BRK-0105, Saturday 28 November, 13:00; the resident parent arrives at 12:55, the contact parent
/// at 13:05.
const RESIDENT: &str = "+447700900109";
const CONTACT: &str = "+447700900110";
const INVITED: &str = "Birchfield: you are welcome to look round before your first visit on Sat 28 \
                       Nov. Please ring 020 7946 0101 to agree a time.";

fn centre(texts: &str) -> String {
    format!(
        "{}[milestones]\ntexts = {texts}\n",
        BIRCHFIELD.replace("[rules]", "[rules]\nprevisit_invitation_days = 5")
    )
}

async fn world(on: On, texts: &str) -> World {
    World::new(on, "2026-11-23T09:00", &[&centre(texts), LIFFEY], SAMPLE).await
}

/// What came about milestones, with the minute.
fn told(w: &World, phone: &str) -> Vec<String> {
    let about = |m: &courtesy::simulator::sms_service::SmsMessage| {
        m.to == phone
            && [
                "look round",
                "regular talk",
                "information meeting",
                "change for everybody",
            ]
            .iter()
            .any(|p| m.body.contains(p))
    };
    w.provider
        .messages()
        .into_iter()
        .filter(about)
        .map(|m| format!("{} {}", m.created.format("%d %H:%M"), m.body))
        .collect()
}

async fn queued(w: &World, case_ref: &str) -> Vec<ListedMessage> {
    let mut all = messages::list(&w.svc.db, None).await.unwrap();
    all.retain(|m| m.kind.is_milestone() && m.case_ref.as_deref() == Some(case_ref));
    all
}

async fn task(w: &World, topic: TaskKind) -> TaskId {
    tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|t| t.topic == topic && t.case_ref.as_deref() == Some("BRK-0105"))
        .unwrap()
        .id
}

async fn both_are_invited_in_the_same_words_at_one_moment(on: On) {
    let w = world(on, "[\"previsit_invitation\"]").await;
    w.until("2026-11-24T12:00").await;
    // Staff see it a day before, with its task.
    let waiting = queued(&w, "BRK-0105").await;
    assert_eq!(
        waiting
            .iter()
            .map(|m| (m.kind, m.state, m.not_before))
            .collect::<Vec<_>>(),
        [(
            MessageKind::PrevisitInvitation,
            MessageState::Waiting,
            at("2026-11-25T10:00")
        ); 2]
    );
    let of_task: Vec<_> = texts_of_tasks(&w.svc.db).await.unwrap();
    let task = task(&w, TaskKind::Previsit).await;
    assert_eq!(
        of_task
            .iter()
            .filter(|t| t.task == task && t.state == MessageState::Waiting)
            .count(),
        2
    );
    assert!(told(&w, RESIDENT).is_empty());
    // One is held back by a person, and let go later.
    let of_contact = waiting
        .iter()
        .find(|m| m.role.as_deref() == Some("contact"))
        .unwrap()
        .id
        .clone();
    let mut tx = w.svc.db.begin().await.unwrap();
    assert!(
        money::hold_text(&mut tx, &of_contact, "Mary", w.svc.clock.now())
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    w.until("2026-11-25T12:00").await;
    assert_eq!(told(&w, RESIDENT), [format!("25 10:00 {INVITED}")]);
    assert!(told(&w, CONTACT).is_empty());
    let mut tx = w.svc.db.begin().await.unwrap();
    money::release_text(&mut tx, &of_contact, w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    w.until("2026-11-25T12:05").await;
    assert_eq!(told(&w, CONTACT), [format!("25 12:00 {INVITED}")]);
    // Nobody gets it twice.
    w.until("2026-11-27T12:00").await;
    confirmations::scan(&w.svc, w.svc.clock.now())
        .await
        .unwrap();
    assert_eq!((told(&w, RESIDENT).len(), told(&w, CONTACT).len()), (1, 1));
    assert!(
        w.tasks("BRK-0105").await.contains(&TaskKind::Previsit),
        "the task stands: somebody has to agree a time"
    );
    w.end().await;
}

async fn off_unless_the_centre_wants_it(on: On) {
    let w = world(on, "[\"review_due\"]").await;
    w.until("2026-11-27T12:00").await;
    assert!(
        w.tasks("BRK-0105").await.contains(&TaskKind::Previsit)
            && queued(&w, "BRK-0105").await.is_empty()
    );
    w.end().await;
}

/// What ends a text, and what of it the other parent notices: nothing.
async fn what_is_done_closed_or_unsafe_is_not_sent(on: On) {
    let mut heard = Vec::new();
    for story in [
        "nothing",
        "unsafe",
        "no texts",
        "quiet phone",
        "hidden",
        "done",
        "closed",
        "off",
    ] {
        let w = world(on, "[\"previsit_invitation\", \"fee_change\"]").await;
        w.until("2026-11-24T12:00").await;
        let rec = Recording {
            by: "Mary",
            at: w.svc.clock.now(),
        };
        let (s, _) = w.session("BRK-0105").await;
        let sql = match story {
            "quiet phone" => {
                "UPDATE party SET mode = 'discreet' WHERE role = 'contact' AND case_id IN (SELECT \
                 id FROM case_file WHERE case_ref = 'BRK-0105')"
            }
            "closed" => "UPDATE case_file SET state = 'archived' WHERE case_ref = 'BRK-0105'",
            _ => "UPDATE party SET mode = mode",
        };
        let mut tx = w.svc.db.begin().await.unwrap();
        tx.exec(sql, vec![]).await.unwrap();
        tx.commit().await.unwrap();
        match story {
            "unsafe" => {
                w.says(CONTACT, "he said he will kill me if I bring him")
                    .await
            }
            "no texts" => w.says(CONTACT, "STOP").await,
            "done" => decision::decision(
                &w.svc,
                &task(&w, TaskKind::Previsit).await,
                None,
                "rung",
                &rec,
            )
            .await
            .unwrap(),
            "off" => cancel::cancel(&w.svc, &s.id, &rec).await.unwrap(),
            "hidden" => {
                // The contact parent's cancellation is told at 10:15: at 10:00 the visit is still
                // on for the other.
                w.until("2026-11-25T09:50").await;
                answer::answer(
                    &w.svc,
                    &s.id,
                    Role::Contact,
                    false,
                    None,
                    &Recording {
                        by: "Mary",
                        at: w.svc.clock.now(),
                    },
                )
                .await
                .unwrap();
            }
            _ => {}
        }
        time::settle(&w.svc).await.unwrap();
        w.until("2026-11-25T13:00").await;
        let why: Vec<_> = queued(&w, "BRK-0105")
            .await
            .into_iter()
            .filter_map(|m| m.reason)
            .collect();
        let both = |reason: &str| vec![reason.to_owned(); 2];
        match story {
            "nothing" => assert!(why.is_empty()),
            "unsafe" => assert_eq!(why, ["safety_first"]),
            "no texts" => assert_eq!(why, ["opted_out"]),
            "quiet phone" => assert_eq!(why, ["quiet_mode"]),
            "hidden" => assert_eq!(why, ["no_longer_due"]),
            "closed" => assert_eq!(why, both("case_archived")),
            _ => assert_eq!(why, both("no_longer_due"), "{story}"),
        }
        let theirs = if story == "nothing" {
            vec![format!("25 10:00 {INVITED}")]
        } else {
            vec![]
        };
        assert_eq!(told(&w, CONTACT), theirs, "{story}");
        // No second task to ring for it: the one that there is says so.
        assert!(
            w.tasks("BRK-0105")
                .await
                .iter()
                .all(|t| *t != TaskKind::RingNoAddress),
            "{story}"
        );
        heard.push((story, told(&w, RESIDENT)));
        w.end().await;
    }
    for (story, texts) in &heard {
        let wanted = if matches!(*story, "done" | "closed" | "off") {
            vec![]
        } else {
            vec![format!("25 10:00 {INVITED}")]
        };
        assert_eq!(*texts, wanted, "{story}");
    }
}

async fn a_change_of_fees_is_told_without_an_amount_and_without_a_name(on: On) {
    let w = world(on, "[\"fee_change\"]").await;
    w.until("2026-11-24T11:00").await;
    let text = format!(
        "{}[[rules_from]]\ndate = \"2026-12-08\"\nfee_pence = 5000\nusually_pays = \"resident\"\n",
        centre("[\"fee_change\"]")
    );
    let (before, after) = (
        Centre::parse(&centre("[\"fee_change\"]")).unwrap(),
        Centre::parse(&text).unwrap(),
    );
    let now = w.svc.clock.now();
    let mut tx = w.svc.db.begin().await.unwrap();
    terms::announce(&mut tx, Some(&before), &after, "test", now)
        .await
        .unwrap()
        .unwrap();
    centres::save(&mut tx, &after, &text, now).await.unwrap();
    tx.commit().await.unwrap();
    // BRK-0105 comes again after that day.
    let again = courtesy::flows::visits::booking::Booking {
        start: courtesy::domain::local_time::parse_local("2026-12-12T13:00").unwrap(),
        ..Default::default()
    };
    let case = courtesy::store::cases::find(&w.svc.db, "BRK-0105")
        .await
        .unwrap();
    courtesy::flows::visits::book::book(
        &w.svc,
        &case.id,
        &again,
        &Recording {
            by: "Mary",
            at: now,
        },
    )
    .await
    .unwrap();
    let mut tx = w.svc.db.begin().await.unwrap();
    terms::announce(&mut tx, Some(&before), &after, "test", now)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    time::settle(&w.svc).await.unwrap();
    // The families are to be told until five o'clock of that day: an hour for staff to look, then
    // it goes.
    w.until("2026-11-24T17:00").await;
    let words = "24 12:00 Birchfield: from Tue 8 Dec our rules on notice and fees change for \
                 everybody. Please ring 020 7946 0101 or ask at the desk what is new.";
    assert_eq!(
        (told(&w, RESIDENT), told(&w, CONTACT)),
        (vec![words.to_owned()], vec![words.to_owned()])
    );
    w.until("2026-12-10T12:00").await;
    assert_eq!(told(&w, RESIDENT).len(), 1, "once");
    w.end().await;
}

crate::on_both!(
    both_are_invited_in_the_same_words_at_one_moment,
    off_unless_the_centre_wants_it,
    what_is_done_closed_or_unsafe_is_not_sent,
    a_change_of_fees_is_told_without_an_amount_and_without_a_name,
);
