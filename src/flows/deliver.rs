//! Claim, send, record. Claim and intent are one commit with the re-check; then the bytes; then the outcome, together with the next claim.

use super::plan::ring;
use super::{Service, speaker};
use crate::channels::Tried;
use crate::domain::centre::Centre;
use crate::domain::conversation::Topic;
use crate::domain::local_time::{after_quiet, wall};
use crate::domain::message::{Ended, Kind, MessageState};
use crate::domain::person::{Consent, Mode, Phone, Role};
use crate::domain::say::{FinishBy, Say};
use crate::domain::session::{Answer, SessionState, cut_off, is_late};
use crate::store::centres::Centres;
use crate::store::outbox::{self, Attempt, Claimed, End};
use crate::store::sealed::{random_id, random_token};
use crate::store::sessions::{self, Seat};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, centres, questions};
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, DurationRound, Utc};
use std::collections::{HashMap, VecDeque};
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
/// Results that are recorded together at most, and how long the first of them waits for more: what a kill can leave in doubt
/// is this and what is in flight.
const FLUSH: usize = 256;
/// See [`FLUSH`].
const PACE: Span = Span::from_millis(3);
/// Below this the service would not try: not sent.
const SHORTEST_USE: Duration = Duration::seconds(60);
/// A look at the outbox at least this often while nothing wakes us.
const POLL: Span = Span::from_millis(500);
/// Between two looks while something is in the air.
const LOOK: Span = Span::from_millis(20);
/// Failures in a row after which the channel rests until a free request succeeds.
const FAILURES: u32 = 5;
/// A "will not go ahead" this near to the arrival goes also in quiet hours.
const SPARE_JOURNEY: Duration = Duration::hours(4);

/// What the re-check says of a claimed message.
#[derive(Debug)]
enum Verdict {
    Send { say: Say, to: (Phone, String), language: String },
    Later(DateTime<Utc>),
    End(MessageState, Ended),
}

/// A text whose intent is committed and whose bytes have not left.
struct Job {
    attempt: Attempt,
    kind: Kind,
    not_after: Option<DateTime<Utc>>,
    tries: i64,
    committed: Instant,
}

/// One process's sending.
pub struct Engine {
    svc: Arc<Service>,
    worker: String,
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
    told_daily_limit: bool,
}

struct Sent {
    token: String,
    message_id: String,
    number_hash: String,
    kind: Kind,
    tries: i64,
    tried: Tried,
}

impl Engine {
    /// The sending of the process with this worker id.
    pub fn new(svc: Arc<Service>, worker: String) -> Engine {
        let (results_out, results_in) = mpsc::unbounded_channel();
        Engine {
            svc,
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
            told_daily_limit: false,
        }
    }

    /// Sends until `stop`: then open requests are finished for at most ten seconds and what has not begun is given back.
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

    /// Sends until nothing is due and nothing of ours is in the air.
    pub async fn run_until_idle(&mut self) -> Result<()> {
        loop {
            if !self.turn().await? {
                if self.in_flight == 0 && self.backlog.is_empty() && self.pending.is_empty() {
                    return Ok(());
                }
                self.wait().await;
            }
        }
    }

    /// Whether `max_per_day` stopped the sending.
    pub fn daily_limit_reached(&self) -> bool {
        self.told_daily_limit
    }

    /// Waits until there is something to do: a result, a wake-up, a free slot of the rate, or the next look.
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

