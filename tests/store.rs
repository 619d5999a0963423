//! The store on both databases: what it refuses, what it does once, what it gives back.

use crate::common::{On, TestDb, at};
use courtesy::args;
use courtesy::domain::dedup_key::{MessageKey, TaskKey};
use courtesy::domain::ids::{AttemptToken, MessageId, WorkerId};
use courtesy::domain::outgoing::message::{MessageKind, MessageState};
use courtesy::domain::outgoing::payload::Payload;
use courtesy::domain::outgoing::receipt::Receipt;
use courtesy::domain::people::address::Address;
use courtesy::domain::people::channel::Channel;
use courtesy::domain::people::phone::Phone;
use courtesy::domain::task::TaskKind;
use courtesy::store::attempts::{self, NewReceipt};
use courtesy::store::outbox::{self, Attempt, AttemptResult, LineScope, NewMessage};
use courtesy::store::sealed::random_token;
use courtesy::store::tasks::{self, NewTask};
use courtesy::store::{Db, facts, inbox, messages, workers};
use std::collections::HashSet;

/// The line of the tests.
const US: LineScope<'static> = LineScope {
    channel: Channel::Sms,
    sender: "us",
    centres: None,
    except: &[],
};

fn message(dedup_key: &str) -> NewMessage {
    NewMessage {
        dedup_key: MessageKey::stored(dedup_key),
        kind: MessageKind::Help,
        centre: "BRK".into(),
        case_id: None,
        party_id: None,
        role: None,
        session: None,
        to: Some((
            Address::sms(&Phone::from_e164("+447700900101").unwrap()),
            "hash".into(),
        )),
        channel: Channel::Sms,
        payload: Payload::None,
        not_before: at("2026-11-26T10:00"),
        not_after: None,
    }
}

fn attempt(message_id: &MessageId) -> Attempt {
    Attempt {
        token: AttemptToken::new(random_token()),
        message_id: message_id.clone(),
        number: (
            Address::sms(&Phone::from_e164("+447700900101").unwrap()),
            "hash".into(),
        ),
        body: "words".into(),
        is_reply: true,
        parts: 1,
        content: false,
    }
}

