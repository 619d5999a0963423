//! Reads a CSV file into lines of named fields: comma or semicolon, with or without BOM, LF or CRLF.

use super::check::{Finding, Severity};
use std::collections::HashMap;

/// The columns of a centre's file, in the order of the empty sheet. `session_ref` is optional and names a session for good.
pub const COLUMNS: &[&str] = &[
    "centre_code",
    "centre_name",
    "timezone",
    "case_ref",
    "court_ordered",
    "children",
    "session_date",
    "start_time",
    "end_time",
    "contact_type",
    "fee_pence",
    "currency",
    "usually_pays",
    "resident_name",
    "resident_phone",
    "resident_telegram_id",
    "resident_channel",
    "resident_language",
    "resident_consent",
    "resident_arrival",
    "resident_departure",
    "contact_name",
    "contact_phone",
    "contact_telegram_id",
    "contact_channel",
    "contact_language",
    "contact_consent",
    "contact_arrival",
    "contact_departure",
    "referrer_role",
    "referrer_name",
    "referrer_phone",
    "referrer_email",
    "status",
    "booked_at",
    "notes",
];

/// The one column that a file may have beside [`COLUMNS`].
pub(super) const SESSION_REF: &str = "session_ref";

/// A line of the file.
pub(super) struct Line {
    /// Its physical number; the header is 1.
    pub(super) number: u64,
    /// Its fields in the order of the file.
    pub(super) fields: Vec<String>,
}

/// A file as it was read.
pub(super) struct File {
    /// Where each known column stands.
    pub(super) at: HashMap<String, usize>,
    /// The names of all columns in the order of the file.
    pub(super) header: Vec<String>,
    /// The lines below the header.
    pub(super) lines: Vec<Line>,
    /// What was wrong with the file as such.
    pub(super) findings: Vec<Finding>,
}

fn finding(line: u64, column: &str, kind: &'static str, severity: Severity, what: String) -> Finding {
    Finding { line, column: column.to_owned(), kind, severity, what }
}

/// The line and field in which a quote opens that never closes, and where its line begins.
fn unclosed_quote(text: &str, delimiter: u8) -> Option<(u64, usize, usize)> {
    let bytes = text.as_bytes();
    let (mut line, mut field, mut start) = (1, 0, 0);
    let (mut at, mut quoted) = (0, None);
    let mut field_start = true;
    while at < bytes.len() {
        let b = bytes[at];
        match quoted {
            Some(_) if b == b'"' && bytes.get(at + 1) == Some(&b'"') => at += 1,
            Some(_) if b == b'"' => quoted = None,
            Some(_) => {}
            None if b == b'"' && field_start => quoted = Some((line, field, start)),
            None if b == delimiter => {
                field += 1;
                field_start = true;
                at += 1;
                continue;
            }
            None if b == b'\n' => {
                field = 0;
                start = at + 1;
                field_start = true;
                line += 1;
                at += 1;
                continue;
            }
            None => {}
        }
        if quoted.is_some() && b == b'\n' {
            line += 1;
        }
        field_start = false;
        at += 1;
    }
    quoted
}

/// Reads the file; an error is a file that is no table at all.
pub(super) fn read(bytes: &[u8]) -> Result<File, Box<Finding>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        Box::new(finding(line, "", "not_utf8", Severity::Error, "the file is no UTF-8; save it as \"CSV UTF-8\"".into()))
    })?;
    let first = text.lines().next().unwrap_or("");
    if first.trim().is_empty() {
        return Err(Box::new(finding(1, "", "empty_file", Severity::Error, "the file is empty; `courtesy import --template` prints an empty sheet".into())));
    }
    let delimiter = if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
    let mut findings = Vec::new();
    let mut sound = text;
    let open = unclosed_quote(text, delimiter);
    if let Some((_, _, start)) = open {
        sound = &text[..start];
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(sound.as_bytes());
    let mut header = Vec::new();
    let mut lines = Vec::new();
    for record in reader.records() {
        let Ok(record) = record else { continue };
        let number = record.position().map_or(0, csv::Position::line);
        let fields: Vec<String> = record.iter().map(str::to_owned).collect();
        if header.is_empty() {
            header = fields.iter().map(|f| f.trim().to_lowercase()).collect();
        } else {
            lines.push(Line { number, fields });
        }
    }
    let mut at = HashMap::new();
    for (i, name) in header.iter().enumerate() {
        if COLUMNS.contains(&name.as_str()) || name == SESSION_REF {
            if at.insert(name.clone(), i).is_some() {
                findings.push(finding(1, name, "duplicate_column", Severity::Error, format!("the column {name} stands twice")));
            }
        } else {
            let near = COLUMNS.iter().map(|c| (strsim::damerau_levenshtein(c, name), *c)).min().filter(|(d, _)| *d <= 2).map(|(_, c)| format!("; did you mean {c}?"));
            findings.push(finding(1, name, "unknown_column", Severity::Warning, format!("the column {name:?} is not read{}", near.unwrap_or_default())));
        }
    }
    for name in COLUMNS.iter().filter(|c| !at.contains_key(**c)) {
        findings.push(finding(1, name, "missing_column", Severity::Error, format!("the column {name} is missing; `courtesy import --template` prints an empty sheet")));
    }
    if let Some((line, field, _)) = open {
        let column = header.get(field).cloned().unwrap_or_default();
        findings.push(finding(line, &column, "unterminated_quote", Severity::Error, "an opening quote is never closed; everything after it is swallowed".into()));
    }
    if findings.iter().any(|f| f.kind == "missing_column") {
        lines.clear();
    }
    Ok(File { at, header, lines, findings })
}
