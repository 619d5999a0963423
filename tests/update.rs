//! A database of version 0.1 with waiting texts goes on after the update: the same texts leave, and
//! the same tasks end by themselves.

use crate::common::{On, World};
use chrono::NaiveDateTime;
use courtesy::args;
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::notice::Origin;
use courtesy::flows::people::reply;
use courtesy::flows::recording::Recording;
use courtesy::flows::visits::ask_date;
use courtesy::simulator::time;
use courtesy::store::centres::{self, ALL_CENTRES};
use courtesy::store::tasks;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Has two visits, so that a bare answer is asked back.
const TWO_VISITS: &str = "+447700900102";
/// Cancels, and finishes it with the code.
const CANCELS: &str = "+447700900103";
/// Begins to cancel.
const BEGINS: &str = "+447700900105";
/// Says that somebody else reads the phone.
const IS_READ: &str = "+447700900106";
/// Asks a question, which staff answer.
const ASKS: &str = "+447700900109";

async fn hold(w: &World, on: bool) {
    let mut tx = w.svc.db.begin().await.unwrap();
    let now = w.svc.clock.now();
    centres::set_hold(&mut tx, ALL_CENTRES, on, "test", "update", now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The payload of a waiting message as version 0.1 wrote it.
fn as_version_0_1(stored: &str) -> String {
    let Ok(Value::Object(payload)) = serde_json::from_str(stored) else {
        return stored.to_owned();
    };
    let (name, value) = payload.into_iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match name.as_str() {
        "cancel_question" | "old_arrival" | "visit_day" | "rules_from" | "link_number"
        | "staff_text" => text(),
        "which_visit" => {
            let mut lines = vec![value["choice"].as_str().unwrap().to_owned()];
            for option in value["options"].as_array().unwrap() {
                let arrival: NaiveDateTime = option[1].as_str().unwrap().parse().unwrap();
                let centre = option[0].as_str().unwrap_or_default();
                lines.push(format!("{}|{centre}", arrival.format("%Y-%m-%dT%H:%M:%S")));
            }
            lines.join("\n")
        }
        "another_date" => format!(
            "{}\n{}",
            value["question"].as_str().unwrap(),
            value["arrival"].as_str().unwrap()
        ),
        "cancelled_in_time" if value == Value::Bool(true) => "in_time".to_owned(),
        "cancelled_in_time" => "late".to_owned(),
        "mode_before" => format!("as {}", text()),
        "urgent_tasks" => value.to_string(),
        other => panic!("version 0.1 had no {other}"),
    }
}

/// Makes the waiting texts those of version 0.1, and gives their kinds.
async fn rewrite_waiting(w: &World) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    let waiting = w
        .svc
        .db
        .all(
            "SELECT id, kind, data FROM message WHERE state = 'waiting' AND data <> ''",
            args![],
        )
        .await
        .unwrap();
    let mut tx = w.svc.db.begin().await.unwrap();
    for row in waiting {
        let (id, data) = (row.text("id").unwrap(), row.text("data").unwrap());
        let old = as_version_0_1(&data);
        assert_ne!(old, data, "the two forms differ");
        tx.exec(
            "UPDATE message SET data = $1 WHERE id = $2",
            args![old.as_str(), id.as_str()],
        )
        .await
        .unwrap();
        kinds.insert(row.text("kind").unwrap());
    }
    tx.commit().await.unwrap();
    kinds
}

/// Each phone's texts after a busy morning under hold, without random numbers. With `updated`,
/// version 0.1 had queued them.
async fn texts_after_a_hold(on: On, updated: bool) -> BTreeMap<String, Vec<String>> {
    let w = World::two_visits(on, "2026-11-27T10:00").await;
    w.until("2026-11-27T10:30").await;
    w.says(CANCELS, "NO").await;
    let code = w.code(CANCELS, "travel");
    w.news();
    hold(&w, true).await;

    w.says(CANCELS, &code).await;
    w.says(BEGINS, "NO").await;
    w.says(TWO_VISITS, "YES").await;
    w.says(IS_READ, "my ex reads my texts").await;
    w.says(ASKS, "is there parking at the back?").await;
    w.moves("BRK-0104", "2026-11-28T14:00").await;
    let (session, _) = w.session("BRK-0105").await;
    let by_test = Recording {
        by: "test",
        at: w.svc.clock.now(),
    };
    let sunday = "2026-11-29T14:00:00".parse().unwrap();
    ask_date::ask(&w.svc, &session.id, sunday, Origin::Centre, &by_test)
        .await
        .unwrap();
    let open = tasks::list(&w.svc.db, Some("BRK")).await.unwrap();
    let question = open
        .iter()
        .find(|t| t.topic == TaskKind::ReadMessage && t.case_ref.as_deref() == Some("BRK-0105"))
        .unwrap();
    reply::reply(&w.svc, &question.id, "Yes, for two cars.", "test")
        .await
        .unwrap();
    time::settle(&w.svc).await.unwrap();
    assert!(w.news().is_empty(), "nothing leaves under hold");

    if updated {
        let kinds = rewrite_waiting(&w).await;
        let expected = [
            "cancel_reason_ask",
            "cancellation_ack",
            "date_question",
            "fee_notice",
            "needs_coordinator_ack",
            "session_moved",
            "staff_reply",
            "which_session",
        ];
        assert_eq!(
            kinds.iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
    }
    hold(&w, false).await;
    w.until("2026-11-27T12:30").await;

    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for m in w.news() {
        // The code of a cancellation is random.
        let words = m.body.split(' ').map(|word| match word.parse::<u32>() {
            Ok(1000..) => "CODE",
            _ => word,
        });
        let text = words.collect::<Vec<_>>().join(" ");
        texts.entry(m.to).or_default().push(text);
    }
    // Texts that are due at one instant may leave in any order.
    texts.values_mut().for_each(|of_phone| of_phone.sort());
    w.end().await;
    texts
}

async fn waiting_texts_of_version_0_1_leave_as_they_would_have(on: On) {
    let now = texts_after_a_hold(on, false).await;
    let updated = texts_after_a_hold(on, true).await;
    assert_eq!(updated, now);
    let all: Vec<&String> = updated.values().flatten().collect();
    assert!(all.len() >= 9, "{all:#?}");
}

async fn tasks_of_version_0_1_know_what_they_come_from(on: On) {
    let w = World::two_visits(on, "2026-11-27T10:00").await;
    w.until("2026-11-27T10:30").await;
    w.says(CANCELS, "NO").await;
    w.says(BEGINS, "STOP").await;
    w.until("2026-11-27T11:30").await;
    let origins = |w: &World| {
        let db = w.svc.db.clone();
        async move {
            let sql = "SELECT cause, origin FROM task ORDER BY cause";
            let rows = db.all(sql, args![]).await.unwrap();
            rows.iter()
                .map(|r| (r.text("cause").unwrap(), r.text("origin").unwrap()))
                .collect::<Vec<_>>()
        }
    };
    let written = origins(&w).await;
    assert!(
        written.iter().any(|(_, o)| o == "unfinished_cancellation"),
        "{written:?}"
    );

    let mut tx = w.svc.db.begin().await.unwrap();
    for sql in [
        "DROP INDEX task_unfinished",
        "ALTER TABLE task DROP COLUMN origin",
        "DELETE FROM _sqlx_migrations WHERE version = 10",
    ] {
        tx.exec(sql, args![]).await.unwrap();
    }
    tx.commit().await.unwrap();
    w.svc.db.migrate().await.unwrap();
    assert_eq!(origins(&w).await, written);

    // The one that the parent finishes ends by itself.
    assert!(
        w.tasks("BRK-0102")
            .await
            .contains(&TaskKind::CancelUnfinished)
    );
    w.says(CANCELS, "YES").await;
    assert!(
        !w.tasks("BRK-0102")
            .await
            .contains(&TaskKind::CancelUnfinished)
    );
    w.end().await;
}

crate::on_both!(
    waiting_texts_of_version_0_1_leave_as_they_would_have,
    tasks_of_version_0_1_know_what_they_come_from,
);
