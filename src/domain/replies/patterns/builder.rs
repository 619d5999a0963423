//! Reads patterns as they stand in the files.

use crate::domain::replies::patterns::matching::firsts_of;
use crate::domain::replies::patterns::{
    Choice, DATE, Group, Id, NUM, PHONE, Part, Patterns, Shared, Sieve, TIME, UNKNOWN, Vocabulary,
    strings,
};
use std::collections::HashMap;
use toml::{Table, Value};

/// Builds patterns of a language.
pub(in crate::domain) struct Builder<'a> {
    pub(in crate::domain) vocabulary: Vocabulary,
    pub(in crate::domain) classes: &'a Table,
    /// First names, for `<name>`.
    pub(in crate::domain) names: Vec<String>,
    /// The lists of classes that were read so far.
    pub(in crate::domain) read: HashMap<String, Class>,
}

/// The single words of a list of classes, and what is longer.
pub(in crate::domain) type Class = (Vec<Id>, Shared);

impl Builder<'_> {
    /// Adds a pattern of a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::domain) fn add(
        &mut self,
        to: &mut Patterns,
        list: u16,
        pattern: &str,
    ) -> Result<(), String> {
        let parts = self.parts(pattern, 0)?;
        let mut firsts = Vec::new();
        if !firsts_of(&parts, &mut firsts) || firsts.is_empty() {
            return Err(format!("{pattern:?} can be nothing, or begins with a gap"));
        }
        firsts.sort_unstable();
        firsts.dedup();
        to.push(list, parts, &firsts);
        Ok(())
    }

    fn parts(&mut self, pattern: &str, deep: usize) -> Result<Vec<Part>, String> {
        if deep > 6 {
            return Err(format!("{pattern:?}: a list of classes names itself"));
        }
        let mut out: Vec<Part> = Vec::new();
        if deep > 0 && pattern.contains("<end>") {
            return Err(format!(
                "{pattern:?}: only a whole pattern knows where a sentence ends"
            ));
        }
        for token in pattern.split(' ').filter(|t| !t.is_empty()) {
            if token == ".." {
                out.push(Part::Gap);
                continue;
            }
            if let Some(digits) = token
                .split(['|', '{', '}', '_'])
                .find(|w| (1..=2).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_digit()))
            {
                return Err(format!("{pattern:?}: {digits} is a number; write <num>"));
            }
            let (token, optional) = token
                .strip_suffix('?')
                .map_or((token, false), |t| (t, true));
            if !optional && !token.contains(['|', '{', '<']) {
                for id in self.plain_word(token) {
                    // Texts are joined as they are read; so are patterns.
                    let joined = match out.last() {
                        Some(Part::Word(last)) => self.vocabulary.join.get(&(*last, id)).copied(),
                        _ => None,
                    };
                    match joined {
                        Some(one) => {
                            out.pop();
                            out.push(Part::Word(one));
                        }
                        None => out.push(Part::Word(id)),
                    }
                }
                continue;
            }
            let (mut words, mut longer, mut loose, mut end) =
                (Vec::new(), Vec::new(), Vec::new(), false);
            for alternative in alternatives(token) {
                let without = alternative.replace("|<end>", "");
                end |= alternative == "<end>" || without != alternative;
                if alternative == "<end>" {
                    continue;
                }
                let alternative = without;
                self.alternative(&alternative, &mut words, &mut longer, &mut loose, deep)?;
            }
            words.sort_unstable();
            words.dedup();
            if !loose.is_empty() {
                longer.push(Group::of(loose).into());
            }
            longer.retain(|group| !group.is_empty());
            longer.shrink_to_fit();
            words.shrink_to_fit();
            let sieve = words.iter().copied().collect();
            let mut begins = Sieve::default();
            longer.iter().for_each(|group| begins.add(group.begins()));
            out.push(Part::Choice(Box::new(Choice {
                words,
                sieve,
                longer,
                begins,
                optional,
                end,
            })));
        }
        // There are thousands of them.
        out.shrink_to_fit();
        Ok(out)
    }

    /// A pattern's own word. Small numbers are no words: as words of the vocabulary they would be
    /// numbers no more.
    fn plain_word(&mut self, w: &str) -> Vec<Id> {
        if let Some(ids) = self.vocabulary.expand.get(w) {
            return ids.clone();
        }
        vec![self.vocabulary.intern(w)]
    }

    /// A list of classes: its single words, and what is longer.
    fn class(&mut self, list: &Value, name: &str, deep: usize) -> Result<Class, String> {
        let (mut words, mut longer) = (Vec::new(), Vec::new());
        for entry in strings(list, name)? {
            let parts = self.parts(&entry, deep + 1)?;
            match parts.as_slice() {
                [Part::Word(id)] => words.push(*id),
                _ => longer.push(parts),
            }
        }
        Ok((words, Group::of(longer).into()))
    }

    fn alternative(
        &mut self,
        a: &str,
        words: &mut Vec<Id>,
        longer: &mut Vec<Shared>,
        loose: &mut Vec<Vec<Part>>,
        deep: usize,
    ) -> Result<(), String> {
        if let Some(special) = a.strip_prefix('<').and_then(|a| a.strip_suffix('>')) {
            match special {
                "num" => words.push(NUM),
                "time" => words.push(TIME),
                "date" => words.push(DATE),
                "phone" => words.push(PHONE),
                "unknown" => words.push(UNKNOWN),
                "day" => words.extend(self.vocabulary.days.keys()),
                "name" => {
                    for name in self.names.clone() {
                        words.extend(self.plain_word(&name));
                    }
                }
                other => return Err(format!("<{other}> is nothing")),
            }
            return Ok(());
        }
        if let Some(inner) = a.strip_prefix('{').and_then(|a| a.strip_suffix('}')) {
            for name in inner.split('|') {
                match self.classes.get(name) {
                    Some(list) => {
                        if !self.read.contains_key(name) {
                            let class = self.class(list, name, deep)?;
                            self.read.insert(name.to_owned(), class);
                        }
                        if let Some((one, more)) = self.read.get(name) {
                            words.extend(one);
                            longer.push(more.clone());
                        }
                    }
                    None if inner.contains('|') => {
                        self.alternative(name, words, longer, loose, deep)?
                    }
                    None => return Err(format!("{{{name}}} is no list of classes")),
                }
            }
            return Ok(());
        }
        // "the_dark" is two words that stand for one alternative.
        if a.contains('_') {
            loose.push(self.parts(&a.replace('_', " "), deep + 1)?);
            return Ok(());
        }
        match self.plain_word(a).as_slice() {
            [one] => words.push(*one),
            many => loose.push(many.iter().map(|id| Part::Word(*id)).collect()),
        }
        Ok(())
    }
}

/// Splits at `|` outside braces.
fn alternatives(token: &str) -> Vec<String> {
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
