//! Cases that the rules leave open or settle only in passing, one test each.

use crate::domain::money::policy::properties::{cancel, late_case, t};
use crate::domain::money::policy::*;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Reason;

fn at(when: &str, event: CaseEvent) -> TimedEvent {
    TimedEvent { at: t(when), event }
}

/// The late case with more facts.
fn with(more: &[TimedEvent]) -> SessionFacts {
    let mut f = late_case();
    f.history.extend_from_slice(more);
    f
}

/// The late case of an ill child with more facts.
fn ill(more: &[TimedEvent]) -> SessionFacts {
    let mut f = with(more);
    f.history[0] = cancel("2026-11-27T18:00:00Z", Parent::Resident, Reason::IllChild);
    f
}

fn note(brought: bool) -> CaseEvent {
    let day = "2026-11-28".parse().expect("a date");
    CaseEvent::Note(Note {
        about: NoteSubject::Child,
        from: day,
        to: day,
        children: None,
        brought,
    })
}

/// State, outstanding, hold and archived at an instant, in a line.
fn says(a: &Assessment, when: &str) -> String {
    let s = a.standing_at(t(when));
    format!(
        "{} {}{}{}",
        s.fee,
        s.outstanding,
        if s.hold { " hold" } else { "" },
        if s.archived { " archived" } else { "" }
    )
}

/// The notices from an instant on, without those of the escalation.
fn told(a: &Assessment, from: &str) -> Vec<String> {
    a.notices
        .iter()
        .filter(|n| n.at >= t(from) && !n.kind.needs_release())
        .map(|n| format!("{} {}", n.kind, n.to))
        .collect()
}

const DAY_8: &str = "2026-12-20T00:00:00Z";
const DEC_1: &str = "2026-12-01T09:00:00Z";
const DEC_2: &str = "2026-12-02T09:00:00Z";

#[test]
fn money_at_the_very_end_of_the_seventh_day_is_in_time() {
    // C30 says so of "the deadline instant"; a second later the file is closed and stays closed
    // (C20).
    assert_eq!(
        says(&assess(&with(&[at(DAY_8, CaseEvent::Paid(4500))])), DAY_8),
        "paid 0"
    );
    let a = assess(&with(&[at("2026-12-20T00:00:01Z", CaseEvent::Paid(4500))]));
    assert_eq!(says(&a, "2026-12-20T00:00:01Z"), "paid 0 hold archived");
    assert_eq!(told(&a, DAY_8), ["fee_settled resident"]);
}

#[test]
fn a_debt_that_was_written_off_can_still_be_paid_and_a_note_still_ends_it() {
    let a = assess(&with(&[
        at(DEC_1, CaseEvent::ManagerWroteOff),
        at(DEC_2, CaseEvent::Paid(4500)),
    ]));
    assert_eq!(
        (says(&a, DEC_1), says(&a, DEC_2)),
        ("written_off 0 hold".into(), "paid 0".into())
    );
    let a = assess(&ill(&[
        at(DEC_1, CaseEvent::ManagerWroteOff),
        at(DEC_2, note(false)),
    ]));
    assert_eq!(
        (says(&a, DEC_1), says(&a, DEC_2)),
        ("written_off 0 hold".into(), "waived 0".into())
    );
}

#[test]
fn part_of_the_money_and_then_a_waiver_is_for_a_person() {
    let a = assess(&with(&[
        at(DEC_1, CaseEvent::Paid(2000)),
        at(DEC_2, CaseEvent::ManagerWaived),
    ]));
    assert_eq!(
        (says(&a, DEC_2), told(&a, DEC_1)),
        (
            "waived 0".into(),
            vec![
                "refund coordinator".to_owned(),
                "fee_settled resident".into()
            ]
        )
    );
}

#[test]
fn money_before_a_fee_is_for_a_person_and_never_taken_for_a_later_fee() {
    let a = assess(&with(&[at("2026-11-25T09:00:00Z", CaseEvent::Paid(4500))]));
    assert_eq!(
        (says(&a, DEC_1), &told(&a, "2026-11-25T00:00:00Z")[0]),
        ("due 4500 hold".into(), &"refund coordinator".to_owned())
    );
}

#[test]
fn a_note_that_was_there_before_the_message_is_not_asked_for() {
    let a = assess(&ill(&[at("2026-11-27T09:00:00Z", note(false))]));
    assert_eq!(says(&a, "2026-11-27T18:00:00Z"), "waived 0");
    assert!(!told(&a, "2026-11-27T00:00:00Z").contains(&"note_request resident".to_owned()));
    // C28: the message that explains comes after the note.
    let a = assess(&with(&[
        at("2026-11-27T19:00:00Z", note(false)),
        cancel("2026-11-27T20:00:00Z", Parent::Resident, Reason::IllChild),
    ]));
    assert_eq!(
        told(&a, "2026-11-27T19:00:00Z"),
        ["note_no_effect coordinator", "fee_settled resident"]
    );
}

