//! Messages and their attempts: what was decided to be said, and every try to say it.
//!
//! The order of writes is the protocol of `docs/decisions/0003-sending.md`: claim and intent in one commit, then the bytes, then the outcome.

use super::db::{Arg, Db, Row, Tx};
use crate::args;
use crate::domain::message::{Kind, MessageState, Outcome};
use crate::domain::person::{Channel, Phone, Private, Role};
use crate::domain::receipt::Receipt;
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;

/// A message to queue. The same cause queues it once.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// What made it, `confirm/<session>/<ask_version>/<role>`.
    pub cause: String,
    /// What it says.
    pub kind: Kind,
    /// Whose words.
    pub centre: String,
    /// To whom, about what.
    pub case_id: Option<String>,
    /// The party.
    pub party_id: Option<String>,
    /// Its role.
    pub role: Option<Role>,
    /// The session, with its version and the version of the party's question.
    pub session: Option<(String, i64, i64)>,
    /// The address an answer goes back to.
    pub to: Option<(Phone, String)>,
    /// What the text needs beside the session.
    pub data: String,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// Latest instant.
    pub not_after: Option<DateTime<Utc>>,
}

/// Queues messages; gives how many were new.
pub async fn enqueue(tx: &mut Tx, now: DateTime<Utc>, messages: &[NewMessage]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = messages
        .iter()
        .map(|m| {
            let rank = if m.kind.is_answer() {
                0
            } else if m.kind == Kind::ConfirmRequest {
                2
            } else {
                1
            };
            let (session, version, ask) = match &m.session {
                Some((s, v, a)) => (Some(s.as_str()), Some(*v), Some(*a)),
                None => (None, None, None),
            };
            let (number, hash) = match &m.to {
                Some((p, h)) => (Some(seal.seal(p.as_str())), Some(h.clone())),
                None => (None, None),
            };
            args![
                seal.id_of(&m.cause),
                &m.cause,
                m.kind.as_str(),
                &m.centre,
                &m.case_id,
                &m.party_id,
                m.role.map(Role::as_str),
                session,
                version,
                ask,
                number,
                hash,
                seal.seal(&m.data),
                Channel::Sms.as_str(),
                rank,
                MessageState::Waiting.as_str(),
                m.not_before,
                m.not_after,
                now,
                0
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO message (id, cause, kind, centre, case_id, party_id, role, session_id, session_version, ask_version, to_number, to_hash, data, channel, rank, state, not_before, not_after, queued_at, tries) VALUES",
        "ON CONFLICT (cause) DO NOTHING",
        rows,
    )
    .await
}

/// Withdraws what waits for a session, of these kinds and this role (all if `None`); gives how many.
pub async fn withdraw(tx: &mut Tx, session_id: &str, role: Option<Role>, kinds: &[Kind], reason: &str) -> Result<u64> {
    let mut args: Vec<Arg> = args![reason, session_id, role.map(Role::as_str)];
    args.extend(kinds.iter().map(|k| Arg::from(k.as_str())));
    let sql = format!(
        "UPDATE message SET state = 'withdrawn', reason = $1 WHERE session_id = $2 AND state = 'waiting' AND ($3 IS NULL OR role = $3) AND kind IN ({})",
        super::db::list_of(4, kinds.len())
    );
    tx.exec(sql, args).await
}

/// Lets a message wait again that was withdrawn for `reason`; false if there is none.
pub async fn revive(tx: &mut Tx, cause: &str, reason: &str, not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE message SET state = 'waiting', reason = NULL, not_before = $1, not_after = $2 WHERE cause = $3 AND state = 'withdrawn' AND reason = $4",
            args![not_before, not_after, cause, reason],
        )
        .await?;
    Ok(n == 1)
}

/// Whether anything is due that is not held.
pub async fn any_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT m.id FROM message m WHERE m.state = 'waiting' AND m.not_before <= $1
               AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*')) LIMIT 1",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Ends what waited longer than it is worth; gives how many.
pub async fn expire(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.exec("UPDATE message SET state = 'expired', reason = 'too_late' WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1", args![now]).await
}

/// A claimed message.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: String,
    /// Its cause.
    pub cause: String,
    /// What it says.
    pub kind: Kind,
    /// Whose words.
    pub centre: String,
    /// The case.
    pub case_id: Option<String>,
    /// The party's role.
    pub role: Option<Role>,
    /// The session with the versions it was made for.
    pub session: Option<(String, i64, i64)>,
    /// The address an answer goes back to.
    pub to: Option<(Phone, String)>,
    /// Whether that address is opted out.
    pub to_opted_out: bool,
    /// What the text needs beside the session.
    pub data: Private,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// Latest instant.
    pub not_after: Option<DateTime<Utc>>,
    /// Tries so far.
    pub tries: i64,
}

