//! Tasks: what a person has to look at.

use crate::args;
use crate::domain::ids::{CaseId, InboundId, MessageId, SessionId, TaskId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::person::Role;
use crate::domain::task::TaskKind;
use crate::store::db::{Db, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A task to open. The same cause opens it once.
#[derive(Debug, Clone)]
pub struct NewTask<'a> {
    /// What made it.
    pub dedup_key: String,
    /// What it is about.
    pub topic: TaskKind,
    /// Where.
    pub centre: Option<&'a str>,
    /// Case, session, party, message in and message out, where there is one.
    pub case_id: Option<&'a CaseId>,
    /// The session.
    pub session_id: Option<&'a SessionId>,
    /// The party.
    pub role: Option<Role>,
    /// The message that came in.
    pub inbound_id: Option<&'a InboundId>,
    /// The message that was to go out.
    pub message_id: Option<&'a MessageId>,
    /// Until when it must be done.
    pub due_at: Option<DateTime<Utc>>,
}

impl NewTask<'_> {
    /// A task with nothing but cause and topic.
    pub fn new(dedup_key: String, topic: TaskKind) -> Self {
        NewTask {
            dedup_key,
            topic,
            centre: None,
            case_id: None,
            session_id: None,
            role: None,
            inbound_id: None,
            message_id: None,
            due_at: None,
        }
    }
}

/// Opens a task, once for its cause.
pub async fn open(tx: &mut Tx, now: DateTime<Utc>, t: &NewTask<'_>) -> Result<()> {
    open_many(tx, now, std::slice::from_ref(t)).await
}

/// Whether the task of this cause is open.
pub async fn is_open(tx: &mut Tx, dedup_key: &str) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM task WHERE cause = $1 AND state = 'open'",
            args![dedup_key],
        )
        .await?
        .is_some())
}

/// Opens a task about a message that was to go out, with that message's case, session and party.
pub async fn open_for_message(
    tx: &mut Tx,
    now: DateTime<Utc>,
    dedup_key: String,
    topic: TaskKind,
    message_id: &MessageId,
) -> Result<()> {
    let row = tx
        .one(
            "SELECT m.kind, m.centre, m.case_id, m.session_id, m.role, t.arrives_at,
               s.state AS session_state,
               CASE WHEN m.ask_version = t.ask_version THEN '1' ELSE '0' END AS present
             FROM message m
             LEFT JOIN attendee t ON t.session_id = m.session_id AND t.role = m.role
             LEFT JOIN session s ON s.id = m.session_id
             WHERE m.id = $1",
            args![message_id],
        )
        .await?;
    let Some(row) = row else {
        return open(
            tx,
            now,
            &NewTask {
                message_id: Some(message_id),
                ..NewTask::new(dedup_key, topic)
            },
        )
        .await;
    };
    let (centre, case_id, session_id) = (
        row.text("centre")?,
        row.id_opt("case_id")?,
        row.id_opt("session_id")?,
    );
    // Whoever was not told that a visit is off is rung for that, whatever went wrong.
    let (kind, unreached): (MessageKind, bool) = (
        row.word("kind")?,
        matches!(
            topic,
            TaskKind::BadNumber
                | TaskKind::RingOptedOut
                | TaskKind::RingSessionOff
                | TaskKind::RingSessionOn
        ),
    );
    let booked = row.text_opt("session_state")?.as_deref() == Some("booked");
    let topic = match kind {
        // It takes place after all: nobody is to be rung for the contrary.
        k if unreached && k.calls_off() && booked => return Ok(()),
        k if unreached && k.calls_off() => TaskKind::RingSessionOff,
        k if unreached && k.calls_on() && booked && row.text("present")? == "1" => {
            TaskKind::RingSessionOn
        }
        k if unreached && k.is_money() => TaskKind::TellByPhone,
        _ => topic,
    };
    let task = NewTask {
        centre: Some(&centre),
        case_id: case_id.as_ref(),
        session_id: session_id.as_ref(),
        role: row.word_opt("role")?,
        message_id: Some(message_id),
        due_at: row.time_opt("arrives_at")?,
        ..NewTask::new(dedup_key, topic)
    };
    open(tx, now, &task).await
}

