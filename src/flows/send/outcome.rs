//! What the outcome of one request means: for its message, for the line, and for a person.

use super::carry_out::Ready;
use crate::channels::SendOutcome;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{AttemptToken, MessageId};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::task::TaskKind;
use crate::flows::lines::Line;
use crate::store::outbox::{AfterRefusal, AttemptResult};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, attempts, centres, inbox};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::time::Duration as Span;

/// A stopped line looks at its messages again after this.
const STOPPED_LOOKS_AGAIN: Duration = Duration::minutes(1);

/// A request that was made, with its outcome.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) token: AttemptToken,
    message_id: MessageId,
    number_hash: String,
    kind: MessageKind,
    /// It was sent to one given address: a reply, or an alert to staff.
    is_reply: bool,
    tries: i64,
    outcome: SendOutcome,
}

impl Sent {
    pub(super) fn new(ready: Ready, outcome: SendOutcome) -> Sent {
        Sent {
            token: ready.attempt.token,
            message_id: ready.attempt.message_id,
            number_hash: ready.attempt.number.1,
            kind: ready.kind,
            is_reply: ready.attempt.is_reply,
            tries: ready.tries,
            outcome,
        }
    }
}

/// What an outcome means for the line.
pub(super) enum LineMeaning {
    Answers,
    /// One more failure in a row.
    Fails,
    /// The provider asked us to slow down (429).
    Waits(Span),
    /// The outcome says nothing about the line.
    Nothing,
    /// The provider refuses everything.
    Stops,
}

/// Records what follows from an outcome besides the attempt itself. Returns the attempt's result,
/// unless it is recorded already.
pub(super) async fn record(
    line: &Line,
    tx: &mut Tx,
    sent: &Sent,
    now: DateTime<Utc>,
) -> Result<(Option<AttemptResult>, LineMeaning)> {
    match sent.outcome.clone() {
        SendOutcome::Accepted {
            provider_id,
            receipt,
        } => {
            open_if_undelivered(tx, sent, receipt, now).await?;
            let accepted = AttemptResult::Accepted {
                provider_id,
                receipt,
            };
            Ok((Some(accepted), LineMeaning::Answers))
        }
        SendOutcome::NotSent { error, wait } => Ok(not_sent(sent, error, wait, now)),
        // The bot was blocked. When the message is next claimed, the party's other address is used if
        // it was agreed and is safe; otherwise a ring task is opened.
        SendOutcome::RefusedNumber {
            error,
            blocked: true,
            ..
        } if !sent.is_reply => {
            chat_is_gone(tx, sent, now).await?;
            Ok((
                refused(error, AfterRefusal::Wait(now)),
                LineMeaning::Answers,
            ))
        }
        // WhatsApp's window is closed. When the message is next claimed, another channel is chosen.
        SendOutcome::OutsideWindow { error } => {
            let then = AfterRefusal::NextAddress(now);
            Ok((refused(error, then), LineMeaning::Answers))
        }
        SendOutcome::RefusedNumber {
            error,
            opted_out,
            blocked,
        } => {
            let why = refused_number(line, tx, sent, opted_out, blocked, now).await?;
            let then = AfterRefusal::End(why.as_str());
            Ok((refused(error, then), LineMeaning::Answers))
        }
        SendOutcome::RefusedChannel { error } => {
            stop_channel(line, tx, &error, now).await?;
            let then = AfterRefusal::Wait(now + STOPPED_LOOKS_AGAIN);
            Ok((refused(error, then), LineMeaning::Stops))
        }
        SendOutcome::Unknown { error } => unknown(line, tx, sent, error, now).await,
    }
}

fn refused(error: String, then: AfterRefusal) -> Option<AttemptResult> {
    Some(AttemptResult::Refused { error, then })
}

async fn open_if_undelivered(
    tx: &mut Tx,
    sent: &Sent,
    receipt: Option<Receipt>,
    now: DateTime<Utc>,
) -> Result<()> {
    if receipt.is_none_or(|r| r.message_state() != MessageState::Undelivered) {
        return Ok(());
    }
    let key = TaskKey::undelivered(&sent.message_id);
    tasks::open_for_message(tx, now, key, TaskKind::BadNumber, &sent.message_id).await
}

