//! Reads tables of settings (TOML) and reports every problem at once, each with its fix.

use std::collections::BTreeSet;
use std::fmt;
use toml::{Table, Value};

/// One problem in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key with its section, `sms.rate_per_second`.
    pub key: String,
    /// What is wrong and what was expected.
    pub what: String,
    /// How to fix it.
    pub fix: String,
}

impl Problem {
    /// A problem of `key`.
    pub fn new(key: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem {
            key: key.into(),
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.key, self.what, self.fix)
    }
}

/// The name most similar to what was written, if any is similar enough.
pub fn near<'a>(names: impl IntoIterator<Item = &'a str>, written: &str) -> Option<&'a str> {
    names
        .into_iter()
        .map(|n| (strsim::damerau_levenshtein(n, written), n))
        .min()
        .filter(|(d, n)| *d <= 1 + n.len() / 3)
        .map(|(_, n)| n)
}

/// Reads the keys of a table, remembers which of them are known, and collects problems.
pub struct ConfigReader<'a> {
    table: &'a Table,
    prefix: String,
    known: BTreeSet<String>,
    sections: BTreeSet<String>,
    /// The problems so far.
    pub problems: Vec<Problem>,
}

/// A value as people write it.
fn display(v: &Value) -> String {
    match v {
        Value::String(s) => format!("{s:?}"),
        other => other.to_string(),
    }
}

