//! Sessions and the places of the two parents in them: what is written about them stands in
//! `changes`, whom a text about them may reach in `seats`.

mod attendees;
mod changes;

use crate::args;
use crate::domain::ids::SessionId;
use crate::domain::visits::attendee::{Attendee, Session};
pub use crate::domain::visits::attendee::{AttendeeContext, Route};
use crate::domain::visits::notice::Move;
use crate::store::db::{Arg, Db, Row, Tx};
pub use crate::store::sessions::attendees::{
    PartyFilter, asks_until, booked_between, contexts, contexts_of, contexts_of_address, due,
    seats_between, seats_of_case, unasked,
};
pub use crate::store::sessions::changes::{
    Cancellation, answer, ask_anew, ask_at, call_off, decided, put_back, reinstate, set_release,
    set_state, set_time, settle_asks,
};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime, Utc};

/// The columns that [`read_session`] reads, from `session s JOIN case_file c`.
const SESSION: &str = "s.id, s.case_id, c.case_ref, c.centre, s.starts_at, s.ends_at, s.start_local, s.contact_type, s.state, s.version,
    s.cancelled_by, s.cancelled_at, s.notice_hours, s.fee_minor, s.move_origin, s.moved_at, s.moved_from";

/// The stored form of a local time.
pub fn local_text(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M").to_string()
}

fn read_session(r: &Row) -> Result<Session> {
    Ok(Session {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        case_ref: r.text("case_ref")?,
        centre: r.text("centre")?,
        starts_at: r.time("starts_at")?,
        ends_at: r.time("ends_at")?,
        start_local: crate::domain::local_time::parse_local(&r.text("start_local")?)
            .context("start_local")?,
        contact_type: r.text("contact_type")?,
        state: r.word("state")?,
        version: r.int("version")?,
        cancelled_by: r.word_opt("cancelled_by")?,
        cancelled_at: r.time_opt("cancelled_at")?,
        notice_hours: r.int("notice_hours")?,
        fee_minor: r.int("fee_minor")?,
        moved: read_move(r)?,
    })
}

/// The last move of a session.
pub(super) fn read_move(r: &Row) -> Result<Option<Move>> {
    let (origin, at, from) = (
        r.word_opt("move_origin")?,
        r.time_opt("moved_at")?,
        r.time_opt("moved_from")?,
    );
    Ok(origin
        .zip(at)
        .zip(from)
        .map(|((origin, at), from)| Move { origin, at, from }))
}

const ATTENDEE: &str = "t.session_id, t.role, t.party_id, t.arrives_at, t.leaves_at, \
                        t.ask_version, t.ask_known, t.ask_at, t.asked, t.answer, t.answered_at, \
                        t.hears_at, t.undo_until, t.undo_from, t.decided_at";

fn read_attendee(r: &Row) -> Result<Attendee> {
    Ok(Attendee {
        session_id: r.id("session_id")?,
        role: r.word("role")?,
        party_id: r.id("party_id")?,
        arrives_at: r.time("arrives_at")?,
        leaves_at: r.time("leaves_at")?,
        ask_version: r.int("ask_version")?,
        ask_known: r.time("ask_known")?,
        ask_at: r.time_opt("ask_at")?,
        asked: r.text("asked")?,
        answer: r.word("answer")?,
        answered_at: r.time_opt("answered_at")?,
        hears_at: r.time_opt("hears_at")?,
        undo_until: r.time_opt("undo_until")?,
        undo_from: r.text_opt("undo_from")?,
        decided_at: r.time_opt("decided_at")?,
    })
}

/// Locks the sessions for the rest of the transaction (PostgreSQL; SQLite has one writer anyway).
pub async fn lock(tx: &mut Tx, sessions: &[SessionId]) -> Result<()> {
    if sessions.is_empty() || !tx.is_postgres() {
        return Ok(());
    }
    let sql = format!(
        "SELECT id
         FROM session
         WHERE id IN ({})
         ORDER BY id {{lock}}",
        crate::store::db::list_of(1, sessions.len())
    );
    tx.all(sql, sessions.iter().map(Arg::from).collect())
        .await?;
    Ok(())
}

/// Locks those of the sessions that nobody else holds, and names them: who claims must not wait for
/// who records.
pub async fn lock_free(
    tx: &mut Tx,
    sessions: &[SessionId],
) -> Result<std::collections::HashSet<SessionId>> {
    if !tx.is_postgres() || sessions.is_empty() {
        return Ok(sessions.iter().cloned().collect());
    }
    let sql = format!(
        "SELECT id
         FROM session
         WHERE id IN ({})
         ORDER BY id {{skip}}",
        crate::store::db::list_of(1, sessions.len())
    );
    tx.all(sql, sessions.iter().map(Arg::from).collect())
        .await?
        .iter()
        .map(|r| r.id("id"))
        .collect()
}

