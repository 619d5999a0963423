//! A reply comes in: stored, then understood and decided, then recorded together with the answer it causes.

use super::plan::{first_look, unfinished_cause};
use super::{Service, confirm_cause, to_seat};
use crate::domain::cancel::stem;
use crate::domain::centre::{CancelAnswer, Centre};
use crate::domain::conversation::{self, Decision, Effect, Heard, Open, Topic};
use crate::domain::courtesy::not_after;
use crate::domain::message::{Ended, Kind};
use crate::domain::person::Role;
use crate::domain::release::{next_quarter, session_off_at};
use crate::domain::session::{Answer, CancelledBy, Reason, SessionState, is_late};
use crate::domain::understand::understand;
use crate::store::centres::{self, Centres};
use crate::store::facts::{self, Fact};
use crate::store::inbox::{self, Inbound, Received};
use crate::store::outbox::{self, NewMessage};
use crate::store::questions::{self, NewQuestion};
use crate::store::sealed::random_u32;
use crate::store::sessions::{self, Off, Seat};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, attempts, messages};
use anyhow::Result;
use chrono::{DateTime, Datelike, Duration, Utc};

/// Answers to one number in 24 hours, whatever they say (rule a2).
const ANSWERS_A_DAY: usize = 6;
/// Answers to strangers in an hour, all together (rule a2).
const STRANGERS_AN_HOUR: i64 = 20;
/// An answer that could not leave for this long is no answer any more.
const ANSWER_LASTS: Duration = Duration::hours(12);
/// A listed message bears the service's time, cut to the second and by another clock than ours.
const CLOCKS_DIFFER: Duration = Duration::seconds(5);
/// "Asked to cancel, did not finish": a person rings after this (rule S1a).
const NAG_AFTER: Duration = Duration::minutes(30);

/// Stores what came in and wakes who applies it; gives how many were new.
pub async fn store(svc: &Service, received: &[Received]) -> Result<u64> {
    let mut tx = svc.db.begin().await?;
    let n = inbox::store(&mut tx, svc.clock.now(), received).await?;
    tx.commit().await?;
    if n > 0 {
        svc.wake_receive.notify_one();
    }
    Ok(n)
}

/// Applies everything that was stored and not applied yet; gives how many.
pub async fn apply_all(svc: &Service) -> Result<u64> {
    let mut n = 0;
    while apply_next(svc).await? {
        n += 1;
    }
    Ok(n)
}

async fn apply_next(svc: &Service) -> Result<bool> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    let Some(inbound) = inbox::next(&mut tx).await? else { return Ok(false) };
    let all = centres::all_in(&mut tx).await?;
    let parties = inbox::parties_with(&mut tx, &inbound.number_hash).await?;
    let seats = sessions::seats_of_number(&mut tx, &svc.sender, &inbound.number_hash, inbound.at).await?;
    sessions::lock(&mut tx, &seats.iter().map(|s| s.session.id.clone()).collect::<Vec<_>>()).await?;
    // What another process recorded while this one waited for the lock is seen now.
    let seats = if tx.is_postgres() { sessions::seats_of_number(&mut tx, &svc.sender, &inbound.number_hash, inbound.at).await? } else { seats };
    let opted_out = inbox::opted_out(&mut tx, &svc.sender, &inbound.number_hash).await?;
    let mut open = Vec::with_capacity(seats.len());
    for seat in &seats {
        if let Some(c) = all.get(&seat.session.centre) {
            open.push(as_known_to(&mut tx, &c.centre, seat, &inbound, now).await?);
        }
    }
    let understood = understand(&inbound.body.0);
    let heard = Heard {
        at: inbound.at,
        media: inbound.media > 0,
        known: !parties.is_empty(),
        opted_out,
        provider_stopped: inbound.opt_out_type.as_deref() == Some("STOP"),
        open,
        understood,
    };
    let decision = conversation::decide(&heard);
    let mut teller = Teller { svc, tx: &mut tx, all: &all, seats: &seats, parties: &parties, inbound: &inbound, now };
    teller.carry_out(&heard, decision.clone()).await?;
    inbox::done(&mut tx, &inbound.id, heard.understood.intent.as_str(), decision.rule).await?;
    tx.commit().await?;
    svc.wake_deliver.notify_one();
    svc.changed.notify_waiters();
    Ok(true)
}

