//! The centre does not open: a preview, then everything at once; whoever cannot be texted is rung,
//! and nobody else's trouble stops it.

use crate::common::{On, World};
use courtesy::domain::task::TaskKind;
use courtesy::flows::visits::closure::{self, ClosureRequest, Notification};
use courtesy::store::{centres, messages, tasks};

fn saturday() -> ClosureRequest {
    ClosureRequest {
        centre: "BRK".into(),
        from: "2026-11-28".parse().unwrap(),
        to: "2026-11-28".parse().unwrap(),
        hours: None,
        why: "burst pipe".into(),
    }
}

async fn a_closure_is_previewed_and_done_with_its_number(on: On) {
    let w = World::sample(on, "2026-11-26T09:00").await;
    let p = closure::preview(&w.svc, &saturday()).await.unwrap();
    assert_eq!(
        p.words
            .iter()
            .map(|(t, _)| t.body.as_str())
            .collect::<Vec<_>>(),
        [
            "Birchfield: we are closed on Sat 28 Nov. Your visit will not go ahead. There is no \
             charge. We will offer another date. Phone 020 7946 0101"
        ]
    );
    let rung: Vec<String> = p
        .told
        .iter()
        .filter(|t| t.how == Notification::Ring)
        .map(|t| format!("{}:{}", t.case_ref, t.role))
        .collect();
    assert!(
        rung.contains(&"BRK-0103:contact".to_owned()),
        "who opted out is rung: {rung:?}"
    );
    assert_eq!(
        w.stands("BRK-0101").await,
        "booked none none",
        "a preview changes nothing"
    );
    let e = closure::send(&w.svc, &saturday(), p.families + 1, "Mary")
        .await
        .unwrap_err()
        .to_string();
    assert!(e.contains("nothing was changed"), "{e}");
    closure::send(&w.svc, &saturday(), p.families, "Mary")
        .await
        .unwrap();
    w.until("2026-11-26T09:30").await;
    for phone in ["+447700900101", "+447700900102"] {
        assert_eq!(
            w.got(phone),
            [p.words[0].0.body.as_str()],
            "both parents, the same words"
        );
    }
    assert_eq!(
        w.chat(5_500_100_104),
        [p.words[0].0.body.as_str()],
        "and by Telegram"
    );
    assert_eq!(w.stands("BRK-0101").await, "closed none none");
    let ring = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.topic == TaskKind::RingSessionOff)
        .count();
    assert_eq!(ring, rung.len());
    // Nobody is asked about a visit that does not take place, and doing it again finds nothing.
    w.until("2026-11-26T12:00").await;
    assert_eq!(w.got("+447700900101").len(), 1);
    assert!(
        closure::send(&w.svc, &saturday(), p.families, "Mary")
            .await
            .unwrap_err()
            .to_string()
            .contains("no session")
    );
    // A YES to it changes nothing.
    w.says("+447700900101", "yes").await;
    assert_eq!(w.stands("BRK-0101").await, "closed none none");
    // The other day and the other centre are as they were.
    assert_eq!(w.stands("BRK-0108").await, "booked none none");
    assert_eq!(w.stands("LIF-2001").await.split(' ').next(), Some("booked"));
    w.end().await;
}

async fn phones_out_of_reach_are_found_as_tasks_and_stop_nobody(on: On) {
    let w = World::sample(on, "2026-11-27T12:00").await;
    // One blocked the bot and has no other address; one number takes no texts any more, which the
    // service says with a refusal.
    w.chats.block_silently(5_500_100_107);
    w.provider.refuse("+447700900110", 21614);
    let p = closure::preview(&w.svc, &saturday()).await.unwrap();
    closure::send(&w.svc, &saturday(), p.families, "Mary")
        .await
        .unwrap();
    w.until("2026-11-27T13:00").await;
    let listed = messages::list(&w.svc.db, Some("BRK")).await.unwrap();
    let closures: Vec<_> = listed
        .iter()
        .filter(|m| m.kind.as_str() == "closure")
        .collect();
    let told = closures
        .iter()
        .filter(|m| matches!(m.state.as_str(), "sent" | "delivered"))
        .count();
    assert_eq!(told, p.texts() - 2, "two bad recipients stop nobody");
    for case_ref in ["BRK-0104", "BRK-0105"] {
        assert!(
            w.tasks(case_ref).await.contains(&TaskKind::RingSessionOff),
            "{case_ref}: {:?}",
            w.tasks(case_ref).await
        );
    }
    w.end().await;
}

async fn waiting_requests_are_withdrawn_and_only_the_hours_asked_are_closed(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let morning = ClosureRequest {
        hours: Some(("09:00".parse().unwrap(), "12:00".parse().unwrap())),
        ..saturday()
    };
    let p = closure::preview(&w.svc, &morning).await.unwrap();
    assert!(
        p.told
            .iter()
            .all(|t| t.start.format("%H:%M").to_string().as_str() < "12:00"),
        "{:?}",
        p.told
    );
    let all = closure::preview(&w.svc, &saturday()).await.unwrap();
    assert!(p.families < all.families && p.families > 0);
    let bad = ClosureRequest {
        from: "2026-11-29".parse().unwrap(),
        ..saturday()
    };
    assert!(
        closure::preview(&w.svc, &bad)
            .await
            .unwrap_err()
            .to_string()
            .contains("lies before")
    );
    let past = ClosureRequest {
        from: "2026-11-20".parse().unwrap(),
        to: "2026-11-20".parse().unwrap(),
        ..saturday()
    };
    assert!(
        closure::preview(&w.svc, &past)
            .await
            .unwrap_err()
            .to_string()
            .contains("past")
    );
    // On hold nothing leaves, so everybody is rung.
    let mut tx = w.svc.db.begin().await.unwrap();
    centres::set_hold(&mut tx, "BRK", true, "test", "", w.svc.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let held = closure::send(&w.svc, &morning, p.families, "Mary")
        .await
        .unwrap();
    assert!(held.held && held.told.iter().all(|t| t.how == Notification::Ring));
    let ring = tasks::list(&w.svc.db, None)
        .await
        .unwrap()
        .into_iter()
        .filter(|t| t.topic == TaskKind::RingSessionOff)
        .count();
    assert_eq!(ring, held.told.len());
    w.end().await;
}

crate::on_both!(
    a_closure_is_previewed_and_done_with_its_number,
    phones_out_of_reach_are_found_as_tasks_and_stop_nobody,
    waiting_requests_are_withdrawn_and_only_the_hours_asked_are_closed,
);
