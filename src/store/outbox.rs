//! Messages and their attempts: what was decided to be said, and every try to say it.
//!
//! The order of writes is the protocol of `docs/decisions/0003-sending.md`: claim and intent in one
//! commit, then the bytes, then the outcome.

use crate::args;
use crate::domain::ids::{AttemptToken, CaseId, MessageId, PartyId, SessionId, WorkerId};
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::message::{AttemptOutcome, MessageKind, MessageState};
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::people::person::{Address, Channel, Role};
use crate::store::db::{Arg, Tx};
use crate::store::sealed::Sealed;
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A message to queue. The same cause queues it once.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// What made it, `confirm/<session>/<ask_version>/<role>`.
    pub dedup_key: String,
    /// What it says.
    pub kind: MessageKind,
    /// Whose words.
    pub centre: String,
    /// To whom, about what.
    pub case_id: Option<CaseId>,
    /// The party.
    pub party_id: Option<PartyId>,
    /// Its role.
    pub role: Option<Role>,
    /// The session, with its version and the version of the party's question.
    pub session: Option<(SessionId, i64, i64)>,
    /// The address an answer goes back to.
    pub to: Option<(Address, String)>,
    /// On which channel; looked at again before it leaves, unless it is an answer.
    pub channel: Channel,
    /// What the text needs beside the session.
    pub payload: Payload,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// Latest instant.
    pub not_after: Option<DateTime<Utc>>,
}

/// Opens and reads what a message carries.
pub(super) fn read_payload(seal: &Sealed, kind: MessageKind, sealed: &str) -> Payload {
    Payload::read(kind, &seal.open(sealed).0)
}

/// Queues messages; gives how many were new.
pub async fn enqueue(tx: &mut Tx, now: DateTime<Utc>, messages: &[NewMessage]) -> Result<u64> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = messages
        .iter()
        .map(|m| {
            let rank = match m.kind {
                MessageKind::StaffAlert => 0,
                k if k.is_answer() => 0,
                // Never before the question about a visit that goes at the same moment.
                k if k.is_money() => 3,
                k if k.is_milestone() => 4,
                MessageKind::ConfirmRequest => 2,
                _ => 1,
            };
            let (session, version, ask) = match &m.session {
                Some((s, v, a)) => (Some(s), Some(*v), Some(*a)),
                None => (None, None, None),
            };
            let (number, hash) = match &m.to {
                Some((a, h)) => (Some(seal.seal(a.as_str())), Some(h.clone())),
                None => (None, None),
            };
            args![
                seal.id_of(&m.dedup_key),
                &m.dedup_key,
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
                seal.seal(&m.payload.write()),
                m.to.as_ref()
                    .map_or(m.channel, |(a, _)| a.channel())
                    .as_str(),
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
        "INSERT INTO message (
           id, cause, kind, centre, case_id, party_id, role, session_id, session_version,
           ask_version, to_number, to_hash, data, channel, rank, state, not_before, not_after,
           queued_at, tries
         ) VALUES",
        "ON CONFLICT (cause) DO NOTHING",
        rows,
    )
    .await
}

/// Withdraws what waits for a session, of these kinds and this role (all if `None`); gives how
/// many.
pub async fn withdraw(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Option<Role>,
    kinds: &[MessageKind],
    reason: &str,
) -> Result<u64> {
    let mut args: Vec<Arg> = args![reason, session_id, role.map(Role::as_str)];
    args.extend(kinds.iter().map(|k| Arg::from(k.as_str())));
    let sql = format!(
        "UPDATE message
         SET state = 'withdrawn', reason = $1
         WHERE session_id = $2
           AND state = 'waiting'
           AND ($3 IS NULL OR role = $3)
           AND kind IN ({})",
        crate::store::db::list_of(4, kinds.len())
    );
    tx.exec(sql, args).await
}

/// Lets a message wait again that was withdrawn for `reason`; false if there is none.
pub async fn revive(
    tx: &mut Tx,
    dedup_key: &str,
    reason: &str,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE message
             SET state = 'waiting', reason = NULL, not_before = $1, not_after = $2
             WHERE cause = $3 AND state = 'withdrawn' AND reason = $4",
            args![not_before, not_after, dedup_key, reason],
        )
        .await?;
    Ok(n == 1)
}

/// The old arrival of a move that the party was never told of, if its text still waits.
pub async fn untold_move(
    tx: &mut Tx,
    session_id: &SessionId,
    role: Role,
) -> Result<Option<Payload>> {
    let row = tx
        .one(
            "SELECT data
             FROM message
             WHERE session_id = $1 AND role = $2 AND kind = 'session_moved' AND state = 'waiting'
             ORDER BY queued_at
             LIMIT 1",
            args![session_id, role.as_str()],
        )
        .await?;
    let seal = tx.seal();
    row.map(|r| {
        Ok(read_payload(
            &seal,
            MessageKind::SessionMoved,
            &r.text("data")?,
        ))
    })
    .transpose()
}