/// Claims due messages of centres that are not on hold, answers first, at most `limit`.
pub async fn claim(tx: &mut Tx, sender: &str, claim: &str, now: DateTime<Utc>, limit: i64) -> Result<Vec<Claimed>> {
    let n = tx
        .exec(
            "WITH due AS (SELECT m.id FROM message m WHERE m.state = 'waiting' AND m.not_before <= $1
                AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*'))
                ORDER BY m.rank, m.not_before LIMIT $2 {skip})
             UPDATE message SET state = 'sending', claim = $3 WHERE id IN (SELECT id FROM due) AND state = 'waiting'",
            args![now, limit, claim],
        )
        .await?;
    if n == 0 {
        return Ok(Vec::new());
    }
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT m.id, m.cause, m.kind, m.centre, m.case_id, m.role, m.session_id, m.session_version, m.ask_version, m.to_number, m.to_hash, m.data,
                m.not_before, m.not_after, m.tries, coalesce(o.active, FALSE) AS opted_out
             FROM message m LEFT JOIN opt_out o ON o.channel = m.channel AND o.sender = $2 AND o.number_hash = m.to_hash AND o.active = TRUE
             WHERE m.claim = $1 AND m.state = 'sending' ORDER BY m.rank, m.not_before, m.id",
            args![claim, sender],
        )
        .await?;
    rows.iter()
        .map(|r| {
            let session = match (r.text_opt("session_id")?, r.int_opt("session_version")?, r.int_opt("ask_version")?) {
                (Some(s), Some(v), Some(a)) => Some((s, v, a)),
                _ => None,
            };
            let to = match (r.text_opt("to_number")?, r.text_opt("to_hash")?) {
                (Some(n), Some(h)) => Phone::from_e164(&seal.open(&n).0).map(|p| (p, h)),
                _ => None,
            };
            Ok(Claimed {
                id: r.text("id")?,
                cause: r.text("cause")?,
                kind: r.word("kind")?,
                centre: r.text("centre")?,
                case_id: r.text_opt("case_id")?,
                role: r.word_opt("role")?,
                session,
                to,
                to_opted_out: r.flag("opted_out")?,
                data: seal.open(&r.text("data")?),
                not_before: r.time("not_before")?,
                not_after: r.time_opt("not_after")?,
                tries: r.int("tries")?,
            })
        })
        .collect()
}

/// An attempt about to begin.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// In the address of the status callback.
    pub token: String,
    /// Its message.
    pub message_id: String,
    /// To which number, and its hash.
    pub number: (Phone, String),
    /// The words.
    pub body: String,
    /// Whether it answers somebody.
    pub prompted: bool,
    /// Parts of the text.
    pub parts: u32,
}

/// Writes the intents. Committed before the first byte leaves.
pub async fn begin(tx: &mut Tx, worker: &str, sender: &str, now: DateTime<Utc>, attempts: &[Attempt]) -> Result<()> {
    let seal = tx.seal();
    let rows = attempts
        .iter()
        .map(|a| args![&a.token, &a.message_id, worker, Channel::Sms.as_str(), sender, seal.seal(a.number.0.as_str()), &a.number.1, seal.seal(&a.body), a.prompted, now, 0])
        .collect();
    tx.insert_many("INSERT INTO attempt (token, message_id, worker, channel, sender, number, number_hash, body, prompted, started_at, looks) VALUES", "", rows).await?;
    let parts = attempts.iter().map(|a| args![&a.message_id, i64::from(a.parts)]).collect();
    tx.with_many("id, parts", "UPDATE message SET parts = v.parts FROM v WHERE message.id = v.id", parts).await?;
    Ok(())
}