/// Queues one message and begins an attempt; gives both ids.
async fn begun(db: &Db, dedup_key: &str) -> (MessageId, AttemptToken) {
    let now = at("2026-11-26T10:00");
    let mut tx = db.begin().await.unwrap();
    outbox::enqueue(&mut tx, now, &[message(dedup_key)])
        .await
        .unwrap();
    let claimed = outbox::claim(&mut tx, US, dedup_key, now, 10)
        .await
        .unwrap();
    let a = attempt(&claimed[0].id);
    outbox::begin_attempts(
        &mut tx,
        &WorkerId::new("worker"),
        US,
        now,
        std::slice::from_ref(&a),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    (claimed[0].id.clone(), a.token)
}

async fn state(db: &Db, id: &MessageId) -> MessageState {
    messages::list(db, None)
        .await
        .unwrap()
        .into_iter()
        .find(|m| m.id == *id)
        .unwrap()
        .state
}

async fn facts_and_receipts_are_append_only(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let mut tx = db.begin().await.unwrap();
    let fact = facts::Fact {
        case_id: None,
        session_id: None,
        role: None,
        kind: "test",
        at: at("2026-11-26T10:00"),
        by: "test",
        rule: "",
        detail: "",
    };
    facts::add(&mut tx, at("2026-11-26T10:00"), &[fact])
        .await
        .unwrap();
    attempts::record_receipt(
        &mut tx,
        at("2026-11-26T10:00"),
        &NewReceipt {
            token: AttemptToken::new("none"),
            provider_id: "SM".into(),
            status: "sent".into(),
            receipt: Some(Receipt::Sent),
            error_code: None,
        },
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for sql in [
        "UPDATE fact SET kind = 'other'",
        "DELETE FROM fact",
        "UPDATE receipt_event SET status = 'x'",
        "DELETE FROM receipt_event",
    ] {
        let mut tx = db.begin().await.unwrap();
        let refused = tx
            .exec(sql, args![])
            .await
            .err()
            .unwrap_or_else(|| panic!("{sql} went through"));
        assert!(
            format!("{refused:#}").contains("append-only"),
            "{refused:#}"
        );
    }
    db.close().await;
}

async fn the_same_cause_queues_once(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let now = at("2026-11-26T10:00");
    let mut tx = db.begin().await.unwrap();
    assert_eq!(
        outbox::enqueue(&mut tx, now, &[message("a"), message("b")])
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        outbox::enqueue(&mut tx, now, &[message("b"), message("c")])
            .await
            .unwrap(),
        1
    );
    tasks::open(
        &mut tx,
        now,
        &NewTask::new(TaskKey::stored("x"), TaskKind::Media),
    )
    .await
    .unwrap();
    tasks::open(
        &mut tx,
        now,
        &NewTask::new(TaskKey::stored("x"), TaskKind::Media),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        (
            messages::list(&db, None).await.unwrap().len(),
            tasks::list(&db, None).await.unwrap().len()
        ),
        (3, 1)
    );
    db.close().await;
}

async fn a_second_live_attempt_cannot_exist(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let (id, token) = begun(&db, "a").await;
    let now = at("2026-11-26T10:01");
    for (end, may) in [
        (None, false),
        (
            Some(AttemptResult::Unknown {
                error: "reset".into(),
            }),
            false,
        ),
        (
            Some(AttemptResult::NotSent {
                error: "no".into(),
                retry_at: now,
            }),
            true,
        ),
    ] {
        let mut tx = db.begin().await.unwrap();
        if let Some(end) = end {
            outbox::record_results(&mut tx, "sms:us", now, vec![(token.clone(), end)])
                .await
                .unwrap();
        }
        let second =
            outbox::begin_attempts(&mut tx, &WorkerId::new("other"), US, now, &[attempt(&id)])
                .await;
        assert_eq!(second.is_ok(), may);
        if may {
            tx.commit().await.unwrap();
        }
    }
    db.close().await;
}

async fn what_a_channel_did_not_bring_goes_elsewhere_once(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let now = at("2026-11-26T10:01");
    let receipt = async |token: &AttemptToken, status: &str, code: Option<&str>| {
        let mut tx = db.begin().await.unwrap();
        let r = NewReceipt {
            token: token.clone(),
            provider_id: format!("SM-{token}"),
            status: status.into(),
            receipt: status.parse().ok(),
            error_code: code.map(str::to_owned),
        };
        attempts::record_receipt(&mut tx, now, &r).await.unwrap();
        let gone = code.is_some()
            && attempts::reroute_undelivered(&mut tx, now, token, "63016")
                .await
                .unwrap();
        tx.commit().await.unwrap();
        gone
    };
    let (id, token) = begun(&db, "a").await;
    assert!(
        !receipt(&token, "sent", Some("63016")).await,
        "only what failed was not brought"
    );
    assert!(receipt(&token, "failed", Some("63016")).await);
    assert_eq!(state(&db, &id).await, MessageState::Waiting);
    // The same again, and what comes too late for its order, leave it waiting.
    assert!(!receipt(&token, "failed", Some("63016")).await);
    for status in ["sent", "undelivered", "delivered"] {
        receipt(&token, status, None).await;
        assert_eq!(state(&db, &id).await, MessageState::Waiting, "{status}");
    }
    let mut tx = db.begin().await.unwrap();
    let claimed = outbox::claim(&mut tx, US, "again", now, 10).await.unwrap();
    assert_eq!(
        (claimed.len(), claimed[0].excluded_channel),
        (1, Some(Channel::Sms))
    );
    let second = attempt(&id);
    outbox::begin_attempts(
        &mut tx,
        &WorkerId::new("worker"),
        US,
        now,
        std::slice::from_ref(&second),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    receipt(&token, "read", None).await;
    assert_eq!(
        state(&db, &id).await,
        MessageState::Sending,
        "another try is on its way"
    );
    receipt(&second.token, "delivered", None).await;
    assert_eq!(state(&db, &id).await, MessageState::Delivered);
    // Whoever read it has it, and gets no second one.
    let (id, token) = begun(&db, "b").await;
    assert!(receipt(&token, "undelivered", Some("63016")).await);
    receipt(&token, "read", None).await;
    assert_eq!(state(&db, &id).await, MessageState::Delivered);
    // What was delivered was brought.
    let (id, token) = begun(&db, "c").await;
    receipt(&token, "delivered", None).await;
    assert!(!receipt(&token, "undelivered", Some("63016")).await);
    assert_eq!(state(&db, &id).await, MessageState::Delivered);
    db.close().await;
}

async fn six_workers_claim_each_message_once(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let now = at("2026-11-26T10:00");
    let mut tx = db.begin().await.unwrap();
    let all: Vec<NewMessage> = (0..1000).map(|i| message(&format!("m{i}"))).collect();
    assert_eq!(outbox::enqueue(&mut tx, now, &all).await.unwrap(), 1000);
    tx.commit().await.unwrap();
    let workers: Vec<_> = (0..6)
        .map(|w| {
            let url = t.url.clone();
            tokio::spawn(async move {
                let db = Db::open(&url).await.unwrap();
                db.migrate().await.unwrap();
                let mut mine = Vec::new();
                for round in 0.. {
                    let mut tx = db.begin().await.unwrap();
                    let claimed = outbox::claim(&mut tx, US, &format!("{w}/{round}"), now, 37)
                        .await
                        .unwrap();
                    tx.commit().await.unwrap();
                    if claimed.is_empty() {
                        break;
                    }
                    mine.extend(claimed.into_iter().map(|c| c.id));
                }
                db.close().await;
                mine
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for w in workers {
        for id in w.await.unwrap() {
            assert!(seen.insert(id), "claimed twice");
        }
    }
    assert_eq!(seen.len(), 1000);
    db.close().await;
}

async fn a_callback_may_come_before_the_answer(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let (id, token) = begun(&db, "a").await;
    let now = at("2026-11-26T10:01");
    let receipt = |status: &str| NewReceipt {
        token: token.clone(),
        provider_id: "SM1".into(),
        status: status.into(),
        receipt: status.parse().ok(),
        error_code: None,
    };
    let mut tx = db.begin().await.unwrap();
    attempts::record_receipt(&mut tx, now, &receipt("delivered"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(&db, &id).await, MessageState::Delivered);
    // The answer of the POST, and older receipts, change nothing any more.
    let mut tx = db.begin().await.unwrap();
    outbox::record_results(
        &mut tx,
        "sms:us",
        now,
        vec![(
            token.clone(),
            AttemptResult::Accepted {
                provider_id: "SM1".into(),
                receipt: Some(Receipt::Queued),
            },
        )],
    )
    .await
    .unwrap();
    outbox::record_results(
        &mut tx,
        "sms:us",
        now,
        vec![(
            token.clone(),
            AttemptResult::NotSent {
                error: "late".into(),
                retry_at: now,
            },
        )],
    )
    .await
    .unwrap();
    for status in ["sent", "queued", "sending", "nonsense"] {
        attempts::record_receipt(&mut tx, now, &receipt(status))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(state(&db, &id).await, MessageState::Delivered);
    assert!(
        attempts::open_attempts(&db, at("2027-01-01T00:00"), 10)
            .await
            .unwrap()
            .is_empty()
    );
    db.close().await;
}

async fn what_was_stored_comes_back(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let now = chrono::DateTime::parse_from_rfc3339("2026-11-26T10:00:00.123456Z")
        .unwrap()
        .with_timezone(&chrono::Utc);
    let body = "Siobhán’s 😊 ' \" ; -- \\ \u{202e}x";
    let received = inbox::NewInbound {
        provider: "sms".into(),
        channel: courtesy::domain::people::channel::Channel::Sms,
        provider_message_id: "SM1".into(),
        sender: "us".into(),
        from: "+447700900101".into(),
        kind: courtesy::domain::replies::inbound::InboundKind::Text {
            body: courtesy::domain::people::private::Private(body.into()),
            media: 0,
            opt_out_type: None,
        },
        earliest_at: None,
        at: now,
        found_by: "hook",
    };
    let mut tx = db.begin().await.unwrap();
    assert_eq!(
        inbox::store(&mut tx, now, &[received.clone(), received])
            .await
            .unwrap(),
        1
    );
    let back = inbox::next(&mut tx).await.unwrap().unwrap();
    assert_eq!(
        (back.at, back.text(), back.from.as_ref().unwrap().as_str()),
        (now, body, "+447700900101")
    );
    tx.commit().await.unwrap();
    db.close().await;
}

async fn a_worker_that_died_is_seen_at_once(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let other = t.open().await;
    let w = workers::Worker::register(&db, at("2026-11-26T10:00"), false)
        .await
        .unwrap();
    let id = w.id.clone();
    assert!(workers::is_alive(&other, &id).await);
    drop(w);
    if on == On::Postgres {
        db.close().await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(!workers::is_alive(&other, &id).await);
    other.close().await;
}

async fn a_newer_database_is_refused_and_left_alone(on: On) {
    let t = TestDb::new(on).await;
    let db = t.open().await;
    let mut tx = db.begin().await.unwrap();
    let sql = match on {
        On::Sqlite => {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES (999, 'later', TRUE, x'00', 1)"
        }
        On::Postgres => {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES (999, 'later', TRUE, '\\x00', 1)"
        }
    };
    tx.exec(sql, args![]).await.unwrap();
    tx.commit().await.unwrap();
    let refused = db.migrate().await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("newer version of courtesy"),
        "{refused:#}"
    );
    db.close().await;
}

crate::on_both!(
    facts_and_receipts_are_append_only,
    the_same_cause_queues_once,
    a_second_live_attempt_cannot_exist,
    what_a_channel_did_not_bring_goes_elsewhere_once,
    six_workers_claim_each_message_once,
    a_callback_may_come_before_the_answer,
    what_was_stored_comes_back,
    a_worker_that_died_is_seen_at_once,
    a_newer_database_is_refused_and_left_alone,
);
