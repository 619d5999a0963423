//! Builds the parts from the settings, starts the loops, and stops them in order.

mod idle;
mod lines;
mod loops;

pub use crate::app::idle::until_idle;
pub use crate::app::lines::lines;
use crate::app::lines::{LineLoops, follow_senders, try_mended_channels};
use crate::app::loops::{Loops, beat_loop, reconcile_loop, scan_loop};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::receive;
use crate::flows::service::Service;
use crate::store::workers::Worker;
use crate::store::{Db, centres};
use crate::templates::Templates;
use crate::web;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// What a database is for: practice and real families are never in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Real families.
    Service,
    /// Practice.
    Practice,
}

/// Opens the database of the settings for a command that writes.
pub async fn open_db(settings: &Settings, purpose: Option<Purpose>) -> Result<Db> {
    let db = Db::open(&settings.database_url).await?;
    db.migrate().await?;
    if let Some(purpose) = purpose {
        let word = if purpose == Purpose::Practice {
            "practice"
        } else {
            "service"
        };
        let stands = centres::set_once(&db, "purpose", word).await?;
        if stands != word {
            match purpose {
                Purpose::Practice => bail!(
                    "this database has served real families; practise in another folder (--dir)"
                ),
                Purpose::Service => {
                    bail!("this database is for practice; name another one in database.url")
                }
            }
        }
    }
    Ok(db)
}

/// Loads the words, with every problem of the templates at once.
pub fn load_words(settings: &Settings) -> Result<Templates> {
    Templates::load(settings.templates.as_deref()).map_err(|problems| {
        let mut text = String::from("the message templates cannot be used:");
        for p in problems {
            let _ = write!(text, "\n  {p}");
        }
        anyhow::anyhow!(text)
    })
}

/// Puts the service together on an open database. `listen` is where the hooks really listen.
pub async fn build(
    settings: &Settings,
    db: Db,
    clock: Clock,
    listen: SocketAddr,
) -> Result<Arc<Service>> {
    let words = load_words(settings)?;
    let lines = lines(settings, &centres::all(&db).await?, listen)?;
    Ok(Service::new(
        db,
        clock,
        words,
        lines,
        settings.alert_to.clone(),
    ))
}

/// A running program.
pub struct Running {
    /// The parts.
    pub svc: Arc<Service>,
    /// Where hooks and health listen.
    pub listen: SocketAddr,
    /// Where the desk listens, if it does.
    pub desk: Option<SocketAddr>,
    loops: Loops,
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
    // The lists of words are read beside everything else, so that the first message does not wait
    // for them.
    std::thread::spawn(crate::domain::replies::understanding::load_lists);
    let db = open_db(settings, Some(how.purpose)).await?;
    let listener = if how.serve {
        Some(web::listen("web.listen", settings.listen).await?)
    } else {
        None
    };
    let desk = if how.serve {
        Some(web::listen("web.desk_listen", settings.desk_listen).await?)
    } else {
        None
    };
    let listen = listener
        .as_ref()
        .map_or(Ok(settings.listen), |l| l.local_addr())?;
    let svc = build(settings, db, how.clock, listen).await?;
    let now = svc.clock.now();
    follow_senders(&svc).await?;
    try_mended_channels(&svc).await?;
    if svc.lines().all().is_empty() {
        tracing::warn!("no texting service is set ([sms] in courtesy.toml): nothing will be sent");
    }
    for unused in &settings.unused {
        tracing::warn!("{unused}");
    }
    let worker = Arc::new(Worker::register(&svc.db, now, how.serve).await?);
    let loops = Loops::new();
    let mut running = Running {
        svc: svc.clone(),
        listen,
        desk: None,
        loops: loops.clone(),
        worker: Some(worker.clone()),
    };
    if how.scheduled {
        svc.liveness.watch("scan");
        loops.spawn(
            "scan",
            scan_loop(svc.clone(), settings.scan.clone(), loops.stop.clone()),
        );
    }
    if !svc.lines().all().is_empty() {
        svc.liveness.watch("deliver");
        if how.serve && svc.lines().all().iter().any(|l| l.telegram().is_some()) {
            svc.liveness.watch("telegram");
        }
    }
    svc.liveness.watch("reconcile");
    loops.spawn(
        "reconcile",
        reconcile_loop(svc.clone(), worker.id.clone(), loops.stop.clone()),
    );
    let mut runs = LineLoops {
        svc: svc.clone(),
        settings: settings.clone(),
        listen,
        worker: worker.id.clone(),
        receives: how.serve,
        loops: loops.clone(),
        running: BTreeMap::new(),
    };
    runs.follow();
    loops.spawn("lines", async move { runs.run().await });
    loops.spawn(
        "beat",
        beat_loop(svc.clone(), worker.clone(), how.serve, loops.stop.clone()),
    );
    if let (Some(listener), Some(desk)) = (listener, desk) {
        svc.liveness.watch("receive");
        let (receiver, stop) = (svc.clone(), loops.stop.clone());
        loops.spawn(
            "receive",
            async move { receive::run(&receiver, stop).await },
        );
        let router = web::hooks::router(svc.clone()).merge(web::health::router(svc.clone()));
        loops
            .tasks
            .spawn(web::serve(listener, router, loops.stop.clone()));
        running.desk = Some(desk.local_addr()?);
        let router = web::desk::board::router(svc.clone(), loops.stop.clone())
            .merge(web::health::metrics_router(svc.clone()))
            .merge(web::health::router(svc.clone()));
        let router = how
            .more_desk
            .into_iter()
            .fold(router, axum::Router::merge)
            .layer(axum::middleware::from_fn(
                web::desk::board::only_from_this_machine,
            ));
        loops
            .tasks
            .spawn(web::serve(desk, router, loops.stop.clone()));
    }
    Ok(running)
}

impl Running {
    /// Ends when the program begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.loops.stop.clone()
    }

    /// Ends when one of the loops has failed.
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
            bail!("it ended because something failed; the log says what")
        } else {
            Ok(())
        }
    }

    /// Runs until SIGTERM or SIGINT, or until a loop fails.
    pub async fn until_signal(self) -> Result<()> {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("signals cannot be heard")?;
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = self.failed() => {}
        }
        self.stop().await
    }
}
