//! Whether a party was sent the news that a visit moved or is cancelled.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::Session;
use crate::store::db::Tx;
use crate::store::outbox::payload::read_payload;
use anyhow::Result;

/// The payload of a move that the party was not sent yet: its old arrival.
pub async fn unsent_move(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
) -> Result<Option<Payload>> {
    let row = tx
        .one(
            "SELECT data
             FROM message
             WHERE session_id = $1 AND role = $2 AND kind = 'session_moved' AND state = 'waiting'
             ORDER BY queued_at
             LIMIT 1",
            args![session_id, role.as_str()],
        )
        .await?;
    let seal = tx.seal();
    row.map(|r| {
        Ok(read_payload(
            &seal,
            MessageKind::SessionMoved,
            &r.text("data")?,
        ))
    })
    .transpose()
}

/// The party learns of a move that it was not sent: the message about the cancellation may now name
/// the new time.
pub async fn forget_unsent_move(tx: &mut Tx, session_id: &SessionId, role: Role) -> Result<()> {
    let nothing = tx.seal().seal(&Payload::None.write());
    tx.exec(
        "UPDATE message
         SET data = $1
         WHERE session_id = $2 AND role = $3 AND kind = 'session_off' AND state = 'waiting'",
        args![nothing, session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// The moves of a centre that parties were not sent yet, with the old arrivals.
pub async fn unsent_moves(
    tx: &mut Tx,
    centre: &str,
) -> Result<std::collections::HashMap<(SessionId, Role), Payload>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT session_id, role, data
             FROM message
             WHERE centre = $1 AND kind = 'session_moved' AND state = 'waiting'
             ORDER BY queued_at DESC",
            args![centre],
        )
        .await?;
    let mut out = std::collections::HashMap::new();
    for r in rows {
        if let (Some(session), Some(role)) = (r.id_opt("session_id")?, r.parsed_opt("role")?) {
            let payload = read_payload(&seal, MessageKind::SessionMoved, &r.text("data")?);
            out.insert((session, role), payload);
        }
    }
    Ok(out)
}

/// Whether the news of this cancellation was sent to anybody, or may have been.
pub async fn cancellation_was_sent(
    tx: &mut Tx,
    session_id: &SessionId,
    version: i64,
) -> Result<bool> {
    let row = tx
        .one(
            "SELECT id
             FROM message
             WHERE session_id = $1
               AND kind = 'session_off'
               AND cause IN ($2, $3)
               AND state NOT IN ('waiting', 'withdrawn')
             LIMIT 1",
            args![
                session_id,
                MessageKey::session_off(session_id, version, Role::Resident).as_str(),
                MessageKey::session_off(session_id, version, Role::Contact).as_str()
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Whether a party may know of the present cancellation: a message was sent or may have been, or a
/// person called.
pub async fn may_know_of_cancellation(tx: &mut Tx, session: &Session, role: Role) -> Result<bool> {
    let (id, version) = (&session.id, session.version);
    let message = tx
        .one(
            "SELECT id
             FROM message
             WHERE session_id = $1
               AND role = $2
               AND kind IN ('session_off', 'closure')
               AND state IN ('sending', 'sent', 'delivered', 'uncertain')
               AND (cause = $3 OR session_version = $4)
             LIMIT 1",
            args![
                id,
                role.as_str(),
                MessageKey::session_off(id, version, role).as_str(),
                version
            ],
        )
        .await?;
    let call = tx
        .one(
            "SELECT id
             FROM task
             WHERE session_id = $1
               AND role = $2
               AND topic = 'ring_session_off'
               AND state = 'done'
               AND moot = FALSE
               AND ($3 IS NULL OR opened_at >= $3)
             LIMIT 1",
            args![id, role.as_str(), session.cancelled_at],
        )
        .await?;
    Ok(message.is_some() || call.is_some())
}