#[test]
fn an_explanation_turns_the_fee_until_the_deadline_itself() {
    for (when, state) in [
        ("2026-12-12T10:00:00Z", "provisional_awaiting_note 0"),
        ("2026-12-12T10:00:01Z", "due 4500 hold"),
    ] {
        assert_eq!(
            says(
                &assess(&with(&[cancel(when, Parent::Resident, Reason::IllChild)])),
                when
            ),
            state
        );
    }
    let by_other = assess(&with(&[cancel(DEC_1, Parent::Contact, Reason::IllChild)]));
    assert_eq!(says(&by_other, DEC_1), "due 4500 hold");
}

#[test]
fn a_note_brought_and_logged_late_keeps_the_deadline_from_counting_only_if_it_is_good() {
    let a = assess(&ill(&[at("2026-12-21T09:00:00Z", note(true))]));
    assert_eq!(
        (says(&a, DAY_8), says(&a, "2026-12-21T09:00:00Z")),
        ("provisional_awaiting_note 0".into(), "waived 0".into())
    );
    assert_eq!(a.escalation, Escalation::default());
    let a = assess(&ill(&[at("2026-12-21T09:00:00Z", note(false))]));
    assert_eq!(
        (says(&a, DAY_8), told(&a, DAY_8)),
        (
            "due 4500 hold archived".into(),
            vec!["late_note coordinator".to_owned()]
        )
    );
}

#[test]
fn staff_count_the_ill_children() {
    let case = |counted: &[TimedEvent]| {
        let mut f = ill(counted);
        f.case.children = 2;
        assess(&f)
    };
    assert_eq!(
        (says(&case(&[]), "2027-06-01T00:00:00Z"), case(&[]).deadline),
        ("provisional_awaiting_note 0".into(), None)
    );
    let both = case(&[at(DEC_1, CaseEvent::IllCounted(2))]);
    assert_eq!(
        (says(&both, DEC_1), both.deadline),
        (
            "provisional_awaiting_note 0".into(),
            Some(t("2026-12-12T12:00:00Z"))
        )
    );
    let one = case(&[at(DEC_1, CaseEvent::IllCounted(1))]);
    assert_eq!(
        (says(&one, DEC_1), told(&one, DEC_1)),
        (
            "due 4500 hold".into(),
            vec!["fee_notice resident".to_owned()]
        )
    );
}

#[test]
fn nobody_is_charged_after_a_no_show_of_nobody_in_particular_until_staff_name_one() {
    let mut f = late_case();
    f.history = vec![
        at("2026-11-28T10:40:00Z", CaseEvent::NoShow(Absent::Unknown)),
        cancel("2026-11-28T11:00:00Z", Parent::Contact, Reason::Other),
    ];
    assert_eq!(says(&assess(&f), DEC_1), "none 0");
    f.history.push(at(
        "2026-11-28T11:30:00Z",
        CaseEvent::NoShow(Absent::Contact),
    ));
    assert_eq!(says(&assess(&f), DEC_1), "due 4500 hold");
}

#[test]
fn a_no_show_that_is_recorded_after_the_next_session_has_the_one_after_as_its_deadline() {
    let mut f = late_case();
    let next = f.later[0];
    let fortnight = chrono::Duration::days(14);
    f.later.push(LaterSession {
        start: next.start + fortnight,
        end: next.end + fortnight,
        ..next
    });
    f.history = vec![at(
        "2026-12-13T09:00:00Z",
        CaseEvent::NoShow(Absent::Contact),
    )];
    assert_eq!(
        assess(&f).escalation.all_parties_notice_at,
        Some(t("2026-12-26T10:00:00Z"))
    );
}

