//! What every effect of a decision is written down with: the transaction, the message and whoever
//! sent it.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::channel::{Channel, Mode};
use crate::domain::replies::conversation::Reply;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::lines::Lines;
use crate::flows::money::settle;
use crate::flows::service::Service;
use crate::store::Tx;
use crate::store::centres::Centres;
use crate::store::inbox::{Inbound, Owner};
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Writes down what was decided about one message. Each kind of effect has its file beside this one.
pub(super) struct DecisionWriter<'a> {
    pub(super) svc: &'a Service,
    pub(super) tx: &'a mut Tx,
    pub(super) centres: &'a Centres,
    pub(super) lines: &'a Lines,
    /// The sessions of whoever wrote.
    pub(super) contexts: &'a [AttendeeContext],
    /// Whoever has the address that the message came from.
    pub(super) parties: &'a [Owner],
    pub(super) inbound: &'a Inbound,
    /// The line it came by: channel and our sender.
    pub(super) line: (Channel, &'a str),
    pub(super) now: DateTime<Utc>,
    /// The mode of the phone before this message made it quieter. The answer to this message still
    /// goes by it.
    pub(super) mode_before: Option<Mode>,
}

/// The answer, as the effects of the decision shape it.
pub(super) struct DraftReply {
    pub(super) reply: Option<Reply>,
    pub(super) payload: Payload,
    /// Something changed. An answer that says so is never held back by the caps.
    pub(super) changed: bool,
}

impl DraftReply {
    pub(super) fn asks_reason(&self) -> bool {
        self.reply
            .as_ref()
            .is_some_and(|r| r.kind == MessageKind::CancelReasonAsk)
    }
}

/// "Somebody will ring you."
pub(super) fn needs_coordinator() -> Reply {
    Reply {
        kind: MessageKind::NeedsCoordinatorAck,
        session: None,
    }
}

impl<'a> DecisionWriter<'a> {
    /// Does what follows by the rules on money.
    pub(super) async fn settle(&mut self, case_id: &CaseId) -> Result<()> {
        settle::settle(
            self.lines.senders(),
            self.tx,
            self.centres,
            case_id,
            self.now,
        )
        .await
        .map(drop)
    }

    pub(super) async fn task(
        &mut self,
        topic: TaskKind,
        session: Option<&SessionId>,
    ) -> Result<()> {
        let context = session.and_then(|s| self.context(s));
        // Without a clear session the case is named only if there is just one that it can be.
        let only = match self.parties {
            [one] => Some(one),
            _ => None,
        };
        // One task a day for everything that an automatic reply sends.
        let dedup_key = match topic {
            TaskKind::AutoReplies => {
                let today = self.now.date_naive();
                TaskKey::of_address_today(topic, &self.inbound.number_hash, today)
            }
            _ => TaskKey::of_inbound(topic, &self.inbound.id, session),
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

    /// This party's place in a session.
    pub(super) fn context(&self, session: &SessionId) -> Option<&'a AttendeeContext> {
        self.contexts.iter().find(|s| s.session.id == *session)
    }

    /// The centre of a session, else of the first party, else of the line.
    pub(super) fn centre_of(&self, session: Option<&SessionId>) -> Option<&'a Centre> {
        let code = session
            .and_then(|s| self.context(s))
            .map(|s| s.session.centre.as_str())
            .or_else(|| self.parties.first().map(|p| p.centre.as_str()));
        let of_line = || {
            self.centres.values().find(|c| {
                self.lines
                    .senders()
                    .speaks_for(self.line.1, &c.centre.code, self.line.0)
            })
        };
        code.and_then(|c| self.centres.get(c))
            .or_else(of_line)
            .or_else(|| self.centres.values().next())
            .map(|s| &s.centre)
    }

    /// Whether this phone may show questions that name a visit: else it shows a bare "please ring
    /// us", or nothing (safety rule D2).
    pub(super) fn shows_all(&self) -> bool {
        self.parties.iter().all(|p| p.mode == Mode::Normal)
    }

    /// What a phone gets that may not show a question: a discreet one "somebody will ring you", a
    /// silent one nothing.
    pub(super) fn bare_reply(&self) -> Option<Reply> {
        let silent = self.parties.iter().any(|p| p.mode == Mode::Silent);
        (!silent).then(needs_coordinator)
    }
}
