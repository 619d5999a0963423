//! Writes down what was decided about one message: facts, tasks, questions, and the one answer that
//! goes back.

use crate::domain::centre::{CancelAnswer, Centre};
use crate::domain::ids::{CancelQuestionId, CaseId, ChoiceId, SessionId};
use crate::domain::local_time::{Quiet, after_all_quiet, wall};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Say;
use crate::domain::people::person::{Channel, Mode, Role};
use crate::domain::replies::cancel_code::code_prefix;
use crate::domain::replies::conversation::{self, AmbiguousWish, Decision, Effect, InboundContext};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, CancelledBy, Reason};
use crate::flows::choices::{end_choices, which_cause};
use crate::flows::compose::message_to;
use crate::flows::lateness::is_late;
use crate::flows::lines::Lines;
use crate::flows::money::settle;
use crate::flows::ring::ring_by;
use crate::flows::service::Service;
use crate::flows::visits::cancel::{call_off, resume_question};
use crate::store::centres::Centres;
use crate::store::errands::{self, Errand};
use crate::store::facts::{self, Fact};
use crate::store::inbox::{self, Inbound, InboundKind, Owner};
use crate::store::outbox::{self, NewMessage};
use crate::store::questions::{self, NewQuestion};
use crate::store::sealed::random_u32;
use crate::store::sessions::{self, AttendeeContext};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, messages};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Answers to one number in 24 hours, whatever they say (rule a2).
const ANSWERS_A_DAY: usize = 6;
/// Answers to strangers in an hour, all together (rule a2).
const STRANGERS_AN_HOUR: i64 = 20;
/// An answer that could not leave for this long is no answer any more.
const ANSWER_LASTS: Duration = Duration::hours(12);
/// "Asked to cancel, did not finish": a person rings after this (rule S1a).
const NAG_AFTER: Duration = Duration::minutes(30);
/// The stem of a question that no code finishes.
const NO_CODE: &str = "-";

/// Writes down what was decided about one message.
pub(crate) struct DecisionWriter<'a> {
    pub(crate) svc: &'a Service,
    pub(crate) tx: &'a mut Tx,
    pub(crate) all: &'a Centres,
    pub(crate) lines: &'a Lines,
    pub(crate) contexts: &'a [AttendeeContext],
    pub(crate) parties: &'a [Owner],
    pub(crate) inbound: &'a Inbound,
    /// The line it came by: channel and our sender.
    pub(crate) line: (Channel, &'a str),
    pub(crate) now: DateTime<Utc>,
    /// The phone was made quieter by this message: the answer is still given as before.
    pub(crate) before: Option<Mode>,
}

