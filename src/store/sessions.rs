//! Sessions and the places of the two parents in them.

use super::db::{Arg, Db, Row, Tx};
use super::inbox::OptOuts;
use crate::args;
use crate::domain::local_time::{Quiet, parse_hours};
use crate::domain::notice::{Move, Origin};
use crate::domain::person::{Address, Channel, Consent, Mode, Role};
use crate::domain::senders::Senders;
use crate::domain::session::{Answer, CancelledBy, SessionState};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime, Utc};
use std::fmt::Write as _;

/// A session as it is stored.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, shown outside.
    pub id: String,
    /// Its case.
    pub case_id: String,
    /// The case's reference.
    pub case_ref: String,
    /// The centre's code.
    pub centre: String,
    /// Start and end (UTC).
    pub starts_at: DateTime<Utc>,
    /// End (UTC).
    pub ends_at: DateTime<Utc>,
    /// The start on the centre's wall clock, as it was booked.
    pub start_local: NaiveDateTime,
    /// What kind of contact.
    pub contact_type: String,
    /// Where it stands.
    pub state: SessionState,
    /// Grows with start, end or state.
    pub version: i64,
    /// Who called it off.
    pub cancelled_by: Option<CancelledBy>,
    /// When the cancellation that counts reached us.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Hours of notice of this booking.
    pub notice_hours: i64,
    /// Fee of this booking, minor units.
    pub fee_minor: i64,
    /// Its last move.
    pub moved: Option<Move>,
}

/// The columns that [`read_session`] reads, from `session s JOIN case_file c`.
const SESSION: &str = "s.id, s.case_id, c.case_ref, c.centre, s.starts_at, s.ends_at, s.start_local, s.contact_type, s.state, s.version,
    s.cancelled_by, s.cancelled_at, s.notice_hours, s.fee_minor, s.move_origin, s.moved_at, s.moved_from";

/// The stored form of a local time.
pub fn local_text(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M").to_string()
}

