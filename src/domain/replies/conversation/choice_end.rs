//! When a numbered question is out of date.

use crate::domain::ids::SessionId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::context::{
    InboundContext, KnownVisit, OpenChoice, Sender,
};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::conversation::order::OVERTAKEN;
use crate::domain::replies::understanding::Intent;
use crate::domain::visits::session::Answer;

/// Whether the decision ends the numbered question that waits.
///
/// It does if it decides something about one of the question's visits, or if a YES comes after the
/// NO that the question is about. That YES also ends the NO's time (rule S1b).
pub(super) fn ends_choice(
    inbound: &InboundContext,
    choice: &OpenChoice,
    decision: &Decision,
) -> bool {
    let asks_or_answers = decision
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::AskWhich { .. } | Effect::Chosen { .. }));
    if decision.rule == OVERTAKEN || asks_or_answers {
        // A newer numbered question replaces this one by itself, and a number ends it by itself.
        return false;
    }
    decides_about_an_option(inbound, choice, decision)
        || (choice.is_about_cancelling()
            && is_plain_yes(inbound)
            && !decision.rule.starts_with("date-"))
}

fn decides_about_an_option(
    inbound: &InboundContext,
    choice: &OpenChoice,
    decision: &Decision,
) -> bool {
    let is_option =
        |session: &SessionId| choice.options.iter().any(|(option, _)| option == session);
    let settled = decision
        .effects
        .iter()
        .filter(|effect| effect.settles_sessions())
        .flat_map(|effect| effect.decided_sessions(inbound))
        .any(is_option);
    let confirmed_again = decision.reply.as_ref().is_some_and(|reply| {
        reply.kind == MessageKind::ConfirmAck && reply.session.as_ref().is_some_and(is_option)
    });
    settled || confirmed_again
}

/// A YES that names no visit, from somebody whose YES counts.
fn is_plain_yes(inbound: &InboundContext) -> bool {
    inbound.understood.intent == Intent::Confirm
        && inbound.understood.plain_yes
        && inbound.understood.named.is_empty()
        && matches!(inbound.sender, Sender::Party | Sender::Stranger)
        && !inbound.opt_out.active
        && !inbound.media
}

/// The other visit of a numbered question about cancelling, when a YES to the first one ends it.
///
/// The NO may have meant this one, and there is no answer about it. A person reads the messages, so
/// that no NO is lost (rule S1a).
pub(super) fn visit_left_open<'a>(
    inbound: &'a InboundContext,
    choice: &OpenChoice,
    decision: &Decision,
) -> Option<&'a KnownVisit> {
    let confirms = |effect: &Effect| matches!(effect, Effect::Confirm { .. });
    if !choice.is_about_cancelling() || !decision.effects.iter().any(confirms) {
        return None;
    }
    let is_decided = |visit: &KnownVisit| {
        decision
            .effects
            .iter()
            .any(|effect| effect.decided_sessions(inbound).contains(&&visit.session))
    };
    inbound.booked().find(|visit| {
        choice.offers(visit)
            && visit.answer == Answer::None
            && inbound.open_question(visit).is_none()
            && !is_decided(visit)
    })
}