/// A party hears of a move that it did not know: what will say that the visit is off names its new
/// time.
pub async fn told_of_move(tx: &mut Tx, session_id: &SessionId, role: Role) -> Result<()> {
    let nothing = tx.seal().seal(&Payload::None.write());
    tx.exec(
        "UPDATE message
         SET data = $1
         WHERE session_id = $2 AND role = $3 AND kind = 'session_off' AND state = 'waiting'",
        args![nothing, session_id, role.as_str()],
    )
    .await?;
    Ok(())
}

/// The moves of a centre that a party was never told of, with the party's old arrival: their texts
/// still wait.
pub async fn untold_moves(
    tx: &mut Tx,
    centre: &str,
) -> Result<std::collections::HashMap<(SessionId, Role), Payload>> {
    let seal = tx.seal();
    let rows = tx
        .all(
            "SELECT session_id, role, data
             FROM message
             WHERE centre = $1 AND kind = 'session_moved' AND state = 'waiting'
             ORDER BY queued_at DESC",
            args![centre],
        )
        .await?;
    let mut out = std::collections::HashMap::new();
    for r in rows {
        if let (Some(session), Some(role)) = (r.id_opt("session_id")?, r.word_opt("role")?) {
            let payload = read_payload(&seal, MessageKind::SessionMoved, &r.text("data")?);
            out.insert((session, role), payload);
        }
    }
    Ok(out)
}

/// Gives what waits on a channel without a line to a channel that has one.
pub async fn move_channel(tx: &mut Tx, centre: &str, from: Channel, to: Channel) -> Result<u64> {
    tx.exec(
        "UPDATE message
         SET channel = $1
         WHERE state = 'waiting' AND to_hash IS NULL AND centre = $2 AND channel = $3",
        args![to.as_str(), centre, from.as_str()],
    )
    .await
}

/// Whether the news that this session is off left already, or may have left, for anybody.
pub async fn off_was_told(tx: &mut Tx, session_id: &SessionId, version: i64) -> Result<bool> {
    let row = tx
        .one(
            "SELECT id
             FROM message
             WHERE session_id = $1
               AND kind = 'session_off'
               AND cause LIKE $2
               AND state NOT IN ('waiting', 'withdrawn')
             LIMIT 1",
            args![session_id, format!("off/{session_id}/{version}/%")],
        )
        .await?;
    Ok(row.is_some())
}

/// Whether a party may know that a session is off as it stands: a text about it left, or may have
/// left, or a person rang.
pub async fn knows_it_is_off(
    tx: &mut Tx,
    session: &crate::domain::visits::attendee::Session,
    role: Role,
) -> Result<bool> {
    let (id, version) = (&session.id, session.version);
    let text = tx
        .one(
            "SELECT id
             FROM message
             WHERE session_id = $1
               AND role = $2
               AND kind IN ('session_off', 'closure')
               AND state IN ('sending', 'sent', 'delivered', 'uncertain')
               AND (cause = $3 OR (cause LIKE 'closure/%' AND session_version = $4))
             LIMIT 1",
            args![
                id,
                role.as_str(),
                format!("off/{id}/{version}/{role}"),
                version
            ],
        )
        .await?;
    let rung = tx
        .one(
            "SELECT id
             FROM task
             WHERE session_id = $1
               AND role = $2
               AND topic = 'ring_session_off'
               AND state = 'done'
               AND moot = FALSE
               AND ($3 IS NULL OR opened_at >= $3)
             LIMIT 1",
            args![id, role.as_str(), session.cancelled_at],
        )
        .await?;
    Ok(text.is_some() || rung.is_some())
}

/// Ends what waited longer than it is worth; gives how many.
pub async fn expire(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    // Who was not told that a visit is off, on again or moved is rung, if it is not over.
    let untold = tx
        .all(
            "SELECT m.id
             FROM message m
             JOIN session s ON s.id = m.session_id
             WHERE m.state = 'waiting'
               AND m.kind IN ('session_off', 'closure', 'session_on', 'session_moved')
               AND m.not_after < $1
               AND s.ends_at > $1",
            args![now],
        )
        .await?;
    for r in untold {
        let id = r.id("id")?;
        crate::store::tasks::open_for_message(
            tx,
            now,
            format!("untold/{id}"),
            crate::domain::task::TaskKind::RingSessionOff,
            &id,
        )
        .await?;
    }
    tx.exec(
        "UPDATE message
         SET state = 'expired', reason = 'too_late'
         WHERE state = 'waiting' AND not_after IS NOT NULL AND not_after < $1",
        args![now],
    )
    .await
}