fn read_session(r: &Row) -> Result<Session> {
    Ok(Session {
        id: r.text("id")?,
        case_id: r.text("case_id")?,
        case_ref: r.text("case_ref")?,
        centre: r.text("centre")?,
        starts_at: r.time("starts_at")?,
        ends_at: r.time("ends_at")?,
        start_local: crate::domain::local_time::parse_local(&r.text("start_local")?).context("start_local")?,
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
    let (origin, at, from) = (r.word_opt("move_origin")?, r.time_opt("moved_at")?, r.time_opt("moved_from")?);
    Ok(origin.zip(at).zip(from).map(|((origin, at), from)| Move { origin, at, from }))
}

/// A parent's place in a session.
#[derive(Debug, Clone)]
pub struct Attendee {
    /// The session.
    pub session_id: String,
    /// Which parent.
    pub role: Role,
    /// The party.
    pub party_id: String,
    /// The party's own arrival (UTC).
    pub arrives_at: DateTime<Utc>,
    /// The party's own departure (UTC).
    pub leaves_at: DateTime<Utc>,
    /// The version of the question put to this party.
    pub ask_version: i64,
    /// Since when the question could have been asked.
    pub ask_known: DateTime<Utc>,
    /// When it is due, if it still is.
    pub ask_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub asked: String,
    /// The answer.
    pub answer: Answer,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// When this party hears that the session is off.
    pub hears_at: Option<DateTime<Utc>>,
    /// Until when this party may take its own cancellation back.
    pub undo_until: Option<DateTime<Utc>>,
    /// The address (hash) from which it may.
    pub undo_from: Option<String>,
    /// When what this party said last about this visit was said.
    pub decided_at: Option<DateTime<Utc>>,
}

const ATTENDEE: &str = "t.session_id, t.role, t.party_id, t.arrives_at, t.leaves_at, t.ask_version, t.ask_known, t.ask_at, t.asked, t.answer, t.answered_at, t.hears_at, t.undo_until, t.undo_from, t.decided_at";

fn read_attendee(r: &Row) -> Result<Attendee> {
    Ok(Attendee {
        session_id: r.text("session_id")?,
        role: r.word("role")?,
        party_id: r.text("party_id")?,
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

/// A parent's place with all that decides whether a text goes to them.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The session.
    pub session: Session,
    /// The place.
    pub attendee: Attendee,
    /// The file is closed.
    pub archived: bool,
    /// The party's consent.
    pub consent: Consent,
    /// How much the phone may show.
    pub mode: Mode,
    /// The party's language.
    pub language: String,
    /// The hours in which this party's phone shows nothing.
    pub quiet: Option<Quiet>,
    /// The addresses that were agreed and are safe, the wanted channel first (choice K11).
    pub routes: Vec<Route>,
}

/// An address that was agreed and is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The address.
    pub address: Address,
    /// Its look-up hash.
    pub hash: String,
    /// It is opted out at our sender.
    pub opted_out: bool,
}

impl Seat {
    /// Where a text goes: to the wanted channel, or to the other one that was agreed and is safe (choice K11).
    pub fn route(&self) -> Option<&Route> {
        self.routes.iter().find(|r| !r.opted_out)
    }

    /// The same without a channel that did not take the text.
    pub fn route_without(&self, not_by: Option<Channel>) -> Option<&Route> {
        self.routes.iter().find(|r| !r.opted_out && Some(r.address.channel()) != not_by)
    }

    /// Whether every address is opted out at our senders.
    pub fn opted_out(&self) -> bool {
        !self.routes.is_empty() && self.route().is_none()
    }

    /// Whether the session was called off by somebody else and this party has not heard of it yet: for them it is still on.
    pub fn is_hidden(&self, now: DateTime<Utc>) -> bool {
        self.session.state == SessionState::Cancelled && self.attendee.answer != Answer::Cancelled && self.attendee.hears_at.is_some_and(|t| now < t)
    }
}

fn seat_sql(senders: &Senders, filter: &str) -> String {
    seat_sql_from(senders, "attendee t", filter)
}

/// The channels of a seat's addresses: texts always, so that a plan can be made before a sender is set; others where we have a sender.
fn channels(senders: &Senders) -> Vec<Channel> {
    [Channel::Sms, Channel::Telegram, Channel::Whatsapp].into_iter().filter(|c| *c == Channel::Sms || senders.has(*c)).collect()
}

fn seat_sql_from(senders: &Senders, places: &str, filter: &str) -> String {
    let mut sql = format!("SELECT {SESSION}, {ATTENDEE}, c.state AS case_state, p.consent, p.mode, p.language, p.channel AS wanted, p.safe_hours");
    let mut joins = String::new();
    for channel in channels(senders) {
        let _ = write!(sql, ", {channel}.number AS {channel}_number, {channel}.number_hash AS {channel}_hash");
        let _ = write!(
            joins,
            " LEFT JOIN address {channel} ON {channel}.party_id = p.id AND {channel}.channel = '{channel}' AND {channel}.state = 'current' AND {channel}.safe = 'safe'
               AND {channel}.blocked_at IS NULL AND {channel}.paused_at IS NULL"
        );
    }
    let _ = write!(sql, " FROM {places} JOIN session s ON s.id = t.session_id JOIN case_file c ON c.id = s.case_id JOIN party p ON p.id = t.party_id{joins} {filter}");
    sql
}

fn read_seat(r: &Row, channels: &[Channel], seal: &super::sealed::Sealed) -> Result<Seat> {
    let mut routes = Vec::new();
    for channel in channels.iter().copied() {
        if let (Some(n), Some(hash)) = (r.text_opt(&format!("{channel}_number"))?, r.text_opt(&format!("{channel}_hash"))?)
            && let Some(address) = Address::read(channel, &seal.open(&n).0)
        {
            routes.push(Route { address, hash, opted_out: false });
        }
    }
    let wanted: Channel = r.word("wanted")?;
    routes.sort_by_key(|r| r.address.channel() != wanted);
    Ok(Seat {
        session: read_session(r)?,
        attendee: read_attendee(r)?,
        archived: r.text("case_state")? == "archived",
        consent: r.word("consent")?,
        mode: r.word("mode")?,
        language: r.text("language")?,
        quiet: r.text_opt("safe_hours")?.as_deref().and_then(parse_hours),
        routes,
    })
}

/// Reads seats and marks the routes that are opted out at the sender of their centre; a chat without a bot of ours is no route.
async fn read_seats(tx: &mut Tx, senders: &Senders, rows: &[Row]) -> Result<Vec<Seat>> {
    let seal = tx.seal();
    let channels = channels(senders);
    let mut seats: Vec<Seat> = rows.iter().map(|r| read_seat(r, &channels, &seal)).collect::<Result<_>>()?;
    let stopped = super::inbox::opted_out_among(tx, &hashes_of(&seats)).await?;
    mark(&mut seats, senders, &stopped);
    Ok(seats)
}

/// The same outside a transaction.
async fn read_seats_from(db: &Db, senders: &Senders, rows: &[Row]) -> Result<Vec<Seat>> {
    let seal = db.seal();
    let channels = channels(senders);
    let mut seats: Vec<Seat> = rows.iter().map(|r| read_seat(r, &channels, &seal)).collect::<Result<_>>()?;
    let stopped = super::inbox::opted_out_among_in(db, &hashes_of(&seats)).await?;
    mark(&mut seats, senders, &stopped);
    Ok(seats)
}

fn hashes_of(seats: &[Seat]) -> Vec<String> {
    let mut hashes: Vec<String> = seats.iter().flat_map(|s| s.routes.iter().map(|r| r.hash.clone())).collect();
    hashes.sort();
    hashes.dedup();
    hashes
}

fn mark(seats: &mut [Seat], senders: &Senders, stopped: &OptOuts) {
    for seat in seats {
        let centre = &seat.session.centre;
        // Before any sender is set a plan is made for texts.
        seat.routes.retain(|r| senders.of(centre, r.address.channel()).is_some() || (senders.is_empty() && r.address.channel() == Channel::Sms));
        for route in &mut seat.routes {
            let channel = route.address.channel();
            let sender = senders.of(centre, channel).unwrap_or_default();
            route.opted_out = !stopped.is_empty() && stopped.contains(&(channel, sender.to_owned(), route.hash.clone()));
        }
    }
}

/// The places whose question is due at `now`, at most `limit`.
pub async fn due(tx: &mut Tx, senders: &Senders, now: DateTime<Utc>, limit: i64) -> Result<Vec<Seat>> {
    let rows = tx
        .all(
            seat_sql(senders, "WHERE (t.session_id, t.role) IN (SELECT session_id, role FROM attendee WHERE ask_at IS NOT NULL AND ask_at <= $1 ORDER BY ask_at LIMIT $2 {skip})"),
            args![now, limit],
        )
        .await?;
    read_seats(tx, senders, &rows).await
}

/// The places of one session, both parents.
pub async fn seats(tx: &mut Tx, senders: &Senders, session_id: &str) -> Result<Vec<Seat>> {
    let rows = tx.all(seat_sql(senders, "WHERE s.id = $1 ORDER BY t.role DESC"), args![session_id]).await?;
    read_seats(tx, senders, &rows).await
}

/// Some places, each by its session and role.
pub async fn seats_of(tx: &mut Tx, senders: &Senders, places: &[(String, Role)]) -> Result<Vec<Seat>> {
    let mut out = Vec::with_capacity(places.len());
    for chunk in places.chunks(128) {
        let pairs: Vec<String> = (0..chunk.len()).map(|i| format!("(${}, ${})", 2 * i + 1, 2 * i + 2)).collect();
        let sql = format!(
            "WITH v (session_id, role) AS (VALUES {}) {}",
            pairs.join(", "),
            seat_sql_from(senders, "v JOIN attendee t ON t.session_id = v.session_id AND t.role = v.role", "")
        );
        let args: Vec<Arg> = chunk.iter().flat_map(|(s, r)| [Arg::from(s), Arg::from(r.as_str())]).collect();
        out.extend(tx.all(sql, args).await?);
    }
    read_seats(tx, senders, &out).await
}

/// The places of sessions that start in a span, for the plan and the board.
pub async fn seats_between(db: &Db, senders: &Senders, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Seat>> {
    let rows = db.all(seat_sql(senders, "WHERE s.starts_at >= $1 AND s.starts_at < $2 ORDER BY s.starts_at, c.case_ref, t.role DESC"), args![from, to]).await?;
    read_seats_from(db, senders, &rows).await
}

/// The upcoming places of all parties with an address, at the centres for which `sender` speaks; those of sessions that ended before
/// `since` are left out.
pub async fn seats_of_address(tx: &mut Tx, senders: &Senders, at: (Channel, &str), hash: &str, since: DateTime<Utc>, whose: Whose) -> Result<Vec<Seat>> {
    let (channel, sender) = at;
    let of = if whose == Whose::Agreed { "channel = $2" } else { "($2 <> '')" };
    let sql = format!(
        "WHERE t.party_id IN (SELECT party_id FROM address WHERE number_hash = $1 AND {of} AND state = 'current')
         AND s.ends_at > $3 ORDER BY s.starts_at, s.id"
    );
    let rows = tx.all(seat_sql(senders, &sql), args![hash, channel.as_str(), since]).await?;
    let mut seats = read_seats(tx, senders, &rows).await?;
    seats.retain(|s| whose == Whose::Any || senders.speaks_for(sender, &s.session.centre, channel));
    Ok(seats)
}

/// The parties of an address whose places are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those who have it on file for this channel, at the centres for which our sender speaks.
    Agreed,
    /// Those who have it on file at all, at these centres.
    OnFile,
    /// Those who have it on file at any centre.
    Any,
}

/// Locks the sessions for the rest of the transaction (PostgreSQL; SQLite has one writer anyway).
pub async fn lock(tx: &mut Tx, sessions: &[String]) -> Result<()> {
    if sessions.is_empty() || !tx.is_postgres() {
        return Ok(());
    }
    let sql = format!("SELECT id FROM session WHERE id IN ({}) ORDER BY id {{lock}}", super::db::list_of(1, sessions.len()));
    tx.all(sql, sessions.iter().map(Arg::from).collect()).await?;
    Ok(())
}

/// Locks those of the sessions that nobody else holds, and names them: who claims must not wait for who records.
pub async fn lock_free(tx: &mut Tx, sessions: &[String]) -> Result<std::collections::HashSet<String>> {
    if !tx.is_postgres() || sessions.is_empty() {
        return Ok(sessions.iter().cloned().collect());
    }
    let sql = format!("SELECT id FROM session WHERE id IN ({}) ORDER BY id {{skip}}", super::db::list_of(1, sessions.len()));
    tx.all(sql, sessions.iter().map(Arg::from).collect()).await?.iter().map(|r| r.text("id")).collect()
}

/// One session by its id.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Session>> {
    let row = tx.one(format!("SELECT {SESSION} FROM session s JOIN case_file c ON c.id = s.case_id WHERE s.id = $1"), args![id]).await?;
    row.as_ref().map(read_session).transpose()
}

/// Sessions in order of their start, of a centre or of all, with both places.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<(Session, Vec<Attendee>)>> {
    let sessions = db
        .all(format!("SELECT {SESSION} FROM session s JOIN case_file c ON c.id = s.case_id WHERE $1 IS NULL OR c.centre = $1 ORDER BY s.starts_at, c.case_ref"), args![centre])
        .await?;
    let places = db.all(format!("SELECT {ATTENDEE} FROM attendee t ORDER BY t.role DESC"), args![]).await?;
    let mut by_session: std::collections::HashMap<String, Vec<Attendee>> = std::collections::HashMap::new();
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

/// What became of due questions: for each place the time of the next look (none: settled) and a word.
pub async fn settle_asks(tx: &mut Tx, rows: Vec<(String, Role, Option<DateTime<Utc>>, &str)>) -> Result<()> {
    let rows = rows.into_iter().map(|(s, r, at, word)| args![s, r.as_str(), at, word]).collect();
    tx.with_many(
        "session_id, role, ask_at, asked",
        "UPDATE attendee SET ask_at = v.ask_at, asked = v.asked FROM v WHERE attendee.session_id = v.session_id AND attendee.role = v.role",
        rows,
    )
    .await?;
    Ok(())
}

/// Records an answer of a party.
pub async fn answer(tx: &mut Tx, session_id: &str, role: Role, answer: Answer, at: Option<DateTime<Utc>>) -> Result<()> {
    tx.exec("UPDATE attendee SET answer = $1, answered_at = $2 WHERE session_id = $3 AND role = $4", args![answer.as_str(), at, session_id, role.as_str()]).await?;
    Ok(())
}

/// Keeps when a party said what it said last about a visit.
pub async fn decided(tx: &mut Tx, session_id: &str, role: Role, at: DateTime<Utc>) -> Result<()> {
    tx.exec("UPDATE attendee SET decided_at = $1 WHERE session_id = $2 AND role = $3 AND (decided_at IS NULL OR decided_at < $1)", args![at, session_id, role.as_str()]).await?;
    Ok(())
}

/// Sets when a place hears that its session is off, and until when and from where it may take its own cancellation back.
pub async fn set_release(tx: &mut Tx, session_id: &str, role: Role, hears_at: Option<DateTime<Utc>>, undo: Option<(DateTime<Utc>, &str)>) -> Result<()> {
    tx.exec(
        "UPDATE attendee SET hears_at = $1, undo_until = $2, undo_from = $3 WHERE session_id = $4 AND role = $5",
        args![hears_at, undo.map(|u| u.0), undo.map(|u| u.1), session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// Sets when a place is to be asked.
pub async fn ask_at(tx: &mut Tx, session_id: &str, role: Role, at: Option<DateTime<Utc>>, asked: &str) -> Result<()> {
    tx.exec("UPDATE attendee SET ask_at = $1, asked = $2 WHERE session_id = $3 AND role = $4", args![at, asked, session_id, role.as_str()]).await?;
    Ok(())
}

/// A cancellation as it is written.
pub struct Off {
    /// Who.
    pub by: CancelledBy,
    /// When it reached us.
    pub at: DateTime<Utc>,
}

/// Calls a booked session off; false if it is not booked in this version any more.
pub async fn call_off(tx: &mut Tx, session: &Session, off: &Off) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session SET state = 'cancelled', version = version + 1, cancelled_by = $1, cancelled_at = $2
             WHERE id = $3 AND state = 'booked' AND version = $4",
            args![off.by.as_str(), off.at, &session.id, session.version],
        )
        .await?;
    super::bookings::touch(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// Takes a cancellation back that nobody was told of; false if it is not there any more.
pub async fn put_back(tx: &mut Tx, session: &Session) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session SET state = 'booked', version = version + 1, cancelled_by = NULL, cancelled_at = NULL
             WHERE id = $1 AND state = 'cancelled' AND version = $2",
            args![&session.id, session.version],
        )
        .await?;
    super::bookings::touch(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// A session that was called off or closed takes place after all; false if it changed meanwhile.
pub async fn reinstate(tx: &mut Tx, session: &Session) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE session SET state = 'booked', version = version + 1, cancelled_by = NULL, cancelled_at = NULL
             WHERE id = $1 AND state IN ('cancelled', 'closed') AND version = $2",
            args![&session.id, session.version],
        )
        .await?;
    super::bookings::touch(tx, &session.case_id).await?;
    Ok(n == 1)
}

/// What staff saw of a session: it took place, or somebody did not come.
pub async fn set_state(tx: &mut Tx, session: &Session, state: SessionState) -> Result<()> {
    tx.exec("UPDATE session SET state = $1, version = version + 1 WHERE id = $2 AND state <> $1", args![state.as_str(), &session.id]).await?;
    super::bookings::touch(tx, &session.case_id).await
}

/// A new time for a booked session, and who began the move; false if it is not booked in this version any more.
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
            "UPDATE session SET starts_at = $1, ends_at = $2, start_local = $3, version = version + 1, move_origin = $6, moved_at = $7, moved_from = $8
             WHERE id = $4 AND state = 'booked' AND version = $5",
            args![starts_at, ends_at, local_text(start_local), &session.id, session.version, origin.as_str(), at, session.starts_at],
        )
        .await?;
    Ok(n == 1)
}

/// A new question for a place: own times, next version, no answer.
pub async fn ask_anew(tx: &mut Tx, a: &Attendee, arrives_at: DateTime<Utc>, known: DateTime<Utc>, ask_at: Option<DateTime<Utc>>, asked: &str) -> Result<()> {
    let leaves_at = a.leaves_at + (arrives_at - a.arrives_at);
    tx.exec(
        "UPDATE attendee SET arrives_at = $1, leaves_at = $2, ask_version = ask_version + 1, ask_known = $3, ask_at = $4, asked = $5, answer = 'none', answered_at = NULL
         WHERE session_id = $6 AND role = $7",
        args![arrives_at, leaves_at, known, ask_at, asked, &a.session_id, a.role.as_str()],
    )
    .await?;
    Ok(())
}

/// How many sessions are booked or were called off at a centre in a span.
pub async fn count_between(tx: &mut Tx, centre: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<i64> {
    let row = tx
        .one("SELECT count(*) AS n FROM session s JOIN case_file c ON c.id = s.case_id WHERE c.centre = $1 AND s.starts_at >= $2 AND s.starts_at < $3", args![centre, from, to])
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// When the next question is due after nothing is due now.
pub async fn next_ask(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let row = db.one("SELECT min(ask_at) AS at FROM attendee WHERE ask_at IS NOT NULL", args![]).await?;
    row.map_or(Ok(None), |r| r.time_opt("at"))
}

/// Whether the scheduler has anything to do: a question that is due, a text past its use, a cancellation that nobody finished.
pub async fn anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM attendee WHERE ask_at IS NOT NULL AND ask_at <= $1)
               OR EXISTS (SELECT 1 FROM message WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1)
               OR EXISTS (SELECT 1 FROM cancel_question WHERE state = 'open' AND nag_at IS NOT NULL AND nag_at <= $1)",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Places that are still to be asked at a centre, for a change of its rules.
pub async fn unasked(tx: &mut Tx, senders: &Senders, centre: &str, now: DateTime<Utc>) -> Result<Vec<Seat>> {
    let rows = tx.all(seat_sql(senders, "WHERE c.centre = $1 AND t.ask_at IS NOT NULL AND s.starts_at > $2"), args![centre, now]).await?;
    read_seats(tx, senders, &rows).await
}

/// How many questions fall due until `until` to parties that get texts, at a centre or at all.
pub async fn asks_until(db: &Db, senders: &Senders, centre: Option<&str>, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<i64> {
    let rows = db
        .all(
            seat_sql(senders, "WHERE t.ask_at IS NOT NULL AND t.ask_at <= $1 AND s.state = 'booked' AND s.starts_at > $2 AND ($3 IS NULL OR c.centre = $3)"),
            args![until, now, centre],
        )
        .await?;
    let seats = read_seats_from(db, senders, &rows).await?;
    Ok(seats.iter().filter(|s| s.consent == Consent::Yes && s.mode != Mode::Silent && s.route().is_some()).count() as i64)
}

/// The places of a case's sessions that are not over.
pub async fn seats_of_case(tx: &mut Tx, senders: &Senders, case_id: &str, since: DateTime<Utc>) -> Result<Vec<Seat>> {
    let rows = tx.all(seat_sql(senders, "WHERE s.case_id = $1 AND s.ends_at > $2 ORDER BY s.starts_at"), args![case_id, since]).await?;
    read_seats(tx, senders, &rows).await
}

/// The places of a centre's booked sessions that overlap a span.
pub async fn booked_between(tx: &mut Tx, senders: &Senders, centre: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Seat>> {
    let rows = tx
        .all(
            seat_sql(senders, "WHERE c.centre = $1 AND s.state = 'booked' AND s.starts_at < $3 AND s.ends_at > $2 ORDER BY s.starts_at, c.case_ref, t.role DESC"),
            args![centre, from, to],
        )
        .await?;
    read_seats(tx, senders, &rows).await
}

/// Opens a ring task for every "will not go ahead" that waits when a hold begins (rule f10). `scope` is a centre's code or `*`.
pub async fn ring_for_waiting(tx: &mut Tx, scope: &str, now: DateTime<Utc>) -> Result<()> {
    let rows = tx
        .all(
            "SELECT m.cause, m.case_id, m.session_id, m.role, t.arrives_at FROM message m JOIN attendee t ON t.session_id = m.session_id AND t.role = m.role
             WHERE m.kind IN ('session_off', 'closure') AND m.state = 'waiting' AND ($1 = '*' OR m.centre = $1)",
            args![scope],
        )
        .await?;
    for r in rows {
        let (case_id, session_id) = (r.text_opt("case_id")?, r.text_opt("session_id")?);
        let task = super::tasks::NewTask {
            case_id: case_id.as_deref(),
            session_id: session_id.as_deref(),
            role: r.word_opt("role")?,
            due_at: r.time_opt("arrives_at")?,
            ..super::tasks::NewTask::new(format!("ring-for/{}", r.text("cause")?), crate::domain::conversation::Topic::RingSessionOff)
        };
        super::tasks::open(tx, now, &task).await?;
    }
    Ok(())
}
