//! Finishing a cancellation by SMS: with the code, or with a reason word where codes are off.

use crate::domain::centre::CancelAnswer;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::cancel_code::{CancelQuestion, TRIES_A_QUESTION, TRIES_A_SESSION};
use crate::domain::replies::conversation::context::{InboundContext, KnownVisit};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Reason;

/// Cancel questions that can be finished from this address.
pub(super) fn open_questions(
    inbound: &InboundContext,
) -> impl Iterator<Item = (&KnownVisit, &CancelQuestion)> {
    inbound
        .booked()
        .filter(|visit| visit.question_here && !visit.cancel_blocked)
        .filter_map(|visit| Some((visit, inbound.open_question(visit)?)))
}

/// A code of four digits.
pub(super) fn cancel_code(inbound: &InboundContext, code: &str) -> Decision {
    answer_question(inbound, |question| question.answered_by(code))
}

/// One of the words offered where codes are off.
pub(super) fn reason_word(inbound: &InboundContext, reason: Reason) -> Decision {
    let takes_words = |visit: &KnownVisit| visit.cancel_answer == CancelAnswer::Word;
    let by_word: Vec<&str> = open_questions(inbound)
        .filter(|(visit, _)| takes_words(visit))
        .map(|(_, question)| question.id.as_str())
        .collect();
    if by_word.is_empty() {
        let next_visit = inbound.next_visit();
        return Decision::hand_over("word-to-nothing", TaskKind::ReadMessage, next_visit);
    }
    answer_question(inbound, |question| {
        by_word.contains(&question.id.as_str()).then_some(reason)
    })
}

/// Finishes the one open question for which `reason_of` gives a reason.
fn answer_question(
    inbound: &InboundContext,
    reason_of: impl Fn(&CancelQuestion) -> Option<Reason>,
) -> Decision {
    let answered: Vec<_> = open_questions(inbound)
        .filter_map(|(visit, question)| Some((visit, question, reason_of(question)?)))
        .collect();
    match answered.as_slice() {
        [] => wrong_code(inbound),
        [(visit, question, reason)] => {
            let done = Effect::Cancel {
                session: visit.session.clone(),
                question: question.id.clone(),
                reason: *reason,
                at: question.first_no_at,
            };
            Decision::replying_about(
                visit,
                "S1-finished",
                vec![done, Effect::task(TaskKind::Cancellation, Some(visit))],
                MessageKind::CancellationAck,
            )
        }
        _ => Decision::hand_over("two-visits", TaskKind::ReadMessage, inbound.next_visit()),
    }
}

/// A code that fits no open question: it counts as a try on the newest one.
fn wrong_code(inbound: &InboundContext) -> Decision {
    let newest = open_questions(inbound).max_by_key(|(_, question)| question.first_no_at);
    let Some((visit, question)) = newest else {
        let next_visit = inbound.next_visit();
        return Decision::hand_over("code-to-nothing", TaskKind::ReadMessage, next_visit);
    };
    let is_last_try =
        question.tries + 1 >= TRIES_A_QUESTION || visit.wrong_tries + 1 >= TRIES_A_SESSION;
    let topic = if is_last_try {
        TaskKind::CancelByPhone
    } else {
        TaskKind::ReadMessage
    };
    let mut decision = Decision::hand_over("S1-wrong-code", topic, Some(visit));
    let wrong = Effect::WrongCode {
        question: question.id.clone(),
    };
    decision.effects.insert(0, wrong);
    decision
}
