//! Writes what lines bring, some cases at a time, within the one transaction of the import.

use crate::domain::centre::Centre;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::reminders::schedule::first_look;
use crate::domain::task::TaskKind;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{CancelledBy, SessionState};
use crate::domain::visits::terms::{Terms, terms_for_line};
use crate::flows::import::compare::{MatchedRow, RowOutcome, compare};
use crate::flows::import::finding::{Finding, any_error};
use crate::flows::import::options::{Counts, ImportOptions};
use crate::flows::import::parties::{PartyChanges, PartyComparison};
use crate::flows::import::row::{SessionRow, recall, remembered};
use crate::flows::recording::Recording;
use crate::flows::ring::ring;
use crate::flows::visits::cancel::{CallOff, call_off};
use crate::flows::visits::move_session;
use crate::store::cases::{self, NewAttendee, NewCase, NewSession};
use crate::store::facts::{self, Fact};
use crate::store::imports::{self, Block, KnownCase, KnownSession, SeenRow};
use crate::store::sealed::random_id;
use crate::store::sessions::{self, Cancellation};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, money, outbox};
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashSet;

/// What some cases of the file bring.
#[derive(Default)]
struct Batch<'a> {
    cases: Vec<NewCase>,
    people: PartyChanges,
    sessions: Vec<NewSession>,
    moves: Vec<(SessionId, &'a SessionRow)>,
    off: Vec<SessionId>,
    seen: Vec<SeenRow>,
    /// Sessions of cases that may not be booked: case, start on the wall clock, start.
    not_booked: Vec<(CaseId, String, DateTime<Utc>)>,
}

/// The cause of the task that a file has a session of a case that may not be booked.
fn not_booked_cause(case_id: &CaseId, start_local: &str) -> String {
    format!("not-booked/{case_id}/{start_local}")
}

/// A centre of the file: its rules, and the days that its lines cover.
pub(super) struct Covered<'a> {
    pub(super) centre: &'a Centre,
    pub(super) days: (NaiveDate, NaiveDate),
}

impl Covered<'_> {
    fn covers(&self, start_local: &str) -> bool {
        start_local.get(..10).is_some_and(|day| {
            self.days.0.to_string().as_str() <= day && day <= self.days.1.to_string().as_str()
        })
    }
}

/// What an import says in the end; sessions that the file calls off stand apart, for they come
/// first.
pub(super) struct ImportReport<'a> {
    pub(super) counts: &'a mut Counts,
    pub(super) findings: &'a mut Vec<Finding>,
    pub(super) off: &'a mut Vec<Finding>,
}

impl ImportReport<'_> {
    fn missing(&mut self, case_ref: &str, start_local: &str) {
        self.counts.missing += 1;
        let what = format!(
            "{case_ref}: its session of {} is booked and not in this file; it was left as it is",
            start_local.replace('T', " ")
        );
        self.findings
            .push(Finding::warning(1, "case_ref", "missing", what));
    }
}

