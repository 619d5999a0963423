//! Claim, send, record. Claim and intent are one commit with the re-check; then the bytes; then the
//! outcome, together with the next claim.

use crate::channels::SendOutcome;
use crate::domain::ids::{AttemptToken, MessageId, WorkerId};
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::task::TaskKind;
use crate::flows::lines::{Line, Outgoing};
use crate::flows::send::carry_out::{Ready, decide_all};
use crate::flows::service::Service;
use crate::store::db::is_deadlock;
use crate::store::outbox::{self, AfterRefusal, Attempt, AttemptResult};
use crate::store::sealed::random_id;
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, attempts, centres, inbox, messages};
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration as Span, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// No POST begins later than this after the commit that re-checked it.
const FRESH: Span = Span::from_secs(5);
/// Sends at the same time.
const IN_FLIGHT: usize = 100;
/// The largest claim without a rate.
const BATCH: usize = 2000;
/// Results that are recorded together at most, and how long the first of them waits for more: what
/// a kill can leave in doubt is this and what is in flight.
const FLUSH: usize = 256;
/// See [`FLUSH`].
const PACE: Span = Span::from_millis(3);
/// A look at the outbox at least this often while nothing wakes us.
const POLL: Span = Span::from_millis(500);
/// Between two looks while something is in the air.
const LOOK: Span = Span::from_millis(20);
/// Failures in a row after which the channel rests until a free request succeeds.
const FAILURES: u32 = 5;

/// A text whose intent is committed and whose bytes have not left.
struct Job {
    ready: Ready,
    committed: Instant,
}

/// One process's sending.
pub struct Engine {
    svc: Arc<Service>,
    line: Arc<Line>,
    worker: WorkerId,
    backlog: VecDeque<Job>,
    results_in: mpsc::UnboundedReceiver<Sent>,
    results_out: mpsc::UnboundedSender<Sent>,
    /// Results that are not yet recorded, and since when.
    pending: Vec<Sent>,
    pending_since: Option<Instant>,
    in_flight: usize,
    /// Whether the last claim was full, so that more is due.
    more: bool,
    look_at: Option<Instant>,
    next_slot: Instant,
    failures: u32,
    rest_until: Option<Instant>,
    /// The day whose limit stopped the sending.
    limit_reached_on: Option<String>,
    /// Something beside results and claims was written.
    to_commit: bool,
}

#[derive(Clone)]
struct Sent {
    token: AttemptToken,
    message_id: MessageId,
    number_hash: String,
    kind: MessageKind,
    /// It answers somebody, at the address that asked.
    is_reply: bool,
    tries: i64,
    tried: SendOutcome,
}

impl Engine {
    /// The sending of the process with this worker id on a line.
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

    /// Sends until `stop`: then open requests are finished for at most ten seconds and what has not
    /// begun is given back.
    ///
    /// # Errors
    /// The database failed: memory that it does not have must not act, so the process has to end.
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

    /// Whether `max_per_day` stopped the sending.
    pub fn daily_limit_reached(&self) -> bool {
        self.limit_reached_on.is_some()
    }