/// Gives claimed messages another state: back to waiting until `not_before`, or ended with a reason.
pub async fn end_claims(tx: &mut Tx, rows: Vec<(String, MessageState, Option<String>, DateTime<Utc>)>) -> Result<()> {
    let rows = rows.into_iter().map(|(id, state, reason, not_before)| args![id, state.as_str(), reason, not_before]).collect();
    tx.with_many(
        "id, state, reason, not_before",
        "UPDATE message SET state = v.state, reason = v.reason, not_before = v.not_before, claim = NULL FROM v WHERE message.id = v.id AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}

/// How an attempt ended, as its process saw it.
#[derive(Debug, Clone)]
pub enum End {
    /// The provider took it.
    Accepted {
        /// The provider's id.
        provider_id: String,
        /// Its first word.
        receipt: Option<Receipt>,
    },
    /// It surely did not leave.
    NotSent {
        /// Why.
        error: String,
        /// When to try again.
        again: DateTime<Utc>,
    },
    /// The provider refused it.
    Refused {
        /// Its words.
        error: String,
        /// The message's reason; `None` for a refusal of the whole channel, where the message waits.
        reason: Option<&'static str>,
    },
    /// Nobody can tell: it is looked up later, never sent again blindly.
    Doubt {
        /// What was seen.
        error: String,
    },
}

/// Records how attempts ended. What a callback or another process recorded first stays.
pub async fn record(tx: &mut Tx, now: DateTime<Utc>, ends: Vec<(String, End)>) -> Result<()> {
    let mut attempts = Vec::new();
    let mut messages = Vec::new();
    let mut doubts = Vec::new();
    for (token, end) in ends {
        let (outcome, provider_id, receipt, error) = match &end {
            End::Accepted { provider_id, receipt } => (Outcome::Accepted, Some(provider_id.clone()), *receipt, None),
            End::NotSent { error, .. } => (Outcome::NotSent, None, None, Some(error.clone())),
            End::Refused { error, .. } => (Outcome::Refused, None, None, Some(error.clone())),
            End::Doubt { error } => {
                doubts.push(args![token, now, error]);
                continue;
            }
        };
        let message = match &end {
            End::Accepted { provider_id, receipt } => (receipt.map_or(MessageState::Sent, Receipt::message_state), None, Some(now), Some(provider_id.clone()), None),
            End::NotSent { again, .. } => (MessageState::Waiting, None, None, None, Some(*again)),
            End::Refused { reason: None, .. } => (MessageState::Waiting, None, None, None, Some(now + Duration::minutes(1))),
            End::Refused { reason, .. } => (MessageState::Refused, *reason, None, None, None),
            End::Doubt { .. } => continue,
        };
        messages.push(args![&token, message.0.as_str(), message.1, message.2, message.3, message.4]);
        attempts.push(args![token, now, outcome.as_str(), provider_id, receipt.map(Receipt::as_str), error]);
    }
    // The message first, while its attempt is still open: what is recorded already is left alone.
    tx.with_many(
        "token, state, reason, sent_at, provider_id, not_before",
        "UPDATE message SET state = v.state, reason = v.reason, sent_at = coalesce(v.sent_at, message.sent_at), provider_id = coalesce(v.provider_id, message.provider_id),
           not_before = coalesce(v.not_before, message.not_before), tries = message.tries + 1, claim = NULL
         FROM v, attempt a WHERE a.token = v.token AND a.outcome IS NULL AND message.id = a.message_id AND message.state = 'sending'",
        messages,
    )
    .await?;
    tx.with_many(
        "token, ended_at, outcome, provider_id, receipt, error",
        "UPDATE attempt SET ended_at = v.ended_at, outcome = v.outcome, provider_id = coalesce(attempt.provider_id, v.provider_id), receipt = coalesce(attempt.receipt, v.receipt), error = v.error
         FROM v WHERE attempt.token = v.token AND attempt.outcome IS NULL",
        attempts,
    )
    .await?;
    tx.with_many("token, ended_at, error", "UPDATE attempt SET ended_at = v.ended_at, error = v.error FROM v WHERE attempt.token = v.token AND attempt.outcome IS NULL", doubts)
        .await?;
    Ok(())
}

/// An attempt whose end nobody recorded.
#[derive(Debug, Clone)]
pub struct OpenAttempt {
    /// Its token.
    pub token: String,
    /// Its message.
    pub message_id: String,
    /// Whose process.
    pub worker: String,
    /// The number that was texted, and its hash.
    pub number: Phone,
    /// The words that were sent.
    pub body: Private,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its process saw it end in doubt.
    pub ended_at: Option<DateTime<Utc>>,
    /// Looks that did not find it.
    pub looks: i64,
    /// The last of them.
    pub looked_at: Option<DateTime<Utc>>,
    /// Until when the message is worth sending.
    pub not_after: Option<DateTime<Utc>>,
}

/// Attempts without a recorded end that began before `before`, the oldest first.
pub async fn open_attempts(db: &Db, before: DateTime<Utc>, limit: i64) -> Result<Vec<OpenAttempt>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT a.token, a.message_id, a.worker, a.number, a.body, a.started_at, a.ended_at, a.looks, a.looked_at, m.not_after
             FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.outcome IS NULL AND a.started_at <= $1 ORDER BY coalesce(a.looked_at, a.started_at) LIMIT $2",
            args![before, limit],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(OpenAttempt {
                token: r.text("token")?,
                message_id: r.text("message_id")?,
                worker: r.text("worker")?,
                number: Phone::from_e164(&seal.open(&r.text("number")?).0).context("number")?,
                body: seal.open(&r.text("body")?),
                started_at: r.time("started_at")?,
                ended_at: r.time_opt("ended_at")?,
                looks: r.int("looks")?,
                looked_at: r.time_opt("looked_at")?,
                not_after: r.time_opt("not_after")?,
            })
        })
        .collect()
}