    async fn finish(mut self) -> Result<()> {
        let end = Instant::now() + Span::from_secs(10);
        self.give_back(|_| true);
        while self.in_flight > 0 && Instant::now() < end {
            if let Ok(Some(sent)) = tokio::time::timeout_at(end.into(), self.results_in.recv()).await {
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
                    token: job.attempt.token,
                    message_id: job.attempt.message_id,
                    number_hash: job.attempt.number.1,
                    kind: job.kind,
                    tries: job.tries,
                    tried: Tried::NotSent { error: "it had not begun in time".into(), wait: Some(Span::ZERO) },
                };
                self.in_flight += 1; // counted down again when it is gathered
                let _ = self.results_out.send(sent);
            } else {
                kept.push_back(job);
            }
        }
        self.backlog = kept;
    }

    /// One turn: record what came back, refill the backlog if it is low, begin what may begin. True if it did anything.
    async fn turn(&mut self) -> Result<bool> {
        let Some(line) = self.svc.line.as_ref() else { return Ok(false) };
        self.svc.pulse.tick("deliver");
        let rate = line.rate_per_second;
        while let Ok(sent) = self.results_in.try_recv() {
            self.take(sent);
        }
        let batch = if rate == 0 { BATCH } else { (rate as usize * 4).clamp(1, BATCH) };
        let low = self.backlog.len() <= batch / 2;
        let flush = !self.pending.is_empty() && (self.pending.len() >= FLUSH || self.in_flight == 0 || self.pending_since.is_some_and(|s| s.elapsed() >= PACE));
        let mut worked = flush;
        if flush {
            // The next claim rides along, so that senders never wait for the database.
            let room = if low && self.rest_until.is_none() && self.more { batch - self.backlog.len() } else { 0 };
            worked |= self.commit(room).await?;
        } else if low && self.look_at.is_none_or(|t| Instant::now() >= t) {
            if self.may_claim().await? {
                worked |= self.commit(batch - self.backlog.len()).await?;
            }
            // While texts are in the air a look at the outbox now and then is enough.
            self.look_at = (self.in_flight > 0 && !self.more).then(|| Instant::now() + LOOK);
        }
        self.give_back(|job| job.committed.elapsed() >= FRESH);
        while self.in_flight < IN_FLIGHT {
            let now = Instant::now();
            if rate > 0 && now < self.next_slot {
                break;
            }
            let Some(job) = self.backlog.pop_front() else { break };
            if rate > 0 {
                self.next_slot = self.next_slot.max(now) + Span::from_secs_f64(1.0 / f64::from(rate));
            }
            self.begin(job);
            worked = true;
        }
        Ok(worked)
    }

    fn begin(&mut self, job: Job) {
        self.in_flight += 1;
        let svc = self.svc.clone();
        let out = self.results_out.clone();
        let now = svc.clock.now();
        tokio::spawn(async move {
            let Job { attempt, kind, not_after, tries, .. } = job;
            let tried = match &svc.line {
                Some(line) => {
                    let callback = format!("{}/hooks/sms/status/{}", line.public_url, attempt.token);
                    let valid = not_after.map(|t| (t - now).to_std().unwrap_or_default());
                    line.sms.send(attempt.number.0.as_str(), &attempt.body, valid, &callback).await
                }
                None => Tried::NotSent { error: "no line".into(), wait: None },
            };
            let _ = out.send(Sent { token: attempt.token, message_id: attempt.message_id, number_hash: attempt.number.1, kind, tries, tried });
        });
    }

    /// Whether something is due and the channel is not resting; a resting channel is probed by a free request.
    async fn may_claim(&mut self) -> Result<bool> {
        let Some(line) = self.svc.line.as_ref() else { return Ok(false) };
        if let Some(until) = self.rest_until {
            if Instant::now() < until {
                return Ok(false);
            }
            match line.sms.probe().await {
                Ok(()) => {
                    tracing::info!("the texting service answers again");
                    self.rest_until = None;
                    self.failures = 0;
                }
                Err(e) => {
                    tracing::warn!("the texting service does not answer: {e:#}");
                    self.rest_until = Some(Instant::now() + Span::from_secs(5));
                    return Ok(false);
                }
            }
        }
        if self.svc.pulse.stopped().is_some() || !outbox::any_due(&self.svc.db, self.svc.clock.now()).await? {
            return Ok(false);
        }
        if !centres::stopped_channels(&self.svc.db).await?.is_empty() {
            return Ok(false);
        }
        Ok(true)
    }

    /// One commit: results, claim, re-check and intents. True if anything was claimed.
    async fn commit(&mut self, room: usize) -> Result<bool> {
        let results = std::mem::take(&mut self.pending);
        self.pending_since = None;
        let svc = self.svc.clone();
        let Some(line) = svc.line.as_ref() else { return Ok(false) };
        let now = svc.clock.now();
        let mut tx = svc.db.begin().await?;
        let wrote = !results.is_empty();
        self.record(&mut tx, now, results, &line.sms.fingerprint()).await?;
        let room = if self.rest_until.is_some() { 0 } else { self.within_daily_limit(&mut tx, now, room, line.max_per_day).await? };
        let mut jobs = Vec::new();
        let mut claimed_any = false;
        if room > 0 {
            let claimed = outbox::claim(&mut tx, &svc.sender, &random_id(), now, room as i64).await?;
            claimed_any = !claimed.is_empty();
            self.more = claimed.len() == room;
            if claimed_any {
                jobs = check(&svc, &mut tx, claimed, now, &line.only_to).await?;
                let attempts: Vec<Attempt> = jobs.iter().map(|j| j.attempt.clone()).collect();
                outbox::begin(&mut tx, &self.worker, &svc.sender, now, &attempts).await?;
            }
        }
        if !wrote && !claimed_any {
            return Ok(false);
        }
        tx.commit().await.context("what was sent could not be recorded")?;
        let committed = Instant::now();
        self.backlog.extend(jobs.into_iter().map(|j| Job { committed, ..j }));
        svc.changed.notify_waiters();
        Ok(claimed_any)
    }

    async fn within_daily_limit(&mut self, tx: &mut Tx, now: DateTime<Utc>, room: usize, max_per_day: i64) -> Result<usize> {
        if room == 0 || max_per_day == 0 {
            return Ok(room);
        }
        let left = (max_per_day - outbox::sent_since(tx, now - Duration::hours(24)).await?).max(0);
        if left == 0 && !self.told_daily_limit {
            self.told_daily_limit = true;
            tracing::warn!("sms.max_per_day is reached: {max_per_day} texts in 24 hours; the rest waits");
            let cause = format!("max-per-day/{}", now.format("%Y-%m-%d"));
            tasks::open(tx, now, &NewTask::new(cause, Topic::ChannelStopped)).await?;
        }
        Ok(room.min(left as usize))
    }

    async fn record(&mut self, tx: &mut Tx, now: DateTime<Utc>, results: Vec<Sent>, fingerprint: &str) -> Result<()> {
        let mut ends = Vec::with_capacity(results.len());
        for sent in results {
            let end = match sent.tried {
                Tried::Accepted { provider_id, receipt } => {
                    self.failures = 0;
                    End::Accepted { provider_id, receipt }
                }
                Tried::NotSent { error, wait } => {
                    if wait.is_none() {
                        self.failed();
                    } else if let Some(w) = wait.filter(|w| !w.is_zero()) {
                        // 429: everybody waits as long as the service asked.
                        self.rest_until = Some(Instant::now() + w.min(Span::from_secs(3600)));
                    }
                    let again = wait.map_or_else(|| backoff(sent.tries), |w| Duration::from_std(w).unwrap_or_default());
                    End::NotSent { error, again: now + again }
                }
                Tried::RefusedNumber { error, opted_out } => {
                    self.failures = 0;
                    let (topic, reason) = match (opted_out, sent.kind) {
                        // S1c: the question cannot arrive, so a person rings.
                        (true, Kind::CancelReasonAsk) => (Topic::CancelByPhone, Ended::OptedOut),
                        (true, Kind::SessionOff) => (Topic::RingSessionOff, Ended::OptedOut),
                        (true, _) => (Topic::RingOptedOut, Ended::OptedOut),
                        (false, _) => (Topic::BadNumber, Ended::BadNumber),
                    };
                    if opted_out {
                        crate::store::inbox::set_opt_out(tx, &self.svc.sender, &sent.number_hash, true, now).await?;
                    }
                    // That a STOP is acknowledged nowhere is no news.
                    if sent.kind != Kind::StopAck {
                        tasks::open_for_message(tx, now, format!("refused/{}", sent.message_id), topic, &sent.message_id).await?;
                    }
                    End::Refused { error, reason: Some(reason.as_str()) }
                }
                Tried::RefusedChannel { error } => {
                    tracing::error!("the texting service refuses everything ({error}); the channel stands still until its settings are mended");
                    centres::stop_channel(tx, "sms", &error, fingerprint, now).await?;
                    tasks::open(tx, now, &NewTask::new(format!("channel-stopped/{fingerprint}/{}", now.timestamp()), Topic::ChannelStopped)).await?;
                    // What was claimed and has not begun is given back: one refusal is enough.
                    self.give_back(|_| true);
                    End::Refused { error, reason: None }
                }
                Tried::Unknown { error } => {
                    self.failed();
                    tracing::warn!("an attempt ended in doubt ({error}); the service will be asked");
                    End::Doubt { error }
                }
            };
            ends.push((sent.token, end));
        }
        outbox::record(tx, now, ends).await
    }

    fn failed(&mut self) {
        self.failures += 1;
        if self.failures >= FAILURES && self.rest_until.is_none() {
            tracing::warn!("{} failures in a row: the texting service is asked before anything else is sent", self.failures);
            self.rest_until = Some(Instant::now() + Span::from_secs(1));
        }
    }
}

