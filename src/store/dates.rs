//! Questions to both parents about another date, and their answers.

use crate::args;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::{DateQuestionId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::replies::conversation::{CROSSING, KnownDateQuestion};
use crate::domain::visits::notice::Origin;
use crate::store::db::{Arg, Row, Tx, placeholder_list};
use crate::store::session_rows::local_text;
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime, Utc};

/// A question about another date.
#[derive(Debug, Clone)]
pub struct DateQuestion {
    pub id: DateQuestionId,
    /// The session to be moved.
    pub session_id: SessionId,
    /// The proposed local start.
    pub to: NaiveDateTime,
    /// Who wanted the change.
    pub origin: Origin,
}

/// Inserts a question. Returns false if the session has an open one already.
pub async fn add(
    tx: &mut Tx,
    now: DateTime<Utc>,
    q: &DateQuestion,
    version: i64,
    by: &str,
) -> Result<bool> {
    let n = tx
        .exec(
            "INSERT INTO date_question (
               id, session_id, session_version, to_local, origin, asked_at, asked_by, state
             )
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')
             ON CONFLICT DO NOTHING",
            args![
                &q.id,
                &q.session_id,
                version,
                local_text(q.to),
                q.origin.as_str(),
                now,
                by
            ],
        )
        .await?;
    Ok(n == 1)
}

fn read(r: &Row) -> Result<DateQuestion> {
    Ok(DateQuestion {
        id: r.id("id")?,
        session_id: r.id("session_id")?,
        to: parse_local(&r.text("to_local")?).context("to_local")?,
        origin: r.parsed("origin")?,
    })
}

/// The open question of a session.
pub async fn open_question(tx: &mut Tx, session_id: &SessionId) -> Result<Option<DateQuestion>> {
    let row = tx
        .one(
            "SELECT id, session_id, to_local, origin
             FROM date_question
             WHERE session_id = $1 AND state = 'open'",
            args![session_id],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// The session of an open question.
pub async fn session_of(tx: &mut Tx, question: &DateQuestionId) -> Result<Option<SessionId>> {
    tx.one(
        "SELECT session_id FROM date_question WHERE id = $1 AND state = 'open'",
        args![question],
    )
    .await?
    .map(|r| r.id("session_id"))
    .transpose()
}

/// Records an answer. A later answer reattendees an earlier one.
pub async fn answer(
    tx: &mut Tx,
    question: &DateQuestionId,
    role: Role,
    yes: bool,
    at: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "INSERT INTO date_answer (question_id, role, answer, answered_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (question_id, role) DO UPDATE SET answer = $3, answered_at = $4
         WHERE date_answer.answered_at <= $4",
        args![question, role.as_str(), if yes { "yes" } else { "no" }, at],
    )
    .await?;
    Ok(())
}

/// The answers so far: role, and whether it was yes.
pub async fn answers(tx: &mut Tx, question: &DateQuestionId) -> Result<Vec<(Role, bool)>> {
    let rows = tx
        .all(
            "SELECT role, answer
             FROM date_answer
             WHERE question_id = $1
             ORDER BY role",
            args![question],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.parsed("role")?, r.text("answer")? == "yes")))
        .collect()
}

/// Ends a question: `closed`, or `moved` when the session was moved.
pub async fn end(
    tx: &mut Tx,
    now: DateTime<Utc>,
    question: &DateQuestionId,
    state: &str,
) -> Result<()> {
    tx.exec(
        "UPDATE date_question
         SET state = $1, closed_at = $2
         WHERE id = $3 AND state = 'open'",
        args![state, now, question],
    )
    .await?;
    Ok(())
}

/// The questions that were sent to the address with this hash and were open shortly before `at`.
///
/// `arrives` is the start of the session on the proposed date; the caller adds the party's own
/// offset.
pub async fn answerable(
    tx: &mut Tx,
    attendees: &[(SessionId, Role)],
    hash: &str,
    at: DateTime<Utc>,
) -> Result<Vec<KnownDateQuestion>> {
    if attendees.is_empty() {
        return Ok(Vec::new());
    }
    let mut args: Vec<Arg> = args![at - CROSSING];
    args.extend(attendees.iter().map(|p| Arg::from(&p.0)));
    let sql = format!(
        "SELECT id, session_id, to_local, state
         FROM date_question
         WHERE session_id IN ({}) AND (state = 'open' OR closed_at > $1)",
        placeholder_list(2, attendees.len())
    );
    let mut out = Vec::new();
    for q in tx.all(sql, args).await? {
        let (id, session): (DateQuestionId, SessionId) = (q.id("id")?, q.id("session_id")?);
        for (_, role) in attendees.iter().filter(|p| p.0 == session) {
            let asked = tx
                .one(
                    "SELECT min(a.started_at) AS at
                     FROM message m
                     JOIN attempt a ON a.message_id = m.id
                     WHERE m.cause = $1
                       AND a.number_hash = $2
                       AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))",
                    args![MessageKey::date_question(&id, *role).as_str(), hash],
                )
                .await?
                .map_or(Ok(None), |r| r.time_opt("at"))?;
            let Some(asked_at) = asked else { continue };
            out.push(KnownDateQuestion {
                question: id.clone(),
                session: session.clone(),
                role: *role,
                arrives: parse_local(&q.text("to_local")?).context("to_local")?,
                asked_at,
                answered: answers(tx, &id).await?.iter().any(|a| a.0 == *role),
                closed: q.text("state")? != "open",
            });
        }
    }
    Ok(out)
}
