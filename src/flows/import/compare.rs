//! The sessions of a case in the file against those on file. Pure: what became of each line is
//! decided here and written elsewhere.

use crate::domain::visits::session::SessionState;
use crate::flows::import::finding::Finding;
use crate::flows::import::row::{RowFingerprint, SessionRow, recall};
use crate::store::imports::KnownSession;
use crate::store::sessions::local_text;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowOutcome {
    /// Its session is not on file.
    New,
    /// The same as at the last import, or what is on file already.
    Unchanged,
    /// Its session has another time ahead.
    Moved,
    /// The centre calls the session off.
    CancelledByFile,
    /// What is on file differs and is left as it is: the column, and why.
    Differs(&'static str, &'static str),
}

/// A line with the session on file that matches it.
pub(super) struct MatchedRow {
    /// The session's place among those on file.
    pub(super) on_file: Option<usize>,
    /// What became of the line.
    pub(super) outcome: RowOutcome,
    /// The line gives the session its session_ref from now on.
    pub(super) names_it: bool,
}

/// Compares the lines of one case. Returns one [`MatchedRow`] a line, the booked sessions that no line
/// matches, and what is doubtful.
pub(super) fn compare(
    rows: &[SessionRow],
    prints: &[String],
    known: &[KnownSession],
    now: DateTime<Utc>,
) -> (Vec<MatchedRow>, Vec<usize>, Vec<Finding>) {
    let places = places(rows, prints, known);
    let mut judged = Vec::with_capacity(rows.len());
    for ((row, print), on_file) in rows.iter().zip(prints).zip(&places) {
        let outcome = on_file
            .and_then(|i| known.get(i))
            .map_or(RowOutcome::New, |s| judge(row, print, s, now));
        let names_it = on_file
            .and_then(|i| known.get(i))
            .is_some_and(|s| row.session_ref.is_some() && s.session_ref.is_none());
        judged.push(MatchedRow {
            on_file: *on_file,
            outcome,
            names_it,
        });
    }
    let mut named = vec![false; known.len()];
    places.iter().flatten().for_each(|i| named[*i] = true);
    let gone: Vec<usize> = (0..known.len())
        .filter(|i| !named[*i] && known[*i].state == SessionState::Booked)
        .collect();
    let findings = doubtful(rows, &judged, known, &gone);
    (judged, gone, findings)
}

/// Which session on file each line matches. A session matches one line at most: by its session_ref,
/// else by the identical line of the last import, else by its time on file, else by the time in the
/// last import.
fn places(rows: &[SessionRow], prints: &[String], known: &[KnownSession]) -> Vec<Option<usize>> {
    let mut out: Vec<Option<usize>> = vec![None; rows.len()];
    let mut taken = vec![false; known.len()];
    let imported_start =
        |s: &KnownSession| RowFingerprint::parse(recall(&s.imported).0).map(|p| p.start());
    let mut pass = |key_of_row: &dyn Fn(usize) -> Option<String>,
                    key_of_known: &dyn Fn(&KnownSession) -> Option<String>| {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, s) in known.iter().enumerate().rev().filter(|(i, _)| !taken[*i]) {
            if let Some(key) = key_of_known(s) {
                by_key.entry(key).or_default().push(i);
            }
        }
        for (r, place) in out.iter_mut().enumerate().filter(|(_, p)| p.is_none()) {
            if let Some(i) = key_of_row(r)
                .and_then(|k| by_key.get_mut(&k))
                .and_then(Vec::pop)
            {
                *place = Some(i);
                taken[i] = true;
            }
        }
    };
    pass(&|r| rows[r].session_ref.clone(), &|s| s.session_ref.clone());
    pass(&|r| Some(prints[r].clone()), &|s| {
        Some(recall(&s.imported).0.to_owned())
    });
    pass(&|r| Some(rows[r].starts_at.to_string()), &|s| {
        Some(s.starts_at.to_string())
    });
    pass(&|r| Some(rows[r].starts_at.to_string()), &|s| {
        imported_start(s).map(|t| t.to_string())
    });
    out
}