/// Two seconds, then twice as long each time, up to two minutes.
fn backoff(tries: i64) -> Duration {
    Duration::seconds((2i64 << tries.clamp(0, 6)).min(120))
}

/// Looks again at everything that was claimed, in the transaction that claims it.
async fn check(svc: &Service, tx: &mut Tx, claimed: Vec<Claimed>, now: DateTime<Utc>, only_to: &[String]) -> Result<Vec<Job>> {
    let all = centres::all_in(tx).await?;
    let mut ids: Vec<String> = claimed.iter().filter_map(|c| c.session.as_ref().map(|s| s.0.clone())).collect();
    ids.sort();
    ids.dedup();
    sessions::lock(tx, &ids).await?;
    let seats: HashMap<(String, Role), Seat> = sessions::seats_of(tx, &svc.sender, &ids).await?.into_iter().map(|s| ((s.session.id.clone(), s.attendee.role), s)).collect();
    let mut pace = Pace::read(tx, &all, &claimed, &seats, now).await?;
    let mut jobs = Vec::with_capacity(claimed.len());
    let mut ended = Vec::new();
    for c in claimed {
        let seat = match (&c.session, c.role) {
            (Some((id, _, _)), Some(role)) => seats.get(&(id.clone(), role)),
            _ => None,
        };
        let Some(centre) = all.get(&c.centre).map(|s| &s.centre).or_else(|| all.values().next().map(|s| &s.centre)) else {
            ended.push((c.id, MessageState::Withdrawn, Some(Ended::NoAddress.as_str().to_owned()), c.not_before));
            continue;
        };
        let question = match c.kind {
            Kind::CancelReasonAsk => finish_by(tx, centre, &c, seat, now).await?,
            _ => None,
        };
        let mut verdict = verdict(centre, &c, seat, question, now);
        if let Verdict::Send { to, .. } = &verdict {
            if !only_to.is_empty() && !only_to.iter().any(|n| n == to.0.as_str()) {
                verdict = Verdict::End(MessageState::Withdrawn, Ended::NoAddress);
            } else if !c.kind.is_answer()
                && c.to.is_none()
                && let Some(at) = pace.next(centre, c.kind, &to.1, seat, now)
            {
                verdict = Verdict::Later(at);
            }
        }
        match verdict {
            Verdict::Later(at) => ended.push((c.id, MessageState::Waiting, None, at)),
            Verdict::End(state, why) => {
                if let Some(seat) = seat
                    && state == MessageState::Withdrawn
                    && matches!(why, Ended::OptedOut | Ended::NoAddress | Ended::Mode)
                {
                    let topic = match c.kind {
                        Kind::SessionOff => Topic::RingSessionOff,
                        _ if why == Ended::OptedOut => Topic::RingOptedOut,
                        _ => Topic::RingNoAddress,
                    };
                    ring(tx, now, seat, topic, format!("ring-for/{}", c.cause)).await?;
                }
                ended.push((c.id, state, Some(why.as_str().to_owned()), c.not_before));
            }
            Verdict::Send { say, to, language } => {
                let text = svc.words.render(&say, &speaker(centre), &language)?;
                let attempt = Attempt { token: random_token(), message_id: c.id, number: to, body: text.body, prompted: c.kind.is_answer() || c.to.is_some(), parts: text.parts };
                jobs.push(Job { attempt, kind: c.kind, not_after: c.not_after, tries: c.tries, committed: Instant::now() });
            }
        }
    }
    outbox::end_claims(tx, ended).await?;
    Ok(jobs)
}