/// Which of these provider ids belong to attempts of ours.
pub async fn owned(db: &Db, provider_ids: &[String]) -> Result<std::collections::HashSet<String>> {
    let mut out = std::collections::HashSet::new();
    for chunk in provider_ids.chunks(500) {
        let sql = format!("SELECT provider_id FROM attempt WHERE provider_id IN ({})", super::db::list_of(1, chunk.len()));
        for r in db.all(sql, chunk.iter().map(Arg::from).collect()).await? {
            out.insert(r.text("provider_id")?);
        }
    }
    Ok(out)
}

/// Records looks that did not find an attempt at the provider; a look nearer than `apart` to the last one does not count.
pub async fn looked(tx: &mut Tx, now: DateTime<Utc>, apart: Duration, tokens: &[String]) -> Result<()> {
    let rows = tokens.iter().map(|t| args![t, now, now - apart]).collect();
    tx.with_many(
        "token, at, before",
        "UPDATE attempt SET looks = attempt.looks + 1, looked_at = v.at FROM v WHERE attempt.token = v.token AND attempt.outcome IS NULL
           AND (attempt.looked_at IS NULL OR attempt.looked_at <= v.before)",
        rows,
    )
    .await?;
    Ok(())
}

/// Nobody can tell what became of it: a person decides. Never automatically sent again.
pub async fn uncertain(tx: &mut Tx, now: DateTime<Utc>, token: &str) -> Result<()> {
    tx.exec("UPDATE message SET state = 'uncertain', claim = NULL WHERE id = (SELECT message_id FROM attempt WHERE token = $1 AND outcome IS NULL)", args![token]).await?;
    tx.exec("UPDATE attempt SET outcome = 'uncertain', ended_at = coalesce(ended_at, $1) WHERE token = $2 AND outcome IS NULL", args![now, token]).await?;
    Ok(())
}

