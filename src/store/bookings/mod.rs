//! Bookings made here: single ones, series, and what they are based on.

mod checks;
mod due;
mod series;
mod terms;
mod usual;

pub use crate::store::bookings::checks::{
    CaseFile, MissedSession, affected_cases, closures, days_taken, lock_case, lock_upcoming,
    missed_session, overlaps, set_replaces,
};
pub use crate::store::bookings::due::{anything_due, due_cases, next_scan_at};
pub use crate::store::bookings::series::{
    Occurrence, StoredSeries, add_series, occurrences, running_series, save_progress, set_last_day,
    set_occurrence_numbers, unbook,
};
pub use crate::store::bookings::terms::{SessionTerms, booked_terms, set_terms};
pub use crate::store::bookings::usual::{Offset, UsualSession, usual_session};
