//! What a Telegram bot does besides sending: it fetches updates, stores them, and only then lets
//! Telegram forget them. It also runs its errands: answers to presses, buttons to remove.

use crate::channels::telegram::{
    self, ErrandResult, Telegram, TelegramUpdate, TelegramUpdateKind, UpdateMode,
};
use crate::domain::people::person::{Channel, Private};
use crate::domain::task::TaskKind;
use crate::flows::lines::Line;
use crate::flows::people::link;
use crate::flows::receive::inbox;
use crate::flows::service::Service;
use crate::store::centres;
use crate::store::errands::{self, DueErrand};
use crate::store::inbox::{InboundKind, NewInbound};
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// A gap after which a press may have come at any instant of it.
const GAP: Duration = Duration::seconds(30);
/// Telegram keeps what came in for this long.
const KEPT: Duration = Duration::hours(24);

/// A received update as it is stored; `since` is the last instant at which we surely listened
/// before it.
pub fn received(
    line: &Line,
    i: TelegramUpdate,
    now: DateTime<Utc>,
    since: Option<DateTime<Utc>>,
) -> NewInbound {
    let pressed = matches!(i.what, TelegramUpdateKind::Press { .. });
    let what = match i.what {
        TelegramUpdateKind::Text(body) => InboundKind::Text {
            body: Private(body),
            media: 0,
            opt_out_type: None,
        },
        TelegramUpdateKind::Media(body) => InboundKind::Text {
            body: Private(body),
            media: 1,
            opt_out_type: None,
        },
        TelegramUpdateKind::Press {
            query,
            data,
            message,
        } => InboundKind::Press {
            query,
            data,
            message: message.to_string(),
        },
        TelegramUpdateKind::Blocked(true) => InboundKind::Blocked,
        TelegramUpdateKind::Blocked(false) => InboundKind::Unblocked,
        TelegramUpdateKind::Group => InboundKind::Group,
    };
    NewInbound {
        provider: line.name(),
        provider_message_id: i.update_id.to_string(),
        channel: Channel::Telegram,
        sender: line.sender.clone(),
        from: i.chat.to_string(),
        what,
        at: i.at.unwrap_or(now).min(now),
        earliest_at: since.filter(|s| pressed && now - *s > GAP),
        found_by: "hook",
    }
}

/// Stores one update that Telegram brought to the webhook.
pub async fn from_hook(svc: &Service, line: &Line, body: &[u8]) -> Result<()> {
    let Some(incoming) = telegram::read_update(body) else {
        return Ok(());
    };
    let now = svc.clock.now();
    inbox::store(
        svc,
        &[received(line, incoming, now, svc.liveness.away_since())],
    )
    .await?;
    Ok(())
}

fn polled_key(line: &Line) -> String {
    format!("polled/{}", line.sender)
}

