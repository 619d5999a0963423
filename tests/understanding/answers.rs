//! Answers, and what looks like one.

use super::*;
use crate::common::{BIRCHFIELD, LIFFEY, On, SAMPLE, World};
use courtesy::domain::task::TaskKind;

/// A world in which both visits of BRK-0101 on one weekend are asked about.
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
}

async fn a_yes_for_two_days_is_asked_back_and_three_visits_are_for_a_person(on: On) {
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

async fn a_yes_to_the_time_before_a_move_is_asked_once_more(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    // The visit moved, the YES was for the old time: asked once more, and answered then.
    w.moves("BRK-0105", "2026-11-28T14:00").await;
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none none");
    w.until("2026-11-26T10:13").await;
    w.says(CONTACT_105, "yes").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.end().await;
}

async fn a_yes_ends_the_code_of_a_no(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.says(CONTACT_105, "yes").await;
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
    w.end().await;
}

async fn a_late_no_may_cost_a_fee_unless_the_centre_moved_the_visit(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    w.moves("BRK-0105", "2026-11-28T14:00").await;
    w.until("2026-11-26T10:13").await;
    w.says(CONTACT_105, "yes").await;
    // After the cut-off a NO is late; but a move by the centre can be refused for two days.
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
    w.end().await;
}

async fn after_the_visit_no_answer_changes_anything(on: On) {
    let w = World::sample(on, "2026-11-26T10:00").await;
    let before = w.stands("BRK-0101").await;
    w.until("2026-11-28T19:00").await;
    for body in ["yes", "no", "cancel please", "5271"] {
        w.says(DWAYNE, body).await;
        assert_eq!(w.last(DWAYNE), HANDED, "{body}");
    }
    assert_eq!(w.stands("BRK-0101").await, before);
    w.end().await;
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
        "the other parent is not told"
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
        "a word that means something else in English counts only for speakers of its language"
    );
    w.says(CONTACT_105, "Tak, będziemy!").await;
    assert_eq!(w.stands("BRK-0105").await, "booked none confirmed");
    w.end().await;
}

crate::on_both!(
    a_yes_for_one_day_and_a_no_for_the_other_is_never_guessed,
    a_yes_for_two_days_is_asked_back_and_three_visits_are_for_a_person,
    a_day_or_a_date_of_another_visit_is_no_answer,
    a_yes_to_the_time_before_a_move_is_asked_once_more,
    a_yes_ends_the_code_of_a_no,
    a_late_no_may_cost_a_fee_unless_the_centre_moved_the_visit,
    after_the_visit_no_answer_changes_anything,
    illness_that_is_told_afterwards_is_kept_and_changes_nothing_else,
    one_of_several_children_ill_is_no_cancellation,
    other_languages_act_by_whole_agreed_words_alone,
);