/// Ends the open task of a cause, if there is one: nobody has to do it any more.
pub async fn close(tx: &mut Tx, now: DateTime<Utc>, dedup_key: &str) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE cause = $2 AND state = 'open'",
        args![now, dedup_key],
    )
    .await?;
    Ok(())
}

/// The same for many causes.
pub async fn close_many(tx: &mut Tx, now: DateTime<Utc>, causes: &[String]) -> Result<()> {
    let rows = causes
        .iter()
        .map(|dedup_key| args![dedup_key, now])
        .collect();
    tx.with_many(
        "cause, at",
        "UPDATE task
         SET state = 'done', done_at = v.at, moot = TRUE
         FROM v
         WHERE task.cause = v.cause AND task.state = 'open'",
        rows,
    )
    .await?;
    Ok(())
}

/// Ends an open task that nobody has to do any more.
pub async fn obsolete(tx: &mut Tx, now: DateTime<Utc>, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE id = $2 AND state = 'open'",
        args![now, id],
    )
    .await?;
    Ok(())
}

/// Opens a task again that nobody did, because it was not needed for a while.
pub async fn needed_again(tx: &mut Tx, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE id = $1 AND moot = TRUE",
        args![id],
    )
    .await?;
    Ok(())
}

/// The same for the task of a cause.
pub async fn needed_again_of(tx: &mut Tx, dedup_key: &str) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE cause = $1 AND moot = TRUE",
        args![dedup_key],
    )
    .await?;
    Ok(())
}

/// Ends the open tasks of a session with a topic that nobody has to do any more.
pub async fn obsolete_of_session(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    topic: TaskKind,
) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE session_id = $2 AND topic = $3 AND state = 'open'",
        args![now, session_id, topic.as_str()],
    )
    .await?;
    Ok(())
}

/// Ends the open tasks to ring somebody over a cancellation of this session that they did not
/// finish: one party's, or both's.
pub async fn obsolete_unfinished(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    role: Option<Role>,
) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE session_id = $2
           AND state = 'open'
           AND cause LIKE 'cancel-unfinished/%'
           AND ($3 IS NULL OR role = $3)",
        args![now, session_id, role.map(Role::as_str)],
    )
    .await?;
    Ok(())
}

/// The same for all sessions that are off or have begun; gives how many.
pub async fn obsolete_unfinished_of_past(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1, moot = TRUE
         WHERE state = 'open'
           AND cause LIKE 'cancel-unfinished/%'
           AND session_id IN (SELECT id FROM session WHERE state <> 'booked' OR starts_at <= $1)",
        args![now],
    )
    .await
}

/// The same for many sessions.
pub async fn moot_of_sessions(
    tx: &mut Tx,
    now: DateTime<Utc>,
    sessions: &[(SessionId, i64)],
    topic: TaskKind,
) -> Result<()> {
    let rows = sessions
        .iter()
        .map(|(id, _)| args![id, now, topic.as_str()])
        .collect();
    tx.with_many(
        "id, at, topic",
        "UPDATE task
         SET state = 'done', done_at = v.at, moot = TRUE
         FROM v
         WHERE task.session_id = v.id AND task.topic = v.topic AND task.state = 'open'",
        rows,
    )
    .await?;
    Ok(())
}

/// The open tasks about a visit that nobody has to do any more at `$1`: to ring before it, when it
/// is over or off, or its party answered (a call about their own cancellation stays); to call it
/// off, when it is off, has begun, or its file is open again.
const PASSED: &str = "task.state = 'open' AND (
      (
        task.topic IN ('ring_opted_out', 'ring_no_address')
        AND EXISTS (
          SELECT 1
          FROM session s
          LEFT JOIN attendee t ON t.session_id = s.id AND t.role = task.role
          WHERE s.id = task.session_id
            AND (
              s.ends_at <= $1
              OR (
                task.cause NOT LIKE 'ring-for/ack/%'
                AND (
                  s.state IN ('cancelled', 'closed')
                  OR (
                    t.answer <> 'none'
                    AND (task.cause LIKE 'ring/%' OR t.answered_at >= task.opened_at)
                  )
                )
              )
            )
        )
      )
      OR (
        task.topic = 'closed_file_visit'
        AND EXISTS (
          SELECT 1
          FROM session s
          JOIN case_file c ON c.id = s.case_id
          WHERE s.id = task.session_id
            AND (s.state <> 'booked' OR s.starts_at <= $1 OR c.state <> 'archived')
        )
      )
    )";

