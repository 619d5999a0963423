//! Queueing messages, and withdrawing those that still wait.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, PartyId, SessionId};
use crate::domain::outgoing::message::{MessageKind, MessageState};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::domain::task::TaskKind;
use crate::store::db::{Arg, Tx, placeholder_list};
use crate::store::tasks;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A message to queue, once per dedup key.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its dedup key, such as `confirm/<session>/<ask_version>/<role>`.
    pub dedup_key: MessageKey,
    pub kind: MessageKind,
    /// The centre in whose name it is sent.
    pub centre: String,
    pub case_id: Option<CaseId>,
    pub party_id: Option<PartyId>,
    pub role: Option<Role>,
    /// The session, with its version and the version of the party's question.
    pub session: Option<(SessionId, i64, i64)>,
    /// For replies: the address to reply to, and its hash.
    pub to: Option<(Address, String)>,
    /// Its channel. Checked again before sending, except for replies.
    pub channel: Channel,
    /// What its text needs besides the session.
    pub payload: Payload,
    /// Not sent before.
    pub not_before: DateTime<Utc>,
    /// Not sent after.
    pub not_after: Option<DateTime<Utc>>,
}

/// Queues messages. Returns how many were new.
pub async fn enqueue(tx: &mut Tx, now: DateTime<Utc>, messages: &[NewMessage]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = messages
        .iter()
        .map(|m| {
            let rank = match m.kind {
                MessageKind::StaffAlert => 0,
                k if k.is_answer() => 0,
                // After a question about a visit that is due at the same moment.
                k if k.is_money() => 3,
                k if k.is_milestone() => 4,
                MessageKind::ConfirmRequest => 2,
                _ => 1,
            };
            let (session, version, ask) = match &m.session {
                Some((s, v, a)) => (Some(s), Some(*v), Some(*a)),
                None => (None, None, None),
            };
            let (number, hash) = match &m.to {
                Some((a, h)) => (Some(seal.seal(a.as_str())), Some(h.clone())),
                None => (None, None),
            };
            args![
                seal.id_of(m.dedup_key.as_str()),
                m.dedup_key.as_str(),
                m.kind.as_str(),
                &m.centre,
                &m.case_id,
                &m.party_id,
                m.role.map(Role::as_str),
                session,
                version,
                ask,
                number,
                hash,
                seal.seal(&m.payload.write()),
                m.to.as_ref()
                    .map_or(m.channel, |(a, _)| a.channel())
                    .as_str(),
                rank,
                MessageState::Waiting.as_str(),
                m.not_before,
                m.not_after,
                now,
                0
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO message (
           id, cause, kind, centre, case_id, party_id, role, session_id, session_version,
           ask_version, to_number, to_hash, data, channel, rank, state, not_before, not_after,
           queued_at, tries
         ) VALUES",
        "ON CONFLICT (cause) DO NOTHING",
        rows,
    )
    .await
}

/// Withdraws a session's waiting messages of these kinds, for one role or all. Returns how many.
pub async fn withdraw(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Option<Role>,
    kinds: &[MessageKind],
    reason: &str,
) -> Result<u64> {
    let mut args: Vec<Arg> = args![reason, session_id, role.map(Role::as_str)];
    args.extend(kinds.iter().map(|k| Arg::from(k.as_str())));
    let sql = format!(
        "UPDATE message
         SET state = 'withdrawn', reason = $1
         WHERE session_id = $2
           AND state = 'waiting'
           AND ($3 IS NULL OR role = $3)
           AND kind IN ({})",
        placeholder_list(4, kinds.len())
    );
    tx.exec(sql, args).await
}

/// Queues a message again that was withdrawn for `reason`. Returns false if there is none.
pub async fn revive(
    tx: &mut Tx,
    dedup_key: &MessageKey,
    reason: &str,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE message
             SET state = 'waiting', reason = NULL, not_before = $1, not_after = $2
             WHERE cause = $3 AND state = 'withdrawn' AND reason = $4",
            args![not_before, not_after, dedup_key.as_str(), reason],
        )
        .await?;
    Ok(n == 1)
}

/// Moves waiting messages from a channel without a line to one that has a line.
pub async fn move_channel(tx: &mut Tx, centre: &str, from: Channel, to: Channel) -> Result<u64> {
    tx.exec(
        "UPDATE message
         SET channel = $1
         WHERE state = 'waiting' AND to_hash IS NULL AND centre = $2 AND channel = $3",
        args![to.as_str(), centre, from.as_str()],
    )
    .await
}

/// Expires messages that waited too long. Returns how many.
pub async fn expire(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    // Somebody has to call the parties who missed news about a visit that is not over.
    let missed = tx
        .all(
            "SELECT m.id
             FROM message m
             JOIN session s ON s.id = m.session_id
             WHERE m.state = 'waiting'
               AND m.kind IN ('session_off', 'closure', 'session_on', 'session_moved')
               AND m.not_after < $1
               AND s.ends_at > $1",
            args![now],
        )
        .await?;
    for r in missed {
        let id = r.id("id")?;
        tasks::open_for_message(tx, now, TaskKey::untold(&id), TaskKind::RingSessionOff, &id)
            .await?;
    }
    tx.exec(
        "UPDATE message
         SET state = 'expired', reason = 'too_late'
         WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1",
        args![now],
    )
    .await
}
