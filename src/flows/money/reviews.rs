//! The tasks that the rules call for: what a person has to decide or to release.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::SessionId;
use crate::domain::money::policy::NoticeKind;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use crate::flows::money::assessed_case::{AssessedCase, CalledNotice, still_so};
use crate::flows::money::owed_again;
use crate::store::Tx;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The tasks that only the rules on money open.
pub(super) const REVIEWS: &[TaskKind] = &[
    TaskKind::ChildrenCount,
    TaskKind::CourtOrder,
    TaskKind::LateNote,
    TaskKind::NoShow,
    TaskKind::NoteMismatch,
    TaskKind::NoteNoEffect,
    TaskKind::Refund,
    TaskKind::Tie,
];

/// The task that holds a text back until a person releases it; `None` for a text that needs no
/// release.
fn release_task(kind: MessageKind) -> Option<TaskKind> {
    match kind {
        MessageKind::AllPartiesNotice => Some(TaskKind::ReleaseAllParties),
        MessageKind::CaseClosed => Some(TaskKind::ReleaseCaseClosed),
        _ => None,
    }
}

/// Opens the tasks that the rules call for, and closes those that are no longer called for.
pub(super) async fn open(
    tx: &mut Tx,
    seen: &AssessedCase<'_>,
    called: &[CalledNotice<'_>],
    undecided: &HashSet<SessionId>,
    standing: &[tasks::CaseTask],
    now: DateTime<Utc>,
) -> Result<()> {
    let (case, assessed) = (&seen.case, &seen.assessed);
    let mut list: Vec<NewTask<'_>> = Vec::new();
    let mut held: Vec<TaskKey> = Vec::new();
    for c in called {
        let (dedup_key, topic) = match c.kind {
            NoticeKind::Message(kind) => {
                let Some(topic) = release_task(kind) else {
                    continue;
                };
                if undecided.contains(c.session) || !still_so(kind, assessed, c.session, None, now)
                {
                    continue;
                }
                // A closed file stays closed, whatever is owed again, so that is told once.
                let again = if kind == MessageKind::CaseClosed {
                    0
                } else {
                    owed_again::times(seen, c.session)
                };
                let dedup_key = TaskKey::release(kind.as_str(), c.session, c.n, again);
                held.push(dedup_key.clone());
                (dedup_key, topic)
            }
            // A session is replaced once, whoever called it off.
            NoticeKind::Task(TaskKind::Replacement) => {
                (TaskKey::replacement(c.session), TaskKind::Replacement)
            }
            NoticeKind::Task(topic) => (TaskKey::review(topic, c.session, c.n), topic),
        };
        let liable = assessed
            .of(c.session)
            .and_then(|a| a.liable)
            .map(|p| p.role());
        list.push(NewTask {
            centre: Some(&case.centre),
            case_id: Some(&case.id),
            session_id: Some(c.session),
            role: liable,
            ..NewTask::new(dedup_key, topic)
        });
    }
    for (n, _) in assessed.unallocated.iter().enumerate() {
        list.push(NewTask {
            centre: Some(&case.centre),
            case_id: Some(&case.id),
            ..NewTask::new(TaskKey::refund(&case.id, n), TaskKind::Refund)
        });
    }
    tasks::open_many(tx, now, &list).await?;
    // Open a release again if it is called for again, unless a person released it before.
    for t in list.iter().filter(|t| {
        matches!(
            t.topic,
            TaskKind::ReleaseAllParties | TaskKind::ReleaseCaseClosed
        )
    }) {
        let Some(session) = t.session_id else {
            continue;
        };
        let released = match t.topic {
            TaskKind::ReleaseAllParties => case
                .record
                .released(session, MessageKind::AllPartiesNotice.as_str()),
            _ => case
                .record
                .ever_released(session, MessageKind::CaseClosed.as_str()),
        };
        if !released {
            tasks::reopen(tx, &t.dedup_key).await?;
        }
    }
    tasks::mark_releases_done_except(tx, now, &case.id, &held).await?;
    // Close the reviews that a voided record had called for.
    for task in standing
        .iter()
        .filter(|t| REVIEWS.contains(&t.topic) && t.dedup_key.is_review())
    {
        match (
            task.open,
            list.iter().any(|t| t.dedup_key == task.dedup_key),
        ) {
            (true, false) => tasks::mark_obsolete_by_id(tx, now, &task.id).await?,
            (false, true) => tasks::reopen_obsolete_by_id(tx, &task.id).await?,
            _ => {}
        }
    }
    Ok(())
}
