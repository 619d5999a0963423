//! What the lines of a case become: new sessions, moves, cancellations, or nothing. Nothing is written
//! here.

use crate::domain::centre::Centre;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::reminders::schedule::first_look;
use crate::domain::visits::terms::{Terms, terms_for_line};
use crate::flows::import::compare::{MatchedRow, RowOutcome, compare};
use crate::flows::import::finding::Finding;
use crate::flows::import::options::ImportOptions;
use crate::flows::import::parties::{PartyChanges, PartyComparison};
use crate::flows::import::report::{Covered, ImportReport};
use crate::flows::import::row::{PartyRow, SessionRow, recall, remembered};
use crate::store::cases::{NewAttendee, NewCase, NewSession};
use crate::store::imports::{BookingBlock, KnownCase, KnownSession, SeenRow};
use crate::store::sealed::{Sealed, random_id};
use crate::store::sessions;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// What some cases of the file bring.
#[derive(Default)]
pub(super) struct Batch<'a> {
    pub(super) cases: Vec<NewCase>,
    pub(super) people: PartyChanges,
    pub(super) sessions: Vec<NewSession>,
    pub(super) moves: Vec<(SessionId, &'a SessionRow)>,
    pub(super) off: Vec<SessionId>,
    pub(super) seen: Vec<SeenRow>,
    /// Sessions of cases that may not be booked: case, start on the wall clock, start.
    pub(super) not_booked: Vec<(CaseId, String, DateTime<Utc>)>,
}

/// Gathers what some cases of one centre bring.
pub(super) struct Gathering<'a, 'r, 'f> {
    pub(super) seal: &'r Sealed,
    pub(super) at: &'r Covered<'r>,
    pub(super) how: &'r ImportOptions<'r>,
    pub(super) now: DateTime<Utc>,
    pub(super) report: &'r mut ImportReport<'f>,
    pub(super) batch: Batch<'a>,
}

/// A line, with the session on file that matches it.
struct Line<'a, 'k> {
    row: &'a SessionRow,
    matched: &'k MatchedRow,
    on_file: Option<&'k KnownSession>,
    parties_differ: bool,
    /// What the session remembers of the line.
    imported: String,
}

impl<'a> Gathering<'a, '_, '_> {
    /// Compares the lines of one case with what is on file; `known` is `None` for a new case.
    pub(super) fn case(&mut self, rows: &'a [SessionRow], known: Option<KnownCase>) {
        let Some(first) = rows.first() else { return };
        let mut case = known.unwrap_or_else(|| self.new_case(first));
        let on_file = std::mem::take(&mut case.sessions);
        let prints: Vec<String> = rows.iter().map(|r| r.print()).collect();
        let (judged, gone, mut doubts) = compare(rows, &prints, &on_file, self.now);
        // What looks like a move is reported once, and not as a missing session too.
        for s in gone
            .iter()
            .filter_map(|i| on_file.get(*i))
            .filter(|s| doubts.is_empty() && self.at.covers(&s.start_local))
        {
            self.report.missing(&first.case_ref, &s.start_local);
        }
        self.report.findings.append(&mut doubts);
        let mut comparing = PartyComparison {
            seal: self.seal,
            case: &mut case,
            rename: self.how.rename,
            changes: &mut self.batch.people,
            findings: self.report.findings,
            said: HashSet::new(),
        };
        let mut lines = Vec::with_capacity(rows.len());
        for ((row, matched), print) in rows.iter().zip(&judged).zip(&prints) {
            let digest = row.digest(self.seal);
            let on_file = matched.on_file.and_then(|i| on_file.get(i));
            let same = on_file.is_some_and(|s| recall(&s.imported).1 == digest);
            lines.push(Line {
                row,
                matched,
                on_file,
                parties_differ: !same && comparing.line(row),
                imported: remembered(print, &digest),
            });
        }
        for line in lines {
            match line.on_file {
                None => self.new_line(&case, line),
                Some(s) => self.known_line(s, line),
            }
        }
    }

    fn new_case(&mut self, first: &SessionRow) -> KnownCase {
        let id = CaseId::new(random_id());
        self.report.counts.new_cases += 1;
        self.batch.cases.push(NewCase {
            id: id.clone(),
            centre: self.at.centre.code.clone(),
            case_ref: first.case_ref.clone(),
            court_ordered: first.court_ordered,
            children: first.children,
        });
        KnownCase::new(id)
    }

    /// A session that is not on file: it is booked, unless the case may not be booked.
    fn new_line(&mut self, case: &KnownCase, line: Line<'a, '_>) {
        let row = line.row;
        let block = case
            .block
            .filter(|_| row.status == "booked" && row.starts_at > self.now);
        if let Some(block) = block {
            self.not_booked(case, row, block);
            return;
        }
        let terms = self.terms(row);
        self.report.counts.new_sessions += 1;
        self.batch.sessions.push(new_session(
            row,
            self.at.centre,
            case,
            terms,
            line.imported,
            self.now,
        ));
    }

