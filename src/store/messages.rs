//! Questions about the messages: what a number got lately, what was asked, what waits, and the
//! lists.

use crate::args;
use crate::domain::ids::{AttemptToken, CaseId, MessageId, SessionId};
use crate::domain::outgoing::message::{MessageKind, MessageState};
use crate::domain::people::person::Role;
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::outbox::LineScope;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;

/// Whether anything is due on a line that is not held.
pub async fn any_due(db: &Db, line: LineScope<'_>, now: DateTime<Utc>) -> Result<bool> {
    let (filter, values) = line.filter(3);
    let mut args: Vec<Arg> = args![now, line.channel.as_str()];
    args.extend(values);
    let sql = format!(
        "SELECT m.id
         FROM message m
         WHERE m.state = 'waiting'
           AND m.held_at IS NULL
           AND m.channel = $2
           AND m.not_before <= $1
           {filter}
           AND (
             m.kind = 'staff_alert'
             OR NOT EXISTS (
               SELECT 1
               FROM hold h
               WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')
             )
           )
         LIMIT 1"
    );
    Ok(db.one(sql, args).await?.is_some())
}

/// What a number got unprompted lately: the last time, and how many in 24 hours.
pub async fn unprompted(
    tx: &mut Tx,
    now: DateTime<Utc>,
    hashes: &[String],
) -> Result<HashMap<String, (DateTime<Utc>, i64)>> {
    let mut out = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, max(started_at) AS last, count(*) AS n
             FROM attempt
             WHERE number_hash IN ({})
               AND started_at > $1
               AND prompted = FALSE
               AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))
             GROUP BY number_hash",
            crate::store::db::list_of(2, chunk.len())
        );
        let mut args: Vec<Arg> = args![now - Duration::hours(24)];
        args.extend(chunk.iter().map(Arg::from));
        for r in tx.all(sql, args).await? {
            out.insert(r.text("number_hash")?, (r.time("last")?, r.int("n")?));
        }
    }
    Ok(out)
}

/// Answers that went or wait to go to a number since then: (kind, session, when).
pub async fn answers_since(
    tx: &mut Tx,
    number_hash: &str,
    since: DateTime<Utc>,
) -> Result<Vec<(MessageKind, Option<SessionId>, DateTime<Utc>)>> {
    let rows = tx
        .all(
            "SELECT kind, session_id, queued_at
             FROM message
             WHERE to_hash = $1 AND queued_at > $2",
            args![number_hash, since],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok((
                r.word("kind")?,
                r.id_opt("session_id")?,
                r.time("queued_at")?,
            ))
        })
        .collect()
}

/// How many answers to strangers were queued since then.
pub async fn strangers_since(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    let row = tx
        .one(
            "SELECT count(*) AS n
             FROM message
             WHERE kind = 'unknown_sender' AND queued_at > $1",
            args![since],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// When a text that asks left for this version of the question, or may have left; when it was
/// accepted; and whether an older version was asked about before.
pub async fn asked(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
    ask_version: i64,
) -> Result<crate::domain::replies::conversation::QuestionState> {
    let rows = tx
        .all(
            "SELECT m.ask_version, min(a.started_at) AS began,
               min(CASE
                 WHEN a.outcome = 'accepted' THEN coalesce(a.ended_at, a.started_at)
               END) AS accepted
             FROM message m
             JOIN attempt a ON a.message_id = m.id
             WHERE m.session_id = $1
               AND m.role = $2
               AND m.kind IN ('confirm_request', 'session_moved', 'session_on')
               AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))
             GROUP BY m.ask_version",
            args![session_id, role.as_str()],
        )
        .await?;
    let mut out = crate::domain::replies::conversation::QuestionState::default();
    for r in rows {
        match r.int("ask_version")?.cmp(&ask_version) {
            std::cmp::Ordering::Equal => {
                out.at = r.time_opt("began")?;
                out.accepted_at = r.time_opt("accepted")?;
            }
            std::cmp::Ordering::Less => out.older = true,
            std::cmp::Ordering::Greater => {}
        }
    }
    Ok(out)
}

