//! Turns the recorded facts of a session into the events that the rules on money take.

use crate::domain::ids::SessionId;
use crate::domain::money::policy::facts::{Absent, CaseEvent, Parent, TimedEvent};
use crate::domain::money::policy::recorded_fact::{OWED_AGAIN, RecordedFact, read_note};
use crate::domain::people::role::Role;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, Utc};

/// The events of one session, from the facts of its case in the order in which they were recorded.
pub(super) fn history(facts: &[RecordedFact], session: &SessionId) -> Vec<TimedEvent> {
    let mut out: Vec<TimedEvent> = Vec::new();
    for f in facts.iter().filter(|f| f.session.as_ref() == Some(session)) {
        match f.kind.as_str() {
            "taken_back" => take_back(&mut out, parent(f.role)),
            OWED_AGAIN => owe_again(&mut out, f.at),
            "attended" => attend(&mut out, &f.detail),
            _ => {
                if let Some(event) = meaning(f) {
                    supersede(&mut out, &event, f.at);
                    out.push(TimedEvent { at: f.at, event });
                }
            }
        }
    }
    out
}

/// A parent took their cancellation back before anybody was told: it is as if it had not been
/// (safety rule S2).
fn take_back(events: &mut Vec<TimedEvent>, parent: Option<Parent>) {
    let from = events
        .iter()
        .rposition(|f| f.event == CaseEvent::Reinstated)
        .map_or(0, |n| n + 1);
    let mut n = 0;
    events.retain(|f| {
        n += 1;
        let theirs = matches!(
            f.event,
            CaseEvent::Cancelled { by, only_some: false, .. } if Some(by) == parent
        );
        n <= from || !theirs
    });
}

/// What the party was told of the fee later than `at` starts no clock either: it was on its way.
fn owe_again(events: &mut Vec<TimedEvent>, at: DateTime<Utc>) {
    events.retain(|x| {
        x.at <= at
            || !matches!(
                x.event,
                CaseEvent::DeadlineTold(_) | CaseEvent::AllPartiesTold | CaseEvent::OtherPartyTold
            )
    });
    events.push(TimedEvent {
        at,
        event: CaseEvent::OwedAgain,
    });
}

/// A later record that a parent came (`who`: one of them, or both) replaces an earlier one that they
/// did not.
fn attend(events: &mut Vec<TimedEvent>, who: &str) {
    for event in events.iter_mut().map(|f| &mut f.event) {
        match (*event, who) {
            (CaseEvent::NoShow(Absent::Both), "resident") => {
                *event = CaseEvent::NoShow(Absent::Contact);
            }
            (CaseEvent::NoShow(Absent::Both), "contact") => {
                *event = CaseEvent::NoShow(Absent::Resident);
            }
            _ => {}
        }
    }
    events.retain(|x| {
        !matches!(x.event, CaseEvent::NoShow(absent) if who == "both" || absent.as_str() == who)
    });
}

/// Drops earlier events that a new one corrects: who did not come, or the number of ill children for
/// the same moment or an earlier one.
fn supersede(events: &mut Vec<TimedEvent>, by: &CaseEvent, at: DateTime<Utc>) {
    match by {
        CaseEvent::NoShow(_) => events.retain(|x| !matches!(x.event, CaseEvent::NoShow(_))),
        CaseEvent::IllCounted(_) => {
            events.retain(|x| !matches!(x.event, CaseEvent::IllCounted(_)) || x.at < at);
        }
        _ => {}
    }
}

fn parent(role: Option<Role>) -> Option<Parent> {
    match role? {
        Role::Resident => Some(Parent::Resident),
        Role::Contact => Some(Parent::Contact),
        Role::Referrer => None,
    }
}

/// The event that a fact is to the rules on money, if any.
fn meaning(f: &RecordedFact) -> Option<CaseEvent> {
    Some(match f.kind.as_str() {
        "cancelled" => match parent(f.role) {
            Some(by) => CaseEvent::Cancelled {
                by,
                reason: f.detail.parse().unwrap_or(Reason::Other),
                ill: None,
                only_some: false,
            },
            None => CaseEvent::CentreCancelled,
        },
        "some_children" => CaseEvent::Cancelled {
            by: parent(f.role)?,
            reason: Reason::IllChild,
            ill: f.detail.parse().ok(),
            only_some: true,
        },
        "closed" => CaseEvent::CentreCancelled,
        "no_show" => CaseEvent::NoShow(f.detail.parse::<Absent>().ok()?),
        "reinstated" => CaseEvent::Reinstated,
        "ill_counted" => CaseEvent::IllCounted(f.detail.parse().ok()?),
        "note" => CaseEvent::Note(read_note(&f.detail)?),
        "waived" => CaseEvent::ManagerWaived,
        "written_off" => CaseEvent::ManagerWroteOff,
        "told" => match f.detail.split_once(' ') {
            Some(("all_parties_notice", _)) => CaseEvent::AllPartiesTold,
            Some((_, deadline)) => CaseEvent::DeadlineTold(deadline.parse().unwrap_or(f.at)),
            None => CaseEvent::DeadlineTold(f.at),
        },
        "informed" if f.detail == "all_parties_notice" && parent(f.role).is_some() => {
            CaseEvent::OtherPartyTold
        }
        _ => return None,
    })
}
