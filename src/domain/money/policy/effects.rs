//! What each event does to a session and its fee.

use crate::domain::money::policy::assessor::{Assessor, SessionCourse};
use crate::domain::money::policy::facts::{Absent, CaseEvent, Note, Parent, PayClock};
use crate::domain::money::policy::fee::{FeeState, IncurredFee, NoteRoute};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::is_late;
use chrono::{DateTime, Utc};

impl Assessor<'_> {
    /// Applies one event. `tied`: the other parent cancelled at the same instant.
    pub(super) fn apply(&mut self, at: DateTime<Utc>, event: &CaseEvent, tied: bool) {
        match *event {
            CaseEvent::CentreCancelled => self.centre_cancelled(at),
            CaseEvent::Cancelled {
                only_some: true, ..
            } => self.step(
                at,
                "several_children",
                "Only some of the children stay away: the session takes place.",
            ),
            CaseEvent::Cancelled {
                by, reason, ill, ..
            } => {
                let route = NoteRoute::of(by, reason, ill, self.facts.case.children);
                self.cancelled(at, by, route, tied);
            }
            CaseEvent::NoShow(absent) => self.no_show(at, absent),
            CaseEvent::Reinstated => self.reinstated(at),
            CaseEvent::IllCounted(n) => self.ill_counted(at, n),
            CaseEvent::Note(note) => {
                self.notes.push(note);
                self.note(at, &note);
            }
            CaseEvent::ManagerWaived => self.waive(at, "manager", "The manager waives the fee."),
            CaseEvent::ManagerWroteOff => self.write_off(at),
            CaseEvent::Paid(minor) => self.pay(at, minor),
            CaseEvent::DeadlineTold(deadline) => self.deadline_told(at, deadline),
            CaseEvent::AllPartiesTold => self.told_all(at),
            // The other party owes nothing, so no clock starts. Days that already run count from
            // the later of the two.
            CaseEvent::OtherPartyTold if self.timers.close.is_none() => {}
            CaseEvent::OtherPartyTold => self.told_all(at),
            CaseEvent::OwedAgain => self.owed_again(at),
        }
    }

    fn deadline_told(&mut self, at: DateTime<Utc>, deadline: DateTime<Utc>) {
        let starts_clock = self.facts.rules.pay_clock == PayClock::WhenTold;
        let Some(fee) = self.fee.as_mut() else { return };
        if starts_clock && fee.deadline_told.is_none() {
            fee.since = fee.since.max(at);
        }
        fee.deadline_told = Some(fee.deadline_told.map_or(deadline, |t| t.max(deadline)));
        self.stale = true;
    }

    fn centre_cancelled(&mut self, at: DateTime<Utc>) {
        if self.course != SessionCourse::On {
            return self.waive(
                at,
                "C13",
                "The centre called the session off as well: it could not have taken place.",
            );
        }
        self.course = SessionCourse::Off;
        if self.facts.case.court_ordered {
            self.review(at, TaskKind::Replacement, "court_order");
        }
        self.step(
            at,
            "C22",
            "The centre called the session off: no fee for anyone.",
        );
    }

    fn cancelled(&mut self, at: DateTime<Utc>, by: Parent, route: NoteRoute, tied: bool) {
        if self.course != SessionCourse::On {
            return self.cancelled_again(at, by, route);
        }
        self.course = SessionCourse::Off;
        if self.facts.case.court_ordered {
            self.review(at, TaskKind::CourtOrder, "C21");
        }
        self.late = is_late(self.slot(at).start, at, self.facts.rules.notice_hours)
            && !self.facts.free.contains(&at);
        if tied {
            self.step(
                at,
                "C10",
                "Both parents cancelled at the same instant: no fee by itself, \
                 the co-ordinator decides.",
            );
            return self.review(at, TaskKind::Tie, "C10");
        }
        if self.late {
            self.step(
                at,
                "C01",
                "Cancelled with less than the notice hours: the charge is incurred.",
            );
            self.incur(at, by, route, true);
        } else {
            self.step(at, "C01", "Cancelled in time: no fee.");
        }
    }

    /// The session was off already. The message may still give the reason that opens the note route
    /// (choice C28).
    fn cancelled_again(&mut self, at: DateTime<Utc>, by: Parent, route: NoteRoute) {
        let explains = self.fee.as_ref().is_some_and(|f| {
            f.by_message && f.liable == by && f.state == FeeState::Due && !f.deadline_passed
        });
        if !explains || !route.is_open() {
            return self.step(
                at,
                "C10",
                "The session was off already: recorded, nothing changes.",
            );
        }
        self.step(
            at,
            "C28",
            "The same parent now says that it is an illness: a note may end the fee.",
        );
        self.ask_for_note(at, route);
    }

    /// Incurs the charge.
    fn incur(&mut self, at: DateTime<Utc>, liable: Parent, route: NoteRoute, by_message: bool) {
        let charge = self.facts.rules.fee.minor;
        if charge <= 0 {
            return self.step(at, "fee", "The centre takes no fee.");
        }
        self.first_later = None;
        self.fee = Some(IncurredFee {
            charge,
            liable,
            slot: self.slot(at),
            state: FeeState::Due,
            paid: 0,
            route,
            incurred_at: at,
            by_message,
            since: at,
            asked_at: at,
            reminded: None,
            deadline_passed: false,
            deadline_told: None,
        });
        self.timers.close = None;
        self.stale = true;
        self.step(
            at,
            "C29",
            "Whoever cancelled is liable, whoever usually pays.",
        );
        if !route.is_open() {
            self.tell(at, MessageKind::FeeNotice, liable, "seed_001");
            self.step(
                at,
                "seed_001",
                "No note can end this fee: it is due at once.",
            );
            for note in std::mem::take(&mut self.notes) {
                self.note(at, &note);
                self.notes.push(note);
            }
        } else {
            self.ask_for_note(at, route);
        }
    }

    /// The fee is provisional from `at` on; a note already on file ends it.
    fn ask_for_note(&mut self, at: DateTime<Utc>, route: NoteRoute) {
        let (date, children) = (self.own_date(), self.facts.case.children);
        let on_file = self.notes.iter().any(|n| route.accepts(n, date, children));
        let Some(fee) = self.fee.as_mut() else { return };
        fee.state = FeeState::Provisional;
        fee.route = route;
        (fee.since, fee.asked_at) = (at, at);
        let liable = fee.liable;
        self.stale = true;
        if on_file {
            return self.waive(at, "C05", "A note for the day is on file already.");
        }
        self.tell(at, MessageKind::NoteRequest, liable, "note_route");
        self.step(
            at,
            "note_route",
            "The fee waits for a doctor's note until the end of the next contact.",
        );
        if route == NoteRoute::Uncounted {
            self.review(at, TaskKind::ChildrenCount, "C16");
            self.step(
                at,
                "C16",
                "It is not known how many children are ill: the co-ordinator \
                 asks, nothing escalates by itself.",
            );
        }
    }

    /// Staff say how many children were ill. The last count holds.
    fn ill_counted(&mut self, at: DateTime<Utc>, ill: u32) {
        let children = self.facts.case.children;
        let Some(fee) = self.fee.as_mut() else { return };
        let Some(route) = fee.route.counted(ill, children).filter(|r| *r != fee.route) else {
            return;
        };
        let before = fee.route;
        fee.route = route;
        if before == NoteRoute::NotAll {
            // As with an illness explained later (choice C28), the fee waits for the note if its
            // deadline has not passed.
            if fee.state == FeeState::Due && !fee.deadline_passed {
                self.step(
                    at,
                    "C16",
                    "All the children were ill after all: a note that names them may end the fee.",
                );
                self.ask_for_note(at, route);
            }
            return;
        }
        fee.since = at;
        self.stale = true;
        if fee.state != FeeState::Provisional {
            return;
        }
        if route == NoteRoute::NotAll {
            fee.state = FeeState::Due;
            let liable = fee.liable;
            self.tell(at, MessageKind::FeeNotice, liable, "C16");
            self.step(
                at,
                "C16",
                "Not all the children were ill, the others should have come: the fee is due.",
            );
        } else {
            self.step(
                at,
                "C16",
                "All the children were ill: the fee waits for a note that names them all.",
            );
        }
    }

    fn no_show(&mut self, at: DateTime<Utc>, absent: Absent) {
        if self.course == SessionCourse::Off {
            return self.step(
                at,
                "C12",
                "The session was off already: the no-show is ignored.",
            );
        }
        self.review(at, TaskKind::NoShow, "C12");
        if self.facts.free.contains(&at) {
            self.course = SessionCourse::Undecided;
            return self.step(
                at,
                "C20",
                "The file was closed by then: no fee by itself, the co-ordinator decides.",
            );
        }
        let liable = match absent {
            Absent::Contact => Parent::Contact,
            Absent::Resident => Parent::Resident,
            Absent::Both | Absent::Unknown => {
                self.course = SessionCourse::Undecided;
                return self.step(
                    at,
                    "C12",
                    "Nobody is named as the one who failed to come: no fee by itself.",
                );
            }
        };
        self.course = SessionCourse::Off;
        self.late = true;
        self.step(
            at,
            "C12",
            "Staff recorded who did not come: as a cancellation without notice.",
        );
        self.incur(at, liable, NoteRoute::Closed, false);
    }

    fn reinstated(&mut self, at: DateTime<Utc>) {
        if self.course == SessionCourse::On {
            return;
        }
        self.course = SessionCourse::On;
        self.late = false;
        self.step(
            at,
            "C11",
            "Reinstated: that cancellation's fee is void, a later one is judged afresh.",
        );
        if let Some(fee) = self.fee.take() {
            if fee.state == FeeState::Due {
                self.tell(at, MessageKind::FeeSettled, fee.liable, "C11");
            }
            if fee.paid > 0 {
                self.review(at, TaskKind::Refund, "C18");
            }
        }
        self.timers.close = None;
        self.stale = true;
    }

    fn note(&mut self, at: DateTime<Utc>, note: &Note) {
        let date = self.own_date();
        let Some(fee) = self.fee.as_ref() else { return };
        if !fee.route.is_open() {
            self.review(at, TaskKind::NoteNoEffect, "C06");
            self.step(
                at,
                "C06",
                "A note changes nothing for this reason; only the manager may waive.",
            );
        } else if self.archived {
            self.review(at, TaskKind::LateNote, "C05");
            self.step(
                at,
                "C05",
                "The note came after the file was closed: the manager decides.",
            );
        } else if !fee.route.accepts(note, date, self.facts.case.children) {
            self.review(at, TaskKind::NoteMismatch, "C17");
            self.step(
                at,
                "C17",
                "The note is for another date, person or number of children: the \
                 co-ordinator looks.",
            );
        } else {
            self.waive(at, "C05", "A valid note ends the fee.");
        }
    }

    /// Ends the fee. What was paid stays paid, and a person decides about it (choice C18).
    fn waive(&mut self, at: DateTime<Utc>, rule: &'static str, why: &'static str) {
        let Some(fee) = self.fee.as_mut() else {
            return self.step(at, rule, "There is no fee: nothing changes.");
        };
        let (state, liable, paid) = (fee.state, fee.liable, fee.paid);
        if state == FeeState::Waived {
            return;
        }
        if state != FeeState::Paid {
            fee.state = FeeState::Waived;
            self.settled(at, liable, rule);
        }
        self.step(at, rule, why);
        if paid > 0 {
            self.review(at, TaskKind::Refund, "C18");
            self.step(
                at,
                "C18",
                "Money was received: refund or credit is a manager's decision.",
            );
        }
    }

    fn settled(&mut self, at: DateTime<Utc>, liable: Parent, rule: &'static str) {
        self.tell(at, MessageKind::FeeSettled, liable, rule);
        self.timers.close = None;
        self.stale = true;
    }

    fn write_off(&mut self, at: DateTime<Utc>) {
        let Some(fee) = self
            .fee
            .as_mut()
            .filter(|f| matches!(f.state, FeeState::Due | FeeState::Provisional))
        else {
            return;
        };
        fee.state = FeeState::WrittenOff;
        self.timers.close = None;
        self.stale = true;
        self.step(
            at,
            "C19",
            "The manager gives the debt up; that is not received in full, the hold stays.",
        );
    }

    fn pay(&mut self, at: DateTime<Utc>, minor: i64) {
        let open = self
            .fee
            .as_mut()
            .filter(|f| !matches!(f.state, FeeState::Paid | FeeState::Waived));
        let mut over = minor;
        if let Some(fee) = open {
            let taken = minor.min(fee.charge - fee.paid);
            fee.paid += taken;
            over -= taken;
            let liable = fee.liable;
            if fee.paid == fee.charge {
                fee.state = FeeState::Paid;
                self.settled(at, liable, "C31");
                self.step(
                    at,
                    "C31",
                    "Received in full, by whomever: the fee is settled.",
                );
            } else {
                self.step(at, "C31", "Received in part: the rest stays owed.");
            }
        }
        if over > 0 {
            self.review(at, TaskKind::Refund, "C18");
            self.step(
                at,
                "C18",
                "More was received than is owed: refund or credit is a manager's decision.",
            );
        }
    }
}
