//! Cancel questions: each waits for its code.

use crate::args;
use crate::domain::ids::{CancelQuestionId, CaseId, SessionId};
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::domain::replies::cancel_code::{CancelQuestion, TRIES_A_QUESTION};
use crate::domain::visits::session::Reason;
use crate::store::db::Tx;
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// The history of one party's cancel questions about one session.
#[derive(Debug, Clone, Default)]
pub struct CancelHistory {
    /// The newest open question for the current version.
    pub open: Option<CancelQuestion>,
    /// Where it was asked: the channel (`None` for any) and the address.
    pub asked_at_address: Option<(Option<Channel>, String)>,
    /// Questions asked in the last 24 hours.
    pub today: i64,
    /// Number of wrong codes.
    pub wrong: i64,
    /// Whether three wrong codes ended a question: a person takes over.
    pub blocked: bool,
}

impl CancelHistory {
    /// Whether the open question was asked at this address. It can only be finished there.
    pub fn was_asked_at(&self, channel: Channel, hash: &str) -> bool {
        self.asked_at_address
            .as_ref()
            .is_some_and(|(c, h)| c.is_none_or(|c| c == channel) && h == hash)
    }
}

/// Reads the history. A question belongs to the party, whatever address it was asked at.
pub async fn history(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    ask_version: i64,
    now: DateTime<Utc>,
) -> Result<CancelHistory> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT id, session_version, channel, number_hash, stem, offered, first_no_at,
               asked_at, tries, state
             FROM cancel_question
             WHERE session_id = $1 AND role = $2
             ORDER BY asked_at",
            args![session_id, role.as_str()],
        )
        .await?;
    let mut out = CancelHistory::default();
    for r in rows {
        let tries = r.int("tries")?;
        out.wrong += tries;
        out.blocked |= tries >= TRIES_A_QUESTION;
        out.today += i64::from(r.time("asked_at")? > now - Duration::hours(24));
        if r.text("state")? == "open" && r.int("session_version")? == ask_version {
            out.asked_at_address = Some((r.parsed_opt("channel")?, r.text("number_hash")?));
            out.open = Some(CancelQuestion {
                id: r.id("id")?,
                code_prefix: seal.open(&r.text("stem")?).0,
                offered: r
                    .text("offered")?
                    .split(' ')
                    .filter_map(|w| w.parse().ok())
                    .collect(),
                asked_at: r.time("asked_at")?,
                first_no_at: r.time("first_no_at")?,
                tries,
            });
        }
    }
    Ok(out)
}

/// A question to add.
pub struct NewQuestion<'a> {
    pub session_id: &'a SessionId,
    /// Who asked to cancel.
    pub role: Role,
    /// The version of the attendance question that it belongs to.
    pub ask_version: i64,
    /// The channel and address that asked.
    pub channel: Channel,
    /// See `channel`.
    pub number_hash: &'a str,
    pub code_prefix: &'a str,
    pub offered: &'a [Reason],
    /// When the first NO arrived.
    pub first_no_at: DateTime<Utc>,
    /// When a person should call.
    pub nag_at: DateTime<Utc>,
}

/// Adds a question. Earlier ones for the same session and party become void.
pub async fn add(tx: &mut Tx, now: DateTime<Utc>, q: &NewQuestion<'_>) -> Result<CancelQuestionId> {
    let id = CancelQuestionId::new(random_id());
    let offered: Vec<&str> = q.offered.iter().map(|r| r.as_str()).collect();
    tx.exec(
        "UPDATE cancel_question
         SET state = 'void'
         WHERE session_id = $1 AND role = $2 AND state = 'open'",
        args![q.session_id, q.role.as_str()],
    )
    .await?;
    let code_prefix = tx.seal().seal(q.code_prefix);
    tx.exec(
        "INSERT INTO cancel_question (
           id, session_id, role, session_version, number_hash, stem, offered, first_no_at,
           asked_at, nag_at, tries, state, channel
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 'open', $11)",
        args![
            &id,
            q.session_id,
            q.role.as_str(),
            q.ask_version,
            q.number_hash,
            code_prefix,
            offered.join(" "),
            q.first_no_at,
            now,
            q.nag_at,
            q.channel.as_str()
        ],
    )
    .await?;
    Ok(id)
}

