//! The order in which a party spoke counts, not the order in which its messages reach us.
//!
//! A message that was sent before something that is known already changes nothing any more. A
//! person reads it if it says otherwise.

use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::context::{InboundContext, KnownVisit, Sender};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::understanding::Intent;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Answer;
use chrono::{DateTime, Utc};

/// The rule of a message that something newer made out of date.
pub(super) const OVERTAKEN: &str = "overtaken";

/// The decision as it is, unless the party said something newer before this message reached us.
pub(super) fn unless_overtaken(inbound: &InboundContext, decision: Decision) -> Decision {
    if let Some(overtaken) = overtaken_opt_out(inbound) {
        return overtaken;
    }
    match newer_word_about(inbound, &decision) {
        Some(visit) if says_otherwise(inbound, &decision) => read_by_a_person(Some(visit)),
        Some(_) => Decision::silent(OVERTAKEN, Vec::new()),
        None => decision,
    }
}

/// A STOP that was sent before a START, or the other way round: the newer one counts.
fn overtaken_opt_out(inbound: &InboundContext) -> Option<Decision> {
    let from_a_party = inbound.sender != Sender::Stranger;
    let wants_none = match inbound.understood.intent {
        Intent::Stop => true,
        Intent::Start => false,
        _ => return None,
    };
    if !from_a_party || !is_newer(inbound, inbound.opt_out.changed_at) {
        return None;
    }
    Some(if wants_none == inbound.opt_out.active {
        Decision::silent(OVERTAKEN, Vec::new())
    } else {
        read_by_a_person(inbound.next_visit())
    })
}

/// The visit about which this party said something newer, if the decision may concern it.
fn newer_word_about<'a>(
    inbound: &'a InboundContext,
    decision: &Decision,
) -> Option<&'a KnownVisit> {
    let acknowledged = decision.reply.as_ref().filter(|reply| {
        matches!(
            reply.kind,
            MessageKind::ConfirmAck | MessageKind::CancellationAck | MessageKind::ConfirmRequest
        )
    });
    let mut about: Vec<&SessionId> = decision
        .effects
        .iter()
        .flat_map(|effect| effect.decided_sessions(inbound))
        .collect();
    about.extend(acknowledged.and_then(|reply| reply.session.as_ref()));
    if about.is_empty() {
        return None;
    }
    // A code and a press belong to their question. Words that name no visit may be about any visit
    // that was decided since.
    let bound = inbound.pressed.is_some()
        || !inbound.understood.named.is_empty()
        || matches!(inbound.understood.intent, Intent::Code(_));
    inbound.visits.iter().find(|visit| {
        is_newer(inbound, visit.decided_at) && (!bound || about.contains(&&visit.session))
    })
}

/// Whether the decision would change something. A NO to a visit that is cancelled, or about to be,
/// would not.
fn says_otherwise(inbound: &InboundContext, decision: &Decision) -> bool {
    decision.effects.iter().any(|effect| match effect {
        Effect::CancelAsked { session, .. } => !inbound.visits.iter().any(|visit| {
            visit.session == *session
                && (visit.answer == Answer::Cancelled || visit.question.is_some())
        }),
        effect => !effect.decided_sessions(inbound).is_empty(),
    })
}

fn is_newer(inbound: &InboundContext, at: Option<DateTime<Utc>>) -> bool {
    at.is_some_and(|at| at > inbound.sent_by)
}

fn read_by_a_person(visit: Option<&KnownVisit>) -> Decision {
    Decision::silent(OVERTAKEN, vec![Effect::task(TaskKind::ReadMessage, visit)])
}