impl<'a> DecisionWriter<'a> {
    fn context(&self, session: &SessionId) -> Option<&'a AttendeeContext> {
        self.contexts.iter().find(|s| s.session.id == *session)
    }

    fn centre_of(&self, session: Option<&SessionId>) -> Option<&'a Centre> {
        let code = session
            .and_then(|s| self.context(s))
            .map(|s| s.session.centre.as_str())
            .or_else(|| self.parties.first().map(|p| p.centre.as_str()));
        let of_line = || {
            self.all.values().find(|c| {
                self.lines
                    .senders()
                    .speaks_for(self.line.1, &c.centre.code, self.line.0)
            })
        };
        code.and_then(|c| self.all.get(c))
            .or_else(of_line)
            .or_else(|| self.all.values().next())
            .map(|s| &s.centre)
    }

    /// Whether this phone may show questions that name a visit: else it shows a bare "please ring
    /// us", or nothing (safety rule D2).
    fn shows_all(&self) -> bool {
        self.parties.iter().all(|p| p.mode == Mode::Normal)
    }

    /// InboundKind a phone that may not show a question is told instead: a discreet one the bare "please
    /// ring us", a silent one nothing.
    fn bare_reply(&self) -> Option<conversation::Reply> {
        let silent = self.parties.iter().any(|p| p.mode == Mode::Silent);
        (!silent).then_some(conversation::Reply {
            kind: MessageKind::NeedsCoordinatorAck,
            session: None,
        })
    }

    pub(crate) async fn carry_out(
        &mut self,
        heard: &InboundContext,
        decision: Decision,
    ) -> Result<()> {
        let mut reply = decision.reply;
        let mut payload = Payload::None;
        // An answer that tells of a change is never held back by the caps.
        let mut changed = false;
        for effect in decision.effects {
            for session in conversation::decides(heard, &effect) {
                if let Some(context) = self.context(session) {
                    sessions::decided(self.tx, session, context.attendee.role, self.inbound.at)
                        .await?;
                    if conversation::settles(&effect) {
                        end_choices(self.tx, context, &self.inbound.number_hash, self.now).await?;
                    }
                }
            }
            match effect {
                Effect::Confirm { session } => self.confirm(&session, decision.rule).await?,
                Effect::CancelAsked {
                    session,
                    reason,
                    first_no_at,
                    late,
                } => {
                    let asks = reply
                        .as_ref()
                        .is_some_and(|r| r.kind == MessageKind::CancelReasonAsk);
                    // A phone that may not show the question is rung; no question waits that nobody
                    // can read.
                    let shows = self.shows_all();
                    let capped = asks
                        && shows
                        && self
                            .capped(MessageKind::CancelReasonAsk, Some(&session))
                            .await?;
                    match self
                        .cancel_asked(
                            &session,
                            reason,
                            first_no_at,
                            late,
                            asks && shows && !capped,
                            decision.rule,
                        )
                        .await?
                    {
                        Some(question) => payload = Payload::CancelQuestion(question),
                        None if asks && !shows => reply = self.bare_reply(),
                        None => reply = reply.filter(|r| r.kind != MessageKind::CancelReasonAsk),
                    }
                }
                Effect::Cancel {
                    session,
                    question,
                    reason,
                    at,
                } => {
                    let Some(context) = self.context(&session) else {
                        continue;
                    };
                    if self.storm(&context.session.centre).await? {
                        self.task(TaskKind::Storm, Some(&session)).await?;
                        reply = reply.map(|_| conversation::Reply {
                            kind: MessageKind::NeedsCoordinatorAck,
                            session: None,
                        });
                        break;
                    }
                    changed = true;
                    questions::end(self.tx, &question, true).await?;
                    tasks::obsolete_unfinished(
                        self.tx,
                        self.now,
                        &session,
                        Some(context.attendee.role),
                    )
                    .await?;
                    self.cancel(context, reason, at, decision.rule).await?;
                    payload = self.in_time(context, at).await?;
                }
                Effect::TakeBack { session } => {
                    if self.take_back(&session, decision.rule).await? {
                        changed = true;
                    } else {
                        // The other parent was told meanwhile: C11, a person decides.
                        self.task(TaskKind::Reconfirm, Some(&session)).await?;
                        reply = Some(conversation::Reply {
                            kind: MessageKind::NeedsCoordinatorAck,
                            session: None,
                        });
                    }
                }
                Effect::CloseQuestion { question } => {
                    changed = true;
                    questions::end(self.tx, &question, false).await?;
                    let of = heard
                        .open
                        .iter()
                        .find(|o| o.question.as_ref().is_some_and(|q| q.id == question));
                    if let Some(context) = of.and_then(|o| self.context(&o.session)) {
                        tasks::obsolete_unfinished(
                            self.tx,
                            self.now,
                            &context.session.id,
                            Some(context.attendee.role),
                        )
                        .await?;
                    }
                }
                Effect::WrongCode { question } => questions::wrong(self.tx, &question).await?,
                Effect::AskWhich { wanted, options } => {
                    let told =
                        self.shows_all() && !self.capped(MessageKind::WhichSession, None).await?;
                    let asked = self.ask_which(wanted, &options, told).await?;
                    match (&asked, wanted) {
                        // A wish that cannot be asked back must not be silent.
                        (None, AmbiguousWish::Cancel(_)) => {
                            self.task(TaskKind::CancelByPhone, Some(&options[0].0))
                                .await?
                        }
                        (Some((choice, _)), AmbiguousWish::Cancel(_)) => {
                            self.ring_unless_chosen(choice, &options).await?
                        }
                        // Who comes after all is not rung for the NO before it.
                        (Some((choice, _)), AmbiguousWish::Confirm) => {
                            tasks::close(self.tx, self.now, &which_cause(choice)).await?
                        }
                        (None, AmbiguousWish::Confirm) => {}
                    }
                    if !told && wanted == AmbiguousWish::Confirm {
                        self.task(TaskKind::ReadMessage, Some(&options[0].0))
                            .await?;
                    }
                    reply = if self.shows_all() {
                        reply.filter(|_| told)
                    } else {
                        self.bare_reply()
                    };
                    payload = asked.map(|(_, payload)| payload).unwrap_or_default();
                }
                Effect::DateAnswer {
                    question,
                    role,
                    yes,
                } => {
                    crate::flows::visits::ask_date::answered(
                        self.tx,
                        &question,
                        role,
                        yes,
                        self.inbound.at,
                        "courtesy",
                        self.now,
                    )
                    .await?
                }
                Effect::Chosen { choice } => {
                    questions::chosen(self.tx, &choice).await?;
                    tasks::close(self.tx, self.now, &which_cause(&choice)).await?;
                }
                Effect::IllnessTold { session, reason } => {
                    let Some(context) = self.context(&session) else {
                        continue;
                    };
                    self.fact(
                        context,
                        "cancelled",
                        self.inbound.at,
                        "C28",
                        reason.as_str(),
                    )
                    .await?;
                    self.settle(&context.session.case_id).await?;
                }
                Effect::SomeChildren { session, ill } => {
                    let Some(context) = self.context(&session) else {
                        continue;
                    };
                    self.fact(
                        context,
                        "some_children",
                        self.inbound.at,
                        decision.rule,
                        if ill { "ill" } else { "" },
                    )
                    .await?;
                }
                Effect::Quieten { mode, rule } => self.quieten(mode, rule).await?,
                Effect::PauseAddress => {
                    changed = true;
                    inbox::pause(
                        self.tx,
                        self.parties,
                        &self.inbound.number_hash,
                        Some(self.now),
                    )
                    .await?;
                    self.party_facts("address_paused", "d3").await?;
                }
                Effect::OptOut => {
                    changed |= !heard.opted_out;
                    self.opt_out().await?;
                }
                Effect::OptIn => {
                    changed |= heard.opted_out;
                    self.opt_in(heard).await?;
                }
                Effect::Task { topic, session } => self.task(topic, session.as_ref()).await?,
            }
        }
        self.after_press(reply.as_ref()).await?;
        // A bot says it where the button was pressed. On WhatsApp it is a text; to press the same
        // button again needs no answer.
        let says_so = self.inbound.channel == Channel::Whatsapp && decision.rule != "press-again";
        let Some(reply) = reply.filter(|r| r.kind != MessageKind::OldButton || says_so) else {
            return Ok(());
        };
        if let Some(before) = self.before
            && matches!(
                reply.kind,
                MessageKind::NeedsCoordinatorAck | MessageKind::UnclearReply
            )
        {
            payload = Payload::ModeBefore(before);
        }
        if reply.kind == MessageKind::CancellationAck
            && payload == Payload::None
            && let Some(context) = reply.session.as_ref().and_then(|s| self.context(s))
            && let Some(at) = context.attendee.answered_at
        {
            payload = self.in_time(context, at).await?;
        }
        if changed
            || reply.kind == MessageKind::CancelReasonAsk
            || !self.capped(reply.kind, reply.session.as_ref()).await?
        {
            if changed && reply.kind == MessageKind::CancellationAck {
                self.copy_to_the_other_address(&reply, &payload).await?;
            }
            self.reply(&reply, payload).await?;
        }
        Ok(())
    }

    /// A press is answered so that its button comes to rest, and the buttons below its text go.
    async fn after_press(&mut self, reply: Option<&conversation::Reply>) -> Result<()> {
        let InboundKind::Press { query, message, .. } = &self.inbound.what else {
            return Ok(());
        };
        if self.inbound.channel != Channel::Telegram {
            return Ok(());
        }
        let Some(chat) = self.inbound.from.clone() else {
            return Ok(());
        };
        let mut words = String::new();
        if reply.is_some_and(|r| r.kind == MessageKind::OldButton)
            && self
                .parties
                .iter()
                .all(|p| p.mode == crate::domain::people::person::Mode::Normal)
            && let Some(centre) = self.centre_of(None)
        {
            words = self
                .svc
                .words
                .render(
                    &Say::OldButton,
                    &crate::flows::compose::speaker(centre),
                    "en",
                )?
                .body;
        }
        let answer = Errand {
            sender: self.line.1,
            what: "answer",
            chat: &chat,
            target: query,
            words: &words,
        };
        errands::add(self.tx, self.now, &answer, Duration::minutes(10)).await?;
        let unbutton = Errand {
            sender: self.line.1,
            what: "unbutton",
            chat: &chat,
            target: message,
            words: "",
        };
        errands::add(self.tx, self.now, &unbutton, Duration::hours(24)).await?;
        self.svc.wake_errands.notify_one();
        Ok(())
    }

    /// Rule S3: who cancelled in one place reads it in the other place of theirs too, if that was
    /// agreed and is safe.
    async fn copy_to_the_other_address(
        &mut self,
        reply: &conversation::Reply,
        payload: &Payload,
    ) -> Result<()> {
        let Some(context) = reply.session.as_ref().and_then(|s| self.context(s)) else {
            return Ok(());
        };
        let Some(other) = context
            .routes
            .iter()
            .find(|r| r.hash != self.inbound.number_hash && !r.opted_out)
        else {
            return Ok(());
        };
        // The other phone is not in the hand that just wrote: its quiet hours are kept, the
        // centre's and its own.
        let Some(centre) = self.centre_of(reply.session.as_ref()) else {
            return Ok(());
        };
        let quiet: Vec<Quiet> = centre
            .courtesy
            .quiet
            .into_iter()
            .chain(context.quiet)
            .collect();
        let Some(not_before) = after_all_quiet(&quiet, centre.tz, self.now) else {
            return Ok(());
        };
        let dedup_key = format!("reply/{}/copy", self.inbound.id);
        let message = NewMessage {
            to: Some((other.address.clone(), other.hash.clone())),
            payload: payload.clone(),
            ..message_to(
                context,
                dedup_key,
                reply.kind,
                not_before,
                Some(self.now + ANSWER_LASTS),
            )
        };
        outbox::enqueue(self.tx, self.now, &[message]).await?;
        Ok(())
    }

    /// Rule S1a: a NO that nobody finishes is never silent, also while it is not clear of which
    /// visit.
    async fn ring_unless_chosen(
        &mut self,
        choice: &ChoiceId,
        options: &[(SessionId, i64); 2],
    ) -> Result<()> {
        let Some(context) = options
            .iter()
            .filter_map(|(s, _)| self.context(s))
            .min_by_key(|s| s.attendee.arrives_at)
        else {
            return Ok(());
        };
        let task = NewTask {
            centre: Some(&context.session.centre),
            case_id: Some(&context.session.case_id),
            session_id: Some(&context.session.id),
            role: Some(context.attendee.role),
            inbound_id: Some(&self.inbound.id),
            due_at: Some(
                self.centre_of(Some(&context.session.id))
                    .map_or(context.attendee.arrives_at, |c| {
                        ring_by(c, context.attendee.arrives_at, self.now)
                    }),
            ),
            ..NewTask::new(which_cause(choice), TaskKind::CancelUnfinished)
        };
        tasks::open(self.tx, self.now, &task).await?;
        // A YES in between had ended it.
        tasks::needed_again_of(self.tx, &which_cause(choice)).await
    }

    /// Puts the numbered question; gives what its text needs, or `None` if no number can answer it.
    async fn ask_which(
        &mut self,
        wanted: AmbiguousWish,
        options: &[(SessionId, i64); 2],
        told: bool,
    ) -> Result<Option<(ChoiceId, Payload)>> {
        let [Some(a), Some(b)] = options.each_ref().map(|(session, _)| self.context(session))
        else {
            return Ok(None);
        };
        let new = questions::NewChoice {
            place: (self.line.0, self.line.1, &self.inbound.number_hash),
            said_at: self.inbound.at,
            wanted,
            options,
            told,
        };
        let Some(choice) = questions::ask_which(self.tx, self.now, &new).await? else {
            return Ok(None);
        };
        let differ = a.session.centre != b.session.centre;
        let option = |context: &AttendeeContext| {
            let centre = self.all.get(&context.session.centre).map(|c| &c.centre);
            let at = centre.map_or_else(
                || context.attendee.arrives_at.naive_utc(),
                |c| wall(c.tz, context.attendee.arrives_at),
            );
            (centre.filter(|_| differ).map(|c| c.short_name.clone()), at)
        };
        let payload = Payload::WhichVisit {
            choice: choice.clone(),
            options: [option(a), option(b)],
        };
        Ok(Some((choice, payload)))
    }

    async fn fact(
        &mut self,
        context: &AttendeeContext,
        kind: &str,
        at: DateTime<Utc>,
        rule: &str,
        detail: &str,
    ) -> Result<()> {
        let fact = Fact::by_program(kind, rule, at)
            .of_session(&context.session)
            .role(context.attendee.role)
            .detail(detail);
        facts::add(self.tx, self.now, &[fact]).await
    }

    async fn confirm(&mut self, session: &SessionId, rule: &str) -> Result<()> {
        let Some(context) = self.context(session) else {
            return Ok(());
        };
        let role = context.attendee.role;
        sessions::answer(
            self.tx,
            session,
            role,
            Answer::Confirmed,
            Some(self.inbound.at),
        )
        .await?;
        outbox::withdraw(
            self.tx,
            session,
            Some(role),
            &[MessageKind::ConfirmRequest],
            EndReason::Answered.as_str(),
        )
        .await?;
        self.fact(context, "confirmed", self.inbound.at, rule, "")
            .await
    }

    /// Records that a party asked to cancel; with `ask` also the question that finishes it. Gives
    /// the question's id.
    async fn cancel_asked(
        &mut self,
        session: &SessionId,
        reason: Option<Reason>,
        first_no_at: DateTime<Utc>,
        late: bool,
        ask: bool,
        rule: &str,
    ) -> Result<Option<CancelQuestionId>> {
        let Some(context) = self.context(session) else {
            return Ok(None);
        };
        self.fact(context, "cancel_asked", self.inbound.at, rule, "")
            .await?;
        if !ask {
            self.task(TaskKind::CancelByPhone, Some(session)).await?;
            return Ok(None);
        }
        // In a chat the sender is known, so a second press takes the place of the code (rule S1d).
        let by_press = matches!(self.line.0, Channel::Telegram | Channel::Whatsapp);
        let by_word = !by_press
            && self
                .centre_of(Some(session))
                .is_some_and(|c| c.rules.cancel_answer == CancelAnswer::Word);
        // S1: late and no reason said, each reason has its digit; otherwise one code is enough.
        // Without a fee nothing hangs on the reason, and what is ill is asked of nobody without
        // need.
        let late = late && context.session.fee_minor > 0;
        let offered = match reason {
            Some(r) => vec![r],
            None if late || by_word => vec![
                Reason::IllChild,
                Reason::IllSelf,
                Reason::Travel,
                Reason::Other,
            ],
            None => vec![Reason::Other],
        };
        let soon = context.attendee.arrives_at - self.now < Duration::hours(24);
        let question = NewQuestion {
            session_id: session,
            role: context.attendee.role,
            ask_version: context.attendee.ask_version,
            channel: self.inbound.channel,
            number_hash: &self.inbound.number_hash,
            code_prefix: &if by_press {
                NO_CODE.to_owned()
            } else {
                code_prefix(random_u32)
            },
            offered: &offered,
            first_no_at,
            nag_at: if soon { self.now } else { self.now + NAG_AFTER },
        };
        Ok(Some(questions::add(self.tx, self.now, &question).await?))
    }

    /// Whether so many cancellations by text came in an hour that a person has to look first (rule
    /// S4).
    async fn storm(&mut self, centre: &str) -> Result<bool> {
        let lately = facts::count_since(
            self.tx,
            "cancelled",
            &["S1-finished", "S1d-finished"],
            centre,
            self.now - Duration::hours(1),
        )
        .await?;
        let ahead =
            sessions::count_between(self.tx, centre, self.now, self.now + Duration::days(7))
                .await?;
        Ok(lately >= 5.max(ahead / 5))
    }

    async fn cancel(
        &mut self,
        context: &AttendeeContext,
        reason: Reason,
        at: DateTime<Utc>,
        rule: &str,
    ) -> Result<()> {
        let by = match context.attendee.role {
            Role::Resident => CancelledBy::Resident,
            _ => CancelledBy::Contact,
        };
        self.fact(context, "cancelled", at, rule, reason.as_str())
            .await?;
        crate::flows::lateness::note_refused_move(self.tx, context, at, "courtesy", self.now)
            .await?;
        let Some(centre) = self.centre_of(Some(&context.session.id)) else {
            return Ok(());
        };
        call_off(
            self.tx,
            self.lines.senders(),
            centre,
            &context.session.id,
            by,
            at,
            Some(&self.inbound.number_hash),
            self.now,
        )
        .await?;
        self.settle(&context.session.case_id).await
    }

    /// InboundKind follows by the rules on money.
    async fn settle(&mut self, case_id: &CaseId) -> Result<()> {
        settle::settle(self.lines.senders(), self.tx, self.all, case_id, self.now)
            .await
            .map(drop)
    }

    /// Takes this party's cancellation back; false if the other parent was told already.
    async fn take_back(&mut self, session: &SessionId, rule: &str) -> Result<bool> {
        let (Some(context), Some(centre)) = (self.context(session), self.centre_of(Some(session)))
        else {
            return Ok(false);
        };
        let (me, version) = (context.attendee.role, context.session.version);
        // Told is told, by a text or by a person who rang.
        for role in [Role::Resident, Role::Contact] {
            if tasks::was_done(self.tx, &format!("ring-for/off/{session}/{version}/{role}")).await?
            {
                return Ok(false);
            }
        }
        if outbox::off_was_told(self.tx, session, version).await?
            || !sessions::put_back(self.tx, &context.session).await?
        {
            return Ok(false);
        }
        self.fact(context, "taken_back", self.inbound.at, rule, "")
            .await?;
        outbox::withdraw(
            self.tx,
            session,
            None,
            &[MessageKind::SessionOff],
            EndReason::TakenBack.as_str(),
        )
        .await?;
        outbox::withdraw(
            self.tx,
            session,
            Some(me),
            &[MessageKind::CancellationAck],
            EndReason::TakenBack.as_str(),
        )
        .await?;
        sessions::answer(
            self.tx,
            session,
            me,
            Answer::Confirmed,
            Some(self.inbound.at),
        )
        .await?;
        let (tx, now) = (&mut *self.tx, self.now);
        let contexts = sessions::contexts(tx, self.lines.senders(), session).await?;
        for a in contexts.iter().map(|s| &s.attendee) {
            sessions::set_release(tx, session, a.role, None, None).await?;
            tasks::close(
                tx,
                now,
                &format!("ring-for/off/{session}/{version}/{}", a.role),
            )
            .await?;
        }
        for other in contexts.iter().filter(|s| s.attendee.role != me) {
            let a = &other.attendee;
            if a.answer == Answer::Cancelled {
                // The other parent cancelled too, and was told that it is noted: it stays off, and
                // now it is theirs.
                let by = if a.role == Role::Resident {
                    CancelledBy::Resident
                } else {
                    CancelledBy::Contact
                };
                let undo = a.undo_from.clone();
                call_off(
                    tx,
                    self.lines.senders(),
                    centre,
                    session,
                    by,
                    a.answered_at.unwrap_or(now),
                    undo.as_deref(),
                    now,
                )
                .await?;
                continue;
            }
            resume_question(tx, centre, other, now).await?;
        }
        // Who had not finished a cancellation of their own is rung after all.
        questions::nag_again(self.tx, session, self.now).await?;
        self.settle(&context.session.case_id).await?;
        Ok(true)
    }

    async fn task(&mut self, topic: TaskKind, session: Option<&SessionId>) -> Result<()> {
        let context = session.and_then(|s| self.context(s));
        // Without a clear session the case is named only if there is just one that it can be.
        let only = match self.parties {
            [one] => Some(one),
            _ => None,
        };
        // One task a day stands for all that a machine sends.
        let dedup_key = match topic {
            TaskKind::AutoReplies => format!(
                "{topic}/{}/{}",
                self.inbound.number_hash,
                self.now.format("%Y-%m-%d")
            ),
            _ => format!(
                "{topic}/{}/{}",
                self.inbound.id,
                session.map_or("", SessionId::as_str)
            ),
        };
        let task = NewTask {
            centre: context
                .map(|s| s.session.centre.as_str())
                .or_else(|| self.parties.first().map(|p| p.centre.as_str())),
            case_id: context
                .map(|s| &s.session.case_id)
                .or(only.map(|p| &p.case_id)),
            session_id: session,
            role: context.map(|s| s.attendee.role).or(only.map(|p| p.role)),
            inbound_id: Some(&self.inbound.id),
            due_at: context.map(|s| s.attendee.arrives_at),
            ..NewTask::new(dedup_key, topic)
        };
        tasks::open(self.tx, self.now, &task).await
    }

    /// Answers are capped too, or somebody who fakes a sender could fill a phone (rule a2).
    async fn capped(&mut self, kind: MessageKind, session: Option<&SessionId>) -> Result<bool> {
        if kind == MessageKind::UnknownSender {
            let known_country = self.inbound.from.as_ref().is_some_and(|a| {
                a.chat_id().is_some()
                    || a.as_str().starts_with("+44")
                    || a.as_str().starts_with("+353")
            });
            let lately = messages::answers_since(
                self.tx,
                &self.inbound.number_hash,
                self.now - Duration::days(30),
            )
            .await?;
            return Ok(!known_country
                || !lately.is_empty()
                || messages::strangers_since(self.tx, self.now - Duration::hours(1)).await?
                    >= STRANGERS_AN_HOUR);
        }
        let lately = messages::answers_since(
            self.tx,
            &self.inbound.number_hash,
            self.now - Duration::hours(24),
        )
        .await?;
        if lately.len() >= ANSWERS_A_DAY {
            return Ok(true);
        }
        // The question of a cancellation has its own bound: two a day (rule S1).
        let hour_ago = self.now - Duration::hours(1);
        if kind != MessageKind::CancelReasonAsk
            && lately
                .iter()
                .any(|(k, s, at)| *k == kind && s.as_ref() == session && *at > hour_ago)
        {
            return Ok(true);
        }
        let quiet = self
            .centre_of(session)
            .and_then(|c| c.courtesy.quiet.map(|q| (q, c.tz)));
        if let Some((q, tz)) = quiet.filter(|(q, tz)| q.covers(*tz, self.now)) {
            let night = q.before(tz, self.now);
            return Ok(lately.iter().any(|(.., at)| *at >= night));
        }
        Ok(false)
    }

    async fn in_time(&mut self, context: &AttendeeContext, at: DateTime<Utc>) -> Result<Payload> {
        let late = is_late(self.tx, context, at).await?;
        Ok(Payload::CancelledInTime(!late))
    }

    async fn reply(&mut self, reply: &conversation::Reply, payload: Payload) -> Result<()> {
        let Some(address) = self.inbound.from.clone() else {
            return Ok(());
        };
        let Some(centre) = self.centre_of(reply.session.as_ref()) else {
            return Ok(());
        };
        let dedup_key = format!("reply/{}", self.inbound.id);
        let until = Some(self.now + ANSWER_LASTS);
        let channel = address.channel();
        let to = Some((address, self.inbound.number_hash.clone()));
        let message = match reply.session.as_ref().and_then(|s| self.context(s)) {
            Some(context) => NewMessage {
                to,
                payload,
                ..message_to(context, dedup_key, reply.kind, self.now, until)
            },
            None => {
                let only = match self.parties {
                    [one] => Some(one),
                    _ => None,
                };
                NewMessage {
                    dedup_key,
                    kind: reply.kind,
                    centre: centre.code.clone(),
                    case_id: only.map(|p| p.case_id.clone()),
                    party_id: only.map(|p| p.party_id.clone()),
                    role: only.map(|p| p.role),
                    session: None,
                    to,
                    channel,
                    payload,
                    not_before: self.now,
                    not_after: until,
                }
            }
        };
        outbox::enqueue(self.tx, self.now, &[message]).await?;
        Ok(())
    }
}
