//! Applies stored messages, one after the other: each is understood and decided, and what follows is
//! recorded together with the answer.

use crate::domain::dedup_key::TaskKey;
use crate::domain::people::channel::Channel;
use crate::domain::replies::conversation;
use crate::domain::replies::inbound::InboundKind;
use crate::domain::task::TaskKind;
use crate::flows::lines::Lines;
use crate::flows::people::link;
use crate::flows::receive::context::{Sender, read_context};
use crate::flows::receive::decision_writer::DecisionWriter;
use crate::flows::service::Service;
use crate::store::inbox::{self, Inbound};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, errands};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Applies messages as they come in, until `stop`.
pub async fn run(svc: &Service, stop: tokio_util::sync::CancellationToken) -> Result<()> {
    let mut failures = 0u32;
    while !stop.is_cancelled() {
        // Nothing is lost: the message is still in the database, so it is tried again.
        if let Err(e) = apply_all(svc).await {
            tracing::warn!("a message could not be applied yet: {e:#}");
            failures = (failures + 1).min(6);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(100 << failures)) => {}
            }
            continue;
        }
        failures = 0;
        svc.liveness.tick("receive");
        tokio::select! {
            () = stop.cancelled() => {}
            () = svc.wake_receive.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
    Ok(())
}

/// Applies all stored messages; returns how many.
pub async fn apply_all(svc: &Service) -> Result<u64> {
    let mut n = 0;
    while apply_next(svc).await? {
        n += 1;
    }
    Ok(n)
}

async fn apply_next(svc: &Service) -> Result<bool> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let Some(inbound) = inbox::next(&mut tx).await? else {
        return Ok(false);
    };
    let lines = svc.lines();
    let (intent, rule) = match &inbound.kind {
        InboundKind::Blocked | InboundKind::Unblocked | InboundKind::Group => {
            (inbound_event(svc, &mut tx, &inbound, now).await?, "chat")
        }
        InboundKind::Text { body, .. }
            if inbound.channel == Channel::Telegram && link::code_in(&body.0).is_some() =>
        {
            link::start(
                svc,
                &mut tx,
                &lines,
                &inbound,
                link::code_in(&body.0).unwrap_or_default(),
                now,
            )
            .await?
        }
        _ => apply(svc, &mut tx, &lines, &inbound, now).await?,
    };
    inbox::mark_applied(&mut tx, &inbound.id, intent, rule).await?;
    tx.commit().await?;
    svc.wake_senders();
    svc.wake_errands.notify_waiters();
    svc.wake_errands.notify_one();
    svc.changed.notify_waiters();
    Ok(true)
}

/// The bot was blocked, unblocked or added to a group, which it leaves at once.
async fn inbound_event(
    svc: &Service,
    tx: &mut Tx,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<&'static str> {
    match &inbound.kind {
        InboundKind::Group => {
            if let Some(chat) = &inbound.from {
                errands::add(
                    tx,
                    now,
                    &errands::NewErrand {
                        sender: &inbound.sender,
                        what: "leave",
                        chat,
                        target: "",
                        text: "",
                    },
                    Duration::hours(24),
                )
                .await?;
                svc.wake_errands.notify_one();
            }
            Ok("group")
        }
        InboundKind::Blocked => {
            inbox::set_blocked(tx, &inbound.number_hash, Some(now)).await?;
            let lines = svc.lines();
            for p in inbox::parties_with(tx, lines.senders(), inbound.line(), &inbound.number_hash)
                .await?
            {
                let task = NewTask {
                    centre: Some(&p.centre),
                    case_id: Some(&p.case_id),
                    role: Some(p.role),
                    ..NewTask::new(
                        TaskKey::chat_blocked(&inbound.id, &p.party_id),
                        TaskKind::ChatBlocked,
                    )
                };
                tasks::open(tx, now, &task).await?;
            }
            Ok("blocked")
        }
        _ => {
            inbox::set_blocked(tx, &inbound.number_hash, None).await?;
            Ok("unblocked")
        }
    }
}

async fn apply(
    svc: &Service,
    tx: &mut Tx,
    lines: &Lines,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<(&'static str, &'static str)> {
    let centres = centres::all_in(tx).await?;
    let sender = Sender::find(tx, lines, inbound).await?;
    let contexts = sender.lock_sessions(tx, lines, inbound).await?;
    if inbound.channel == Channel::Telegram {
        // Anybody who writes or presses cannot have blocked the bot.
        inbox::set_blocked(tx, &inbound.number_hash, None).await?;
    }
    let ctx = read_context(svc, tx, &centres, &sender, &contexts, inbound, now).await?;
    let decision = conversation::decide(&ctx);
    let (intent, rule) = match ctx.pressed {
        Some(_) => ("press", decision.rule),
        None => (ctx.understood.intent.as_str(), decision.rule),
    };
    let mut writer = DecisionWriter {
        svc,
        tx,
        centres: &centres,
        lines,
        contexts: &contexts,
        parties: &sender.parties,
        inbound,
        line: sender.line,
        now,
        mode_before: None,
    };
    writer.carry_out(&ctx, decision).await?;
    Ok((intent, rule))
}
