//! "Which visit?": the numbered question.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::context::{AmbiguousWish, KnownVisit, soonest};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::task::TaskKind;

/// Asks which of two visits is meant. Three visits, or two at the same time, are for a person.
pub(super) fn ask_which(wanted: AmbiguousWish, visits: &[&KnownVisit]) -> Decision {
    match visits {
        [a, b] if a.starts_at != b.starts_at => {
            let options = [a, b].map(|visit| (visit.session.clone(), visit.ask_version));
            Decision::replying(
                "which-visit",
                vec![Effect::AskWhich { wanted, options }],
                MessageKind::WhichSession,
            )
        }
        [_, _, _, ..] => Decision::hand_over("many-visits", TaskKind::ReadMessage, soonest(visits)),
        _ => Decision::hand_over("two-visits", TaskKind::ReadMessage, soonest(visits)),
    }
}