/// Fetches and stores until `stop`.
pub async fn poll(svc: Arc<Service>, line: Arc<Line>, stop: CancellationToken) -> Result<()> {
    let Some(bot) = line.telegram() else {
        return Ok(());
    };
    let mut prepared = false;
    let mut offset = None;
    let mut failures = 0u32;
    // A practice clock is moved by hand: its gaps are no outages.
    let practice = svc.clock.is_simulated();
    let mut since = if practice {
        None
    } else {
        listened_last(&svc, &line).await
    };
    while !stop.is_cancelled() {
        let turn = async {
            if !prepared {
                bot.receive_at(&format!("{}/hooks/telegram", line.public_url))
                    .await?;
            }
            match bot.mode() {
                UpdateMode::Webhook { .. } => Ok(None),
                UpdateMode::Polling { .. } => bot.fetch(offset).await.map(Some),
            }
        };
        let fetched = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            fetched = turn => fetched,
        };
        match fetched {
            Ok(None) => {
                // Telegram calls us; nothing is left to do here.
                svc.liveness.tick("telegram");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(Span::from_secs(30)) => {}
                }
                prepared = true;
                continue;
            }
            Ok(Some((incoming, next, more))) => {
                prepared = true;
                let now = svc.clock.now();
                if since.is_some_and(|s| now - s > KEPT)
                    && let Err(e) = lost(&svc, &line, now).await
                {
                    tracing::warn!("that messages may be lost could not be recorded yet: {e:#}");
                }
                let rows: Vec<NewInbound> = incoming
                    .into_iter()
                    .map(|i| received(&line, i, now, since))
                    .collect();
                // Stored first; the next question tells Telegram that it may forget them. InboundKind it
                // brings again is known.
                let stored = async {
                    if !rows.is_empty() {
                        inbox::store(&svc, &rows).await?;
                    }
                    let mut tx = svc.db.begin().await?;
                    centres::set(&mut tx, &polled_key(&line), &now.to_rfc3339()).await?;
                    tx.commit().await
                };
                match stored.await {
                    Ok(()) => {
                        offset = next;
                        // InboundKind is left of a backlog came in the same gap.
                        if !more {
                            since = Some(now).filter(|_| !practice);
                        }
                        failures = 0;
                        svc.liveness.tick("telegram");
                    }
                    Err(e) => {
                        tracing::warn!("what came by Telegram could not be stored yet: {e:#}");
                        failures += 1;
                    }
                }
            }
            Err(e) => {
                failures += 1;
                tracing::warn!("Telegram does not answer: {e:#}");
            }
        }
        if failures > 0 {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(Span::from_millis(250 << failures.min(7))) => {}
            }
        }
    }
    Ok(())
}

/// When a bot was last asked for news, in this process or an earlier one.
async fn listened_last(svc: &Service, line: &Line) -> Option<DateTime<Utc>> {
    let text = centres::setting(&svc.db, &polled_key(line))
        .await
        .ok()
        .flatten()?;
    DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}

async fn lost(svc: &Service, line: &Line, now: DateTime<Utc>) -> Result<()> {
    let mut tx = svc.db.begin().await?;
    tasks::open(
        &mut tx,
        now,
        &NewTask::new(
            format!("messages-lost/{}/{}", line.sender, now.format("%Y-%m-%d")),
            TaskKind::MessagesLost,
        ),
    )
    .await?;
    tx.commit().await
}

/// Runs the errands of a bot until `stop`.
pub async fn run_errands(
    svc: Arc<Service>,
    line: Arc<Line>,
    stop: CancellationToken,
) -> Result<()> {
    let Some(bot) = line.telegram() else {
        return Ok(());
    };
    while !stop.is_cancelled() {
        match errands_once(&svc, &line, bot).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(e) => tracing::warn!("an errand in a chat did not end: {e:#}"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = svc.wake_errands.notified() => {}
            () = tokio::time::sleep(Span::from_secs(2)) => {}
        }
    }
    Ok(())
}

/// Does what is due; gives how many errands came to an end.
async fn errands_once(svc: &Service, line: &Line, bot: &Telegram) -> Result<usize> {
    let due = errands::due(&svc.db, &line.sender, svc.clock.now()).await?;
    let mut ended = 0;
    for e in due {
        let outcome = run_one(svc, bot, &e).await?;
        let now = svc.clock.now();
        let mut tx = svc.db.begin().await?;
        match outcome {
            ErrandResult::Done | ErrandResult::Never => {
                errands::done(&mut tx, std::slice::from_ref(&e.id)).await?;
                ended += 1;
            }
            ErrandResult::Again(wait) => {
                let wait = wait.map_or_else(
                    || Duration::seconds(1 << e.tries.clamp(0, 8)),
                    |w| Duration::from_std(w).unwrap_or_default(),
                );
                errands::again(&mut tx, &e.id, now + wait).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(ended)
}

async fn run_one(svc: &Service, bot: &Telegram, e: &DueErrand) -> Result<ErrandResult> {
    let message = || e.target.parse::<i32>().unwrap_or_default();
    Ok(match e.what.as_str() {
        "answer" => bot.answer(&e.target, &e.words).await,
        "unbutton" => bot.unbutton(e.chat, message()).await,
        "replace" => {
            bot.replace(e.chat, message(), &link::no_longer_in_use(svc, &e.words)?)
                .await
        }
        _ => bot.leave(e.chat).await,
    })
}
