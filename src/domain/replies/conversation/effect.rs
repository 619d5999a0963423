//! What follows from a message: effects to record, and at most one reply.

use crate::domain::ids::{CancelQuestionId, ChoiceId, DateQuestionId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::Mode;
use crate::domain::people::role::Role;
use crate::domain::replies::conversation::context::{AmbiguousWish, InboundContext, KnownVisit};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Reason;
use chrono::{DateTime, Utc};

/// Something to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The party confirmed this session.
    Confirm { session: SessionId },
    /// The party asked to cancel. Nothing changes yet.
    CancelAsked {
        session: SessionId,
        /// The reason if one was given.
        reason: Option<Reason>,
        /// When the first NO of this cancellation arrived.
        first_no_at: DateTime<Utc>,
        /// Whether a fee may apply.
        late: bool,
    },
    /// The party finished a cancellation.
    Cancel {
        session: SessionId,
        /// The cancel question that it answers.
        question: CancelQuestionId,
        /// Why.
        reason: Reason,
        /// When the first NO arrived: the instant that counts (rule S1b).
        at: DateTime<Utc>,
    },
    /// The party took its cancellation back before anybody was told.
    TakeBack { session: SessionId },
    /// The party keeps a session that it had asked to cancel.
    CloseQuestion { question: CancelQuestionId },
    /// A wrong code was tried.
    WrongCode {
        /// The cancel question that it was tried on.
        question: CancelQuestionId,
    },
    /// Ask which of two visits is meant. Nothing changes yet.
    AskWhich {
        /// What the party wants.
        wanted: AmbiguousWish,
        /// The sessions with the versions of their questions, in the order of their numbers.
        options: [(SessionId, i64); 2],
    },
    /// A question about another date was answered.
    DateAnswer {
        question: DateQuestionId,
        role: Role,
        /// Whether they can come on that date.
        yes: bool,
    },
    /// A numbered question was answered, or is out of date because of a newer message.
    Chosen { choice: ChoiceId },
    /// Who cancelled says afterwards that it was illness (choice C28). Only the reason is recorded.
    IllnessTold { session: SessionId, reason: Reason },
    /// Some of the children stay away. The visit goes on with the others, so neither lateness nor a
    /// fee applies.
    SomeChildren {
        session: SessionId,
        /// They are ill.
        ill: bool,
    },
    /// From now on the phone may show less. The reply to this message is still sent as before
    /// (safety rules D4, D5).
    Quieten {
        /// What it may show.
        mode: Mode,
        rule: &'static str,
    },
    /// No messages to this address until a person has spoken with its owner.
    PauseAddress,
    /// No more messages to this number.
    OptOut,
    /// Messages to this number again.
    OptIn,
    /// A task for a person.
    Task {
        topic: TaskKind,
        /// The session that it is about, if that is clear.
        session: Option<SessionId>,
    },
}

/// The one reply that is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub kind: MessageKind,
    /// The session that it is about.
    pub session: Option<SessionId>,
}

/// What to record and to reply, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The effects, in order.
    pub effects: Vec<Effect>,
    /// At most one reply.
    pub reply: Option<Reply>,
    /// The rule, for the case's history.
    pub rule: &'static str,
}

impl Effect {
    /// A task for a person.
    pub(super) fn task(topic: TaskKind, visit: Option<&KnownVisit>) -> Effect {
        Effect::Task {
            topic,
            session: visit.map(|visit| visit.session.clone()),
        }
    }

    /// Whether it is a task for a person.
    pub(super) fn is_task(&self) -> bool {
        matches!(self, Effect::Task { .. })
    }

    /// The sessions about which it decides something for this party.
    pub fn decided_sessions<'a>(&'a self, inbound: &'a InboundContext) -> Vec<&'a SessionId> {
        match self {
            Effect::Confirm { session }
            | Effect::CancelAsked { session, .. }
            | Effect::Cancel { session, .. }
            | Effect::TakeBack { session }
            | Effect::IllnessTold { session, .. }
            | Effect::SomeChildren { session, .. } => vec![session],
            Effect::CloseQuestion { question } => inbound
                .visits
                .iter()
                .filter(|visit| visit.question.as_ref().is_some_and(|q| q.id == *question))
                .map(|visit| &visit.session)
                .collect(),
            Effect::DateAnswer { question, .. } => inbound
                .date_questions
                .iter()
                .filter(|date| date.question == *question)
                .map(|date| &date.session)
                .collect(),
            Effect::AskWhich { options, .. } => {
                options.iter().map(|(session, _)| session).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether it settles what happens to its sessions, or begins to cancel one: then a numbered
    /// question about them is out of date.
    pub fn settles_sessions(&self) -> bool {
        matches!(
            self,
            Effect::Confirm { .. }
                | Effect::CancelAsked { .. }
                | Effect::Cancel { .. }
                | Effect::TakeBack { .. }
                | Effect::CloseQuestion { .. }
        )
    }
}

impl Decision {
    /// These effects and no reply.
    pub(super) fn silent(rule: &'static str, effects: Vec<Effect>) -> Decision {
        Decision {
            effects,
            reply: None,
            rule,
        }
    }

    /// These effects and a reply that is about no visit.
    pub(super) fn replying(
        rule: &'static str,
        effects: Vec<Effect>,
        kind: MessageKind,
    ) -> Decision {
        Decision {
            effects,
            reply: Some(Reply {
                kind,
                session: None,
            }),
            rule,
        }
    }

    /// These effects and a reply about a visit.
    pub(super) fn replying_about(
        visit: &KnownVisit,
        rule: &'static str,
        effects: Vec<Effect>,
        kind: MessageKind,
    ) -> Decision {
        Decision {
            effects,
            reply: Some(Reply {
                kind,
                session: Some(visit.session.clone()),
            }),
            rule,
        }
    }

    /// A task for a person, and the one hand-over text as the reply (rule D3).
    pub(super) fn hand_over(
        rule: &'static str,
        topic: TaskKind,
        visit: Option<&KnownVisit>,
    ) -> Decision {
        Decision::replying(
            rule,
            vec![Effect::task(topic, visit)],
            MessageKind::NeedsCoordinatorAck,
        )
    }

    /// The button no longer does anything.
    pub(super) fn old_button(rule: &'static str) -> Decision {
        Decision::replying(rule, Vec::new(), MessageKind::OldButton)
    }
}
