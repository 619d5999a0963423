//! Cases as the rules on milestones and habits see them, and when each is due.

use crate::args;
use crate::domain::dedup_key::{MessageKey, TaskKey};
use crate::domain::ids::{CaseId, SessionId, TaskId};
use crate::domain::outgoing::message::MessageState;
use crate::domain::people::role::Role;
use crate::domain::reminders::milestones::ParentCancellation;
use crate::domain::reminders::milestones::{MilestoneCase, MilestoneVisit};
use crate::domain::task::TaskKind;
use crate::domain::visits::notice::late;
use crate::domain::visits::session::{CancelledBy, ContactType, Reason};
use crate::store::db::{Arg, Db, Row, Tx, placeholder_list};
use crate::store::session_rows::read_move;
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Due open cases, at most `limit`: (centre, case).
pub async fn due(
    tx: &mut Tx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(String, MilestoneCase)>> {
    let rows = tx
        .all(
            "SELECT id, centre, court_ordered, created_at
             FROM case_file
             WHERE state = 'open' AND (bookings_at IS NULL OR bookings_at <= $1)
             ORDER BY id
             LIMIT $2 {skip}",
            args![now, limit],
        )
        .await?;
    let mut cases = Vec::with_capacity(rows.len());
    for r in &rows {
        cases.push((
            r.text("centre")?,
            MilestoneCase {
                id: r.id("id")?,
                court_ordered: r.flag("court_ordered")?,
                known_at: r.time("created_at")?,
                visits: Vec::new(),
            },
        ));
    }
    if cases.is_empty() {
        return Ok(cases);
    }
    let mut visits = visits(tx, &cases.iter().map(|c| &c.1.id).collect::<Vec<_>>()).await?;
    for (_, case) in &mut cases {
        case.visits = visits.remove(&case.id).unwrap_or_default();
    }
    Ok(cases)
}

fn ids(cases: &[&CaseId]) -> (String, Vec<Arg>) {
    (
        placeholder_list(1, cases.len()),
        cases.iter().map(|c| Arg::from(*c)).collect(),
    )
}

async fn visits(tx: &mut Tx, cases: &[&CaseId]) -> Result<HashMap<CaseId, Vec<MilestoneVisit>>> {
    let seal = tx.seal();
    let (list, args) = ids(cases);
    // The reason given with a parent's cancellation, and the sessions with a note.
    let mut reasons: HashMap<(SessionId, Role), Reason> = HashMap::new();
    let mut notes: HashSet<SessionId> = HashSet::new();
    let sql = format!(
        "SELECT session_id, role, kind, detail
         FROM fact f
         WHERE kind IN ('cancelled', 'note')
           AND session_id IS NOT NULL
           AND case_id IN ({list})
           AND NOT EXISTS (SELECT 1 FROM fact v WHERE v.voids = f.id)
         ORDER BY at, recorded_at"
    );
    for r in tx.all(sql, args.clone()).await? {
        let session = r.id("session_id")?;
        match (r.text("kind")?.as_str(), r.parsed_opt("role")?) {
            ("note", _) => drop(notes.insert(session)),
            (_, Some(role)) => {
                if let Ok(reason) = seal.open(&r.text("detail")?).0.parse() {
                    reasons.insert((session, role), reason);
                }
            }
            _ => {}
        }
    }
    let sql = format!(
        "SELECT s.id, s.case_id, s.starts_at, s.ends_at, s.state, s.contact_type, s.cancelled_by,
           s.cancelled_at, s.notice_hours, s.move_origin, s.moved_at, s.moved_from, s.unbooked,
           r.id AS replaced_by,
           (SELECT max(t.hears_at) FROM attendee t WHERE t.session_id = s.id) AS released_at
         FROM session s
         LEFT JOIN session r ON r.replaces = s.id
         WHERE s.case_id IN ({list})
         ORDER BY s.starts_at, s.id"
    );
    let mut out: HashMap<CaseId, Vec<MilestoneVisit>> = HashMap::new();
    for r in tx.all(sql, args).await? {
        let (session, start): (SessionId, _) = (r.id("id")?, r.time("starts_at")?);
        let off_by = match r.parsed_opt::<CancelledBy>("cancelled_by")? {
            Some(CancelledBy::Resident) => Some(Role::Resident),
            Some(CancelledBy::Contact) => Some(Role::Contact),
            Some(CancelledBy::Centre) | None => None,
        };
        // When this party's message about the move was accepted is not looked up: the time of
        // recording is close enough.
        let moved = read_move(&r)?;
        let off_at = r.time_opt("cancelled_at")?;
        let notice_hours = r.int("notice_hours")?;
        let cancelled = off_by.map(|role| ParentCancellation {
            role,
            late: off_at.is_some_and(|at| {
                late(start, notice_hours, moved.as_ref(), moved.map(|m| m.at), at)
            }),
            reason: reasons.get(&(session.clone(), role)).copied(),
            note: notes.contains(&session),
        });
        let visit = MilestoneVisit {
            start,
            end: r.time("ends_at")?,
            state: r.parsed("state")?,
            previsit: r.text("contact_type")? == ContactType::Previsit.as_str(),
            unbooked: r.flag("unbooked")?,
            replaced: r.text_opt("replaced_by")?.is_some(),
            released_at: r.time_opt("released_at")?,
            off_at,
            cancelled,
            session,
        };
        out.entry(r.id("case_id")?).or_default().push(visit);
    }
    Ok(out)
}

/// Sets when each case is due next.
pub async fn settle(tx: &mut Tx, rows: Vec<(CaseId, DateTime<Utc>)>) -> Result<()> {
    let rows = rows.into_iter().map(|(id, at)| args![id, at]).collect();
    tx.update_many(
        "id, at",
        "UPDATE case_file
         SET bookings_at = v.at
         FROM v
         WHERE case_file.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// An open task that has no message yet.
pub struct TaskWithoutText {
    pub case_id: CaseId,
    /// Its dedup key, which the dedup keys of its messages contain.
    pub dedup_key: TaskKey,
    pub topic: TaskKind,
    pub session: Option<SessionId>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// The open tasks of some cases and kinds that have no message yet.
pub async fn tasks_without_text(
    tx: &mut Tx,
    cases: &[&CaseId],
    topics: &[TaskKind],
) -> Result<Vec<TaskWithoutText>> {
    if cases.is_empty() || topics.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT case_id, cause, topic, session_id, due_at
         FROM task
         WHERE state = 'open'
           AND case_id IN ({})
           AND topic IN ({})
         ORDER BY cause",
        placeholder_list(1, cases.len()),
        placeholder_list(cases.len() + 1, topics.len())
    );
    let args = cases
        .iter()
        .map(|c| Arg::from(*c))
        .chain(topics.iter().map(|t| Arg::from(t.as_str())))
        .collect();
    let read = |r: &Row| {
        Ok(TaskWithoutText {
            case_id: r.id("case_id")?,
            dedup_key: TaskKey::stored(r.text("cause")?),
            topic: r.parsed("topic")?,
            session: r.id_opt("session_id")?,
            due_at: r.time_opt("due_at")?,
        })
    };
    let mut tasks: Vec<TaskWithoutText> = tx
        .all(sql, args)
        .await?
        .iter()
        .map(read)
        .collect::<Result<_>>()?;
    let queued = queued_texts(tx, &tasks).await?;
    tasks.retain(|t| texts_of(t).iter().all(|key| !queued.contains(key.as_str())));
    Ok(tasks)
}

fn texts_of(task: &TaskWithoutText) -> [MessageKey; 2] {
    Role::PARENTS.map(|role| MessageKey::milestone(&task.dedup_key, role))
}

/// The dedup keys of the messages about these tasks that were queued.
async fn queued_texts(tx: &mut Tx, tasks: &[TaskWithoutText]) -> Result<HashSet<String>> {
    let mut queued = HashSet::new();
    for chunk in tasks.chunks(200) {
        let keys: Vec<MessageKey> = chunk.iter().flat_map(texts_of).collect();
        let sql = format!(
            "SELECT cause FROM message WHERE cause IN ({})",
            placeholder_list(1, keys.len())
        );
        let args = keys.iter().map(|k| Arg::from(k.as_str())).collect();
        for r in tx.all(sql, args).await? {
            queued.insert(r.text("cause")?);
        }
    }
    Ok(queued)
}

/// A milestone message, for the list of tasks.
pub struct TextOfTask {
    pub task: TaskId,
    pub role: Role,
    pub state: MessageState,
    pub held: bool,
    /// When it was sent, or the earliest time it may be.
    pub at: DateTime<Utc>,
}

/// All milestone messages, each with its task.
pub async fn texts_of_tasks(db: &Db) -> Result<Vec<TextOfTask>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT cause, role, state, held_at, not_before, sent_at
             FROM message
             WHERE kind IN ('review_due', 'introduction_meeting', 'previsit_invitation',
                'fee_change')
             ORDER BY cause DESC",
            args![],
        )
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(task) = MessageKey::stored(r.text("cause")?).milestone_task() else {
            continue;
        };
        out.push(TextOfTask {
            task: TaskId::new(seal.id_of(&task.id_text())),
            role: r.parsed("role")?,
            state: r.parsed("state")?,
            held: r.time_opt("held_at")?.is_some(),
            at: r.time_opt("sent_at")?.unwrap_or(r.time("not_before")?),
        });
    }
    Ok(out)
}

/// The sessions of some cases with an open task to replace them: (case, session).
pub async fn to_be_replaced(tx: &mut Tx, cases: &[&CaseId]) -> Result<Vec<(CaseId, SessionId)>> {
    let (list, args) = ids(cases);
    let sql = format!(
        "SELECT case_id, session_id
         FROM task
         WHERE topic = 'replacement'
           AND state = 'open'
           AND session_id IS NOT NULL
           AND case_id IN ({list})"
    );
    tx.all(sql, args)
        .await?
        .iter()
        .map(|r| Ok((r.id("case_id")?, r.id("session_id")?)))
        .collect()
}

/// Has the next scan look at a case: something happened that its tasks depend on.
pub async fn rescan(tx: &mut Tx, case_id: &CaseId) -> Result<()> {
    tx.exec(
        "UPDATE case_file SET bookings_at = NULL WHERE id = $1",
        args![case_id],
    )
    .await?;
    Ok(())
}

/// Has the next scan look at many cases.
pub async fn rescan_many(tx: &mut Tx, cases: &[CaseId]) -> Result<()> {
    let rows = cases.iter().map(|id| args![id]).collect();
    tx.update_many(
        "id",
        "UPDATE case_file SET bookings_at = NULL FROM v WHERE case_file.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}
