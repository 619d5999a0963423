//! A cancellation by text: asked for, finished with a code or a press, taken back.

use crate::domain::centre::CancelAnswer;
use crate::domain::dedup_key::MessageKey;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CancelQuestionId, SessionId};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use crate::domain::replies::cancel_code::code_prefix;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, CancelledBy, Reason};
use crate::flows::lateness::{is_late, note_refused_move};
use crate::flows::receive::decision_writer::{DecisionWriter, DraftReply, needs_coordinator};
use crate::flows::visits::cancel::{CallOff, call_off, resume_question};
use crate::store::facts::{self, Fact};
use crate::store::outbox;
use crate::store::questions::{self, NewQuestion};
use crate::store::sealed::random_u32;
use crate::store::sessions;
use crate::store::tasks;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use std::ops::ControlFlow;

/// "Asked to cancel, did not finish": a person rings after this (rule S1a).
const NAG_AFTER: Duration = Duration::minutes(30);
/// The code prefix of a question that no code finishes.
const NO_CODE: &str = "-";

/// A wish to cancel that is not finished yet.
pub(super) struct CancelRequest<'a> {
    pub(super) session: &'a SessionId,
    /// The reason, if it was said.
    pub(super) reason: Option<Reason>,
    /// When this party first said no; lateness counts from there.
    pub(super) first_no_at: DateTime<Utc>,
    pub(super) late: bool,
}

/// A cancellation whose question was answered.
pub(super) struct FinishedCancellation<'a> {
    pub(super) session: &'a SessionId,
    pub(super) question: &'a CancelQuestionId,
    pub(super) reason: Reason,
    pub(super) at: DateTime<Utc>,
}

