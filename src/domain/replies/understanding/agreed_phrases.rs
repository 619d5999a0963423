//! Whole messages in other languages that are an answer. Nothing else in another language is one.

use crate::domain::replies::patterns::{UNKNOWN, Vocabulary, optional_strings};
use std::collections::HashMap;
use toml::Table;

/// What a whole message means in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhraseMeaning {
    Yes,
    No,
    /// It looks like an English answer, but is another word here: Polish "no" is "well".
    Neither,
}

/// The meaning of a phrase in one language.
struct Translation {
    lang: String,
    meaning: PhraseMeaning,
    /// It counts only for a party with this language, because elsewhere it may be another word.
    own_speakers_only: bool,
}

/// The phrases of all languages.
#[derive(Default)]
pub(super) struct AgreedPhrases {
    translations: HashMap<String, Vec<Translation>>,
}

impl AgreedPhrases {
    /// Adds the phrases of a language: `yes`, `no` and `neither`, and in `own` those that are
    /// something else elsewhere. A phrase of English words alone counts as English for everybody
    /// else.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn add(
        &mut self,
        lang: &str,
        file: &Table,
        english: &Vocabulary,
    ) -> Result<(), String> {
        let own = optional_strings(file, "own")?;
        for (key, meaning) in [
            ("yes", PhraseMeaning::Yes),
            ("no", PhraseMeaning::No),
            ("neither", PhraseMeaning::Neither),
        ] {
            if meaning != PhraseMeaning::Neither && !file.contains_key(key) {
                return Err(format!("{lang}: {key} is missing"));
            }
            for phrase in optional_strings(file, key)? {
                let is_english = english.words(&phrase).iter().all(|w| w.id != UNKNOWN);
                let known = self.translations.entry(phrase.clone()).or_default();
                if known.iter().any(|t| t.lang == lang && t.meaning != meaning) {
                    return Err(format!("{lang}: {phrase:?} means two things"));
                }
                known.push(Translation {
                    lang: lang.to_owned(),
                    meaning,
                    own_speakers_only: is_english
                        || meaning == PhraseMeaning::Neither
                        || own.contains(&phrase),
                });
            }
        }
        Ok(())
    }

    /// What a whole message means in the party's own language, if it is a phrase of it.
    pub(super) fn in_language(&self, message: &str, lang: &str) -> Option<PhraseMeaning> {
        self.translations
            .get(message)?
            .iter()
            .find(|t| primary_tag(&t.lang) == primary_tag(lang))
            .map(|t| t.meaning)
    }

    /// What a whole message means to anybody: every language that has the phrase must agree, and
    /// none may keep it for its own speakers.
    pub(super) fn in_any_language(&self, message: &str) -> Option<PhraseMeaning> {
        let translations = self.translations.get(message)?;
        let meaning = translations.first()?.meaning;
        translations
            .iter()
            .all(|t| !t.own_speakers_only && t.meaning == meaning)
            .then_some(meaning)
    }
}

/// The language without its script or country.
fn primary_tag(lang: &str) -> &str {
    lang.split(['-', '_']).next().unwrap_or(lang)
}
