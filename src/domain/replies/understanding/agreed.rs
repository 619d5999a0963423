//! Whole messages in other languages that are an answer. Nothing else in another language means
//! anything.

use crate::domain::replies::patterns::{UNKNOWN, Vocabulary, strings};
use std::collections::HashMap;
use toml::Table;

/// What a whole message means in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Yes,
    No,
    /// Neither: an English word that is another word here. Polish "no" is a "well", and not a no.
    Neither,
}

/// A message as one language has it.
struct Word {
    lang: String,
    means: Means,
    /// It is something else elsewhere: it counts only from a party whose language this is.
    own: bool,
}

/// The agreed words of every language, by message.
#[derive(Default)]
pub(super) struct Agreed {
    words: HashMap<String, Vec<Word>>,
}

/// The language itself, whatever its script or country.
fn primary(lang: &str) -> &str {
    lang.split(['-', '_']).next().unwrap_or(lang)
}

impl Agreed {
    /// Adds the words of a language: `yes`, `no` and `neither`, and in `own` those that a person
    /// knows to be something else elsewhere. `english` is asked too: what consists of English words
    /// alone is English to everybody else.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn add(
        &mut self,
        lang: &str,
        t: &Table,
        english: &Vocabulary,
    ) -> Result<(), String> {
        let list = |key: &str| t.get(key).map_or(Ok(Vec::new()), |l| strings(l, key));
        let own = list("own")?;
        for (key, means) in [
            ("yes", Means::Yes),
            ("no", Means::No),
            ("neither", Means::Neither),
        ] {
            if means != Means::Neither && !t.contains_key(key) {
                return Err(format!("{lang}: {key} is missing"));
            }
            for phrase in list(key)? {
                let in_english = english.words(&phrase).iter().all(|w| w.id != UNKNOWN);
                let here = self.words.entry(phrase.clone()).or_default();
                if here.iter().any(|w| w.lang == lang && w.means != means) {
                    return Err(format!("{lang}: {phrase:?} means two things"));
                }
                here.push(Word {
                    lang: lang.to_owned(),
                    means,
                    own: in_english || means == Means::Neither || own.contains(&phrase),
                });
            }
        }
        Ok(())
    }

    /// What a whole message means in the language of the party, if that has it.
    pub(super) fn in_own(&self, message: &str, lang: &str) -> Option<Means> {
        self.words
            .get(message)?
            .iter()
            .find(|w| primary(&w.lang) == primary(lang))
            .map(|w| w.means)
    }

    /// What a whole message means that is no answer in English: only what every language that has
    /// it agrees on, and none keeps for its own.
    pub(super) fn anywhere(&self, message: &str) -> Option<Means> {
        let all = self.words.get(message)?;
        let first = all.first()?.means;
        all.iter()
            .all(|w| !w.own && w.means == first)
            .then_some(first)
    }
}