/// It did not leave, and is tried again: after the wait that the provider asked for, or after a
/// growing pause.
fn not_sent(
    sent: &Sent,
    error: String,
    wait: Option<Span>,
    now: DateTime<Utc>,
) -> (Option<AttemptResult>, LineMeaning) {
    let (pause, meaning) = match wait {
        None => (backoff(sent.tries), LineMeaning::Fails),
        Some(wait) if wait.is_zero() => (Duration::zero(), LineMeaning::Nothing),
        Some(wait) => {
            let pause = Duration::from_std(wait).unwrap_or_default();
            (pause, LineMeaning::Waits(wait))
        }
    };
    let again = now + pause;
    (
        Some(AttemptResult::NotSent {
            error,
            retry_at: again,
        }),
        meaning,
    )
}

/// The provider refused this number. The message ends with the reason, and a task is opened, except
/// for a STOP acknowledgement.
async fn refused_number(
    line: &Line,
    tx: &mut Tx,
    sent: &Sent,
    opted_out: bool,
    blocked: bool,
    now: DateTime<Utc>,
) -> Result<EndReason> {
    let (kind, reason) = match (opted_out, sent.kind) {
        // S1c: the question cannot arrive, so a person rings.
        (true, MessageKind::CancelReasonAsk) => (TaskKind::CancelByPhone, EndReason::OptedOut),
        (true, kind) if kind.calls_off() => (TaskKind::RingSessionOff, EndReason::OptedOut),
        (true, _) => (TaskKind::RingOptedOut, EndReason::OptedOut),
        (false, _) if blocked => (TaskKind::ChatBlocked, EndReason::Blocked),
        (false, _) => (TaskKind::BadNumber, EndReason::BadNumber),
    };
    if blocked {
        chat_is_gone(tx, sent, now).await?;
    }
    if opted_out {
        inbox::set_opt_out(tx, line.at(), &sent.number_hash, true, None, now).await?;
    }
    // A refused STOP acknowledgement needs no task.
    if sent.kind != MessageKind::StopAck {
        let key = TaskKey::refused(&sent.message_id);
        tasks::open_for_message(tx, now, key, kind, &sent.message_id).await?;
    }
    Ok(reason)
}

/// The bot was blocked there, or the chat is gone. Staff get a task, and no text goes there until
/// the bot is unblocked.
async fn chat_is_gone(tx: &mut Tx, sent: &Sent, now: DateTime<Utc>) -> Result<()> {
    if inbox::set_blocked(tx, &sent.number_hash, Some(now)).await? == 0 {
        return Ok(());
    }
    let key = TaskKey::chat_gone(&sent.number_hash, now.date_naive());
    tasks::open_for_message(tx, now, key, TaskKind::ChatBlocked, &sent.message_id).await
}

async fn stop_channel(line: &Line, tx: &mut Tx, error: &str, now: DateTime<Utc>) -> Result<()> {
    tracing::error!(
        "{} refuses everything ({error}); nothing is sent by it until its settings are corrected",
        line.in_words()
    );
    let settings = line.fingerprint();
    if centres::stop_channel(tx, &line.name(), error, &settings, now).await? {
        let task = NewTask::new(TaskKey::channel_stopped(now), TaskKind::ChannelStopped);
        tasks::open(tx, now, &task).await?;
    }
    Ok(())
}

/// Nobody knows whether it left. A provider that can list past messages will be asked. Telegram
/// cannot, so a person decides; a pressed button may still prove that it arrived.
async fn unknown(
    line: &Line,
    tx: &mut Tx,
    sent: &Sent,
    error: String,
    now: DateTime<Utc>,
) -> Result<(Option<AttemptResult>, LineMeaning)> {
    if line.can_be_asked() {
        tracing::warn!("an attempt ended in doubt ({error}); the provider will be asked");
        return Ok((Some(AttemptResult::Unknown { error }), LineMeaning::Fails));
    }
    tracing::warn!(
        "a text by {} may or may not have arrived ({error}): a person decides",
        line.in_words()
    );
    if attempts::mark_uncertain(tx, now, &sent.token).await? {
        let key = TaskKey::uncertain(&sent.token);
        tasks::open_for_message(tx, now, key, TaskKind::Uncertain, &sent.message_id).await?;
    }
    Ok((None, LineMeaning::Fails))
}

/// Two seconds, then twice as long each time, up to two minutes.
fn backoff(tries: i64) -> Duration {
    Duration::seconds((2i64 << tries.clamp(0, 6)).min(120))
}
