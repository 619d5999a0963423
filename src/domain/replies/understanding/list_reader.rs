//! Reads the lists of one language file.

use crate::domain::replies::patterns::{PatternBuilder, PatternSet, Vocabulary, strings, table};
use crate::domain::replies::understanding::indicator::Indicator;
use crate::domain::replies::understanding::whole_message::WholeMessage;
use toml::Table;

pub(super) struct ListReader<'a> {
    pub(super) file: &'a Table,
    builder: PatternBuilder<'a>,
}

impl<'a> ListReader<'a> {
    /// `classes` are the lists that patterns may name.
    pub(super) fn new(
        file: &'a Table,
        classes: &'a Table,
        names: Vec<String>,
    ) -> Result<Self, String> {
        let vocabulary = Vocabulary::read(file)?;
        Ok(ListReader {
            file,
            builder: PatternBuilder::new(vocabulary, classes, names),
        })
    }

    /// The words that are known so far.
    pub(super) fn vocabulary(&self) -> &Vocabulary {
        &self.builder.vocabulary
    }

    pub(super) fn into_vocabulary(self) -> Vocabulary {
        self.builder.vocabulary
    }

    /// One list. It may be missing.
    pub(super) fn list(&mut self, section: &str, key: &str) -> Result<PatternSet, String> {
        self.lists(section, &[key])
    }

    /// Several lists as one set, numbered in this order. Any may be missing.
    pub(super) fn lists(&mut self, section: &str, keys: &[&str]) -> Result<PatternSet, String> {
        let table = table(self.file, section)?;
        let mut out = PatternSet::default();
        for (n, key) in (0u16..).zip(keys) {
            let Some(list) = table.get(*key) else {
                continue;
            };
            for pattern in strings(list, key)? {
                self.add(&mut out, n, &pattern)
                    .map_err(|why| format!("{section}.{key}: {why}"))?;
            }
        }
        Ok(out)
    }

    /// Adds a pattern to a list of a set.
    pub(super) fn add(
        &mut self,
        to: &mut PatternSet,
        list: u16,
        pattern: &str,
    ) -> Result<(), String> {
        self.builder.add(to, list, pattern)
    }

    pub(super) fn indicator(&mut self, section: &str) -> Result<Indicator, String> {
        Ok(Indicator {
            signs: self.list(section, "core")?,
            unless: self.list(section, "unless")?,
        })
    }

    /// The `[[danger]]` lists, numbered in their order.
    pub(super) fn danger(&mut self) -> Result<Indicator, String> {
        let subjects = self
            .file
            .get("danger")
            .and_then(|danger| danger.as_array())
            .ok_or("danger is missing")?;
        let mut out = Indicator::default();
        for (n, subject) in (0u16..).zip(subjects) {
            let subject = subject
                .as_table()
                .ok_or("danger has an entry that is not a table")?;
            let name = subject
                .get("name")
                .and_then(|name| name.as_str())
                .ok_or("a list of danger has no name")?;
            for (key, to) in [("core", &mut out.signs), ("unless", &mut out.unless)] {
                let list = subject
                    .get(key)
                    .ok_or_else(|| format!("{name}: {key} is missing"))?;
                for pattern in strings(list, key)? {
                    self.add(to, n, &pattern)
                        .map_err(|why| format!("{name}, {key}: {why}"))?;
                }
            }
        }
        Ok(out)
    }

    pub(super) fn whole_message(&mut self, section: &str) -> Result<WholeMessage, String> {
        let mut words = self.lists(section, &["core", "extra"])?;
        for pattern in strings(&table(self.file, "stranger")?["around"], "around")? {
            self.add(&mut words, WholeMessage::EXTRA, &pattern)?;
        }
        Ok(WholeMessage {
            whole: self.list(section, "whole")?,
            courtesy: self.list(section, "courtesy")?,
            words,
            unless: self.list(section, "unless")?,
        })
    }

    /// A text in which each character counts.
    pub(super) fn characters(&self, section: &str, key: &str) -> Result<String, String> {
        table(self.file, section)?
            .get(key)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
            .ok_or_else(|| format!("{section}.{key} is missing"))
    }
}