/// A line as the outbox sees it: its channel, its sender, and the centres for which it speaks.
#[derive(Debug, Clone, Copy)]
pub struct LineScope<'a> {
    /// The channel.
    pub channel: Channel,
    /// Our sender.
    pub sender: &'a str,
    /// The centres; `None`: every centre that is not in `not`.
    pub centres: Option<&'a [String]>,
    /// Centres that have a line of their own on this channel.
    pub not: &'a [String],
}

impl LineScope<'_> {
    /// The condition on `m.centre`, with values from placeholder `first` on.
    pub(super) fn filter(&self, first: usize) -> (String, Vec<Arg>) {
        match self.centres {
            Some(list) => (
                format!(
                    "AND m.centre IN ({})",
                    crate::store::db::list_of(first, list.len())
                ),
                list.iter().map(Arg::from).collect(),
            ),
            None if self.not.is_empty() => (String::new(), Vec::new()),
            None => (
                format!(
                    "AND m.centre NOT IN ({})",
                    crate::store::db::list_of(first, self.not.len())
                ),
                self.not.iter().map(Arg::from).collect(),
            ),
        }
    }
}

/// Claims due messages of a line's centres that are not on hold, answers first, at most `limit`.
pub async fn claim(
    tx: &mut Tx,
    line: LineScope<'_>,
    claim: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<ClaimedMessage>> {
    let (filter, values) = line.filter(5);
    let mut args: Vec<Arg> = args![now, limit, claim, line.channel.as_str()];
    args.extend(values);
    let rows = tx
        .all(
            format!(
                "WITH due AS (
                   SELECT m.id
                   FROM message m
                   WHERE m.state = 'waiting'
                     AND m.held_at IS NULL
                     AND m.channel = $4
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
                   ORDER BY m.rank, m.not_before
                   LIMIT $2 {{skip}}
                 )
                 UPDATE message
                 SET state = 'sending', claim = $3
                 WHERE id IN (SELECT id FROM due) AND state = 'waiting'
                 RETURNING id, cause, kind, centre, case_id, role, session_id, session_version,
                   ask_version, to_number, to_hash, data, rank, not_before, not_after, tries,
                   not_by"
            ),
            args,
        )
        .await?;
    let seal = tx.seal();
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let session = match (
            r.id_opt("session_id")?,
            r.int_opt("session_version")?,
            r.int_opt("ask_version")?,
        ) {
            (Some(s), Some(v), Some(a)) => Some((s, v, a)),
            _ => None,
        };
        let to = match (r.text_opt("to_number")?, r.text_opt("to_hash")?) {
            (Some(n), Some(h)) => Address::read(line.channel, &seal.open(&n).0).map(|a| (a, h)),
            _ => None,
        };
        let kind = r.word("kind")?;
        let claimed = ClaimedMessage {
            id: r.id("id")?,
            dedup_key: r.text("cause")?,
            kind,
            centre: r.text("centre")?,
            case_id: r.id_opt("case_id")?,
            role: r.word_opt("role")?,
            session,
            to,
            to_opted_out: false,
            payload: read_payload(&seal, kind, &r.text("data")?),
            not_before: r.time("not_before")?,
            not_after: r.time_opt("not_after")?,
            tries: r.int("tries")?,
            excluded_channel: r.word_opt("not_by")?,
        };
        out.push((r.int("rank")?, claimed));
    }
    let hashes: Vec<String> = out
        .iter()
        .filter_map(|(_, c)| c.to.as_ref().map(|t| t.1.clone()))
        .collect();
    let stopped = crate::store::inbox::opted_out_among(tx, &hashes).await?;
    for (_, c) in &mut out {
        c.to_opted_out = c.to.as_ref().is_some_and(|(_, hash)| {
            stopped.contains(&(line.channel, line.sender.to_owned(), hash.clone()))
        });
    }
    // Answers first; within one instant the order says nothing about who was decided first.
    out.sort_by(|(a, x), (b, y)| (a, x.not_before, &x.id).cmp(&(b, y.not_before, &y.id)));
    Ok(out.into_iter().map(|(_, c)| c).collect())
}

/// A claimed message that goes to another channel.
#[derive(Debug)]
pub struct Rerouted {
    /// The message.
    pub id: MessageId,
    /// Where it waits now.
    pub channel: Channel,
    /// For one that was decided for an address: the address that takes its place, and its hash.
    pub to: Option<(Address, String)>,
    /// A channel that did not take it.
    pub excluded_channel: Option<Channel>,
}