fn judge(row: &SessionRow, print: &str, s: &KnownSession, now: DateTime<Utc>) -> RowOutcome {
    use SessionState::{Booked, Cancelled};
    let last = recall(&s.imported).0;
    if row.session_ref.is_some() && s.session_ref.is_some() && row.session_ref != s.session_ref {
        return if print == last {
            RowOutcome::Unchanged
        } else {
            RowOutcome::Differs(
                "session_ref",
                "the session on file has another session_ref; it was left as it is",
            )
        };
    }
    if print == last {
        return RowOutcome::Unchanged;
    }
    const OTHERWISE: RowOutcome = RowOutcome::Differs(
        "",
        "the session on file differs from this line; it keeps what it was booked with and was left \
         as it is",
    );
    let (Some(then), Some(this)) = (RowFingerprint::parse(last), RowFingerprint::parse(print))
    else {
        return OTHERWISE;
    };
    let moved_since = then.start() != s.starts_at;
    if row.status == "cancelled" {
        return match s.state {
            Cancelled if then.same_but_status(&this) => RowOutcome::Unchanged,
            Booked if then.status == "cancelled" => RowOutcome::Differs(
                "status",
                "the session was put back on since the last import, and stays on",
            ),
            Booked if moved_since && row.starts_at != s.starts_at => RowOutcome::Differs(
                "status",
                "the session was moved since the last import and stays on; call it off with \
                 `courtesy record cancel`",
            ),
            Booked => RowOutcome::CancelledByFile,
            _ => OTHERWISE,
        };
    }
    match s.state {
        Cancelled => {
            return RowOutcome::Differs(
                "status",
                "the session was called off, and a file does not put it back on",
            );
        }
        Booked => {}
        _ => {
            return RowOutcome::Differs(
                "status",
                "the session is over; what is on file was left as it is",
            );
        }
    }
    if moved_since {
        // The file has caught up with a move that was recorded here.
        let caught_up =
            row.starts_at == s.starts_at && then.shifted_by(s.starts_at - then.start(), &this);
        return if caught_up {
            RowOutcome::Unchanged
        } else {
            RowOutcome::Differs(
                "start_time",
                "the session was moved since the last import, and stays where it is",
            )
        };
    }
    if row.starts_at == s.starts_at {
        // The file has caught up with a fee that was announced.
        return if row.fee_minor == s.fee_minor && then.same_but_fee(&this) {
            RowOutcome::Unchanged
        } else {
            OTHERWISE
        };
    }
    if s.starts_at <= now || row.starts_at <= now {
        return RowOutcome::Differs(
            "start_time",
            "a session that has begun is not moved, and none is moved into the past; it was left \
             as it is",
        );
    }
    if then.shifted_by(row.starts_at - s.starts_at, &this) {
        return RowOutcome::Moved;
    }
    RowOutcome::Differs(
        "start_time",
        "more than the time changed (its length, an arrival, the fee): nobody was told; move it \
         with `courtesy record move`",
    )
}

/// Whatever must not be guessed: a new session where another one is missing on the same day, and
/// one on top of another.
fn doubtful(
    rows: &[SessionRow],
    judged: &[MatchedRow],
    known: &[KnownSession],
    gone: &[usize],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut booked: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for (row, j) in rows.iter().zip(judged) {
        match (j.outcome, j.on_file.and_then(|i| known.get(i))) {
            (RowOutcome::Moved, _) => booked.push((row.starts_at, row.ends_at)),
            (RowOutcome::Unchanged | RowOutcome::Differs(..), Some(s))
                if s.state == SessionState::Booked =>
            {
                booked.push((s.starts_at, s.ends_at))
            }
            _ => {}
        }
    }
    for (row, _) in rows
        .iter()
        .zip(judged)
        .filter(|(_, j)| j.outcome == RowOutcome::New)
    {
        let start = local_text(row.start_local);
        let same_day = |s: &KnownSession| s.start_local.get(..10) == start.get(..10);
        let overlaps =
            |(a, b): (DateTime<Utc>, DateTime<Utc>)| a < row.ends_at && row.starts_at < b;
        if gone.iter().filter_map(|i| known.get(*i)).any(same_day) {
            let what = "the case has a booked session on this day at another time that the file \
                        does not name. If it moved: `courtesy record move`, then change the line; \
                        if both are to be: name both in the file";
            findings.push(Finding::error(
                row.line,
                "start_time",
                "looks_like_a_move",
                what,
            ));
        } else if row.status == "booked"
            && booked
                .iter()
                .copied()
                .chain(
                    gone.iter()
                        .filter_map(|i| known.get(*i))
                        .map(|s| (s.starts_at, s.ends_at)),
                )
                .any(overlaps)
        {
            let what = "the case has a session on file at this time already, which another line \
                        stands for or the file does not name; take one of the two out";
            findings.push(Finding::error(
                row.line,
                "start_time",
                "overlapping_session",
                what,
            ));
        }
    }
    findings
}
