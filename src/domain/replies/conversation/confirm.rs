//! A YES in words: which visit it confirms, or which cancellation it takes back.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::conversation::ask_which::ask_which;
use crate::domain::replies::conversation::context::{
    AmbiguousWish, CROSSING, InboundContext, KnownVisit, only, soonest,
};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, SessionState};

/// Decision 18: a named day or time decides first. If nothing is named, every visit may be meant.
pub(super) fn confirm(inbound: &InboundContext) -> Decision {
    let booked: Vec<&KnownVisit> = inbound
        .booked()
        .filter(|visit| inbound.may_mean(visit))
        .collect();
    let cancelled: Vec<&KnownVisit> = inbound
        .visits
        .iter()
        .filter(|visit| {
            visit.state != SessionState::Booked
                && visit.starts_at > inbound.at
                && inbound.may_mean(visit)
        })
        .collect();
    if may_be_mere_courtesy(inbound) {
        let next_visit = inbound.next_visit();
        return Decision::hand_over("courtesy-or-yes", TaskKind::ReadMessage, next_visit);
    }
    if let Some(decision) = takes_back(inbound, &booked, &cancelled) {
        return decision;
    }
    if booked.is_empty() && !inbound.understood.named.is_empty() {
        return names_no_booked_visit(inbound, &cancelled);
    }
    let being_cancelled: Vec<&KnownVisit> = booked
        .iter()
        .copied()
        .filter(|visit| inbound.open_question(visit).is_some())
        .collect();
    let unanswered: Vec<&KnownVisit> = booked
        .iter()
        .copied()
        .filter(|visit| visit.awaits_answer())
        .collect();
    match (being_cancelled.as_slice(), unanswered.as_slice()) {
        // A YES keeps the visit that was being cancelled, unless another visit awaits a YES too.
        ([visit], others) if others.iter().all(|o| o.session == visit.session) => {
            confirm_visit(inbound, visit)
        }
        ([visit, ..], _) => Decision::hand_over("two-visits", TaskKind::ReadMessage, Some(visit)),
        ([], [visit]) => confirm_visit(inbound, visit),
        ([], [_, _, ..]) => ask_which(AmbiguousWish::Confirm, &unanswered),
        ([], []) => {
            let asked = booked
                .iter()
                .copied()
                .filter(|visit| visit.asked.at.is_some());
            match only(asked) {
                Some(visit) => confirm_visit(inbound, visit),
                None => answers_nothing(inbound, &booked, &cancelled),
            }
        }
    }
}

/// The party will come: the cancel question is closed, and the visit is confirmed.
pub(super) fn keep(visit: &KnownVisit) -> Decision {
    let mut effects = Vec::new();
    if let Some(question) = &visit.question {
        effects.push(Effect::CloseQuestion {
            question: question.id.clone(),
        });
    }
    if visit.answer != Answer::Confirmed {
        effects.push(Effect::Confirm {
            session: visit.session.clone(),
        });
    }
    Decision::replying_about(visit, "yes", effects, MessageKind::ConfirmAck)
}

/// S2: until the other parent is told, a YES from the same address takes a cancellation back.
pub(super) fn take_back(visit: &KnownVisit) -> Decision {
    let effect = Effect::TakeBack {
        session: visit.session.clone(),
    };
    Decision::replying_about(
        visit,
        "S2-taken-back",
        vec![effect],
        MessageKind::ConfirmAck,
    )
}

/// "No problem, thanks" after a NO may be politeness, and not a change of mind.
fn may_be_mere_courtesy(inbound: &InboundContext) -> bool {
    !inbound.understood.plain_yes
        && (inbound
            .visits
            .iter()
            .any(|visit| inbound.can_take_back(visit))
            || inbound
                .booked()
                .any(|visit| inbound.open_question(visit).is_some()))
}

/// A YES that may take a cancellation back; `None` if there is none to take back.
fn takes_back(
    inbound: &InboundContext,
    booked: &[&KnownVisit],
    cancelled: &[&KnownVisit],
) -> Option<Decision> {
    let can_be_taken_back: Vec<&KnownVisit> = cancelled
        .iter()
        .copied()
        .filter(|visit| inbound.can_take_back(visit))
        .collect();
    let nothing_else_is_asked = booked.iter().all(|visit| {
        inbound.open_question(visit).is_none()
            && (visit.asked.at.is_none() || visit.answer == Answer::Confirmed)
    });
    match can_be_taken_back.as_slice() {
        [] => None,
        [visit] if nothing_else_is_asked => Some(take_back(visit)),
        // Which one is meant is not guessed.
        several => Some(Decision::hand_over(
            "two-visits",
            TaskKind::ReadMessage,
            soonest(several),
        )),
    }
}

/// A YES that names a day or time at which no visit is booked.
fn names_no_booked_visit(inbound: &InboundContext, cancelled: &[&KnownVisit]) -> Decision {
    if cancelled.is_empty() {
        let visit = only(inbound.booked()).or_else(|| inbound.next_visit());
        return Decision::hand_over("another-day", TaskKind::ReadMessage, visit);
    }
    Decision::hand_over("C11", TaskKind::Reconfirm, soonest(cancelled))
}

/// A YES to a visit, unless it may still answer the question about the time before a move.
fn confirm_visit(inbound: &InboundContext, visit: &KnownVisit) -> Decision {
    let just_moved = visit.asked.older
        && visit
            .asked
            .accepted_at
            .is_none_or(|accepted| inbound.at < accepted + CROSSING);
    if just_moved {
        return Decision::replying_about(
            visit,
            "yes-crossed-the-move",
            Vec::new(),
            MessageKind::ConfirmRequest,
        );
    }
    keep(visit)
}

/// A YES while no visit awaits one.
fn answers_nothing(
    inbound: &InboundContext,
    booked: &[&KnownVisit],
    cancelled: &[&KnownVisit],
) -> Decision {
    // All are confirmed, and a NO was answered with "which visit?". The YES replaces the NO, and
    // the number says which visit it is for.
    let options: Vec<&KnownVisit> = inbound
        .open_choice
        .iter()
        .filter(|choice| choice.is_about_cancelling())
        .flat_map(|choice| inbound.booked().filter(|visit| choice.offers(visit)))
        .collect();
    if options.len() > 1 {
        return ask_which(AmbiguousWish::Confirm, &options);
    }
    // The question about the new time is still on its way: this YES answered the old one.
    let moving = booked
        .iter()
        .copied()
        .filter(|visit| visit.asked.older && visit.asked.at.is_none());
    if let Some(visit) = only(moving) {
        return Decision::silent(
            "yes-to-old-version",
            vec![Effect::task(TaskKind::ReadMessage, Some(visit))],
        );
    }
    // Of several cancelled visits, the one about which this party spoke last.
    let last = cancelled
        .iter()
        .max_by_key(|visit| (visit.decided_at, std::cmp::Reverse(visit.starts_at)));
    if let Some(visit) = last {
        return Decision::hand_over("C11", TaskKind::Reconfirm, Some(visit));
    }
    let visit = only(booked.iter().copied()).or_else(|| inbound.next_visit());
    Decision::hand_over("yes-to-nothing", TaskKind::ReadMessage, visit)
}