/// A delivery receipt as it came in.
#[derive(Debug, Clone)]
pub struct ReceiptIn {
    /// The attempt's token, from the address.
    pub token: String,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The provider's word.
    pub status: String,
    /// Its error code.
    pub error_code: Option<String>,
}

/// What a receipt touched.
pub struct Touched {
    /// The message.
    pub message_id: String,
    /// The number's hash and our sender.
    pub number_hash: String,
    /// Our sender.
    pub sender: String,
    /// Where the message stands now.
    pub state: MessageState,
    /// Whether it stood elsewhere before.
    pub changed: bool,
}

/// Keeps a receipt as an event and moves its attempt and message forward; `None` for a token that is not ours.
pub async fn receipt(tx: &mut Tx, now: DateTime<Utc>, r: &ReceiptIn) -> Result<Option<Touched>> {
    tx.exec(
        "INSERT INTO receipt_event (id, token, provider_id, status, error_code, received_at) VALUES ($1, $2, $3, $4, $5, $6)",
        args![super::sealed::random_id(), &r.token, &r.provider_id, &r.status, &r.error_code, now],
    )
    .await?;
    let Some(row) = tx
        .one(
            "SELECT a.message_id, a.outcome, a.provider_id, a.receipt, a.number_hash, a.sender, m.state
             FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.token = $1 {lock}",
            args![&r.token],
        )
        .await?
    else {
        return Ok(None);
    };
    let touched = |state, changed| -> Result<Option<Touched>> {
        Ok(Some(Touched { message_id: row.text("message_id")?, number_hash: row.text("number_hash")?, sender: row.text("sender")?, state, changed }))
    };
    let before: MessageState = row.word("state")?;
    // The callback of another message under our token would be somebody's mistake: kept as an event, nothing more.
    if row.text_opt("provider_id")?.is_some_and(|p| p != r.provider_id) {
        return touched(before, false);
    }
    let Some(news) = Receipt::from_provider(&r.status) else { return touched(before, false) };
    let stood: Option<Receipt> = row.word_opt("receipt")?;
    let stands = stood.map_or(news, |s| s.advance(news));
    let outcome: Option<Outcome> = row.word_opt("outcome")?;
    if outcome == Some(Outcome::NotSent) {
        // It was given up as not sent. It is taken back only if nothing else was sent in its place meanwhile.
        let live = tx.one("SELECT token FROM attempt WHERE message_id = $1 AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))", args![row.text("message_id")?]).await?;
        if live.is_some() {
            return touched(before, false);
        }
    }
    tx.exec(
        "UPDATE attempt SET outcome = 'accepted', provider_id = $1, receipt = $2, ended_at = coalesce(ended_at, $3) WHERE token = $4",
        args![&r.provider_id, stands.as_str(), now, &r.token],
    )
    .await?;
    let state = stands.message_state();
    tx.exec(
        "UPDATE message SET state = $1, provider_id = $2, sent_at = coalesce(sent_at, $3), claim = NULL WHERE id = $4",
        args![state.as_str(), &r.provider_id, now, row.text("message_id")?],
    )
    .await?;
    touched(state, state != before)
}

