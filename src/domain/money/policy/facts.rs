//! What the rules on money look at: the rules in force, the case, the session, the later sessions,
//! and what happened when.
//!
//! Everything here is a value that a caller has read somewhere else. Instants are UTC, amounts are
//! minor units of the fee's currency.

use crate::domain::centre::Courtesy;
use crate::domain::people::person::Role;
use crate::domain::visits::session::Reason;
use crate::string_enum;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::fmt;

/// An amount with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// Minor units (pence, cent).
    pub minor: i64,
    /// ISO 4217 code, three capital letters.
    pub currency: [u8; 3],
}

impl Money {
    /// Reads a currency code; `None` if it is not three capital letters.
    pub fn currency(code: &str) -> Option<[u8; 3]> {
        code.as_bytes()
            .try_into()
            .ok()
            .filter(|c: &[u8; 3]| c.iter().all(u8::is_ascii_uppercase))
    }

    /// The code of the currency as text.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.currency).unwrap_or_default()
    }

    /// Another amount of the same currency.
    pub fn with(self, minor: i64) -> Money {
        Money { minor, ..self }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        write!(f, "{code} {sign}{}.{:02}", minor / 100, minor % 100)
    }
}

/// When the days to pay begin to count (choice C07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayClock {
    /// At the instant the rules call for; a later real telling ([`What::AllPartiesTold`]) moves it.
    /// For a plan.
    AsPlanned,
    /// Only at a real telling; without one the file is never closed by itself. For the running
    /// service.
    WhenTold,
}

/// The rules in force for the session: those as of its booking.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Hours of notice without a fee (seed 001: 48).
    pub notice_hours: i64,
    /// The fee of a late cancellation; an amount of 0 is a centre without fees.
    pub fee: Money,
    /// Days to pay after all parties were told (seed 001: 7).
    pub payment_days: u32,
    /// When these days begin.
    pub pay_clock: PayClock,
    /// The centre's wall clock.
    pub tz: Tz,
    /// When courtesy confirmations go: the note reminder takes their moment (choice C15).
    pub courtesy: Courtesy,
}

string_enum! {
    /// One of the two who attend.
    Parent {
        /// The contact parent.
        Contact = "contact",
        /// The resident parent.
        Resident = "resident",
    }
}

impl Parent {
    /// The other one.
    pub fn other(self) -> Parent {
        match self {
            Parent::Contact => Parent::Resident,
            Parent::Resident => Parent::Contact,
        }
    }

    /// As a role of the case.
    pub fn role(self) -> Role {
        match self {
            Parent::Contact => Role::Contact,
            Parent::Resident => Role::Resident,
        }
    }
}

/// Who is told something. In the order of their words, in which notices of one instant are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    /// The contact parent.
    Contact,
    /// The centre's co-ordinator.
    Coordinator,
    /// A referrer: 1 is the first (`referrer`), 2 the second (`referrer2`), up to 9.
    Referrer(u8),
    /// The resident parent.
    Resident,
}

impl Recipient {
    /// Reads a party of a case: `resident`, `contact`, `referrer`, `referrer2` to `referrer9`.
    pub fn party(word: &str) -> Option<Recipient> {
        match word {
            "contact" => Some(Recipient::Contact),
            "resident" => Some(Recipient::Resident),
            "referrer" => Some(Recipient::Referrer(1)),
            other => other
                .strip_prefix("referrer")
                .and_then(|n| n.parse().ok())
                .filter(|n| (2..=9).contains(n))
                .map(Recipient::Referrer),
        }
    }
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

/// The case, as far as the rules ask.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    /// Contact was ordered by a court.
    pub court_ordered: bool,
    /// How many children attend.
    pub children: u32,
    /// Every party on the case, referrers too (choice C14).
    pub parties: Vec<Recipient>,
}

/// A session's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
}

/// Who called a later session off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OffBy {
    /// The centre: it is no deadline any more.
    Centre,
    /// A party: it stays a deadline for a fee, not for a note (choice C03).
    Party,
}

/// Another session of the case. A session that was moved is one called off by the centre at that
/// instant and another one booked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaterSession {
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// Since when it is booked; `None`: all along.
    pub booked_at: Option<DateTime<Utc>>,
    /// Who called it off and when; without an instant: before anything else.
    pub off: Option<(OffBy, Option<DateTime<Utc>>)>,
}

string_enum! {
    /// Whom a doctor's note is about.
    About {
        /// A child.
        Child = "child",
        /// The contact parent.
        Contact = "contact",
        /// The resident parent (choice C06: it changes nothing).
        Resident = "resident",
    }
}

/// A doctor's note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Whom it is about.
    pub about: About,
    /// First local date that it covers.
    pub from: NaiveDate,
    /// Last local date that it covers.
    pub to: NaiveDate,
    /// How many children it names, if staff recorded it; `None`: those who were said to be ill.
    pub children: Option<u32>,
    /// It was handed in at the next contact, whenever it was logged (choice C04).
    pub brought: bool,
}

string_enum! {
    /// Whom staff found absent.
    Absent {
        /// The contact parent.
        Contact = "contact",
        /// The resident parent.
        Resident = "resident",
        /// Both.
        Both = "both",
        /// It is not known who failed to come.
        Unknown = "unknown",
    }
}

/// Something that happened. Declared in the order in which things of one instant are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The centre called the session off (choice C22: no fee for anyone).
    CentreCancelled {
        /// The centre is closed that day.
        closure: bool,
    },
    /// A parent's cancellation reached us (choice C02: the provider's time of receipt).
    Cancelled {
        /// Who wrote.
        by: Parent,
        /// Why, as far as said.
        reason: Reason,
        /// How many children are ill, if said.
        ill: Option<u32>,
        /// Only these children stay away, the session takes place.
        only_some: bool,
    },
    /// Staff recorded that somebody did not come.
    NoShow(Absent),
    /// A parent wrote YES.
    Yes(Parent),
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
    /// Money towards the fee, by whomever (choice C31), in minor units.
    Paid(i64),
    /// The deadline that the liable party was really told; the later of it and the computed one
    /// counts.
    DeadlineTold(DateTime<Utc>),
    /// All parties were really told that a payment is outstanding.
    AllPartiesTold,
    /// The other parent was really told the same: the days to pay count from the later of both.
    OtherPartyTold,
    /// The liable party was told that nothing is owed though it is: from here on what they were
    /// told before starts no step. What had happened by then has happened.
    OwedAgain,
}

/// A fact with its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub what: What,
}

/// All that the rules look at for one session of a case. The order of the lists plays no part.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The rules in force.
    pub rules: Rules,
    /// The case.
    pub case: CaseFacts,
    /// The session, as it is booked now.
    pub session: Slot,
    /// The times that it had before it was moved, each with the instant until which it was in force
    /// (excluded): a message is judged by the start that was in force when it came.
    pub moved: Vec<(DateTime<Utc>, Slot)>,
    /// When a cancellation came that refused a move of the centre's in time for that to be free,
    /// whatever the hours; and when a no-show was recorded of a visit before which the file had
    /// been closed, which charges nobody by itself.
    pub free: Vec<DateTime<Utc>>,
    /// The other sessions of the case.
    pub later: Vec<LaterSession>,
    /// What happened.
    pub history: Vec<Fact>,
}
