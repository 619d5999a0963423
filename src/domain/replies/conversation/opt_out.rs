//! Messages that say who may be texted: STOP, a wrong number, strangers, paused addresses, and
//! channels that were not agreed on.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::context::{InboundContext, KnownVisit};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::understanding::Intent;
use crate::domain::task::TaskKind;

/// Rule a3: STOP is obeyed at once, and a person rings before the next visit.
pub(super) fn stop(inbound: &InboundContext) -> Decision {
    Decision::replying(
        "stop",
        [
            vec![Effect::OptOut],
            before_next_visits(inbound, TaskKind::RingOptedOut),
        ]
        .concat(),
        MessageKind::StopAck,
    )
}

/// Rules d3 and a3: messages stop at once. A person rings before the next visit, because somebody
/// may only pretend to be a stranger.
pub(super) fn wrong_number(inbound: &InboundContext) -> Decision {
    Decision::replying(
        "wrong-number",
        [
            vec![Effect::PauseAddress],
            before_next_visits(inbound, TaskKind::RingWrongNumber),
        ]
        .concat(),
        MessageKind::WrongNumberAck,
    )
}

/// A message from an address that no party has.
pub(super) fn stranger(inbound: &InboundContext) -> Decision {
    match inbound.understood.intent {
        Intent::Stop => Decision::silent("stranger-stop", vec![Effect::OptOut]),
        Intent::Start => Decision::silent("stranger-start", vec![Effect::OptIn]),
        // The same reply as to every stranger, but somebody looks at once.
        Intent::Safeguarding => Decision::replying(
            "stranger-safeguarding",
            vec![Effect::task(TaskKind::Safeguarding, None)],
            MessageKind::UnknownSender,
        ),
        _ => Decision::replying(
            "stranger",
            vec![Effect::task(TaskKind::UnknownSender, None)],
            MessageKind::UnknownSender,
        ),
    }
}

/// A message from a paused or unsafe address. Only its STOP is obeyed, and nothing is sent to it.
pub(super) fn paused_address(inbound: &InboundContext) -> Decision {
    let topic = match inbound.understood.intent {
        Intent::Stop => {
            return Decision {
                reply: None,
                ..stop(inbound)
            };
        }
        Intent::Safeguarding => TaskKind::Safeguarding,
        _ => TaskKind::ReadMessage,
    };
    Decision::silent(
        "resting-address",
        vec![Effect::task(topic, inbound.next_visit())],
    )
}

/// A known number on a channel that its owner did not agree to. A person reads the message, and no
/// reply is sent on that channel. Whatever makes the phone quieter is obeyed all the same.
pub(super) fn not_agreed_here(inbound: &InboundContext) -> Decision {
    let task = |topic| Effect::task(topic, inbound.next_visit());
    let effects = match inbound.understood.intent {
        Intent::Stop => stop(inbound).effects,
        Intent::Start => vec![Effect::OptIn, task(TaskKind::ReadMessage)],
        Intent::WrongNumber => wrong_number(inbound).effects,
        Intent::Safeguarding => vec![task(TaskKind::Safeguarding)],
        _ => before_next_visits(inbound, TaskKind::ReadMessage),
    };
    Decision::silent("not-agreed-here", effects)
}

/// A task before the next visit of each family on this phone, or one task without a visit if there
/// is none.
fn before_next_visits(inbound: &InboundContext, topic: TaskKind) -> Vec<Effect> {
    let mut next: Vec<&KnownVisit> = Vec::new();
    for visit in inbound.booked() {
        match next.iter_mut().find(|other| other.case == visit.case) {
            Some(other) if other.starts_at > visit.starts_at => *other = visit,
            Some(_) => {}
            None => next.push(visit),
        }
    }
    if next.is_empty() {
        return vec![Effect::task(topic, None)];
    }
    next.into_iter()
        .map(|visit| Effect::task(topic, Some(visit)))
        .collect()
}
