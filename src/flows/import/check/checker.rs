//! What checks one line of a file: its fields, and the kinds of value that several columns share.

use crate::domain::local_time::parse_time;
use crate::flows::import::finding::{Finding, Severity, shown};
use crate::flows::import::options::DateFormat;
use crate::flows::import::read::{COLUMNS, CsvFile, CsvLine, SESSION_REF};
use chrono::{Datelike, NaiveDate, NaiveTime};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Words that stand on many lines, kept once.
#[derive(Default)]
pub(super) struct SharedWords(RefCell<HashSet<Arc<str>>>);

impl SharedWords {
    pub(super) fn shared(&self, word: &str) -> Arc<str> {
        let mut all = self.0.borrow_mut();
        if let Some(w) = all.get(word) {
            return w.clone();
        }
        let w: Arc<str> = word.into();
        all.insert(w.clone());
        w
    }
}

/// The columns in which a spreadsheet dropped leading zeros: the first line of each and how many.
#[derive(Default)]
pub(super) struct Zeros(RefCell<BTreeMap<String, (u64, u64)>>);

impl Zeros {
    pub(super) fn lost(&self, column: &str, line: u64) {
        self.0
            .borrow_mut()
            .entry(column.to_owned())
            .or_insert((line, 0))
            .1 += 1;
    }

    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_inner().into_iter().map(|(column, (first, n))| {
            let what = format!(
                "on {n} lines (the first is line {first}) the number has lost its leading 0 or its \
                 +, as spreadsheets do; format the column as text, then write 07700 900101 or +44 \
                 7700 900101"
            );
            Finding::error(1, column, "leading_zeros_dropped", what)
        })
    }
}

