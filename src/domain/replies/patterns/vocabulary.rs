//! The words of a language, with their spellings.
//!
//! A vocabulary is closed once its lists are read: no text makes it larger.

use crate::domain::replies::patterns::toml_lists::{optional_strings, strings, table};
use crate::domain::replies::patterns::typos::typos_of;
use crate::domain::replies::patterns::word::{
    BREAK, FIRST_WORD, MONEY, QUESTION_MARK, UNKNOWN, WordId,
};
use chrono::Weekday;
use rustc_hash::FxHashMap as HashMap;
use toml::Table;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The words of a language with their other spellings.
#[derive(Default)]
pub(crate) struct Vocabulary {
    ids: HashMap<Box<str>, WordId>,
    next_id: WordId,
    /// One word that stands for several: "can't".
    expansions: HashMap<Box<str>, Vec<WordId>>,
    /// Two words that are read as one.
    joins: HashMap<(WordId, WordId), WordId>,
    days: HashMap<WordId, Weekday>,
    months: Vec<(WordId, u16)>,
    letters: HashMap<WordId, char>,
    /// What makes a number before it a time of day.
    clock_words: Vec<WordId>,
    /// "2" between one of `before_two` and one of `after_two` is "to".
    before_two: Vec<WordId>,
    after_two: Vec<WordId>,
    to: WordId,
    /// The "s" of "he's" and "dad's".
    s: WordId,
}

impl Vocabulary {
    /// Reads the spelling of a language.
    ///
    /// # Errors
    /// What is wrong with the lists.
    pub(crate) fn read(file: &Table) -> Result<Self, String> {
        let mut vocabulary = Self {
            next_id: FIRST_WORD,
            ..Self::default()
        };
        vocabulary.add_letters();
        vocabulary.add_days_and_months();
        vocabulary.add_signs();
        vocabulary.add_other_spellings(table(file, "same")?)?;
        vocabulary.add_expansions(table(file, "expand")?)?;
        vocabulary.add_neighbours_of_two(table(file, "two")?)?;
        vocabulary.add_joins(table(file, "join")?)?;
        Ok(vocabulary)
    }

    fn add_letters(&mut self) {
        self.s = self.intern("s");
        for c in 'a'..='z' {
            let id = self.intern(c.encode_utf8(&mut [0; 4]));
            self.letters.insert(id, c);
        }
    }

    fn add_days_and_months(&mut self) {
        for (name, day) in DAYS {
            let id = self.intern(name);
            self.days.insert(id, day);
        }
        for (name, n) in MONTHS.into_iter().zip(1..) {
            let id = self.intern(name);
            self.ids.entry(name[..3].into()).or_insert(id);
            // "may" is much more often the verb.
            if name != "may" {
                self.months.push((id, n));
            }
        }
    }

    fn add_signs(&mut self) {
        for (spelling, id) in [
            ("spoken-stop", BREAK),
            ("spoken-question", QUESTION_MARK),
            ("£", MONEY),
            ("€", MONEY),
        ] {
            self.ids.insert(spelling.into(), id);
        }
        for name in ["oclock", "am", "pm"] {
            let id = self.intern(name);
            self.clock_words.push(id);
        }
    }

    fn add_other_spellings(&mut self, same: &Table) -> Result<(), String> {
        for (right, others) in same {
            let id = self.intern(right);
            for other in strings(others, right)? {
                self.add_spelling(&other, id)?;
            }
        }
        Ok(())
    }

    /// A single letter ("u", "r") may be a spelling of a word: the word then counts as that letter.
    fn add_spelling(&mut self, other: &str, id: WordId) -> Result<(), String> {
        let old = self.ids.insert(other.into(), id).filter(|old| *old != id);
        let Some(old) = old else { return Ok(()) };
        match self.letters.remove(&old) {
            Some(letter) => {
                self.letters.insert(id, letter);
                Ok(())
            }
            None => Err(format!("same: {other:?} stands for two words")),
        }
    }

