//! The code that finishes a cancellation by SMS (safety rule S1).
//!
//! It is random, and valid once, for one phone and one version of a session. Its first three digits
//! are the prefix; the fourth names the reason.

use crate::domain::ids::CancelQuestionId;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, Duration, Utc};

/// A cancel question can be finished within this time after the first NO (rule S1b).
pub const OPEN_FOR: Duration = Duration::hours(24);
/// After this many wrong codes for one question, a person takes over.
pub const TRIES_A_QUESTION: i64 = 3;
/// After this many wrong codes for one session, a person takes over.
pub const TRIES_A_SESSION: i64 = 6;
/// Cancel questions that one party gets about one session in 24 hours.
pub const QUESTIONS_A_DAY: i64 = 2;

/// In a chat, a second press within this time finishes a cancellation (safety rule G5).
pub const PRESS_WITHIN: Duration = Duration::minutes(10);

/// Prefixes that look like an emergency or service number.
const SERVICE_NUMBERS: [u16; 5] = [101, 105, 111, 112, 999];

/// Makes a prefix of three digits. `random` gives a random number at each call.
pub fn code_prefix(mut random: impl FnMut() -> u32) -> String {
    loop {
        // 900 does not divide 2^32, but the bias is below one in four million.
        let n = 100 + (random() % 900) as u16;
        if !SERVICE_NUMBERS.contains(&n) {
            return n.to_string();
        }
    }
}

/// The last digit of the code for a reason. It never changes (rule b3).
pub fn digit(reason: Reason) -> char {
    match reason {
        Reason::IllChild => '1',
        Reason::IllSelf => '2',
        Reason::Travel => '3',
        Reason::Other => '4',
    }
}

/// A cancel question that waits for its code.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelQuestion {
    pub id: CancelQuestionId,
    /// The first three digits of its codes.
    pub code_prefix: String,
    /// The reasons that were offered.
    pub offered: Vec<Reason>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When the first NO arrived: the notice counts from it (rule S1b).
    pub first_no_at: DateTime<Utc>,
    /// Wrong codes so far.
    pub tries: i64,
}

impl std::fmt::Debug for CancelQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelQuestion")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl CancelQuestion {
    /// The reason that a code names, if it is a code of this question.
    pub fn answered_by(&self, code: &str) -> Option<Reason> {
        let option = code.strip_prefix(self.code_prefix.as_str())?;
        self.offered
            .iter()
            .copied()
            .find(|r| option.chars().eq([digit(*r)]))
    }

    /// Whether it can still be finished at `now`, for a session that starts at `start`.
    pub fn is_open(&self, now: DateTime<Utc>, start: DateTime<Utc>) -> bool {
        self.tries < TRIES_A_QUESTION && now <= self.first_no_at + OPEN_FOR && now < start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_three_digits_and_are_no_service_numbers() {
        let mut n = 0u32;
        let mut next = || {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            n
        };
        for _ in 0..5000 {
            let prefix = code_prefix(&mut next);
            assert_eq!(prefix.len(), 3);
            assert!(
                !["101", "105", "111", "112", "999"].contains(&prefix.as_str())
                    && !prefix.starts_with('0')
            );
        }
    }

    #[test]
    fn only_the_full_number_finishes() {
        let q = CancelQuestion {
            id: CancelQuestionId::new("q"),
            code_prefix: "527".into(),
            offered: vec![Reason::IllChild, Reason::Other],
            asked_at: DateTime::UNIX_EPOCH,
            first_no_at: DateTime::UNIX_EPOCH,
            tries: 0,
        };
        assert_eq!(q.answered_by("5271"), Some(Reason::IllChild));
        assert_eq!(q.answered_by("5274"), Some(Reason::Other));
        for wrong in ["527", "5272", "52711", "1", "527 1", ""] {
            assert_eq!(q.answered_by(wrong), None, "{wrong}");
        }
    }
}
