//! What each fact does to a session and its fee.

use crate::domain::money::policy::assess::{Course, Fee, Route, Run};
use crate::domain::money::policy::facts::{Absent, Note, Parent, Recipient};
use crate::domain::money::policy::notices::{NoticeKind, Topic};
use crate::domain::money::policy::timeline::FeeState;
use crate::domain::visits::session::is_late;
use chrono::{DateTime, Utc};

impl Run<'_> {
    pub(super) fn centre_cancelled(&mut self, at: DateTime<Utc>, closure: bool) {
        if self.course != Course::On {
            return self.waive(
                at,
                "C13",
                "The centre called the session off as well: it could not have taken place.",
            );
        }
        self.course = Course::Off;
        if closure && at < self.slot(at).end {
            self.tell_both(at, NoticeKind::Closure, "C22");
        } else if !closure && at < self.slot(at).start {
            self.tell_both(at, NoticeKind::SessionOff, "C22");
        }
        if self.facts.case.court_ordered {
            self.review(at, Topic::Replacement, "court_order");
        }
        self.step(
            at,
            "C22",
            "The centre called the session off: no fee for anyone.",
        );
    }

    pub(super) fn cancelled(&mut self, at: DateTime<Utc>, by: Parent, route: Route, tied: bool) {
        self.tell(at, NoticeKind::CancellationAck, by, "ack");
        self.tell(
            at,
            NoticeKind::CoordinatorCancellation,
            Recipient::Coordinator,
            "ack",
        );
        if self.course != Course::On {
            return self.cancelled_again(at, by, route);
        }
        self.course = Course::Off;
        if self.facts.case.court_ordered {
            self.review(at, Topic::CourtOrder, "C21");
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
            return self.review(at, Topic::Tie, "C10");
        }
        self.tell_off(at, by);
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

    /// The session was off already: recorded, and perhaps the reason that opens the way of the note
    /// (choice C28).
    fn cancelled_again(&mut self, at: DateTime<Utc>, by: Parent, route: Route) {
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

    /// A charge comes into being.
    fn incur(&mut self, at: DateTime<Utc>, liable: Parent, route: Route, by_message: bool) {
        let charge = self.facts.rules.fee.minor;
        if charge <= 0 {
            return self.step(at, "fee", "The centre takes no fee.");
        }
        self.first_later = None;
        self.fee = Some(Fee {
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
            self.tell(at, NoticeKind::FeeNotice, liable, "seed_001");
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
    fn ask_for_note(&mut self, at: DateTime<Utc>, route: Route) {
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
        self.tell(at, NoticeKind::NoteRequest, liable, "note_route");
        self.step(
            at,
            "note_route",
            "The fee waits for a doctor's note until the end of the next contact.",
        );
        if route == Route::Uncounted {
            self.review(at, Topic::ChildrenCount, "C16");
            self.step(
                at,
                "C16",
                "It is not known how many children are ill: the co-ordinator \
                                  asks, nothing escalates by itself.",
            );
        }
    }

    /// Staff say how many children were ill, for the first time or corrected: the last count holds.
    pub(super) fn ill_counted(&mut self, at: DateTime<Utc>, ill: u32) {
        let children = self.facts.case.children;
        let Some(fee) = self.fee.as_mut() else { return };
        let Some(route) = fee.route.counted(ill, children).filter(|r| *r != fee.route) else {
            return;
        };
        let before = fee.route;
        fee.route = route;
        if before == Route::NotAll {
            // As with an illness that is told later (choice C28): before the deadline the fee waits
            // for the note.
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
        if route == Route::NotAll {
            fee.state = FeeState::Due;
            let liable = fee.liable;
            self.tell(at, NoticeKind::FeeNotice, liable, "C16");
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

    pub(super) fn no_show(&mut self, at: DateTime<Utc>, absent: Absent) {
        if self.course == Course::Off {
            return self.step(
                at,
                "C12",
                "The session was off already: the no-show is ignored.",
            );
        }
        self.review(at, Topic::NoShow, "C12");
        if self.facts.free.contains(&at) {
            self.course = Course::Undecided;
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
                self.course = Course::Undecided;
                return self.step(
                    at,
                    "C12",
                    "Nobody is named as the one who failed to come: no fee by itself.",
                );
            }
        };
        self.course = Course::Off;
        self.late = true;
        self.step(
            at,
            "C12",
            "Staff recorded who did not come: as a cancellation without notice.",
        );
        self.incur(at, liable, Route::Closed, false);
    }

    pub(super) fn yes(&mut self, at: DateTime<Utc>, by: Parent) {
        if self.course == Course::On {
            return self.tell(at, NoticeKind::ConfirmAck, by, "confirm");
        }
        self.tell(at, NoticeKind::NeedsCoordinatorAck, by, "C11");
        self.review(at, Topic::Reconfirm, "C11");
        self.step(
            at,
            "C11",
            "A YES after a cancellation brings nothing back: the co-ordinator decides.",
        );
    }

    pub(super) fn reinstated(&mut self, at: DateTime<Utc>) {
        if self.course == Course::On {
            return;
        }
        self.course = Course::On;
        self.late = false;
        if at < self.slot(at).end {
            self.tell_both(at, NoticeKind::SessionOn, "C11");
        }
        self.step(
            at,
            "C11",
            "Reinstated: that cancellation's fee is void, a later one is judged afresh.",
        );
        if let Some(fee) = self.fee.take() {
            if fee.state == FeeState::Due {
                self.tell(at, NoticeKind::FeeSettled, fee.liable, "C11");
            }
            if fee.paid > 0 {
                self.review(at, Topic::Refund, "C18");
            }
        }
        self.timers.close = None;
        self.stale = true;
    }

    pub(super) fn note(&mut self, at: DateTime<Utc>, note: &Note) {
        let date = self.own_date();
        let Some(fee) = self.fee.as_ref() else { return };
        if !fee.route.is_open() {
            self.review(at, Topic::NoteNoEffect, "C06");
            self.step(
                at,
                "C06",
                "A note changes nothing for this reason; only the manager may waive.",
            );
        } else if self.archived {
            self.review(at, Topic::LateNote, "C05");
            self.step(
                at,
                "C05",
                "The note came after the file was closed: the manager decides.",
            );
        } else if !fee.route.accepts(note, date, self.facts.case.children) {
            self.review(at, Topic::NoteMismatch, "C17");
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

    /// The fee no longer applies. What was paid stays paid, and a person decides about it (choice
    /// C18).
    pub(super) fn waive(&mut self, at: DateTime<Utc>, rule: &'static str, why: &'static str) {
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
            self.review(at, Topic::Refund, "C18");
            self.step(
                at,
                "C18",
                "Money was received: refund or credit is a manager's decision.",
            );
        }
    }

    fn settled(&mut self, at: DateTime<Utc>, liable: Parent, rule: &'static str) {
        self.tell(at, NoticeKind::FeeSettled, liable, rule);
        self.timers.close = None;
        self.stale = true;
    }

    pub(super) fn write_off(&mut self, at: DateTime<Utc>) {
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

    pub(super) fn pay(&mut self, at: DateTime<Utc>, minor: i64) {
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
            self.review(at, Topic::Refund, "C18");
            self.step(
                at,
                "C18",
                "More was received than is owed: refund or credit is a manager's decision.",
            );
        }
    }
}
