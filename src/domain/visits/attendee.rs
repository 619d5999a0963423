//! A session as one parent takes part in it: the booking, their own arrival, and how they may be
//! reached.

use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::local_time::Quiet;
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::people::role::Role;
use crate::domain::visits::notice::Move;
use crate::domain::visits::session::{Answer, CancelledBy, SessionState};
use chrono::{DateTime, NaiveDateTime, Utc};

/// A session as it is stored.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, shown outside.
    pub id: SessionId,
    pub case_id: CaseId,
    pub case_ref: String,
    pub centre: String,
    /// Start and end (UTC).
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// The start on the centre's wall clock, as it was booked.
    pub start_local: NaiveDateTime,
    /// What kind of contact.
    pub contact_type: String,
    /// Where it stands.
    pub state: SessionState,
    /// Grows with start, end or state.
    pub version: i64,
    /// Who called it off.
    pub cancelled_by: Option<CancelledBy>,
    /// When the cancellation that counts reached us.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Hours of notice of this booking.
    pub notice_hours: i64,
    /// Fee of this booking, minor units.
    pub fee_minor: i64,
    pub moved: Option<Move>,
}

/// A parent's place in a session.
#[derive(Debug, Clone)]
pub struct Attendee {
    pub session_id: SessionId,
    /// Which parent.
    pub role: Role,
    pub party_id: PartyId,
    /// The party's own arrival (UTC).
    pub arrives_at: DateTime<Utc>,
    /// The party's own departure (UTC).
    pub leaves_at: DateTime<Utc>,
    /// The version of the question put to this party.
    pub ask_version: i64,
    /// Since when the question could have been asked.
    pub ask_known: DateTime<Utc>,
    /// When it is due, if it still is.
    pub ask_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub asked: String,
    pub answer: Answer,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// When this party hears that the session is off.
    pub hears_at: Option<DateTime<Utc>>,
    /// Until when this party may take its own cancellation back.
    pub undo_until: Option<DateTime<Utc>>,
    /// The address (hash) from which it may.
    pub undo_from: Option<String>,
    /// When what this party said last about this visit was said.
    pub decided_at: Option<DateTime<Utc>>,
}

/// A parent's place with all that decides whether a text goes to them.
#[derive(Debug, Clone)]
pub struct AttendeeContext {
    pub session: Session,
    pub attendee: Attendee,
    /// The file is closed.
    pub archived: bool,
    pub consent: Consent,
    /// How much the phone may show.
    pub mode: Mode,
    pub language: String,
    /// The hours in which this party's phone shows nothing.
    pub quiet: Option<Quiet>,
    /// The addresses that were agreed and are safe, the wanted channel first (choice K11).
    pub routes: Vec<Route>,
}

impl AttendeeContext {
    /// Where a text goes: to the wanted channel, or to the other one that was agreed and is safe
    /// (choice K11).
    pub fn route(&self) -> Option<&Route> {
        self.routes.iter().find(|r| !r.opted_out)
    }

    /// The same without a channel that did not take the text.
    pub fn route_without(&self, excluded_channel: Option<Channel>) -> Option<&Route> {
        self.routes
            .iter()
            .find(|r| !r.opted_out && Some(r.address.channel()) != excluded_channel)
    }

    /// Whether every address is opted out at our senders.
    pub fn opted_out(&self) -> bool {
        !self.routes.is_empty() && self.route().is_none()
    }

    /// Whether the session was called off by somebody else and this party has not heard of it yet:
    /// for them it is still on.
    pub fn is_hidden(&self, now: DateTime<Utc>) -> bool {
        self.session.state == SessionState::Cancelled
            && self.attendee.answer != Answer::Cancelled
            && self.attendee.hears_at.is_some_and(|t| now < t)
    }
}

/// An address that was agreed and is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub address: Address,
    pub hash: String,
    /// It is opted out at our sender.
    pub opted_out: bool,
}