    fn not_booked(&mut self, case: &KnownCase, row: &SessionRow, block: BookingBlock) {
        let start = row.start_local.format("%Y-%m-%d %H:%M");
        let (kind, why) = match block {
            BookingBlock::Hold => (
                "bookings_hold",
                "no new session is booked until what is owed is settled (seed 001)",
            ),
            BookingBlock::Closed => (
                "case_closed",
                "its file is closed, and a new referral opens it again (seed 001)",
            ),
        };
        let (was, task) = if self.how.dry_run {
            ("would not be", "would be")
        } else {
            ("was not", "is")
        };
        let what = format!(
            "{}: its session of {start} {was} booked, since {why}; a task {task} open. Bring \
                 the file in again when it may be booked",
            row.case_ref
        );
        self.report.counts.not_booked += 1;
        self.report
            .findings
            .push(Finding::warning(row.line, "case_ref", kind, what));
        self.batch.not_booked.push((
            case.id.clone(),
            sessions::local_text(row.start_local),
            row.starts_at,
        ));
    }

    /// The terms of a new session; warns where the line differs from what was announced.
    fn terms(&mut self, row: &SessionRow) -> Terms {
        let start = row.start_local.format("%Y-%m-%d %H:%M");
        let terms = terms_for_line(
            self.at.centre,
            (row.fee_minor, &row.currency, row.usually_pays),
            row.start_local.date(),
        );
        for (column, said, has) in [
            (
                "fee_pence",
                row.fee_minor.to_string(),
                terms.fee_minor.to_string(),
            ),
            (
                "usually_pays",
                row.usually_pays.to_owned(),
                terms.payer.clone(),
            ),
        ] {
            if said != has {
                let what = format!(
                    "{}: the line still says {said}, and {has} was announced for sessions of that \
                     time; the session of {start} is booked with {has}",
                    row.case_ref
                );
                self.report.findings.push(Finding::warning(
                    row.line,
                    column,
                    "fee_announced",
                    what,
                ));
            }
        }
        terms
    }

    fn known_line(&mut self, s: &KnownSession, line: Line<'a, '_>) {
        let Line { row, matched, .. } = line;
        match matched.outcome {
            RowOutcome::New | RowOutcome::Unchanged if line.parties_differ => {
                self.report.counts.differs += 1;
            }
            RowOutcome::New | RowOutcome::Unchanged => self.report.counts.unchanged += 1,
            RowOutcome::Moved => {
                self.report.counts.moved += 1;
                self.batch.moves.push((s.id.clone(), row));
            }
            RowOutcome::CancelledByFile => self.cancelled(s, row),
            RowOutcome::Differs(column, why) => {
                self.report.counts.differs += 1;
                let finding = Finding::warning(row.line, column, "differs", why);
                self.report.findings.push(finding);
            }
        }
        if s.imported != line.imported || matched.names_it {
            self.batch.seen.push(SeenRow {
                session: s.id.clone(),
                imported: line.imported,
                session_ref: row.session_ref.clone().filter(|_| matched.names_it),
            });
        }
    }

    fn cancelled(&mut self, s: &KnownSession, row: &SessionRow) {
        self.report.counts.cancelled += 1;
        let who_hears = match (s.starts_at > self.now, self.how.tell) {
            (false, _) => "it has begun or is over, so nobody is told",
            (true, true) => "both parents are told by text",
            (true, false) if self.how.dry_run => {
                "nobody would be texted: a task to ring would be opened for each parent \
                     (--tell would text them)"
            }
            (true, false) => {
                "nobody is texted: ring both parents; a task for each is open (--tell would \
                     text them)"
            }
        };
        self.report.off.push(Finding::warning(
            row.line,
            "status",
            "cancelled_by_file",
            format!(
                "{}: the file calls a booked session off; {who_hears}",
                row.case_ref
            ),
        ));
        self.batch.off.push(s.id.clone());
    }
}

fn new_session(
    row: &SessionRow,
    centre: &Centre,
    case: &KnownCase,
    terms: Terms,
    imported: String,
    now: DateTime<Utc>,
) -> NewSession {
    let known = row.booked_at.max(now);
    let due = row.status == "booked" && row.starts_at > now;
    let place = |p: &PartyRow| {
        let (arrives_at, leaves_at) = p.times?;
        let party_id = case.parties.get(&p.role)?.id.clone();
        Some(NewAttendee {
            role: p.role,
            party_id,
            arrives_at,
            leaves_at,
            ask_known: known,
            ask_at: due.then(|| first_look(centre, row.start_local, known)),
        })
    };
    NewSession {
        id: SessionId::new(random_id()),
        case_id: case.id.clone(),
        session_ref: row.session_ref.clone(),
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        start_local: sessions::local_text(row.start_local),
        timezone: row.timezone.to_string(),
        contact_type: row.contact_type.into(),
        state: row.status,
        booked_at: row.booked_at,
        notice_hours: terms.notice_hours,
        fee_minor: terms.fee_minor,
        currency: terms.currency,
        payer: terms.payer,
        payment_days: terms.payment_days,
        imported,
        attendees: row.parties.iter().filter_map(place).collect(),
    }
}
