//! Laws of the rules on money, held against random histories, and the cases in which a choice was
//! unclear.

use crate::domain::money::amount::Money;
use crate::domain::money::policy::*;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use proptest::prelude::*;

pub(super) fn t(s: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(s)
        .expect("an instant")
        .with_timezone(&Utc)
}

pub(super) fn cancel(at: &str, by: Parent, reason: Reason) -> TimedEvent {
    TimedEvent {
        at: t(at),
        event: CaseEvent::Cancelled {
            by,
            reason,
            ill: None,
            only_some: false,
        },
    }
}

/// The resident parent cancelled 16 hours before a session on 28 November; the next one is on 12
/// December.
pub(super) fn late_case() -> SessionFacts {
    let gbp = Money {
        minor: 4500,
        currency: *b"GBP",
    };
    SessionFacts {
        rules: FeeRules {
            notice_hours: 48,
            fee: gbp,
            payment_days: 7,
            pay_clock: PayClock::AsPlanned,
            tz: chrono_tz::Europe::London,
            courtesy: Default::default(),
        },
        case: CaseFacts {
            court_ordered: false,
            children: 1,
            parties: vec![Recipient::Resident, Recipient::Contact],
        },
        session: Slot {
            start: t("2026-11-28T10:00:00Z"),
            end: t("2026-11-28T12:00:00Z"),
        },
        moved: Vec::new(),
        free: Vec::new(),
        later: vec![LaterSession {
            start: t("2026-12-12T10:00:00Z"),
            end: t("2026-12-12T12:00:00Z"),
            booked_at: None,
            called_off: None,
        }],
        history: vec![cancel(
            "2026-11-27T18:00:00Z",
            Parent::Resident,
            Reason::Other,
        )],
    }
}

/// Instants on which something turns are as likely as any hour of eight weeks.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    let turning = [
        "2026-11-26T10:00:00Z",
        "2026-11-27T18:00:00Z",
        "2026-11-28T10:00:00Z",
        "2026-12-10T10:00:00Z",
        "2026-12-12T10:00:00Z",
        "2026-12-12T12:00:00Z",
        "2026-12-20T00:00:00Z",
    ];
    prop_oneof![
        1 => proptest::sample::select(turning.map(t).to_vec()),
        2 => (0i64..56 * 24).prop_map(|h| t("2026-11-20T00:00:00Z") + Duration::hours(h)),
        3 => (0i64..5 * 48).prop_map(|h| t("2026-11-24T00:00:00Z") + Duration::minutes(30 * h)),
    ]
}

fn parents() -> impl Strategy<Value = Parent> {
    proptest::sample::select(Parent::ALL.to_vec())
}

fn happenings() -> impl Strategy<Value = CaseEvent> {
    let note = (
        proptest::sample::select(NoteSubject::ALL.to_vec()),
        26u32..30,
        0u64..3,
        proptest::option::of(1u32..4),
        any::<bool>(),
    )
        .prop_map(|(about, day, more, children, brought)| {
            let from = NaiveDate::from_ymd_opt(2026, 11, day).expect("a day of November");
            CaseEvent::Note(Note {
                about,
                from,
                to: from + chrono::Days::new(more),
                children,
                brought,
            })
        });
    prop_oneof![
        1 => Just(CaseEvent::CentreCancelled),
        6 => (parents(), proptest::sample::select(Reason::ALL.to_vec()), proptest::option::of(1u32..4), proptest::bool::weighted(0.1)).prop_map(|(by, reason, ill, only_some)| CaseEvent::Cancelled { by, reason, ill, only_some }),
        1 => proptest::sample::select(Absent::ALL.to_vec()).prop_map(CaseEvent::NoShow),
        1 => Just(CaseEvent::Reinstated),
        1 => (1u32..4).prop_map(CaseEvent::IllCounted),
        3 => note,
        1 => Just(CaseEvent::ManagerWaived),
        1 => Just(CaseEvent::ManagerWroteOff),
        3 => (1i64..6000).prop_map(CaseEvent::Paid),
        1 => instants().prop_map(CaseEvent::DeadlineTold),
        1 => Just(CaseEvent::AllPartiesTold),
        1 => Just(CaseEvent::OtherPartyTold),
        1 => Just(CaseEvent::OwedAgain),
    ]
}