/// The start of the session about which a number was asked last, whether or not it is over.
pub async fn asked_last(tx: &mut Tx, number_hash: &str) -> Result<Option<DateTime<Utc>>> {
    let row = tx
        .one(
            "SELECT s.starts_at
             FROM attempt a
             JOIN message m ON m.id = a.message_id
             JOIN session s ON s.id = m.session_id
             WHERE a.number_hash = $1
               AND m.kind IN ('confirm_request', 'session_moved')
               AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain'))
             ORDER BY a.started_at DESC
             LIMIT 1",
            args![number_hash],
        )
        .await?;
    row.map(|r| r.time("starts_at")).transpose()
}

/// Texts of a line that began on the day (UTC) of `now`.
pub async fn begun_today(tx: &mut Tx, line: &str, now: DateTime<Utc>) -> Result<i64> {
    let row = tx
        .one(
            "SELECT texts FROM day_count WHERE channel = $2 AND day = $1",
            args![now.format("%Y-%m-%d").to_string(), line],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("texts"))
}

/// How many messages wait, are due now, and when the next one is due; how many attempts are open.
#[derive(Debug, Clone, Default)]
pub struct QueueLoad {
    /// Due and not held.
    pub due: i64,
    /// Due and held.
    pub held: i64,
    /// Attempts without a recorded end.
    pub open: i64,
    /// The next instant at which something is due.
    pub next: Option<DateTime<Utc>>,
    /// Whether something that was tried already waits for its next try.
    pub again: bool,
}

impl QueueLoad {
    /// Whether a try that failed is due again within a moment: an idle process waits for that.
    pub fn soon(&self, now: DateTime<Utc>) -> bool {
        self.again && self.next.is_some_and(|t| t <= now + Duration::minutes(3))
    }
}

/// Reads the load.
pub async fn load(db: &Db, now: DateTime<Utc>) -> Result<QueueLoad> {
    let held = "EXISTS (
          SELECT 1
          FROM hold h
          WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')
        )";
    let count = |sql: String| async move {
        db.one(sql, args![now])
            .await?
            .map_or(Ok(0), |r: Row| r.int("n"))
    };
    let due = count(format!(
        "SELECT count(*) AS n
         FROM message m
         WHERE m.state = 'waiting' AND m.held_at IS NULL AND m.not_before <= $1 AND NOT {held}"
    ))
    .await?;
    let held = count(format!(
        "SELECT count(*) AS n
         FROM message m
         WHERE m.state = 'waiting' AND m.held_at IS NULL AND m.not_before <= $1 AND {held}"
    ))
    .await?;
    let open = db
        .one(
            "SELECT count(*) AS n FROM attempt WHERE outcome IS NULL",
            args![],
        )
        .await?
        .map_or(Ok(0), |r| r.int("n"))?;
    let next = db
        .one(
            "SELECT min(not_before) AS at
             FROM message
             WHERE state = 'waiting' AND held_at IS NULL AND not_before > $1",
            args![now],
        )
        .await?;
    let again = db
        .one(
            "SELECT id
             FROM message
             WHERE state = 'waiting' AND held_at IS NULL AND tries > 0 AND not_before > $1
             LIMIT 1",
            args![now],
        )
        .await?
        .is_some();
    Ok(QueueLoad {
        due,
        held,
        open,
        next: next.map_or(Ok(None), |r| r.time_opt("at"))?,
        again,
    })
}

/// How many messages there are, by kind and state.
pub async fn counts(db: &Db) -> Result<Vec<(String, String, i64)>> {
    let rows = db
        .all(
            "SELECT kind, state, count(*) AS n
             FROM message
             GROUP BY kind, state
             ORDER BY kind, state",
            args![],
        )
        .await?;
    rows.iter()
        .map(|r| Ok((r.text("kind")?, r.text("state")?, r.int("n")?)))
        .collect()
}

