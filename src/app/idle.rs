//! A run that ends when nothing is due any more.

use crate::app::lines::{follow_senders, try_mended_channels};
use crate::app::loops::check_clock;
use crate::app::{Purpose, build, open_db};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::liveness::ClockWatch;
use crate::flows::scan::confirmations;
use crate::flows::send::engine::Engine;
use crate::flows::send::reconcile;
use crate::store::workers::Worker;
use crate::store::{centres, sessions};
use anyhow::{Context, Result, bail};
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// Scans and sends until nothing is due and no attempt is open, or until `stop`: then open requests
/// are finished for at most ten seconds. Gives how many texts stay because of a hold.
pub async fn until_idle(settings: &Settings, clock: Clock, stop: CancellationToken) -> Result<i64> {
    let db = open_db(settings, Some(Purpose::Service)).await?;
    let svc = build(settings, db, clock, settings.listen).await?;
    let worker = Worker::register(&svc.db, svc.clock.now(), false).await?;
    follow_senders(&svc).await?;
    try_mended_channels(&svc).await?;
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
    loop {
        if stop.is_cancelled() {
            for engine in engines {
                engine.finish().await?;
            }
            worker.leave(&svc.db).await?;
            svc.db.close().await;
            return Ok(0);
        }
        // What is planned is sent while the rest is planned.
        let planner = svc.clone();
        let planning =
            tokio::spawn(async move { confirmations::scan(&planner, planner.clock.now()).await });
        while !planning.is_finished() {
            run_all_until_idle(&mut engines, &stop).await?;
            tokio::time::sleep(Span::from_millis(5)).await;
        }
        planning.await.context("planning ended badly")??;
        run_all_until_idle(&mut engines, &stop).await?;
        let open = reconcile::round(&svc, &worker.id).await?;
        let load = crate::store::messages::load(&svc.db, svc.clock.now()).await?;
        if svc.lines().all().is_empty() && load.open > 0 {
            bail!(
                "{} attempts are open and no texting service is set to ask ([sms] in \
                 courtesy.toml)",
                load.open
            );
        }
        let asks = sessions::next_ask_at(&svc.db)
            .await?
            .is_some_and(|t| t <= svc.clock.now());
        let no_line = svc.lines().all().is_empty();
        let limit_reached = engines.iter().any(Engine::daily_limit_reached);
        let stopped = no_line || !centres::stopped_channels(&svc.db).await?.is_empty();
        if !asks
            && load.open == 0
            && open == 0
            && (load.due == 0 || stopped || limit_reached)
            && !load.retry_soon(svc.clock.now())
        {
            worker.leave(&svc.db).await?;
            svc.db.close().await;
            if no_line && load.due > 0 {
                bail!(
                    "{} texts are due and no texting service is set ([sms] in courtesy.toml)",
                    load.due
                );
            }
            if stopped && load.due > 0 {
                bail!(
                    "{} texts are due and the texting service refuses us; `courtesy check` says \
                     why",
                    load.due
                );
            }
            if limit_reached && load.due > 0 {
                bail!(
                    "{} texts are due and max_per_day is reached; they wait until tomorrow",
                    load.due
                );
            }
            return Ok(load.held);
        }
        tokio::time::sleep(Span::from_millis(100)).await;
    }
}

async fn run_all_until_idle(engines: &mut [Engine], stop: &CancellationToken) -> Result<()> {
    for ended in futures::future::join_all(engines.iter_mut().map(|e| e.run_until_idle(stop))).await
    {
        ended?;
    }
    Ok(())
}
