//! Starts the loops and the listeners, and stops them in order.

use crate::app::build::build;
use crate::app::database::{Purpose, open_db};
use crate::app::line_loops::{LineLoops, follow_senders, retry_fixed_channels};
use crate::app::loops::{Loops, heartbeat_loop, reconcile_loop, scan_loop};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::receive;
use crate::flows::service::Service;
use crate::store::workers::Worker;
use crate::web;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration as Span;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub struct Running {
    pub svc: Arc<Service>,
    /// Where webhooks and health checks listen.
    pub listen: SocketAddr,
    /// Where the desk listens, if it does.
    pub desk: Option<SocketAddr>,
    loops: Loops,
    worker: Option<Arc<Worker>>,
}

pub struct Start {
    /// Whether to receive, answer webhooks and show the desk. Without it the program only scans and
    /// sends.
    pub serve: bool,
    /// More routes for the desk's listener, such as the simulator's pages.
    pub more_desk: Option<axum::Router>,
    pub clock: Clock,
    /// What the database is for.
    pub purpose: Purpose,
    /// Whether to scan by the schedule. The simulator scans when its clock moves.
    pub scheduled: bool,
}

/// The open sockets of a program that serves.
struct Listeners {
    hooks: TcpListener,
    desk: TcpListener,
}

pub async fn start(settings: &Settings, how: Start) -> Result<Running> {
    // The word lists load in the background, so that the first message does not wait for them.
    std::thread::spawn(crate::domain::replies::understanding::load_lists);
    let db = open_db(settings, Some(how.purpose)).await?;
    let listeners = if how.serve {
        Some(Listeners {
            hooks: web::listen("web.listen", settings.listen).await?,
            desk: web::listen("web.desk_listen", settings.desk_listen).await?,
        })
    } else {
        None
    };
    let listen = listeners
        .as_ref()
        .map_or(Ok(settings.listen), |l| l.hooks.local_addr())?;
    let svc = build(settings, db, how.clock, listen).await?;
    let now = svc.clock.now();
    follow_senders(&svc).await?;
    retry_fixed_channels(&svc).await?;
    warn_about_settings(settings, &svc);
    let worker = Arc::new(Worker::register(&svc.db, now, how.serve).await?);
    watch_loops(&svc, how.serve, how.scheduled);
    let line_loops = LineLoops {
        svc: svc.clone(),
        settings: settings.clone(),
        listen,
        worker: worker.id.clone(),
        receives: how.serve,
        loops: Loops::new(),
        running: BTreeMap::new(),
    };
    let mut running = Running {
        svc,
        listen,
        desk: None,
        loops: line_loops.loops.clone(),
        worker: Some(worker.clone()),
    };
    if how.scheduled {
        running.scan_by(settings.scan.clone());
    }
    spawn_loops(line_loops, worker);
    if let Some(listeners) = listeners {
        running.desk = Some(listeners.desk.local_addr()?);
        running.serve(listeners, how.more_desk);
    }
    Ok(running)
}

fn warn_about_settings(settings: &Settings, svc: &Service) {
    if svc.lines().all().is_empty() {
        tracing::warn!("no texting service is set ([sms] in courtesy.toml): nothing will be sent");
    }
    for unused in &settings.unused {
        tracing::warn!("{unused}");
    }
}

/// Spawns the loops that every process runs.
fn spawn_loops(mut lines: LineLoops, worker: Arc<Worker>) {
    let (svc, loops, receives) = (lines.svc.clone(), lines.loops.clone(), lines.receives);
    loops.spawn(
        "reconcile",
        reconcile_loop(svc.clone(), worker.id.clone(), loops.stop.clone()),
    );
    lines.follow();
    loops.spawn("lines", async move { lines.run().await });
    loops.spawn(
        "beat",
        heartbeat_loop(svc, worker, receives, loops.stop.clone()),
    );
}

/// Names the loops that must keep ticking for the program to be healthy.
fn watch_loops(svc: &Service, serve: bool, scheduled: bool) {
    let lines = svc.lines();
    let has_bot = lines.all().iter().any(|l| l.telegram().is_some());
    for (name, runs) in [
        ("scan", scheduled),
        ("deliver", !lines.all().is_empty()),
        ("telegram", serve && has_bot),
        ("reconcile", true),
        ("receive", serve),
    ] {
        if runs {
            svc.liveness.watch(name);
        }
    }
}

impl Running {
    fn scan_by(&self, schedule: cron::Schedule) {
        let (svc, stop) = (self.svc.clone(), self.loops.stop.clone());
        self.loops.spawn("scan", scan_loop(svc, schedule, stop));
    }

    /// Applies what comes in, and serves webhooks and the desk.
    fn serve(&self, listeners: Listeners, more_desk: Option<axum::Router>) {
        let (receiver, stop) = (self.svc.clone(), self.loops.stop.clone());
        self.loops.spawn(
            "receive",
            async move { receive::run(&receiver, stop).await },
        );
        let health = web::health::router(self.svc.clone());
        let hooks = web::hooks::router(self.svc.clone()).merge(health.clone());
        let desk = web::desk::board::router(self.svc.clone(), self.loops.stop.clone())
            .merge(web::health::metrics_router(self.svc.clone()))
            .merge(health);
        let desk =
            more_desk
                .into_iter()
                .fold(desk, axum::Router::merge)
                .layer(axum::middleware::from_fn(
                    web::desk::access::only_from_this_machine,
                ));
        for (listener, router) in [(listeners.hooks, hooks), (listeners.desk, desk)] {
            let stop = self.loops.stop.clone();
            self.loops.tasks.spawn(web::serve(listener, router, stop));
        }
    }

    /// Ends when the program begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.loops.stop.clone()
    }

    /// Ends when a loop has failed.
    pub async fn failed(&self) {
        self.loops.failed.cancelled().await;
    }

    /// Stops in order: open requests are finished for at most ten seconds.
    pub async fn stop(mut self) -> Result<()> {
        self.loops.stop.cancel();
        self.loops.tasks.close();
        let _ = tokio::time::timeout(Span::from_secs(12), self.loops.tasks.wait()).await;
        if let Some(worker) = self.worker.take().and_then(Arc::into_inner) {
            let _ = worker.leave(&self.svc.db).await;
        }
        self.svc.db.close().await;
        if self.loops.failed.is_cancelled() {
            bail!("the program ended because something failed; see the log")
        } else {
            Ok(())
        }
    }

    /// Runs until SIGTERM or SIGINT, or until a loop fails.
    pub async fn until_signal(self) -> Result<()> {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("cannot listen for signals")?;
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = self.failed() => {}
        }
        self.stop().await
    }
}
