//! What an import has to say about a file: each finding with its line, its column and what was
//! expected.

use crate::string_enum;

string_enum! {
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

impl Finding {
    /// A finding that stops the import.
    pub(super) fn error(
        line: u64,
        column: impl Into<String>,
        kind: &'static str,
        what: impl Into<String>,
    ) -> Finding {
        Finding {
            line,
            column: column.into(),
            kind,
            severity: Severity::Error,
            what: what.into(),
        }
    }

    /// A finding that stops nothing.
    pub(super) fn warning(
        line: u64,
        column: impl Into<String>,
        kind: &'static str,
        what: impl Into<String>,
    ) -> Finding {
        Finding {
            line,
            column: column.into(),
            kind,
            severity: Severity::Warning,
            what: what.into(),
        }
    }
}

/// Whether any of the findings stops the import.
pub(super) fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

/// What a finding shows of a field: its beginning.
pub(super) fn shown(field: &str) -> String {
    const MOST: usize = 40;
    if field.chars().nth(MOST).is_none() {
        field.to_owned()
    } else {
        field.chars().take(MOST).chain("…".chars()).collect()
    }
}
