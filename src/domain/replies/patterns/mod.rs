//! Words and patterns of words: how a text becomes words ([`vocabulary`]), what a list of patterns
//! is made of ([`builder`]), and where it fits ([`matching`]). Knows no meaning; the lists are
//! data.
//!
//! Everything is linear in the length of the text: a pattern is at most [`REACH`] words long, and
//! what it can reach is one `u64`. Nothing is learned from texts: a vocabulary is closed once its
//! lists are read, so no text makes it larger.

mod builder;
mod matching;
mod slips;
mod vocabulary;

pub(super) use builder::Builder;
pub(super) use matching::Patterns;
pub(super) use vocabulary::Vocabulary;

use toml::{Table, Value};

/// No match is longer than this.
const REACH: usize = 40;

/// A word as a number.
pub(crate) type Id = u32;
pub(crate) const UNKNOWN: Id = 0;
/// The end of a sentence or line, a bracket, a picture.
pub(crate) const BREAK: Id = 1;
pub(crate) const ASK: Id = 2;
pub(crate) const NUM: Id = 3;
pub(crate) const TIME: Id = 4;
pub(crate) const DATE: Id = 5;
pub(crate) const PHONE: Id = 6;
const MONEY: Id = 7;
const FIRST_WORD: Id = 8;

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) id: Id,
    /// Of a date: the day of the month, and a hundred for each month where one is named; of a time:
    /// the minute of the day, if both can be read.
    pub(crate) value: u16,
    /// Whether a sentence, a line or the text ends behind it, as far as somebody has marked that
    /// ([`spoken`]).
    pub(crate) ends: bool,
}

/// A word without a value.
pub(crate) const fn word(id: Id) -> Word {
    Word {
        id,
        value: 0,
        ends: false,
    }
}

/// The words that are spoken: without the marks, but each knows whether a sentence ends behind it.
pub(crate) fn spoken(words: &[Word]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    for w in words {
        if matches!(w.id, BREAK | ASK) {
            out.last_mut().into_iter().for_each(|last| last.ends = true);
        } else {
            out.push(*w);
        }
    }
    out.last_mut().into_iter().for_each(|last| last.ends = true);
    out
}

/// What is longer than a word in a list of classes; several patterns share it.
pub(crate) type Shared = std::sync::Arc<Group>;

/// Alternatives of several words, by the word with which they begin.
#[derive(Default)]
pub(crate) struct Group {
    all: Vec<Vec<Part>>,
    /// First word and alternative, in order.
    by_first: Vec<(Id, u32)>,
    /// The first words.
    sieve: Sieve,
    /// Those that may be nothing, or begin with anything.
    anywhere: Vec<u32>,
}

/// A set of words in short: says "perhaps" of each that is in it, and "no" of nearly every other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sieve(u128);

impl Sieve {
    /// Every word, and none.
    const ALL: Sieve = Sieve(u128::MAX);
    /// That there is no word.
    const NONE: Sieve = Sieve(1 << 127);

    fn of(word: Id) -> Self {
        Sieve(1 << (word % 127))
    }

    fn add(&mut self, other: Sieve) {
        self.0 |= other.0;
    }

    fn lets_through(self, words: Sieve) -> bool {
        self.0 & words.0 != 0
    }
}

impl FromIterator<Id> for Sieve {
    fn from_iter<T: IntoIterator<Item = Id>>(words: T) -> Self {
        let mut all = Sieve::default();
        words.into_iter().for_each(|w| all.add(Sieve::of(w)));
        all
    }
}

/// A part of a pattern.
pub(crate) enum Part {
    /// One of these words.
    Word(Id),
    /// Up to three words of any kind.
    Gap,
    Choice(Box<Choice>),
}

/// One of several.
pub(crate) struct Choice {
    /// Single words, in order.
    words: Vec<Id>,
    /// Which words stand there, in short.
    sieve: Sieve,
    longer: Vec<Shared>,
    /// The first words of what is longer.
    begins: Sieve,
    optional: bool,
    /// It may also be the end of a sentence, a line or the text.
    end: bool,
}

/// A table of a file.
pub(crate) fn table<'a>(t: &'a Table, key: &str) -> Result<&'a Table, String> {
    t.get(key)
        .and_then(Value::as_table)
        .ok_or_else(|| format!("{key} is missing"))
}

/// A list of texts of a file; `at` names it where it is none.
pub(crate) fn strings(v: &Value, at: &str) -> Result<Vec<String>, String> {
    let list = v.as_array().ok_or_else(|| format!("{at} is no list"))?;
    list.iter()
        .map(|x| {
            x.as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{at} holds something that is no text"))
        })
        .collect()
}
