//! What a Telegram bot does besides sending: updates that come in, and its errands, such as answers to
//! presses and buttons to remove.

use crate::channels::InboundEvent;
use crate::channels::telegram::{self, ErrandResult, Telegram};
use crate::domain::people::channel::Channel;
use crate::domain::replies::inbound::InboundKind;
use crate::flows::lines::Line;
use crate::flows::people::link;
use crate::flows::receive::inbox;
use crate::flows::service::Service;
use crate::store::errands::{self, DueErrand};
use crate::store::inbox::NewInbound;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// After a gap this long, a press may have happened at any time within it.
const GAP: Duration = Duration::seconds(30);

/// An update as it is stored; `since` is when we last listened before it.
pub fn received(
    line: &Line,
    event: InboundEvent,
    now: DateTime<Utc>,
    since: Option<DateTime<Utc>>,
) -> NewInbound {
    let is_press = matches!(event.kind, InboundKind::Press { .. });
    NewInbound {
        provider: line.name(),
        provider_message_id: event.provider_id,
        channel: Channel::Telegram,
        sender: line.sender.clone(),
        from: event.from,
        kind: event.kind,
        at: event.at.unwrap_or(now).min(now),
        earliest_at: since.filter(|s| is_press && now - *s > GAP),
        found_by: "hook",
    }
}

/// Stores one update from the webhook.
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

/// Does what is due; returns how many errands came to an end.
async fn errands_once(svc: &Service, line: &Line, bot: &Telegram) -> Result<usize> {
    let due = errands::due(&svc.db, &line.sender, svc.clock.now()).await?;
    let mut ended = 0;
    for e in due {
        let outcome = run_one(svc, bot, &e).await?;
        let now = svc.clock.now();
        let mut tx = svc.db.begin().await?;
        match outcome {
            ErrandResult::Done | ErrandResult::Never => {
                errands::remove(&mut tx, std::slice::from_ref(&e.id)).await?;
                ended += 1;
            }
            ErrandResult::Again(wait) => {
                let wait = wait.map_or_else(
                    || Duration::seconds(1 << e.tries.clamp(0, 8)),
                    |w| Duration::from_std(w).unwrap_or_default(),
                );
                errands::retry_at(&mut tx, &e.id, now + wait).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(ended)
}

async fn run_one(svc: &Service, bot: &Telegram, e: &DueErrand) -> Result<ErrandResult> {
    let message = || e.target.parse::<i32>().unwrap_or_default();
    Ok(match e.what.as_str() {
        "answer" => bot.answer(&e.target, &e.text).await,
        "unbutton" => bot.unbutton(e.chat, message()).await,
        "replace" => {
            bot.replace(e.chat, message(), &link::no_longer_in_use(svc, &e.text)?)
                .await
        }
        _ => bot.leave(e.chat).await,
    })
}
