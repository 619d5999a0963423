//! Lists of messages with their attempts.

use crate::args;
use crate::domain::ids::{AttemptToken, CaseId, MessageId, SessionId};
use crate::domain::outgoing::message::{MessageKind, MessageState};
use crate::store::db::{Arg, Db};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A message for lists, without text, name and number.
#[derive(Debug, Clone)]
pub struct ListedMessage {
    pub id: MessageId,
    pub kind: MessageKind,
    /// The centre in whose name it is sent.
    pub centre: String,
    pub case_ref: Option<String>,
    pub role: Option<String>,
    pub session_id: Option<SessionId>,
    /// The session's version when it was made.
    pub session_version: Option<i64>,
    pub channel: String,
    pub state: MessageState,
    /// Why it was not sent.
    pub reason: Option<String>,
    /// Number of text segments.
    pub parts: Option<i64>,
    /// A person holds this message.
    pub held: bool,
    /// Not sent before.
    pub not_before: DateTime<Utc>,
    /// Not sent after.
    pub not_after: Option<DateTime<Utc>>,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    pub provider_id: Option<String>,
    pub attempts: Vec<ListedAttempt>,
}

#[derive(Debug, Clone)]
pub struct ListedAttempt {
    pub token: AttemptToken,
    pub channel: String,
    pub outcome: Option<String>,
    pub provider_id: Option<String>,
    /// Number of text segments.
    pub parts: i64,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its result was recorded.
    pub ended_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// The messages of one centre or of all, in the order in which they were queued, with their
/// attempts.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<ListedMessage>> {
    list_where(db, "WHERE $1 IS NULL OR m.centre = $1", args![centre]).await
}

/// Messages that wait, the next one first.
pub async fn waiting(db: &Db) -> Result<Vec<ListedMessage>> {
    let mut out = list_where(db, "WHERE m.state = 'waiting'", args![]).await?;
    out.sort_by_key(|m| m.not_before);
    Ok(out)
}

/// The messages of a case.
pub async fn of_case(db: &Db, case_id: &CaseId) -> Result<Vec<ListedMessage>> {
    list_where(db, "WHERE m.case_id = $1", args![case_id]).await
}

async fn list_where(db: &Db, filter: &str, args: Vec<Arg>) -> Result<Vec<ListedMessage>> {
    let mut tries: HashMap<MessageId, Vec<ListedAttempt>> = HashMap::new();
    let sql = format!(
        "SELECT a.message_id, a.token, a.channel, a.outcome, a.provider_id, a.parts, a.started_at,
           a.ended_at, a.error
         FROM attempt a
         JOIN message m ON m.id = a.message_id
         {filter}
         ORDER BY a.started_at"
    );
    for r in db.all(sql, args.clone()).await? {
        tries
            .entry(r.id("message_id")?)
            .or_default()
            .push(ListedAttempt {
                token: r.id("token")?,
                channel: r.text("channel")?,
                outcome: r.text_opt("outcome")?,
                provider_id: r.text_opt("provider_id")?,
                parts: r.int("parts")?,
                started_at: r.time("started_at")?,
                ended_at: r.time_opt("ended_at")?,
                error: r.text_opt("error")?,
            });
    }
    let sql = format!(
        "SELECT m.id, m.kind, m.centre, c.case_ref, m.role, m.session_id, m.session_version,
           m.channel, m.state, m.reason, m.not_before, m.not_after, m.queued_at, m.sent_at,
           m.provider_id, m.held_at
         FROM message m
         LEFT JOIN case_file c ON c.id = m.case_id
         {filter}
         ORDER BY m.queued_at, m.id"
    );
    db.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            let id = r.id("id")?;
            Ok(ListedMessage {
                kind: r.parsed("kind")?,
                centre: r.text("centre")?,
                case_ref: r.text_opt("case_ref")?,
                role: r.text_opt("role")?,
                session_id: r.id_opt("session_id")?,
                session_version: r.int_opt("session_version")?,
                channel: r.text("channel")?,
                state: r.parsed("state")?,
                reason: r.text_opt("reason")?,
                parts: tries.get(&id).and_then(|t| t.last()).map(|t| t.parts),
                not_before: r.time("not_before")?,
                not_after: r.time_opt("not_after")?,
                queued_at: r.time("queued_at")?,
                sent_at: r.time_opt("sent_at")?,
                held: r.time_opt("held_at")?.is_some(),
                provider_id: r.text_opt("provider_id")?,
                attempts: tries.remove(&id).unwrap_or_default(),
                id,
            })
        })
        .collect()
}
