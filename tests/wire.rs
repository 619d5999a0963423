//! One suite of exchanges against the practice service and against the emulator, which was written from the service's specification: so
//! practice is as real as the emulator.

use crate::common::{EMULATOR_TOKEN, Emulator};
use courtesy::channels::Tried;
use courtesy::channels::sms::{Sender, Sms, SmsSettings};
use courtesy::domain::receipt::Receipt;
use courtesy::practice::provider::Provider;
use courtesy::practice::{ACCOUNT, OUR_NUMBER, TOKEN};
use std::time::Duration;

fn sms(url: &str, token: &str, from: &str) -> Sms {
    Sms::new(SmsSettings { base_url: url.into(), account_sid: ACCOUNT.into(), auth_token: token.into(), sender: Sender::Number(from.into()), timeout: Duration::from_secs(5) })
        .unwrap()
}

const CALLBACK: &str = "http://127.0.0.1:9/hooks/sms/status/t";

async fn exchanges(url: &str, token: &str) {
    let us = sms(url, token, OUR_NUMBER);
    us.probe().await.unwrap();
    assert!(sms(url, "wrong", OUR_NUMBER).probe().await.is_err());
    // A text is taken, listed with its words and moves on to the phone.
    let Tried::Accepted { provider_id, receipt } = us.send("+447700900101", "Séan & \"Co\" £45 😊", Some(Duration::from_secs(3600)), CALLBACK).await else {
        panic!("not accepted")
    };
    assert_eq!(receipt, Some(Receipt::Queued));
    let listed = us.list_to("+447700900101").await.unwrap();
    assert_eq!(listed.len(), 1);
    let m = &listed[0];
    assert_eq!(
        (m.provider_id.as_str(), m.body.as_str(), m.from.as_deref(), m.inbound, m.to.as_str()),
        (provider_id.as_str(), "Séan & \"Co\" £45 😊", Some(OUR_NUMBER), false, "+447700900101")
    );
    assert!(m.created_at.is_some());
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while us.list_to("+447700900101").await.unwrap()[0].status != "delivered" {
        assert!(std::time::Instant::now() < end, "never delivered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // All pages, and nobody else's.
    for i in 0..205 {
        assert!(matches!(us.send("+447700900102", &format!("n {i}"), None, CALLBACK).await, Tried::Accepted { .. }));
    }
    let mut bodies: Vec<String> = us.list_to("+447700900102").await.unwrap().into_iter().map(|m| m.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 205);
    assert!(us.list_inbound(chrono::DateTime::UNIX_EPOCH).await.unwrap().is_empty());
    // What it refuses, and whether that is for one number or for all.
    let refused = |t: Tried| match t {
        Tried::RefusedNumber { error, .. } => format!("number {}", &error[..5]),
        Tried::RefusedChannel { error } => format!("channel {}", &error[..5]),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(us.send("0770", "x", None, CALLBACK).await), "number 21211");
    assert_eq!(refused(us.send("+447700900101", "", None, CALLBACK).await), "number 21602");
    assert_eq!(refused(us.send("+447700900101", &"x".repeat(1601), None, CALLBACK).await), "number 21617");
    assert_eq!(refused(sms(url, token, "+447700900999").send("+447700900101", "x", None, CALLBACK).await), "channel 21606");
    assert_eq!(refused(sms(url, "wrong", OUR_NUMBER).send("+447700900101", "x", None, CALLBACK).await), "channel 20003");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practice_service() {
    let provider = Provider::start(ACCOUNT, TOKEN, &[OUR_NUMBER]).await.unwrap();
    exchanges(provider.url(), TOKEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator() {
    let emulator = Emulator::start(&[]);
    exchanges(&emulator.url, EMULATOR_TOKEN).await;
    let v = emulator.ask("violations").await;
    // The one text without words was ours on purpose.
    assert!(v["violations"].as_array().unwrap().iter().all(|v| v["detail"].to_string().contains("To: does not match") || v["detail"].to_string().contains("Body")), "{v}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failure_means() {
    let emulator = Emulator::start(&[]);
    let us = sms(&emulator.url, EMULATOR_TOKEN, OUR_NUMBER);
    let class = |t: &Tried| match t {
        Tried::Accepted { .. } => "accepted",
        Tried::NotSent { .. } => "not sent",
        Tried::RefusedNumber { .. } | Tried::RefusedChannel { .. } => "refused",
        Tried::Unknown { .. } => "unknown",
    };
    for (kind, want) in [
        ("reset_before", "unknown"),
        ("reset_after", "unknown"),
        ("500", "unknown"),
        ("500_after", "unknown"),
        ("503", "unknown"),
        ("html_502", "unknown"),
        ("truncate", "unknown"),
        ("garbage", "unknown"),
        ("429", "not sent"),
    ] {
        emulator.control("fault", serde_json::json!({ "point": "create", "kind": kind, "retry_after": 7 })).await;
        let tried = us.send("+447700900101", kind, None, CALLBACK).await;
        assert_eq!(class(&tried), want, "{kind}: {tried:?}");
        if let Tried::NotSent { wait, .. } = tried {
            assert_eq!(wait, Some(Duration::from_secs(7)));
        }
    }
    let nobody = sms("http://127.0.0.1:9", EMULATOR_TOKEN, OUR_NUMBER);
    assert_eq!(class(&nobody.send("+447700900101", "x", None, CALLBACK).await), "not sent");
    // A list with an error proves nothing.
    emulator.control("fault", serde_json::json!({ "point": "list", "kind": "500" })).await;
    assert!(us.list_to("+447700900101").await.is_err());
    emulator.no_violations().await;
}
