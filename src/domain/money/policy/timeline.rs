//! What happens by itself: the note reminder, the deadline, the closing of the file.
//!
//! There is no hindsight. A deadline that passed before an event was known has passed; only what
//! comes after the event is planned anew.

use crate::domain::local_time::{instant, wall};
use crate::domain::money::policy::assessor::Assessor;
use crate::domain::money::policy::facts::{CaseEvent, LaterSession, PayClock};
use crate::domain::money::policy::fee::{FeeState, NoteRoute};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::reminders::schedule::moment;
use chrono::{DateTime, Days, NaiveTime, Utc};

impl Assessor<'_> {
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

    /// A later session was booked or called off. If it may be the next contact, plan anew.
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
        let first = self.first_later();
        let Some(fee) = self.fee.as_ref().filter(|f| {
            !f.deadline_passed && matches!(f.state, FeeState::Provisional | FeeState::Due)
        }) else {
            return;
        };
        let waits_for_note = fee.state == FeeState::Provisional;
        let deadline_at = |l: &LaterSession| if waits_for_note { l.end } else { l.start };
        let told = fee.deadline_told;
        let uncounted = fee.route == NoteRoute::Uncounted;
        let next = self.later.iter().enumerate().skip(first).find(|(_, l)| {
            let at = deadline_at(l);
            l.booked_at.is_none_or(|t| t <= now)
                && is_deadline(l, waits_for_note, now)
                && at > fee.since
                && (uncounted || at.max(told.unwrap_or(at)) >= now)
        });
        let Some((n, l)) = next else { return };
        self.timers.next = Some(n);
        // In service a clock starts only when the party was really told; until then there is
        // nothing to be late for. And until staff record how many children are ill, nothing
        // escalates by itself (C16).
        let untold = self.facts.rules.pay_clock == PayClock::WhenTold && told.is_none();
        let computed = deadline_at(l);
        self.timers.deadline =
            (!uncounted && !untold).then(|| told.map_or(computed, |t| t.max(computed)));
        self.deadline = self.timers.deadline;
        if waits_for_note && fee.reminded != Some(l.start) {
            let rules = &self.facts.rules;
            let at = moment(&rules.courtesy, rules.tz, wall(rules.tz, l.start)).at;
            self.timers.reminder = (at > fee.asked_at && at >= now).then_some(at);
        }
    }

    /// Runs the timers that lie before `until`; `None` runs all that are left.
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
            self.record_standing(at);
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
        self.tell(at, MessageKind::NoteReminder, liable, "C15");
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
            let handed_in = history.iter().any(|f| {
                f.at > at
                    && matches!(&f.event, CaseEvent::Note(n)
                        if n.brought && fee.route.accepts(n, own_date, children))
            });
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
            self.tell(at, MessageKind::FeeNotice, liable, "C08");
            self.step(
                at,
                "C08",
                "Neither note nor fee by the end of the next contact: the fee is due.",
            );
        }
        self.tell_all(at, MessageKind::AllPartiesNotice, "C14");
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

    /// Counts the days to pay from the local date of `told`. That day itself does not count, and the
    /// last day counts to its end (choice C07).
    fn days_from(&mut self, told: DateTime<Utc>) {
        let days = u64::from(self.facts.rules.payment_days) + 1;
        let day = self.date(told).checked_add_days(Days::new(days));
        self.timers.close = day.map(|d| instant(self.facts.rules.tz, d.and_time(NaiveTime::MIN)));
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

    /// What the party was told before starts no clock any more. A deadline that passed has passed,
    /// and a file that was closed stays closed.
    pub(super) fn owed_again(&mut self, at: DateTime<Utc>) {
        let Some(fee) = self.fee.as_mut() else { return };
        fee.deadline_told = None;
        if !fee.deadline_passed {
            self.deadline = None;
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
        self.tell_all(at, MessageKind::CaseClosed, "C07");
        self.step(
            at,
            "C07",
            "The days to pay are over: the file is closed, a new referral is needed.",
        );
    }
}

/// Whether a later session that may have been called off by `now` still sets a deadline. A note
/// cannot be brought to a contact that does not take place; a fee is due before a session that only
/// a party called off (choice C03).
fn is_deadline(l: &LaterSession, waits_for_note: bool, now: DateTime<Utc>) -> bool {
    let called_off = l.called_off.filter(|c| c.at.is_none_or(|t| t <= now));
    called_off.is_none_or(|c| c.by_party && !waits_for_note)
}