#[test]
fn in_service_the_days_to_pay_count_from_when_all_parties_were_told() {
    let mut f = late_case();
    f.rules.pay_clock = PayClock::WhenTold;
    assert_eq!(
        assess(&f).escalation,
        Escalation::default(),
        "nobody was told of the fee: no clock runs"
    );
    f.history.push(at(
        "2026-11-30T11:00:00Z",
        CaseEvent::DeadlineTold(t("2026-12-12T10:00:00Z")),
    ));
    let a = assess(&f);
    assert_eq!(
        (a.escalation.all_parties_notice_at, a.escalation.close_at),
        (Some(t("2026-12-12T10:00:00Z")), None)
    );
    f.history
        .push(at("2026-12-14T11:00:00Z", CaseEvent::AllPartiesTold));
    assert_eq!(
        assess(&f).escalation.close_at,
        Some(t("2026-12-22T00:00:00Z"))
    );
    // The other parent read it before, which starts nothing, or later: the later of both counts.
    f.history
        .push(at("2026-12-13T11:00:00Z", CaseEvent::OtherPartyTold));
    assert_eq!(
        assess(&f).escalation.close_at,
        Some(t("2026-12-22T00:00:00Z"))
    );
    f.history
        .push(at("2026-12-16T11:00:00Z", CaseEvent::OtherPartyTold));
    assert_eq!(
        assess(&f).escalation.close_at,
        Some(t("2026-12-24T00:00:00Z"))
    );
    f.history.push(at(
        "2026-11-30T11:00:00Z",
        CaseEvent::DeadlineTold(t("2026-12-13T10:00:00Z")),
    ));
    assert_eq!(
        assess(&f).escalation.all_parties_notice_at,
        Some(t("2026-12-13T10:00:00Z"))
    );
    // Told only after the next session had begun: the one after it is the next due session.
    let mut f = late_case();
    f.rules.pay_clock = PayClock::WhenTold;
    let next = f.later[0];
    let fortnight = chrono::Duration::days(14);
    f.later.push(LaterSession {
        start: next.start + fortnight,
        end: next.end + fortnight,
        ..next
    });
    f.history.push(at(
        "2026-12-12T11:00:00Z",
        CaseEvent::DeadlineTold(t("2026-12-12T11:00:00Z")),
    ));
    assert_eq!(
        assess(&f).escalation.all_parties_notice_at,
        Some(t("2026-12-26T10:00:00Z"))
    );
}

#[test]
fn owed_again_after_a_receipt_keeps_what_was_reached_and_starts_nothing() {
    let service = |more: &[TimedEvent]| {
        let mut f = with(&[at(
            "2026-11-30T11:00:00Z",
            CaseEvent::DeadlineTold(t("2026-12-12T10:00:00Z")),
        )]);
        f.rules.pay_clock = PayClock::WhenTold;
        f.history.extend_from_slice(more);
        assess(&f)
    };
    // Before the deadline: none runs.
    let a = service(&[at("2026-12-11T10:00:00Z", CaseEvent::OwedAgain)]);
    assert_eq!(
        (
            a.escalation,
            a.deadline,
            says(&a, "2027-01-30T00:00:00Z").as_str()
        ),
        (Escalation::default(), None, "due 4500 hold")
    );
    // After it: it has passed, and the days to pay end.
    let all_told = at("2026-12-14T11:00:00Z", CaseEvent::AllPartiesTold);
    let a = service(&[all_told, at("2026-12-15T10:00:00Z", CaseEvent::OwedAgain)]);
    assert_eq!(
        (a.escalation.all_parties_notice_at, a.escalation.close_at),
        (Some(t("2026-12-12T10:00:00Z")), None)
    );
    // After the file was closed: it stays closed.
    let a = service(&[all_told, at("2026-12-22T12:00:00Z", CaseEvent::OwedAgain)]);
    assert_eq!(says(&a, "2027-01-30T00:00:00Z"), "due 4500 hold archived");
}

#[test]
fn every_tie_is_for_a_person_in_time_or_not_with_a_fee_or_without() {
    let tie = |when: &str, fee: i64| {
        let mut f = late_case();
        f.rules.fee.minor = fee;
        f.history = vec![
            cancel(when, Parent::Contact, Reason::Other),
            cancel(when, Parent::Resident, Reason::IllChild),
        ];
        let a = assess(&f);
        (
            a.late,
            a.charge.minor,
            a.notices
                .iter()
                .filter(|n| n.kind == NoticeKind::Task(TaskKind::Tie))
                .count(),
        )
    };
    assert_eq!(
        (
            tie("2026-11-20T10:00:00Z", 4500),
            tie("2026-11-27T10:00:00Z", 4500),
            tie("2026-11-27T10:00:00Z", 0)
        ),
        ((false, 0, 1), (true, 0, 1), (true, 0, 1))
    );
}