/// The session as this party may know it: what the other did and nobody released does not exist.
async fn as_known_to(tx: &mut Tx, centre: &Centre, seat: &Seat, inbound: &Inbound, now: DateTime<Utc>) -> Result<Open> {
    let (s, a) = (&seat.session, &seat.attendee);
    let mut asked = messages::asked(tx, &s.id, a.role, a.ask_version).await?;
    // A message that came before the question left does not answer it.
    asked.at = asked.at.filter(|t| *t <= inbound.at + CLOCKS_DIFFER);
    let q = questions::of_address(tx, &s.id, a.role, a.ask_version, Some(&inbound.number_hash), now).await?;
    Ok(Open {
        session: s.id.clone(),
        case: s.case_id.clone(),
        starts_at: s.starts_at,
        weekday: s.start_local.weekday(),
        notice_hours: s.notice_hours,
        cancel_answer: centre.rules.cancel_answer,
        state: if seat.is_hidden(inbound.at) { SessionState::Booked } else { s.state },
        cancelled_by_me: s.state == SessionState::Cancelled && a.answer == Answer::Cancelled,
        release_at: a.undo_until.filter(|_| a.undo_from.as_deref() == Some(&inbound.number_hash)),
        answer: a.answer,
        asked,
        question: q.open,
        questions_today: q.today,
        wrong_tries: q.wrong,
        cancel_blocked: q.blocked,
    })
}

/// Writes down what was decided about one message.
struct Teller<'a> {
    svc: &'a Service,
    tx: &'a mut Tx,
    all: &'a Centres,
    seats: &'a [Seat],
    parties: &'a [(String, String, String)],
    inbound: &'a Inbound,
    now: DateTime<Utc>,
}

