//! A word of a text, as a number.

/// A word as a number. The vocabulary gives it.
pub(crate) type WordId = u32;

pub(crate) const UNKNOWN: WordId = 0;
/// The end of a sentence or line, a bracket, a picture.
pub(crate) const BREAK: WordId = 1;
pub(crate) const QUESTION_MARK: WordId = 2;
pub(crate) const NUMBER: WordId = 3;
pub(crate) const TIME: WordId = 4;
pub(crate) const DATE: WordId = 5;
pub(crate) const PHONE: WordId = 6;
pub(super) const MONEY: WordId = 7;
/// The first id of a word that is spelled.
pub(super) const FIRST_WORD: WordId = 8;

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) id: WordId,
    /// Of a number: the number. Of a date: the day of the month, plus a hundred times the month if
    /// one is named. Of a time: the minute of the day.
    pub(crate) value: u16,
    /// Whether a sentence, a line or the text ends after it. Known only after [`without_marks`].
    pub(crate) ends: bool,
}

impl Word {
    /// A word without a value.
    pub(crate) const fn plain(id: WordId) -> Word {
        Word::with_value(id, 0)
    }

    pub(super) const fn with_value(id: WordId, value: u16) -> Word {
        Word {
            id,
            value,
            ends: false,
        }
    }

    /// Whether it is no word, but a mark between sentences.
    pub(crate) fn is_mark(&self) -> bool {
        matches!(self.id, BREAK | QUESTION_MARK)
    }
}

/// The words without the marks between sentences. Each word knows whether a sentence ends after it.
pub(crate) fn without_marks(words: &[Word]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        if !word.is_mark() {
            out.push(*word);
        } else if let Some(last) = out.last_mut() {
            last.ends = true;
        }
    }
    if let Some(last) = out.last_mut() {
        last.ends = true;
    }
    out
}

/// The sentences, without the marks between them.
pub(crate) fn sentences(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    words.split(Word::is_mark).filter(|s| !s.is_empty())
}
