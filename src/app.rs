//! Builds the parts from the settings, starts the loops, and stops them in order.

use crate::channels::sms::Sms;
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::deliver::Engine;
use crate::flows::pulse::ClockWatch;
use crate::flows::{Line, Service, plan, receive, reconcile};
use crate::store::workers::{self, Worker};
use crate::store::{Db, centres, sessions};
use crate::web;
use crate::words::Words;
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Duration, Utc};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration as Span, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a database is for: practice and real families are never in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Real families.
    Service,
    /// Practice.
    Practice,
}

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

/// Opens the database of the settings for a command that writes.
pub async fn open_db(settings: &Settings, purpose: Option<Purpose>) -> Result<Db> {
    let db = Db::open(&settings.database_url).await?;
    db.migrate().await?;
    if let Some(purpose) = purpose {
        let word = if purpose == Purpose::Practice { "practice" } else { "service" };
        let stands = centres::set_once(&db, "purpose", word).await?;
        if stands != word {
            match purpose {
                Purpose::Practice => bail!("this database has served real families; practise in another folder (--dir)"),
                Purpose::Service => bail!("this database is for practice; name another one in database.url"),
            }
        }
    }
    Ok(db)
}

/// Loads the words, with every problem of the templates at once.
pub fn load_words(settings: &Settings) -> Result<Words> {
    Words::load(settings.templates.as_deref()).map_err(|problems| {
        let mut text = String::from("the message templates cannot be used:");
        for p in problems {
            let _ = write!(text, "\n  {p}");
        }
        anyhow::anyhow!(text)
    })
}

/// Puts the service together on an open database. `listen` is where the hooks really listen.
pub fn build(settings: &Settings, db: Db, clock: Clock, listen: SocketAddr) -> Result<Arc<Service>> {
    let words = load_words(settings)?;
    let line = match &settings.sms {
        None => None,
        Some(s) => Some(Line {
            sms: Sms::new(s.service.clone())?,
            rate_per_second: s.rate_per_second,
            max_per_day: s.max_per_day,
            settle: s.settle,
            look_again: s.look_again,
            only_to: s.only_to.clone(),
            public_url: settings.public_url(listen),
        }),
    };
    Ok(Service::new(db, clock, words, line, settings.sender()))
}

/// A running program.
pub struct Running {
    /// The parts.
    pub svc: Arc<Service>,
    /// Where hooks and health listen.
    pub listen: SocketAddr,
    /// Where the desk listens, if it does.
    pub desk: Option<SocketAddr>,
    stop: CancellationToken,
    failed: CancellationToken,
    tasks: TaskTracker,
    worker: Option<Arc<Worker>>,
}

/// What to start.
pub struct Start {
    /// Receive, answer hooks and show the desk; without it only scan and send.
    pub serve: bool,
    /// More routes for the desk's listener (the practice pages).
    pub more_desk: Option<axum::Router>,
    /// The clock.
    pub clock: Clock,
    /// What the database is for.
    pub purpose: Purpose,
    /// Scan by the schedule; practice scans when its clock moves.
    pub scheduled: bool,
}

/// Starts the loops.
pub async fn start(settings: &Settings, how: Start) -> Result<Running> {
    let db = open_db(settings, Some(how.purpose)).await?;
    let listener = if how.serve { Some(web::listen("web.listen", settings.listen).await?) } else { None };
    let desk = if how.serve { Some(web::listen("web.desk_listen", settings.desk_listen).await?) } else { None };
    let listen = listener.as_ref().map_or(Ok(settings.listen), |l| l.local_addr())?;
    let svc = build(settings, db, how.clock, listen)?;
    let now = svc.clock.now();
    if svc.line.is_some() {
        try_mended_channels(&svc).await?;
    } else {
        tracing::warn!("no texting service is set ([sms] in courtesy.toml): nothing will be sent");
    }
    for unused in &settings.unused {
        tracing::warn!("{unused}");
    }
    let worker = Arc::new(Worker::register(&svc.db, now, how.serve).await?);
    let mut running =
        Running { svc: svc.clone(), listen, desk: None, stop: CancellationToken::new(), failed: CancellationToken::new(), tasks: TaskTracker::new(), worker: Some(worker.clone()) };
    if how.scheduled {
        svc.pulse.watch("scan");
        running.spawn("scan", scan_loop(svc.clone(), settings.scan.clone(), running.stop.clone()));
    }
    if svc.line.is_some() {
        svc.pulse.watch("deliver");
        svc.pulse.watch("reconcile");
        running.spawn("deliver", Engine::new(svc.clone(), worker.id.clone()).run(running.stop.clone()));
        running.spawn("reconcile", reconcile_loop(svc.clone(), worker.id.clone(), running.stop.clone()));
    }
    running.spawn("beat", beat_loop(svc.clone(), worker.clone(), how.serve, running.stop.clone()));
    if let (Some(listener), Some(desk)) = (listener, desk) {
        svc.pulse.watch("receive");
        let (receiver, stop) = (svc.clone(), running.stop.clone());
        running.spawn("receive", async move { receive::run(&receiver, stop).await });
        let router = web::hooks::router(svc.clone()).merge(web::health::router(svc.clone()));
        running.tasks.spawn(web::serve(listener, router, running.stop.clone()));
        running.desk = Some(desk.local_addr()?);
        let router = web::board::router(svc.clone(), running.stop.clone()).merge(web::health::metrics_router(svc.clone())).merge(web::health::router(svc.clone()));
        let router = how.more_desk.into_iter().fold(router, axum::Router::merge).layer(axum::middleware::from_fn(web::board::only_from_this_machine));
        running.tasks.spawn(web::serve(desk, router, running.stop.clone()));
    }
    Ok(running)
}

