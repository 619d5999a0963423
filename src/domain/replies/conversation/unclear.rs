//! Messages that were not understood.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::context::{InboundContext, KnownVisit, only};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::conversation::finish_cancel::open_questions;
use crate::domain::task::TaskKind;

/// A person reads the message. Once a day, and only while a YES or NO is awaited, the parent is
/// told how to answer; otherwise the reply is the one hand-over text.
pub(super) fn unclear(inbound: &InboundContext) -> Decision {
    if let Some(decision) = some_children(inbound) {
        return decision;
    }
    let next_visit = inbound.next_visit();
    if inbound.recent.clarified {
        return Decision::hand_over("unclear-again", TaskKind::ReadMessage, next_visit);
    }
    if awaits_only_a_yes_or_no(inbound) && explaining_helps(inbound) {
        return Decision::replying(
            "unclear",
            vec![Effect::task(TaskKind::ReadMessage, next_visit)],
            MessageKind::UnclearReply,
        );
    }
    Decision::hand_over("unclear", TaskKind::ReadMessage, next_visit)
}

/// Some of the children stay away from the only visit ahead.
fn some_children(inbound: &InboundContext) -> Option<Decision> {
    let some = inbound.understood.some_children?;
    let visit = only(inbound.booked()).filter(|visit| inbound.may_mean(visit))?;
    let said = Effect::SomeChildren {
        session: visit.session.clone(),
        ill: some.ill,
    };
    Some(Decision::replying(
        "some-children",
        vec![said, Effect::task(TaskKind::SomeChildren, Some(visit))],
        MessageKind::NeedsCoordinatorAck,
    ))
}

fn awaits_only_a_yes_or_no(inbound: &InboundContext) -> bool {
    inbound.booked().any(KnownVisit::awaits_answer)
        && open_questions(inbound).next().is_none()
        && inbound.open_choice.is_none()
}

/// A machine learns nothing from an explanation, and "one of them is ill" was understood.
fn explaining_helps(inbound: &InboundContext) -> bool {
    !matches!(
        inbound.understood.rule,
        "sent-by-a-machine" | "forwarded" | "some-children"
    )
}
