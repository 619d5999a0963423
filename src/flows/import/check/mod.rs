//! Checks the lines of a file: every finding at once, each with its line, its column and what was
//! expected.

pub(crate) mod checker;
mod others;
mod party;
mod session;

use crate::flows::import::check::checker::{Checker, SharedWords, TEXT_COLUMNS, Zeros};
use crate::flows::import::check::others::Before;
use crate::flows::import::finding::{Finding, any_error};
use crate::flows::import::options::DateFormat;
use crate::flows::import::read::{CsvFile, CsvLine};
use crate::flows::import::row::SessionRow;
use std::collections::HashMap;

/// What the checks know beside the file itself: the centres on file.
#[derive(Default)]
pub(super) struct OnFile {
    /// How national numbers are read, by centre.
    pub(super) countries: HashMap<String, String>,
    /// The zone of each centre.
    pub(super) zones: HashMap<String, String>,
}

/// Checks every line by itself and against those before it. `seen` hears how many were checked.
pub(super) fn check(
    file: &CsvFile<'_>,
    dates: DateFormat,
    on_file: &OnFile,
    seen: &dyn Fn(u64),
) -> (Vec<Finding>, Vec<SessionRow>) {
    let mut findings = file.findings.clone();
    let mut rows: Vec<SessionRow> = Vec::new();
    let mut before = Before::default();
    let (words, zeros) = (SharedWords::default(), Zeros::default());
    for (n, line) in file.lines().enumerate() {
        if n % 64 == 0 {
            seen(n as u64);
        }
        if line.fields.len() == 1 && line.fields[0].trim().is_empty() {
            continue;
        }
        let mut c = Checker::new(file, &line, dates, &words, &zeros);
        let (fields, width) = (line.fields.len(), file.width);
        if fields < width {
            c.error(
                "",
                "too_few_columns",
                format!("only {fields} fields, {width} are needed"),
            );
        } else if fields > width {
            let column = torn_column(file, &line, dates, on_file).unwrap_or_default();
            c.error(
                &column,
                "too_many_columns",
                format!("{fields} fields, {width} are expected; put text with a comma in quotes"),
            );
        } else if let Some(row) = c.row(&on_file.countries) {
            before.check(&mut c, &row, &rows, &on_file.zones);
            if !any_error(&c.findings) {
                before.add(&row, rows.len());
                rows.push(row);
            }
        }
        findings.append(&mut c.findings);
    }
    findings.extend(zeros.findings());
    (findings, rows)
}

/// The text column whose unquoted comma shifts all that follows: put together again, the line is
/// good.
fn torn_column(
    file: &CsvFile<'_>,
    line: &CsvLine,
    dates: DateFormat,
    on_file: &OnFile,
) -> Option<String> {
    let extra = line.fields.len() - file.width;
    TEXT_COLUMNS.iter().rev().find_map(|column| {
        let at = *file.at.get(*column)?;
        let fields: Vec<&str> = line.fields.iter().collect();
        let joined = fields.get(at..=at + extra)?.join(",");
        let mended = fields[..at]
            .iter()
            .copied()
            .chain([joined.as_str()])
            .chain(fields[at + extra + 1..].iter().copied())
            .collect();
        let mended = CsvLine {
            number: line.number,
            fields: mended,
        };
        Checker::new(
            file,
            &mended,
            dates,
            &SharedWords::default(),
            &Zeros::default(),
        )
        .row(&on_file.countries)
        .map(|_| (*column).to_owned())
    })
}