impl Running {
    fn spawn(&self, name: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        let (stop, failed) = (self.stop.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            if let Err(e) = work.await {
                tracing::error!("{name}: {e:#}; the program ends, what is open will be looked up after the next start");
                failed.cancel();
                stop.cancel();
            }
        });
    }

    /// Ends when the program begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Ends when one of the loops has failed.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Stops in order: open requests are finished for at most ten seconds.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(Span::from_secs(12), self.tasks.wait()).await;
        if let Some(worker) = self.worker.take().and_then(Arc::into_inner) {
            let _ = worker.leave(&self.svc.db).await;
        }
        self.svc.db.close().await;
        if self.failed.is_cancelled() { bail!("it ended because something failed; the log says what") } else { Ok(()) }
    }

    /// Runs until SIGTERM or SIGINT, or until a loop fails.
    pub async fn until_signal(self) -> Result<()> {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("signals cannot be heard")?;
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = self.failed() => {}
        }
        self.stop().await
    }
}

async fn scan_loop(svc: Arc<Service>, schedule: cron::Schedule, stop: CancellationToken) -> Result<()> {
    let mut due = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        // A clock that went back must not make the next tick wait for it.
        let next = schedule.after(&now).next();
        if now >= due || next.is_some_and(|n| n + Duration::seconds(1) < due) {
            match plan::scan(&svc, now).await {
                Ok(_) => due = next.unwrap_or(now + Duration::minutes(1)),
                Err(e) => {
                    // A scan remembers nothing: the next one does all of it.
                    tracing::warn!("nothing can be planned just now: {e:#}");
                    tokio::time::sleep(Span::from_secs(1)).await;
                    continue;
                }
            }
        }
        svc.pulse.tick("scan");
        let pause = (due - svc.clock.now()).to_std().unwrap_or_default().clamp(Span::from_millis(5), Span::from_secs(1));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

async fn reconcile_loop(svc: Arc<Service>, worker: String, stop: CancellationToken) -> Result<()> {
    while !stop.is_cancelled() {
        if let Err(e) = reconcile::round(&svc, &worker).await {
            // Another process may have adopted the same one a moment ago; the next round sees it.
            tracing::warn!("a round of looking up did not end: {e:#}");
        }
        svc.pulse.tick("reconcile");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(Span::from_secs(1)) => {}
        }
    }
    Ok(())
}

async fn beat_loop(svc: Arc<Service>, worker: Arc<Worker>, receives: bool, stop: CancellationToken) -> Result<()> {
    let began = Instant::now();
    let mut watch = ClockWatch::new(svc.clock.now(), began.elapsed());
    // Since when nobody may have listened.
    let mut since = match workers::last_receiving_beat(&svc.db, &worker.id).await? {
        Some(beat) => beat,
        None => svc.clock.now() - FIRST_LISTING,
    };
    let mut list_at = Some(Instant::now());
    let mut last_beat = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        if now - last_beat > GAP {
            since = since.min(last_beat);
            list_at = Some(Instant::now());
        }
        if receives && svc.line.is_some() && !svc.clock.is_practice() && list_at.is_some_and(|t| Instant::now() >= t) {
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
        let pause = list_at.map_or(BEAT, |t| t.saturating_duration_since(Instant::now()).clamp(Span::from_millis(200), BEAT));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(if receives && svc.line.is_some() && !svc.clock.is_practice() { pause } else { BEAT }) => {}
        }
    }
    Ok(())
}

