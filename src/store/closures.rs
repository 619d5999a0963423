//! Closures: days on which a centre does not open.

use crate::args;
use crate::domain::ids::{CaseId, ClosureId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::db::Tx;
use crate::store::session_rows::local_text;
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A closure to insert.
pub struct Closure<'a> {
    pub id: &'a ClosureId,
    pub centre: &'a str,
    /// Local start and end.
    pub from: NaiveDateTime,
    /// See `from`.
    pub to: NaiveDateTime,
    /// Why, for staff only; stored sealed.
    pub why: &'a str,
    /// Number of families notified.
    pub families: i64,
    pub by: &'a str,
}

/// Inserts a closure.
pub async fn add(tx: &mut Tx, now: DateTime<Utc>, c: &Closure<'_>) -> Result<()> {
    let why = tx.seal().seal(c.why);
    tx.exec(
        "INSERT INTO closure (
           id, centre, from_local, to_local, why, families, recorded_at, by_whom
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            c.id,
            c.centre,
            local_text(c.from),
            local_text(c.to),
            why,
            c.families,
            now,
            c.by
        ],
    )
    .await?;
    Ok(())
}

/// Closes booked sessions, if they are still in the version given. Returns how many were closed.
///
/// Their questions are no longer asked, and messages of these kinds that wait are withdrawn.
pub async fn close(
    tx: &mut Tx,
    now: DateTime<Utc>,
    sessions: &[(SessionId, i64)],
    kinds: &[&str],
    reason: &str,
) -> Result<u64> {
    let rows = sessions
        .iter()
        .map(|(id, version)| args![id, *version, now])
        .collect();
    let n = tx
        .update_many(
            "id, version, at",
            "UPDATE session
             SET state = 'closed', version = session.version + 1, cancelled_by = 'centre',
               cancelled_at = v.at
             FROM v
             WHERE session.id = v.id AND session.version = v.version AND session.state = 'booked'",
            rows,
        )
        .await?;
    let touched = sessions.iter().map(|(id, _)| args![id]).collect();
    tx.update_many(
        "id",
        "UPDATE case_file
         SET bookings_at = NULL
         FROM v
         JOIN session s ON s.id = v.id
         WHERE case_file.id = s.case_id AND case_file.bookings_at IS NOT NULL",
        touched,
    )
    .await?;
    let ids = || sessions.iter().map(|(id, _)| args![id]).collect::<Vec<_>>();
    tx.update_many(
        "id",
        "UPDATE attendee
         SET ask_at = NULL,
           asked = CASE WHEN attendee.ask_at IS NULL THEN attendee.asked ELSE 'closed' END
         FROM v
         WHERE attendee.session_id = v.id",
        ids(),
    )
    .await?;
    tx.update_many(
        "id",
        "UPDATE cancel_question
         SET state = 'void'
         FROM v
         WHERE cancel_question.session_id = v.id AND cancel_question.state = 'open'",
        ids(),
    )
    .await?;
    let kinds: Vec<String> = kinds.iter().map(|k| format!("'{k}'")).collect();
    let sql = format!(
        "UPDATE message
         SET state = 'withdrawn', reason = '{reason}'
         FROM v
         WHERE message.session_id = v.id AND message.state = 'waiting' AND message.kind IN ({})",
        kinds.join(", ")
    );
    tx.update_many("id", &sql, ids()).await?;
    Ok(n)
}

/// Ends the right to undo cancellations on closed days: the visit could not take place.
pub async fn end_undo(
    tx: &mut Tx,
    centre: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<u64> {
    tx.exec(
        "UPDATE attendee
         SET undo_until = NULL, undo_from = NULL
         WHERE undo_until IS NOT NULL
           AND session_id IN (
             SELECT s.id
             FROM session s
             JOIN case_file c ON c.id = s.case_id
             WHERE c.centre = $1 AND s.state = 'cancelled' AND s.starts_at < $3 AND s.ends_at > $2
           )",
        args![centre, from, to],
    )
    .await
}

/// Sessions within the closed days (and hours) that were cancelled before: (case, session).
pub async fn cancelled_within(
    tx: &mut Tx,
    now: DateTime<Utc>,
    centre: &str,
    from: NaiveDate,
    to: NaiveDate,
    hours: Option<(NaiveTime, NaiveTime)>,
) -> Result<Vec<(CaseId, SessionId)>> {
    let day_after = to.succ_opt().unwrap_or(to);
    let rows = tx
        .all(
            "SELECT s.case_id, s.id, s.start_local, s.starts_at, s.ends_at
             FROM session s
             JOIN case_file c ON c.id = s.case_id
             WHERE c.centre = $1
               AND s.state = 'cancelled'
               AND s.start_local >= $2
               AND s.start_local < $3
               AND s.ends_at > $4",
            args![
                centre,
                local_text(from.and_time(NaiveTime::MIN)),
                local_text(day_after.and_time(NaiveTime::MIN)),
                now
            ],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        let start = parse_local(&r.text("start_local")?).context("start_local")?;
        let end = start + (r.time("ends_at")? - r.time("starts_at")?);
        if hours.is_none_or(|(opens, closes)| {
            start.time() < closes && (end.time() > opens || end.date() > start.date())
        }) {
            out.push((r.id("case_id")?, r.id("id")?));
        }
    }
    Ok(out)
}

/// Number of families: different cases among these attendees.
pub fn families(contexts: &[AttendeeContext]) -> usize {
    contexts
        .iter()
        .map(|s| &s.session.case_id)
        .collect::<std::collections::HashSet<_>>()
        .len()
}