/// The spacing and the daily number of unprompted texts to one phone.
struct Pace {
    last: HashMap<String, (DateTime<Utc>, i64)>,
}

impl Pace {
    async fn read(tx: &mut Tx, all: &Centres, claimed: &[Claimed], seats: &HashMap<(String, Role), Seat>, now: DateTime<Utc>) -> Result<Pace> {
        let bound = |c: &Claimed| all.get(&c.centre).is_some_and(|s| s.centre.rules.spacing_minutes > 0 || s.centre.rules.max_texts_per_day > 0);
        let mut hashes: Vec<String> = claimed
            .iter()
            .filter(|c| !c.kind.is_answer() && bound(c))
            .filter_map(|c| seats.get(&(c.session.as_ref()?.0.clone(), c.role?)))
            .filter_map(|s| s.number.as_ref().map(|n| n.1.clone()))
            .collect();
        hashes.sort();
        hashes.dedup();
        Ok(Pace { last: outbox::unprompted(tx, now, &hashes).await? })
    }

    /// When the text may go if not now; otherwise it is counted.
    fn next(&mut self, centre: &Centre, kind: Kind, hash: &str, seat: Option<&Seat>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (spacing, most) = (Duration::minutes(centre.rules.spacing_minutes), centre.rules.max_texts_per_day);
        // News that spares a journey waits for nothing.
        let urgent = kind == Kind::SessionOff && seat.is_some_and(|s| s.attendee.arrives_at - now < SPARE_JOURNEY);
        if let Some((last, n)) = self.last.get(hash).copied()
            && !urgent
        {
            if now < last + spacing {
                return Some(last + spacing);
            }
            if most > 0 && n >= most && kind == Kind::ConfirmRequest {
                return Some(now + Duration::hours(1));
            }
        }
        let entry = self.last.entry(hash.to_owned()).or_insert((now, 0));
        *entry = (now, entry.1 + 1);
        None
    }
}