impl<'a> Teller<'a> {
    fn seat(&self, session: &str) -> Option<&'a Seat> {
        self.seats.iter().find(|s| s.session.id == session)
    }

    fn centre_of(&self, session: Option<&str>) -> Option<&'a Centre> {
        let code = session.and_then(|s| self.seat(s)).map(|s| s.session.centre.as_str()).or_else(|| self.parties.first().map(|p| p.0.as_str()));
        code.and_then(|c| self.all.get(c)).or_else(|| self.all.values().next()).map(|s| &s.centre)
    }

    async fn carry_out(&mut self, heard: &Heard, decision: Decision) -> Result<()> {
        let mut reply = decision.reply;
        let mut data = String::new();
        // An answer that tells of a change is never held back by the caps.
        let mut changed = false;
        for effect in decision.effects {
            match effect {
                Effect::Confirm { session } => self.confirm(&session, decision.rule).await?,
                Effect::CancelAsked { session, reason, first_no_at, late } => {
                    let asks = reply.as_ref().is_some_and(|r| r.kind == Kind::CancelReasonAsk);
                    let capped = asks && self.capped(Kind::CancelReasonAsk, Some(&session)).await?;
                    match self.cancel_asked(&session, reason, first_no_at, late, asks && !capped, decision.rule).await? {
                        Some(question) => data = question,
                        None => reply = reply.filter(|r| r.kind != Kind::CancelReasonAsk),
                    }
                }
                Effect::Cancel { session, question, reason, at } => {
                    let Some(seat) = self.seat(&session) else { continue };
                    if self.storm(&seat.session.centre).await? {
                        self.task(Topic::Storm, Some(&session)).await?;
                        reply = reply.map(|_| conversation::Reply { kind: Kind::NeedsCoordinatorAck, session: None });
                        break;
                    }
                    changed = true;
                    questions::end(self.tx, &question, true).await?;
                    tasks::close(self.tx, self.now, &unfinished_cause(&question)).await?;
                    self.cancel(seat, reason, at, decision.rule).await?;
                    data = in_time_word(seat, at).to_owned();
                }
                Effect::TakeBack { session } => {
                    if !self.take_back(&session, decision.rule).await? {
                        // The other parent was told meanwhile: C11, a person decides.
                        self.task(Topic::Reconfirm, Some(&session)).await?;
                        reply = Some(conversation::Reply { kind: Kind::NeedsCoordinatorAck, session: None });
                    }
                }
                Effect::CloseQuestion { question } => {
                    questions::end(self.tx, &question, false).await?;
                    tasks::close(self.tx, self.now, &unfinished_cause(&question)).await?;
                }
                Effect::WrongCode { question } => questions::wrong(self.tx, &question).await?,
                Effect::OptOut => {
                    changed |= !heard.opted_out;
                    self.opt(true).await?;
                }
                Effect::OptIn => {
                    changed |= heard.opted_out;
                    self.opt(false).await?;
                }
                Effect::Task { topic, session } => self.task(topic, session.as_deref()).await?,
            }
        }
        let Some(reply) = reply else { return Ok(()) };
        if reply.kind == Kind::CancellationAck
            && data.is_empty()
            && let Some(seat) = reply.session.as_deref().and_then(|s| self.seat(s))
            && let Some(at) = seat.attendee.answered_at
        {
            data = in_time_word(seat, at).to_owned();
        }
        if changed || reply.kind == Kind::CancelReasonAsk || !self.capped(reply.kind, reply.session.as_deref()).await? {
            self.reply(&reply, data).await?;
        }
        Ok(())
    }

    async fn fact(&mut self, seat: &Seat, kind: &str, at: DateTime<Utc>, rule: &str, detail: &str) -> Result<()> {
        let fact = Fact { case_id: Some(&seat.session.case_id), session_id: Some(&seat.session.id), role: Some(seat.attendee.role), kind, at, by: "courtesy", rule, detail };
        facts::add(self.tx, self.now, &[fact]).await
    }

    async fn confirm(&mut self, session: &str, rule: &str) -> Result<()> {
        let Some(seat) = self.seat(session) else { return Ok(()) };
        let role = seat.attendee.role;
        sessions::answer(self.tx, session, role, Answer::Confirmed, Some(self.inbound.at)).await?;
        outbox::withdraw(self.tx, session, Some(role), &[Kind::ConfirmRequest], Ended::Answered.as_str()).await?;
        self.fact(seat, "confirmed", self.inbound.at, rule, "").await
    }

    /// Records that a party asked to cancel; with `ask` also the question that finishes it. Gives the question's id.
    async fn cancel_asked(&mut self, session: &str, reason: Option<Reason>, first_no_at: DateTime<Utc>, late: bool, ask: bool, rule: &str) -> Result<Option<String>> {
        let Some(seat) = self.seat(session) else { return Ok(None) };
        self.fact(seat, "cancel_asked", self.inbound.at, rule, "").await?;
        if !ask {
            self.task(Topic::CancelByPhone, Some(session)).await?;
            return Ok(None);
        }
        let by_word = self.centre_of(Some(session)).is_some_and(|c| c.rules.cancel_answer == CancelAnswer::Word);
        // S1: late and no reason said, each reason has its digit; otherwise one code is enough.
        let offered = match reason {
            Some(r) => vec![r],
            None if late || by_word => vec![Reason::IllChild, Reason::IllSelf, Reason::Travel, Reason::Other],
            None => vec![Reason::Other],
        };
        let soon = seat.attendee.arrives_at - self.now < Duration::hours(24);
        let question = NewQuestion {
            session_id: session,
            role: seat.attendee.role,
            ask_version: seat.attendee.ask_version,
            number_hash: &self.inbound.number_hash,
            stem: &stem(random_u32),
            offered: &offered,
            first_no_at,
            nag_at: if soon { self.now } else { self.now + NAG_AFTER },
        };
        Ok(Some(questions::add(self.tx, self.now, &question).await?))
    }

    /// Whether so many cancellations by text came in an hour that a person has to look first (rule S4).
    async fn storm(&mut self, centre: &str) -> Result<bool> {
        let lately = facts::count_since(self.tx, "cancelled", "S1-finished", centre, self.now - Duration::hours(1)).await?;
        let ahead = sessions::count_between(self.tx, centre, self.now, self.now + Duration::days(7)).await?;
        Ok(lately >= 5.max(ahead / 5))
    }

    async fn cancel(&mut self, seat: &Seat, reason: Reason, at: DateTime<Utc>, rule: &str) -> Result<()> {
        let by = match seat.attendee.role {
            Role::Resident => CancelledBy::Resident,
            _ => CancelledBy::Contact,
        };
        self.fact(seat, "cancelled", at, rule, reason.as_str()).await?;
        let Some(centre) = self.centre_of(Some(&seat.session.id)) else { return Ok(()) };
        call_off(self.tx, &self.svc.sender, centre, &seat.session.id, by, at, Some(&self.inbound.number_hash), self.now).await
    }

    /// Takes this party's cancellation back; false if the other parent was told already.
    async fn take_back(&mut self, session: &str, rule: &str) -> Result<bool> {
        let (Some(seat), Some(centre)) = (self.seat(session), self.centre_of(Some(session))) else { return Ok(false) };
        let (me, version) = (seat.attendee.role, seat.session.version);
        if outbox::off_was_told(self.tx, session, version).await? || !sessions::put_back(self.tx, &seat.session).await? {
            return Ok(false);
        }
        self.fact(seat, "taken_back", self.inbound.at, rule, "").await?;
        outbox::withdraw(self.tx, session, None, &[Kind::SessionOff], Ended::TakenBack.as_str()).await?;
        outbox::withdraw(self.tx, session, Some(me), &[Kind::CancellationAck], Ended::TakenBack.as_str()).await?;
        sessions::answer(self.tx, session, me, Answer::Confirmed, Some(self.inbound.at)).await?;
        let (tx, now) = (&mut *self.tx, self.now);
        let seats = sessions::seats(tx, &self.svc.sender, session).await?;
        for a in seats.iter().map(|s| &s.attendee) {
            sessions::set_release(tx, session, a.role, None, None).await?;
            tasks::close(tx, now, &format!("ring-for/off/{session}/{version}/{}", a.role)).await?;
        }
        for other in seats.iter().filter(|s| s.attendee.role != me) {
            let a = &other.attendee;
            if a.answer == Answer::Cancelled {
                // The other parent cancelled too, and was told that it is noted: it stays off, and now it is theirs.
                let by = if a.role == Role::Resident { CancelledBy::Resident } else { CancelledBy::Contact };
                let undo = a.undo_from.clone();
                call_off(tx, &self.svc.sender, centre, session, by, a.answered_at.unwrap_or(now), undo.as_deref(), now).await?;
                continue;
            }
            if a.answer != Answer::None {
                continue;
            }
            // Their question goes on as if nothing had been; one that fell into the gap is put on the quarter-hour grid.
            let at = first_look(centre, other.session.start_local, a.ask_known);
            let at = if at < now { next_quarter(now) } else { at };
            let until = not_after(&centre.courtesy, a.arrives_at, at);
            let moved = format!("moved/{session}/{}/{}", a.ask_version, a.role);
            outbox::revive(tx, &moved, Ended::SessionOff.as_str(), next_quarter(now), a.arrives_at).await?;
            let cause = confirm_cause(session, a.ask_version, a.role);
            if !outbox::revive(tx, &cause, Ended::SessionOff.as_str(), at, until).await? && messages::asked(tx, session, a.role, a.ask_version).await?.at.is_none() {
                sessions::ask_at(tx, session, a.role, Some(at), "").await?;
            }
        }
        Ok(true)
    }

    async fn opt(&mut self, out: bool) -> Result<()> {
        inbox::set_opt_out(self.tx, &self.svc.sender, &self.inbound.number_hash, out, self.inbound.at).await?;
        let kind = if out { "opted_out" } else { "opted_in" };
        let facts: Vec<Fact<'_>> = self
            .parties
            .iter()
            .map(|(_, case, _)| Fact { case_id: Some(case), session_id: None, role: None, kind, at: self.inbound.at, by: "courtesy", rule: "a3", detail: "" })
            .collect();
        facts::add(self.tx, self.now, &facts).await
    }

    async fn task(&mut self, topic: Topic, session: Option<&str>) -> Result<()> {
        let seat = session.and_then(|s| self.seat(s));
        // Without a clear session the case is named only if there is just one that it can be.
        let only_case = match self.parties {
            [(_, case, _)] => Some(case.as_str()),
            _ => None,
        };
        let task = NewTask {
            centre: self.parties.first().map(|p| p.0.as_str()),
            case_id: seat.map(|s| s.session.case_id.as_str()).or(only_case),
            session_id: session,
            role: seat.map(|s| s.attendee.role),
            inbound_id: Some(&self.inbound.id),
            due_at: seat.map(|s| s.attendee.arrives_at),
            ..NewTask::new(format!("{topic}/{}", self.inbound.id), topic)
        };
        tasks::open(self.tx, self.now, &task).await
    }

    /// Answers are capped too, or somebody who fakes a sender could fill a phone (rule a2).
    async fn capped(&mut self, kind: Kind, session: Option<&str>) -> Result<bool> {
        if kind == Kind::UnknownSender {
            let known_country = self.inbound.from.as_ref().is_some_and(|p| p.as_str().starts_with("+44") || p.as_str().starts_with("+353"));
            let lately = messages::answers_since(self.tx, &self.inbound.number_hash, self.now - Duration::days(30)).await?;
            return Ok(!known_country || !lately.is_empty() || messages::strangers_since(self.tx, self.now - Duration::hours(1)).await? >= STRANGERS_AN_HOUR);
        }
        let lately = messages::answers_since(self.tx, &self.inbound.number_hash, self.now - Duration::hours(24)).await?;
        if lately.len() >= ANSWERS_A_DAY {
            return Ok(true);
        }
        // The question of a cancellation has its own bound: two a day (rule S1).
        let hour_ago = self.now - Duration::hours(1);
        if kind != Kind::CancelReasonAsk && lately.iter().any(|(k, s, at)| *k == kind && s.as_deref() == session && *at > hour_ago) {
            return Ok(true);
        }
        let quiet = self.centre_of(session).and_then(|c| c.courtesy.quiet.map(|q| (q, c.tz)));
        if let Some((q, tz)) = quiet.filter(|(q, tz)| q.covers(*tz, self.now)) {
            let night = q.before(tz, self.now);
            return Ok(lately.iter().any(|(.., at)| *at >= night));
        }
        Ok(false)
    }

    async fn reply(&mut self, reply: &conversation::Reply, data: String) -> Result<()> {
        let Some(phone) = self.inbound.from.clone() else { return Ok(()) };
        let Some(centre) = self.centre_of(reply.session.as_deref()) else { return Ok(()) };
        let cause = format!("reply/{}", self.inbound.id);
        let until = Some(self.now + ANSWER_LASTS);
        let to = Some((phone, self.inbound.number_hash.clone()));
        let message = match reply.session.as_deref().and_then(|s| self.seat(s)) {
            Some(seat) => NewMessage { to, data, ..to_seat(seat, cause, reply.kind, self.now, until) },
            None => {
                let (case_id, party_id) = match self.parties {
                    [(_, case, party)] => (Some(case.clone()), Some(party.clone())),
                    _ => (None, None),
                };
                NewMessage { cause, kind: reply.kind, centre: centre.code.clone(), case_id, party_id, role: None, session: None, to, data, not_before: self.now, not_after: until }
            }
        };
        outbox::enqueue(self.tx, self.now, &[message]).await?;
        Ok(())
    }
}

