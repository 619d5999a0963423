//! What the rules ask a person to decide or to let go: tasks, open as long as they are called for.

use crate::domain::ids::SessionId;
use crate::domain::money::policy::{self, NoticeKind};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use crate::flows::money::assessed_case::{AssessedCase, CalledNotice, still_so};
use crate::flows::money::owed_again;
use crate::store::Tx;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The topics of reviews that the rules alone open.
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

/// What a review of the rules asks of a person; `None` for one that the conversation opens by
/// itself.
fn task_topic(topic: policy::Topic) -> Option<TaskKind> {
    Some(match topic {
        policy::Topic::ChildrenCount => TaskKind::ChildrenCount,
        policy::Topic::CourtOrder => TaskKind::CourtOrder,
        policy::Topic::LateNote => TaskKind::LateNote,
        policy::Topic::NoShow => TaskKind::NoShow,
        policy::Topic::NoteMismatch => TaskKind::NoteMismatch,
        policy::Topic::NoteNoEffect => TaskKind::NoteNoEffect,
        policy::Topic::Refund => TaskKind::Refund,
        policy::Topic::Tie => TaskKind::Tie,
        policy::Topic::Replacement => TaskKind::Replacement,
        policy::Topic::Reconfirm | policy::Topic::SomeChildren => return None,
    })
}

/// The cause of the task that holds a notice to all parties back until a person releases it; after
/// a receipt it is another notice.
fn release_cause(kind: NoticeKind, session: &SessionId, n: usize, again: usize) -> String {
    match again {
        0 => format!("release/{kind}/{session}/{n}"),
        k => format!("release/{kind}/{session}/{n}/again-{k}"),
    }
}

/// Opens the tasks that the rules ask for, and ends those that are not called for any more.
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
    let mut held: Vec<String> = Vec::new();
    for c in called {
        let (dedup_key, topic) = match (c.kind, c.topic.and_then(task_topic)) {
            (NoticeKind::AllPartiesNotice | NoticeKind::CaseClosed, _) => {
                let (kind, topic) = if c.kind == NoticeKind::CaseClosed {
                    (MessageKind::CaseClosed, TaskKind::ReleaseCaseClosed)
                } else {
                    (MessageKind::AllPartiesNotice, TaskKind::ReleaseAllParties)
                };
                if undecided.contains(c.session) || !still_so(kind, assessed, c.session, None, now)
                {
                    continue;
                }
                // A file that was closed stays closed, whatever is owed again: that is told once.
                let again = if c.kind == NoticeKind::CaseClosed {
                    0
                } else {
                    owed_again::times(seen, c.session)
                };
                let dedup_key = release_cause(c.kind, c.session, c.n, again);
                held.push(dedup_key.clone());
                (dedup_key, topic)
            }
            // One thing to do for a session that is to be replaced, whoever called it off.
            (_, Some(TaskKind::Replacement)) => {
                (format!("replacement/{}", c.session), TaskKind::Replacement)
            }
            (_, Some(topic)) => (format!("review/{topic}/{}/{}", c.session, c.n), topic),
            _ => continue,
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
            ..NewTask::new(format!("review/refund/{}/{n}", case.id), TaskKind::Refund)
        });
    }
    tasks::open_many(tx, now, &list).await?;
    // One that was closed because it was not called for, and is called for again, waits again; what
    // a person released stays released.
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
    // What a wrong record asked for is asked no more once that was taken out.
    for task in standing
        .iter()
        .filter(|t| REVIEWS.contains(&t.topic) && t.dedup_key.starts_with("review/"))
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
