//! Tests of milestones, by the tasks that they open.

use crate::domain::centre::{Centre, Rules};
use crate::domain::ids::CaseId;
use crate::domain::ids::SessionId;
use crate::domain::local_time::instant;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::reminders::milestones::{
    MilestoneCase, MilestoneVisit, ParentCancellation, look, text_from, text_of, text_until,
};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Reason, SessionState};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

fn rules(more: &str) -> Rules {
    Centre::parse(&format!(
        "code = \"BRK\"\nname = \"Birchfield Road\"\ntimezone = \
                            \"Europe/London\"\n[rules]\n{more}"
    ))
    .unwrap()
    .rules
}

const LONDON: Tz = chrono_tz::Europe::London;

fn t(s: &str) -> DateTime<Utc> {
    instant(LONDON, crate::domain::local_time::parse_local(s).unwrap())
}

/// A session every second Saturday from 6 June 2026, numbered from 0.
fn visit(n: i64) -> MilestoneVisit {
    let start = t("2026-06-06T10:00") + Duration::weeks(2 * n);
    MilestoneVisit {
        session: SessionId::new(format!("s{n}")),
        start,
        end: start + Duration::hours(2),
        state: SessionState::Booked,
        previsit: false,
        unbooked: false,
        replaced: false,
        released_at: None,
        off_at: None,
        cancelled: None,
    }
}

fn off(n: i64, by: Option<Role>, late: bool, reason: Reason) -> MilestoneVisit {
    MilestoneVisit {
        state: SessionState::Cancelled,
        cancelled: by.map(|role| ParentCancellation {
            role,
            late,
            reason: Some(reason),
            note: false,
        }),
        ..visit(n)
    }
}

fn case(visits: Vec<MilestoneVisit>) -> MilestoneCase {
    MilestoneCase {
        id: CaseId::new("c"),
        court_ordered: false,
        known_at: t("2026-05-01T09:00"),
        visits,
    }
}

fn causes(rules: &Rules, case: &MilestoneCase, now: &str) -> Vec<String> {
    look(rules, LONDON, case, t(now))
        .due
        .into_iter()
        .map(|d| d.dedup_key.to_string())
        .collect()
}

#[test]
fn staff_see_a_text_before_it_goes() {
    let (now, soon, later) = (
        t("2026-11-24T09:00"),
        t("2026-11-24T17:00"),
        t("2026-12-08T09:00"),
    );
    assert_eq!(
        [
            text_from(Some(later), false, now),
            text_from(None, false, now)
        ],
        [t("2026-11-25T09:00"); 2]
    );
    assert_eq!(
        text_from(Some(soon), false, now),
        t("2026-11-24T10:00"),
        "an hour, where a day would be too late"
    );
    assert_eq!(text_from(Some(later), true, now), now);
    assert_eq!(
        text_until(MessageKind::PrevisitInvitation, Some(soon), now),
        soon
    );
    assert_eq!(
        text_until(MessageKind::ReviewDue, Some(soon), now),
        t("2026-12-08T09:00"),
        "a review that is overdue is reminded of all the same"
    );
    assert!(
        TaskKind::ALL
            .iter()
            .filter_map(|t| text_of(*t))
            .all(MessageKind::is_milestone)
    );
    assert_eq!(
        TaskKind::ALL.iter().filter_map(|t| text_of(*t)).count(),
        MessageKind::ALL.iter().filter(|k| k.is_milestone()).count()
    );
}

#[test]
fn reviews_and_the_meeting_by_the_calendar() {
    let (r, c) = (rules(""), case((0..40).map(visit).collect()));
    assert_eq!(causes(&r, &c, "2026-11-21T12:00"), [] as [&str; 0]);
    assert_eq!(
        causes(&r, &c, "2026-11-22T12:00"),
        ["review/c/months/6", "introduction/c"],
        "two weeks before the day"
    );
    assert_eq!(
        look(&r, LONDON, &c, t("2026-11-22T12:00")).due[0].due_at,
        Some(t("2026-12-06T09:00"))
    );
    assert_eq!(
        causes(&r, &c, "2027-05-24T12:00"),
        ["review/c/months/12"],
        "again and again"
    );
    assert_eq!(
        causes(
            &rules("review_after_months = 0\nintroduction_meeting_after_months = 3"),
            &c,
            "2026-09-01T12:00"
        ),
        ["introduction/c"]
    );
    // Who stopped coming in the summer is not reviewed in December.
    assert_eq!(
        causes(&r, &case((0..4).map(visit).collect()), "2026-12-06T12:00"),
        [] as [&str; 0]
    );
}

#[test]
fn reviews_by_the_number_of_sessions() {
    let r = rules(
        "review_after_sessions = 8\nreview_after_months = 0\nintroduction_meeting_after_months \
         = 0",
    );
    let mut visits: Vec<MilestoneVisit> = (0..20).map(visit).collect();
    assert_eq!(
        causes(&r, &case(visits.clone()), "2026-09-12T11:59"),
        [] as [&str; 0]
    );
    assert_eq!(
        causes(&r, &case(visits.clone()), "2026-09-12T12:00"),
        ["review/c/sessions/8"]
    );
    visits[3] = off(3, Some(Role::Contact), false, Reason::Other);
    assert_eq!(
        causes(&r, &case(visits.clone()), "2026-09-12T12:00"),
        [] as [&str; 0],
        "what did not take place does not count"
    );
    assert_eq!(
        causes(&r, &case(visits), "2026-09-26T12:00"),
        ["review/c/sessions/8"]
    );
}

