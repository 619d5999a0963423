//! How close together, and how often in a day, unprompted texts may go to one phone.

use crate::domain::centre::Rules;
use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;

/// A phone at its daily limit is looked at again after this.
const LOOK_AGAIN: Duration = Duration::hours(1);

/// The last unprompted text of each phone, by its look-up hash, and how many it had in 24 hours.
#[derive(Debug, Default, Clone)]
pub struct Pace(HashMap<String, (DateTime<Utc>, i64)>);

impl Pace {
    /// From what was sent in the last 24 hours.
    pub fn new(sent: HashMap<String, (DateTime<Utc>, i64)>) -> Pace {
        Pace(sent)
    }

    /// When the next text may go to this phone, if not at `now`. A text that calls a visit off
    /// keeps the distance but has no daily limit.
    pub fn earliest(
        &self,
        rules: &Rules,
        phone: &str,
        calls_off: bool,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let (last, sent) = self.0.get(phone)?;
        let free_again = *last + Duration::minutes(rules.spacing_minutes);
        if now < free_again {
            return Some(free_again);
        }
        let most = rules.max_texts_per_day;
        (most > 0 && *sent >= most && !calls_off).then(|| now + LOOK_AGAIN)
    }

    /// A text goes to this phone at `now`.
    pub fn count(&mut self, phone: &str, now: DateTime<Utc>) {
        let sent = self.0.get(phone).map_or(0, |(_, sent)| *sent);
        self.0.insert(phone.to_owned(), (now, sent + 1));
    }
}
