//! Reads patterns as the files in `understanding/` write them.

use crate::domain::replies::patterns::pattern::{AnyOf, Part, Phrases, SharedPhrases};
use crate::domain::replies::patterns::pattern_set::PatternSet;
use crate::domain::replies::patterns::toml_lists::strings;
use crate::domain::replies::patterns::vocabulary::Vocabulary;
use crate::domain::replies::patterns::word::{DATE, NUMBER, PHONE, TIME, UNKNOWN, WordId};
use crate::domain::replies::patterns::word_filter::WordFilter;
use std::collections::HashMap;
use toml::Table;

/// Lists of `[classes]` may name each other this deep.
const DEEPEST: usize = 6;

/// Builds the patterns of a language.
pub(crate) struct PatternBuilder<'a> {
    pub(crate) vocabulary: Vocabulary,
    classes: &'a Table,
    /// First names, for `<name>`.
    names: Vec<String>,
    /// The lists of `classes` that were read so far.
    read: HashMap<String, Class>,
}

/// A list of `[classes]`: its single words, and its longer entries.
#[derive(Clone)]
struct Class {
    words: Vec<WordId>,
    phrases: SharedPhrases,
}

/// The alternatives of one token, as they are collected.
#[derive(Default)]
struct Alternatives {
    words: Vec<WordId>,
    phrases: Vec<SharedPhrases>,
    /// Phrases that this token spells out.
    own_phrases: Vec<Vec<Part>>,
    end: bool,
}

impl<'a> PatternBuilder<'a> {
    pub(crate) fn new(vocabulary: Vocabulary, classes: &'a Table, names: Vec<String>) -> Self {
        PatternBuilder {
            vocabulary,
            classes,
            names,
            read: HashMap::new(),
        }
    }