/// One session by its id.
pub async fn get(tx: &mut Tx, id: &SessionId) -> Result<Option<Session>> {
    let row = tx
        .one(
            format!(
                "SELECT {SESSION}
                 FROM session s
                 JOIN case_file c ON c.id = s.case_id
                 WHERE s.id = $1"
            ),
            args![id],
        )
        .await?;
    row.as_ref().map(read_session).transpose()
}

/// Sessions in order of their start, of a centre or of all, with both places.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<(Session, Vec<Attendee>)>> {
    let sessions = db
        .all(
            format!(
                "SELECT {SESSION}
                 FROM session s
                 JOIN case_file c ON c.id = s.case_id
                 WHERE $1 IS NULL OR c.centre = $1
                 ORDER BY s.starts_at, c.case_ref"
            ),
            args![centre],
        )
        .await?;
    let places = db
        .all(
            format!("SELECT {ATTENDEE} FROM attendee t ORDER BY t.role DESC"),
            args![],
        )
        .await?;
    let mut by_session: std::collections::HashMap<SessionId, Vec<Attendee>> =
        std::collections::HashMap::new();
    for r in &places {
        let a = read_attendee(r)?;
        by_session.entry(a.session_id.clone()).or_default().push(a);
    }
    sessions
        .iter()
        .map(|r| {
            let s = read_session(r)?;
            let places = by_session.remove(&s.id).unwrap_or_default();
            Ok((s, places))
        })
        .collect()
}

/// How many sessions are booked or were called off at a centre in a span.
pub async fn count_between(
    tx: &mut Tx,
    centre: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<i64> {
    let row = tx
        .one(
            "SELECT count(*) AS n
             FROM session s
             JOIN case_file c ON c.id = s.case_id
             WHERE c.centre = $1 AND s.starts_at >= $2 AND s.starts_at < $3",
            args![centre, from, to],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// When the next question is due after nothing is due now.
pub async fn next_ask(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let row = db
        .one(
            "SELECT min(ask_at) AS at FROM attendee WHERE ask_at IS NOT NULL",
            args![],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("at"))
}

/// Whether the scheduler has anything to do: a question that is due, a text past its use, a
/// cancellation that nobody finished.
pub async fn anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT 1 AS n
             WHERE EXISTS (SELECT 1 FROM attendee WHERE ask_at IS NOT NULL AND ask_at <= $1)
               OR EXISTS (
                 SELECT 1
                 FROM message
                 WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1
               )
               OR EXISTS (
                 SELECT 1
                 FROM cancel_question q
                 JOIN session s ON s.id = q.session_id
                 WHERE q.state = 'open'
                   AND q.nag_at IS NOT NULL
                   AND q.nag_at <= $1
                   AND s.state = 'booked'
                   AND s.starts_at > $1
               )
               OR EXISTS (
                 SELECT 1
                 FROM task t
                 JOIN session s ON s.id = t.session_id
                 WHERE t.state = 'open'
                   AND t.cause LIKE 'cancel-unfinished/%'
                   AND (s.state <> 'booked' OR s.starts_at <= $1)
               )",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Opens a ring task for every "will not go ahead" that waits when a hold begins (rule f10).
/// `scope` is a centre's code or `*`.
pub async fn ring_for_waiting(tx: &mut Tx, scope: &str, now: DateTime<Utc>) -> Result<()> {
    let rows = tx
        .all(
            "SELECT m.cause, m.case_id, m.session_id, m.role, t.arrives_at
             FROM message m
             JOIN attendee t ON t.session_id = m.session_id AND t.role = m.role
             WHERE m.kind IN ('session_off', 'closure')
               AND m.state = 'waiting'
               AND ($1 = '*' OR m.centre = $1)",
            args![scope],
        )
        .await?;
    for r in rows {
        let (case_id, session_id) = (r.id_opt("case_id")?, r.id_opt("session_id")?);
        let task = crate::store::tasks::NewTask {
            case_id: case_id.as_ref(),
            session_id: session_id.as_ref(),
            role: r.word_opt("role")?,
            due_at: r.time_opt("arrives_at")?,
            ..crate::store::tasks::NewTask::new(
                format!("ring-for/{}", r.text("cause")?),
                crate::domain::task::TaskKind::RingSessionOff,
            )
        };
        crate::store::tasks::open(tx, now, &task).await?;
    }
    Ok(())
}
