//! Builds the parts from the settings, starts the loops, and stops them in order.

use crate::channels::sms::Sms;
use crate::channels::telegram::{self, Telegram, TelegramSettings};
use crate::clock::Clock;
use crate::config::{Settings, SmsSection, WhatsappSection};
use crate::domain::person::Channel;
use crate::domain::whatsapp::ContentSids;
use crate::flows::deliver::Engine;
use crate::flows::lines::{Line, Lines, Wire};
use crate::flows::pulse::ClockWatch;
use crate::flows::{Service, chats, plan, receive, reconcile};
use crate::store::centres::Centres;
use crate::store::workers::{self, Worker};
use crate::store::{Db, centres, inbox, outbox, sessions};
use crate::web;
use crate::words::Words;
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
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
/// Telegram takes about thirty messages a second from a bot.
const CHATS_A_SECOND: u32 = 25;
/// A message to a chat whose process is gone is given up to a person after this.
const CHAT_SETTLES: Span = Span::from_secs(5);
/// How often the centres' files are looked at for senders of their own.
const LOOK_AT_CENTRES: Span = Span::from_millis(1000);
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

/// The lines of the program and of the centres that have senders of their own.
pub fn lines(settings: &Settings, centres: &Centres, listen: SocketAddr) -> Result<Lines> {
    let public_url = settings.public_url(listen);
    let mut own_sms: BTreeMap<String, (SmsSection, Vec<String>)> = BTreeMap::new();
    let mut own_whatsapp: BTreeMap<String, (WhatsappSection, Vec<String>)> = BTreeMap::new();
    let mut own_bots: BTreeMap<String, (TelegramSettings, Vec<String>)> = BTreeMap::new();
    for (code, stored) in centres {
        let own = settings.own_senders(&stored.centre).map_err(|p| anyhow::anyhow!("the senders of centre {code} cannot be used: {}", p[0]))?;
        // A centre that names the program's own sender has no line of its own.
        let common = |mine: &str, theirs: Option<&str>| theirs == Some(mine);
        if let Some(sms) = own.sms.filter(|s| !common(s.service.sender.as_str(), settings.sms.as_ref().map(|c| c.service.sender.as_str()))) {
            own_sms.entry(sms.service.sender.as_str().to_owned()).or_insert_with(|| (sms, Vec::new())).1.push(code.clone());
        }
        if let Some(w) = own.whatsapp.filter(|w| !common(w.sms.service.sender.as_str(), settings.whatsapp.as_ref().map(|c| c.sms.service.sender.as_str()))) {
            own_whatsapp.entry(w.sms.service.sender.as_str().to_owned()).or_insert_with(|| (w, Vec::new())).1.push(code.clone());
        }
        if let Some(bot) = own.telegram.filter(|b| !common(telegram::id_of(&b.bot_token), settings.telegram.as_ref().map(|c| telegram::id_of(&c.bot_token)))) {
            own_bots.entry(telegram::id_of(&bot.bot_token).to_owned()).or_insert_with(|| (bot, Vec::new())).1.push(code.clone());
        }
    }
    let mut out = Vec::new();
    let with_own: Vec<String> = own_sms.values().flat_map(|(_, c)| c.clone()).collect();
    for (sms, centres) in settings.sms.iter().map(|s| (s, None)).chain(own_sms.values().map(|(s, c)| (s, Some(c.clone())))) {
        out.push(text_line(Channel::Sms, sms, ContentSids::new(), centres, &with_own, &public_url)?);
    }
    let with_own: Vec<String> = own_whatsapp.values().flat_map(|(_, c)| c.clone()).collect();
    for (w, centres) in settings.whatsapp.iter().map(|w| (w, None)).chain(own_whatsapp.values().map(|(w, c)| (w, Some(c.clone())))) {
        out.push(text_line(Channel::Whatsapp, &w.sms, w.content.clone(), centres, &with_own, &public_url)?);
    }
    let with_own: Vec<String> = own_bots.values().flat_map(|(_, c)| c.clone()).collect();
    for (bot, centres) in settings.telegram.iter().map(|b| (b, None)).chain(own_bots.values().map(|(b, c)| (b, Some(c.clone())))) {
        out.push(Line {
            channel: Channel::Telegram,
            sender: telegram::id_of(&bot.bot_token).to_owned(),
            wire: Wire::Telegram(Telegram::new(bot.clone())?),
            not: if centres.is_none() { with_own.clone() } else { Vec::new() },
            centres,
            rate_per_second: CHATS_A_SECOND,
            max_per_day: 0,
            settle: CHAT_SETTLES,
            look_again: CHAT_SETTLES,
            only_to: Vec::new(),
            public_url: public_url.clone(),
            content: ContentSids::new(),
        });
    }
    let secrets: Vec<&str> = settings.telegram.iter().chain(own_bots.values().map(|(b, _)| b)).filter_map(TelegramSettings::secret).collect();
    if secrets.iter().enumerate().any(|(i, s)| secrets[..i].contains(s)) {
        bail!("telegram.webhook_secret: two bots have the same one, so nobody could tell them apart; choose another for each");
    }
    Ok(Lines::new(out))
}

