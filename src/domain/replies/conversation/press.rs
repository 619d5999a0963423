//! A press on a button.
//!
//! It answers the question that carries the button. A press on an old message, on a message that we
//! did not send to this chat, or a second press changes nothing.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::replies::cancel_code::{CancelQuestion, PRESS_WITHIN};
use crate::domain::replies::conversation::cancel::ask_to_finish;
use crate::domain::replies::conversation::confirm::{keep, take_back};
use crate::domain::replies::conversation::context::{
    ButtonPress, InboundContext, KnownVisit, PromptRef,
};
use crate::domain::replies::conversation::date_answers;
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::conversation::number::number;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, Reason, SessionState};

pub(super) fn press(inbound: &InboundContext) -> Decision {
    let Some(ButtonPress {
        press,
        below: Some(below),
    }) = &inbound.pressed
    else {
        return Decision::old_button("press-foreign");
    };
    match (below.kind, press) {
        (MessageKind::DateQuestion, _) => date_answers::press(inbound, *press, below),
        (MessageKind::WhichSession, Press::First) => press_on_choice(inbound, 1, below),
        (MessageKind::WhichSession, Press::Second) => press_on_choice(inbound, 2, below),
        _ => press_on_visit(inbound, *press, below),
    }
}

fn press_on_choice(inbound: &InboundContext, n: usize, below: &PromptRef) -> Decision {
    match &inbound.open_choice {
        Some(choice) if choice.id.as_str() == below.question => number(inbound, n),
        _ => Decision::old_button("press-again"),
    }
}

fn press_on_visit(inbound: &InboundContext, press: Press, below: &PromptRef) -> Decision {
    let Some(visit) = inbound
        .visits
        .iter()
        .find(|visit| Some(&visit.session) == below.session.as_ref())
    else {
        return Decision::old_button("press-on-the-past");
    };
    if visit.ask_version != below.ask_version {
        return Decision::old_button("press-on-an-old-version");
    }
    let is_ahead = visit.starts_at > inbound.at;
    let is_on = visit.state == SessionState::Booked && is_ahead;
    let question = inbound.open_question(visit).filter(|_| is_on);
    match press {
        Press::Yes if is_on && (question.is_some() || visit.answer != Answer::Confirmed) => {
            keep(visit)
        }
        Press::Yes if is_on => Decision::old_button("press-again"),
        Press::Yes if inbound.can_take_back(visit) => take_back(visit),
        Press::Yes if is_ahead => Decision::hand_over("C11", TaskKind::Reconfirm, Some(visit)),
        Press::No if is_on && (question.is_none() || !visit.question_here) => {
            ask_to_finish(inbound, visit, None)
        }
        _ => match question.filter(|question| question.id.as_str() == below.question) {
            Some(question) => press_on_cancel_question(inbound, press, visit, question),
            None => Decision::old_button("press-again"),
        },
    }
}

/// A press below the open cancel question of a visit.
fn press_on_cancel_question(
    inbound: &InboundContext,
    press: Press,
    visit: &KnownVisit,
    question: &CancelQuestion,
) -> Decision {
    let reason = match press {
        Press::Keep => return keep(visit),
        Press::Cancel => question.offered.first().copied().unwrap_or(Reason::Other),
        Press::IllChild => Reason::IllChild,
        Press::IllSelf => Reason::IllSelf,
        Press::Travel => Reason::Travel,
        Press::Other => Reason::Other,
        _ => return Decision::old_button("press-again"),
    };
    if inbound.earliest > question.asked_at + PRESS_WITHIN {
        // Rule G5. Who pressed NO and finished too late is on the list of those to ring (rule S1a).
        return Decision::old_button("press-too-late");
    }
    let done = Effect::Cancel {
        session: visit.session.clone(),
        question: question.id.clone(),
        reason,
        at: question.first_no_at,
    };
    Decision::replying_about(
        visit,
        "S1d-finished",
        vec![done, Effect::task(TaskKind::Cancellation, Some(visit))],
        MessageKind::CancellationAck,
    )
}
