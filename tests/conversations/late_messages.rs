//! Messages that reach us late or out of order.

use super::*;
use crate::common::{On, World, at};
use courtesy::domain::people::channel::Channel;
use courtesy::domain::people::private::Private;
use courtesy::domain::replies::inbound::InboundKind;
use courtesy::domain::task::TaskKind;
use courtesy::flows::receive;
use courtesy::simulator::{OUR_NUMBER, time};
use courtesy::store::inbox::NewInbound;

/// A text that was sent at `sent` is found only now, in the list of the provider.
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

async fn an_older_text_that_comes_late_changes_nothing(on: On) {
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
    // One that says the same needs no person.
    comes_late(&w, RESIDENT, "yes", "2026-11-26T10:06").await;
    assert_eq!(
        (w.tasks("BRK-0105").await.len(), w.got(RESIDENT).len()),
        (1, texts)
    );
    // What was sent after it counts.
    comes_late(&w, RESIDENT, "no sorry", "2026-11-26T10:15").await;
    assert!(w.last(RESIDENT).contains("to cancel Sat 28 Nov"));
    w.end().await;
}

async fn a_yes_from_before_the_code_takes_nothing_back(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(RESIDENT, "YES").await;
    w.until("2026-11-26T10:20").await;
    w.says(CONTACT, "no").await;
    w.until("2026-11-26T10:26").await;
    w.says(CONTACT, &w.code(CONTACT, "other")).await;
    comes_late(&w, CONTACT, "YES", "2026-11-26T10:24").await;
    assert_eq!(w.stands("BRK-0105").await, "cancelled confirmed cancelled");
    w.until("2026-11-26T11:00").await;
    assert!(w.last(RESIDENT).contains("will not go ahead"));
    w.end().await;
}

async fn in_a_chat_telegrams_own_time_counts(on: On) {
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

crate::on_both!(
    an_older_text_that_comes_late_changes_nothing,
    a_yes_from_before_the_code_takes_nothing_back,
    in_a_chat_telegrams_own_time_counts,
    after_an_outage_the_last_word_counts,
);
