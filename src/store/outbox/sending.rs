//! Attempts: the intent before the request, and its result afterwards.

use crate::args;
use crate::domain::ids::{AttemptToken, MessageId, WorkerId};
use crate::domain::outgoing::message::{AttemptOutcome, MessageState};
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::people::address::Address;
use crate::store::db::{Arg, Tx};
use crate::store::outbox::line::{LineScope, line_name};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// An attempt that is about to begin.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its token, part of the callback address.
    pub token: AttemptToken,
    pub message_id: MessageId,
    /// The recipient and its hash.
    pub number: (Address, String),
    pub body: String,
    /// Whether it replies to somebody.
    pub is_reply: bool,
    /// Number of text segments.
    pub parts: u32,
    /// It uses a content template stored at the provider.
    pub content: bool,
}

/// Records the intent to send. To be committed before the request.
pub async fn begin_attempts(
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

/// What happens to a message after its attempt was refused. It was certainly not sent.
#[derive(Debug, Clone)]
pub enum AfterRefusal {
    /// It ends, for this reason.
    End(&'static str),
    /// It waits until then: the channel has to be fixed, or the party gets another address.
    Wait(DateTime<Utc>),
    /// It waits until then for the party's next address: this channel does not take it.
    NextAddress(DateTime<Utc>),
}

/// The result of an attempt, as its process saw it.
#[derive(Debug, Clone)]
pub enum AttemptResult {
    /// The provider accepted it.
    Accepted {
        provider_id: String,
        /// The provider's first status.
        receipt: Option<Receipt>,
    },
    /// It was certainly not sent.
    NotSent {
        error: String,
        retry_at: DateTime<Utc>,
    },
    /// The provider refused it.
    Refused {
        error: String,
        /// What happens to the message.
        then: AfterRefusal,
    },
    /// The result is unknown. It is looked up later and never blindly retried.
    Unknown { error: String },
}

/// Records the results of a line's attempts. A result that a callback or another process recorded
/// before stays.
pub async fn record_results(
    tx: &mut Tx,
    line: &str,
    now: DateTime<Utc>,
    results: Vec<(AttemptToken, AttemptResult)>,
) -> Result<()> {
    let mut attempts = Vec::new();
    let mut messages = Vec::new();
    let mut unknown = Vec::new();
    let mut unsent = 0;
    for (token, result) in results {
        match result {
            AttemptResult::Accepted {
                provider_id,
                receipt,
            } => {
                let state = receipt.map_or(MessageState::Sent, Receipt::message_state);
                messages.push(args![
                    &token,
                    state.as_str(),
                    NO_TEXT,
                    now,
                    &provider_id,
                    NO_TIME,
                    false
                ]);
                attempts.push(args![
                    token,
                    now,
                    AttemptOutcome::Accepted.as_str(),
                    provider_id,
                    receipt.map(Receipt::as_str),
                    NO_TEXT
                ]);
            }
            AttemptResult::NotSent { error, retry_at } => {
                unsent += 1;
                messages.push(waiting(&token, retry_at, false));
                attempts.push(failed(token, now, AttemptOutcome::NotSent, error));
            }
            AttemptResult::Refused { error, then } => {
                unsent += 1;
                messages.push(match then {
                    AfterRefusal::Wait(until) => waiting(&token, until, false),
                    AfterRefusal::NextAddress(until) => waiting(&token, until, true),
                    AfterRefusal::End(reason) => {
                        let state = MessageState::Refused.as_str();
                        args![&token, state, reason, NO_TIME, NO_TEXT, NO_TIME, false]
                    }
                });
                attempts.push(failed(token, now, AttemptOutcome::Refused, error));
            }
            AttemptResult::Unknown { error } => unknown.push(args![token, now, error]),
        }
    }
    uncount(tx, line, now, unsent).await?;
    // Messages first, while their attempts are still open: what was recorded before stays.
    update_messages(tx, messages).await?;
    update_attempts(tx, attempts).await?;
    tx.update_many(
        "token, ended_at, error",
        "UPDATE attempt
         SET ended_at = v.ended_at, error = v.error
         FROM v
         WHERE attempt.token = v.token AND attempt.outcome IS NULL",
        unknown,
    )
    .await?;
    Ok(())
}

const NO_TEXT: Option<&str> = None;
const NO_TIME: Option<DateTime<Utc>> = None;

/// The values of [`update_messages`] for a message that waits again.
fn waiting(token: &AttemptToken, until: DateTime<Utc>, next_address: bool) -> Vec<Arg> {
    let state = MessageState::Waiting.as_str();
    args![token, state, NO_TEXT, NO_TIME, NO_TEXT, until, next_address]
}

/// The values of [`update_attempts`] for an attempt that was certainly not sent.
fn failed(
    token: AttemptToken,
    now: DateTime<Utc>,
    outcome: AttemptOutcome,
    error: String,
) -> Vec<Arg> {
    args![token, now, outcome.as_str(), NO_TEXT, NO_TEXT, error]
}

/// Takes attempts that were not sent out of the day's count.
async fn uncount(tx: &mut Tx, line: &str, now: DateTime<Utc>, unsent: i64) -> Result<()> {
    if unsent > 0 {
        tx.exec(
            "UPDATE day_count
             SET texts = CASE WHEN texts > $1 THEN texts - $1 ELSE 0 END
             WHERE channel = $3 AND day = $2",
            args![unsent, now.format("%Y-%m-%d").to_string(), line],
        )
        .await?;
    }
    Ok(())
}

async fn update_messages(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<()> {
    tx.update_many(
        "token, state, reason, sent_at, provider_id, not_before, next_address",
        "UPDATE message
         SET state = v.state, reason = v.reason, sent_at = coalesce(v.sent_at, message.sent_at),
           delivered_at = CASE
             WHEN v.state = 'delivered' THEN v.sent_at
             ELSE message.delivered_at
           END,
           provider_id = coalesce(v.provider_id, message.provider_id),
           not_before = coalesce(v.not_before, message.not_before),
           not_by = CASE WHEN v.next_address THEN a.channel ELSE message.not_by END,
           tries = message.tries + 1, claim = NULL
         FROM v, attempt a
         WHERE a.token = v.token
           AND a.outcome IS NULL
           AND message.id = a.message_id
           AND message.state = 'sending'",
        rows,
    )
    .await?;
    Ok(())
}

async fn update_attempts(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<()> {
    tx.update_many(
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
        rows,
    )
    .await?;
    Ok(())
}
