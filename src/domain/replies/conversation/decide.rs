//! Decides what a received message does.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::Mode;
use crate::domain::replies::conversation::cancel::cancel;
use crate::domain::replies::conversation::choice_end::{ends_choice, visit_left_open};
use crate::domain::replies::conversation::confirm::confirm;
use crate::domain::replies::conversation::context::{InboundContext, Sender};
use crate::domain::replies::conversation::date_answers;
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::conversation::finish_cancel::{cancel_code, reason_word};
use crate::domain::replies::conversation::number::number;
use crate::domain::replies::conversation::opt_out::{
    not_agreed_here, paused_address, stop, stranger, wrong_number,
};
use crate::domain::replies::conversation::order::unless_overtaken;
use crate::domain::replies::conversation::press::press;
use crate::domain::replies::conversation::unclear::unclear;
use crate::domain::replies::understanding::Intent;
use crate::domain::task::TaskKind;

/// With more messages than this in a minute, a machine may be writing.
const MOST_A_MINUTE: usize = 10;

/// Decides what a received message does.
pub fn decide(inbound: &InboundContext) -> Decision {
    let mut decision = unless_overtaken(inbound, by_intent(inbound));
    end_the_numbered_question(inbound, &mut decision);
    if may_be_a_machine(inbound, &decision) {
        let task = Effect::task(TaskKind::AutoReplies, None);
        decision = Decision::silent("loop-guard", vec![task]);
    }
    if inbound.understood.leftover {
        hand_over_the_rest(inbound, &mut decision);
    }
    quieten_the_phone(inbound, &mut decision);
    respect_opt_out(inbound, &mut decision);
    decision
}

/// What the message does, regardless of anything newer.
fn by_intent(inbound: &InboundContext) -> Decision {
    let hand_over = |rule, topic| Decision::hand_over(rule, topic, inbound.next_visit());
    if inbound.sender == Sender::Paused {
        return paused_address(inbound);
    }
    if inbound.pressed.is_some() {
        return press(inbound);
    }
    match inbound.sender {
        Sender::Stranger => return stranger(inbound),
        Sender::NotAgreedHere => return not_agreed_here(inbound),
        Sender::Paused | Sender::Party => {}
    }
    match &inbound.understood.intent {
        Intent::Stop => stop(inbound),
        Intent::Safeguarding => hand_over("safeguarding_alert", TaskKind::Safeguarding),
        _ if inbound.media => hand_over("media", TaskKind::Media),
        Intent::Start => Decision::replying("start", vec![Effect::OptIn], MessageKind::StartAck),
        Intent::Help => Decision::replying("help", Vec::new(), MessageKind::Help),
        // sending.md: a YES from a number that was opted out does not confirm; a person reads it.
        Intent::Confirm if inbound.opt_out.active => Decision::silent(
            "yes-while-opted-out",
            vec![Effect::task(TaskKind::ReadMessage, inbound.next_visit())],
        ),
        Intent::Confirm => date_answers::answer(inbound).unwrap_or_else(|| confirm(inbound)),
        Intent::Cancel(reason) => {
            date_answers::answer(inbound).unwrap_or_else(|| cancel(inbound, *reason))
        }
        Intent::Number(n) => number(inbound, usize::from(*n)),
        Intent::WrongNumber => wrong_number(inbound),
        Intent::Code(code) => cancel_code(inbound, code),
        Intent::ReasonWord(reason) => reason_word(inbound, *reason),
        // Urgent if the visit is near (`TaskKind::is_urgent`); it changes nothing else.
        Intent::RunningLate => hand_over("running_late", TaskKind::RunningLate),
        Intent::Reschedule => hand_over("reschedule_request", TaskKind::ReadMessage),
        Intent::Question => hand_over("question", TaskKind::ReadMessage),
        Intent::DetailsChange => hand_over("details_change", TaskKind::ReadMessage),
        Intent::Abuse => hand_over("abuse", TaskKind::ReadMessage),
        Intent::Unclear => unclear(inbound),
    }
}

/// Ends the numbered question that waits, if the decision makes it out of date.
fn end_the_numbered_question(inbound: &InboundContext, decision: &mut Decision) {
    let Some(choice) = &inbound.open_choice else {
        return;
    };
    if !ends_choice(inbound, choice, decision) {
        return;
    }
    if let Some(visit) = visit_left_open(inbound, choice, decision) {
        let task = Effect::task(TaskKind::ReadMessage, Some(visit));
        decision.effects.push(task);
    }
    let chosen = Effect::Chosen {
        choice: choice.id.clone(),
    };
    decision.effects.insert(0, chosen);
}

/// Whether a machine may be answering our messages: then nothing more is sent, and one task is
/// enough. Danger always reaches a person, and whatever changes something is done.
fn may_be_a_machine(inbound: &InboundContext, decision: &Decision) -> bool {
    let only_tasks = !decision.effects.is_empty() && decision.effects.iter().all(Effect::is_task);
    let repeats =
        inbound.recent.same_words && !inbound.media && inbound.understood.intent == Intent::Unclear;
    only_tasks
        && inbound.understood.intent != Intent::Safeguarding
        && inbound.pressed.is_none()
        && (repeats || inbound.recent.in_a_minute > MOST_A_MINUTE)
}

/// A person reads what could not be understood beside an answer. A reason beside it is not trusted
/// either: the parent is asked for it.
fn hand_over_the_rest(inbound: &InboundContext, decision: &mut Decision) {
    let about = decision.effects.iter_mut().find_map(|effect| match effect {
        Effect::CancelAsked {
            session, reason, ..
        } => {
            *reason = None;
            Some(session.clone())
        }
        Effect::Confirm { session } | Effect::TakeBack { session } => Some(session.clone()),
        _ => None,
    });
    if !decision.effects.iter().any(Effect::is_task) {
        let visit = inbound
            .visits
            .iter()
            .find(|visit| about.as_ref() == Some(&visit.session));
        decision
            .effects
            .push(Effect::task(TaskKind::ReadMessage, visit));
    }
}

/// Safety rules D4 and D5: somebody else reads the phone, or its owner wrote the private word.
fn quieten_the_phone(inbound: &InboundContext, decision: &mut Decision) {
    if inbound.sender == Sender::Stranger {
        return;
    }
    if inbound.understood.watched {
        decision.effects.push(Effect::Quieten {
            mode: Mode::Silent,
            rule: "D4",
        });
    }
    if inbound.quiet_word {
        decision.effects.push(Effect::Quieten {
            mode: Mode::Discreet,
            rule: "D5",
        });
        let task = Effect::task(TaskKind::QuietWord, inbound.next_visit());
        decision.effects.push(task);
    }
}

/// A number that the provider blocked cannot get a reply. A number that was opted out gets none,
/// except to its START and HELP.
fn respect_opt_out(inbound: &InboundContext, decision: &mut Decision) {
    let asks_for_a_reply = matches!(inbound.understood.intent, Intent::Start | Intent::Help);
    if inbound.provider_stopped || (inbound.opt_out.active && !asks_for_a_reply) {
        decision.reply = None;
    }
    if inbound.provider_stopped && !decision.effects.contains(&Effect::OptOut) {
        decision.effects.push(Effect::OptOut);
    }
}