async fn finish_by(tx: &mut Tx, centre: &Centre, c: &Claimed, seat: Option<&Seat>, now: DateTime<Utc>) -> Result<Option<FinishBy>> {
    let Some(seat) = seat else { return Ok(None) };
    let asked = questions::of(tx, &seat.session.id, seat.attendee.role, seat.attendee.ask_version, now).await?;
    let Some(q) = asked.open.filter(|q| q.id == c.data.0) else { return Ok(None) };
    let late = is_late(seat.session.starts_at, q.first_no_at, seat.session.notice_hours);
    Ok(Some(match (centre.rules.cancel_answer, q.offered.as_slice()) {
        (crate::domain::centre::CancelAnswer::Word, _) => FinishBy::Word { late },
        (_, [only]) => FinishBy::Code { code: format!("{}{}", q.stem, crate::domain::cancel::digit(*only)), late },
        _ => FinishBy::CodeWithReason { stem: q.stem },
    }))
}

/// Decides about one claimed message. Pure.
fn verdict(centre: &Centre, c: &Claimed, seat: Option<&Seat>, question: Option<FinishBy>, now: DateTime<Utc>) -> Verdict {
    let withdrawn = |why| Verdict::End(MessageState::Withdrawn, why);
    if c.not_after.is_some_and(|t| t - now < SHORTEST_USE) {
        return Verdict::End(MessageState::Expired, Ended::TooLate);
    }
    let own = |at: DateTime<Utc>| wall(centre.tz, at);
    // Answers go back to the address that asked; its own STOP and START are answered in any case.
    if c.kind.is_answer() || c.to.is_some() {
        let Some(to) = c.to.clone() else { return withdrawn(Ended::NoAddress) };
        if c.to_opted_out && !matches!(c.kind, Kind::StopAck) {
            return withdrawn(Ended::OptedOut);
        }
        let arrival = seat.map(|s| own(s.attendee.arrives_at));
        let say = match (c.kind, seat, arrival) {
            (Kind::ConfirmAck, _, Some(arrival)) => Say::ConfirmAck { arrival },
            (Kind::CancellationAck, _, Some(arrival)) => Say::CancellationAck { arrival, in_time: c.data.0 == "in_time" },
            (Kind::CancelReasonAsk, _, Some(arrival)) => match question {
                Some(finish) => Say::CancelReasonAsk { arrival, finish },
                None => return withdrawn(Ended::Answered),
            },
            (Kind::ConfirmRequest, Some(s), Some(_)) if s.session.state == SessionState::Booked => confirm_request(centre, s, now),
            (Kind::NeedsCoordinatorAck, ..) => Say::Handover,
            (Kind::Help, ..) => Say::Help,
            (Kind::StopAck, ..) => Say::StopAck,
            (Kind::StartAck, ..) => Say::StartAck,
            (Kind::UnknownSender, ..) => Say::UnknownSender,
            _ => return withdrawn(Ended::Moved),
        };
        let language = seat.map_or_else(|| "en".to_owned(), |s| s.language.clone());
        return Verdict::Send { say, to, language };
    }
    let (Some(seat), Some((_, _, ask_version))) = (seat, &c.session) else { return withdrawn(Ended::NoAddress) };
    let (s, a) = (&seat.session, &seat.attendee);
    // What is said must still be so.
    match (c.kind, s.state) {
        (Kind::SessionOff, SessionState::Booked) => return withdrawn(Ended::TakenBack),
        (Kind::SessionOff, _) => {}
        (_, SessionState::Booked) => {}
        _ => return withdrawn(Ended::SessionOff),
    }
    if c.kind != Kind::SessionOff && a.ask_version != *ask_version {
        return withdrawn(Ended::Moved);
    }
    if c.kind == Kind::ConfirmRequest && a.answer == Answer::Confirmed {
        return withdrawn(Ended::Answered);
    }
    if seat.archived {
        return withdrawn(Ended::Archived);
    }
    // To whom it is said must still be right.
    if seat.opted_out || seat.consent == Consent::Stop {
        return withdrawn(Ended::OptedOut);
    }
    let Some(to) = seat.number.clone().filter(|_| seat.consent == Consent::Yes) else { return withdrawn(Ended::NoAddress) };
    if seat.mode != Mode::Normal {
        return withdrawn(Ended::Mode);
    }
    // And now must be a time at which it may be said.
    let allowed = after_quiet(centre.courtesy.quiet, centre.tz, now);
    let spare_journey = c.kind == Kind::SessionOff && a.arrives_at - now <= SPARE_JOURNEY;
    if allowed > now && !spare_journey {
        return if c.not_after.is_some_and(|t| allowed > t) { Verdict::End(MessageState::Expired, Ended::TooLate) } else { Verdict::Later(allowed) };
    }
    let say = match c.kind {
        Kind::ConfirmRequest => confirm_request(centre, seat, now),
        Kind::SessionOff => Say::SessionOff { arrival: own(a.arrives_at) },
        Kind::SessionMoved => match c.data.0.parse::<DateTime<Utc>>() {
            Ok(from) => Say::SessionMoved { from: own(from), to: own(a.arrives_at) },
            Err(_) => return withdrawn(Ended::Moved),
        },
        _ => return withdrawn(Ended::NoAddress),
    };
    Verdict::Send { say, to, language: seat.language.clone() }
}

fn confirm_request(centre: &Centre, seat: &Seat, now: DateTime<Utc>) -> Say {
    let (start, own) = (seat.session.starts_at, seat.attendee.arrives_at);
    // The printed cut-off is made of the party's own arrival, never later than the real one: the session's start is often when the
    // other parent arrives. Who arrives after the start reads the full hour before it.
    let counted_from = if own <= start { own } else { (start - Duration::hours(1)).duration_trunc(Duration::hours(1)).unwrap_or(start) };
    let cut = cut_off(counted_from, seat.session.notice_hours);
    Say::ConfirmRequest { arrival: wall(centre.tz, own), cut_off: (cut > now).then(|| wall(centre.tz, cut)), fee: seat.session.fee_minor > 0 }
}