fn in_time_word(seat: &Seat, at: DateTime<Utc>) -> &'static str {
    if is_late(seat.session.starts_at, at, seat.session.notice_hours) { "late" } else { "in_time" }
}

/// Calls a session off and tells whoever has to hear, when it may be released. The first cancellation counts (choice C10); a later
/// one is only recorded by its caller.
#[expect(clippy::too_many_arguments, reason = "each is one plain fact of the cancellation")]
pub async fn call_off(
    tx: &mut Tx,
    sender: &str,
    centre: &Centre,
    session_id: &str,
    by: CancelledBy,
    at: DateTime<Utc>,
    by_address: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let seats = sessions::seats(tx, sender, session_id).await?;
    if let Some(me) = seats.iter().find(|s| s.attendee.role.as_str() == by.as_str()) {
        sessions::answer(tx, session_id, me.attendee.role, Answer::Cancelled, Some(at)).await?;
    }
    let others = || seats.iter().filter(|s| s.attendee.role.as_str() != by.as_str());
    // From the phone that finished it, it can be taken back until the other parent hears of it.
    let told_at = others().map(|s| session_off_at(centre, now, s.attendee.arrives_at)).min();
    if let (Some(me), Some(until), Some(address)) = (seats.iter().find(|s| s.attendee.role.as_str() == by.as_str()), told_at, by_address) {
        sessions::set_release(tx, session_id, me.attendee.role, me.attendee.hears_at, Some((until, address))).await?;
    }
    let Some(session) = seats.first().map(|s| s.session.clone()).filter(|s| s.state == SessionState::Booked) else { return Ok(()) };
    if !sessions::call_off(tx, &session, &Off { by, at }).await? {
        return Ok(());
    }
    let mut untold = Vec::new();
    for seat in others() {
        untold.push(outbox::untold_move(tx, session_id, seat.attendee.role).await?.unwrap_or_default());
    }
    outbox::withdraw(tx, session_id, None, &[Kind::ConfirmRequest, Kind::SessionMoved], Ended::SessionOff.as_str()).await?;
    for seat in &seats {
        if seat.attendee.ask_at.is_some() {
            sessions::ask_at(tx, session_id, seat.attendee.role, None, "cancelled").await?;
        }
    }
    let held = centres::held(tx, &centre.code).await?;
    for (seat, old_arrival) in others().zip(untold) {
        let at = session_off_at(centre, now, seat.attendee.arrives_at);
        let version = session.version + 1;
        let cause = format!("off/{session_id}/{version}/{}", seat.attendee.role);
        sessions::set_release(tx, session_id, seat.attendee.role, Some(at), None).await?;
        // Who was never told of a move hears of the visit at the time that they know.
        let news = NewMessage { data: old_arrival, ..to_seat(seat, cause.clone(), Kind::SessionOff, at, Some(session.ends_at)) };
        outbox::enqueue(tx, now, &[news]).await?;
        if held {
            // Rule f10: nothing leaves while on hold, so a person rings.
            super::plan::ring(tx, now, seat, Topic::RingSessionOff, format!("ring-for/{cause}")).await?;
        }
    }
    Ok(())
}