pub(super) struct Checker<'a> {
    pub(super) file: &'a CsvFile<'a>,
    pub(super) line: &'a CsvLine,
    pub(super) dates: DateFormat,
    pub(super) words: &'a SharedWords,
    pub(super) zeros: &'a Zeros,
    pub(super) findings: Vec<Finding>,
    /// The line is no good, for a reason that is said once for the whole file.
    pub(super) spoilt: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        file: &'a CsvFile<'a>,
        line: &'a CsvLine,
        dates: DateFormat,
        words: &'a SharedWords,
        zeros: &'a Zeros,
    ) -> Checker<'a> {
        Checker {
            file,
            line,
            dates,
            words,
            zeros,
            findings: Vec::new(),
            spoilt: false,
        }
    }

    pub(super) fn get(&self, column: &str) -> &'a str {
        self.file
            .at
            .get(column)
            .and_then(|i| self.line.fields.get(*i))
            .map_or("", str::trim)
    }

    pub(super) fn find(
        &mut self,
        column: &str,
        kind: &'static str,
        severity: Severity,
        what: impl Into<String>,
    ) {
        self.findings.push(Finding {
            line: self.line.number,
            column: column.to_owned(),
            kind,
            severity,
            what: what.into(),
        });
    }

    pub(super) fn error(&mut self, column: &str, kind: &'static str, what: impl Into<String>) {
        self.find(column, kind, Severity::Error, what);
    }

    pub(super) fn required(&mut self, column: &str) -> &'a str {
        let v = self.get(column);
        if v.is_empty() {
            self.error(column, "missing_required", format!("{column} is empty"));
        }
        v
    }

    /// Characters that do not belong into any field. True if the line may be read on.
    pub(super) fn characters(&mut self) {
        for column in COLUMNS.iter().chain([&SESSION_REF]) {
            let v = self.get(column);
            if v.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
                self.error(column, "control_character", "a control character such as NUL or bell; \
                                                         take it out");
            } else if v.chars().any(|c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')) {
                self.error(column, "invisible_character", "an invisible character, such as a \
                                                           zero-width space; type it anew");
            } else if (TEXT_COLUMNS.contains(column) || matches!(*column, "case_ref" | "session_ref")) && v.starts_with(['=', '+', '-', '@']) {
                self.error(column, "formula_injection", format!("it starts with \"{}\": it would \
                                                                 run when staff open an export in \
                                                                 a spreadsheet", &v[..1]));
            } else if TEXT_COLUMNS.contains(column) && is_mojibake(v) {
                self.find(column, "mojibake", Severity::Warning, "it looks like UTF-8 that was \
                                                                  read as Latin-1; import the file \
                                                                  as UTF-8");
            }
        }
    }

    pub(super) fn date(&mut self, column: &str) -> Option<NaiveDate> {
        let v = self.required(column);
        if v.is_empty() {
            return None;
        }
        // A year of two digits is no year that anybody meant.
        let sound = |d: &NaiveDate| (2000..2200).contains(&d.year());
        if let Some(d) = NaiveDate::parse_from_str(v, "%Y-%m-%d").ok().filter(sound) {
            return Some(d);
        }
        if let Some((day, month, year)) = three_numbers(v) {
            if self.dates == DateFormat::Iso {
                let what = format!(
                    "{v}: not ISO, must not be guessed; write 2026-11-28, or import with --dates \
                     dmy if all dates are day/month/year"
                );
                self.error(column, "ambiguous_date_format", what);
                return None;
            }
            if let Some(d) = NaiveDate::from_ymd_opt(year, month, day).filter(sound) {
                return Some(d);
            }
        }
        self.error(
            column,
            "invalid_date",
            format!(
                "{} does not exist or is no date; write 2026-11-28",
                shown(v)
            ),
        );
        None
    }

    pub(super) fn time(&mut self, column: &str) -> Option<NaiveTime> {
        let v = self.required(column);
        if v.is_empty() {
            return None;
        }
        let t = parse_time(v);
        if t.is_none() {
            self.error(
                column,
                "invalid_time",
                format!("{} is not a time of day; write 10:00", shown(v)),
            );
        }
        t
    }

    pub(super) fn yes_no(&mut self, column: &str) -> bool {
        match self.required(column).to_lowercase().as_str() {
            "yes" | "true" | "1" | "y" => true,
            "no" | "false" | "0" | "n" | "" => false,
            other => {
                let what = format!("{:?} is neither yes nor no", shown(other));
                self.error(column, "invalid_boolean", what);
                false
            }
        }
    }

    pub(super) fn children(&mut self) -> i64 {
        let v = self.required("children");
        match v.parse::<i64>() {
            Ok(n) if (1..=20).contains(&n) => n,
            Ok(n) => {
                self.error(
                    "children",
                    "invalid_children",
                    format!("{n} children; write 1 to 20"),
                );
                1
            }
            Err(_) if v.is_empty() => 1,
            Err(_) => {
                self.error(
                    "children",
                    "children_not_a_number",
                    format!("{:?} is not a number", shown(v)),
                );
                1
            }
        }
    }

    pub(super) fn fee(&mut self) -> i64 {
        let v = self.required("fee_pence");
        match v.parse::<i64>() {
            Ok(n) if n < 0 => {
                self.error(
                    "fee_pence",
                    "fee_negative",
                    format!("{n}; a fee is 0 or more"),
                );
                0
            }
            Ok(n) => n,
            Err(_) if v.is_empty() => 0,
            Err(_) => {
                self.error(
                    "fee_pence",
                    "fee_not_integer_pence",
                    format!("{:?} must be whole pence or cents, such as 4500", shown(v)),
                );
                0
            }
        }
    }
}

pub(super) const TEXT_COLUMNS: &[&str] = &[
    "centre_name",
    "resident_name",
    "contact_name",
    "referrer_name",
    "notes",
];

pub(crate) fn is_mojibake(v: &str) -> bool {
    let chars: Vec<char> = v.chars().collect();
    chars
        .windows(2)
        .any(|w| matches!(w[0], 'Ã' | 'Â' | 'Ä' | 'Å') && ('\u{80}'..='\u{bf}').contains(&w[1]))
        || v.contains("â€")
}

/// `28/11/2026`, `28.11.2026` or `28-11-2026`, as spreadsheets write dates: day, month and a year
/// of four digits.
pub(crate) fn three_numbers(v: &str) -> Option<(u32, u32, i32)> {
    let mut fields = v.split(['/', '.', '-']);
    let (a, b, c) = (fields.next()?, fields.next()?, fields.next()?);
    let number = |s: &str, most: usize| {
        ((1..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<u32>().ok())
            .flatten()
    };
    let year = number(c, 4)?;
    if fields.next().is_some() {
        None
    } else {
        Some((number(a, 2)?, number(b, 2)?, i32::try_from(year).ok()?))
    }
}

/// The country of a centre that the database does not know yet, by its zone: how national numbers
/// are read.
pub(crate) fn country_of(timezone: &str) -> &'static str {
    if timezone == "Europe/Dublin" {
        "IE"
    } else {
        "GB"
    }
}
