//! The loop that sends by one line: claim, send, record.
//!
//! The claim, the decision and the intent are one commit. Then the request is made. Its outcome is
//! recorded together with the next claim.

use crate::channels::SendOutcome;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::WorkerId;
use crate::domain::task::TaskKind;
use crate::flows::lines::{Line, Outgoing};
use crate::flows::send::carry_out::{Ready, decide_all};
use crate::flows::send::outcome::{self, LineMeaning, Sent};
use crate::flows::service::Service;
use crate::store::db::is_deadlock;
use crate::store::outbox::{self, Attempt};
use crate::store::sealed::random_id;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, messages};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration as Span, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// No request begins later than this after the commit that decided about it.
const FRESH: Span = Span::from_secs(5);
/// Requests in the air at the same time.
const IN_FLIGHT: usize = 100;
/// The largest claim of a line without a rate.
const BATCH: usize = 2000;
/// Results that are recorded together at most. A kill can leave these in doubt, and what is in the
/// air.
const FLUSH: usize = 256;
/// How long the first result waits for others before they are recorded.
const FLUSH_AFTER: Span = Span::from_millis(3);
/// The outbox is looked at this often while nothing wakes the engine.
const POLL: Span = Span::from_millis(500);
/// The outbox is looked at this often while requests are in the air.
const LOOK: Span = Span::from_millis(20);
/// After this many failures in a row the line rests until a free request succeeds.
const FAILURES: u32 = 5;
/// The longest rest that a provider's `Retry-After` can ask for.
const LONGEST_REST: Span = Span::from_secs(3600);
/// Open requests are finished for this long when the process stops.
const LAST_SECONDS: Span = Span::from_secs(10);

/// A text whose intent is committed and whose request has not begun.
struct Job {
    ready: Ready,
    committed: Instant,
}

/// Sends by one line, for one process.
pub struct Engine {
    svc: Arc<Service>,
    line: Arc<Line>,
    worker: WorkerId,
    backlog: VecDeque<Job>,
    results_in: mpsc::UnboundedReceiver<Sent>,
    results_out: mpsc::UnboundedSender<Sent>,
    /// Results that are not recorded yet, and since when.
    pending: Vec<Sent>,
    pending_since: Option<Instant>,
    in_flight: usize,
    /// Whether the last claim was full, so that more is due.
    more: bool,
    look_at: Option<Instant>,
    next_slot: Instant,
    failures: u32,
    rest_until: Option<Instant>,
    /// The day whose maximum was reached.
    limit_reached_on: Option<String>,
    /// Something else than results and claims was written.
    to_commit: bool,
}

impl Engine {
    /// Sending by a line, for the process with this worker id.
    pub fn new(svc: Arc<Service>, line: Arc<Line>, worker: WorkerId) -> Engine {
        let (results_out, results_in) = mpsc::unbounded_channel();
        Engine {
            svc,
            line,
            worker,
            backlog: VecDeque::new(),
            results_in,
            results_out,
            pending: Vec::new(),
            pending_since: None,
            in_flight: 0,
            more: false,
            look_at: None,
            next_slot: Instant::now(),
            failures: 0,
            rest_until: None,
            limit_reached_on: None,
            to_commit: false,
        }
    }