/// A process whose clock cannot be trusted stops sending and says so; it goes on when the clock is right again.
async fn check_clock(svc: &Service, watch: &mut ClockWatch, elapsed: Span, now: DateTime<Utc>) -> Result<()> {
    if svc.clock.is_practice() {
        return Ok(());
    }
    let mut why =
        watch.jumped(now, elapsed).map(|off| format!("clock: it jumped by {} s; sending stands still until it is right or the program is started again", off.num_seconds()));
    if let Some(theirs) = svc.db.clock().await?
        && (theirs - now).abs() > CLOCK_DIFFERS
    {
        why = Some(format!("clock: it differs from the database's by {} s; sending stands still", (now - theirs).num_seconds()));
    }
    if why != svc.pulse.stopped() {
        if let Some(why) = &why {
            tracing::error!("{why}");
        }
        svc.pulse.stop(why);
    }
    Ok(())
}

/// A channel that was refused as a whole is tried again when its settings have changed.
async fn try_mended_channels(svc: &Service) -> Result<()> {
    let Some(line) = &svc.line else { return Ok(()) };
    let mut tx = svc.db.begin().await?;
    if centres::restart_channels(&mut tx, Some(&line.sms.fingerprint())).await? > 0 {
        tracing::info!("the settings of the texting service have changed: it is tried again");
    }
    tx.commit().await
}

/// Scans and sends until nothing is due and no attempt is open, or until `stop`: then open requests are finished for
/// at most ten seconds. Gives how many texts stay because of a hold.
pub async fn until_idle(settings: &Settings, clock: Clock, stop: CancellationToken) -> Result<i64> {
    let db = open_db(settings, Some(Purpose::Service)).await?;
    let svc = build(settings, db, clock, settings.listen)?;
    let worker = Worker::register(&svc.db, svc.clock.now(), false).await?;
    try_mended_channels(&svc).await?;
    check_clock(&svc, &mut ClockWatch::new(svc.clock.now(), Span::ZERO), Span::ZERO, svc.clock.now()).await?;
    if let Some(why) = svc.pulse.stopped() {
        bail!(why);
    }
    let mut engine = Engine::new(svc.clone(), worker.id.clone());
    loop {
        if stop.is_cancelled() {
            engine.finish().await?;
            worker.leave(&svc.db).await?;
            svc.db.close().await;
            return Ok(0);
        }
        // What is planned is sent while the rest is planned.
        let planner = svc.clone();
        let planning = tokio::spawn(async move { plan::scan(&planner, planner.clock.now()).await });
        while !planning.is_finished() {
            engine.run_until_idle(&stop).await?;
            tokio::time::sleep(Span::from_millis(5)).await;
        }
        planning.await.context("planning ended badly")??;
        engine.run_until_idle(&stop).await?;
        let open = reconcile::round(&svc, &worker.id).await?;
        let load = crate::store::messages::load(&svc.db, svc.clock.now()).await?;
        if svc.line.is_none() && load.open > 0 {
            bail!("{} attempts are open and no texting service is set to ask ([sms] in courtesy.toml)", load.open);
        }
        let asks = sessions::next_ask(&svc.db).await?.is_some_and(|t| t <= svc.clock.now());
        let stopped = svc.line.is_none() || !centres::stopped_channels(&svc.db).await?.is_empty();
        if !asks && load.open == 0 && open == 0 && (load.due == 0 || stopped || engine.daily_limit_reached()) && !load.soon(svc.clock.now()) {
            worker.leave(&svc.db).await?;
            svc.db.close().await;
            if svc.line.is_none() && load.due > 0 {
                bail!("{} texts are due and no texting service is set ([sms] in courtesy.toml)", load.due);
            }
            if stopped && load.due > 0 {
                bail!("{} texts are due and the texting service refuses us; `courtesy check` says why", load.due);
            }
            if engine.daily_limit_reached() && load.due > 0 {
                bail!("{} texts are due and sms.max_per_day is reached; they wait until tomorrow", load.due);
            }
            return Ok(load.held);
        }
        tokio::time::sleep(Span::from_millis(100)).await;
    }
}