/// Whether tasks about visits are open that nobody has to do any more.
pub async fn any_passed(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    Ok(db
        .one(
            format!(
                "SELECT task.id
                FROM task
                WHERE {PASSED}
                LIMIT 1"
            ),
            args![now],
        )
        .await?
        .is_some())
}

/// Ends the open tasks about visits that nobody has to do any more.
pub async fn end_passed(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec(
        format!("UPDATE task SET state = 'done', done_at = $1, moot = TRUE WHERE {PASSED}"),
        args![now],
    )
    .await
}

/// Opens the tasks to ring a party before a visit again that were not needed while it was off.
pub async fn ring_again(tx: &mut Tx, session_id: &SessionId, role: Role) -> Result<()> {
    let sql = "UPDATE task
        SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
        WHERE session_id = $1
          AND role = $2
          AND moot = TRUE
          AND topic IN ('ring_opted_out', 'ring_no_address')";
    tx.exec(sql, args![session_id, role.as_str()]).await?;
    Ok(())
}

/// A task that is open, or that nobody had to do any more.
#[derive(Debug)]
pub struct OpenTask {
    /// Its id.
    pub id: TaskId,
    /// What made it.
    pub dedup_key: String,
    /// What it is about.
    pub topic: TaskKind,
    /// The session.
    pub session_id: Option<SessionId>,
    /// The party.
    pub role: Option<Role>,
    /// The message that was to go out.
    pub message_id: Option<MessageId>,
    /// Whether it is open.
    pub open: bool,
}

/// The tasks of a case with some topics that are open, or that nobody had to do any more.
pub async fn standing(tx: &mut Tx, case_id: &CaseId, topics: &[TaskKind]) -> Result<Vec<OpenTask>> {
    let mut args = args![case_id];
    args.extend(
        topics
            .iter()
            .map(|t| crate::store::db::Arg::from(t.as_str())),
    );
    let sql = format!(
        "SELECT id, cause, topic, session_id, role, message_id, state
         FROM task
         WHERE case_id = $1 AND (state = 'open' OR moot = TRUE) AND topic IN ({})
         ORDER BY opened_at, id",
        crate::store::db::list_of(2, topics.len())
    );
    tx.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            Ok(OpenTask {
                id: r.id("id")?,
                dedup_key: r.text("cause")?,
                topic: r.word("topic")?,
                session_id: r.id_opt("session_id")?,
                role: r.word_opt("role")?,
                message_id: r.id_opt("message_id")?,
                open: r.text("state")? == "open",
            })
        })
        .collect()
}

/// Opens the task of a cause again that was done before `since`.
pub async fn reopen(tx: &mut Tx, dedup_key: &str, since: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, moot = FALSE
         WHERE cause = $1 AND state = 'done' AND done_at < $2",
        args![dedup_key, since],
    )
    .await?;
    Ok(())
}

/// Opens the task of a cause again, if it was done.
pub async fn open_again(tx: &mut Tx, dedup_key: &str) -> Result<()> {
    tx.exec(
        "UPDATE task
         SET state = 'open', done_at = NULL, alerted_at = NULL, moot = FALSE
         WHERE cause = $1 AND state = 'done'",
        args![dedup_key],
    )
    .await?;
    Ok(())
}

/// Whether a person did what the task of this cause asked for.
pub async fn was_done(tx: &mut Tx, dedup_key: &str) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT id FROM task WHERE cause = $1 AND state = 'done' AND moot = FALSE",
            args![dedup_key],
        )
        .await?
        .is_some())
}

/// What a task is about, for who deals with it.
#[derive(Debug)]
pub struct TaskContext {
    /// What made it.
    pub dedup_key: String,
    /// What it is about.
    pub topic: TaskKind,
    /// `open` or `done`.
    pub state: String,
    /// The case, if it is known.
    pub case_id: Option<CaseId>,
    /// The session, if it is about one.
    pub session_id: Option<SessionId>,
    /// The party, if it is about one.
    pub role: Option<Role>,
    /// The message that came in.
    pub inbound_id: Option<InboundId>,
    /// The message that was to go out.
    pub message_id: Option<MessageId>,
    /// Since when it is open.
    pub opened_at: DateTime<Utc>,
    /// Until when it has to be done.
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
            dedup_key: r.text("cause")?,
            topic: r.word("topic")?,
            state: r.text("state")?,
            case_id: r.id_opt("case_id")?,
            session_id: r.id_opt("session_id")?,
            role: r.word_opt("role")?,
            inbound_id: r.id_opt("inbound_id")?,
            message_id: r.id_opt("message_id")?,
            opened_at: r.time("opened_at")?,
            due_at: r.time_opt("due_at")?,
        })
    })
    .transpose()
}

