//! Reading and locking sessions.

use crate::args;
use crate::domain::ids::SessionId;
use crate::domain::visits::attendee::{Attendee, Session};
use crate::store::db::{Arg, Db, Tx, placeholder_list};
use crate::store::session_rows::{ATTENDEE, SESSION, read_attendee, read_session};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Locks sessions until the end of the transaction. SQLite has a single writer and needs no lock.
pub async fn lock(tx: &mut Tx, sessions: &[SessionId]) -> Result<()> {
    if sessions.is_empty() || !tx.is_postgres() {
        return Ok(());
    }
    let sql = format!(
        "SELECT id
         FROM session
         WHERE id IN ({})
         ORDER BY id {{lock}}",
        placeholder_list(1, sessions.len())
    );
    tx.all(sql, sessions.iter().map(Arg::from).collect())
        .await?;
    Ok(())
}

/// Locks those of the sessions that nobody else has locked, and returns them: claiming must not
/// wait for recording.
pub async fn lock_available(
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
        placeholder_list(1, sessions.len())
    );
    tx.all(sql, sessions.iter().map(Arg::from).collect())
        .await?
        .iter()
        .map(|r| r.id("id"))
        .collect()
}

/// A session by its id.
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

/// The sessions of one centre or of all in order of their start, with their attendees.
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
    let attendees = db
        .all(
            format!("SELECT {ATTENDEE} FROM attendee t ORDER BY t.role DESC"),
            args![],
        )
        .await?;
    let mut by_session: std::collections::HashMap<SessionId, Vec<Attendee>> =
        std::collections::HashMap::new();
    for r in &attendees {
        let a = read_attendee(r)?;
        by_session.entry(a.session_id.clone()).or_default().push(a);
    }
    sessions
        .iter()
        .map(|r| {
            let s = read_session(r)?;
            let attendees = by_session.remove(&s.id).unwrap_or_default();
            Ok((s, attendees))
        })
        .collect()
}

/// Number of sessions of a centre that start within a span.
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
