//! The code that finishes a cancellation by SMS (safety rule S1): random, for one phone, one
//! session version, one use.

use crate::domain::ids::CancelQuestionId;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, Duration, Utc};

/// A question is finished within this time of the first NO, or not at all (rule S1b).
pub const OPEN_FOR: Duration = Duration::hours(24);
/// Wrong tries on one question before a person takes over.
pub const TRIES_A_QUESTION: i64 = 3;
/// Wrong tries for one session in all.
pub const TRIES_A_SESSION: i64 = 6;
/// Questions to one party about one session in 24 hours.
pub const QUESTIONS_A_DAY: i64 = 2;

/// In a chat a cancellation is finished by a second press within this time (safety rule G5).
pub const PRESS_WITHIN: Duration = Duration::minutes(10);

/// Stems that would read as an emergency or a service number.
const NEVER: [u16; 5] = [101, 105, 111, 112, 999];

/// Makes a stem of three digits from random numbers; `random` gives one at each call.
pub fn code_prefix(mut random: impl FnMut() -> u32) -> String {
    loop {
        // 900 values out of 2^32: the bias is below one in four million.
        let n = 100 + (random() % 900) as u16;
        if !NEVER.contains(&n) {
            return n.to_string();
        }
    }
}

/// The option digit of a reason, in an order that never changes (rule b3).
pub fn digit(reason: Reason) -> char {
    match reason {
        Reason::IllChild => '1',
        Reason::IllSelf => '2',
        Reason::Travel => '3',
        Reason::Other => '4',
    }
}

/// A question that waits for its code.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelQuestion {
    /// Its id.
    pub id: CancelQuestionId,
    /// The stem that was sent.
    pub code_prefix: String,
    /// The reasons that were offered.
    pub offered: Vec<Reason>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When the first NO reached us: lateness counts from it (rule S1b).
    pub first_no_at: DateTime<Utc>,
    /// Wrong tries so far.
    pub tries: i64,
}

impl std::fmt::Debug for CancelQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl CancelQuestion {
    /// The reason that a full code names, if it is this question's code.
    pub fn answered_by(&self, code: &str) -> Option<Reason> {
        let option = code.strip_prefix(self.code_prefix.as_str())?;
        self.offered
            .iter()
            .copied()
            .find(|r| option.chars().eq([digit(*r)]))
    }

    /// Whether it may still be finished at `now` for a session that starts at `start`.
    pub fn is_open(&self, now: DateTime<Utc>, start: DateTime<Utc>) -> bool {
        self.tries < TRIES_A_QUESTION && now <= self.first_no_at + OPEN_FOR && now < start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_have_three_digits_and_are_no_service_numbers() {
        let mut n = 0u32;
        let mut next = || {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            n
        };
        for _ in 0..5000 {
            let s = code_prefix(&mut next);
            assert_eq!(s.len(), 3);
            assert!(
                !["101", "105", "111", "112", "999"].contains(&s.as_str()) && !s.starts_with('0')
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
