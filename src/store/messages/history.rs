//! What was sent to an address before.

use crate::args;
use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::replies::conversation::QuestionState;
use crate::store::db::{Arg, Tx, placeholder_list};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;

/// The unprompted messages to each number: time of the last one, and how many in 24 hours.
pub async fn unprompted(
    tx: &mut Tx,
    now: DateTime<Utc>,
    hashes: &[String],
) -> Result<HashMap<String, (DateTime<Utc>, i64)>> {
    let mut out = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, max(started_at) AS last, count(*) AS n
             FROM attempt
             WHERE number_hash IN ({})
               AND started_at > $1
               AND prompted = FALSE
               AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))
             GROUP BY number_hash",
            placeholder_list(2, chunk.len())
        );
        let mut args: Vec<Arg> = args![now - Duration::hours(24)];
        args.extend(chunk.iter().map(Arg::from));
        for r in tx.all(sql, args).await? {
            out.insert(r.text("number_hash")?, (r.time("last")?, r.int("n")?));
        }
    }
    Ok(out)
}

/// Messages to an address queued since `since`: (kind, session, time).
pub async fn answers_since(
    tx: &mut Tx,
    number_hash: &str,
    since: DateTime<Utc>,
) -> Result<Vec<(MessageKind, Option<SessionId>, DateTime<Utc>)>> {
    let rows = tx
        .all(
            "SELECT kind, session_id, queued_at
             FROM message
             WHERE to_hash = $1 AND queued_at > $2",
            args![number_hash, since],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok((
                r.parsed("kind")?,
                r.id_opt("session_id")?,
                r.time("queued_at")?,
            ))
        })
        .collect()
}

/// Number of replies to unknown senders queued since `since`.
pub async fn unknown_sender_replies_since(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    let row = tx
        .one(
            "SELECT count(*) AS n
             FROM message
             WHERE kind = 'unknown_sender' AND queued_at > $1",
            args![since],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// What is known about a party's question: when it was sent, when it was accepted, and whether an
/// older version was asked.
pub async fn question_state(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    ask_version: i64,
) -> Result<QuestionState> {
    let rows = tx
        .all(
            "SELECT m.ask_version, min(a.started_at) AS began,
               min(CASE
                 WHEN a.outcome = 'accepted' THEN coalesce(a.ended_at, a.started_at)
               END) AS accepted
             FROM message m
             JOIN attempt a ON a.message_id = m.id
             WHERE m.session_id = $1
               AND m.role = $2
               AND m.kind IN ('confirm_request', 'session_moved', 'session_on')
               AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))
             GROUP BY m.ask_version",
            args![session_id, role.as_str()],
        )
        .await?;
    let mut out = QuestionState::default();
    for r in rows {
        match r.int("ask_version")?.cmp(&ask_version) {
            std::cmp::Ordering::Equal => {
                out.at = r.time_opt("began")?;
                out.accepted_at = r.time_opt("accepted")?;
            }
            std::cmp::Ordering::Less => out.older = true,
            std::cmp::Ordering::Greater => {}
        }
    }
    Ok(out)
}

/// Start of the session that a number was last asked about, past or future.
pub async fn last_asked_session_start(
    tx: &mut Tx,
    number_hash: &str,
) -> Result<Option<DateTime<Utc>>> {
    let row = tx
        .one(
            "SELECT s.starts_at
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             JOIN session s ON s.id = m.session_id
             WHERE a.number_hash = $1
               AND m.kind IN ('confirm_request', 'session_moved')
               AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))
             ORDER BY a.started_at DESC
             LIMIT 1",
            args![number_hash],
        )
        .await?;
    row.map(|r| r.time("starts_at")).transpose()
}
