//! The centre's rules on money: lateness, fee, liability, doctor's notes, holds and escalation.
//!
//! [`assess()`] is a pure function over the facts of one session ([`facts`]). It takes the events in
//! the order of their instants (`effects`), with what happens by itself in between (`timeline`).
//! `docs/rules.md` lists the rules that it follows.

pub mod assess;
pub mod assessment;
mod assessor;
pub mod case_assessment;
mod effects;
pub mod facts;
pub mod fee;
mod history;
pub mod ledger;
pub mod notices;
#[cfg(test)]
mod properties;
pub mod record;
pub mod recorded_fact;
mod timeline;
#[cfg(test)]
mod unclear_tests;

pub use crate::domain::money::policy::assess::assess;
pub use crate::domain::money::policy::assessment::{Assessment, Escalation, RuleStep};
pub use crate::domain::money::policy::case_assessment::{CaseAssessment, CaseStanding};
pub use crate::domain::money::policy::facts::{
    Absent, CalledOff, CaseEvent, CaseFacts, FeeRules, LaterSession, Note, NoteSubject, Parent,
    PayClock, Recipient, SessionFacts, Slot, TimedEvent,
};
pub use crate::domain::money::policy::fee::{FeeStanding, FeeState};
pub use crate::domain::money::policy::ledger::{CaseLedger, Payment, case_ledger};
pub use crate::domain::money::policy::notices::{Notice, NoticeKind};
pub use crate::domain::money::policy::record::{BookedSession, CaseRecord};
pub use crate::domain::money::policy::recorded_fact::RecordedFact;