/// Compares and writes some whole cases of one centre; `cases` holds the lines of each.
pub(super) async fn some_cases(
    tx: &mut Tx,
    at: &Covered<'_>,
    cases: &[&[SessionRow]],
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    let seal = tx.seal();
    let refs: Vec<&str> = cases
        .iter()
        .filter_map(|rows| rows.first())
        .map(|r| r.case_ref.as_str())
        .collect();
    let mut known = imports::known(tx, &at.centre.code, &refs).await?;
    let mut batch = Batch::default();
    for rows in cases {
        let Some(first) = rows.first() else { continue };
        let mut case = known.remove(&first.case_ref).unwrap_or_else(|| {
            let id = CaseId::new(random_id());
            report.counts.new_cases += 1;
            batch.cases.push(NewCase {
                id: id.clone(),
                centre: at.centre.code.clone(),
                case_ref: first.case_ref.clone(),
                court_ordered: first.court_ordered,
                children: first.children,
            });
            KnownCase::new(id)
        });
        let on_file = std::mem::take(&mut case.sessions);
        let prints: Vec<String> = rows.iter().map(|r| r.print()).collect();
        let (judged, gone, mut doubts) = compare(rows, &prints, &on_file, now);
        // What looks like a move is said once, and not as a missing session too.
        for s in gone
            .iter()
            .filter_map(|i| on_file.get(*i))
            .filter(|s| doubts.is_empty() && at.covers(&s.start_local))
        {
            report.missing(&first.case_ref, &s.start_local);
        }
        report.findings.append(&mut doubts);
        let mut comparing = PartyComparison {
            seal: &seal,
            case: &mut case,
            rename: how.rename,
            changes: &mut batch.people,
            findings: report.findings,
            said: HashSet::new(),
        };
        let mut differ = Vec::with_capacity(rows.len());
        let mut digests = Vec::with_capacity(rows.len());
        for (row, j) in rows.iter().zip(&judged) {
            let digest = row.digest(&seal);
            let same = j
                .on_file
                .and_then(|i| on_file.get(i))
                .is_some_and(|s| recall(&s.imported).1 == digest);
            differ.push(!same && comparing.line(row));
            digests.push(digest);
        }
        for (i, row) in rows.iter().enumerate() {
            let imported = remembered(&prints[i], &digests[i]);
            let s = judged[i].on_file.and_then(|i| on_file.get(i));
            one_line(
                at, row, &judged[i], s, differ[i], imported, &case, how, now, &mut batch, report,
            );
        }
    }
    if any_error(report.findings) {
        return Ok(());
    }
    write(tx, at.centre, batch, how, now, report).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is one plain part of what becomes of a line"
)]
fn one_line<'a>(
    at: &Covered<'_>,
    row: &'a SessionRow,
    judged: &MatchedRow,
    on_file: Option<&KnownSession>,
    parties_differ: bool,
    imported: String,
    case: &KnownCase,
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    batch: &mut Batch<'a>,
    report: &mut ImportReport<'_>,
) {
    let Some(s) = on_file else {
        let start = row.start_local.format("%Y-%m-%d %H:%M");
        if let Some(block) = case
            .block
            .filter(|_| row.status == "booked" && row.starts_at > now)
        {
            let (kind, why) = match block {
                Block::Hold => (
                    "bookings_hold",
                    "no new session is booked until what is owed is settled (seed 001)",
                ),
                Block::Closed => (
                    "case_closed",
                    "its file is closed, and a new referral opens it again (seed 001)",
                ),
            };
            let (was, task) = if how.dry_run {
                ("would not be", "would be")
            } else {
                ("was not", "is")
            };
            let what = format!(
                "{}: its session of {start} {was} booked, since {why}; a task {task} open. Bring \
                 the file in again when it may be booked",
                row.case_ref
            );
            report.counts.not_booked += 1;
            report
                .findings
                .push(Finding::warning(row.line, "case_ref", kind, what));
            batch.not_booked.push((
                case.id.clone(),
                sessions::local_text(row.start_local),
                row.starts_at,
            ));
            return;
        }
        let terms = terms_for_line(
            at.centre,
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
                report
                    .findings
                    .push(Finding::warning(row.line, column, "fee_announced", what));
            }
        }
        report.counts.new_sessions += 1;
        batch
            .sessions
            .push(new_session(row, at.centre, case, terms, imported, now));
        return;
    };
    match judged.outcome {
        RowOutcome::New | RowOutcome::Unchanged if parties_differ => report.counts.differs += 1,
        RowOutcome::New | RowOutcome::Unchanged => report.counts.unchanged += 1,
        RowOutcome::Moved => {
            report.counts.moved += 1;
            batch.moves.push((s.id.clone(), row));
        }
        RowOutcome::CancelledByFile => {
            report.counts.cancelled += 1;
            let who_hears = match (s.starts_at > now, how.tell) {
                (false, _) => "it has begun or is over, so nobody is told",
                (true, true) => "both parents are told by text",
                (true, false) if how.dry_run => {
                    "nobody would be texted: a task to ring would be opened for each parent \
                     (--tell would text them)"
                }
                (true, false) => {
                    "nobody is texted: ring both parents; a task for each is open (--tell would \
                     text them)"
                }
            };
            report.off.push(Finding::warning(
                row.line,
                "status",
                "cancelled_by_file",
                format!(
                    "{}: the file calls a booked session off; {who_hears}",
                    row.case_ref
                ),
            ));
            batch.off.push(s.id.clone());
        }
        RowOutcome::Differs(column, why) => {
            report.counts.differs += 1;
            report
                .findings
                .push(Finding::warning(row.line, column, "differs", why));
        }
    }
    if s.imported != imported || judged.names_it {
        batch.seen.push(SeenRow {
            session: s.id.clone(),
            imported,
            session_ref: row.session_ref.clone().filter(|_| judged.names_it),
        });
    }
}

