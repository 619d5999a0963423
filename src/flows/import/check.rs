//! Checks the lines of a file: every finding at once, each with its line, its column and what was expected.

use super::Dates;
use super::read::{COLUMNS, File, Line, SESSION_REF};
use crate::domain::local_time::{Resolved, parse_time, resolve};
use crate::domain::person::{Channel, Consent, Phone, PhoneError, Role};
use crate::domain::session::ContactType;
use crate::words_enum;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

words_enum! {
    /// How bad a finding is.
    Severity {
        /// Nothing is written.
        Error = "error",
        /// Worth a look.
        Warning = "warning",
    }
}

/// Something that was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Physical line; the header is 1.
    pub line: u64,
    /// The column, or nothing for the whole line.
    pub column: String,
    /// What kind of finding.
    pub kind: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong and what was expected. Never a whole name or number.
    pub what: String,
}

/// One party of a line.
pub(super) struct PartyRow {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) phone: Option<Phone>,
    pub(super) telegram_id: Option<String>,
    pub(super) channel: Channel,
    pub(super) language: String,
    pub(super) consent: Consent,
    /// Own arrival and departure; `None` for who does not attend.
    pub(super) times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(super) detail: String,
}

/// One good line.
pub(super) struct SessionRow {
    pub(super) line: u64,
    pub(super) centre: String,
    pub(super) centre_name: String,
    pub(super) timezone: String,
    pub(super) case_ref: String,
    pub(super) session_ref: Option<String>,
    pub(super) court_ordered: bool,
    pub(super) children: i64,
    pub(super) start_local: NaiveDateTime,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) contact_type: String,
    pub(super) fee_minor: i64,
    pub(super) currency: String,
    pub(super) usually_pays: String,
    pub(super) status: &'static str,
    pub(super) booked_at: DateTime<Utc>,
    pub(super) parties: Vec<PartyRow>,
}

impl SessionRow {
    pub(super) fn finding(&self, column: &str, kind: &'static str, severity: Severity, role: Role, what: &str) -> Finding {
        let column = match column {
            "phone" => format!("{role}_phone"),
            "resident_name" => format!("{role}_name"),
            other => other.to_owned(),
        };
        Finding { line: self.line, column, kind, severity, what: what.to_owned() }
    }

    /// What of the line concerns the session: the same again changes nothing.
    pub(super) fn fingerprint(&self) -> String {
        use std::fmt::Write as _;
        let mut out =
            format!("{}|{}|{}|{}|{}|{}|{}|{}", self.starts_at, self.ends_at, self.contact_type, self.fee_minor, self.currency, self.usually_pays, self.status, self.booked_at);
        for p in &self.parties {
            if let Some((a, d)) = p.times {
                let _ = write!(out, "|{} {a} {d}", p.role);
            }
        }
        out
    }
}

/// The country of a centre that the database does not know yet, by its zone: how national numbers are read.
pub(super) fn country_of(timezone: &str) -> &'static str {
    if timezone == "Europe/Dublin" { "IE" } else { "GB" }
}

/// ISO 639-1: whatever is no language at all is worth a warning; a language without templates is simply English.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

const TEXT_COLUMNS: &[&str] = &["centre_name", "resident_name", "contact_name", "referrer_name", "notes"];