/// A line of the texting service: for texts or for WhatsApp, for all centres without one of their own or for some.
fn text_line(channel: Channel, sms: &SmsSection, content: ContentSids, centres: Option<Vec<String>>, with_own: &[String], public_url: &str) -> Result<Line> {
    Ok(Line {
        channel,
        sender: sms.service.sender.as_str().to_owned(),
        wire: Wire::Sms(Sms::new(sms.service.clone())?),
        not: if centres.is_none() { with_own.to_vec() } else { Vec::new() },
        centres,
        rate_per_second: sms.rate_per_second,
        max_per_day: sms.max_per_day,
        settle: sms.settle,
        look_again: sms.look_again,
        only_to: sms.only_to.clone(),
        public_url: public_url.to_owned(),
        content,
    })
}

/// Follows a change of senders: who said STOP to a centre's old sender has said it to the new one, and what waits on a channel that has
/// no line any more goes to one that has.
async fn follow_senders(svc: &Service) -> Result<()> {
    let lines = svc.lines();
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    for centre in centres::all_in(&mut tx).await?.keys() {
        let channels = [Channel::Sms, Channel::Telegram, Channel::Whatsapp];
        for channel in channels {
            let Some(line) = lines.of(centre, channel) else {
                if let Some(other) = channels.into_iter().find(|c| lines.of(centre, *c).is_some()) {
                    outbox::move_channel(&mut tx, centre, channel, other).await?;
                }
                continue;
            };
            let key = format!("sender/{centre}/{channel}");
            let before = centres::setting(&svc.db, &key).await?;
            if before.as_deref() != Some(&line.sender) {
                if let Some(old) = &before {
                    inbox::carry_opt_outs(&mut tx, now, centre, channel, old, &line.sender).await?;
                }
                centres::set(&mut tx, &key, &line.sender).await?;
            }
        }
    }
    tx.commit().await
}

