//! A number that answers a numbered question.

use crate::domain::replies::cancel_code::OPEN_FOR;
use crate::domain::replies::conversation::cancel::cancel;
use crate::domain::replies::conversation::confirm::confirm;
use crate::domain::replies::conversation::context::{
    AmbiguousWish, InboundContext, KnownVisit, OpenChoice,
};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::understanding::{NamedTimes, Understood};
use crate::domain::task::TaskKind;

/// Does what the party wanted, to the visit with this number.
pub(super) fn number(inbound: &InboundContext, n: usize) -> Decision {
    let hand_over = |rule| Decision::hand_over(rule, TaskKind::ReadMessage, inbound.next_visit());
    let Some(choice) = &inbound.open_choice else {
        return hand_over("number-to-nothing");
    };
    let Some((session, version)) = choice.options.get(n.wrapping_sub(1)) else {
        return hand_over("number-to-nothing");
    };
    let chosen = |visit: &&KnownVisit| visit.session == *session && visit.ask_version == *version;
    let Some(visit) = inbound.booked().find(chosen) else {
        return hand_over("chosen-visit-is-gone");
    };
    let about_it = as_if_said_of(inbound, visit);
    let mut decision = match choice.wanted {
        AmbiguousWish::Confirm => confirm(&about_it),
        AmbiguousWish::Cancel(reason) => cancel(&about_it, reason),
    };
    count_notice_from_the_no(inbound, choice, visit, &mut decision);
    let chosen = Effect::Chosen {
        choice: choice.id.clone(),
    };
    decision.effects.insert(0, chosen);
    decision
}

/// The same message, as if this were the only visit.
fn as_if_said_of(inbound: &InboundContext, visit: &KnownVisit) -> InboundContext {
    InboundContext {
        visits: vec![visit.clone()],
        open_choice: None,
        understood: Understood {
            named: NamedTimes::default(),
            plain_yes: true,
            ..inbound.understood.clone()
        },
        ..inbound.clone()
    }
}

/// Rule S1b: the NO came before we asked which visit, and it counts for 24 hours.
fn count_notice_from_the_no(
    inbound: &InboundContext,
    choice: &OpenChoice,
    visit: &KnownVisit,
    decision: &mut Decision,
) {
    if inbound.at > choice.said_at + OPEN_FOR {
        return;
    }
    for effect in &mut decision.effects {
        if let Effect::CancelAsked {
            first_no_at, late, ..
        } = effect
        {
            *first_no_at = choice.said_at.min(*first_no_at);
            *late = visit.is_late(*first_no_at);
        }
    }
}
