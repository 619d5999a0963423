//! Answers to "can you come on another date?".
//!
//! A YES or NO belongs to the question that it answers, and never confirms or cancels the visit
//! itself. Seed 001: "With notice you can move your contact to a different week, day or time
//! (subject to availability and with consent from the other party)." Both parents are asked in the
//! same words. Neither learns who asked for the move, or what the other one answered.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::replies::conversation::context::{
    CROSSING, InboundContext, KnownDateQuestion, KnownVisit, PromptRef,
};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::replies::understanding::Intent;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::Answer;
use chrono::{DateTime, Utc};

/// What a YES or NO in words does while a question about another date is open; `None` if it does
/// not answer one.
pub(super) fn answer(inbound: &InboundContext) -> Option<Decision> {
    let yes = match inbound.understood.intent {
        Intent::Confirm => true,
        Intent::Cancel(_) => false,
        _ => return None,
    };
    let sent: Vec<&KnownDateQuestion> = inbound
        .date_questions
        .iter()
        .filter(|date| date.asked_at <= inbound.at)
        .collect();
    if sent.is_empty() || inbound.opt_out.active || inbound.provider_stopped {
        return None;
    }
    match question_meant(inbound, &sent) {
        Meant::Visit => None,
        Meant::Date(date) => Some(answered(date, yes)),
        Meant::Unclear(rule) => {
            let is_asked_about =
                |visit: &&KnownVisit| sent.iter().any(|date| date.session == visit.session);
            let visit = inbound.visits.iter().find(is_asked_about);
            Some(Decision::hand_over(rule, TaskKind::ReadMessage, visit))
        }
    }
}

/// A press below a date question answers that question, once.
pub(super) fn press(inbound: &InboundContext, press: Press, below: &PromptRef) -> Decision {
    let open = inbound
        .date_questions
        .iter()
        .find(|date| date.question.as_str() == below.question && !date.answered && !date.closed);
    match (press, open) {
        (Press::Yes, Some(date)) => answered(date, true),
        (Press::No, Some(date)) => answered(date, false),
        _ => Decision::old_button("press-on-an-old-date"),
    }
}

/// Which question an answer is meant for.
enum Meant<'a> {
    Date(&'a KnownDateQuestion),
    /// A question about a visit, or a cancellation that can be taken back.
    Visit,
    /// A person has to ask. Holds the rule.
    Unclear(&'static str),
}

/// A named day or time decides first, then the newest question. If a newer question may have
/// crossed the answer to an older one, a person asks.
fn question_meant<'a>(inbound: &InboundContext, sent: &[&'a KnownDateQuestion]) -> Meant<'a> {
    let unanswered: Vec<&KnownDateQuestion> =
        sent.iter().copied().filter(|date| !date.answered).collect();
    let about_a_visit = newest_question_about_a_visit(inbound);
    let can_take_back = inbound
        .visits
        .iter()
        .any(|visit| inbound.can_take_back(visit));
    let Some(about_a_date) = unanswered.iter().map(|date| date.asked_at).max() else {
        // They answered before. If nothing else is asked, a person reads the second answer.
        return if about_a_visit.is_some() || can_take_back {
            Meant::Visit
        } else {
            Meant::Unclear("date-again")
        };
    };
    if can_take_back {
        return if names_a_visit_and_no_date(inbound, &unanswered) {
            Meant::Visit
        } else {
            Meant::Unclear("date-or-visit")
        };
    }
    if let Some(meant) = question_named(inbound, &unanswered) {
        return meant;
    }
    if let Some(about_a_visit) = about_a_visit {
        if inbound.at < about_a_visit.max(about_a_date) + CROSSING {
            return Meant::Unclear("date-or-visit");
        }
        if about_a_visit > about_a_date {
            return Meant::Visit;
        }
    }
    match unanswered.as_slice() {
        [date] if is_answerable(inbound, date) => Meant::Date(date),
        [_] => Meant::Unclear("date-or-visit"),
        _ => Meant::Unclear("two-dates"),
    }
}

/// When this party was last asked about a visit, if that question is still open.
fn newest_question_about_a_visit(inbound: &InboundContext) -> Option<DateTime<Utc>> {
    let of_visit = |visit: &KnownVisit| {
        let request = visit.asked.at.filter(|_| visit.answer == Answer::None);
        let cancel_question = inbound.open_question(visit).map(|q| q.asked_at);
        request.max(cancel_question)
    };
    let which_visit = inbound.open_choice.as_ref().map(|choice| choice.said_at);
    inbound
        .booked()
        .filter_map(of_visit)
        .chain(which_visit)
        .max()
}

fn names_a_visit_and_no_date(inbound: &InboundContext, unanswered: &[&KnownDateQuestion]) -> bool {
    let named = &inbound.understood.named;
    !named.is_empty()
        && inbound.visits.iter().any(|visit| inbound.may_mean(visit))
        && !unanswered.iter().any(|date| named.fits(date.arrives))
}

/// The question that is meant by the day or time named in the answer; `None` if that does not
/// decide it.
fn question_named<'a>(
    inbound: &InboundContext,
    unanswered: &[&'a KnownDateQuestion],
) -> Option<Meant<'a>> {
    let named = &inbound.understood.named;
    if named.is_empty() {
        return None;
    }
    let fits_a_visit = inbound.booked().any(|visit| inbound.may_mean(visit));
    let fitting: Vec<&KnownDateQuestion> = unanswered
        .iter()
        .copied()
        .filter(|date| named.fits(date.arrives))
        .collect();
    match fitting.as_slice() {
        [] if fits_a_visit => Some(Meant::Visit),
        _ if fits_a_visit => None,
        [date] if is_answerable(inbound, date) => Some(Meant::Date(date)),
        _ => Some(Meant::Unclear("date-or-visit")),
    }
}

/// Whether the question is open, and the answer a plain YES or NO. A NO with a reason is rather
/// about the visit.
fn is_answerable(inbound: &InboundContext, date: &KnownDateQuestion) -> bool {
    let is_plain = match inbound.understood.intent {
        Intent::Confirm => inbound.understood.plain_yes,
        Intent::Cancel(reason) => reason.is_none(),
        _ => false,
    };
    is_plain && !date.closed
}

/// The answer is recorded for the co-ordinator. The reply is the one hand-over text, the same for a
/// yes and a no.
fn answered(date: &KnownDateQuestion, yes: bool) -> Decision {
    let effect = Effect::DateAnswer {
        question: date.question.clone(),
        role: date.role,
        yes,
    };
    Decision::replying(
        "date-answer",
        vec![effect],
        MessageKind::NeedsCoordinatorAck,
    )
}
