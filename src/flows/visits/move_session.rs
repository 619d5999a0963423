//! A session gets another time: both parents are told and asked again.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::SessionId;
use crate::domain::local_time::after_quiet;
use crate::domain::money::policy::recorded_fact::move_rule;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::senders::Senders;
use crate::domain::people::staff::Act;
use crate::domain::reminders::schedule::{self, first_look};
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::notice::Origin;
use crate::flows::compose::message_to;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::{
    Recording, must_be_booked, named_time, not_in_the_future, session_and_centre,
};
use crate::flows::service::Service;
use crate::store::facts;
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions;
use crate::store::tasks::{self};
use crate::store::{Tx, money, questions, staff};
use chrono::{DateTime, NaiveDateTime, Utc};

/// Gives a session a new local start; its length and each party's offset stay. Both are told at
/// once and asked anew, in the same words whoever began it.
pub async fn move_to(
    svc: &Service,
    session_id: &SessionId,
    to: NaiveDateTime,
    origin: Origin,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    move_in(
        &mut tx,
        svc.lines().senders(),
        session_id,
        to,
        origin,
        rec,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The move, within a transaction of its caller.
pub(crate) async fn move_in(
    tx: &mut Tx,
    senders: &Senders,
    session_id: &SessionId,
    to: NaiveDateTime,
    origin: Origin,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    not_in_the_future(rec.at, now)?;
    sessions::lock(tx, &[session_id.to_owned()]).await?;
    let (session, centre) = session_and_centre(tx, session_id).await?;
    must_be_booked(&session)?;
    let start = named_time(&centre, to)?;
    if start <= now {
        refuse!(
            "{} has passed; a session can only move to a time ahead",
            to.format("%Y-%m-%d %H:%M")
        );
    }
    if start == session.starts_at {
        refuse!("the session is at that time already; nothing was changed");
    }
    let shift = start - session.starts_at;
    let contexts = sessions::contexts_of_session(tx, senders, session_id).await?;
    if !sessions::set_time(
        tx,
        &session,
        start,
        session.ends_at + shift,
        to,
        origin,
        now,
    )
    .await?
    {
        return Err(Error::session_changed());
    }
    // The old texts are withdrawn and both are asked anew, each by a question of their own next
    // version.
    outbox::withdraw(
        tx,
        session_id,
        None,
        &[MessageKind::ConfirmRequest, MessageKind::SessionMoved],
        EndReason::Moved.as_str(),
    )
    .await?;
    questions::end_of_session(tx, session_id).await?;
    tasks::mark_unfinished_obsolete(tx, now, session_id, None).await?;
    tasks::mark_obsolete_of_session(tx, now, session_id, TaskKind::RingSessionOn).await?;
    crate::flows::visits::ask_date::end_by_move(tx, session_id, now).await?;
    let moment = schedule::moment(&centre.courtesy, centre.tz, to).at;
    for context in &contexts {
        moved(tx, &centre, context, shift, to, moment, now).await?;
    }
    let detail = format!(
        "{} -> {}",
        sessions::local_text(session.start_local),
        sessions::local_text(to)
    );
    facts::add(
        tx,
        now,
        &[rec
            .fact("moved", move_rule(origin))
            .of_session(&session)
            .detail(&detail)],
    )
    .await?;
    // A deadline about money may depend on it.
    money::rescan(tx, now, std::iter::once(&session.case_id)).await?;
    Ok(())
}

async fn moved(
    tx: &mut Tx,
    centre: &Centre,
    context: &AttendeeContext,
    shift: chrono::Duration,
    to: NaiveDateTime,
    moment: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let a = &context.attendee;
    let arrival = a.arrives_at + shift;
    // If the courtesy moment has passed, this text is the request; else one follows at its moment
    // unless this one was answered.
    let (ask_at, asked) = if moment <= now {
        (None, "moved")
    } else {
        (Some(first_look(centre, to, now)), "")
    };
    sessions::restart_question(tx, a, arrival, now, ask_at, asked).await?;
    let at = after_quiet(centre.courtesy.quiet, centre.tz, now);
    let dedup_key = MessageKey::moved(&a.session_id, a.ask_version + 1, a.role);
    let message = NewMessage {
        session: Some((
            a.session_id.clone(),
            context.session.version + 1,
            a.ask_version + 1,
        )),
        payload: Payload::OldArrival(a.arrives_at),
        ..message_to(
            context,
            dedup_key,
            MessageKind::SessionMoved,
            at,
            Some(arrival),
        )
    };
    outbox::enqueue(tx, now, &[message]).await?;
    Ok(())
}
