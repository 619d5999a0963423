//! Checks a line against the good lines before it. The time it takes does not grow with their
//! number.

use crate::domain::people::role::Role;
use crate::flows::import::check::checker::Checker;
use crate::flows::import::row::SessionRow;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The good lines before this one: the first of each centre, and each case with its sessions.
#[derive(Default)]
pub(super) struct Before {
    centres: HashMap<Arc<str>, usize>,
    cases: HashMap<Arc<str>, HashMap<String, EarlierCase>>,
}

struct EarlierCase {
    /// Its first good line: whoever is in the case stands there.
    first: usize,
    /// Start and end of its sessions.
    sessions: BTreeMap<DateTime<Utc>, DateTime<Utc>>,
    /// What its sessions are called for good.
    refs: HashSet<String>,
}

impl Before {
    /// Remembers a good line that will stand at `at` among the others.
    pub(super) fn add(&mut self, row: &SessionRow, at: usize) {
        self.centres.entry(row.centre.clone()).or_insert(at);
        let of_centre = self.cases.entry(row.centre.clone()).or_default();
        let case = of_centre
            .entry(row.case_ref.clone())
            .or_insert_with(|| EarlierCase {
                first: at,
                sessions: BTreeMap::new(),
                refs: HashSet::new(),
            });
        case.sessions.insert(row.starts_at, row.ends_at);
        case.refs.extend(row.session_ref.clone());
    }

    /// Says what of the line does not fit those before it.
    pub(super) fn check(
        &self,
        c: &mut Checker<'_>,
        row: &SessionRow,
        rows: &[SessionRow],
        zones: &HashMap<String, String>,
    ) {
        let first = self.centres.get(&row.centre).and_then(|i| rows.get(*i));
        if let Some(zone) = zones
            .get(&*row.centre)
            .map(String::as_str)
            .or_else(|| first.map(|r| &*r.timezone))
            && zone != &*row.timezone
        {
            c.error(
                "timezone",
                "centre_conflict",
                format!("{} is {zone} on the other lines or on file", row.centre),
            );
            return;
        }
        if let Some(other) = first.filter(|r| r.currency != row.currency) {
            c.error(
                "currency",
                "currency_mismatch",
                format!(
                    "{} at a centre whose other lines are {}",
                    row.currency, other.currency
                ),
            );
        }
        let Some(case) = self
            .cases
            .get(&row.centre)
            .and_then(|of| of.get(&row.case_ref))
        else {
            return;
        };
        if row
            .session_ref
            .as_ref()
            .is_some_and(|r| case.refs.contains(r))
        {
            c.error(
                "session_ref",
                "duplicate_session_ref",
                "a line of this case before has the \
                                                             same session_ref; each session needs \
                                                             one of its own",
            );
        }
        // The sessions before do not overlap each other, so only the neighbours count.
        let before = case.sessions.range(..=row.starts_at).next_back();
        let after = case.sessions.range(row.starts_at..).next();
        if before.is_some_and(|(start, _)| *start == row.starts_at) {
            c.error(
                "case_ref",
                "duplicate_row",
                "the same case and start as a line before",
            );
        } else if before.is_some_and(|(_, end)| *end > row.starts_at)
            || after.is_some_and(|(start, _)| *start < row.ends_at)
        {
            c.error(
                "start_time",
                "overlapping_session",
                "it overlaps another session of the same case on a line before",
            );
        }
        // The lines before agree on who is in the case, so the first of them speaks for all.
        for (a, b) in rows[case.first]
            .parties
            .iter()
            .zip(&row.parties)
            .filter(|(a, b)| a.role == b.role && a.role != Role::Referrer)
        {
            if a.name != b.name {
                c.error(
                    &format!("{}_name", b.role),
                    "case_conflict",
                    "the same case with another person in this place on a line before",
                );
            } else if a.phone != b.phone {
                c.error(
                    &format!("{}_phone", b.role),
                    "case_conflict",
                    "the same person with another number on a line before",
                );
            }
        }
    }
}
