//! Opening tasks, each once per dedup key.

use crate::args;
use crate::domain::ids::{CaseId, InboundId, MessageId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::person::Role;
use crate::domain::task::TaskKind;
use crate::store::db::Tx;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A task to open, once per dedup key.
#[derive(Debug, Clone)]
pub struct NewTask<'a> {
    /// Its dedup key.
    pub dedup_key: String,
    /// Its kind.
    pub topic: TaskKind,
    /// Its centre.
    pub centre: Option<&'a str>,
    /// Its case.
    pub case_id: Option<&'a CaseId>,
    /// The session.
    pub session_id: Option<&'a SessionId>,
    /// The party.
    pub role: Option<Role>,
    /// The inbound message that it is about.
    pub inbound_id: Option<&'a InboundId>,
    /// The outbound message that it is about.
    pub message_id: Option<&'a MessageId>,
    /// Until when it must be done.
    pub due_at: Option<DateTime<Utc>>,
}

impl NewTask<'_> {
    /// A task with dedup key and kind alone.
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

/// Opens a task, once per dedup key.
pub async fn open(tx: &mut Tx, now: DateTime<Utc>, t: &NewTask<'_>) -> Result<()> {
    open_many(tx, now, std::slice::from_ref(t)).await
}

/// Opens many tasks, each once per dedup key.
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

/// Opens a task about an outbound message, with that message's case, session and party.
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
    // A party that was not told of a cancellation has to be called about it, whatever went wrong.
    let (kind, unreached): (MessageKind, bool) = (
        row.parsed("kind")?,
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
        // The visit takes place after all, so nobody is called.
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
        role: row.parsed_opt("role")?,
        message_id: Some(message_id),
        due_at: row.time_opt("arrives_at")?,
        ..NewTask::new(dedup_key, topic)
    };
    open(tx, now, &task).await
}
