//! The result of assessing one session.

use crate::domain::money::amount::Money;
use crate::domain::money::policy::facts::Parent;
use crate::domain::money::policy::fee::FeeStanding;
use crate::domain::money::policy::notices::Notice;
use chrono::{DateTime, Utc};

/// One step of the assessment, with the rule that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleStep {
    pub at: DateTime<Utc>,
    /// The rule's id in `docs/rules.md`.
    pub rule: &'static str,
    /// Why, in a sentence for staff.
    pub why: &'static str,
}

/// How far an unpaid fee went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Escalation {
    /// When all parties are told that a payment is outstanding.
    pub all_parties_notice_at: Option<DateTime<Utc>>,
    /// When the file is closed. Contact then needs a new referral.
    pub close_at: Option<DateTime<Utc>>,
}

/// What follows from the facts of a session, with the whole plan if nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The first effective cancellation came with less than the notice hours, or a named party did
    /// not come.
    pub late: bool,
    /// The charge assessed, 0 if none.
    pub charge: Money,
    /// Who has to pay it.
    pub liable: Option<Parent>,
    /// When the charge was incurred.
    pub incurred_at: Option<DateTime<Utc>>,
    /// It was incurred by staying away, not by a message.
    pub by_no_show: bool,
    /// The last deadline for note or fee that was in force, passed or not.
    pub deadline: Option<DateTime<Utc>>,
    /// The standing from each instant on; before the first one it is clear.
    pub states: Vec<(DateTime<Utc>, FeeStanding)>,
    /// How far an unpaid fee goes.
    pub escalation: Escalation,
    /// All notices, sorted by instant, then by the name of their kind, then by recipient.
    pub notices: Vec<Notice>,
    /// Why, step by step.
    pub steps: Vec<RuleStep>,
}

impl Assessment {
    /// The standing at an instant, including everything that happens at that very instant.
    pub fn standing_at(&self, at: DateTime<Utc>) -> FeeStanding {
        let n = self.states.partition_point(|(t, _)| *t <= at);
        n.checked_sub(1)
            .and_then(|n| self.states.get(n))
            .map_or(FeeStanding::CLEAR, |(_, s)| *s)
    }
}
