//! Whether a cancellation is late and may cost its party a fee.

use crate::domain::money::policy::recorded_fact::REFUSED_MOVE;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::notice;
use crate::store::facts::{self, Fact};
use crate::store::{Tx, messages};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// When the provider accepted this party's message about the session's last move.
pub(crate) async fn told_of_move(
    tx: &mut Tx,
    context: &AttendeeContext,
) -> Result<Option<DateTime<Utc>>> {
    let (s, a) = (&context.session, &context.attendee);
    Ok(match s.moved {
        None => None,
        Some(_) => {
            messages::question_state(tx, &s.id, a.role, a.ask_version)
                .await?
                .accepted_at
        }
    })
}

/// Whether a cancellation by this party that reached us at `received_at` is late. Refusing a move that
/// the centre began is free for a while.
pub async fn is_late(
    tx: &mut Tx,
    context: &AttendeeContext,
    received_at: DateTime<Utc>,
) -> Result<bool> {
    let told_at = told_of_move(tx, context).await?;
    let s = &context.session;
    Ok(notice::late(
        s.starts_at,
        s.notice_hours,
        s.moved.as_ref(),
        told_at,
        received_at,
    ))
}

/// Whether a cancellation by this party that reached us at `received_at` may cost it something: it is
/// late, and the session has a fee. Whoever cancels late is liable, whoever usually pays (seed
/// 001).
pub async fn may_cost(
    tx: &mut Tx,
    context: &AttendeeContext,
    received_at: DateTime<Utc>,
) -> Result<bool> {
    Ok(context.session.fee_minor > 0 && is_late(tx, context, received_at).await?)
}

/// Records that this cancellation refuses a move that the centre began, if it came in time. The
/// rules on money read it.
pub async fn note_refused_move(
    tx: &mut Tx,
    context: &AttendeeContext,
    received_at: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let told_at = told_of_move(tx, context).await?;
    let s = &context.session;
    if !notice::free_after_move(s.moved.as_ref(), told_at, received_at) {
        return Ok(());
    }
    let role = Some(context.attendee.role);
    let fact = Fact {
        case_id: Some(&s.case_id),
        session_id: Some(&s.id),
        role,
        kind: REFUSED_MOVE,
        at: received_at,
        by,
        rule: "free-move",
        detail: "",
    };
    facts::add(tx, now, &[fact]).await
}
