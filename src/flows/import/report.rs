//! What an import counts and reports, and the days of a centre that its file covers.

use crate::domain::centre::Centre;
use crate::flows::import::finding::Finding;
use crate::flows::import::options::Counts;
use chrono::NaiveDate;

/// A centre in the file, and the days that its lines cover.
pub(super) struct Covered<'a> {
    pub(super) centre: &'a Centre,
    pub(super) days: (NaiveDate, NaiveDate),
}

impl Covered<'_> {
    pub(super) fn covers(&self, start_local: &str) -> bool {
        start_local.get(..10).is_some_and(|day| {
            self.days.0.to_string().as_str() <= day && day <= self.days.1.to_string().as_str()
        })
    }
}

/// What an import reports in the end. Sessions that the file cancels are listed first.
pub(super) struct ImportReport<'a> {
    pub(super) counts: &'a mut Counts,
    pub(super) findings: &'a mut Vec<Finding>,
    pub(super) off: &'a mut Vec<Finding>,
}

impl ImportReport<'_> {
    /// Warns of a booked session that the file does not have.
    pub(super) fn missing(&mut self, case_ref: &str, start_local: &str) {
        self.counts.missing += 1;
        let what = format!(
            "{case_ref}: its session of {} is booked and not in this file; it was left as it is",
            start_local.replace('T', " ")
        );
        self.findings
            .push(Finding::warning(1, "case_ref", "missing", what));
    }
}
