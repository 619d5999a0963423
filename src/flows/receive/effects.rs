//! Writes down the effects of a decision, one after the other.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CancelQuestionId, SessionId};
use crate::domain::outgoing::message::{EndReason, MessageKind};
use crate::domain::outgoing::payload::Payload;
use crate::domain::replies::conversation::{Decision, Effect, InboundContext};
use crate::domain::visits::session::{Answer, Reason};
use crate::flows::choices::end_choices;
use crate::flows::receive::cancellation::{CancelRequest, FinishedCancellation};
use crate::flows::receive::decision_writer::{DecisionWriter, DraftReply};
use crate::flows::visits::ask_date;
use crate::store::facts::{self, Fact};
use crate::store::{inbox, outbox, questions, sessions, tasks};
use anyhow::Result;
use std::ops::ControlFlow;

impl DecisionWriter<'_> {
    /// Writes down the effects of a decision and queues its answer.
    pub(super) async fn carry_out(
        &mut self,
        ctx: &InboundContext,
        decision: Decision,
    ) -> Result<()> {
        let rule = decision.rule;
        let mut draft = DraftReply {
            reply: decision.reply,
            payload: Payload::None,
            changed: false,
        };
        for effect in decision.effects {
            self.note_decided(ctx, &effect).await?;
            if self.write(ctx, effect, rule, &mut draft).await?.is_break() {
                break;
            }
        }
        self.after_press(draft.reply.as_ref()).await?;
        self.send_reply(draft, rule).await
    }

    /// Records, for each session that the effect decides, when this party spoke about it.
    async fn note_decided(&mut self, ctx: &InboundContext, effect: &Effect) -> Result<()> {
        for session in effect.decided_sessions(ctx) {
            let Some(context) = self.context(session) else {
                continue;
            };
            sessions::set_decided_at(self.tx, session, context.attendee.role, self.inbound.at)
                .await?;
            if effect.settles_sessions() {
                end_choices(self.tx, context, &self.inbound.number_hash, self.now).await?;
            }
        }
        Ok(())
    }

    /// Writes one effect down. Returning `Break` skips the remaining effects.
    async fn write(
        &mut self,
        ctx: &InboundContext,
        effect: Effect,
        rule: &str,
        draft: &mut DraftReply,
    ) -> Result<ControlFlow<()>> {
        match effect {
            Effect::Confirm { session } => self.confirm(&session, rule).await?,
            Effect::CancelAsked {
                session,
                reason,
                first_no_at,
                late,
            } => {
                let asked = CancelRequest {
                    session: &session,
                    reason,
                    first_no_at,
                    late,
                };
                self.ask_to_finish(&asked, rule, draft).await?;
            }
            Effect::Cancel {
                session,
                question,
                reason,
                at,
            } => {
                let finished = FinishedCancellation {
                    session: &session,
                    question: &question,
                    reason,
                    at,
                };
                return self.finish_cancellation(&finished, rule, draft).await;
            }
            Effect::TakeBack { session } => self.take_back(&session, rule, draft).await?,
            Effect::CloseQuestion { question } => {
                draft.changed = true;
                self.close_question(ctx, &question).await?;
            }
            Effect::WrongCode { question } => {
                questions::count_wrong_code(self.tx, &question).await?
            }
            Effect::AskWhich { wanted, options } => {
                self.ask_which(wanted, &options, draft).await?;
            }
            Effect::DateAnswer {
                question,
                role,
                yes,
            } => {
                let (at, now) = (self.inbound.at, self.now);
                ask_date::answered(self.tx, &question, role, yes, at, "courtesy", now).await?;
            }
            Effect::Chosen { choice } => {
                questions::end_choice(self.tx, &choice).await?;
                tasks::mark_obsolete(self.tx, self.now, &TaskKey::which_visit(&choice)).await?;
            }
            Effect::IllnessTold { session, reason } => self.illness(&session, reason).await?,
            Effect::SomeChildren { session, ill } => {
                self.some_children(&session, ill, rule).await?;
            }
            Effect::Quieten { mode, rule } => self.quieten(mode, rule).await?,
            Effect::PauseAddress => {
                draft.changed = true;
                let hash = &self.inbound.number_hash;
                inbox::set_paused(self.tx, self.parties, hash, Some(self.now)).await?;
                self.party_facts("address_paused", "d3").await?;
            }
            Effect::OptOut => {
                draft.changed |= !ctx.opt_out.active;
                self.opt_out().await?;
            }
            Effect::OptIn => {
                draft.changed |= ctx.opt_out.active;
                self.opt_in(ctx).await?;
            }
            Effect::Task { topic, session } => self.task(topic, session.as_ref()).await?,
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn confirm(&mut self, session: &SessionId, rule: &str) -> Result<()> {
        let Some(context) = self.context(session) else {
            return Ok(());
        };
        let role = context.attendee.role;
        sessions::set_answer(
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
        let fact = Fact::by_program("confirmed", rule, self.inbound.at).of_attendee(context);
        facts::add(self.tx, self.now, &[fact]).await
    }

    async fn close_question(
        &mut self,
        ctx: &InboundContext,
        question: &CancelQuestionId,
    ) -> Result<()> {
        questions::end(self.tx, question, false).await?;
        let visit = ctx
            .visits
            .iter()
            .find(|o| o.question.as_ref().is_some_and(|q| q.id == *question));
        let Some(context) = visit.and_then(|o| self.context(&o.session)) else {
            return Ok(());
        };
        let (session, role) = (&context.session.id, context.attendee.role);
        tasks::mark_unfinished_obsolete(self.tx, self.now, session, Some(role)).await
    }

    /// A party that had already cancelled says now that it was because of illness (choice C28).
    async fn illness(&mut self, session: &SessionId, reason: Reason) -> Result<()> {
        let Some(context) = self.context(session) else {
            return Ok(());
        };
        let fact = Fact::by_program("cancelled", "C28", self.inbound.at)
            .of_attendee(context)
            .detail(reason.as_str());
        facts::add(self.tx, self.now, &[fact]).await?;
        self.settle(&context.session.case_id).await
    }

    async fn some_children(&mut self, session: &SessionId, ill: bool, rule: &str) -> Result<()> {
        let Some(context) = self.context(session) else {
            return Ok(());
        };
        let fact = Fact::by_program("some_children", rule, self.inbound.at)
            .of_attendee(context)
            .detail(if ill { "ill" } else { "" });
        facts::add(self.tx, self.now, &[fact]).await
    }
}