#[test]
fn a_new_family_is_invited_where_the_centre_wants_it() {
    let r = rules("previsit_invitation_days = 21");
    assert_eq!(
        causes(&r, &case(vec![visit(0), visit(1)]), "2026-05-15T10:00"),
        [] as [&str; 0]
    );
    assert_eq!(
        causes(&r, &case(vec![visit(0), visit(1)]), "2026-05-16T10:00"),
        ["previsit/c"]
    );
    assert_eq!(
        causes(
            &r,
            &case(vec![
                MilestoneVisit {
                    previsit: true,
                    ..visit(0)
                },
                visit(1)
            ]),
            "2026-06-01T10:00"
        ),
        [] as [&str; 0],
        "it is arranged"
    );
    assert_eq!(
        causes(&rules(""), &case(vec![visit(0)]), "2026-06-01T10:00"),
        [] as [&str; 0]
    );
}

#[test]
fn a_court_ordered_session_is_replaced_whoever_called_it_off() {
    let court = |v: MilestoneVisit| MilestoneCase {
        court_ordered: true,
        ..case(vec![v])
    };
    let r = rules("");
    for v in [
        off(0, Some(Role::Contact), false, Reason::Other),
        off(0, Some(Role::Resident), true, Reason::IllChild),
        off(0, None, false, Reason::Other),
        MilestoneVisit {
            state: SessionState::Closed,
            ..visit(0)
        },
        MilestoneVisit {
            state: SessionState::NoShow,
            ..visit(0)
        },
    ] {
        assert_eq!(
            causes(&r, &court(v.clone()), "2026-06-08T10:00"),
            ["replacement/s0"],
            "{v:?}"
        );
        assert_eq!(
            causes(
                &r,
                &MilestoneCase {
                    court_ordered: false,
                    ..court(v.clone())
                },
                "2026-06-08T10:00"
            ),
            [] as [&str; 0]
        );
        assert_eq!(
            causes(
                &r,
                &court(MilestoneVisit {
                    replaced: true,
                    ..v.clone()
                }),
                "2026-06-08T10:00"
            ),
            [] as [&str; 0]
        );
        assert_eq!(
            causes(
                &r,
                &court(MilestoneVisit {
                    unbooked: true,
                    ..v.clone()
                }),
                "2026-06-08T10:00"
            ),
            [] as [&str; 0]
        );
    }
    // Until it is released it may be taken back.
    let hidden = court(MilestoneVisit {
        released_at: Some(t("2026-06-05T14:30")),
        ..off(0, Some(Role::Contact), false, Reason::Other)
    });
    let l = look(&r, LONDON, &hidden, t("2026-06-05T14:05"));
    assert_eq!((l.due.len(), l.again), (0, t("2026-06-05T14:30")));
    assert_eq!(causes(&r, &hidden, "2026-06-05T14:30"), ["replacement/s0"]);
}

#[test]
fn a_person_looks_at_habits() {
    let r = rules("review_after_months = 0\nintroduction_meeting_after_months = 0");
    let ill = |n| off(n, Some(Role::Resident), true, Reason::IllChild);
    let late = |n| off(n, Some(Role::Contact), true, Reason::Other);
    let seen = |visits: Vec<MilestoneVisit>| causes(&r, &case(visits), "2026-12-01T10:00");
    let mut with_note = ill(0);
    with_note.cancelled.as_mut().unwrap().note = true;
    assert_eq!(
        seen(vec![ill(0), ill(1)]),
        ["pattern/notes/s1/resident"],
        "the second open note case in a row"
    );
    assert_eq!(
        seen(vec![ill(0), visit(1), ill(2)]),
        [] as [&str; 0],
        "not in a row"
    );
    assert_eq!(
        seen(vec![with_note, ill(1)]),
        [] as [&str; 0],
        "the first one's note came"
    );
    assert_eq!(
        seen(vec![ill(0), off(1, None, false, Reason::Other), ill(2)]),
        ["pattern/notes/s2/resident"],
        "what the centre called off breaks no row"
    );
    assert_eq!(
        seen(vec![
            late(0),
            visit(1),
            late(2),
            visit(3),
            visit(4),
            late(5)
        ]),
        ["pattern/late/s5/contact"],
        "three in six"
    );
    assert_eq!(
        seen(vec![
            late(0),
            visit(1),
            late(2),
            visit(3),
            visit(4),
            visit(5),
            late(6)
        ]),
        [] as [&str; 0],
        "three in seven"
    );
    assert_eq!(
        seen(vec![late(0), ill(1), late(2)]),
        [] as [&str; 0],
        "each parent's own"
    );
    let in_time = off(0, Some(Role::Contact), false, Reason::Other);
    assert_eq!(seen(vec![in_time, late(1), late(2)]), [] as [&str; 0]);
    let court = MilestoneCase {
        court_ordered: true,
        ..case(vec![late(0), visit(1), late(2)])
    };
    assert_eq!(
        causes(&r, &court, "2026-12-01T10:00")
            .iter()
            .filter(|c| c.starts_with("pattern"))
            .collect::<Vec<_>>(),
        ["pattern/late/s2/contact"]
    );
}
