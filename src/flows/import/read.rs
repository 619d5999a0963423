//! Reads a CSV file into lines of named fields: comma or semicolon, with or without BOM, LF or
//! CRLF.

use crate::flows::import::finding::{Finding, shown};
use csv::StringRecord;
use std::collections::{HashMap, HashSet};

/// The columns of a centre's file, in the order of the empty sheet. `session_ref` is optional and
/// names a session for good.
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

/// Unknown columns that are named one by one; the rest is counted.
const UNKNOWN_NAMED: usize = 20;

/// A line of the file.
pub(super) struct CsvLine {
    /// Its physical number; the header is 1.
    pub(super) number: u64,
    /// Its fields in the order of the file.
    pub(super) fields: StringRecord,
}

/// A file as it was read: its header. The lines are read one by one, so that a large file stays
/// small.
pub(super) struct CsvFile<'a> {
    /// The position of each known column.
    pub(super) at: HashMap<&'static str, usize>,
    /// How many columns it has.
    pub(super) width: usize,
    /// What was wrong with the file as such.
    pub(super) findings: Vec<Finding>,
    delimiter: u8,
    /// The text up to a quote that never closes; nothing if the columns are wrong.
    sound: &'a str,
}

impl<'a> CsvFile<'a> {
    /// The lines below the header.
    pub(super) fn lines(&self) -> impl Iterator<Item = CsvLine> + use<'a> {
        let reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .from_reader(self.sound.as_bytes());
        let text = self.sound.as_bytes();
        // A record begins where the one before it ended: the rest of that line's end and blank
        // lines lie between.
        let skipped = move |from: u64| {
            let rest = usize::try_from(from)
                .ok()
                .and_then(|from| text.get(from..))
                .unwrap_or_default();
            rest.iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .filter(|b| **b == b'\n')
                .count() as u64
        };
        reader.into_records().flatten().map(move |fields| CsvLine {
            number: fields
                .position()
                .map_or(0, |p| p.line() + skipped(p.byte())),
            fields,
        })
    }

    /// About how many lines there are.
    pub(super) fn about(&self) -> u64 {
        self.sound.bytes().filter(|b| *b == b'\n').count() as u64
    }
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
            None if matches!(b, b'\n' | b'\r') => {
                field = 0;
                start = at + 1;
                field_start = true;
                line += u64::from(b == b'\n');
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

/// Reads the file's header; an error is a file that is no table at all.
pub(super) fn read(bytes: &[u8]) -> Result<CsvFile<'_>, Box<Finding>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count() as u64
            + 1;
        Box::new(Finding::error(
            line,
            "",
            "not_utf8",
            "the file is no UTF-8; save it as \"CSV UTF-8\"",
        ))
    })?;
    let first = text.lines().next().unwrap_or("");
    if first.trim().is_empty() {
        return Err(Box::new(Finding::error(
            1,
            "",
            "empty_file",
            "the file is empty; `courtesy import --template` prints an empty sheet",
        )));
    }
    let delimiter = if first.matches(';').count() > first.matches(',').count() {
        b';'
    } else {
        b','
    };
    let open = unclosed_quote(text, delimiter);
    let mut sound = open.map_or(text, |(_, _, start)| &text[..start]);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(sound.as_bytes());
    let header = reader
        .records()
        .next()
        .and_then(Result::ok)
        .unwrap_or_default();
    let (at, mut findings) = columns(&header);
    if let Some((line, field, _)) = open {
        let column = header
            .get(field)
            .map(|c| shown(&c.trim().to_lowercase()))
            .unwrap_or_default();
        findings.push(Finding::error(
            line,
            column,
            "unterminated_quote",
            "an opening quote is never closed; everything after it is swallowed",
        ));
    }
    if findings.iter().any(|f| f.kind == "missing_column") {
        sound = "";
    }
    Ok(CsvFile {
        at,
        width: header.len(),
        findings,
        delimiter,
        sound,
    })
}

/// Where the known columns stand, and what is wrong with the header.
fn columns(header: &StringRecord) -> (HashMap<&'static str, usize>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut at = HashMap::new();
    let mut twice = HashSet::new();
    let (mut unknown, mut nameless) = (0, 0);
    for (i, name) in header.iter().enumerate() {
        let name = name.trim().to_lowercase();
        if let Some(known) = COLUMNS.iter().chain([&SESSION_REF]).find(|c| **c == name) {
            if at.insert(*known, i).is_some() && twice.insert(*known) {
                findings.push(Finding::error(
                    1,
                    *known,
                    "duplicate_column",
                    format!("the column {known} stands twice; take one out"),
                ));
            }
        } else if name.is_empty() {
            nameless += 1;
        } else {
            unknown += 1;
            if unknown <= UNKNOWN_NAMED {
                // A name that is much longer than any column is none of them.
                let near = |name: &str| {
                    COLUMNS
                        .iter()
                        .filter(|c| name.len() <= c.len() + 4)
                        .map(|c| (strsim::damerau_levenshtein(c, name), *c))
                        .min()
                        .filter(|(d, _)| *d <= 2)
                };
                // Whatever is longer than any column is near to none.
                let near = Some(name.as_str())
                    .filter(|n| n.len() <= 40)
                    .and_then(near)
                    .map(|(_, c)| format!("; did you mean {c}?"));
                findings.push(Finding::warning(
                    1,
                    shown(&name),
                    "unknown_column",
                    format!(
                        "the column {:?} is not read{}",
                        shown(&name),
                        near.unwrap_or_default()
                    ),
                ));
            }
        }
    }
    if unknown > UNKNOWN_NAMED {
        findings.push(Finding::warning(
            1,
            "",
            "unknown_column",
            format!("{} more columns are not read", unknown - UNKNOWN_NAMED),
        ));
    }
    if nameless > 0 {
        findings.push(Finding::warning(
            1,
            "",
            "unknown_column",
            format!("{nameless} columns without a name are not read"),
        ));
    }
    for name in COLUMNS.iter().filter(|c| !at.contains_key(**c)) {
        findings.push(Finding::error(
            1,
            *name,
            "missing_column",
            format!(
                "the column {name} is missing; `courtesy import --template` prints an empty sheet"
            ),
        ));
    }
    (at, findings)
}
