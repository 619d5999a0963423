//! The days, dates and times of day that a message names.

use crate::domain::replies::patterns::{DATE, TIME, Word};
use chrono::{Datelike, NaiveDateTime, Timelike, Weekday};

/// Half a day, in minutes: "at 2" may be 14:00.
const HALF_A_DAY: u32 = 12 * 60;

/// The days of the week, dates and times of day that a message names. If it names none, it may mean
/// any visit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedTimes {
    pub(super) days: Vec<Weekday>,
    /// Dates and times of day.
    pub(super) moments: Vec<Word>,
}

impl NamedTimes {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty() && self.moments.is_empty()
    }

    /// Whether a visit with this own arrival (local time) may be meant: it fits one of the named
    /// days, one of the named dates and one of the named times, as far as there are any.
    pub fn fits(&self, arrival: NaiveDateTime) -> bool {
        let fits_one = |id| {
            let mut named = self.moments.iter().filter(|word| word.id == id).peekable();
            named.peek().is_none() || named.any(|word| is_moment_of(word, arrival))
        };
        let fits_day = self.days.is_empty() || self.days.contains(&arrival.weekday());
        fits_day && fits_one(DATE) && fits_one(TIME)
    }

    /// Whether each date and time is that of one of these arrivals, and one arrival fits all that
    /// is named.
    pub(super) fn are_those_of(&self, arrivals: &[NaiveDateTime]) -> bool {
        let is_known = |word: &Word| arrivals.iter().any(|at| is_moment_of(word, *at));
        self.moments.is_empty()
            || (self.moments.iter().all(is_known) && arrivals.iter().any(|at| self.fits(*at)))
    }

    /// Whether a time of day is named.
    pub(super) fn has_time(&self) -> bool {
        self.moments.iter().any(|word| word.id == TIME)
    }
}

/// Whether a date or a time of day is that of this arrival.
fn is_moment_of(word: &Word, arrival: NaiveDateTime) -> bool {
    let value = u32::from(word.value);
    if word.id == DATE {
        let (month, day) = (value / 100, value % 100);
        return arrival.day() == day && (month == 0 || arrival.month() == month);
    }
    let minute = arrival.hour() * 60 + arrival.minute();
    minute == value || minute == value + HALF_A_DAY
}
