//! The input of an assessment: the rules in force, the case, the session, the later sessions, and
//! what happened when.
//!
//! Instants are UTC. Amounts are minor units of the fee's currency.

use crate::domain::money::amount::Money;
use crate::domain::people::role::Role;
use crate::domain::reminders::courtesy::Courtesy;
use crate::domain::visits::session::Reason;
use crate::string_enum;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::fmt;

/// When the days to pay begin to count (choice C07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayClock {
    /// When the rules call for the notice to all parties; a recorded
    /// [`CaseEvent::AllPartiesTold`] moves it. For a plan in which every notice is read at once.
    AsPlanned,
    /// When all parties were really told. Until then the file is never closed by itself. For the
    /// running service.
    WhenTold,
}

/// The rules in force for the session, as of its booking.
#[derive(Debug, Clone)]
pub struct FeeRules {
    /// Hours of notice without a fee (usually 48).
    pub notice_hours: i64,
    /// The fee of a late cancellation; 0 if the centre takes none.
    pub fee: Money,
    /// Days to pay after all parties were told (usually 7).
    pub payment_days: u32,
    /// When these days begin.
    pub pay_clock: PayClock,
    /// The centre's wall clock.
    pub tz: Tz,
    /// When courtesy confirmations are sent: the note reminder goes at the same moment (choice C15).
    pub courtesy: Courtesy,
}

string_enum! {
    /// One of the two parents, who attend.
    Parent {
        Contact = "contact",
        Resident = "resident",
    }
}

impl Parent {
    /// As a role of the case.
    pub fn role(self) -> Role {
        match self {
            Parent::Contact => Role::Contact,
            Parent::Resident => Role::Resident,
        }
    }
}

/// Who is told something. Declared in the alphabetical order in which notices of one instant are
/// listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    Contact,
    Coordinator,
    /// A referrer: 1 is the first (`referrer`), 2 the second (`referrer2`), up to 9.
    Referrer(u8),
    Resident,
}

impl From<Parent> for Recipient {
    fn from(p: Parent) -> Self {
        match p {
            Parent::Contact => Recipient::Contact,
            Parent::Resident => Recipient::Resident,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::Contact => f.write_str("contact"),
            Recipient::Coordinator => f.write_str("coordinator"),
            Recipient::Referrer(1) => f.write_str("referrer"),
            Recipient::Referrer(n) => write!(f, "referrer{n}"),
            Recipient::Resident => f.write_str("resident"),
        }
    }
}

/// What the rules need to know of the case.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    /// Contact was ordered by a court.
    pub court_ordered: bool,
    /// How many children attend.
    pub children: u32,
    /// Every party on the case, referrers too (choice C14).
    pub parties: Vec<Recipient>,
}

/// The time of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// The cancellation of a later session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalledOff {
    /// A party called it off: it stays a deadline for a fee, not for a note (choice C03). Called off
    /// by the centre, it is no deadline any more.
    pub by_party: bool,
    /// When; `None` means before anything else.
    pub at: Option<DateTime<Utc>>,
}

/// Another session of the case. A session that was moved counts as one called off at that instant
/// and another one booked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaterSession {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// When it was booked; `None` means before anything else.
    pub booked_at: Option<DateTime<Utc>>,
    /// Whether it was called off.
    pub called_off: Option<CalledOff>,
}

string_enum! {
    /// Whom a doctor's note is about.
    NoteSubject {
        Child = "child",
        Contact = "contact",
        /// The resident parent (choice C06: it changes nothing).
        Resident = "resident",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Whom it is about.
    pub about: NoteSubject,
    /// First local date that it covers.
    pub from: NaiveDate,
    /// Last local date that it covers.
    pub to: NaiveDate,
    /// How many children it names, if staff recorded that; `None` means those who were said to be
    /// ill.
    pub children: Option<u32>,
    /// It was handed in at the next contact, even if it was logged later (choice C04).
    pub brought: bool,
}

string_enum! {
    /// Who did not come.
    Absent {
        Contact = "contact",
        Resident = "resident",
        Both = "both",
        /// Not known who.
        Unknown = "unknown",
    }
}

/// Something that happened in a case and bears on a fee. Declared in the order in which events of one
/// instant are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseEvent {
    /// The centre called the session off, or is closed that day (choice C22: no fee for anyone).
    CentreCancelled,
    /// A parent's cancellation reached us (choice C02: the provider's time of receipt).
    Cancelled {
        by: Parent,
        /// Why, as far as said.
        reason: Reason,
        /// How many children are ill, if said.
        ill: Option<u32>,
        /// Only these children stay away; the session takes place.
        only_some: bool,
    },
    /// Staff recorded that somebody did not come.
    NoShow(Absent),
    /// The co-ordinator reinstated the session.
    Reinstated,
    /// Staff recorded how many children were ill (choice C16).
    IllCounted(u32),
    /// A note was received or logged.
    Note(Note),
    /// The manager waived the fee.
    ManagerWaived,
    /// The manager gave the debt up.
    ManagerWroteOff,
    /// Money towards the fee in minor units, whoever paid it (choice C31).
    Paid(i64),
    /// The deadline that the liable party was told. The later of it and the computed one counts.
    DeadlineTold(DateTime<Utc>),
    /// All parties were really told that a payment is outstanding.
    AllPartiesTold,
    /// The other parent was told the same. The days to pay count from the later of the two.
    OtherPartyTold,
    /// The liable party was told that nothing is owed, but something is. From here on, what they
    /// were told before starts no clock. What had happened by then has happened.
    OwedAgain,
}

/// An event and its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimedEvent {
    pub at: DateTime<Utc>,
    pub event: CaseEvent,
}

/// Everything that the rules look at for one session of a case. The order of the lists does not
/// matter.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// The rules in force.
    pub rules: FeeRules,
    pub case: CaseFacts,
    /// The session, as it is booked now.
    pub session: Slot,
    /// The times that it had before it was moved, each with the instant (excluded) until which it was
    /// in force. A message is judged by the start that was in force when it came.
    pub moved: Vec<(DateTime<Utc>, Slot)>,
    /// Instants of events that charge nobody by themselves: a cancellation that refused the centre's
    /// own move in time, or a no-show at a session before which the file had been closed.
    pub free: Vec<DateTime<Utc>>,
    /// The other sessions of the case.
    pub later: Vec<LaterSession>,
    pub history: Vec<TimedEvent>,
}
