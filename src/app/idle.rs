//! Runs the program until nothing is due any more.

use crate::app::build::build;
use crate::app::database::{Purpose, open_db};
use crate::app::line_loops::{follow_senders, retry_fixed_channels};
use crate::app::loops::check_clock;
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::liveness::ClockWatch;
use crate::flows::scan::confirmations;
use crate::flows::send::engine::Engine;
use crate::flows::send::reconcile;
use crate::flows::service::Service;
use crate::store::messages::{self, QueueLoad};
use crate::store::workers::Worker;
use crate::store::{centres, sessions};
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// Scans and sends until nothing is due and no attempt is open, or until `stop`: then open requests
/// are finished for at most ten seconds. Returns how many messages a hold keeps back.
pub async fn until_idle(settings: &Settings, clock: Clock, stop: CancellationToken) -> Result<i64> {
    let db = open_db(settings, Some(Purpose::Service)).await?;
    let svc = build(settings, db, clock, settings.listen).await?;
    let worker = Worker::register(&svc.db, svc.clock.now(), false).await?;
    follow_senders(&svc).await?;
    retry_fixed_channels(&svc).await?;
    check_clock(
        &svc,
        &mut ClockWatch::new(svc.clock.now(), Span::ZERO),
        Span::ZERO,
        svc.clock.now(),
    )
    .await?;
    if let Some(why) = svc.liveness.stopped() {
        bail!(why);
    }
    let mut engines: Vec<Engine> = svc
        .lines()
        .all()
        .iter()
        .map(|l| Engine::new(svc.clone(), l.clone(), worker.id.clone()))
        .collect();
    while !stop.is_cancelled() {
        scan_and_send(&svc, &mut engines, &stop).await?;
        let open = reconcile::round(&svc, &worker.id).await?;
        if let Some(load) = idle_load(&svc, open).await? {
            let limit_reached = engines.iter().any(Engine::daily_limit_reached);
            let blocked = what_blocks(&svc, limit_reached).await?;
            if load.due == 0 || blocked.is_some() {
                worker.leave(&svc.db).await?;
                svc.db.close().await;
                return match blocked.filter(|_| load.due > 0) {
                    Some(why) => bail!("{} texts are due and {why}", load.due),
                    None => Ok(load.held),
                };
            }
        }
        tokio::time::sleep(Span::from_millis(100)).await;
    }
    for engine in engines {
        engine.finish().await?;
    }
    worker.leave(&svc.db).await?;
    svc.db.close().await;
    Ok(0)
}

/// Scans once. What is already planned is sent in the meantime.
async fn scan_and_send(
    svc: &Arc<Service>,
    engines: &mut [Engine],
    stop: &CancellationToken,
) -> Result<()> {
    let planner = svc.clone();
    let planning =
        tokio::spawn(async move { confirmations::scan(&planner, planner.clock.now()).await });
    while !planning.is_finished() {
        run_all_until_idle(engines, stop).await?;
        tokio::time::sleep(Span::from_millis(5)).await;
    }
    planning.await.context("planning ended badly")??;
    run_all_until_idle(engines, stop).await
}

/// The load of the outbox, if nothing is in flight and nothing falls due in a moment. `open` is how
/// many attempts are still being looked up.
async fn idle_load(svc: &Service, open: usize) -> Result<Option<QueueLoad>> {
    let load = messages::load(&svc.db, svc.clock.now()).await?;
    if svc.lines().all().is_empty() && load.open > 0 {
        bail!(
            "{} attempts are open and no texting service is set to ask ([sms] in courtesy.toml)",
            load.open
        );
    }
    let asks = sessions::next_ask_at(&svc.db)
        .await?
        .is_some_and(|t| t <= svc.clock.now());
    let idle = !asks && load.open == 0 && open == 0 && !load.retry_soon(svc.clock.now());
    Ok(Some(load).filter(|_| idle))
}

/// Why due messages cannot be sent now, if anything prevents it.
async fn what_blocks(svc: &Service, limit_reached: bool) -> Result<Option<&'static str>> {
    Ok(if svc.lines().all().is_empty() {
        Some("no texting service is set ([sms] in courtesy.toml)")
    } else if !centres::stopped_channels(&svc.db).await?.is_empty() {
        Some("the texting service refuses us; `courtesy check` says why")
    } else if limit_reached {
        Some("max_per_day is reached; they wait until tomorrow")
    } else {
        None
    })
}

async fn run_all_until_idle(engines: &mut [Engine], stop: &CancellationToken) -> Result<()> {
    for ended in futures::future::join_all(engines.iter_mut().map(|e| e.run_until_idle(stop))).await
    {
        ended?;
    }
    Ok(())
}