/// What a number got unprompted lately: the last time, and how many in 24 hours.
pub async fn unprompted(tx: &mut Tx, now: DateTime<Utc>, hashes: &[String]) -> Result<HashMap<String, (DateTime<Utc>, i64)>> {
    let mut out = HashMap::new();
    for chunk in hashes.chunks(500) {
        let sql = format!(
            "SELECT number_hash, max(started_at) AS last, count(*) AS n FROM attempt WHERE number_hash IN ({}) AND started_at > $1 AND prompted = FALSE
               AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain')) GROUP BY number_hash",
            super::db::list_of(2, chunk.len())
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
pub async fn answers_since(tx: &mut Tx, number_hash: &str, since: DateTime<Utc>) -> Result<Vec<(Kind, Option<String>, DateTime<Utc>)>> {
    let rows = tx.all("SELECT kind, session_id, queued_at FROM message WHERE to_hash = $1 AND queued_at > $2", args![number_hash, since]).await?;
    rows.iter().map(|r| Ok((r.word("kind")?, r.text_opt("session_id")?, r.time("queued_at")?))).collect()
}

/// How many answers to strangers were queued since then.
pub async fn strangers_since(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    let row = tx.one("SELECT count(*) AS n FROM message WHERE kind = 'unknown_sender' AND queued_at > $1", args![since]).await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// Whether the question of this version was put to the party, and whether an older one was: by attempts that left or may have left.
pub async fn asked(tx: &mut Tx, session_id: &str, role: Role, ask_version: i64) -> Result<(Option<DateTime<Utc>>, bool)> {
    let rows = tx
        .all(
            "SELECT m.ask_version, min(coalesce(a.ended_at, a.started_at)) AS at FROM message m JOIN attempt a ON a.message_id = m.id
             WHERE m.session_id = $1 AND m.role = $2 AND m.kind IN ('confirm_request', 'session_moved')
               AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'uncertain')) GROUP BY m.ask_version",
            args![session_id, role.as_str()],
        )
        .await?;
    let (mut at, mut older) = (None, false);
    for r in rows {
        match r.int("ask_version")?.cmp(&ask_version) {
            std::cmp::Ordering::Equal => at = r.time_opt("at")?,
            std::cmp::Ordering::Less => older = true,
            std::cmp::Ordering::Greater => {}
        }
    }
    Ok((at, older))
}

/// Texts that the provider took in the last day.
pub async fn sent_since(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    let row = tx.one("SELECT count(*) AS n FROM attempt WHERE started_at > $1 AND (outcome IS NULL OR outcome IN ('accepted', 'uncertain'))", args![since]).await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// How many messages wait, are due now, and when the next one is due; how many attempts are open.
#[derive(Debug, Clone, Default)]
pub struct Load {
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

impl Load {
    /// Whether a try that failed is due again within a moment: an idle process waits for that.
    pub fn soon(&self, now: DateTime<Utc>) -> bool {
        self.again && self.next.is_some_and(|t| t <= now + Duration::minutes(3))
    }
}

/// Reads the load.
pub async fn load(db: &Db, now: DateTime<Utc>) -> Result<Load> {
    let held = "EXISTS (SELECT 1 FROM hold h WHERE h.held = TRUE AND (h.scope = m.centre OR h.scope = '*'))";
    let count = |sql: String| async move { db.one(sql, args![now]).await?.map_or(Ok(0), |r: Row| r.int("n")) };
    let due = count(format!("SELECT count(*) AS n FROM message m WHERE m.state = 'waiting' AND m.not_before <= $1 AND NOT {held}")).await?;
    let held = count(format!("SELECT count(*) AS n FROM message m WHERE m.state = 'waiting' AND m.not_before <= $1 AND {held}")).await?;
    let open = db.one("SELECT count(*) AS n FROM attempt WHERE outcome IS NULL", args![]).await?.map_or(Ok(0), |r| r.int("n"))?;
    let next = db.one("SELECT min(not_before) AS at FROM message WHERE state = 'waiting' AND not_before > $1", args![now]).await?;
    let again = db.one("SELECT id FROM message WHERE state = 'waiting' AND tries > 0 AND not_before > $1 LIMIT 1", args![now]).await?.is_some();
    Ok(Load { due, held, open, next: next.map_or(Ok(None), |r| r.time_opt("at"))?, again })
}

/// How many messages there are, by kind and state.
pub async fn counts(db: &Db) -> Result<Vec<(String, String, i64)>> {
    let rows = db.all("SELECT kind, state, count(*) AS n FROM message GROUP BY kind, state ORDER BY kind, state", args![]).await?;
    rows.iter().map(|r| Ok((r.text("kind")?, r.text("state")?, r.int("n")?))).collect()
}

/// How many waiting texts would leave until `until` if nothing held them, of a centre or of all.
pub async fn would_leave(db: &Db, centre: Option<&str>, until: DateTime<Utc>) -> Result<i64> {
    let row = db
        .one(
            "SELECT (SELECT count(*) FROM message WHERE state = 'waiting' AND not_before <= $1 AND (not_after IS NULL OR not_after > $1 OR not_before > $1) AND ($2 IS NULL OR centre = $2))
                  + (SELECT count(*) FROM attendee t JOIN session s ON s.id = t.session_id JOIN case_file c ON c.id = s.case_id JOIN party p ON p.id = t.party_id
                       JOIN address a ON a.party_id = p.id AND a.channel = 'sms' AND a.state = 'current' AND a.safe = 'safe'
                     WHERE t.ask_at IS NOT NULL AND t.ask_at <= $1 AND s.state = 'booked' AND s.starts_at > $1 AND p.consent = 'yes' AND ($2 IS NULL OR c.centre = $2)) AS n",
            args![until, centre],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// A message as lists show it: no body, no name, no number.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What it says.
    pub kind: Kind,
    /// Whose words.
    pub centre: String,
    /// The case's reference.
    pub case_ref: Option<String>,
    /// The party's role.
    pub role: Option<String>,
    /// The session.
    pub session_id: Option<String>,
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
    pub token: String,
    /// By which channel.
    pub channel: String,
    /// How it ended.
    pub outcome: Option<String>,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// When its intent was committed.
    pub started_at: DateTime<Utc>,
    /// When its end was seen.
    pub ended_at: Option<DateTime<Utc>>,
    /// What went wrong.
    pub error: Option<String>,
}

/// All messages of a centre or of all, in the order in which they were decided, with their attempts.
pub async fn list(db: &Db, centre: Option<&str>) -> Result<Vec<Listed>> {
    list_where(db, "WHERE $1 IS NULL OR m.centre = $1", args![centre]).await
}

/// All messages of a case.
pub async fn of_case(db: &Db, case_id: &str) -> Result<Vec<Listed>> {
    list_where(db, "WHERE m.case_id = $1", args![case_id]).await
}

async fn list_where(db: &Db, filter: &str, args: Vec<Arg>) -> Result<Vec<Listed>> {
    let mut tries: HashMap<String, Vec<ListedAttempt>> = HashMap::new();
    let sql = format!(
        "SELECT a.message_id, a.token, a.channel, a.outcome, a.provider_id, a.started_at, a.ended_at, a.error FROM attempt a JOIN message m ON m.id = a.message_id {filter} ORDER BY a.started_at"
    );
    for r in db.all(sql, args.clone()).await? {
        tries.entry(r.text("message_id")?).or_default().push(ListedAttempt {
            token: r.text("token")?,
            channel: r.text("channel")?,
            outcome: r.text_opt("outcome")?,
            provider_id: r.text_opt("provider_id")?,
            started_at: r.time("started_at")?,
            ended_at: r.time_opt("ended_at")?,
            error: r.text_opt("error")?,
        });
    }
    let sql = format!(
        "SELECT m.id, m.kind, m.centre, c.case_ref, m.role, m.session_id, m.session_version, m.channel, m.state, m.reason, m.parts, m.not_before, m.not_after, m.queued_at, m.sent_at, m.provider_id
         FROM message m LEFT JOIN case_file c ON c.id = m.case_id {filter} ORDER BY m.queued_at, m.id"
    );
    db.all(sql, args)
        .await?
        .iter()
        .map(|r| {
            let id = r.text("id")?;
            Ok(Listed {
                kind: r.word("kind")?,
                centre: r.text("centre")?,
                case_ref: r.text_opt("case_ref")?,
                role: r.text_opt("role")?,
                session_id: r.text_opt("session_id")?,
                session_version: r.int_opt("session_version")?,
                channel: r.text("channel")?,
                state: r.word("state")?,
                reason: r.text_opt("reason")?,
                parts: r.int_opt("parts")?,
                not_before: r.time("not_before")?,
                not_after: r.time_opt("not_after")?,
                queued_at: r.time("queued_at")?,
                sent_at: r.time_opt("sent_at")?,
                provider_id: r.text_opt("provider_id")?,
                attempts: tries.remove(&id).unwrap_or_default(),
                id,
            })
        })
        .collect()
}
