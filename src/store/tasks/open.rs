//! Opening tasks, each once per dedup key.

use crate::args;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, InboundId, MessageId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::db::Tx;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A task to open, once per dedup key.
#[derive(Debug, Clone)]
pub struct NewTask<'a> {
    pub dedup_key: TaskKey,
    pub topic: TaskKind,
    pub centre: Option<&'a str>,
    pub case_id: Option<&'a CaseId>,
    pub session_id: Option<&'a SessionId>,
    pub role: Option<Role>,
    /// The inbound message that it is about.
    pub inbound_id: Option<&'a InboundId>,
    /// The outbound message that it is about.
    pub message_id: Option<&'a MessageId>,
    /// Until when it must be done.
    pub due_at: Option<DateTime<Utc>>,
}

impl<'a> NewTask<'a> {
    /// A task about nothing in particular.
    pub fn new(dedup_key: TaskKey, topic: TaskKind) -> Self {
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

    /// A task about a case.
    pub fn of_case(
        dedup_key: TaskKey,
        topic: TaskKind,
        centre: &'a str,
        case_id: &'a CaseId,
    ) -> Self {
        NewTask {
            centre: Some(centre),
            case_id: Some(case_id),
            ..NewTask::new(dedup_key, topic)
        }
    }

    /// A task about one parent at one session.
    pub fn of_attendee(dedup_key: TaskKey, topic: TaskKind, context: &'a AttendeeContext) -> Self {
        let (session, attendee) = (&context.session, &context.attendee);
        NewTask::of_case(dedup_key, topic, &session.centre, &session.case_id)
            .session(&session.id)
            .role(Some(attendee.role))
    }

    /// About this session too.
    #[must_use]
    pub fn session(self, session_id: &'a SessionId) -> Self {
        NewTask {
            session_id: Some(session_id),
            ..self
        }
    }

    /// About this party of the case.
    #[must_use]
    pub fn role(self, role: Option<Role>) -> Self {
        NewTask { role, ..self }
    }

    /// Because of this inbound message.
    #[must_use]
    pub fn inbound(self, inbound_id: &'a InboundId) -> Self {
        NewTask {
            inbound_id: Some(inbound_id),
            ..self
        }
    }

    /// Because of this message on its way out.
    #[must_use]
    pub fn message(self, message_id: &'a MessageId) -> Self {
        NewTask {
            message_id: Some(message_id),
            ..self
        }
    }

    /// To be done by then.
    #[must_use]
    pub fn due(self, at: DateTime<Utc>) -> Self {
        NewTask {
            due_at: Some(at),
            ..self
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
            let id = seal.id_of(&t.dedup_key.id_text());
            args![
                id,
                t.dedup_key.as_str(),
                t.topic.as_str(),
                t.centre,
                t.case_id,
                t.session_id,
                t.role.map(Role::as_str),
                t.inbound_id,
                t.message_id,
                now,
                t.due_at,
                "open",
                t.dedup_key.origin().as_str()
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO task (
           id, cause, topic, centre, case_id, session_id, role, inbound_id, message_id, opened_at,
           due_at, state, origin
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
    dedup_key: TaskKey,
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