/// Applies one delivery receipt.
pub async fn receipt(svc: &Service, r: &attempts::ReceiptIn) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    if let Some(t) = attempts::receipt(&mut tx, now, r).await?
        && t.changed
        && t.state == crate::domain::message::MessageState::Undelivered
    {
        let opted_out = r.error_code.as_deref() == Some("21610");
        if opted_out {
            inbox::set_opt_out(&mut tx, &t.sender, &t.number_hash, true, now).await?;
        }
        let topic = if opted_out { Topic::RingOptedOut } else { Topic::BadNumber };
        tasks::open_for_message(&mut tx, now, format!("undelivered/{}", t.message_id), topic, &t.message_id).await?;
    }
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(())
}

/// Lists what came to our sender since `since` and stores what no hook brought: after a start, a gap, and now and then.
///
/// # Errors
/// The provider or the database did not answer; nothing is lost by that, it is listed again.
pub async fn catch_up(svc: &Service, since: DateTime<Utc>) -> Result<u64> {
    let Some(line) = &svc.line else { return Ok(0) };
    let listed = line.sms.list_inbound(since).await?;
    let ids: Vec<String> = listed.iter().map(|l| l.provider_id.clone()).collect();
    let known = inbox::known(&svc.db, "sms", &ids).await?;
    let now = svc.clock.now();
    let mut missed: Vec<Received> = listed
        .into_iter()
        .filter(|l| !known.contains(&l.provider_id))
        .map(|l| Received {
            provider: "sms",
            provider_message_id: l.provider_id,
            sender: l.to,
            from: l.from.unwrap_or_default(),
            body: crate::domain::person::Private(l.body),
            media: l.media,
            opt_out_type: None,
            at: l.created_at.unwrap_or(now).min(now),
            found_by: "listing",
        })
        .collect();
    missed.sort_by_key(|r| r.at);
    if missed.is_empty() {
        return Ok(0);
    }
    let n = store(svc, &missed).await?;
    tracing::info!("{n} messages had come in while nobody listened");
    Ok(n)
}

/// Waits for what comes in and applies it until the token ends.
pub async fn run(svc: &Service, stop: tokio_util::sync::CancellationToken) -> Result<()> {
    let mut failures = 0u32;
    while !stop.is_cancelled() {
        // Nothing of a message is remembered outside the database, so it is simply tried again.
        if let Err(e) = apply_all(svc).await {
            tracing::warn!("a message could not be applied yet: {e:#}");
            failures = (failures + 1).min(6);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(100 << failures)) => {}
            }
            continue;
        }
        failures = 0;
        svc.pulse.tick("receive");
        tokio::select! {
            () = stop.cancelled() => {}
            () = svc.wake_receive.notified() => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
    Ok(())
}