/// How many waiting texts would leave until `until` if nothing held them, of a centre or of all.
pub async fn would_leave(
    db: &Db,
    centre: Option<&str>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64> {
    let row = db
        .one(
            "SELECT count(*) AS n
             FROM message
             WHERE state = 'waiting'
               AND held_at IS NULL
               AND not_before <= $1
               AND (not_after IS NULL OR not_after > $3)
               AND ($2 IS NULL OR centre = $2)",
            args![until, centre, now],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// A message as lists show it: no body, no name, no number.
#[derive(Debug, Clone)]
pub struct ListedMessage {
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub kind: MessageKind,
    /// Whose words.
    pub centre: String,
    /// The case's reference.
    pub case_ref: Option<String>,
    /// The party's role.
    pub role: Option<String>,
    /// The session.
    pub session_id: Option<SessionId>,
    /// The session's version when it was made.
    pub session_version: Option<i64>,
    /// By which channel.
    pub channel: String,
    /// Where it stands.
    pub state: MessageState,
    /// Why it ended unsent.
    pub reason: Option<String>,
    /// Parts of the text.
    pub parts: Option<i64>,
    /// A person holds it back alone.
    pub held: bool,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// Latest instant.
    pub not_after: Option<DateTime<Utc>>,
    /// When it was decided.
    pub queued_at: DateTime<Utc>,
    /// When the provider took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Every try.
    pub attempts: Vec<ListedAttempt>,
}

/// An attempt as lists show it.
#[derive(Debug, Clone)]
pub struct ListedAttempt {
    /// Its token.
    pub token: AttemptToken,
    /// By which channel.
    pub channel: String,
    /// How it ended.
    pub outcome: Option<String>,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Parts of its text.
    pub parts: i64,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its end was seen.
    pub ended_at: Option<DateTime<Utc>>,
    /// What went wrong.
    pub error: Option<String>,
}

/// All messages of a centre or of all, in the order in which they were decided, with their
/// attempts.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<ListedMessage>> {
    list_where(db, "WHERE $1 IS NULL OR m.centre = $1", args![centre]).await
}

/// Messages that wait to be sent, the next first.
pub async fn waiting(db: &Db) -> Result<Vec<ListedMessage>> {
    let mut out = list_where(db, "WHERE m.state = 'waiting'", args![]).await?;
    out.sort_by_key(|m| m.not_before);
    Ok(out)
}

/// All messages of a case.
pub async fn of_case(db: &Db, case_id: &CaseId) -> Result<Vec<ListedMessage>> {
    list_where(db, "WHERE m.case_id = $1", args![case_id]).await
}

async fn list_where(db: &Db, filter: &str, args: Vec<Arg>) -> Result<Vec<ListedMessage>> {
    let mut tries: HashMap<MessageId, Vec<ListedAttempt>> = HashMap::new();
    let sql = format!(
        "SELECT a.message_id, a.token, a.channel, a.outcome, a.provider_id, a.parts, a.started_at,
           a.ended_at, a.error
         FROM attempt a
         JOIN message m ON m.id = a.message_id
         {filter}
         ORDER BY a.started_at"
    );
    for r in db.all(sql, args.clone()).await? {
        tries
            .entry(r.id("message_id")?)
            .or_default()
            .push(ListedAttempt {
                token: r.id("token")?,
                channel: r.text("channel")?,
                outcome: r.text_opt("outcome")?,
                provider_id: r.text_opt("provider_id")?,
                parts: r.int("parts")?,
                started_at: r.time("started_at")?,
                ended_at: r.time_opt("ended_at")?,
                error: r.text_opt("error")?,
            });
    }
    let sql = format!(
        "SELECT m.id, m.kind, m.centre, c.case_ref, m.role, m.session_id, m.session_version,
           m.channel, m.state, m.reason, m.not_before, m.not_after, m.queued_at, m.sent_at,
           m.provider_id, m.held_at
         FROM message m
         LEFT JOIN case_file c ON c.id = m.case_id
         {filter}
         ORDER BY m.queued_at, m.id"
    );
    db.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            let id = r.id("id")?;
            Ok(ListedMessage {
                kind: r.word("kind")?,
                centre: r.text("centre")?,
                case_ref: r.text_opt("case_ref")?,
                role: r.text_opt("role")?,
                session_id: r.id_opt("session_id")?,
                session_version: r.int_opt("session_version")?,
                channel: r.text("channel")?,
                state: r.word("state")?,
                reason: r.text_opt("reason")?,
                parts: tries.get(&id).and_then(|t| t.last()).map(|t| t.parts),
                not_before: r.time("not_before")?,
                not_after: r.time_opt("not_after")?,
                queued_at: r.time("queued_at")?,
                sent_at: r.time_opt("sent_at")?,
                held: r.time_opt("held_at")?.is_some(),
                provider_id: r.text_opt("provider_id")?,
                attempts: tries.remove(&id).unwrap_or_default(),
                id,
            })
        })
        .collect()
}
