//! A session: one booked meeting of child and contact parent, its states, and the answers of the
//! two parents.

use crate::string_enum;
use chrono::{DateTime, Utc};

string_enum! {
    /// The state of a session.
    SessionState {
        /// It is to take place.
        Booked = "booked",
        /// A party or the centre called it off.
        Cancelled = "cancelled",
        /// The centre is closed that day.
        Closed = "closed",
        /// It took place.
        Attended = "attended",
        /// A party did not come.
        NoShow = "no_show",
    }
}

string_enum! {
    /// What a parent answered for the present version of the session.
    Answer {
        /// Nothing yet.
        None = "none",
        /// Will come.
        Confirmed = "confirmed",
        /// Cannot come.
        Cancelled = "cancelled",
    }
}

string_enum! {
    /// What kind of contact it is.
    ContactType {
        /// Several families in one room, staff at hand.
        Supported = "supported",
        /// A third person is there all the time.
        Supervised = "supervised",
        /// The child is passed from one adult to the other.
        Handover = "handover",
        /// Child and resident parent come to see the centre.
        Previsit = "previsit",
    }
}

string_enum! {
    /// Who called a session off.
    CancelledBy {
        Resident = "resident",
        Contact = "contact",
        /// The centre (choice C22: no fee for anyone).
        Centre = "centre",
    }
}

string_enum! {
    /// Why a parent cannot come. The centre asks for no more than this.
    Reason {
        IllChild = "ill_child",
        /// The parent who writes is ill.
        IllSelf = "ill_self",
        /// Transport.
        Travel = "travel",
        /// Anything else, or not said.
        Other = "other",
    }
}

/// Whether a cancellation is late: fewer than `notice_hours` elapsed hours from receipt to start.
///
/// Handbook for parents: "If contact is cancelled under 48 hours’ notice then the charge will be
/// incurred." Choice C01: elapsed hours, also over a clock change; exactly the notice hours is in
/// time.
pub fn is_late(start: DateTime<Utc>, received: DateTime<Utc>, notice_hours: i64) -> bool {
    received > cut_off(start, notice_hours)
}

/// The last instant at which a cancellation is in time.
pub fn cut_off(start: DateTime<Utc>, notice_hours: i64) -> DateTime<Utc> {
    start - chrono::Duration::hours(notice_hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_eight_hours_are_elapsed_hours_also_over_a_clock_change() {
        let t = |s| DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Utc);
        let start = t("2026-10-25T10:00:00Z"); // Sunday 10:00 GMT, the clocks went back at 02:00 BST
        assert!(!is_late(start, t("2026-10-23T11:00:00+01:00"), 48));
        assert!(is_late(start, t("2026-10-23T11:00:01+01:00"), 48));
    }
}