/// Gives claimed messages to another channel, where they wait for their turn.
pub async fn reroute(tx: &mut Tx, rows: Vec<Rerouted>) -> Result<()> {
    let seal = tx.seal();
    let rows = rows
        .into_iter()
        .map(|r| {
            let (number, hash) = r.to.map(|(a, hash)| (seal.seal(a.as_str()), hash)).unzip();
            args![
                r.id,
                r.channel.as_str(),
                number,
                hash,
                r.excluded_channel.map(Channel::as_str)
            ]
        })
        .collect();
    tx.with_many(
        "id, channel, to_number, to_hash, not_by",
        "UPDATE message
         SET state = 'waiting', channel = v.channel,
           to_number = coalesce(v.to_number, message.to_number),
           to_hash = coalesce(v.to_hash, message.to_hash),
           not_by = coalesce(v.not_by, message.not_by), claim = NULL
         FROM v
         WHERE message.id = v.id AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}

/// An attempt about to begin.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// In the address of the status callback.
    pub token: AttemptToken,
    /// Its message.
    pub message_id: MessageId,
    /// To which address, and its hash.
    pub number: (Address, String),
    /// The words.
    pub body: String,
    /// Whether it answers somebody.
    pub is_reply: bool,
    /// Parts of the text.
    pub parts: u32,
    /// It goes as a text that stands at the service.
    pub content: bool,
}