    /// Waits until there is something to do: a result, a wake-up, a free slot of the rate, or the
    /// next look.
    async fn wait(&mut self) {
        let mut pause = POLL;
        if let Some(since) = self.pending_since {
            pause = pause.min(PACE.saturating_sub(since.elapsed()));
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

    /// Gives back what has not begun, and waits for what is in the air for at most ten seconds.
    pub async fn finish(mut self) -> Result<()> {
        let end = Instant::now() + Span::from_secs(10);
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

    /// Takes the jobs that `which` names out of the backlog: they never began.
    fn give_back(&mut self, which: impl Fn(&Job) -> bool) {
        let mut kept = VecDeque::with_capacity(self.backlog.len());
        for job in self.backlog.drain(..) {
            if which(&job) {
                let sent = Sent {
                    token: job.ready.attempt.token,
                    message_id: job.ready.attempt.message_id,
                    number_hash: job.ready.attempt.number.1,
                    kind: job.ready.kind,
                    is_reply: job.ready.attempt.is_reply,
                    tries: job.ready.tries,
                    tried: SendOutcome::NotSent {
                        error: "it had not begun in time".into(),
                        wait: Some(Span::ZERO),
                    },
                };
                self.in_flight += 1; // counted down again when it is gathered
                let _ = self.results_out.send(sent);
            } else {
                kept.push_back(job);
            }
        }
        self.backlog = kept;
    }

    /// One turn: record what came back, refill the backlog if it is low, begin what may begin. True
    /// if it did anything.
    async fn turn(&mut self) -> Result<bool> {
        self.svc.liveness.tick("deliver");
        let rate = self.line.rate_per_second;
        while let Ok(sent) = self.results_in.try_recv() {
            self.take(sent);
        }
        let batch = if rate == 0 {
            BATCH
        } else {
            (rate as usize * 4).clamp(1, BATCH)
        };
        let low = self.backlog.len() <= batch / 2;
        let flush = !self.pending.is_empty()
            && (self.pending.len() >= FLUSH
                || self.in_flight == 0
                || self.pending_since.is_some_and(|s| s.elapsed() >= PACE));
        let mut worked = flush;
        if flush {
            // The next claim rides along, so that senders never wait for the database.
            let room = if low && self.rest_until.is_none() && self.more {
                batch - self.backlog.len()
            } else {
                0
            };
            worked |= self.commit(room).await?;
        } else if low && self.look_at.is_none_or(|t| Instant::now() >= t) {
            // While texts are in the air a look at the outbox now and then is enough.
            self.look_at = None;
            match self.may_claim().await {
                Ok(true) => worked |= self.commit(batch - self.backlog.len()).await?,
                Ok(false) => {}
                Err(e) => {
                    tracing::warn!("the outbox cannot be read just now: {e:#}");
                    self.look_at = Some(Instant::now() + Span::from_secs(1));
                }
            }
            if self.in_flight > 0 && !self.more && self.look_at.is_none() {
                self.look_at = Some(Instant::now() + LOOK);
            }
        }
        let resting = self.rest_until.is_some();
        self.give_back(|job| resting || job.committed.elapsed() >= FRESH);
        while self.in_flight < IN_FLIGHT {
            let now = Instant::now();
            if rate > 0 && now < self.next_slot {
                break;
            }
            let Some(job) = self.backlog.pop_front() else {
                break;
            };
            if rate > 0 {
                self.next_slot =
                    self.next_slot.max(now) + Span::from_secs_f64(1.0 / f64::from(rate));
            }
            self.begin(job);
            worked = true;
        }
        Ok(worked)
    }

    fn begin(&mut self, job: Job) {
        self.in_flight += 1;
        let line = self.line.clone();
        let out = self.results_out.clone();
        let now = self.svc.clock.now();
        tokio::spawn(async move {
            let Ready {
                attempt,
                buttons,
                content,
                kind,
                not_after,
                tries,
            } = job.ready;
            let valid_for = not_after.map(|t| (t - now).to_std().unwrap_or_default());
            let text = Outgoing {
                body: &attempt.body,
                buttons,
                content: content.as_ref(),
                valid_for,
                token: &attempt.token,
            };
            let tried = line
                .send((&attempt.number.0, &attempt.number.1), text)
                .await;
            let _ = out.send(Sent {
                token: attempt.token,
                message_id: attempt.message_id,
                number_hash: attempt.number.1,
                kind,
                is_reply: attempt.is_reply,
                tries,
                tried,
            });
        });
    }

    /// Whether something is due and the channel is not resting; a resting channel is probed by a
    /// free request.
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

    /// Commits; two transactions that wait for each other in the database end well at the next try.
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

    /// One commit: results, claim, re-check and intents. True if anything was claimed.
    async fn try_commit(&mut self, results: Vec<Sent>, room: usize) -> Result<bool> {
        let (svc, line) = (self.svc.clone(), self.line.clone());
        let now = svc.clock.now();
        let mut tx = match svc.db.begin().await {
            Ok(tx) => tx,
            // Nothing is known here that the database does not know: it is simply asked again
            // later.
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
                    format!("max-per-day/{}/{today}", self.line.name()),
                    TaskKind::ChannelStopped,
                ),
            )
            .await?;
            self.limit_reached_on = Some(today);
            self.to_commit = true;
        }
        Ok(room.min(left as usize))
    }

    async fn record(&mut self, tx: &mut Tx, now: DateTime<Utc>, results: Vec<Sent>) -> Result<()> {
        let mut ends = Vec::with_capacity(results.len());
        for sent in results {
            let end = match sent.tried.clone() {
                SendOutcome::Accepted {
                    provider_id,
                    receipt,
                } => {
                    self.failures = 0;
                    if receipt.is_some_and(|r| r.message_state() == MessageState::Undelivered) {
                        tasks::open_for_message(
                            tx,
                            now,
                            format!("undelivered/{}", sent.message_id),
                            TaskKind::BadNumber,
                            &sent.message_id,
                        )
                        .await?;
                    }
                    AttemptResult::Accepted {
                        provider_id,
                        receipt,
                    }
                }
                SendOutcome::NotSent { error, wait } => {
                    if wait.is_none() {
                        self.failed();
                    } else if let Some(w) = wait.filter(|w| !w.is_zero()) {
                        // 429: everybody waits as long as the service asked.
                        self.rest_until = Some(Instant::now() + w.min(Span::from_secs(3600)));
                    }
                    let again = wait.map_or_else(
                        || backoff(sent.tries),
                        |w| Duration::from_std(w).unwrap_or_default(),
                    );
                    AttemptResult::NotSent {
                        error,
                        retry_at: now + again,
                    }
                }
                SendOutcome::RefusedNumber {
                    error,
                    blocked: true,
                    ..
                } if !sent.is_reply => {
                    // It was surely not delivered. The party's other address is taken if it was
                    // agreed and is safe; the next look at the message decides that, and opens a
                    // ring task if there is none.
                    self.failures = 0;
                    chat_is_gone(tx, now, &sent).await?;
                    AttemptResult::Refused {
                        error,
                        then: AfterRefusal::Wait(now),
                    }
                }
                SendOutcome::OutsideWindow { error } => {
                    // Nothing was sent: the party's next address takes it, or a person rings. The
                    // next look at the message decides that.
                    self.failures = 0;
                    AttemptResult::Refused {
                        error,
                        then: AfterRefusal::NextAddress(now),
                    }
                }
                SendOutcome::RefusedNumber {
                    error,
                    opted_out,
                    blocked,
                } => {
                    self.failures = 0;
                    let (topic, reason) = match (opted_out, sent.kind) {
                        // S1c: the question cannot arrive, so a person rings.
                        (true, MessageKind::CancelReasonAsk) => {
                            (TaskKind::CancelByPhone, EndReason::OptedOut)
                        }
                        (true, kind) if kind.calls_off() => {
                            (TaskKind::RingSessionOff, EndReason::OptedOut)
                        }
                        (true, _) => (TaskKind::RingOptedOut, EndReason::OptedOut),
                        (false, _) if blocked => (TaskKind::ChatBlocked, EndReason::Blocked),
                        (false, _) => (TaskKind::BadNumber, EndReason::BadNumber),
                    };
                    if blocked {
                        chat_is_gone(tx, now, &sent).await?;
                    }
                    if opted_out {
                        inbox::set_opt_out(tx, self.line.at(), &sent.number_hash, true, None, now)
                            .await?;
                    }
                    // That a STOP is acknowledged nowhere is no news.
                    if sent.kind != MessageKind::StopAck {
                        tasks::open_for_message(
                            tx,
                            now,
                            format!("refused/{}", sent.message_id),
                            topic,
                            &sent.message_id,
                        )
                        .await?;
                    }
                    AttemptResult::Refused {
                        error,
                        then: AfterRefusal::End(reason.as_str()),
                    }
                }
                SendOutcome::RefusedChannel { error } => {
                    tracing::error!(
                        "{} refuses everything ({error}); the channel stands still until its \
                         settings are mended",
                        self.line.in_words()
                    );
                    if centres::stop_channel(
                        tx,
                        &self.line.name(),
                        &error,
                        &self.line.fingerprint(),
                        now,
                    )
                    .await?
                    {
                        tasks::open(
                            tx,
                            now,
                            &NewTask::new(
                                format!("channel-stopped/{}", now.to_rfc3339()),
                                TaskKind::ChannelStopped,
                            ),
                        )
                        .await?;
                    }
                    // What was claimed and has not begun is given back: one refusal is enough.
                    self.give_back(|_| true);
                    AttemptResult::Refused {
                        error,
                        then: AfterRefusal::Wait(now + Duration::minutes(1)),
                    }
                }
                SendOutcome::Unknown { error } if !self.line.can_be_asked() => {
                    // Telegram has no list: nobody can tell, so a person decides. A pressed button
                    // may still prove that it arrived.
                    self.failed();
                    tracing::warn!(
                        "a text by {} may or may not have arrived ({error}): a person decides",
                        self.line.in_words()
                    );
                    if attempts::mark_uncertain(tx, now, &sent.token).await? {
                        tasks::open_for_message(
                            tx,
                            now,
                            format!("uncertain/{}", sent.token),
                            TaskKind::Uncertain,
                            &sent.message_id,
                        )
                        .await?;
                    }
                    continue;
                }
                SendOutcome::Unknown { error } => {
                    self.failed();
                    tracing::warn!(
                        "an attempt ended in doubt ({error}); the service will be asked"
                    );
                    AttemptResult::Unknown { error }
                }
            };
            ends.push((sent.token, end));
        }
        outbox::record_results(tx, &self.line.name(), now, ends).await
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

/// The bot was blocked there, or the chat is gone: staff see it, and no text goes there until it is
/// let in again.
async fn chat_is_gone(tx: &mut Tx, now: DateTime<Utc>, sent: &Sent) -> Result<()> {
    if inbox::set_blocked(tx, &sent.number_hash, Some(now)).await? > 0 {
        tasks::open_for_message(
            tx,
            now,
            format!("blocked/{}/{}", sent.number_hash, now.format("%Y-%m-%d")),
            TaskKind::ChatBlocked,
            &sent.message_id,
        )
        .await?;
    }
    Ok(())
}

/// Two seconds, then twice as long each time, up to two minutes.
fn backoff(tries: i64) -> Duration {
    Duration::seconds((2i64 << tries.clamp(0, 6)).min(120))
}
