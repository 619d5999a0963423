//! Asks both parents about another date for a session, in the same words whoever wished it. A person
//! then moves the session or closes the question; whatever the reason, both get the same text at the
//! same moment.

use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{DateQuestionId, SessionId};
use crate::domain::local_time::after_quiet;
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::reminders::release::next_quarter;
use crate::domain::task::TaskKind;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::SessionState;
use crate::flows::compose::message_to;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::{Recording, begin, begin_booked, named_time};
use crate::flows::service::Service;
use crate::store::dates::{self, DateQuestion};
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sealed::random_id;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, sessions};
use anyhow::Context;
use chrono::{DateTime, NaiveDateTime, Utc};

fn causes(question: &DateQuestionId) -> [(TaskKind, TaskKey); 2] {
    [
        (TaskKind::DateAgreed, TaskKey::date_agreed(question)),
        (TaskKind::DateDeclined, TaskKey::date_declined(question)),
    ]
}

/// Asks both parents whether they can come on another date. Until a person moves the session
/// nothing changes.
pub async fn ask(
    svc: &Service,
    session_id: &SessionId,
    to: NaiveDateTime,
    origin: Origin,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin_booked(svc, session_id, rec, now).await?;
    let start = named_time(&centre, to)?;
    if start <= now {
        refuse!(
            "{} has passed; ask for a time ahead",
            to.format("%Y-%m-%d %H:%M")
        );
    }
    if start == session.starts_at {
        refuse!("the session is at that time already; nobody was asked");
    }
    let q = DateQuestion {
        id: DateQuestionId::new(random_id()),
        session_id: session.id.clone(),
        to,
        origin,
    };
    if !dates::add(&mut tx, now, &q, session.version, rec.by).await? {
        refuse!(
            "both parents are asked about another date for this session already; close that \
             question first: courtesy record ask-date {session_id} --close"
        );
    }
    let shift = start - session.starts_at;
    let at = after_quiet(centre.courtesy.quiet, centre.tz, now);
    let contexts =
        sessions::contexts_of_session(&mut tx, svc.lines().senders(), session_id).await?;
    let texts: Vec<NewMessage> = contexts
        .iter()
        .map(|context| {
            let (a, arrival) = (&context.attendee, context.attendee.arrives_at + shift);
            let payload = Payload::AnotherDate {
                question: q.id.clone(),
                arrival,
            };
            NewMessage {
                payload,
                ..message_to(
                    context,
                    MessageKey::date_question(&q.id, a.role),
                    MessageKind::DateQuestion,
                    at,
                    Some(arrival.min(a.arrives_at)),
                )
            }
        })
        .collect();
    outbox::enqueue(&mut tx, now, &texts).await?;
    let detail = format!(
        "{} -> {}, wished by the {origin}",
        sessions::local_text(session.start_local),
        sessions::local_text(to)
    );
    let fact = rec
        .fact("date_asked", "seed 001")
        .of_session(&session)
        .detail(&detail);
    facts::add(&mut tx, now, &[fact]).await?;
    tx.commit().await?;
    Ok(())
}

/// Records an answer to the open question that a parent gave by phone.
pub async fn answer(
    svc: &Service,
    session_id: &SessionId,
    role: Role,
    yes: bool,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, ..) = begin_booked(svc, session_id, rec, now).await?;
    let q = dates::open_question(&mut tx, session_id)
        .await?
        .ok_or_else(|| Error::refused("nobody is asked about another date for this session"))?;
    outbox::withdraw(
        &mut tx,
        session_id,
        Some(role),
        &[MessageKind::DateQuestion],
        EndReason::Answered.as_str(),
    )
    .await?;
    answered(&mut tx, &q.id, role, yes, rec.at, rec.by, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps an answer and tells the co-ordinator when there is something to do: both can, or one
/// cannot.
pub(crate) async fn answered(
    tx: &mut Tx,
    question: &DateQuestionId,
    role: Role,
    yes: bool,
    at: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some(session_id) = dates::session_of(tx, question).await? else {
        return Ok(());
    };
    let session = sessions::get(tx, &session_id)
        .await?
        .context("the session is gone")?;
    dates::answer(tx, question, role, yes, at).await?;
    let detail = if yes { "yes" } else { "no" };
    let fact = Fact::new("date_answered", "date-answer", by, at)
        .of_session(&session)
        .role(role)
        .detail(detail);
    facts::add(tx, now, &[fact]).await?;
    let all = dates::answers(tx, question).await?;
    let [agreed, declined] = causes(question);
    let open = match all.as_slice() {
        list if list.iter().any(|a| !a.1) => Some(&declined),
        [_, _] => Some(&agreed),
        _ => None,
    };
    for (topic, dedup_key) in [&agreed, &declined] {
        if open.is_some_and(|o| o.1 == *dedup_key) {
            let task = NewTask {
                case_id: Some(&session.case_id),
                session_id: Some(&session_id),
                due_at: Some(session.starts_at),
                ..NewTask::new(dedup_key.clone(), *topic)
            };
            tasks::open(tx, now, &task).await?;
        } else {
            tasks::mark_obsolete(tx, now, dedup_key).await?;
        }
    }
    Ok(())
}

/// Closes the open question: the other date is not possible, whatever the reason. Both are told in
/// the same words at the same quarter hour. Who was never asked by text is told nothing.
pub async fn close(svc: &Service, session_id: &SessionId, rec: &Recording<'_>) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    let q = dates::open_question(&mut tx, session_id)
        .await?
        .ok_or_else(|| Error::refused("nobody is asked about another date for this session"))?;
    finish(&mut tx, &q.id, "closed", now).await?;
    let at = after_quiet(centre.courtesy.quiet, centre.tz, next_quarter(now));
    let mut texts = Vec::new();
    // A session that is off needs no such text: whoever has to hear of that hears it anyway.
    let contexts = if session.state == SessionState::Booked {
        sessions::contexts_of_session(&mut tx, svc.lines().senders(), session_id).await?
    } else {
        Vec::new()
    };
    for context in contexts {
        let role = context.attendee.role;
        if outbox::withdraw(
            &mut tx,
            session_id,
            Some(role),
            &[MessageKind::DateQuestion],
            EndReason::Answered.as_str(),
        )
        .await?
            == 0
        {
            texts.push(message_to(
                &context,
                MessageKey::date_refused(&q.id, role),
                MessageKind::DateRefused,
                at,
                Some(context.attendee.arrives_at),
            ));
        }
    }
    outbox::enqueue(&mut tx, now, &texts).await?;
    let fact = rec.fact("date_closed", "by-staff").of_session(&session);
    facts::add(&mut tx, now, &[fact]).await?;
    tx.commit().await?;
    Ok(())
}

async fn finish(
    tx: &mut Tx,
    question: &DateQuestionId,
    state: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    dates::end(tx, now, question, state).await?;
    for (_, dedup_key) in causes(question) {
        tasks::mark_obsolete(tx, now, &dedup_key).await?;
    }
    Ok(())
}

/// Ends a question about another date because the session was moved.
pub(crate) async fn end_by_move(
    tx: &mut Tx,
    session_id: &SessionId,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    outbox::withdraw(
        tx,
        session_id,
        None,
        &[MessageKind::DateQuestion, MessageKind::DateRefused],
        EndReason::Moved.as_str(),
    )
    .await?;
    match dates::open_question(tx, session_id).await? {
        Some(q) => finish(tx, &q.id, "moved", now).await,
        None => Ok(()),
    }
}
