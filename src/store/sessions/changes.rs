//! Changes of sessions and of the questions about them: answers, cancellations, moves.

use crate::args;
use crate::domain::ids::SessionId;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::Attendee;
use crate::domain::visits::attendee::Session;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{Answer, CancelledBy, SessionState};
use crate::store::db::Tx;
use crate::store::milestones::rescan;
use crate::store::session_rows::local_text;
use anyhow::Result;
use chrono::{DateTime, NaiveDateTime, Utc};

/// Sets when each question is looked at next (`None`: never), and its status.
pub async fn update_asks(
    tx: &mut Tx,
    rows: Vec<(SessionId, Role, Option<DateTime<Utc>>, &str)>,
) -> Result<()> {
    let rows = rows
        .into_iter()
        .map(|(session, role, at, status)| args![session, role.as_str(), at, status])
        .collect();
    tx.update_many(
        "session_id, role, ask_at, asked",
        "UPDATE attendee
         SET ask_at = v.ask_at, asked = v.asked
         FROM v
         WHERE attendee.session_id = v.session_id AND attendee.role = v.role",
        rows,
    )
    .await?;
    Ok(())
}

/// Records a party's answer.
pub async fn set_answer(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    answer: Answer,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    tx.exec(
        "UPDATE attendee
         SET answer = $1, answered_at = $2
         WHERE session_id = $3 AND role = $4",
        args![answer.as_str(), at, session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// Records when a party last spoke about a visit.
pub async fn set_decided_at(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    at: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "UPDATE attendee
         SET decided_at = $1
         WHERE session_id = $2 AND role = $3 AND (decided_at IS NULL OR decided_at < $1)",
        args![at, session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// Sets when a party hears that its session is cancelled, and until when and from which address it
/// may undo its own cancellation.
pub async fn set_release(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    hears_at: Option<DateTime<Utc>>,
    undo: Option<(DateTime<Utc>, &str)>,
) -> Result<()> {
    tx.exec(
        "UPDATE attendee
         SET hears_at = $1, undo_until = $2, undo_from = $3
         WHERE session_id = $4 AND role = $5",
        args![
            hears_at,
            undo.map(|u| u.0),
            undo.map(|u| u.1),
            session_id,
            role.as_str()
        ],
    )
    .await?;
    Ok(())
}

/// Sets when a question is due, and its status.
pub async fn schedule_ask(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    at: Option<DateTime<Utc>>,
    asked: &str,
) -> Result<()> {
    tx.exec(
        "UPDATE attendee
         SET ask_at = $1, asked = $2
         WHERE session_id = $3 AND role = $4",
        args![at, asked, session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// A cancellation to record.
pub struct Cancellation {
    pub by: CancelledBy,
    /// When the cancellation reached us.
    pub at: DateTime<Utc>,
}

/// Cancels a booked session. Returns false if it changed meanwhile.
pub async fn cancel(tx: &mut Tx, session: &Session, cancellation: &Cancellation) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session
             SET state = 'cancelled', version = version + 1, cancelled_by = $1, cancelled_at = $2
             WHERE id = $3 AND state = 'booked' AND version = $4",
            args![
                cancellation.by.as_str(),
                cancellation.at,
                &session.id,
                session.version
            ],
        )
        .await?;
    rescan(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// Undoes a cancellation that nobody was notified of. Returns false if the session changed
/// meanwhile.
pub async fn undo_cancellation(tx: &mut Tx, session: &Session) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session
             SET state = 'booked', version = version + 1, cancelled_by = NULL, cancelled_at = NULL
             WHERE id = $1 AND state = 'cancelled' AND version = $2",
            args![&session.id, session.version],
        )
        .await?;
    rescan(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// Reinstates a cancelled or closed session. Returns false if it changed meanwhile.
pub async fn reinstate(tx: &mut Tx, session: &Session) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session
             SET state = 'booked', version = version + 1, cancelled_by = NULL, cancelled_at = NULL
             WHERE id = $1 AND state IN ('cancelled', 'closed') AND version = $2",
            args![&session.id, session.version],
        )
        .await?;
    rescan(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// Sets what staff observed: the session took place, or somebody did not come.
pub async fn set_state(tx: &mut Tx, session: &Session, state: SessionState) -> Result<()> {
    tx.exec(
        "UPDATE session
         SET state = $1, version = version + 1
         WHERE id = $2 AND state <> $1",
        args![state.as_str(), &session.id],
    )
    .await?;
    rescan(tx, &session.case_id).await
}

/// Moves a booked session, recording who wanted it. Returns false if the session changed meanwhile.
pub async fn set_time(
    tx: &mut Tx,
    session: &Session,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    start_local: NaiveDateTime,
    origin: Origin,
    at: DateTime<Utc>,
) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session
             SET starts_at = $1, ends_at = $2, start_local = $3, version = version + 1,
               move_origin = $6, moved_at = $7, moved_from = $8
             WHERE id = $4 AND state = 'booked' AND version = $5",
            args![
                starts_at,
                ends_at,
                local_text(start_local),
                &session.id,
                session.version,
                origin.as_str(),
                at,
                session.starts_at
            ],
        )
        .await?;
    Ok(n == 1)
}

/// Starts a new version of an attendee's question: own times, no answer.
pub async fn restart_question(
    tx: &mut Tx,
    a: &Attendee,
    arrives_at: DateTime<Utc>,
    known: DateTime<Utc>,
    ask_at: Option<DateTime<Utc>>,
    asked: &str,
) -> Result<()> {
    let leaves_at = a.leaves_at + (arrives_at - a.arrives_at);
    tx.exec(
        "UPDATE attendee
         SET arrives_at = $1, leaves_at = $2, ask_version = ask_version + 1, ask_known = $3,
           ask_at = $4, asked = $5, answer = 'none', answered_at = NULL
         WHERE session_id = $6 AND role = $7",
        args![
            arrives_at,
            leaves_at,
            known,
            ask_at,
            asked,
            &a.session_id,
            a.role.as_str()
        ],
    )
    .await?;
    Ok(())
}
