//! The notices that the rules call for: texts about money to parties, and tasks for the
//! co-ordinator.
//!
//! The instant of a notice is when the rules call for it. Quiet hours, office hours and a person's
//! release are decided when it is sent.

use crate::domain::money::policy::facts::Recipient;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use chrono::{DateTime, Utc};
use std::fmt;

/// What a notice asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// A text to one party.
    Message(MessageKind),
    /// A task for the co-ordinator.
    Task(TaskKind),
}

impl NoticeKind {
    /// Whether a person has to release it, because every party on the case reads it (safety rule
    /// M4).
    pub fn needs_release(self) -> bool {
        matches!(
            self,
            NoticeKind::Message(MessageKind::AllPartiesNotice | MessageKind::CaseClosed)
        )
    }

    /// The text about money or a note that goes to the liable parent and to nobody else.
    pub fn private_text(self) -> Option<MessageKind> {
        match self {
            NoticeKind::Message(kind) if !self.needs_release() => Some(kind),
            NoticeKind::Message(_) | NoticeKind::Task(_) => None,
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoticeKind::Message(kind) => kind.fmt(f),
            NoticeKind::Task(kind) => kind.fmt(f),
        }
    }
}

/// A notice that the rules call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The instant at which the rules call for it.
    pub at: DateTime<Utc>,
    pub kind: NoticeKind,
    pub to: Recipient,
    /// The rule that calls for it.
    pub rule: &'static str,
}
