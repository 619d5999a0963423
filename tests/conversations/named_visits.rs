//! Messages that name a date or a time.

use super::*;
use crate::common::{BIRCHFIELD, LIFFEY, On, World, sample_with};
use courtesy::domain::task::TaskKind;

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

crate::on_both!(
    a_named_date_is_the_visit_of_that_date_or_none,
    a_named_time_is_the_own_arrival_or_none,
    the_visit_that_is_named_is_taken_back,
);