#[test]
fn every_step_says_by_which_rule_and_why() {
    let a = assess(&with(&[at(DEC_1, CaseEvent::Paid(4500))]));
    let rules: Vec<&str> = a.steps.iter().map(|s| s.rule).collect();
    assert_eq!(rules, ["C01", "C29", "seed_001", "C31"]);
    assert!(
        a.steps.iter().all(|s| s.why.ends_with('.'))
            && a.notices.iter().all(|n| !n.rule.is_empty())
    );
    assert_eq!(a.charge.to_string(), "GBP 45.00");
}

#[test]
fn each_message_is_judged_by_the_start_that_was_in_force_when_it_came() {
    let (old, new) = (t("2026-11-28T10:00:00Z"), t("2026-12-05T10:00:00Z"));
    let slot = |start: chrono::DateTime<chrono::Utc>| Slot {
        start,
        end: start + chrono::Duration::hours(2),
    };
    // Cancelled late for the 28th, put back on, moved to the 5th: what happened before the move
    // stays what it was.
    let mut f = with(&[at("2026-11-27T19:00:00Z", CaseEvent::Reinstated)]);
    let before = assess(&f);
    f.session = slot(new);
    f.moved = vec![(t("2026-11-27T20:00:00Z"), slot(old))];
    let after = assess(&f);
    assert_eq!(
        (&before.notices, &before.states),
        (&after.notices, &after.states)
    );
    assert!(
        after
            .notices
            .iter()
            .any(|n| n.kind == NoticeKind::Message(MessageKind::FeeNotice))
    );
    // Cancelled in time for the 5th, put back on, moved forward to the 28th: no fee comes up for it
    // afterwards.
    let mut f = with(&[at("2026-11-27T19:00:00Z", CaseEvent::Reinstated)]);
    f.moved = vec![(t("2026-11-27T20:00:00Z"), slot(new))];
    assert!(
        assess(&f)
            .notices
            .iter()
            .all(|n| n.kind.private_text().is_none()),
        "{:?}",
        assess(&f).notices
    );
    // The note is for the day that was cancelled.
    let mut f = ill(&[at(DEC_1, note(false))]);
    f.session = slot(new);
    f.moved = vec![(t("2026-12-02T20:00:00Z"), slot(old))];
    assert_eq!(says(&assess(&f), DEC_2), "waived 0");
}

#[test]
fn a_free_refusal_frees_no_other_message() {
    let mut f = with(&[
        at("2026-11-27T19:00:00Z", CaseEvent::Reinstated),
        cancel("2026-11-27T21:00:00Z", Parent::Contact, Reason::Other),
    ]);
    f.free = vec![t("2026-11-27T21:00:00Z")];
    let a = assess(&f);
    assert_eq!((a.late, a.charge.minor), (false, 0));
    assert_eq!(
        a.notices
            .iter()
            .filter(|n| n.kind == NoticeKind::Message(MessageKind::FeeNotice))
            .count(),
        1,
        "the first one had its fee until it was put back on"
    );
}

#[test]
fn the_last_count_of_the_ill_children_holds() {
    let case = |counted: &[TimedEvent]| {
        let mut f = ill(counted);
        f.case.children = 2;
        assess(&f)
    };
    let one = at(DEC_1, CaseEvent::IllCounted(1));
    let both = case(&[one, at(DEC_2, CaseEvent::IllCounted(2))]);
    assert_eq!(
        (says(&both, DEC_1), says(&both, DEC_2)),
        ("due 4500 hold".into(), "provisional_awaiting_note 0".into())
    );
    assert_eq!(
        told(&both, DEC_2),
        [
            "note_request resident",
            "note_reminder resident",
            "fee_notice resident"
        ]
    );
    let one_after_all = case(&[
        at(DEC_1, CaseEvent::IllCounted(2)),
        at(DEC_2, CaseEvent::IllCounted(1)),
    ]);
    assert_eq!(
        (says(&one_after_all, DEC_1), says(&one_after_all, DEC_2)),
        ("provisional_awaiting_note 0".into(), "due 4500 hold".into())
    );
    // After the deadline the fee stays due, and a note that names them all still ends it.
    let both = |more: &[TimedEvent]| {
        case(
            &[
                &[one, at("2026-12-14T09:00:00Z", CaseEvent::IllCounted(2))],
                more,
            ]
            .concat(),
        )
    };
    assert_eq!(says(&both(&[]), "2026-12-14T09:00:00Z"), "due 4500 hold");
    let CaseEvent::Note(n) = note(false) else {
        unreachable!("a note")
    };
    assert_eq!(
        says(
            &both(&[at(
                "2026-12-15T09:00:00Z",
                CaseEvent::Note(Note {
                    children: Some(2),
                    ..n
                })
            )]),
            "2026-12-15T09:00:00Z"
        ),
        "waived 0"
    );
}
