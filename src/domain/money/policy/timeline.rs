//! States at an instant, and what happens by itself: the note reminder, the deadline, the closing
//! of the file.
//!
//! No hindsight: what lay before a fact was known has happened and stands; only what comes after is
//! planned anew.

use crate::domain::local_time::{instant, wall};
use crate::domain::money::policy::assess::{Fee, Route, Run};
use crate::domain::money::policy::facts::{OffBy, Parent, PayClock, What};
use crate::domain::money::policy::notices::NoticeKind;
use crate::domain::reminders::schedule::moment;
use crate::string_enum;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

string_enum! {
    /// Where a fee stands.
    FeeState {
        /// There is none.
        None = "none",
        /// Incurred, not yet payable: a doctor's note may end it until the end of the next contact.
        Provisional = "provisional_awaiting_note",
        /// Payable now.
        Due = "due",
        /// It no longer applies.
        Waived = "waived",
        /// Received in full.
        Paid = "paid",
        /// The manager gave the debt up; not the same as received (choice C19).
        WrittenOff = "written_off",
    }
}

/// How the case stands from an instant on. Amounts are minor units; `paid + outstanding + awaited +
/// forgiven` is the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the fee stands.
    pub fee: FeeState,
    /// Who has to pay, if there is a fee.
    pub liable: Option<Parent>,
    /// The charge assessed.
    pub charge: i64,
    /// What was received of it.
    pub paid: i64,
    /// What is payable now.
    pub outstanding: i64,
    /// What is not payable yet because a note is awaited.
    pub awaited: i64,
    /// What was waived or written off.
    pub forgiven: i64,
    /// No new bookings (choice C09).
    pub hold: bool,
    /// The file is closed and archived.
    pub archived: bool,
}

impl Standing {
    /// Before anything happened.
    pub const CLEAR: Standing = Standing {
        fee: FeeState::None,
        liable: None,
        charge: 0,
        paid: 0,
        outstanding: 0,
        awaited: 0,
        forgiven: 0,
        hold: false,
        archived: false,
    };

    fn of(fee: Option<&Fee>, archived: bool) -> Standing {
        let Some(f) = fee else {
            return Standing {
                hold: archived,
                archived,
                ..Standing::CLEAR
            };
        };
        let rest = f.charge - f.paid;
        let part = |state: &[FeeState]| if state.contains(&f.state) { rest } else { 0 };
        Standing {
            fee: f.state,
            liable: Some(f.liable),
            charge: f.charge,
            paid: f.paid,
            outstanding: part(&[FeeState::Due]),
            awaited: part(&[FeeState::Provisional]),
            forgiven: part(&[FeeState::Waived, FeeState::WrittenOff]),
            hold: archived || matches!(f.state, FeeState::Due | FeeState::WrittenOff),
            archived,
        }
    }
}

/// What is to happen by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timers {
    /// The next contact that the two instants below were made of.
    next: Option<usize>,
    reminder: Option<DateTime<Utc>>,
    /// Fee: start of the next due session; note: end of the next contact (choice C04).
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) close: Option<DateTime<Utc>>,
}

