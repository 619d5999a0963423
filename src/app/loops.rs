//! The loops that every process runs: scan, reconcile and heartbeat. Also the check of the clock.

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

/// The interval of our heartbeat. A gap of more than three means that nobody was listening.
const HEARTBEAT: Span = Span::from_secs(10);
/// After a gap of this length in the heartbeat, inbound messages are listed.
const GAP: Duration = Duration::seconds(30);
/// Inbound messages are listed at least this often.
const LIST_EVERY: Span = Span::from_secs(600);
/// How far back the first listing for a new database goes.
const FIRST_LISTING: Duration = Duration::hours(24);
/// How far our clock may differ from the database's.
const MAX_CLOCK_SKEW: Duration = Duration::seconds(5);

/// The loops of a program. If one fails, all stop.
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
                    "{name}: {e:#}; the program stops, open attempts will be looked up after the \
                     next start"
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
        // If the clock was set back, the next scan must not wait until it catches up.
        let next = schedule.after(&now).next();
        if now >= due || next.is_some_and(|n| n + Duration::seconds(1) < due) {
            match confirmations::scan(&svc, now).await {
                Ok(_) => due = next.unwrap_or(now + Duration::minutes(1)),
                Err(e) => {
                    // Nothing is lost: the next scan does all of it.
                    tracing::warn!("the scan failed, trying again: {e:#}");
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
            // Another process may have adopted the same attempt a moment ago; the next round sees
            // it.
            tracing::warn!("open attempts could not be looked up, trying again: {e:#}");
        }
        svc.liveness.tick("reconcile");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(Span::from_secs(1)) => {}
        }
    }
    Ok(())
}

/// Records that the process is alive, checks the clock, and lists inbound messages that no webhook
/// brought.
pub(super) async fn heartbeat_loop(
    svc: Arc<Service>,
    worker: Arc<Worker>,
    receives: bool,
    stop: CancellationToken,
) -> Result<()> {
    let began = Instant::now();
    let mut watch = ClockWatch::new(svc.clock.now(), began.elapsed());
    let last_beat = workers::last_receiving_beat(&svc.db, &worker.id).await?;
    let mut catch_up = CatchUp::new(&svc, last_beat);
    let mut last_beat = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        catch_up.notice_gap(&svc, last_beat, now);
        let lists = receives && has_sms(&svc) && !svc.clock.is_simulated();
        if lists {
            catch_up.list_if_due(&svc, now).await;
        }
        let beaten = async {
            check_clock(&svc, &mut watch, began.elapsed(), svc.clock.now()).await?;
            worker.beat(&svc.db, now).await
        };
        if let Err(e) = beaten.await {
            tracing::warn!("the heartbeat could not be recorded: {e:#}");
        }
        last_beat = svc.clock.now();
        let pause = if lists { catch_up.pause() } else { HEARTBEAT };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

/// When to list inbound messages, and how far back.
struct CatchUp {
    /// Nobody may have been listening since then.
    since: DateTime<Utc>,
    next: Instant,
}

impl CatchUp {
    fn new(svc: &Service, last_beat: Option<DateTime<Utc>>) -> CatchUp {
        let since = last_beat.unwrap_or_else(|| svc.clock.now() - FIRST_LISTING);
        if svc.clock.now() - since > GAP {
            svc.liveness.was_away(since);
        }
        CatchUp {
            since,
            next: Instant::now(),
        }
    }

    fn notice_gap(&mut self, svc: &Service, last_beat: DateTime<Utc>, now: DateTime<Utc>) {
        if now - last_beat > GAP {
            self.since = self.since.min(last_beat);
            svc.liveness.was_away(last_beat);
            self.next = Instant::now();
        }
    }

    async fn list_if_due(&mut self, svc: &Service, now: DateTime<Utc>) {
        if Instant::now() < self.next {
            return;
        }
        match receive::catch_up(svc, self.since - Duration::minutes(5)).await {
            Ok(_) => {
                self.since = now;
                self.next = Instant::now() + LIST_EVERY;
            }
            Err(e) => {
                tracing::warn!("missed inbound messages cannot be listed yet: {e:#}");
                self.next = Instant::now() + Span::from_secs(5);
            }
        }
    }

    fn pause(&self) -> Span {
        self.next
            .saturating_duration_since(Instant::now())
            .clamp(Span::from_millis(200), HEARTBEAT)
    }
}

/// A process whose clock cannot be trusted logs that and stops sending until the clock is right
/// again.
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
            "clock: it jumped by {} s; nothing is sent until it is right or the program is \
             restarted",
            off.num_seconds()
        )
    });
    if let Some(theirs) = svc.db.clock().await?
        && (theirs - now).abs() > MAX_CLOCK_SKEW
    {
        why = Some(format!(
            "clock: it differs from the database's by {} s; nothing is sent",
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