impl<'a> ConfigReader<'a> {
    /// A reader of the whole table.
    pub fn new(table: &'a Table) -> Self {
        ConfigReader {
            table,
            prefix: String::new(),
            known: BTreeSet::new(),
            sections: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Records a problem with `key`, which is relative to this table.
    pub fn problem(&mut self, key: &str, what: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem {
            key: format!("{}{key}", self.prefix),
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// Reads a section with `read`. A missing section is read as an empty table.
    pub fn section<T>(&mut self, name: &str, read: impl FnOnce(&mut ConfigReader<'_>) -> T) -> T {
        self.sections.insert(name.to_owned());
        let empty = Table::new();
        let table = match self.table.get(name) {
            None => &empty,
            Some(Value::Table(t)) => t,
            Some(other) => {
                self.problem(
                    name,
                    format!("{} is no section", display(other)),
                    format!("Write it as [{name}]."),
                );
                &empty
            }
        };
        let mut inner = ConfigReader {
            prefix: format!("{}{name}.", self.prefix),
            ..ConfigReader::new(table)
        };
        let out = read(&mut inner);
        inner.unknown_keys();
        self.problems.append(&mut inner.problems);
        out
    }

    /// Reads each table of a list `[[name]]` with `read`. A missing list is empty.
    pub fn tables<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut ConfigReader<'_>) -> T,
    ) -> Vec<T> {
        self.sections.insert(name.to_owned());
        let tables: Vec<&Table> = match self.table.get(name) {
            None => Vec::new(),
            Some(Value::Array(a)) if a.iter().all(Value::is_table) => {
                a.iter().filter_map(Value::as_table).collect()
            }
            Some(other) => {
                self.problem(
                    name,
                    format!("{} is no list of tables", display(other)),
                    format!("Write each as [[{name}]]."),
                );
                Vec::new()
            }
        };
        let mut out = Vec::with_capacity(tables.len());
        for (i, table) in tables.into_iter().enumerate() {
            let mut inner = ConfigReader {
                prefix: format!("{}{name}.{}.", self.prefix, i + 1),
                ..ConfigReader::new(table)
            };
            out.push(read(&mut inner));
            inner.unknown_keys();
            self.problems.append(&mut inner.problems);
        }
        out
    }

    /// A section as it is, for another reader.
    pub fn raw_section(&mut self, name: &str) -> Option<Table> {
        let table = self.table.get(name)?.as_table().cloned();
        self.section(name, |r| r.accept_all());
        table
    }

    /// Whether the table has the section.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Reports each key that was never read, with the most similar known name.
    pub fn unknown_keys(&mut self) {
        let names: Vec<&String> = self.known.iter().chain(self.sections.iter()).collect();
        let mut found = Vec::new();
        for key in self
            .table
            .keys()
            .filter(|k| !self.known.contains(*k) && !self.sections.contains(*k))
        {
            let fix = match near(names.iter().map(|n| n.as_str()), key) {
                Some(n) => format!("Did you mean {}{n}?", self.prefix),
                None => format!(
                    "Known here: {}.",
                    names
                        .iter()
                        .map(|n| n.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            found.push((key.clone(), fix));
        }
        for (key, fix) in found {
            self.problem(&key, "there is no such setting", fix);
        }
    }

    fn get(&mut self, key: &str) -> Option<&'a Value> {
        self.known.insert(key.to_owned());
        self.table.get(key)
    }

    /// Accepts every key of this table.
    pub fn accept_all(&mut self) {
        self.known.extend(self.table.keys().cloned());
    }

    /// A text, or `default`.
    pub fn text(&mut self, key: &str, default: &str) -> String {
        self.text_opt(key).unwrap_or_else(|| default.to_owned())
    }

    /// A text, if there is one.
    pub fn text_opt(&mut self, key: &str) -> Option<String> {
        match self.get(key) {
            None => None,
            Some(Value::String(s)) => Some(s.clone()),
            Some(other) => {
                let what = format!("{} is no text", display(other));
                self.problem(key, what, "Put it in quotes.");
                None
            }
        }
    }

    /// A text that is required.
    pub fn text_required(&mut self, key: &str, fix: &str) -> String {
        match self.text_opt(key).filter(|s| !s.trim().is_empty()) {
            Some(s) => s,
            None => {
                if self
                    .problems
                    .iter()
                    .all(|p| p.key != format!("{}{key}", self.prefix))
                {
                    self.problem(key, "it is missing", fix);
                }
                String::new()
            }
        }
    }

    /// A whole number within `min..=max`, or `default`.
    pub fn whole(&mut self, key: &str, default: i64, min: i64, max: i64) -> i64 {
        let n = match self.get(key) {
            None => return default,
            Some(Value::Integer(n)) => Some(*n),
            Some(Value::String(s)) => s.trim().parse().ok(),
            Some(_) => None,
        };
        match n {
            Some(n) if (min..=max).contains(&n) => n,
            _ => {
                let given = self.table.get(key).map(display).unwrap_or_default();
                self.problem(
                    key,
                    format!("{given} is no whole number from {min} to {max}"),
                    format!("The usual value is {default}."),
                );
                default
            }
        }
    }

    /// One of these words, or `default`.
    pub fn word<T: Copy>(&mut self, key: &str, default: T, choices: &[(&str, T)]) -> T {
        let Some(text) = self.text_opt(key) else {
            return default;
        };
        match choices.iter().find(|(w, _)| *w == text) {
            Some((_, v)) => *v,
            None => {
                let words: Vec<_> = choices.iter().map(|(w, _)| format!("{w:?}")).collect();
                self.problem(
                    key,
                    format!("{text:?} is not known"),
                    format!("Use {}.", words.join(" or ")),
                );
                default
            }
        }
    }

    /// A text read by `parse`, or `default`. `expected` says what the text must look like.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(text) = self.text_opt(key) else {
            return default;
        };
        match parse(&text) {
            Some(v) => v,
            None => {
                self.problem(
                    key,
                    format!("{text:?} is not {expected}"),
                    format!("Write {expected}."),
                );
                default
            }
        }
    }

    /// A list of texts. The environment gives it as one text with commas.
    pub fn list(&mut self, key: &str) -> Option<Vec<String>> {
        match self.get(key)? {
            Value::Array(a) if a.iter().all(Value::is_str) => Some(
                a.iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect(),
            ),
            Value::String(s) => Some(
                s.split(',')
                    .map(|p| p.trim().to_owned())
                    .filter(|p| !p.is_empty())
                    .collect(),
            ),
            other => {
                let what = format!("{} is no list of texts", display(other));
                self.problem(key, what, "Write it as [\"one\", \"two\"].");
                None
            }
        }
    }

    /// Finishes reading: returns the value, or every problem if there are any.
    pub fn finish<T>(mut self, value: T) -> Result<T, Vec<Problem>> {
        self.unknown_keys();
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(self.problems)
        }
    }
}
