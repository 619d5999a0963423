//! Signs that a message is about something, wherever they stand in it.

use crate::domain::replies::patterns::{PatternSet, Word};

/// This many words around a sign may explain it.
const AROUND: usize = 6;

/// Signs of a subject, and what speaks against them.
#[derive(Default)]
pub(super) struct Indicator {
    pub(super) signs: PatternSet,
    pub(super) unless: PatternSet,
}

impl Indicator {
    /// Whether there is a sign that is not explained. Only a harmless pattern of the same list
    /// explains a sign, and only if the two have words in common.
    pub(super) fn is_in(&self, words: &[Word]) -> bool {
        self.signs.matches(words).any(|sign| {
            let from = sign.start.saturating_sub(AROUND);
            let to = words.len().min(sign.end + AROUND);
            !self.unless.matches(&words[from..to]).any(|harmless| {
                harmless.list == sign.list
                    && harmless.start + from < sign.end
                    && harmless.end + from > sign.start
            })
        })
    }

    /// Whether there is a sign, and nothing anywhere speaks against it.
    pub(super) fn is_clearly_in(&self, words: &[Word]) -> bool {
        self.signs.matches_in(words) && !self.unless.matches_in(words)
    }

    /// Whether there is a sign, whatever speaks against it.
    pub(super) fn is_hinted_in(&self, words: &[Word]) -> bool {
        self.signs.matches_in(words)
    }
}