struct Checker<'a> {
    file: &'a File,
    line: &'a Line,
    dates: Dates,
    findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    fn get(&self, column: &str) -> &'a str {
        self.file.at.get(column).and_then(|i| self.line.fields.get(*i)).map_or("", |s| s.trim())
    }

    fn find(&mut self, column: &str, kind: &'static str, severity: Severity, what: impl Into<String>) {
        self.findings.push(Finding { line: self.line.number, column: column.to_owned(), kind, severity, what: what.into() });
    }

    fn error(&mut self, column: &str, kind: &'static str, what: impl Into<String>) {
        self.find(column, kind, Severity::Error, what);
    }

    fn required(&mut self, column: &str) -> &'a str {
        let v = self.get(column);
        if v.is_empty() {
            self.error(column, "missing_required", format!("{column} is empty"));
        }
        v
    }

    /// Characters that do not belong into any field. True if the line may be read on.
    fn characters(&mut self) {
        for column in COLUMNS {
            let v = self.get(column);
            if v.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
                self.error(column, "control_character", "a control character such as NUL or bell; take it out");
            } else if v.chars().any(|c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')) {
                self.error(column, "invisible_character", "an invisible character, such as a zero-width space; type it anew");
            } else if (TEXT_COLUMNS.contains(column) || *column == "case_ref") && v.starts_with(['=', '+', '-', '@']) {
                self.error(column, "formula_injection", format!("it starts with \"{}\": it would run when staff open an export in a spreadsheet", &v[..1]));
            } else if TEXT_COLUMNS.contains(column) && is_mojibake(v) {
                self.find(column, "mojibake", Severity::Warning, "it looks like UTF-8 that was read as Latin-1; import the file as UTF-8");
            }
        }
    }

    fn date(&mut self, column: &str) -> Option<NaiveDate> {
        let v = self.required(column);
        if v.is_empty() {
            return None;
        }
        if let Ok(d) = NaiveDate::parse_from_str(v, "%Y-%m-%d") {
            return Some(d);
        }
        let fields: Vec<&str> = v.split('/').collect();
        if fields.len() == 3 && fields.iter().all(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit())) {
            if self.dates == Dates::Dmy {
                if let Ok(d) = NaiveDate::parse_from_str(v, "%d/%m/%Y") {
                    return Some(d);
                }
            } else {
                self.error(
                    column,
                    "ambiguous_date_format",
                    format!("{v}: not ISO, must not be guessed; write 2026-11-28, or import with --dates dmy if all dates are day/month/year"),
                );
                return None;
            }
        }
        self.error(column, "invalid_date", format!("{v} does not exist or is no date; write 2026-11-28"));
        None
    }

    fn time(&mut self, column: &str) -> Option<NaiveTime> {
        let v = self.required(column);
        if v.is_empty() {
            return None;
        }
        let t = parse_time(v);
        if t.is_none() {
            self.error(column, "invalid_time", format!("{v} is not a time of day; write 10:00"));
        }
        t
    }

    fn yes_no(&mut self, column: &str) -> bool {
        match self.required(column).to_lowercase().as_str() {
            "yes" | "true" | "1" | "y" => true,
            "no" | "false" | "0" | "n" | "" => false,
            other => {
                let what = format!("{other:?} is neither yes nor no");
                self.error(column, "invalid_boolean", what);
                false
            }
        }
    }

    fn children(&mut self) -> i64 {
        let v = self.required("children");
        match v.parse::<i64>() {
            Ok(n) if (1..=20).contains(&n) => n,
            Ok(n) => {
                self.error("children", "invalid_children", format!("{n} children; write 1 to 20"));
                1
            }
            Err(_) if v.is_empty() => 1,
            Err(_) => {
                self.error("children", "children_not_a_number", format!("{v:?} is not a number"));
                1
            }
        }
    }

    fn fee(&mut self) -> i64 {
        let v = self.required("fee_pence");
        match v.parse::<i64>() {
            Ok(n) if n < 0 => {
                self.error("fee_pence", "fee_negative", format!("{n}; a fee is 0 or more"));
                0
            }
            Ok(n) => n,
            Err(_) if v.is_empty() => 0,
            Err(_) => {
                self.error("fee_pence", "fee_not_integer_pence", format!("{v:?} must be whole pence or cents, such as 4500"));
                0
            }
        }
    }

    fn instant(&mut self, column: &str, tz: Tz, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
        let local = date.and_time(time);
        match resolve(tz, local) {
            Resolved::Once(t) => Some(t),
            Resolved::Never(_) => {
                self.error(column, "nonexistent_local_time", format!("{} does not exist in {tz} (clocks go forward)", local.format("%Y-%m-%d %H:%M")));
                None
            }
            Resolved::Twice(_) => {
                self.error(column, "ambiguous_local_time", format!("{} happens twice in {tz} (clocks go back)", local.format("%Y-%m-%d %H:%M")));
                None
            }
        }
    }

    fn phone(&mut self, column: &str, country: &str) -> Option<Phone> {
        let v = self.get(column);
        if v.is_empty() {
            return None;
        }
        let first = Phone::parse(v, country);
        // Another reading is tried only if the first is no possible number and exactly one is.
        let other = if country == "GB" { "IE" } else { "GB" };
        match first.or_else(|e| if e == PhoneError::NotANumber { Phone::parse(v, other).map_err(|_| e) } else { Err(e) }) {
            Ok(p) => Some(p),
            Err(e) => {
                let kind = match e {
                    PhoneError::TooShort => "phone_too_short",
                    PhoneError::TooLong => "phone_too_long",
                    PhoneError::BadCharacter => "phone_bad_character",
                    PhoneError::NotANumber => "phone_not_a_number",
                };
                self.error(column, kind, format!("{e}; write it as 07700 900101 or +44 7700 900101"));
                None
            }
        }
    }

    fn party(&mut self, role: Role, country: &str, own: Option<(Tz, NaiveDate, DateTime<Utc>, DateTime<Utc>)>, previsit: bool) -> PartyRow {
        let col = |name: &str| format!("{role}_{name}");
        let name = self.required(&col("name")).to_owned();
        let before = self.findings.len();
        let phone = self.phone(&col("phone"), country);
        let bad_phone = self.findings.len() > before;
        let telegram_id = match self.get(&col("telegram_id")) {
            "" => None,
            v if v.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()) && v.parse::<i64>().is_ok() => Some(v.to_owned()),
            _ => {
                self.error(&col("telegram_id"), "telegram_id_not_numeric", "it is no chat id (a number); a parent gets one by pressing Start");
                None
            }
        };
        let bad_chat = self.findings.iter().any(|f| f.kind == "telegram_id_not_numeric");
        let mut channel = Channel::None;
        match self.get(&col("channel")).parse::<Channel>() {
            Ok(c) => channel = c,
            Err(_) if self.get(&col("channel")).is_empty() => {}
            Err(_) => {
                let what = format!("{:?} is not supported; write sms, telegram, whatsapp or none", self.get(&col("channel")));
                self.error(&col("channel"), "unknown_channel", what);
            }
        }
        let consent_text = self.get(&col("consent"));
        let mut consent = Consent::No;
        match consent_text.split(':').next().unwrap_or("").parse::<Consent>() {
            Ok(c) => consent = c,
            Err(_) if consent_text.is_empty() => {
                if channel != Channel::None {
                    self.error(&col("consent"), "channel_without_consent", format!("channel {channel} but consent is empty; write yes, no or stop"));
                }
            }
            Err(_) => self.error(&col("consent"), "unknown_consent", format!("{consent_text:?} is none of yes, no, stop")),
        }
        if channel == Channel::Telegram && telegram_id.is_none() && !bad_chat {
            self.error(&col("telegram_id"), "telegram_without_id", "channel telegram but no chat id (the parent must press Start first)");
        }
        if matches!(channel, Channel::Sms | Channel::Whatsapp) && consent == Consent::Yes && !bad_phone {
            match &phone {
                Some(p) if !p.takes_texts() => self.error(&col("phone"), "sms_to_landline", "it is a landline, which takes no texts; use another channel or none"),
                Some(_) => {}
                None => self.error(&col("phone"), "missing_required", format!("channel {channel} but no phone")),
            }
        }
        let language = self.get(&col("language")).to_lowercase();
        let primary = language.split('-').next().unwrap_or("");
        if !primary.is_empty() && !LANGUAGES.split(' ').any(|l| l == primary) {
            self.find(&col("language"), "unknown_language", Severity::Warning, format!("{language:?} is no language; texts will be in English"));
        }
        let times = own.and_then(|(tz, date, start, end)| {
            let mut at = |column: &str, default: DateTime<Utc>| match self.get(&col(column)) {
                "" => Some(default),
                v => match parse_time(v) {
                    Some(t) => self.instant(&col(column), tz, date, t),
                    None => {
                        let what = format!("{v} is not a time of day; write 10:00");
                        self.error(&col(column), "invalid_time", what);
                        None
                    }
                },
            };
            let (arrives, leaves) = (at("arrival", start)?, at("departure", end)?);
            if arrives >= end || arrives < start - Duration::hours(3) {
                self.error(&col("arrival"), "arrival_outside_session", "the arrival does not fit the session");
            } else if leaves <= arrives || leaves > end + Duration::hours(3) {
                self.error(&col("departure"), "arrival_outside_session", "the departure does not fit the session");
            }
            Some((arrives, leaves))
        });
        let attends = !(previsit && role == Role::Contact && self.get("contact_arrival").is_empty());
        let language = if language.is_empty() { "en".into() } else { language };
        PartyRow { role, name, phone, telegram_id, channel, language, consent, times: times.filter(|_| attends), detail: String::new() }
    }

    fn referrer(&mut self, country: &str) -> Option<PartyRow> {
        let role = self.get("referrer_role");
        let name = self.get("referrer_name");
        if role.is_empty() && name.is_empty() {
            return None;
        }
        const ROLES: [&str; 7] = ["solicitor", "social_worker", "cafcass", "mediator", "court", "self", "parent"];
        if !ROLES.contains(&role) {
            self.error("referrer_role", "unknown_referrer_role", format!("{role:?} is not a referrer role; write one of {}", ROLES.join(", ")));
        }
        let phone = self.phone("referrer_phone", country);
        let detail = format!("{role} {}", self.get("referrer_email"));
        Some(PartyRow {
            role: Role::Referrer,
            name: name.to_owned(),
            phone,
            telegram_id: None,
            channel: Channel::None,
            language: "en".into(),
            consent: Consent::No,
            times: None,
            detail,
        })
    }

    fn row(&mut self, countries: &HashMap<String, String>) -> Option<SessionRow> {
        self.characters();
        let centre = self.required("centre_code").to_owned();
        let centre_name = self.required("centre_name").to_owned();
        let tz_text = self.required("timezone");
        let tz = tz_text.parse::<Tz>().ok();
        if tz.is_none() && !tz_text.is_empty() {
            self.error("timezone", "unknown_timezone", format!("{tz_text} is not an IANA time zone; write Europe/London"));
        }
        let case_ref = self.required("case_ref").to_owned();
        let court_ordered = self.yes_no("court_ordered");
        let children = self.children();
        let (date, start, end) = (self.date("session_date"), self.time("start_time"), self.time("end_time"));
        let mut span = None;
        if let (Some(tz), Some(date), Some(start), Some(end)) = (tz, date, start, end) {
            if end <= start {
                self.error("end_time", "end_not_after_start", format!("the session ends {} and starts {}", end.format("%H:%M"), start.format("%H:%M")));
            } else if let Some(s) = self.instant("start_time", tz, date, start) {
                span = self.instant("end_time", tz, date, end).map(|e| (tz, date, s, e));
            }
        }
        let contact_type = self.required("contact_type").to_owned();
        if !contact_type.is_empty() && contact_type.parse::<ContactType>().is_err() {
            self.error("contact_type", "unknown_contact_type", format!("{contact_type:?} is not offered; write supported, supervised, handover or previsit"));
        }
        let fee_minor = self.fee();
        let currency = self.required("currency").to_owned();
        if !currency.is_empty() && (currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase())) {
            self.error("currency", "unknown_currency", format!("{currency:?} is no currency code; write GBP or EUR"));
        }
        let usually_pays = self.required("usually_pays").to_owned();
        if !usually_pays.is_empty() && !["resident", "contact", "referrer", "none"].contains(&usually_pays.as_str()) {
            self.error("usually_pays", "invalid_usually_pays", format!("{usually_pays:?} must be resident, contact, referrer or none"));
        }
        let country = countries.get(&centre).map_or_else(|| country_of(tz_text), String::as_str);
        let previsit = contact_type == "previsit";
        let mut parties = vec![self.party(Role::Resident, country, span, previsit), self.party(Role::Contact, country, span, previsit)];
        let same_phone = parties[0].phone.is_some() && parties[0].phone == parties[1].phone;
        let same_chat = parties[0].telegram_id.is_some() && parties[0].telegram_id == parties[1].telegram_id;
        if same_phone || same_chat {
            let column = if same_phone { "contact_phone" } else { "contact_telegram_id" };
            self.error(column, "shared_number_between_parties", "resident and contact parent have the same: messages would reach the other party");
        }
        parties.extend(self.referrer(country));
        let status = match self.required("status") {
            "booked" | "" => "booked",
            "cancelled" => "cancelled",
            other => {
                self.error("status", "unknown_status", format!("{other:?} is not a status; write booked or cancelled"));
                "booked"
            }
        };
        let booked_text = self.required("booked_at");
        let booked_at = DateTime::parse_from_rfc3339(booked_text).ok().map(|t| t.with_timezone(&Utc));
        if booked_at.is_none() && !booked_text.is_empty() {
            self.error("booked_at", "invalid_booked_at", format!("{booked_text:?} is no instant; write 2026-11-07T09:30:00Z"));
        }
        if let (Some(b), Some((.., s, _))) = (booked_at, span)
            && b > s
        {
            self.error("booked_at", "booked_after_start", "it was booked after it starts");
        }
        if self.findings.iter().any(|f| f.severity == Severity::Error) {
            return None;
        }
        let (_, _, starts_at, ends_at) = span?;
        let session_ref = Some(self.get(SESSION_REF)).filter(|s| !s.is_empty()).map(str::to_owned);
        Some(SessionRow {
            line: self.line.number,
            centre,
            centre_name,
            timezone: tz_text.to_owned(),
            case_ref,
            session_ref,
            court_ordered,
            children,
            start_local: date?.and_time(start?),
            starts_at,
            ends_at,
            contact_type,
            fee_minor,
            currency,
            usually_pays,
            status,
            booked_at: booked_at?,
            parties,
        })
    }
}