impl Run<'_> {
    /// Writes down how the case stands after what happened at `at`.
    pub(super) fn stand(&mut self, at: DateTime<Utc>) {
        let now = Standing::of(self.fee.as_ref(), self.archived);
        if self.states.last().map_or(Standing::CLEAR, |(_, s)| *s) == now {
            return;
        }
        match self.states.last_mut() {
            Some((t, s)) if *t == at => *s = now,
            _ => self.states.push((at, now)),
        }
    }

    /// The local date of an instant.
    pub(super) fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        wall(self.facts.rules.tz, at).date()
    }

    /// The local date that a note for the fee has to cover.
    pub(super) fn own_date(&self) -> NaiveDate {
        self.date(
            self.fee
                .as_ref()
                .map_or(self.facts.session, |f| f.slot)
                .start,
        )
    }

    /// Index of the first session on a later local date (choice C03).
    fn first_later(&mut self) -> usize {
        if let Some(n) = self.first_later {
            return n;
        }
        let own = self.own_date();
        let n = self
            .later
            .iter()
            .position(|l| self.date(l.start) > own)
            .unwrap_or(self.later.len());
        self.first_later = Some(n);
        n
    }

    /// A later session was booked or called off: the plan is made anew if it may be the next one.
    pub(super) fn later_changed(&mut self, n: usize) {
        if self.timers.next.is_none_or(|next| n <= next) {
            self.stale = true;
        }
    }

    /// Plans reminder and deadline from `now` on.
    fn plan(&mut self, now: DateTime<Utc>) {
        self.stale = false;
        self.timers.next = None;
        self.timers.reminder = None;
        self.timers.deadline = None;
        let Some(fee) = self.fee.as_ref().filter(|f| {
            !f.deadline_passed && matches!(f.state, FeeState::Provisional | FeeState::Due)
        }) else {
            return;
        };
        let (note_case, since, asked_at, reminded, told) = (
            fee.state == FeeState::Provisional,
            fee.since,
            fee.asked_at,
            fee.reminded,
            fee.deadline_told,
        );
        // In service the clock of a step starts at a recorded telling; until then there is nothing
        // to be late for.
        let untold = self.facts.rules.pay_clock == PayClock::WhenTold && told.is_none();
        let uncounted = matches!(fee.route, Route::Uncounted);
        let first = self.first_later();
        let open = |t: Option<DateTime<Utc>>| t.is_none_or(|t| t <= now);
        let next = self.later.iter().enumerate().skip(first).find(|(_, l)| {
            let off = l.off.filter(|(_, t)| open(*t)).map(|(by, _)| by);
            let at = if note_case { l.end } else { l.start };
            let stands = if note_case {
                off.is_none()
            } else {
                off != Some(OffBy::Centre)
            };
            open(l.booked_at)
                && stands
                && at > since
                && (uncounted || at.max(told.unwrap_or(at)) >= now)
        });
        let Some((n, l)) = next else { return };
        let start = l.start;
        let computed = if note_case { l.end } else { l.start };
        self.timers.next = Some(n);
        // C16: until staff record how many children are ill, nothing escalates by itself.
        self.timers.deadline =
            (!uncounted && !untold).then(|| told.map_or(computed, |t| t.max(computed)));
        self.deadline = self.timers.deadline;
        if note_case && reminded != Some(start) {
            let rules = &self.facts.rules;
            let at = moment(&rules.courtesy, rules.tz, wall(rules.tz, start)).at;
            self.timers.reminder = (at > asked_at && at >= now).then_some(at);
        }
    }

    /// Lets happen by itself what lies before `until`; `None`: all that is to come.
    pub(super) fn run_until(&mut self, now: DateTime<Utc>, until: Option<DateTime<Utc>>) {
        let mut now = now;
        loop {
            if self.stale {
                self.plan(now);
            }
            let t = self.timers;
            let Some(at) = [t.reminder, t.deadline, t.close]
                .into_iter()
                .flatten()
                .min()
                .filter(|at| until.is_none_or(|u| *at < u))
            else {
                return;
            };
            now = at;
            if t.reminder == Some(at) {
                self.remind(at);
            } else if t.deadline == Some(at) {
                self.pass_deadline(at);
            } else {
                self.close(at);
            }
            self.stand(at);
        }
    }

    fn remind(&mut self, at: DateTime<Utc>) {
        self.timers.reminder = None;
        let next = self
            .timers
            .next
            .and_then(|n| self.later.get(n))
            .map(|l| l.start);
        let Some(fee) = self.fee.as_mut() else { return };
        fee.reminded = next;
        let liable = fee.liable;
        self.tell(at, NoticeKind::NoteReminder, liable, "C15");
        self.step(
            at,
            "C15",
            "The note is asked for once more at the courtesy moment of the next contact.",
        );
    }

    fn pass_deadline(&mut self, at: DateTime<Utc>) {
        self.stale = true;
        let own_date = self.own_date();
        let (children, history) = (self.facts.case.children, &self.facts.history);
        let Some(fee) = self.fee.as_mut() else { return };
        fee.deadline_passed = true;
        if fee.state == FeeState::Provisional {
            // The one exception to "no hindsight": a note that was handed in at the contact counts
            // whenever it was logged.
            let handed_in = history.iter().any(|f| f.at > at && matches!(&f.what, What::Note(n) if n.brought && fee.route.accepts(n, own_date, children)));
            if handed_in {
                self.step(
                    at,
                    "C04",
                    "The note was handed in at the contact and logged later: the \
                                      deadline does not count.",
                );
                return;
            }
            fee.state = FeeState::Due;
            let liable = fee.liable;
            self.tell(at, NoticeKind::FeeNotice, liable, "C08");
            self.step(
                at,
                "C08",
                "Neither note nor fee by the end of the next contact: the fee is due.",
            );
        }
        self.tell_all(at, NoticeKind::AllPartiesNotice, "C14");
        self.step(
            at,
            "C04",
            "Not paid by the deadline: all parties are told that a payment is outstanding.",
        );
        self.escalation.all_parties_notice_at = Some(at);
        match self.facts.rules.pay_clock {
            PayClock::AsPlanned => self.days_from(at),
            PayClock::WhenTold => self.step(
                at,
                "C07",
                "The days to pay begin when the parties have really been told.",
            ),
        }
    }

    /// The days to pay count from the local date of `told`: it does not count itself, the last day
    /// counts to its end (choice C07).
    pub(super) fn days_from(&mut self, told: DateTime<Utc>) {
        let days = u64::from(self.facts.rules.payment_days) + 1;
        let day = self.date(told).checked_add_days(Days::new(days));
        self.timers.close = day.map(|d| instant(self.facts.rules.tz, d.and_time(NaiveTime::MIN)));
        self.pay_until = self.timers.close;
    }

    /// All parties were really told.
    pub(super) fn told_all(&mut self, at: DateTime<Utc>) {
        let waiting = self.escalation.all_parties_notice_at.is_some()
            && self
                .fee
                .as_ref()
                .is_some_and(|f| f.deadline_passed && f.state == FeeState::Due);
        if waiting && !self.archived {
            self.days_from(at);
            self.step(
                at,
                "C07",
                "All parties have been told: the days to pay count from here.",
            );
        }
    }

    /// What was told so far starts no step any more; a deadline that passed has passed, and a file
    /// that was closed stays closed.
    pub(super) fn owed_again(&mut self, at: DateTime<Utc>) {
        let Some(fee) = self.fee.as_mut() else { return };
        fee.deadline_told = None;
        if !fee.deadline_passed {
            self.deadline = None;
        }
        if !self.archived {
            self.pay_until = None;
        }
        self.timers.close = None;
        self.stale = true;
        self.step(
            at,
            "C18",
            "The party was told that nothing is owed: what they were told before \
                              starts no step, the next one waits for the manager.",
        );
    }

    fn close(&mut self, at: DateTime<Utc>) {
        self.timers.close = None;
        self.archived = true;
        self.escalation.close_at = Some(at);
        self.escalation.new_referral_required = true;
        self.tell_all(at, NoticeKind::CaseClosed, "C07");
        self.step(
            at,
            "C07",
            "The days to pay are over: the file is closed, a new referral is needed.",
        );
    }
}
