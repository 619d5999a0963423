//! A small, approximate set of words.

use crate::domain::replies::patterns::word::WordId;

/// A Bloom filter of one bit a word: "perhaps" for each word in it, "no" for nearly every other.
///
/// It is looked up before the exact test, because most patterns do not fit at most places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WordFilter(u128);

impl WordFilter {
    /// Every word, and the lack of one.
    pub(super) const ALL: WordFilter = WordFilter(u128::MAX);
    /// The lack of a word: the text is over.
    pub(super) const NO_WORD: WordFilter = WordFilter(1 << 127);

    pub(super) fn of(word: WordId) -> Self {
        WordFilter(1 << (word % 127))
    }

    pub(super) fn add(&mut self, other: WordFilter) {
        self.0 |= other.0;
    }

    /// Whether the two may have a word in common.
    pub(super) fn may_share(self, other: WordFilter) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<WordId> for WordFilter {
    fn from_iter<T: IntoIterator<Item = WordId>>(words: T) -> Self {
        let mut all = WordFilter::default();
        words
            .into_iter()
            .for_each(|word| all.add(WordFilter::of(word)));
        all
    }
}
