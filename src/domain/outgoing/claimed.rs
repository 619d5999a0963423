//! A message that a line has claimed and is about to send.

use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::{CaseId, MessageId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::domain::people::role::Role;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone)]
pub struct ClaimedMessage {
    pub id: MessageId,
    pub dedup_key: MessageKey,
    pub kind: MessageKind,
    pub centre: String,
    pub case_id: Option<CaseId>,
    pub role: Option<Role>,
    /// The session with the versions it was made for.
    pub session: Option<(SessionId, i64, i64)>,
    /// The address an answer goes back to.
    pub to: Option<(Address, String)>,
    /// Whether that address is opted out.
    pub to_opted_out: bool,
    /// What the text needs beside the session.
    pub payload: Payload,
    /// Earliest instant.
    pub not_before: DateTime<Utc>,
    /// Latest instant.
    pub not_after: Option<DateTime<Utc>>,
    /// Tries so far.
    pub tries: i64,
    /// A channel that did not take it.
    pub excluded_channel: Option<Channel>,
}
