//! Stores what comes in before anything is made of it.

use crate::channels::InboundEvent;
use crate::domain::people::private::Private;
use crate::domain::replies::inbound::InboundKind;
use crate::flows::lines::Line;
use crate::flows::service::Service;
use crate::store::inbox::{self, NewInbound};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Stores messages and wakes the loop that applies them; returns how many were new.
pub async fn store(svc: &Service, received: &[NewInbound]) -> Result<u64> {
    let mut tx = svc.db.begin().await?;
    let n = inbox::store(&mut tx, svc.clock.now(), received).await?;
    tx.commit().await?;
    if n > 0 {
        svc.wake_receive.notify_one();
    }
    Ok(n)
}

/// Stores an event that a texting service brought to a webhook of ours.
pub async fn from_webhook(svc: &Service, line: &Line, event: InboundEvent) -> Result<()> {
    let received = NewInbound {
        provider: "sms".into(),
        provider_message_id: event.provider_id,
        channel: line.channel,
        sender: line.sender.clone(),
        from: event.from,
        kind: event.kind,
        at: svc.clock.now(),
        earliest_at: None,
        found_by: "hook",
    };
    store(svc, &[received]).await?;
    Ok(())
}

/// Asks the provider for all messages since `since` and stores those that no hook brought. It runs
/// after a start, after a gap, and now and then.
///
/// # Errors
/// The provider or the database did not answer. Nothing is lost: the next run lists them again.
pub async fn catch_up(svc: &Service, since: DateTime<Utc>) -> Result<u64> {
    let mut n = 0;
    let mut failed = None;
    for line in svc.lines().all() {
        let Some(sms) = line.sms() else { continue };
        let listed = match sms.list_inbound(since).await {
            Ok(listed) => listed,
            // The other lines are listed all the same; this one is listed again.
            Err(e) => {
                failed = Some(e);
                continue;
            }
        };
        let ids: Vec<String> = listed.iter().map(|l| l.provider_id.clone()).collect();
        let known = inbox::known(&svc.db, "sms", &ids).await?;
        let now = svc.clock.now();
        let mut missed: Vec<NewInbound> = listed
            .into_iter()
            .filter(|l| !known.contains(&l.provider_id))
            .map(|l| NewInbound {
                provider: "sms".into(),
                provider_message_id: l.provider_id,
                channel: line.channel,
                sender: line.sender.clone(),
                from: l.from.unwrap_or_default(),
                kind: InboundKind::Text {
                    body: Private(l.body),
                    media: l.media,
                    opt_out_type: None,
                },
                at: l.created_at.unwrap_or(now).min(now),
                earliest_at: None,
                found_by: "listing",
            })
            .collect();
        missed.sort_by_key(|r| r.at);
        if !missed.is_empty() {
            n += store(svc, &missed).await?;
        }
    }
    if n > 0 {
        tracing::info!("{n} messages came in while nobody listened");
    }
    failed.map_or(Ok(n), Err)
}