    fn add_expansions(&mut self, expand: &Table) -> Result<(), String> {
        for (short, long) in expand {
            let long = long
                .as_str()
                .ok_or_else(|| format!("expand: {short} is not a text"))?;
            let ids = long.split(' ').map(|word| self.intern(word)).collect();
            self.expansions.insert(short.as_str().into(), ids);
        }
        Ok(())
    }

    fn add_neighbours_of_two(&mut self, two: &Table) -> Result<(), String> {
        let list = |key: &str| {
            let list = two
                .get(key)
                .ok_or_else(|| format!("two.{key} is missing"))?;
            strings(list, key)
        };
        for word in list("before")? {
            let id = self.intern(&word);
            self.before_two.push(id);
        }
        for word in list("after")? {
            let id = self.intern(&word);
            self.after_two.push(id);
        }
        self.to = self.intern("to");
        Ok(())
    }

    fn add_joins(&mut self, join: &Table) -> Result<(), String> {
        for (pair, one) in join {
            let (first, second) = pair
                .split_once(' ')
                .ok_or_else(|| format!("join: {pair:?} is not two words"))?;
            let one = one
                .as_str()
                .ok_or_else(|| format!("join: {pair} is not a text"))?;
            let key = (self.intern(first), self.intern(second));
            let one = self.intern(one);
            self.joins.insert(key, one);
        }
        Ok(())
    }

    /// Adds the plain typos of the words in `[slips]`, except those that are words themselves.
    ///
    /// # Errors
    /// What is wrong with the lists.
    pub(crate) fn add_typos(&mut self, file: &Table) -> Result<(), String> {
        let slips = table(file, "slips")?;
        let never = optional_strings(slips, "never")?;
        for word in optional_strings(slips, "words")? {
            let Some(id) = self.id_of(&word) else {
                return Err(format!("slips: {word:?} is in no list"));
            };
            for typo in typos_of(&word) {
                if !never.contains(&typo) && self.expanded(&typo).is_none() {
                    self.ids.entry(typo.into()).or_insert(id);
                }
            }
        }
        Ok(())
    }

    /// The id of a word; a new word gets one.
    pub(super) fn intern(&mut self, word: &str) -> WordId {
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.ids.insert(word.into(), id);
        id
    }

    pub(super) fn id_of(&self, word: &str) -> Option<WordId> {
        self.ids.get(word).copied()
    }

    pub(super) fn id_or_unknown(&self, word: &str) -> WordId {
        self.id_of(word).unwrap_or(UNKNOWN)
    }

    /// The words for which this one stands.
    pub(super) fn expanded(&self, word: &str) -> Option<&[WordId]> {
        self.expansions.get(word).map(Vec::as_slice)
    }

    /// The one word as which these two are read.
    pub(super) fn joined(&self, first: WordId, second: WordId) -> Option<WordId> {
        self.joins.get(&(first, second)).copied()
    }

    pub(super) fn days(&self) -> impl Iterator<Item = WordId> + '_ {
        self.days.keys().copied()
    }

    /// The weekday that a word names.
    pub(crate) fn day(&self, id: WordId) -> Option<Weekday> {
        self.days.get(&id).copied()
    }

    /// The month that a word names: 1 is January.
    pub(super) fn month(&self, id: WordId) -> Option<u16> {
        self.months
            .iter()
            .find(|(month, _)| *month == id)
            .map(|(_, n)| *n)
    }

    /// The single letter that a word is.
    pub(crate) fn letter(&self, id: WordId) -> Option<char> {
        self.letters.get(&id).copied()
    }

    /// "o'clock", "am", "pm".
    pub(super) fn is_clock_word(&self, id: WordId) -> bool {
        self.clock_words.contains(&id)
    }

    /// The word "to", if a "2" between these two stands for it.
    pub(super) fn two_between(&self, before: WordId, after: WordId) -> Option<WordId> {
        (self.before_two.contains(&before) && self.after_two.contains(&after)).then_some(self.to)
    }

    pub(super) fn possessive(&self) -> WordId {
        self.s
    }
}