fn histories() -> impl Strategy<Value = SessionFacts> {
    let fact = (instants(), happenings()).prop_map(|(at, event)| TimedEvent { at, event });
    let off = (any::<bool>(), proptest::option::weighted(0.9, instants()))
        .prop_map(|(by_party, at)| CalledOff { by_party, at });
    // Some are booked at any time, some a day or three before they begin: after the moment that
    // would have reminded of them.
    let booked = prop_oneof![4 => Just(None), 1 => instants().prop_map(|t| Some(Ok(t))), 1 => (1i64..72).prop_map(|h| Some(Err(Duration::hours(h))))];
    let later = (0i64..40, booked, proptest::option::weighted(0.4, off)).prop_map(
        |(day, booked, called_off)| {
            let start = t("2026-11-28T10:00:00Z") + Duration::days(day);
            let booked_at = booked.map(|b| b.unwrap_or_else(|before| start - before));
            LaterSession {
                start,
                end: start + Duration::hours(2),
                booked_at,
                called_off,
            }
        },
    );
    let rules = (
        proptest::sample::select(vec![0i64, 4500, 4500]),
        24i64..73,
        any::<bool>(),
        any::<bool>(),
        1u32..4,
    );
    // Before it was moved the session lay some days or hours elsewhere.
    let moves = proptest::collection::vec((instants(), -96i64..96), 0..3);
    (
        rules,
        moves,
        proptest::collection::vec(later, 0..4),
        proptest::collection::vec(fact, 0..12),
    )
        .prop_map(
            |((fee, notice_hours, told, court_ordered, children), moves, later, history)| {
                let mut f = late_case();
                f.rules.fee.minor = fee;
                f.rules.notice_hours = notice_hours;
                f.rules.pay_clock = if told {
                    PayClock::WhenTold
                } else {
                    PayClock::AsPlanned
                };
                f.case = CaseFacts {
                    court_ordered,
                    children,
                    parties: vec![
                        Recipient::Resident,
                        Recipient::Contact,
                        Recipient::Referrer(1),
                    ],
                };
                // One at an instant: which of two came first would be a matter of order.
                let mut moves = moves;
                moves.sort_unstable();
                moves.dedup_by_key(|(until, _)| *until);
                let moved = moves.into_iter().map(|(until, hours)| {
                    (
                        until,
                        Slot {
                            start: f.session.start + Duration::hours(hours),
                            end: f.session.end + Duration::hours(hours),
                        },
                    )
                });
                SessionFacts {
                    moved: moved.collect(),
                    later,
                    history,
                    ..f
                }
            },
        )
}

fn by_whom(f: &TimedEvent) -> Option<Parent> {
    match f.event {
        CaseEvent::Cancelled {
            by,
            only_some: false,
            ..
        } => Some(by),
        CaseEvent::NoShow(Absent::Contact) => Some(Parent::Contact),
        CaseEvent::NoShow(Absent::Resident) => Some(Parent::Resident),
        _ => None,
    }
}

