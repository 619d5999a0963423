//! The notices of a golden case that are about the visit, not about money: what the service sends
//! when a message comes in or the centre calls a visit off.
//!
//! The service sends these from its conversations and flows, so the rules on money do not call for
//! them. `courtesy try rules` lists them beside the notices about money.

use crate::domain::money::policy::{Absent, Notice, NoticeKind, Parent, Recipient, SessionFacts};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use chrono::{DateTime, Utc};

/// An event that concerns the visit. Declared in the order in which events of one instant are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VisitEvent {
    /// The centre called the visit off, or is closed that day.
    CentreCancelled { closure: bool },
    /// A parent cancelled, for all the children or for some.
    Cancelled { by: Parent, only_some: bool },
    /// Staff recorded that somebody did not come.
    NoShow(Absent),
    /// A parent wrote YES.
    Yes(Parent),
    /// The co-ordinator reinstated the visit.
    Reinstated,
}

/// Whether the visit takes place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outlook {
    On,
    Off,
    /// It did not take place, and it is not known because of whom.
    Undecided,
}

/// The notices about the visit, in no particular order.
pub(super) fn visit_notices(
    facts: &SessionFacts,
    events: &[(DateTime<Utc>, VisitEvent)],
) -> Vec<Notice> {
    let mut events = events.to_vec();
    events.sort_unstable();
    let mut replay = Replay {
        facts,
        outlook: Outlook::On,
        notices: Vec::new(),
    };
    for (at, event) in &events {
        let both_cancelled = |by: Parent| {
            events.iter().any(|(t, e)| {
                t == at && matches!(e, VisitEvent::Cancelled { by: other, only_some: false } if *other != by)
            })
        };
        match *event {
            VisitEvent::CentreCancelled { closure } => replay.centre_cancelled(*at, closure),
            VisitEvent::Cancelled {
                by,
                only_some: true,
            } => replay.some_stay_away(*at, by),
            VisitEvent::Cancelled { by, .. } => replay.cancelled(*at, by, both_cancelled(by)),
            VisitEvent::NoShow(absent) => replay.no_show(absent),
            VisitEvent::Yes(by) => replay.yes(*at, by),
            VisitEvent::Reinstated => replay.reinstated(*at),
        }
    }
    replay.notices
}

/// Takes the events in order and collects the notices.
struct Replay<'a> {
    facts: &'a SessionFacts,
    outlook: Outlook,
    notices: Vec<Notice>,
}

impl Replay<'_> {
    fn centre_cancelled(&mut self, at: DateTime<Utc>, closure: bool) {
        if self.outlook != Outlook::On {
            return;
        }
        self.outlook = Outlook::Off;
        let session = self.facts.session;
        if closure && at < session.end {
            self.tell_both(at, MessageKind::Closure, "C22");
        } else if !closure && at < session.start {
            self.tell_both(at, MessageKind::SessionOff, "C22");
        }
    }

    fn some_stay_away(&mut self, at: DateTime<Utc>, by: Parent) {
        self.tell(at, MessageKind::CancellationAck, by, "several_children");
        self.ask_staff(at, TaskKind::SomeChildren, "several_children");
    }

    /// The other parent hears that the visit is off: before its start, and only if they have not
    /// cancelled as well.
    fn cancelled(&mut self, at: DateTime<Utc>, by: Parent, tied: bool) {
        self.tell(at, MessageKind::CancellationAck, by, "C02");
        self.ask_staff(at, TaskKind::Cancellation, "C02");
        if self.outlook != Outlook::On {
            return;
        }
        self.outlook = Outlook::Off;
        let other = match by {
            Parent::Contact => Parent::Resident,
            Parent::Resident => Parent::Contact,
        };
        if !tied && at < self.facts.session.start && self.attends(other) {
            self.tell(at, MessageKind::SessionOff, other, "T1");
        }
    }

    fn no_show(&mut self, absent: Absent) {
        if self.outlook != Outlook::Off {
            self.outlook = match absent {
                Absent::Contact | Absent::Resident => Outlook::Off,
                Absent::Both | Absent::Unknown => Outlook::Undecided,
            };
        }
    }

    fn yes(&mut self, at: DateTime<Utc>, by: Parent) {
        if self.outlook == Outlook::On {
            return self.tell(at, MessageKind::ConfirmAck, by, "K05");
        }
        self.tell(at, MessageKind::NeedsCoordinatorAck, by, "C11");
        self.ask_staff(at, TaskKind::Reconfirm, "C11");
    }

    fn reinstated(&mut self, at: DateTime<Utc>) {
        if self.outlook == Outlook::On {
            return;
        }
        self.outlook = Outlook::On;
        if at < self.facts.session.end {
            self.tell_both(at, MessageKind::SessionOn, "C11");
        }
    }

    fn tell(&mut self, at: DateTime<Utc>, kind: MessageKind, to: Parent, rule: &'static str) {
        self.notices.push(Notice {
            at,
            kind: NoticeKind::Message(kind),
            to: to.into(),
            rule,
        });
    }

    fn tell_both(&mut self, at: DateTime<Utc>, kind: MessageKind, rule: &'static str) {
        for parent in Parent::ALL {
            if self.attends(*parent) {
                self.tell(at, kind, *parent, rule);
            }
        }
    }

    fn ask_staff(&mut self, at: DateTime<Utc>, kind: TaskKind, rule: &'static str) {
        self.notices.push(Notice {
            at,
            kind: NoticeKind::Task(kind),
            to: Recipient::Coordinator,
            rule,
        });
    }

    fn attends(&self, parent: Parent) -> bool {
        self.facts.case.parties.contains(&parent.into())
    }
}
