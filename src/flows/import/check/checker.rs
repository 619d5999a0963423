//! Checks one line of a file, column by column.

use crate::domain::local_time::{Resolved, parse_time, resolve};
use crate::domain::people::role::Role;
use crate::domain::visits::session::ContactType;
use crate::flows::import::finding::{Finding, Severity, any_error, shown};
use crate::flows::import::options::DateFormat;
use crate::flows::import::read::{COLUMNS, CsvFile, CsvLine, SESSION_REF};
use crate::flows::import::row::SessionRow;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// SharedWords that stand on many lines, kept once.
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

    pub(super) fn instant(
        &mut self,
        column: &str,
        tz: Tz,
        date: NaiveDate,
        time: NaiveTime,
    ) -> Option<DateTime<Utc>> {
        let local = date.and_time(time);
        match resolve(tz, local) {
            Resolved::Once(t) => Some(t),
            Resolved::Never(_) => {
                self.error(
                    column,
                    "nonexistent_local_time",
                    format!(
                        "{} does not exist in {tz} (clocks go forward)",
                        local.format("%Y-%m-%d %H:%M")
                    ),
                );
                None
            }
            Resolved::Twice(_) => {
                self.error(
                    column,
                    "ambiguous_local_time",
                    format!(
                        "{} happens twice in {tz} (clocks go back)",
                        local.format("%Y-%m-%d %H:%M")
                    ),
                );
                None
            }
        }
    }

    pub(super) fn row(&mut self, countries: &HashMap<String, String>) -> Option<SessionRow> {
        self.characters();
        let centre = self.required("centre_code");
        let centre_name = self.required("centre_name");
        let tz_text = self.required("timezone");
        let tz = tz_text.parse::<Tz>().ok();
        if tz.is_none() && !tz_text.is_empty() {
            self.error(
                "timezone",
                "unknown_timezone",
                format!(
                    "{} is not an IANA time zone; write Europe/London",
                    shown(tz_text)
                ),
            );
        }
        let case_ref = self.required("case_ref").to_owned();
        let court_ordered = self.yes_no("court_ordered");
        let children = self.children();
        let (date, start, end) = (
            self.date("session_date"),
            self.time("start_time"),
            self.time("end_time"),
        );
        let mut span = None;
        if let (Some(tz), Some(date), Some(start), Some(end)) = (tz, date, start, end) {
            if end <= start {
                self.error(
                    "end_time",
                    "end_not_after_start",
                    format!(
                        "the session ends {} and starts {}",
                        end.format("%H:%M"),
                        start.format("%H:%M")
                    ),
                );
            } else if let Some(s) = self.instant("start_time", tz, date, start) {
                span = self
                    .instant("end_time", tz, date, end)
                    .map(|e| (tz, date, s, e));
            }
        }
        let type_text = self.required("contact_type");
        let contact_type = type_text.parse::<ContactType>().ok();
        if !type_text.is_empty() && contact_type.is_none() {
            self.error(
                "contact_type",
                "unknown_contact_type",
                format!(
                    "{:?} is not offered; write supported, supervised, handover or previsit",
                    shown(type_text)
                ),
            );
        }
        let fee_minor = self.fee();
        let currency = self.required("currency");
        if !currency.is_empty()
            && (currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()))
        {
            self.error(
                "currency",
                "unknown_currency",
                format!(
                    "{:?} is no currency code; write GBP or EUR",
                    shown(currency)
                ),
            );
        }
        let payer_text = self.required("usually_pays");
        let usually_pays = PAYERS.into_iter().find(|p| *p == payer_text);
        if !payer_text.is_empty() && usually_pays.is_none() {
            self.error(
                "usually_pays",
                "invalid_usually_pays",
                format!(
                    "{:?} must be resident, contact, referrer or none",
                    shown(payer_text)
                ),
            );
        }
        let country = countries
            .get(centre)
            .map_or_else(|| country_of(tz_text), String::as_str);
        let previsit = contact_type == Some(ContactType::Previsit);
        let mut parties = vec![
            self.party(Role::Resident, country, span, previsit),
            self.party(Role::Contact, country, span, previsit),
        ];
        let same_phone = parties[0].phone.is_some() && parties[0].phone == parties[1].phone;
        let same_chat =
            parties[0].telegram_id.is_some() && parties[0].telegram_id == parties[1].telegram_id;
        if same_phone || same_chat {
            let column = if same_phone {
                "contact_phone"
            } else {
                "contact_telegram_id"
            };
            self.error(
                column,
                "shared_number_between_parties",
                "resident and contact parent have the same: messages would reach the other party",
            );
        }
        parties.extend(self.referrer(country));
        let status = match self.required("status") {
            "booked" | "" => "booked",
            "cancelled" => "cancelled",
            other => {
                self.error(
                    "status",
                    "unknown_status",
                    format!(
                        "{:?} is not a status; write booked or cancelled",
                        shown(other)
                    ),
                );
                "booked"
            }
        };
        let booked_text = self.required("booked_at");
        let booked_at = DateTime::parse_from_rfc3339(booked_text)
            .ok()
            .map(|t| t.with_timezone(&Utc));
        if booked_at.is_none() && !booked_text.is_empty() {
            self.error(
                "booked_at",
                "invalid_booked_at",
                format!(
                    "{:?} is no instant; write 2026-11-07T09:30:00Z",
                    shown(booked_text)
                ),
            );
        }
        if let (Some(b), Some((.., s, _))) = (booked_at, span)
            && b > s
        {
            self.error(
                "booked_at",
                "booked_after_start",
                "it was booked after it starts",
            );
        }
        if self.spoilt || any_error(&self.findings) {
            return None;
        }
        let (_, _, starts_at, ends_at) = span?;
        let session_ref = Some(self.get(SESSION_REF))
            .filter(|s| !s.is_empty())
            .map(str::to_owned);
        Some(SessionRow {
            line: self.line.number,
            centre: self.words.shared(centre),
            centre_name: self.words.shared(centre_name),
            timezone: self.words.shared(tz_text),
            case_ref,
            session_ref,
            court_ordered,
            children,
            start_local: date?.and_time(start?),
            starts_at,
            ends_at,
            contact_type: contact_type?.as_str(),
            fee_minor,
            currency: self.words.shared(currency),
            usually_pays: usually_pays?,
            status,
            booked_at: booked_at?,
            parties,
        })
    }
}

pub(super) const PAYERS: [&str; 4] = ["resident", "contact", "referrer", "none"];

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