/// Ends a question.
pub async fn end(tx: &mut Tx, id: &CancelQuestionId, done: bool) -> Result<()> {
    tx.exec(
        "UPDATE cancel_question SET state = $1 WHERE id = $2 AND state = 'open'",
        args![if done { "done" } else { "void" }, id],
    )
    .await?;
    Ok(())
}

/// Voids the open questions about a session that moves.
pub async fn end_of_session(tx: &mut Tx, session_id: &SessionId) -> Result<()> {
    tx.exec(
        "UPDATE cancel_question
         SET state = 'void'
         WHERE session_id = $1 AND state = 'open'",
        args![session_id],
    )
    .await?;
    Ok(())
}

pub async fn count_wrong_code(tx: &mut Tx, id: &CancelQuestionId) -> Result<()> {
    tx.exec(
        "UPDATE cancel_question SET tries = tries + 1 WHERE id = $1",
        args![id],
    )
    .await?;
    Ok(())
}

/// A question that was not finished in time.
pub struct Unfinished {
    pub id: CancelQuestionId,
    pub session_id: SessionId,
    pub case_id: CaseId,
    /// The party who asked to cancel.
    pub role: Role,
    /// The centre of the case.
    pub centre: String,
    /// When the party arrives.
    pub arrives_at: DateTime<Utc>,
    /// A task to call the party about this session is open already.
    pub has_ring_task: bool,
}

/// Takes the questions that a person has to call about by now; each is returned once.
///
/// A question about a cancelled session waits, because the other parent may undo the cancellation.
/// One about a session that has begun is left alone.
pub async fn take_unfinished(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<Unfinished>> {
    let rows = tx
        .all(
            "SELECT q.id, q.session_id, s.case_id, q.role, c.centre, t.arrives_at
             FROM cancel_question q
             JOIN session s ON s.id = q.session_id
             JOIN case_file c ON c.id = s.case_id
             JOIN attendee t ON t.session_id = q.session_id AND t.role = q.role
             WHERE q.state = 'open'
               AND q.nag_at IS NOT NULL
               AND q.nag_at <= $1
               AND s.state = 'booked'
               AND s.starts_at > $1
             ORDER BY q.nag_at
             LIMIT 500",
            args![now],
        )
        .await?;
    let mut out = Vec::new();
    for r in rows {
        let id = r.id("id")?;
        tx.exec(
            "UPDATE cancel_question SET nag_at = NULL WHERE id = $1",
            args![&id],
        )
        .await?;
        let (session_id, role): (_, Role) = (r.id("session_id")?, r.parsed("role")?);
        let has_ring_task = tx.one(
            "SELECT 1 AS n
             FROM task
             WHERE session_id = $1
               AND role = $2
               AND state = 'open'
               AND origin = 'unfinished_cancellation'",
            args![&session_id, role.as_str()],
        );
        let has_ring_task = has_ring_task.await?.is_some();
        out.push(Unfinished {
            id,
            session_id,
            case_id: r.id("case_id")?,
            role,
            centre: r.text("centre")?,
            arrives_at: r.time("arrives_at")?,
            has_ring_task,
        });
    }
    Ok(out)
}

/// Makes the open questions about a session due again, after it was reinstated.
pub async fn restart_nags(tx: &mut Tx, session_id: &SessionId, now: DateTime<Utc>) -> Result<()> {
    tx.exec(
        "UPDATE cancel_question
         SET nag_at = $1
         WHERE session_id = $2 AND state = 'open' AND nag_at IS NULL",
        args![now, session_id],
    )
    .await?;
    Ok(())
}
