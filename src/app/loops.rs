//! The loops that every process runs: scan, reconcile, beat; and what watches over loops and the
//! clock.

use crate::domain::ids::WorkerId;
use crate::flows::liveness::ClockWatch;
use crate::flows::receive;
use crate::flows::scan::confirmations;
use crate::flows::send::reconcile;
use crate::flows::service::Service;
use crate::store::workers::{self, Worker};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use std::time::{Duration as Span, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Our own heartbeat; a gap longer than three of them means that nobody listened.
const BEAT: Span = Span::from_secs(10);
/// A gap in the heartbeat after which what came in is listed.
const GAP: Duration = Duration::seconds(30);
/// What came in is listed at least this often.
const LIST_EVERY: Span = Span::from_secs(600);
/// How far back the first listing of a new database goes.
const FIRST_LISTING: Duration = Duration::hours(24);
/// Our clock may differ this much from the database's.
const CLOCK_DIFFERS: Duration = Duration::seconds(5);

/// The loops of a program: one that fails ends them all.
#[derive(Clone)]
pub(super) struct Loops {
    pub(super) stop: CancellationToken,
    pub(super) failed: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Loops {
    pub(super) fn new() -> Loops {
        Loops {
            stop: CancellationToken::new(),
            failed: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(super) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let (stop, failed) = (self.stop.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            if let Err(e) = work.await {
                tracing::error!(
                    "{name}: {e:#}; the program ends, what is open will be looked up \
                                 after the next start"
                );
                failed.cancel();
                stop.cancel();
            }
        });
    }
}

pub(super) async fn scan_loop(
    svc: Arc<Service>,
    schedule: cron::Schedule,
    stop: CancellationToken,
) -> Result<()> {
    let mut due = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        // A clock that went back must not make the next tick wait for it.
        let next = schedule.after(&now).next();
        if now >= due || next.is_some_and(|n| n + Duration::seconds(1) < due) {
            match confirmations::scan(&svc, now).await {
                Ok(_) => due = next.unwrap_or(now + Duration::minutes(1)),
                Err(e) => {
                    // A scan remembers nothing: the next one does all of it.
                    tracing::warn!("nothing can be planned just now: {e:#}");
                    tokio::time::sleep(Span::from_secs(1)).await;
                    continue;
                }
            }
        }
        svc.liveness.tick("scan");
        let pause = (due - svc.clock.now())
            .to_std()
            .unwrap_or_default()
            .clamp(Span::from_millis(5), Span::from_secs(1));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

pub(super) async fn reconcile_loop(
    svc: Arc<Service>,
    worker: WorkerId,
    stop: CancellationToken,
) -> Result<()> {
    while !stop.is_cancelled() {
        if let Err(e) = reconcile::round(&svc, &worker).await {
            // Another process may have adopted the same one a moment ago; the next round sees it.
            tracing::warn!("a round of looking up did not end: {e:#}");
        }
        svc.liveness.tick("reconcile");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(Span::from_secs(1)) => {}
        }
    }
    Ok(())
}

pub(super) async fn beat_loop(
    svc: Arc<Service>,
    worker: Arc<Worker>,
    receives: bool,
    stop: CancellationToken,
) -> Result<()> {
    let began = Instant::now();
    let mut watch = ClockWatch::new(svc.clock.now(), began.elapsed());
    // Since when nobody may have listened.
    let mut since = match workers::last_receiving_beat(&svc.db, &worker.id).await? {
        Some(beat) => beat,
        None => svc.clock.now() - FIRST_LISTING,
    };
    if svc.clock.now() - since > GAP {
        svc.liveness.was_away(since);
    }
    let mut list_at = Some(Instant::now());
    let mut last_beat = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        if now - last_beat > GAP {
            since = since.min(last_beat);
            svc.liveness.was_away(last_beat);
            list_at = Some(Instant::now());
        }
        if receives
            && has_sms(&svc)
            && !svc.clock.is_simulated()
            && list_at.is_some_and(|t| Instant::now() >= t)
        {
            match receive::catch_up(&svc, since - Duration::minutes(5)).await {
                Ok(_) => {
                    since = now;
                    list_at = Some(Instant::now() + LIST_EVERY);
                }
                Err(e) => {
                    tracing::warn!("what came in meanwhile cannot be listed yet: {e:#}");
                    list_at = Some(Instant::now() + Span::from_secs(5));
                }
            }
        }
        let beaten = async {
            check_clock(&svc, &mut watch, began.elapsed(), svc.clock.now()).await?;
            worker.beat(&svc.db, now).await
        };
        if let Err(e) = beaten.await {
            tracing::warn!("no beat: {e:#}");
        }
        last_beat = svc.clock.now();
        let pause = list_at.map_or(BEAT, |t| {
            t.saturating_duration_since(Instant::now())
                .clamp(Span::from_millis(200), BEAT)
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(if receives && has_sms(&svc) && !svc.clock.is_simulated() { pause } else { BEAT }) => {}
        }
    }
    Ok(())
}

/// A process whose clock cannot be trusted stops sending and says so; it goes on when the clock is
/// right again.
pub(super) async fn check_clock(
    svc: &Service,
    watch: &mut ClockWatch,
    elapsed: Span,
    now: DateTime<Utc>,
) -> Result<()> {
    if svc.clock.is_simulated() {
        return Ok(());
    }
    let mut why = watch.jumped(now, elapsed).map(|off| {
        format!(
            "clock: it jumped by {} s; sending stands \
                                                      still until it is right or the program is \
                                                      started again",
            off.num_seconds()
        )
    });
    if let Some(theirs) = svc.db.clock().await?
        && (theirs - now).abs() > CLOCK_DIFFERS
    {
        why = Some(format!(
            "clock: it differs from the database's by {} s; sending stands still",
            (now - theirs).num_seconds()
        ));
    }
    if why != svc.liveness.stopped() {
        if let Some(why) = &why {
            tracing::error!("{why}");
        }
        svc.liveness.stop(why);
    }
    Ok(())
}

fn has_sms(svc: &Service) -> bool {
    svc.lines().all().iter().any(|l| l.sms().is_some())
}