fn is_mojibake(v: &str) -> bool {
    let chars: Vec<char> = v.chars().collect();
    chars.windows(2).any(|w| matches!(w[0], 'Ã' | 'Â' | 'Ä' | 'Å') && ('\u{80}'..='\u{bf}').contains(&w[1])) || v.contains("â€")
}

/// Checks every line by itself and against the others.
pub(super) fn check(file: &File, dates: Dates, countries: &HashMap<String, String>, zones: &HashMap<String, String>) -> (Vec<Finding>, Vec<SessionRow>) {
    let mut findings = file.findings.clone();
    let mut rows: Vec<SessionRow> = Vec::new();
    let mut before = Before::default();
    for line in &file.lines {
        if line.fields.len() == 1 && line.fields[0].trim().is_empty() {
            continue;
        }
        let mut c = Checker { file, line, dates, findings: Vec::new() };
        let width = file.header.len();
        if line.fields.len() < width {
            c.error("", "too_few_columns", format!("only {} fields, {width} are needed", line.fields.len()));
        } else if line.fields.len() > width {
            let column = torn_column(file, line, dates, countries).unwrap_or_default();
            c.error(&column, "too_many_columns", format!("{} fields, {width} are expected; put text with a comma in quotes", line.fields.len()));
        } else if let Some(row) = c.row(countries) {
            against_others(&mut c, &row, &rows, &before, zones);
            if c.findings.iter().all(|f| f.severity != Severity::Error) {
                before.centres.entry(row.centre.clone()).or_insert(rows.len());
                before.cases.entry((row.centre.clone(), row.case_ref.clone())).or_default().push(rows.len());
                rows.push(row);
            }
        }
        findings.append(&mut c.findings);
    }
    (findings, rows)
}

