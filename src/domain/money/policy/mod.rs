//! The centre's rules on money: lateness, fee, liability, doctor's notes, holds and escalation,
//! from the facts of one session.
//!
//! A pure function over facts ([`facts`]) that are taken in the order of their instants
//! ([`mod@assess`]), with what happens by itself in between ([`timeline`]) and what is said to whom
//! ([`notices`]). Seed 001 and the choices C01 to C32 of the domain pack decide.

pub mod assess;
pub mod facts;
mod happenings;
pub mod ledger;
pub mod notices;
#[cfg(test)]
mod properties;
pub mod record;
pub mod sources;
pub mod timeline;
#[cfg(test)]
mod unclear;

pub use crate::domain::money::policy::assess::{Assessment, Escalation, Step, assess};
pub use crate::domain::money::policy::facts::{
    About, Absent, CaseFacts, Fact, Facts, LaterSession, Money, Note, OffBy, Parent, PayClock,
    Recipient, Rules, Slot, What,
};
pub use crate::domain::money::policy::ledger::{CaseLedger, Payment, case_ledger};
pub use crate::domain::money::policy::notices::{Notice, NoticeKind, Topic};
pub use crate::domain::money::policy::record::{
    BookedSession, CaseAssessment, CaseRecord, Recorded,
};
pub use crate::domain::money::policy::sources::{Source, source};
pub use crate::domain::money::policy::timeline::{FeeState, Standing};