/// Puts the service together on an open database. `listen` is where the hooks really listen.
pub async fn build(settings: &Settings, db: Db, clock: Clock, listen: SocketAddr) -> Result<Arc<Service>> {
    let words = load_words(settings)?;
    let lines = lines(settings, &centres::all(&db).await?, listen)?;
    Ok(Service::new(db, clock, words, lines, settings.alert_to.clone()))
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

/// The loops of a program: one that fails ends them all.
#[derive(Clone)]
struct Loops {
    stop: CancellationToken,
    failed: CancellationToken,
    tasks: TaskTracker,
}

impl Loops {
    fn new() -> Loops {
        Loops { stop: CancellationToken::new(), failed: CancellationToken::new(), tasks: TaskTracker::new() }
    }

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
    // The lists of words are read beside everything else, so that the first message does not wait for them.
    std::thread::spawn(crate::domain::understand::get_ready);
    let db = open_db(settings, Some(how.purpose)).await?;
    let listener = if how.serve { Some(web::listen("web.listen", settings.listen).await?) } else { None };
    let desk = if how.serve { Some(web::listen("web.desk_listen", settings.desk_listen).await?) } else { None };
    let listen = listener.as_ref().map_or(Ok(settings.listen), |l| l.local_addr())?;
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
    let mut running = Running { svc: svc.clone(), listen, desk: None, loops: loops.clone(), worker: Some(worker.clone()) };
    if how.scheduled {
        svc.pulse.watch("scan");
        loops.spawn("scan", scan_loop(svc.clone(), settings.scan.clone(), loops.stop.clone()));
    }
    if !svc.lines().all().is_empty() {
        svc.pulse.watch("deliver");
        if how.serve && svc.lines().all().iter().any(|l| l.telegram().is_some()) {
            svc.pulse.watch("telegram");
        }
    }
    svc.pulse.watch("reconcile");
    loops.spawn("reconcile", reconcile_loop(svc.clone(), worker.id.clone(), loops.stop.clone()));
    let mut runs =
        LineLoops { svc: svc.clone(), settings: settings.clone(), listen, worker: worker.id.clone(), receives: how.serve, loops: loops.clone(), running: BTreeMap::new() };
    runs.follow();
    loops.spawn("lines", async move { runs.run().await });
    loops.spawn("beat", beat_loop(svc.clone(), worker.clone(), how.serve, loops.stop.clone()));
    if let (Some(listener), Some(desk)) = (listener, desk) {
        svc.pulse.watch("receive");
        let (receiver, stop) = (svc.clone(), loops.stop.clone());
        loops.spawn("receive", async move { receive::run(&receiver, stop).await });
        let router = web::hooks::router(svc.clone()).merge(web::health::router(svc.clone()));
        loops.tasks.spawn(web::serve(listener, router, loops.stop.clone()));
        running.desk = Some(desk.local_addr()?);
        let router = web::board::router(svc.clone(), loops.stop.clone()).merge(web::health::metrics_router(svc.clone())).merge(web::health::router(svc.clone()));
        let router = how.more_desk.into_iter().fold(router, axum::Router::merge).layer(axum::middleware::from_fn(web::board::only_from_this_machine));
        loops.tasks.spawn(web::serve(desk, router, loops.stop.clone()));
    }
    Ok(running)
}

/// The loops of each line, begun and ended as the centres' files say.
struct LineLoops {
    svc: Arc<Service>,
    settings: Settings,
    listen: SocketAddr,
    worker: String,
    receives: bool,
    loops: Loops,
    /// By name: what the line was made of, and what ends its loops.
    running: BTreeMap<String, (String, CancellationToken)>,
}

impl LineLoops {
    /// Begins the loops of new lines and ends those of lines that are gone or were changed.
    fn follow(&mut self) {
        let lines = self.svc.lines();
        let made_of = |l: &Line| {
            format!("{} {:?} {:?} {} {} {:?} {:?} {:?} {:?}", l.fingerprint(), l.centres, l.not, l.rate_per_second, l.max_per_day, l.settle, l.look_again, l.only_to, l.content)
        };
        let wanted: BTreeMap<String, String> = lines.all().iter().map(|l| (l.name(), made_of(l))).collect();
        self.running.retain(|name, (of, token)| {
            let stays = wanted.get(name) == Some(of);
            if !stays {
                token.cancel();
            }
            stays
        });
        for line in lines.all() {
            if self.running.contains_key(&line.name()) {
                continue;
            }
            let token = self.loops.stop.child_token();
            let engine = Engine::new(self.svc.clone(), line.clone(), self.worker.clone());
            self.loops.spawn("deliver", engine.run(token.clone()));
            if self.receives && line.telegram().is_some() {
                self.loops.spawn("telegram", chats::poll(self.svc.clone(), line.clone(), token.clone()));
                self.loops.spawn("errands", chats::run_errands(self.svc.clone(), line.clone(), token.clone()));
            }
            self.running.insert(line.name(), (made_of(line), token));
        }
    }

    async fn run(mut self) -> Result<()> {
        let mut seen = centres::last_change(&self.svc.db).await.unwrap_or(None);
        let mut said = None;
        while !self.loops.stop.is_cancelled() {
            tokio::select! {
                () = self.loops.stop.cancelled() => break,
                () = tokio::time::sleep(LOOK_AT_CENTRES) => {}
            }
            let Ok(changed) = centres::last_change(&self.svc.db).await else { continue };
            if changed == seen {
                continue;
            }
            let now_set = async { lines(&self.settings, &centres::all(&self.svc.db).await?, self.listen) };
            match now_set.await {
                Ok(lines) => {
                    self.svc.set_lines(lines);
                    if let Err(e) = async {
                        follow_senders(&self.svc).await?;
                        try_mended_channels(&self.svc).await
                    }
                    .await
                    {
                        tracing::warn!("a change of senders was not followed yet: {e:#}");
                        continue;
                    }
                    self.follow();
                    seen = changed;
                }
                Err(e) if said != changed => {
                    tracing::error!("{e:#}; the lines stay as they were");
                    said = changed;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
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
        if self.loops.failed.is_cancelled() { bail!("it ended because something failed; the log says what") } else { Ok(()) }
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
    if svc.clock.now() - since > GAP {
        svc.pulse.was_away(since);
    }
    let mut list_at = Some(Instant::now());
    let mut last_beat = svc.clock.now();
    while !stop.is_cancelled() {
        let now = svc.clock.now();
        if now - last_beat > GAP {
            since = since.min(last_beat);
            svc.pulse.was_away(last_beat);
            list_at = Some(Instant::now());
        }
        if receives && has_sms(&svc) && !svc.clock.is_practice() && list_at.is_some_and(|t| Instant::now() >= t) {
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
            () = tokio::time::sleep(if receives && has_sms(&svc) && !svc.clock.is_practice() { pause } else { BEAT }) => {}
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
    let mut tx = svc.db.begin().await?;
    for line in svc.lines().all() {
        if centres::restart_if_mended(&mut tx, &line.name(), &line.fingerprint()).await? > 0 {
            tracing::info!("the settings of {} have changed: it is tried again", line.in_words());
        }
    }
    tx.commit().await
}

fn has_sms(svc: &Service) -> bool {
    svc.lines().all().iter().any(|l| l.sms().is_some())
}

/// Scans and sends until nothing is due and no attempt is open, or until `stop`: then open requests are finished for
/// at most ten seconds. Gives how many texts stay because of a hold.
pub async fn until_idle(settings: &Settings, clock: Clock, stop: CancellationToken) -> Result<i64> {
    let db = open_db(settings, Some(Purpose::Service)).await?;
    let svc = build(settings, db, clock, settings.listen).await?;
    let worker = Worker::register(&svc.db, svc.clock.now(), false).await?;
    follow_senders(&svc).await?;
    try_mended_channels(&svc).await?;
    check_clock(&svc, &mut ClockWatch::new(svc.clock.now(), Span::ZERO), Span::ZERO, svc.clock.now()).await?;
    if let Some(why) = svc.pulse.stopped() {
        bail!(why);
    }
    let mut engines: Vec<Engine> = svc.lines().all().iter().map(|l| Engine::new(svc.clone(), l.clone(), worker.id.clone())).collect();
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
        let planning = tokio::spawn(async move { plan::scan(&planner, planner.clock.now()).await });
        while !planning.is_finished() {
            run_all_until_idle(&mut engines, &stop).await?;
            tokio::time::sleep(Span::from_millis(5)).await;
        }
        planning.await.context("planning ended badly")??;
        run_all_until_idle(&mut engines, &stop).await?;
        let open = reconcile::round(&svc, &worker.id).await?;
        let load = crate::store::messages::load(&svc.db, svc.clock.now()).await?;
        if svc.lines().all().is_empty() && load.open > 0 {
            bail!("{} attempts are open and no texting service is set to ask ([sms] in courtesy.toml)", load.open);
        }
        let asks = sessions::next_ask(&svc.db).await?.is_some_and(|t| t <= svc.clock.now());
        let no_line = svc.lines().all().is_empty();
        let limit_reached = engines.iter().any(Engine::daily_limit_reached);
        let stopped = no_line || !centres::stopped_channels(&svc.db).await?.is_empty();
        if !asks && load.open == 0 && open == 0 && (load.due == 0 || stopped || limit_reached) && !load.soon(svc.clock.now()) {
            worker.leave(&svc.db).await?;
            svc.db.close().await;
            if no_line && load.due > 0 {
                bail!("{} texts are due and no texting service is set ([sms] in courtesy.toml)", load.due);
            }
            if stopped && load.due > 0 {
                bail!("{} texts are due and the texting service refuses us; `courtesy check` says why", load.due);
            }
            if limit_reached && load.due > 0 {
                bail!("{} texts are due and max_per_day is reached; they wait until tomorrow", load.due);
            }
            return Ok(load.held);
        }
        tokio::time::sleep(Span::from_millis(100)).await;
    }
}

async fn run_all_until_idle(engines: &mut [Engine], stop: &CancellationToken) -> Result<()> {
    for ended in futures::future::join_all(engines.iter_mut().map(|e| e.run_until_idle(stop))).await {
        ended?;
    }
    Ok(())
}