async fn write(
    tx: &mut Tx,
    centre: &Centre,
    batch: Batch<'_>,
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    // First the sessions, then their cases, as everybody does.
    sessions::lock(
        tx,
        &batch
            .moves
            .iter()
            .map(|m| m.0.clone())
            .chain(batch.off.iter().cloned())
            .collect::<Vec<_>>(),
    )
    .await?;
    cases::insert_cases(tx, now, &batch.cases).await?;
    cases::insert_parties(tx, now, &batch.people.parties).await?;
    cases::insert_addresses(tx, now, &batch.people.addresses).await?;
    cases::insert_sessions(tx, &batch.sessions).await?;
    let fact = |case_id, kind, at| Fact::new(kind, "import", "import", at).case(case_id);
    let booked: Vec<Fact<'_>> = batch
        .sessions
        .iter()
        .map(|s| Fact {
            session_id: Some(&s.id),
            ..fact(&s.case_id, s.state, s.booked_at.min(now))
        })
        .collect();
    facts::add(tx, now, &booked).await?;
    for (case, party, role, name) in &batch.people.renamed {
        imports::rename(tx, party, name).await?;
        facts::add(
            tx,
            now,
            &[Fact {
                role: Some(*role),
                ..fact(case, "renamed", now)
            }],
        )
        .await?;
    }
    for (case, party, role, before, after) in &batch.people.lowered {
        imports::set_consent(tx, party, *after).await?;
        let detail = format!("{before} -> {after}");
        facts::add(
            tx,
            now,
            &[Fact {
                role: Some(*role),
                detail: &detail,
                ..fact(case, "opted_out", now)
            }],
        )
        .await?;
    }
    for (case, party, role, hash, channel) in &batch.people.ring_only {
        imports::ring_only(tx, party, hash, *channel).await?;
        facts::add(
            tx,
            now,
            &[Fact {
                role: Some(*role),
                detail: "texts",
                ..fact(case, "opted_out", now)
            }],
        )
        .await?;
    }
    for (case, party, role, hash) in &batch.people.pending {
        let dedup_key = format!("new-number/{party}/{hash}");
        let task = NewTask {
            centre: Some(&centre.code),
            case_id: Some(case),
            role: Some(*role),
            ..NewTask::new(dedup_key, TaskKind::ConfirmNumber)
        };
        tasks::open(tx, now, &task).await?;
    }
    let left: Vec<NewTask<'_>> = batch
        .not_booked
        .iter()
        .map(|(case, start, at)| NewTask {
            centre: Some(&centre.code),
            case_id: Some(case),
            due_at: Some(*at),
            ..NewTask::new(not_booked_cause(case, start), TaskKind::NotBooked)
        })
        .collect();
    tasks::open_many(tx, now, &left).await?;
    let booked_now: Vec<String> = batch
        .sessions
        .iter()
        .filter(|s| s.state == SessionState::Booked.as_str())
        .map(|s| not_booked_cause(&s.case_id, &s.start_local))
        .collect();
    tasks::close_many(tx, now, &booked_now).await?;
    for (session, row) in &batch.moves {
        if let Err(e) = move_session::move_in(
            tx,
            &how.senders,
            session,
            row.start_local,
            Origin::Centre,
            &Recording {
                by: "import",
                at: now,
            },
            now,
        )
        .await
        {
            report.findings.push(Finding::error(
                row.line,
                "start_time",
                "move_refused",
                format!("{e:#}"),
            ));
            return Ok(());
        }
    }
    for session in &batch.off {
        called_off(tx, centre, session, how, now).await?;
    }
    let touched = batch.sessions.iter().map(|s| &s.case_id);
    money::look_again(tx, now, touched).await?;
    imports::remember(tx, batch.seen).await
}

/// The centre calls a session off through the file (choice C22). Without `tell` nothing is texted,
/// and a person rings both parents.
async fn called_off(
    tx: &mut Tx,
    centre: &Centre,
    session_id: &SessionId,
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    sessions::lock(tx, &[session_id.to_owned()]).await?;
    let Some(session) = sessions::get(tx, session_id)
        .await?
        .filter(|s| s.state == SessionState::Booked)
    else {
        return Ok(());
    };
    let off = Fact::new("cancelled", "C22", "import", now).of_session(&session);
    facts::add(tx, now, &[off]).await?;
    money::look_again(tx, now, std::iter::once(&session.case_id)).await?;
    let ahead = session.starts_at > now;
    if ahead && how.tell {
        return call_off(
            tx,
            &how.senders,
            centre,
            session_id,
            &CallOff {
                by: CancelledBy::Centre,
                at: now,
                by_address: None,
            },
            now,
        )
        .await;
    }
    if !sessions::call_off(
        tx,
        &session,
        &Cancellation {
            by: CancelledBy::Centre,
            at: now,
        },
    )
    .await?
    {
        return Ok(());
    }
    outbox::withdraw(
        tx,
        session_id,
        None,
        &[MessageKind::ConfirmRequest, MessageKind::SessionMoved],
        EndReason::SessionOff.as_str(),
    )
    .await?;
    tasks::obsolete_of_session(tx, now, session_id, TaskKind::RingSessionOn).await?;
    for context in sessions::contexts(tx, &how.senders, session_id).await? {
        let role = context.attendee.role;
        if context.attendee.ask_at.is_some() {
            sessions::ask_at(tx, session_id, role, None, "cancelled").await?;
        }
        if ahead {
            let dedup_key = format!("ring-for/off/{session_id}/{}/{role}", session.version + 1);
            ring(tx, now, &context, TaskKind::RingSessionOff, dedup_key).await?;
        }
    }
    Ok(())
}

/// Names the booked sessions of cases that the file does not have at all.
pub(super) async fn missing_cases(
    tx: &mut Tx,
    at: &Covered<'_>,
    in_file: &HashSet<&str>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    const PAGE: i64 = 500;
    let mut after: Option<SessionId> = None;
    loop {
        let page = imports::booked_on(tx, &at.centre.code, at.days, after.as_ref(), PAGE).await?;
        for (_, case_ref, start_local) in page
            .iter()
            .filter(|(_, case_ref, _)| !in_file.contains(case_ref.as_str()))
        {
            report.missing(case_ref, start_local);
        }
        match page.last() {
            Some((id, ..)) if page.len() as i64 == PAGE => after = Some(id.clone()),
            _ => return Ok(()),
        }
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
    let place = |p: &crate::flows::import::row::PartyRow| {
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
        places: row.parties.iter().filter_map(place).collect(),
    }
}
