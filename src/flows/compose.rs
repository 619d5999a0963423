//! The parts of a message to one parent.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::MessageKey;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::Speaker;
use crate::domain::people::channel::Channel;
use crate::domain::visits::attendee::AttendeeContext;
use crate::store::outbox::NewMessage;
use chrono::{DateTime, Utc};

/// The centre as it speaks in texts.
pub fn speaker(centre: &Centre) -> Speaker {
    Speaker {
        centre: centre.code.clone(),
        short_name: centre.short_name.clone(),
        phone: centre.phone.clone(),
        emergency_number: centre.emergency_number.clone(),
        languages: centre.languages.clone(),
    }
}

/// A message about a session to one parent.
pub fn message_to(
    context: &AttendeeContext,
    dedup_key: MessageKey,
    kind: MessageKind,
    not_before: DateTime<Utc>,
    not_after: Option<DateTime<Utc>>,
) -> NewMessage {
    NewMessage {
        dedup_key,
        kind,
        centre: context.session.centre.clone(),
        case_id: Some(context.session.case_id.clone()),
        party_id: Some(context.attendee.party_id.clone()),
        role: Some(context.attendee.role),
        session: Some((
            context.session.id.clone(),
            context.session.version,
            context.attendee.ask_version,
        )),
        to: None,
        channel: context
            .route()
            .map_or(Channel::Sms, |r| r.address.channel()),
        payload: Payload::None,
        not_before,
        not_after,
    }
}
