//! The state of one session while its events are taken in order, and how the assessment is
//! written down.

use crate::domain::local_time::wall;
use crate::domain::money::policy::assessment::{Assessment, Escalation, RuleStep};
use crate::domain::money::policy::facts::{
    LaterSession, Note, Parent, Recipient, SessionFacts, Slot,
};
use crate::domain::money::policy::fee::{FeeStanding, IncurredFee};
use crate::domain::money::policy::notices::{Notice, NoticeKind};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use chrono::{DateTime, NaiveDate, Utc};

/// Whether the session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionCourse {
    On,
    Off,
    /// It did not take place, and it is not known because of whom.
    Undecided,
}

/// What is to happen by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timers {
    /// The next contact, for which the reminder and the deadline are planned.
    pub(super) next: Option<usize>,
    pub(super) reminder: Option<DateTime<Utc>>,
    /// For a fee the start of the next due session, for a note the end of the next contact (choice
    /// C04).
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) close: Option<DateTime<Utc>>,
}

/// Takes the events of one session in order and collects the assessment.
pub(super) struct Assessor<'a> {
    pub(super) facts: &'a SessionFacts,
    /// The later sessions in the order of their starts.
    pub(super) later: Vec<LaterSession>,
    /// Index of the first session on a later local date, once known.
    pub(super) first_later: Option<usize>,
    pub(super) course: SessionCourse,
    pub(super) late: bool,
    pub(super) fee: Option<IncurredFee>,
    pub(super) notes: Vec<Note>,
    pub(super) archived: bool,
    /// Reminder and deadline have to be planned anew.
    pub(super) stale: bool,
    pub(super) timers: Timers,
    pub(super) escalation: Escalation,
    pub(super) deadline: Option<DateTime<Utc>>,
    states: Vec<(DateTime<Utc>, FeeStanding)>,
    notices: Vec<Notice>,
    steps: Vec<RuleStep>,
}

impl<'a> Assessor<'a> {
    /// Starts before the first event. `later` is sorted by start.
    pub(super) fn new(facts: &'a SessionFacts, later: Vec<LaterSession>) -> Assessor<'a> {
        Assessor {
            facts,
            later,
            first_later: None,
            course: SessionCourse::On,
            late: false,
            fee: None,
            notes: Vec::new(),
            archived: false,
            stale: false,
            timers: Timers::default(),
            escalation: Escalation::default(),
            deadline: None,
            states: Vec::with_capacity(4),
            notices: Vec::with_capacity(8),
            steps: Vec::with_capacity(8),
        }
    }

    pub(super) fn step(&mut self, at: DateTime<Utc>, rule: &'static str, why: &'static str) {
        self.steps.push(RuleStep { at, rule, why });
    }

    /// Writes down the standing after what happened at `at`, if it changed.
    pub(super) fn record_standing(&mut self, at: DateTime<Utc>) {
        let now = FeeStanding::of(self.fee.as_ref(), self.archived);
        if self.states.last().map_or(FeeStanding::CLEAR, |(_, s)| *s) == now {
            return;
        }
        match self.states.last_mut() {
            Some((t, s)) if *t == at => *s = now,
            _ => self.states.push((at, now)),
        }
    }

    /// Calls for a text about money to a party.
    pub(super) fn tell(
        &mut self,
        at: DateTime<Utc>,
        kind: MessageKind,
        to: impl Into<Recipient>,
        rule: &'static str,
    ) {
        self.notices.push(Notice {
            at,
            kind: NoticeKind::Message(kind),
            to: to.into(),
            rule,
        });
    }

    /// Calls for a text to every party on the case (choice C14).
    pub(super) fn tell_all(&mut self, at: DateTime<Utc>, kind: MessageKind, rule: &'static str) {
        let parties = &self.facts.case.parties;
        for (n, party) in parties.iter().enumerate() {
            if !parties[..n].contains(party) {
                self.tell(at, kind, *party, rule);
            }
        }
    }

    /// Asks the co-ordinator to look at something.
    pub(super) fn review(&mut self, at: DateTime<Utc>, kind: TaskKind, rule: &'static str) {
        self.notices.push(Notice {
            at,
            kind: NoticeKind::Task(kind),
            to: Recipient::Coordinator,
            rule,
        });
    }

    /// The time of the session that was in force at an instant.
    pub(super) fn slot(&self, at: DateTime<Utc>) -> Slot {
        self.facts
            .moved
            .iter()
            .filter(|(until, _)| at < *until)
            .min_by_key(|(until, _)| *until)
            .map_or(self.facts.session, |(_, slot)| *slot)
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

    pub(super) fn liable(&self) -> Option<Parent> {
        self.fee.as_ref().map(|f| f.liable)
    }

    /// The assessment, once everything has happened.
    pub(super) fn finish(mut self) -> Assessment {
        self.notices
            .sort_unstable_by_key(|n| (n.at, listed_as(n.kind), n.to, n.rule));
        let charge = self.fee.as_ref().map_or(0, |f| f.charge);
        Assessment {
            late: self.late,
            charge: self.facts.rules.fee.with(charge),
            liable: self.liable(),
            incurred_at: self.fee.as_ref().map(|f| f.incurred_at),
            by_no_show: self.fee.as_ref().is_some_and(|f| !f.by_message),
            deadline: self.deadline,
            states: self.states,
            escalation: self.escalation,
            notices: self.notices,
            steps: self.steps,
        }
    }
}

/// What notices of one instant are sorted by. The order must not depend on that of the events.
fn listed_as(kind: NoticeKind) -> (&'static str, &'static str) {
    match kind {
        NoticeKind::Message(kind) => (kind.as_str(), ""),
        NoticeKind::Task(kind) => ("coordinator_review", kind.as_str()),
    }
}
