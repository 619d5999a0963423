//! What the rules ask a person to decide or to let go: tasks, open as long as they are called for.

use crate::domain::money::policy::{self, NoticeKind};
use crate::domain::outgoing::message::Kind;
use crate::domain::task::Topic;
use crate::flows::money::assessed_case::{Called, Seen, still_so};
use crate::flows::money::owed_again;
use crate::store::Tx;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The topics of reviews that the rules alone open.
pub(super) const REVIEWS: &[Topic] = &[
    Topic::ChildrenCount,
    Topic::CourtOrder,
    Topic::LateNote,
    Topic::NoShow,
    Topic::NoteMismatch,
    Topic::NoteNoEffect,
    Topic::Refund,
    Topic::Tie,
];

/// What a review of the rules asks of a person; `None` for one that the conversation opens by
/// itself.
fn task_topic(topic: policy::Topic) -> Option<Topic> {
    Some(match topic {
        policy::Topic::ChildrenCount => Topic::ChildrenCount,
        policy::Topic::CourtOrder => Topic::CourtOrder,
        policy::Topic::LateNote => Topic::LateNote,
        policy::Topic::NoShow => Topic::NoShow,
        policy::Topic::NoteMismatch => Topic::NoteMismatch,
        policy::Topic::NoteNoEffect => Topic::NoteNoEffect,
        policy::Topic::Refund => Topic::Refund,
        policy::Topic::Tie => Topic::Tie,
        policy::Topic::Replacement => Topic::Replacement,
        policy::Topic::Reconfirm | policy::Topic::SomeChildren => return None,
    })
}

/// The cause of the task that holds a notice to all parties back until a person releases it; after
/// a receipt it is another notice.
fn release_cause(kind: NoticeKind, session: &str, n: usize, again: usize) -> String {
    match again {
        0 => format!("release/{kind}/{session}/{n}"),
        k => format!("release/{kind}/{session}/{n}/again-{k}"),
    }
}

/// Opens the tasks that the rules ask for, and ends those that are not called for any more.
pub(super) async fn open(
    tx: &mut Tx,
    seen: &Seen<'_>,
    called: &[Called<'_>],
    undecided: &HashSet<String>,
    standing: &[tasks::Standing],
    now: DateTime<Utc>,
) -> Result<()> {
    let (case, assessed) = (&seen.case, &seen.assessed);
    let mut list: Vec<NewTask<'_>> = Vec::new();
    let mut held: Vec<String> = Vec::new();
    for c in called {
        let (cause, topic) = match (c.kind, c.topic.and_then(task_topic)) {
            (NoticeKind::AllPartiesNotice | NoticeKind::CaseClosed, _) => {
                let (kind, topic) = if c.kind == NoticeKind::CaseClosed {
                    (Kind::CaseClosed, Topic::ReleaseCaseClosed)
                } else {
                    (Kind::AllPartiesNotice, Topic::ReleaseAllParties)
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
                let cause = release_cause(c.kind, c.session, c.n, again);
                held.push(cause.clone());
                (cause, topic)
            }
            // One thing to do for a session that is to be replaced, whoever called it off.
            (_, Some(Topic::Replacement)) => {
                (format!("replacement/{}", c.session), Topic::Replacement)
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
            ..NewTask::new(cause, topic)
        });
    }
    for (n, _) in assessed.unallocated.iter().enumerate() {
        list.push(NewTask {
            centre: Some(&case.centre),
            case_id: Some(&case.id),
            ..NewTask::new(format!("review/refund/{}/{n}", case.id), Topic::Refund)
        });
    }
    tasks::open_many(tx, now, &list).await?;
    // One that was closed because it was not called for, and is called for again, waits again; what
    // a person released stays released.
    for t in list
        .iter()
        .filter(|t| matches!(t.topic, Topic::ReleaseAllParties | Topic::ReleaseCaseClosed))
    {
        let session = t.session_id.unwrap_or_default();
        let released = match t.topic {
            Topic::ReleaseAllParties => case
                .record
                .released(session, Kind::AllPartiesNotice.as_str()),
            _ => case
                .record
                .ever_released(session, Kind::CaseClosed.as_str()),
        };
        if !released {
            tasks::open_again(tx, &t.cause).await?;
        }
    }
    tasks::keep_releases(tx, now, &case.id, &held).await?;
    // What a wrong record asked for is asked no more once that was taken out.
    for task in standing
        .iter()
        .filter(|t| REVIEWS.contains(&t.topic) && t.cause.starts_with("review/"))
    {
        match (task.open, list.iter().any(|t| t.cause == task.cause)) {
            (true, false) => tasks::moot(tx, now, &task.id).await?,
            (false, true) => tasks::needed_again(tx, &task.id).await?,
            _ => {}
        }
    }
    Ok(())
}