impl DecisionWriter<'_> {
    /// Puts the question that finishes a cancellation. Where the phone may not show it, a person
    /// rings: no question waits that nobody can read.
    pub(super) async fn ask_to_finish(
        &mut self,
        asked: &CancelRequest<'_>,
        rule: &str,
        draft: &mut DraftReply,
    ) -> Result<()> {
        let asks = draft.asks_reason();
        let shows = self.shows_all();
        let capped = asks
            && shows
            && self
                .capped(MessageKind::CancelReasonAsk, Some(asked.session))
                .await?;
        let can_ask = asks && shows && !capped;
        match self.cancel_asked(asked, can_ask, rule).await? {
            Some(question) => draft.payload = Payload::CancelQuestion(question),
            None if asks && !shows => draft.reply = self.bare_reply(),
            None => {
                draft.reply = draft
                    .reply
                    .take()
                    .filter(|r| r.kind != MessageKind::CancelReasonAsk);
            }
        }
        Ok(())
    }

    /// Records that a party asked to cancel and, if it can be asked, the question that finishes it.
    async fn cancel_asked(
        &mut self,
        asked: &CancelRequest<'_>,
        can_ask: bool,
        rule: &str,
    ) -> Result<Option<CancelQuestionId>> {
        let CancelRequest {
            session,
            reason,
            first_no_at,
            late,
        } = *asked;
        let Some(context) = self.context(session) else {
            return Ok(None);
        };
        let fact = Fact::by_program("cancel_asked", rule, self.inbound.at).of_attendee(context);
        facts::add(self.tx, self.now, &[fact]).await?;
        if !can_ask {
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
        // Without a fee the reason changes nothing, and nobody is asked about an illness without
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

    /// Cancels the session, unless so many cancel at once that a person has to look first.
    pub(super) async fn finish_cancellation(
        &mut self,
        finished: &FinishedCancellation<'_>,
        rule: &str,
        draft: &mut DraftReply,
    ) -> Result<ControlFlow<()>> {
        let FinishedCancellation {
            session,
            question,
            reason,
            at,
        } = *finished;
        let Some(context) = self.context(session) else {
            return Ok(ControlFlow::Continue(()));
        };
        if self.storm(&context.session.centre).await? {
            self.task(TaskKind::Storm, Some(session)).await?;
            draft.reply = draft.reply.take().map(|_| needs_coordinator());
            return Ok(ControlFlow::Break(()));
        }
        draft.changed = true;
        questions::end(self.tx, question, true).await?;
        let role = Some(context.attendee.role);
        tasks::mark_unfinished_obsolete(self.tx, self.now, session, role).await?;
        self.cancel(context, reason, at, rule).await?;
        draft.payload = self.in_time(context, at).await?;
        Ok(ControlFlow::Continue(()))
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
        let fact = Fact::by_program("cancelled", rule, at)
            .of_attendee(context)
            .detail(reason.as_str());
        facts::add(self.tx, self.now, &[fact]).await?;
        note_refused_move(self.tx, context, at, "courtesy", self.now).await?;
        let Some(centre) = self.centre_of(Some(&context.session.id)) else {
            return Ok(());
        };
        call_off(
            self.tx,
            self.lines.senders(),
            centre,
            &context.session.id,
            &CallOff {
                by: cancelled_by(context.attendee.role),
                at,
                by_address: Some(&self.inbound.number_hash),
            },
            self.now,
        )
        .await?;
        self.settle(&context.session.case_id).await
    }

    pub(super) async fn in_time(
        &mut self,
        context: &AttendeeContext,
        at: DateTime<Utc>,
    ) -> Result<Payload> {
        let late = is_late(self.tx, context, at).await?;
        Ok(Payload::CancelledInTime(!late))
    }

    /// Takes this party's cancellation back. If the other parent heard of it meanwhile, a person
    /// decides (choice C11).
    pub(super) async fn take_back(
        &mut self,
        session: &SessionId,
        rule: &str,
        draft: &mut DraftReply,
    ) -> Result<()> {
        if self.put_back_on(session, rule).await? {
            draft.changed = true;
        } else {
            self.task(TaskKind::Reconfirm, Some(session)).await?;
            draft.reply = Some(needs_coordinator());
        }
        Ok(())
    }

    /// Puts the session back on; false if the other parent was told already.
    async fn put_back_on(&mut self, session: &SessionId, rule: &str) -> Result<bool> {
        let (Some(context), Some(centre)) = (self.context(session), self.centre_of(Some(session)))
        else {
            return Ok(false);
        };
        let (me, version) = (context.attendee.role, context.session.version);
        // Told is told, by a text or by a person who rang.
        for role in [Role::Resident, Role::Contact] {
            let off = MessageKey::session_off(session, version, role);
            if tasks::was_done(self.tx, &TaskKey::ring_for(&off)).await? {
                return Ok(false);
            }
        }
        if outbox::cancellation_was_sent(self.tx, session, version).await?
            || !sessions::undo_cancellation(self.tx, &context.session).await?
        {
            return Ok(false);
        }
        let fact = Fact::by_program("taken_back", rule, self.inbound.at).of_attendee(context);
        facts::add(self.tx, self.now, &[fact]).await?;
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
        sessions::set_answer(
            self.tx,
            session,
            me,
            Answer::Confirmed,
            Some(self.inbound.at),
        )
        .await?;
        let (tx, now) = (&mut *self.tx, self.now);
        let contexts = sessions::contexts_of_session(tx, self.lines.senders(), session).await?;
        for a in contexts.iter().map(|s| &s.attendee) {
            sessions::set_release(tx, session, a.role, None, None).await?;
            tasks::mark_obsolete(
                tx,
                now,
                &TaskKey::ring_for(&MessageKey::session_off(session, version, a.role)),
            )
            .await?;
        }
        for other in contexts.iter().filter(|s| s.attendee.role != me) {
            let a = &other.attendee;
            if a.answer == Answer::Cancelled {
                // The other parent cancelled too, and was told that it is noted: it stays off, and
                // now it is theirs.
                call_off(
                    tx,
                    self.lines.senders(),
                    centre,
                    session,
                    &CallOff {
                        by: cancelled_by(a.role),
                        at: a.answered_at.unwrap_or(now),
                        by_address: a.undo_from.as_deref(),
                    },
                    now,
                )
                .await?;
                continue;
            }
            resume_question(tx, centre, other, now).await?;
        }
        // Who had not finished a cancellation of their own is rung after all.
        questions::restart_nags(self.tx, session, self.now).await?;
        self.settle(&context.session.case_id).await?;
        Ok(true)
    }
}

fn cancelled_by(role: Role) -> CancelledBy {
    match role {
        Role::Resident => CancelledBy::Resident,
        _ => CancelledBy::Contact,
    }
}