/// Writes the intents. Committed before the first byte leaves.
pub async fn begin(
    tx: &mut Tx,
    worker: &WorkerId,
    line: LineScope<'_>,
    now: DateTime<Utc>,
    attempts: &[Attempt],
) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let seal = tx.seal();
    let rows = attempts
        .iter()
        .map(|a| {
            args![
                &a.token,
                &a.message_id,
                worker,
                line.channel.as_str(),
                line.sender,
                seal.seal(a.number.0.as_str()),
                &a.number.1,
                seal.seal(&a.body),
                a.is_reply,
                i64::from(a.parts),
                now,
                0,
                a.content
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO attempt (
           token, message_id, worker, channel, sender, number, number_hash, body, prompted, parts,
           started_at, looks, content
         ) VALUES",
        "",
        rows,
    )
    .await?;
    tx.exec(
        "INSERT INTO day_count (channel, day, texts)
         VALUES ($3, $1, $2)
         ON CONFLICT (channel, day) DO UPDATE SET texts = day_count.texts + $2",
        args![
            now.format("%Y-%m-%d").to_string(),
            attempts.len() as i64,
            line_name(line.channel, line.sender)
        ],
    )
    .await?;
    Ok(())
}

/// Gives claimed messages another state: back to waiting until `not_before`, or ended with a
/// reason.
pub async fn end_claims(
    tx: &mut Tx,
    rows: Vec<(MessageId, MessageState, Option<String>, DateTime<Utc>)>,
) -> Result<()> {
    let rows = rows
        .into_iter()
        .map(|(id, state, reason, not_before)| args![id, state.as_str(), reason, not_before])
        .collect();
    tx.with_many(
        "id, state, reason, not_before",
        "UPDATE message
         SET state = v.state, reason = v.reason, not_before = v.not_before, claim = NULL
         FROM v
         WHERE message.id = v.id AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}

/// What becomes of a message whose attempt was refused: it did surely not arrive.
#[derive(Debug, Clone)]
pub enum AfterRefusal {
    /// It ends, with this reason.
    AttemptResult(&'static str),
    /// It waits: for the channel to be mended, or for the party's other address.
    Wait(DateTime<Utc>),
    /// It waits for the party's next address: this channel does not take it.
    Elsewhere(DateTime<Utc>),
}

/// How an attempt ended, as its process saw it.
#[derive(Debug, Clone)]
pub enum AttemptResult {
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
        /// What becomes of the message.
        then: AfterRefusal,
    },
    /// Nobody can tell: it is looked up later, never sent again blindly.
    Doubt {
        /// What was seen.
        error: String,
    },
}

/// The name of a line in counts and stops: its channel and its sender, which names the channel
/// already on WhatsApp.
pub fn line_name(channel: Channel, sender: &str) -> String {
    let bare = sender
        .strip_prefix(channel.as_str())
        .and_then(|s| s.strip_prefix(':'))
        .unwrap_or(sender);
    format!("{channel}:{bare}")
}

/// Records how attempts of a line ended. What a callback or another process recorded first stays.
pub async fn record(
    tx: &mut Tx,
    line: &str,
    now: DateTime<Utc>,
    ends: Vec<(AttemptToken, AttemptResult)>,
) -> Result<()> {
    let mut attempts = Vec::new();
    let mut messages = Vec::new();
    let mut doubts = Vec::new();
    let attempts_unsent = ends
        .iter()
        .filter(|(_, e)| {
            matches!(
                e,
                AttemptResult::NotSent { .. } | AttemptResult::Refused { .. }
            )
        })
        .count() as i64;
    for (token, end) in ends {
        let (outcome, provider_id, receipt, error) = match &end {
            AttemptResult::Accepted {
                provider_id,
                receipt,
            } => (
                AttemptOutcome::Accepted,
                Some(provider_id.clone()),
                *receipt,
                None,
            ),
            AttemptResult::NotSent { error, .. } => {
                (AttemptOutcome::NotSent, None, None, Some(error.clone()))
            }
            AttemptResult::Refused { error, .. } => {
                (AttemptOutcome::Refused, None, None, Some(error.clone()))
            }
            AttemptResult::Doubt { error } => {
                doubts.push(args![token, now, error]);
                continue;
            }
        };
        let message = match &end {
            AttemptResult::Accepted {
                provider_id,
                receipt,
            } => (
                receipt.map_or(MessageState::Sent, Receipt::message_state),
                None,
                Some(now),
                Some(provider_id.clone()),
                None,
            ),
            AttemptResult::NotSent { again, .. } => {
                (MessageState::Waiting, None, None, None, Some(*again))
            }
            AttemptResult::Refused {
                then: AfterRefusal::Wait(until) | AfterRefusal::Elsewhere(until),
                ..
            } => (MessageState::Waiting, None, None, None, Some(*until)),
            AttemptResult::Refused {
                then: AfterRefusal::AttemptResult(reason),
                ..
            } => (MessageState::Refused, Some(*reason), None, None, None),
            AttemptResult::Doubt { .. } => continue,
        };
        let elsewhere = matches!(
            end,
            AttemptResult::Refused {
                then: AfterRefusal::Elsewhere(_),
                ..
            }
        );
        messages.push(args![
            &token,
            message.0.as_str(),
            message.1,
            message.2,
            message.3,
            message.4,
            elsewhere
        ]);
        attempts.push(args![
            token,
            now,
            outcome.as_str(),
            provider_id,
            receipt.map(Receipt::as_str),
            error
        ]);
    }
    if attempts_unsent > 0 {
        tx.exec(
            "UPDATE day_count
             SET texts = CASE WHEN texts > $1 THEN texts - $1 ELSE 0 END
             WHERE channel = $3 AND day = $2",
            args![attempts_unsent, now.format("%Y-%m-%d").to_string(), line],
        )
        .await?;
    }
    // The message first, while its attempt is still open: what is recorded already is left alone.
    tx.with_many(
        "token, state, reason, sent_at, provider_id, not_before, elsewhere",
        "UPDATE message
         SET state = v.state, reason = v.reason, sent_at = coalesce(v.sent_at, message.sent_at),
           delivered_at = CASE
             WHEN v.state = 'delivered' THEN v.sent_at
             ELSE message.delivered_at
           END,
           provider_id = coalesce(v.provider_id, message.provider_id),
           not_before = coalesce(v.not_before, message.not_before),
           not_by = CASE WHEN v.elsewhere THEN a.channel ELSE message.not_by END,
           tries = message.tries + 1, claim = NULL
         FROM v, attempt a
         WHERE a.token = v.token
           AND a.outcome IS NULL
           AND message.id = a.message_id
           AND message.state = 'sending'",
        messages,
    )
    .await?;
    tx.with_many(
        "token, ended_at, outcome, provider_id, receipt, error",
        "UPDATE attempt
         SET ended_at = v.ended_at, outcome = v.outcome,
           provider_id = CASE
             WHEN attempt.provider_id IS NOT NULL OR EXISTS (
               SELECT 1
               FROM attempt o
               WHERE o.provider_id = v.provider_id
             ) THEN attempt.provider_id
             ELSE v.provider_id
           END,
           receipt = coalesce(attempt.receipt, v.receipt), error = v.error
         FROM v
         WHERE attempt.token = v.token AND attempt.outcome IS NULL",
        attempts,
    )
    .await?;
    tx.with_many(
        "token, ended_at, error",
        "UPDATE attempt
         SET ended_at = v.ended_at, error = v.error
         FROM v
         WHERE attempt.token = v.token AND attempt.outcome IS NULL",
        doubts,
    )
    .await?;
    Ok(())
}