/// Closes the open tasks of a case that hold a notice back, but for those that are still called
/// for.
pub async fn keep_releases(
    tx: &mut Tx,
    now: DateTime<Utc>,
    case_id: &CaseId,
    called_for: &[String],
) -> Result<()> {
    let rows = tx
        .all(
            "SELECT id, cause, state
             FROM task
             WHERE case_id = $1 AND topic IN ('release_all_parties_notice', 'release_case_closed')",
            args![case_id],
        )
        .await?;
    for r in rows {
        if r.text("state")? == "open" && !called_for.contains(&r.text("cause")?) {
            done(tx, now, &r.id("id")?).await?;
        }
    }
    Ok(())
}

/// A person did what a task asked for.
pub async fn done(tx: &mut Tx, now: DateTime<Utc>, id: &TaskId) -> Result<()> {
    tx.exec(
        "UPDATE task SET state = 'done', done_at = $1 WHERE id = $2 AND state = 'open'",
        args![now, id],
    )
    .await?;
    Ok(())
}

/// Closes the open tasks of a party with a topic: a person did what they asked for.
pub async fn close_topic(
    tx: &mut Tx,
    now: DateTime<Utc>,
    case_id: &CaseId,
    role: Role,
    topic: TaskKind,
) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1
         WHERE case_id = $2 AND role = $3 AND topic = $4 AND state = 'open'",
        args![now, case_id, role.as_str(), topic.as_str()],
    )
    .await
}

/// Closes the open tasks of a session with a topic.
pub async fn close_of_session(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session_id: &SessionId,
    topic: TaskKind,
) -> Result<u64> {
    tx.exec(
        "UPDATE task
         SET state = 'done', done_at = $1
         WHERE session_id = $2 AND topic = $3 AND state = 'open'",
        args![now, session_id, topic.as_str()],
    )
    .await
}

/// Open tasks to which nobody was alerted: (id, topic, due).
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
        .map(|r| Ok((r.id("id")?, r.word("topic")?, r.time_opt("due_at")?)))
        .collect()
}

/// Remembers that staff were alerted to these tasks.
pub async fn set_alerted(tx: &mut Tx, now: DateTime<Utc>, ids: &[TaskId]) -> Result<()> {
    let rows = ids.iter().map(|id| args![id, now]).collect();
    tx.with_many(
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

/// Opens many tasks, each once for its cause.
pub async fn open_many(tx: &mut Tx, now: DateTime<Utc>, list: &[NewTask<'_>]) -> Result<()> {
    let seal = tx.seal();
    let rows = list
        .iter()
        .map(|t| {
            let id = seal.id_of(&format!("task/{}", t.dedup_key));
            args![
                id,
                &t.dedup_key,
                t.topic.as_str(),
                t.centre,
                t.case_id,
                t.session_id,
                t.role.map(Role::as_str),
                t.inbound_id,
                t.message_id,
                now,
                t.due_at,
                "open"
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO task (
           id, cause, topic, centre, case_id, session_id, role, inbound_id, message_id, opened_at,
           due_at, state
         ) VALUES",
        "ON CONFLICT (cause) DO NOTHING",
        rows,
    )
    .await?;
    Ok(())
}

/// A task as lists show it.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it is about.
    pub topic: TaskKind,
    /// Where.
    pub centre: Option<String>,
    /// Whose case.
    pub case_ref: Option<String>,
    /// TaskContext which party.
    pub role: Option<Role>,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// `open` or `done`.
    pub state: String,
}

/// All tasks of a centre or of all, the oldest first.
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
                topic: r.word("topic")?,
                centre: r.text_opt("at_centre")?,
                case_ref: r.text_opt("case_ref")?,
                role: r.word_opt("role")?,
                opened_at: r.time("opened_at")?,
                due_at: r.time_opt("due_at")?,
                state: r.text("state")?,
            })
        })
        .collect()
}
