//! Takes the events of one session in the order of their instants and assesses them.

use crate::domain::money::policy::assessment::Assessment;
use crate::domain::money::policy::assessor::Assessor;
use crate::domain::money::policy::facts::{CaseEvent, SessionFacts, TimedEvent};
use crate::domain::money::policy::fee::NoteRoute;
use chrono::{DateTime, Utc};

/// What is taken next. At one instant, later sessions come before events of this session, and a
/// cancellation that opens the note route comes before another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum QueuedEvent {
    /// The later session with this index was booked or called off.
    Later(usize),
    /// The number is a rank among cancellations of one instant.
    Event(u8, CaseEvent),
}

/// Assesses one session of a case.
///
/// The same facts in any order give the same result, and an event changes nothing before its own
/// instant. The one exception is a note handed in at the next contact and logged later (choice
/// C04).
pub fn assess(facts: &SessionFacts) -> Assessment {
    let mut later = facts.later.clone();
    later.sort_unstable();
    let mut occurrences: Vec<(DateTime<Utc>, QueuedEvent)> =
        Vec::with_capacity(facts.history.len() + later.len());
    for (n, l) in later.iter().enumerate() {
        occurrences.extend(
            l.booked_at
                .into_iter()
                .chain(l.called_off.and_then(|c| c.at))
                .map(|at| (at, QueuedEvent::Later(n))),
        );
    }
    occurrences.extend(
        facts
            .history
            .iter()
            .map(|f| (f.at, QueuedEvent::Event(rank(f, facts), f.event))),
    );
    occurrences.sort_unstable();
    let mut assessor = Assessor::new(facts, later);
    let mut before = DateTime::<Utc>::MIN_UTC;
    for (n, (at, occurrence)) in occurrences.iter().enumerate() {
        // An event at the very instant of a deadline comes first, so it is still in time (choices
        // C04, C30).
        assessor.run_until(before, Some(*at));
        match occurrence {
            QueuedEvent::Later(n) => assessor.later_changed(*n),
            QueuedEvent::Event(_, event) => {
                let tied = occurrences[n + 1..]
                    .iter()
                    .take_while(|(t, _)| t == at)
                    .any(|(_, o)| rivals(event, o));
                assessor.apply(*at, event, tied);
            }
        }
        assessor.record_standing(*at);
        before = *at;
    }
    assessor.run_until(before, None);
    assessor.finish()
}

/// Ranks the cancellations of one instant: the centre's first, then the one that opens the note
/// route. Others follow in the order of their kinds.
fn rank(f: &TimedEvent, facts: &SessionFacts) -> u8 {
    match f.event {
        CaseEvent::CentreCancelled => 0,
        CaseEvent::Cancelled {
            by,
            reason,
            ill,
            only_some: false,
        } if NoteRoute::of(by, reason, ill, facts.case.children).is_open() => 1,
        _ => 2,
    }
}

/// Whether two cancellations of one instant are by different parents.
fn rivals(event: &CaseEvent, other: &QueuedEvent) -> bool {
    let (
        CaseEvent::Cancelled {
            by: a,
            only_some: false,
            ..
        },
        QueuedEvent::Event(
            _,
            CaseEvent::Cancelled {
                by: b,
                only_some: false,
                ..
            },
        ),
    ) = (event, other)
    else {
        return false;
    };
    a != b
}
