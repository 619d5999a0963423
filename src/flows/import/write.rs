//! Writes what lines bring, some cases at a time, within the one transaction of the import.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::task::TaskKind;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{CancelledBy, SessionState};
use crate::flows::error::Error;
use crate::flows::import::finding::{Finding, any_error};
use crate::flows::import::gather::{Batch, Gathering};
use crate::flows::import::options::ImportOptions;
use crate::flows::import::parties::PartyChanges;
use crate::flows::import::report::{Covered, ImportReport};
use crate::flows::import::row::SessionRow;
use crate::flows::recording::Recording;
use crate::flows::ring::ring;
use crate::flows::visits::cancel::{CallOff, call_off};
use crate::flows::visits::move_session;
use crate::store::cases;
use crate::store::facts::{self, Fact};
use crate::store::imports;
use crate::store::sessions::{self, Cancellation};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, money, outbox};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Compares and writes some whole cases of one centre; `cases` holds the lines of each.
pub(super) async fn some_cases(
    tx: &mut Tx,
    at: &Covered<'_>,
    cases: &[&[SessionRow]],
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    let refs: Vec<&str> = cases
        .iter()
        .filter_map(|rows| rows.first())
        .map(|r| r.case_ref.as_str())
        .collect();
    let mut known = imports::known_cases(tx, &at.centre.code, &refs).await?;
    let mut gathering = Gathering {
        seal: &tx.seal(),
        at,
        how,
        now,
        report,
        batch: Batch::default(),
    };
    for rows in cases {
        let on_file = rows.first().and_then(|first| known.remove(&first.case_ref));
        gathering.case(rows, on_file);
    }
    let batch = gathering.batch;
    if any_error(report.findings) {
        return Ok(());
    }
    write(tx, at.centre, batch, how, now, report).await
}

async fn write(
    tx: &mut Tx,
    centre: &Centre,
    batch: Batch<'_>,
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
    report: &mut ImportReport<'_>,
) -> Result<()> {
    // First the sessions, then their cases, in the order of every other transaction.
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
    let booked: Vec<Fact<'_>> = batch
        .sessions
        .iter()
        .map(|s| {
            fact(s.state, s.booked_at.min(now))
                .case(&s.case_id)
                .session(&s.id)
        })
        .collect();
    facts::add(tx, now, &booked).await?;
    write_people(tx, centre, &batch.people, now).await?;
    write_tasks(tx, centre, &batch, now).await?;
    for (session, row) in &batch.moves {
        if let Some(refused) = move_by_file(tx, session, row, how, now).await? {
            report.findings.push(refused);
            return Ok(());
        }
    }
    for session in &batch.off {
        called_off(tx, centre, session, how, now).await?;
    }
    let touched = batch.sessions.iter().map(|s| &s.case_id);
    money::rescan(tx, now, touched).await?;
    imports::save_seen_rows(tx, batch.seen).await
}

fn fact<'a>(kind: &'a str, at: DateTime<Utc>) -> Fact<'a> {
    Fact::new(kind, "import", "import", at)
}

async fn write_people(
    tx: &mut Tx,
    centre: &Centre,
    people: &PartyChanges,
    now: DateTime<Utc>,
) -> Result<()> {
    for (case, party, role, name) in &people.renamed {
        imports::rename(tx, party, name).await?;
        let fact = fact("renamed", now).case(case).role(*role);
        facts::add(tx, now, &[fact]).await?;
    }
    for (case, party, role, before, after) in &people.lowered {
        imports::set_consent(tx, party, *after).await?;
        let detail = format!("{before} -> {after}");
        let fact = fact("opted_out", now)
            .case(case)
            .role(*role)
            .detail(&detail);
        facts::add(tx, now, &[fact]).await?;
    }
    for (case, party, role, hash, channel) in &people.ring_only {
        imports::ring_only(tx, party, hash, *channel).await?;
        let fact = fact("opted_out", now)
            .case(case)
            .role(*role)
            .detail("texts");
        facts::add(tx, now, &[fact]).await?;
    }
    for (case, party, role, hash) in &people.pending {
        let dedup_key = TaskKey::new_number(party, hash);
        let task = NewTask {
            centre: Some(&centre.code),
            case_id: Some(case),
            role: Some(*role),
            ..NewTask::new(dedup_key, TaskKind::ConfirmNumber)
        };
        tasks::open(tx, now, &task).await?;
    }
    Ok(())
}

/// A task for each session that may not be booked; the ones that were booked after all are closed.
async fn write_tasks(
    tx: &mut Tx,
    centre: &Centre,
    batch: &Batch<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let left: Vec<NewTask<'_>> = batch
        .not_booked
        .iter()
        .map(|(case, start, at)| NewTask {
            centre: Some(&centre.code),
            case_id: Some(case),
            due_at: Some(*at),
            ..NewTask::new(TaskKey::not_booked(case, start), TaskKind::NotBooked)
        })
        .collect();
    tasks::open_many(tx, now, &left).await?;
    let booked_now: Vec<TaskKey> = batch
        .sessions
        .iter()
        .filter(|s| s.state == SessionState::Booked.as_str())
        .map(|s| TaskKey::not_booked(&s.case_id, &s.start_local))
        .collect();
    tasks::mark_many_obsolete(tx, now, &booked_now).await?;
    Ok(())
}

/// Moves a session to the time in the file. A move that the rules refuse is a finding.
async fn move_by_file(
    tx: &mut Tx,
    session: &SessionId,
    row: &SessionRow,
    how: &ImportOptions<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Finding>> {
    let rec = Recording {
        by: "import",
        at: now,
    };
    let to = row.start_local;
    match move_session::move_in(tx, &how.senders, session, to, Origin::Centre, &rec, now).await {
        Ok(()) => Ok(None),
        Err(Error::Failed(e)) => Err(e),
        Err(refused) => Ok(Some(Finding::error(
            row.line,
            "start_time",
            "move_refused",
            refused.to_string(),
        ))),
    }
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
    money::rescan(tx, now, std::iter::once(&session.case_id)).await?;
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
    if !sessions::cancel(
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
    tasks::mark_obsolete_of_session(tx, now, session_id, TaskKind::RingSessionOn).await?;
    for context in sessions::contexts_of_session(tx, &how.senders, session_id).await? {
        let role = context.attendee.role;
        if context.attendee.ask_at.is_some() {
            sessions::schedule_ask(tx, session_id, role, None, "cancelled").await?;
        }
        if ahead {
            let off = MessageKey::session_off(session_id, session.version + 1, role);
            let dedup_key = TaskKey::ring_for(&off);
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