    /// Sends until `stop`. Then it finishes open requests, for ten seconds at most, and gives back
    /// what has not begun.
    ///
    /// # Errors
    /// The database failed. The process has to end, because it knows something that the database
    /// does not.
    pub async fn run(mut self, stop: CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            if !self.turn().await? {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wait() => {}
                }
            }
        }
        self.finish().await
    }

    /// Sends until nothing is due and nothing of ours is in the air, or until `stop`.
    pub async fn run_until_idle(&mut self, stop: &CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            if !self.turn().await? {
                if self.in_flight == 0 && self.backlog.is_empty() && self.pending.is_empty() {
                    return Ok(());
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wait() => {}
                }
            }
        }
        Ok(())
    }

    /// Whether `max_per_day` is reached.
    pub fn daily_limit_reached(&self) -> bool {
        self.limit_reached_on.is_some()
    }

    /// Waits until there is something to do: a result, a wake-up, a free slot of the rate, or the
    /// next look.
    async fn wait(&mut self) {
        let mut pause = POLL;
        if let Some(since) = self.pending_since {
            pause = pause.min(FLUSH_AFTER.saturating_sub(since.elapsed()));
        }
        if !self.backlog.is_empty() && self.in_flight < IN_FLIGHT {
            pause = pause.min(self.next_slot.saturating_duration_since(Instant::now()));
        }
        let svc = self.svc.clone();
        tokio::select! {
            Some(sent) = self.results_in.recv() => self.take(sent),
            () = svc.wake_deliver.notified(), if self.backlog.is_empty() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    fn take(&mut self, sent: Sent) {
        self.in_flight -= 1;
        self.pending_since.get_or_insert_with(Instant::now);
        self.pending.push(sent);
    }

    /// Gives back what has not begun, and waits for what is in the air.
    pub async fn finish(mut self) -> Result<()> {
        let end = Instant::now() + LAST_SECONDS;
        self.give_back(|_| true);
        while self.in_flight > 0 && Instant::now() < end {
            if let Ok(Some(sent)) =
                tokio::time::timeout_at(end.into(), self.results_in.recv()).await
            {
                self.take(sent);
            }
        }
        if !self.pending.is_empty() {
            self.commit(0).await?;
        }
        Ok(())
    }

    /// Takes these jobs out of the backlog. They never began.
    fn give_back(&mut self, which: impl Fn(&Job) -> bool) {
        let mut kept = VecDeque::with_capacity(self.backlog.len());
        for job in self.backlog.drain(..) {
            if which(&job) {
                let never_begun = SendOutcome::NotSent {
                    error: "it had not begun in time".into(),
                    wait: Some(Span::ZERO),
                };
                self.in_flight += 1; // counted down again when it is gathered
                let _ = self.results_out.send(Sent::new(job.ready, never_begun));
            } else {
                kept.push_back(job);
            }
        }
        self.backlog = kept;
    }

    /// Records what came back, refills the backlog if it is low, and begins what may begin. True if
    /// it did anything.
    async fn turn(&mut self) -> Result<bool> {
        self.svc.liveness.tick("deliver");
        while let Ok(sent) = self.results_in.try_recv() {
            self.take(sent);
        }
        let committed = if self.flush_is_due() {
            self.flush().await?
        } else {
            self.refill().await?
        };
        let resting = self.rest_until.is_some();
        self.give_back(|job| resting || job.committed.elapsed() >= FRESH);
        let began = self.begin_what_may_begin();
        Ok(committed || began)
    }

    /// The most that is claimed at once: what the rate lets leave in four seconds.
    fn batch(&self) -> usize {
        match self.line.rate_per_second as usize {
            0 => BATCH,
            rate => (rate * 4).clamp(1, BATCH),
        }
    }

    fn backlog_is_low(&self) -> bool {
        self.backlog.len() <= self.batch() / 2
    }

    fn flush_is_due(&self) -> bool {
        !self.pending.is_empty()
            && (self.pending.len() >= FLUSH
                || self.in_flight == 0
                || self
                    .pending_since
                    .is_some_and(|since| since.elapsed() >= FLUSH_AFTER))
    }

    /// Records results. The next claim is part of the same commit, so that senders never wait for
    /// the database.
    async fn flush(&mut self) -> Result<bool> {
        let claims = self.backlog_is_low() && self.rest_until.is_none() && self.more;
        let room = if claims {
            self.batch() - self.backlog.len()
        } else {
            0
        };
        self.commit(room).await?;
        Ok(true)
    }

    /// Claims, if the backlog is low. While requests are in the air a look now and then is enough.
    async fn refill(&mut self) -> Result<bool> {
        let look = self.backlog_is_low() && self.look_at.is_none_or(|t| Instant::now() >= t);
        if !look {
            return Ok(false);
        }
        self.look_at = None;
        let mut claimed = false;
        match self.may_claim().await {
            Ok(true) => claimed = self.commit(self.batch() - self.backlog.len()).await?,
            Ok(false) => {}
            Err(e) => {
                tracing::warn!("the outbox cannot be read just now: {e:#}");
                self.look_at = Some(Instant::now() + Span::from_secs(1));
            }
        }
        if self.in_flight > 0 && !self.more && self.look_at.is_none() {
            self.look_at = Some(Instant::now() + LOOK);
        }
        Ok(claimed)
    }

    /// Begins requests, as far as the rate and the number in the air allow.
    fn begin_what_may_begin(&mut self) -> bool {
        let rate = self.line.rate_per_second;
        let mut began = false;
        while self.in_flight < IN_FLIGHT {
            let now = Instant::now();
            if rate > 0 && now < self.next_slot {
                break;
            }
            let Some(job) = self.backlog.pop_front() else {
                break;
            };
            if rate > 0 {
                let slot = Span::from_secs_f64(1.0 / f64::from(rate));
                self.next_slot = self.next_slot.max(now) + slot;
            }
            self.begin(job);
            began = true;
        }
        began
    }

    fn begin(&mut self, job: Job) {
        self.in_flight += 1;
        let line = self.line.clone();
        let results = self.results_out.clone();
        let now = self.svc.clock.now();
        tokio::spawn(async move {
            let Ready {
                attempt,
                buttons,
                content,
                not_after,
                ..
            } = &job.ready;
            let text = Outgoing {
                body: &attempt.body,
                buttons: buttons.clone(),
                content: content.as_ref(),
                valid_for: not_after.map(|t| (t - now).to_std().unwrap_or_default()),
                token: &attempt.token,
            };
            let (address, hash) = &attempt.number;
            let outcome = line.send((address, hash), text).await;
            let _ = results.send(Sent::new(job.ready, outcome));
        });
    }

    /// Whether something is due and the line may send. A line that rested is asked by a free request
    /// first.
    async fn may_claim(&mut self) -> Result<bool> {
        if let Some(until) = self.rest_until {
            if Instant::now() < until {
                return Ok(false);
            }
            match self.line.probe().await {
                Ok(()) => {
                    tracing::info!("{} answers again", self.line.in_words());
                    self.rest_until = None;
                    self.failures = 0;
                }
                Err(e) => {
                    tracing::warn!("{} does not answer: {e:#}", self.line.in_words());
                    self.rest_until = Some(Instant::now() + Span::from_secs(5));
                    return Ok(false);
                }
            }
        }
        if self.svc.liveness.stopped().is_some()
            || !messages::any_due(&self.svc.db, self.line.of(), self.svc.clock.now()).await?
        {
            return Ok(false);
        }
        let name = self.line.name();
        Ok(!centres::stopped_channels(&self.svc.db)
            .await?
            .iter()
            .any(|(stopped, ..)| *stopped == name))
    }

    /// Commits. If two transactions wait for each other, the next try succeeds.
    async fn commit(&mut self, room: usize) -> Result<bool> {
        let results = std::mem::take(&mut self.pending);
        self.pending_since = None;
        for _ in 0..5 {
            match self.try_commit(results.clone(), room).await {
                Err(e) if is_deadlock(&e) => tokio::time::sleep(Span::from_millis(20)).await,
                other => return other,
            }
        }
        self.try_commit(results, room).await
    }

    /// One commit: results, claim, decisions and intents. True if anything was claimed.
    async fn try_commit(&mut self, results: Vec<Sent>, room: usize) -> Result<bool> {
        let (svc, line) = (self.svc.clone(), self.line.clone());
        let now = svc.clock.now();
        let mut tx = match svc.db.begin().await {
            Ok(tx) => tx,
            // This process knows nothing that the database does not: it asks again later.
            Err(e) if results.is_empty() => {
                tracing::warn!("nothing can be sent just now: {e:#}");
                self.look_at = Some(Instant::now() + Span::from_secs(1));
                return Ok(false);
            }
            Err(e) => return Err(e),
        };
        self.to_commit = !results.is_empty();
        self.record(&mut tx, now, results).await?;
        let resting = self.rest_until.is_some()
            || self.svc.liveness.stopped().is_some()
            || centres::is_stopped(&mut tx, &line.name()).await?;
        let room = if resting {
            0
        } else {
            self.within_daily_limit(&mut tx, now, room, line.max_per_day)
                .await?
        };
        let mut ready = Vec::new();
        let (mut claimed_any, mut elsewhere) = (false, false);
        if room > 0 {
            let claimed = outbox::claim(&mut tx, line.of(), &random_id(), now, room as i64).await?;
            claimed_any = !claimed.is_empty();
            self.more = claimed.len() == room;
            if claimed_any {
                (ready, elsewhere) = decide_all(&svc, &mut tx, &line, claimed, now).await?;
                let attempts: Vec<Attempt> = ready.iter().map(|j| j.attempt.clone()).collect();
                outbox::begin_attempts(&mut tx, &self.worker, line.of(), now, &attempts).await?;
            }
        }
        if !self.to_commit && !claimed_any {
            return Ok(false);
        }
        tx.commit()
            .await
            .context("what was sent could not be recorded")?;
        let committed = Instant::now();
        self.backlog
            .extend(ready.into_iter().map(|ready| Job { ready, committed }));
        if elsewhere {
            // What another channel takes is sent at once.
            svc.wake_senders();
        }
        svc.changed.notify_waiters();
        Ok(claimed_any)
    }

    async fn within_daily_limit(
        &mut self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        room: usize,
        max_per_day: i64,
    ) -> Result<usize> {
        if room == 0 || max_per_day == 0 {
            return Ok(room);
        }
        let left =
            (max_per_day - messages::attempts_today(tx, &self.line.name(), now).await?).max(0);
        let today = now.format("%Y-%m-%d").to_string();
        if left > 0 {
            self.limit_reached_on = None;
        } else if self.limit_reached_on.as_ref() != Some(&today) {
            tracing::warn!("max_per_day is reached: {max_per_day} texts today; the rest waits");
            tasks::open(
                tx,
                now,
                &NewTask::new(
                    TaskKey::daily_maximum(&self.line.name(), now.date_naive()),
                    TaskKind::ChannelStopped,
                ),
            )
            .await?;
            self.limit_reached_on = Some(today);
            self.to_commit = true;
        }
        Ok(room.min(left as usize))
    }

    /// Records the outcomes of sends, and does what they mean for the line.
    async fn record(&mut self, tx: &mut Tx, now: DateTime<Utc>, results: Vec<Sent>) -> Result<()> {
        let mut ended = Vec::with_capacity(results.len());
        for sent in results {
            let (result, meaning) = outcome::record(&self.line, tx, &sent, now).await?;
            match meaning {
                LineMeaning::Answers => self.failures = 0,
                LineMeaning::Fails => self.failed(),
                LineMeaning::Waits(wait) => {
                    self.rest_until = Some(Instant::now() + wait.min(LONGEST_REST));
                }
                LineMeaning::Nothing => {}
                // One refusal of everything is enough: what was claimed is given back.
                LineMeaning::Stops => self.give_back(|_| true),
            }
            ended.extend(result.map(|result| (sent.token, result)));
        }
        outbox::record_results(tx, &self.line.name(), now, ended).await
    }

    fn failed(&mut self) {
        self.failures += 1;
        if self.failures >= FAILURES && self.rest_until.is_none() {
            tracing::warn!(
                "{} failures in a row: {} is asked before anything else is sent",
                self.failures,
                self.line.in_words()
            );
            self.rest_until = Some(Instant::now() + Span::from_secs(1));
        }
    }
}
