//! Reading tasks.

use crate::args;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, InboundId, MessageId, SessionId, TaskId};
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::store::db::{Arg, Db, Tx, placeholder_list};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Whether the task with this dedup key is open.
pub async fn is_open(tx: &mut Tx, dedup_key: &TaskKey) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM task WHERE cause = $1 AND state = 'open'",
            args![dedup_key.as_str()],
        )
        .await?
        .is_some())
}

/// Whether a person did the task with this dedup key.
pub async fn was_done(tx: &mut Tx, dedup_key: &TaskKey) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM task WHERE cause = $1 AND state = 'done' AND moot = FALSE",
            args![dedup_key.as_str()],
        )
        .await?
        .is_some())
}

/// An open or obsolete task.
#[derive(Debug)]
pub struct CaseTask {
    pub id: TaskId,
    pub dedup_key: TaskKey,
    pub topic: TaskKind,
    pub session_id: Option<SessionId>,
    pub role: Option<Role>,
    /// The outbound message that it is about.
    pub message_id: Option<MessageId>,
    /// Whether it is open.
    pub open: bool,
}

/// The open and obsolete tasks of a case of some kinds.
pub async fn open_or_obsolete(
    tx: &mut Tx,
    case_id: &CaseId,
    topics: &[TaskKind],
) -> Result<Vec<CaseTask>> {
    let mut args = args![case_id];
    args.extend(topics.iter().map(|t| Arg::from(t.as_str())));
    let sql = format!(
        "SELECT id, cause, topic, session_id, role, message_id, state
         FROM task
         WHERE case_id = $1 AND (state = 'open' OR moot = TRUE) AND topic IN ({})
         ORDER BY opened_at, id",
        placeholder_list(2, topics.len())
    );
    tx.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            Ok(CaseTask {
                id: r.id("id")?,
                dedup_key: TaskKey::stored(r.text("cause")?),
                topic: r.parsed("topic")?,
                session_id: r.id_opt("session_id")?,
                role: r.parsed_opt("role")?,
                message_id: r.id_opt("message_id")?,
                open: r.text("state")? == "open",
            })
        })
        .collect()
}

/// A task with everything it refers to.
#[derive(Debug)]
pub struct TaskContext {
    pub dedup_key: TaskKey,
    pub topic: TaskKind,
    /// `open` or `done`.
    pub state: String,
    /// Its case, if known.
    pub case_id: Option<CaseId>,
    /// Its session, if any.
    pub session_id: Option<SessionId>,
    /// Its party, if any.
    pub role: Option<Role>,
    /// The inbound message that it is about.
    pub inbound_id: Option<InboundId>,
    /// The outbound message that it is about.
    pub message_id: Option<MessageId>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when it must be done.
    pub due_at: Option<DateTime<Utc>>,
}

/// A task by its id.
pub async fn get(tx: &mut Tx, id: &TaskId) -> Result<Option<TaskContext>> {
    let row = tx
        .one(
            "SELECT cause, topic, state, case_id, session_id, role, inbound_id, message_id,
               opened_at, due_at
             FROM task
             WHERE id = $1",
            args![id],
        )
        .await?;
    row.map(|r| {
        Ok(TaskContext {
            dedup_key: TaskKey::stored(r.text("cause")?),
            topic: r.parsed("topic")?,
            state: r.text("state")?,
            case_id: r.id_opt("case_id")?,
            session_id: r.id_opt("session_id")?,
            role: r.parsed_opt("role")?,
            inbound_id: r.id_opt("inbound_id")?,
            message_id: r.id_opt("message_id")?,
            opened_at: r.time("opened_at")?,
            due_at: r.time_opt("due_at")?,
        })
    })
    .transpose()
}

/// Open tasks that staff were not alerted to: (id, kind, due).
pub async fn unalerted(
    tx: &mut Tx,
    now: DateTime<Utc>,
) -> Result<Vec<(TaskId, TaskKind, Option<DateTime<Utc>>)>> {
    let rows = tx
        .all(
            "SELECT id, topic, due_at
             FROM task
             WHERE state = 'open'
               AND alerted_at IS NULL
               AND topic NOT IN (
                 'unknown_sender', 'confirm_number', 'confirm_chat', 'replacement', 'review_due',
                 'introduction_meeting', 'previsit_invitation', 'fee_change', 'pattern'
               )
               AND (due_at IS NULL OR due_at > $1)
               AND NOT (due_at IS NULL AND topic IN ('read_message', 'media'))
             ORDER BY due_at, opened_at
             LIMIT 5000",
            args![now],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.id("id")?, r.parsed("topic")?, r.time_opt("due_at")?)))
        .collect()
}

/// Records that staff were alerted to these tasks.
pub async fn set_alerted(tx: &mut Tx, now: DateTime<Utc>, ids: &[TaskId]) -> Result<()> {
    let rows = ids.iter().map(|id| args![id, now]).collect();
    tx.update_many(
        "id, at",
        "UPDATE task
         SET alerted_at = v.at
         FROM v
         WHERE task.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// A task for lists.
#[derive(Debug, Clone)]
pub struct Task {
    pub id: TaskId,
    pub topic: TaskKind,
    pub centre: Option<String>,
    pub case_ref: Option<String>,
    pub role: Option<Role>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when it must be done.
    pub due_at: Option<DateTime<Utc>>,
    /// `open` or `done`.
    pub state: String,
}

/// The tasks of one centre or of all, oldest first.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<Task>> {
    let rows = db
        .all(
            "SELECT t.id, t.topic, coalesce(t.centre, c.centre) AS at_centre, c.case_ref, t.role,
               t.opened_at, t.due_at, t.state
             FROM task t
             LEFT JOIN case_file c ON c.id = t.case_id
             WHERE $1 IS NULL
               OR coalesce(t.centre, c.centre) = $1
               OR coalesce(t.centre, c.centre) IS NULL
             ORDER BY t.opened_at, t.id",
            args![centre],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(Task {
                id: r.id("id")?,
                topic: r.parsed("topic")?,
                centre: r.text_opt("at_centre")?,
                case_ref: r.text_opt("case_ref")?,
                role: r.parsed_opt("role")?,
                opened_at: r.time("opened_at")?,
                due_at: r.time_opt("due_at")?,
                state: r.text("state")?,
            })
        })
        .collect()
}