/// The text column whose unquoted comma shifts all that follows: put together again, the line is good.
fn torn_column(file: &File, line: &Line, dates: Dates, countries: &HashMap<String, String>) -> Option<String> {
    let extra = line.fields.len() - file.header.len();
    TEXT_COLUMNS.iter().rev().find_map(|column| {
        let at = *file.at.get(*column)?;
        let mut fields = line.fields.clone();
        let joined = fields.get(at..=at + extra)?.join(",");
        fields.splice(at..=at + extra, [joined]);
        let mended = Line { number: line.number, fields };
        let mut c = Checker { file, line: &mended, dates, findings: Vec::new() };
        c.row(countries).map(|_| (*column).to_owned())
    })
}

/// Where the good lines before this one stand: the first of each centre, and all of each case.
#[derive(Default)]
struct Before {
    centres: HashMap<String, usize>,
    cases: HashMap<(String, String), Vec<usize>>,
}

fn against_others(c: &mut Checker<'_>, row: &SessionRow, rows: &[SessionRow], before: &Before, zones: &HashMap<String, String>) {
    let first = before.centres.get(&row.centre).and_then(|i| rows.get(*i));
    if let Some(zone) = zones.get(&row.centre).cloned().or_else(|| first.map(|r| r.timezone.clone()))
        && zone != row.timezone
    {
        c.error("timezone", "centre_conflict", format!("{} is {zone} on the other lines or on file", row.centre));
        return;
    }
    if let Some(other) = first.filter(|r| r.currency != row.currency) {
        let what = format!("{} at a centre whose other lines are {}", row.currency, other.currency);
        c.error("currency", "currency_mismatch", what);
    }
    let same_case: Vec<&SessionRow> = before.cases.get(&(row.centre.clone(), row.case_ref.clone())).into_iter().flatten().filter_map(|i| rows.get(*i)).collect();
    if same_case.iter().any(|r| r.starts_at == row.starts_at) {
        c.error("case_ref", "duplicate_row", "the same case and start as a line before");
    } else if same_case.iter().any(|r| r.starts_at < row.ends_at && row.starts_at < r.ends_at) {
        c.error("start_time", "overlapping_session", "it overlaps another session of the same case on a line before");
    }
    let mut seen: HashSet<&str> = HashSet::new();
    for r in &same_case {
        for (a, b) in r.parties.iter().zip(&row.parties).filter(|(a, b)| a.role == b.role && a.role != Role::Referrer) {
            if a.name != b.name && seen.insert(a.role.as_str()) {
                c.error(&format!("{}_name", b.role), "case_conflict", "the same case with another person in this place on a line before");
            } else if a.phone != b.phone && seen.insert(a.role.as_str()) {
                c.error(&format!("{}_phone", b.role), "case_conflict", "the same person with another number on a line before");
            }
        }
    }
}