    /// Adds a pattern to a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn add(
        &mut self,
        to: &mut PatternSet,
        list: u16,
        pattern: &str,
    ) -> Result<(), String> {
        let parts = self.parts(pattern, 0)?;
        to.push(list, parts)
            .map_err(|why| format!("{pattern:?} {why}"))
    }

    /// `depth` counts the lists of classes around this text.
    fn parts(&mut self, pattern: &str, depth: usize) -> Result<Vec<Part>, String> {
        if depth > DEEPEST {
            return Err(format!("{pattern:?}: a list of classes names itself"));
        }
        if depth > 0 && pattern.contains("<end>") {
            return Err(format!(
                "{pattern:?}: <end> is allowed in whole patterns only, not in a list of classes"
            ));
        }
        let mut out: Vec<Part> = Vec::new();
        for token in pattern.split(' ').filter(|token| !token.is_empty()) {
            if token == ".." {
                out.push(Part::Gap);
                continue;
            }
            if let Some(number) = small_number(token) {
                return Err(format!(
                    "{pattern:?}: {number} is a number; write <num> instead"
                ));
            }
            if token.ends_with('?') || token.contains(['|', '{', '<']) {
                out.push(self.any_of(token, depth)?);
            } else {
                self.add_plain(token, &mut out);
            }
        }
        // There are thousands of them.
        out.shrink_to_fit();
        Ok(out)
    }

    /// Adds a plain word. Texts join some pairs of words, and so do patterns.
    fn add_plain(&mut self, token: &str, out: &mut Vec<Part>) {
        for id in self.word_ids(token) {
            let joined = match out.last() {
                Some(Part::Word(last)) => self.vocabulary.joined(*last, id),
                _ => None,
            };
            if joined.is_some() {
                out.pop();
            }
            out.push(Part::Word(joined.unwrap_or(id)));
        }
    }

    /// A token with alternatives, or one that is optional.
    fn any_of(&mut self, token: &str, depth: usize) -> Result<Part, String> {
        let (token, optional) = match token.strip_suffix('?') {
            Some(token) => (token, true),
            None => (token, false),
        };
        let mut found = Alternatives::default();
        for alternative in split_alternatives(token) {
            let without_end = alternative.replace("|<end>", "");
            found.end |= alternative == "<end>" || without_end != alternative;
            if alternative != "<end>" {
                self.add_alternative(&without_end, &mut found, depth)?;
            }
        }
        let Alternatives {
            mut words,
            mut phrases,
            own_phrases,
            end,
        } = found;
        words.sort_unstable();
        words.dedup();
        words.shrink_to_fit();
        if !own_phrases.is_empty() {
            phrases.push(Phrases::new(own_phrases).into());
        }
        phrases.retain(|phrases| !phrases.is_empty());
        phrases.shrink_to_fit();
        let mut phrase_filter = WordFilter::default();
        for phrases in &phrases {
            phrase_filter.add(phrases.filter);
        }
        Ok(Part::AnyOf(Box::new(AnyOf {
            word_filter: words.iter().copied().collect(),
            words,
            phrases,
            phrase_filter,
            optional,
            end,
        })))
    }

    fn add_alternative(
        &mut self,
        alternative: &str,
        found: &mut Alternatives,
        depth: usize,
    ) -> Result<(), String> {
        if let Some(special) = between(alternative, '<', '>') {
            return self.add_special(special, found);
        }
        if let Some(names) = between(alternative, '{', '}') {
            return self.add_classes(names, found, depth);
        }
        // "the_dark" is one alternative of two words.
        if alternative.contains('_') {
            let phrase = self.parts(&alternative.replace('_', " "), depth + 1)?;
            found.own_phrases.push(phrase);
            return Ok(());
        }
        match self.word_ids(alternative).as_slice() {
            [one] => found.words.push(*one),
            several => found
                .own_phrases
                .push(several.iter().map(|id| Part::Word(*id)).collect()),
        }
        Ok(())
    }

    /// `<num>`, `<day>`, `<name>` and the like.
    fn add_special(&mut self, special: &str, found: &mut Alternatives) -> Result<(), String> {
        match special {
            "num" => found.words.push(NUMBER),
            "time" => found.words.push(TIME),
            "date" => found.words.push(DATE),
            "phone" => found.words.push(PHONE),
            "unknown" => found.words.push(UNKNOWN),
            "day" => found.words.extend(self.vocabulary.days()),
            "name" => {
                for name in self.names.clone() {
                    found.words.extend(self.word_ids(&name));
                }
            }
            other => return Err(format!("<{other}> is unknown")),
        }
        Ok(())
    }

    /// `{a|b}`: lists of classes; among several, also plain words.
    fn add_classes(
        &mut self,
        names: &str,
        found: &mut Alternatives,
        depth: usize,
    ) -> Result<(), String> {
        for name in names.split('|') {
            if self.classes.contains_key(name) {
                let class = self.class(name, depth)?;
                found.words.extend(class.words);
                found.phrases.push(class.phrases);
            } else if names.contains('|') {
                self.add_alternative(name, found, depth)?;
            } else {
                return Err(format!("{{{name}}} is not a list of classes"));
            }
        }
        Ok(())
    }

    /// A list of classes, read once.
    fn class(&mut self, name: &str, depth: usize) -> Result<Class, String> {
        if let Some(class) = self.read.get(name) {
            return Ok(class.clone());
        }
        let classes = self.classes;
        let (mut words, mut phrases) = (Vec::new(), Vec::new());
        for entry in strings(&classes[name], name)? {
            let parts = self.parts(&entry, depth + 1)?;
            match parts.as_slice() {
                [Part::Word(id)] => words.push(*id),
                _ => phrases.push(parts),
            }
        }
        let class = Class {
            words,
            phrases: Phrases::new(phrases).into(),
        };
        self.read.insert(name.to_owned(), class.clone());
        Ok(class)
    }

    /// The words that a word of a pattern stands for.
    fn word_ids(&mut self, word: &str) -> Vec<WordId> {
        match self.vocabulary.expanded(word) {
            Some(ids) => ids.to_vec(),
            None => vec![self.vocabulary.intern(word)],
        }
    }
}

/// A number of one or two digits in a token. As a word of the vocabulary it would no longer be read
/// as a number.
fn small_number(token: &str) -> Option<&str> {
    token
        .split(['|', '{', '}', '_'])
        .find(|word| (1..=2).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit()))
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// Splits at `|` outside braces.
fn split_alternatives(token: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut inside = false;
    for c in token.chars() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        if c == '|' && !inside {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}
