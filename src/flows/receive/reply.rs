//! The one answer to a message, and what comes to rest with it.

use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{Quiet, after_all_quiet};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Say;
use crate::domain::people::channel::Channel;
use crate::domain::replies::conversation::Reply;
use crate::domain::replies::inbound::InboundKind;
use crate::flows::compose::{message_to, speaker};
use crate::flows::receive::decision_writer::{DecisionWriter, DraftReply};
use crate::store::errands::{self, NewErrand};
use crate::store::messages;
use crate::store::outbox::{self, NewMessage};
use anyhow::Result;
use chrono::Duration;

/// Answers to one number in 24 hours, whatever they say (rule a2).
const ANSWERS_A_DAY: usize = 6;
/// Answers to strangers in an hour, all together (rule a2).
const STRANGERS_AN_HOUR: i64 = 20;
/// An answer that could not leave for this long is dropped.
const ANSWER_LASTS: Duration = Duration::hours(12);

impl DecisionWriter<'_> {
    /// Queues the answer, unless the phone has had enough of them.
    pub(super) async fn send_reply(&mut self, draft: DraftReply, rule: &str) -> Result<()> {
        let DraftReply {
            reply,
            mut payload,
            changed,
        } = draft;
        // A bot says it where the button was pressed. On WhatsApp it is a text; to press the same
        // button again needs no answer.
        let says_so = self.inbound.channel == Channel::Whatsapp && rule != "press-again";
        let Some(reply) = reply.filter(|r| r.kind != MessageKind::OldButton || says_so) else {
            return Ok(());
        };
        if let Some(before) = self.mode_before
            && matches!(
                reply.kind,
                MessageKind::NeedsCoordinatorAck | MessageKind::UnclearReply
            )
        {
            payload = Payload::ModeBefore(before);
        }
        let is_ack = reply.kind == MessageKind::CancellationAck;
        if is_ack
            && payload == Payload::None
            && let Some(context) = reply.session.as_ref().and_then(|s| self.context(s))
            && let Some(at) = context.attendee.answered_at
        {
            payload = self.in_time(context, at).await?;
        }
        if !changed
            && reply.kind != MessageKind::CancelReasonAsk
            && self.capped(reply.kind, reply.session.as_ref()).await?
        {
            return Ok(());
        }
        if changed && is_ack {
            self.copy_to_the_other_address(&reply, &payload).await?;
        }
        self.reply(&reply, payload).await
    }

    async fn reply(&mut self, reply: &Reply, payload: Payload) -> Result<()> {
        let Some(address) = self.inbound.from.clone() else {
            return Ok(());
        };
        let Some(centre) = self.centre_of(reply.session.as_ref()) else {
            return Ok(());
        };
        let dedup_key = MessageKey::reply(&self.inbound.id);
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

    /// Rule S3: who cancelled in one place reads it in the other place of theirs too, if that was
    /// agreed and is safe.
    async fn copy_to_the_other_address(&mut self, reply: &Reply, payload: &Payload) -> Result<()> {
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
        let dedup_key = MessageKey::reply_copy(&self.inbound.id);
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

    /// Whether this number has had enough answers. Without caps somebody who fakes a sender could
    /// fill a phone (rule a2).
    pub(super) async fn capped(
        &mut self,
        kind: MessageKind,
        session: Option<&SessionId>,
    ) -> Result<bool> {
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
                || messages::unknown_sender_replies_since(self.tx, self.now - Duration::hours(1))
                    .await?
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

    /// A press is answered so that its button comes to rest, and the buttons below its text go.
    pub(super) async fn after_press(&mut self, reply: Option<&Reply>) -> Result<()> {
        let InboundKind::Press { query, message, .. } = &self.inbound.kind else {
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
            && self.shows_all()
            && let Some(centre) = self.centre_of(None)
        {
            words = self
                .svc
                .templates
                .render(&Say::OldButton, &speaker(centre), "en")?
                .body;
        }
        let answer = NewErrand {
            sender: self.line.1,
            what: "answer",
            chat: &chat,
            target: query,
            text: &words,
        };
        errands::add(self.tx, self.now, &answer, Duration::minutes(10)).await?;
        let unbutton = NewErrand {
            sender: self.line.1,
            what: "unbutton",
            chat: &chat,
            target: message,
            text: "",
        };
        errands::add(self.tx, self.now, &unbutton, Duration::hours(24)).await?;
        self.svc.wake_errands.notify_one();
        Ok(())
    }
}
