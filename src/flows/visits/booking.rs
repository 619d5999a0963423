//! What a person asks for when they book.

use crate::domain::ids::{SeriesId, SessionId};
use crate::domain::visits::series::Pattern;
use crate::domain::visits::session::ContactType;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A booking by hand. What is not said is as it was at the case's last session.
#[derive(Debug, Clone, Default)]
pub struct Booking {
    /// The start on the centre's wall clock.
    pub start: NaiveDateTime,
    pub minutes: Option<i64>,
    /// What kind of contact.
    pub contact_type: Option<ContactType>,
    /// The resident parent's own arrival.
    pub resident_arrives: Option<NaiveTime>,
    /// The contact parent's own arrival.
    pub contact_arrives: Option<NaiveTime>,
    /// The missed session in whose place it is booked.
    pub replaces: Option<SessionId>,
    /// It comes again.
    pub every: Option<Pattern>,
    /// The last day of the series.
    pub until: Option<NaiveDate>,
    /// Weeks that the series is booked ahead.
    pub weeks_ahead: Option<i64>,
}

/// What was booked: the sessions with their local starts, and the series if there is one.
#[derive(Debug, Clone)]
pub struct Booked {
    /// Session and local start, in order.
    pub sessions: Vec<(SessionId, NaiveDateTime)>,
    pub series: Option<SeriesId>,
}
