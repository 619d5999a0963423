//! The columns of sessions and attendees, and how to read them.

use crate::domain::local_time::parse_local;
use crate::domain::visits::attendee::{Attendee, Session};
use crate::domain::visits::notice::Move;
use crate::store::db::Row;
use anyhow::{Context, Result};
use chrono::NaiveDateTime;

/// The columns that [`read_session`] reads, from `session s JOIN case_file c`.
pub(super) const SESSION: &str = "
    s.id, s.case_id, c.case_ref, c.centre, s.starts_at, s.ends_at, s.start_local, s.contact_type,
    s.state, s.version, s.cancelled_by, s.cancelled_at, s.notice_hours, s.fee_minor, s.move_origin,
    s.moved_at, s.moved_from";

/// The stored form of a local time.
pub fn local_text(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M").to_string()
}

pub(super) fn read_session(r: &Row) -> Result<Session> {
    Ok(Session {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        case_ref: r.text("case_ref")?,
        centre: r.text("centre")?,
        starts_at: r.time("starts_at")?,
        ends_at: r.time("ends_at")?,
        start_local: parse_local(&r.text("start_local")?).context("start_local")?,
        contact_type: r.text("contact_type")?,
        state: r.parsed("state")?,
        version: r.int("version")?,
        cancelled_by: r.parsed_opt("cancelled_by")?,
        cancelled_at: r.time_opt("cancelled_at")?,
        notice_hours: r.int("notice_hours")?,
        fee_minor: r.int("fee_minor")?,
        moved: read_move(r)?,
    })
}

/// The last move of a session.
pub(super) fn read_move(r: &Row) -> Result<Option<Move>> {
    let (origin, at, from) = (
        r.parsed_opt("move_origin")?,
        r.time_opt("moved_at")?,
        r.time_opt("moved_from")?,
    );
    Ok(origin
        .zip(at)
        .zip(from)
        .map(|((origin, at), from)| Move { origin, at, from }))
}

/// The columns that [`read_attendee`] reads, from `attendee t`.
pub(super) const ATTENDEE: &str = "
    t.session_id, t.role, t.party_id, t.arrives_at, t.leaves_at, t.ask_version, t.ask_known,
    t.ask_at, t.asked, t.answer, t.answered_at, t.hears_at, t.undo_until, t.undo_from,
    t.decided_at";

pub(super) fn read_attendee(r: &Row) -> Result<Attendee> {
    Ok(Attendee {
        session_id: r.id("session_id")?,
        role: r.parsed("role")?,
        party_id: r.id("party_id")?,
        arrives_at: r.time("arrives_at")?,
        leaves_at: r.time("leaves_at")?,
        ask_version: r.int("ask_version")?,
        ask_known: r.time("ask_known")?,
        ask_at: r.time_opt("ask_at")?,
        asked: r.text("asked")?,
        answer: r.parsed("answer")?,
        answered_at: r.time_opt("answered_at")?,
        hears_at: r.time_opt("hears_at")?,
        undo_until: r.time_opt("undo_until")?,
        undo_from: r.text_opt("undo_from")?,
        decided_at: r.time_opt("decided_at")?,
    })
}