/// Every instant at which a state or a notice is written down, and the moment before each.
fn looks(a: &Assessment) -> Vec<DateTime<Utc>> {
    let mut all: Vec<_> = a
        .states
        .iter()
        .map(|(at, _)| *at)
        .chain(a.notices.iter().map(|n| n.at))
        .flat_map(|at| [at - Duration::nanoseconds(1), at])
        .collect();
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_fee_without_a_liable_party(f in histories()) {
        let a = assess(&f);
        prop_assert_eq!(a.charge.minor > 0, a.liable.is_some());
        for (at, s) in &a.states {
            prop_assert_eq!(s.charge > 0, s.liable.is_some());
            if let Some(p) = s.liable {
                prop_assert!(f.history.iter().any(|x| x.at <= *at && by_whom(x) == Some(p)), "{p} is liable and did nothing");
            }
        }
    }

    #[test]
    fn money_and_notes_are_told_to_nobody_but_the_liable_party(f in histories()) {
        let a = assess(&f);
        for n in a.notices.iter().filter(|n| n.kind.private_text().is_some()) {
            let (now, before) = (a.standing_at(n.at).liable, a.standing_at(n.at - Duration::nanoseconds(1)).liable);
            prop_assert!([now, before].into_iter().flatten().any(|p| Recipient::from(p) == n.to) || (now.is_none() && before.is_none() && f.history.iter().any(|x| x.at == n.at && x.event == CaseEvent::Reinstated)), "{n:?}");
            prop_assert!(f.history.iter().any(|x| x.at <= n.at && by_whom(x).map(Recipient::from) == Some(n.to)), "{n:?} to one who did nothing");
        }
    }

    #[test]
    fn no_fee_from_a_cancellation_by_the_centre(f in histories(), at in instants()) {
        let mut f = f;
        // Whatever follows a cancellation by the centre, short of a reinstatement, costs nobody
        // anything.
        f.history.retain(|x| x.event != CaseEvent::Reinstated && (by_whom(x).is_none() || x.at >= at) && !matches!(x.event, CaseEvent::NoShow(_)));
        f.history.push(TimedEvent { at, event: CaseEvent::CentreCancelled });
        let a = assess(&f);
        prop_assert!(a.states.iter().all(|(_, s)| s.charge == 0 && !s.hold));
        prop_assert!((a.charge.minor, a.liable, a.late) == (0, None, false));
        prop_assert!(a.notices.iter().all(|n| n.kind.private_text().is_none()));
    }

    #[test]
    fn the_order_of_recording_plays_no_part(f in histories(), seed in any::<u64>()) {
        let mut g = f.clone();
        let mut s = seed | 1;
        let mut next = |n: usize| { s ^= s << 13; s ^= s >> 7; s ^= s << 17; usize::try_from(s % n as u64).expect("less than n") };
        for n in (1..g.history.len()).rev() { g.history.swap(n, next(n + 1)); }
        for n in (1..g.moved.len()).rev() { g.moved.swap(n, next(n + 1)); }
        for n in (1..g.later.len()).rev() { g.later.swap(n, next(n + 1)); }
        for n in (1..g.case.parties.len()).rev() { g.case.parties.swap(n, next(n + 1)); }
        prop_assert_eq!(assess(&f), assess(&g));
    }

    #[test]
    fn a_fact_changes_nothing_before_its_instant(f in histories(), cut in instants()) {
        let mut g = f.clone();
        // The one exception: a note that was handed in at the contact counts whenever it was
        // logged.
        g.history.retain(|x| x.at < cut || matches!(x.event, CaseEvent::Note(n) if n.brought));
        g.later.retain(|l| l.booked_at.is_none_or(|b| b < cut));
        for l in &mut g.later {
            l.called_off = l.called_off.filter(|c| c.at.is_none_or(|at| at < cut));
        }
        // A move that is still to come has not moved anything.
        g.session = f.moved.iter().filter(|(until, _)| cut <= *until).min_by_key(|(until, _)| *until).map_or(f.session, |(_, slot)| *slot);
        g.moved.retain(|(until, _)| *until < cut);
        let (a, b) = (assess(&f), assess(&g));
        let states = |a: &Assessment| a.states.iter().filter(|(at, _)| *at < cut).copied().collect::<Vec<_>>();
        let notices = |a: &Assessment| a.notices.iter().filter(|n| n.at < cut).copied().collect::<Vec<_>>();
        prop_assert_eq!(states(&a), states(&b));
        prop_assert_eq!(notices(&a), notices(&b));
    }

    #[test]
    fn the_parts_add_up_to_the_charge(f in histories()) {
        let a = assess(&f);
        for (at, s) in &a.states {
            prop_assert_eq!(s.outstanding + s.paid + s.awaited + s.forgiven, s.charge, "{}", at);
            prop_assert!([s.outstanding, s.paid, s.awaited, s.forgiven].iter().all(|m| *m >= 0));
            let received: i64 = f.history.iter().filter(|x| x.at <= *at).map(|x| if let CaseEvent::Paid(m) = x.event { m } else { 0 }).sum();
            prop_assert!(s.paid <= received);
            prop_assert!((s.fee == FeeState::Paid) == (s.charge > 0 && s.paid == s.charge));
        }
    }

    #[test]
    fn a_state_agrees_with_what_was_said_before(f in histories()) {
        let a = assess(&f);
        for at in looks(&a) {
            let s = a.standing_at(at);
            let said = |kind| a.notices.iter().any(|n| n.at <= at && n.kind == NoticeKind::Message(kind) && (n.kind.private_text().is_none() || s.liable.map(Recipient::from) == Some(n.to)));
            match s.fee {
                FeeState::None => {}
                FeeState::Provisional => prop_assert!(said(MessageKind::NoteRequest)),
                FeeState::Due => prop_assert!(said(MessageKind::FeeNotice)),
                FeeState::Waived | FeeState::Paid => prop_assert!(said(MessageKind::FeeSettled)),
                FeeState::WrittenOff => prop_assert!(said(MessageKind::FeeNotice) || said(MessageKind::NoteRequest)),
            }
            prop_assert_eq!(s.archived, said(MessageKind::CaseClosed));
            prop_assert!(!s.archived || said(MessageKind::AllPartiesNotice));
            prop_assert_eq!(s.hold, s.archived || matches!(s.fee, FeeState::Due | FeeState::WrittenOff));
        }
        prop_assert!(a.notices.is_sorted_by_key(|n| n.at) && a.states.is_sorted_by(|x, y| x.0 < y.0));
    }
}
