//! A NO in words: which visit it is about, and whether it comes too late to be free of charge.

use crate::domain::outgoing::message::MessageKind;
use crate::domain::replies::cancel_code::{OPEN_FOR, QUESTIONS_A_DAY, TRIES_A_SESSION};
use crate::domain::replies::conversation::ask_which::ask_which;
use crate::domain::replies::conversation::context::{
    AmbiguousWish, CROSSING, InboundContext, KnownVisit, only,
};
use crate::domain::replies::conversation::effect::{Decision, Effect};
use crate::domain::task::TaskKind;
use crate::domain::visits::session::{Answer, Reason, cut_off};
use chrono::{DateTime, Duration, Utc};

/// For this long after a visit began, a NO may still be about that visit.
const LATE_REPLY: Duration = Duration::hours(24);

/// A press that may be older than this does not start a question: a person finishes the
/// cancellation.
const AWAY_TOO_LONG: Duration = Duration::hours(12);

/// Asks for the code that finishes the cancellation, if it is clear which visit is meant.
pub(super) fn cancel(inbound: &InboundContext, reason: Option<Reason>) -> Decision {
    let named: Vec<&KnownVisit> = inbound
        .booked()
        .filter(|visit| inbound.may_mean(visit))
        .collect();
    let newest = match newest_question(inbound, &named) {
        Ok(newest) => newest,
        Err(newest) => {
            return Decision::hand_over("two-visits", TaskKind::ReadMessage, Some(newest));
        }
    };
    if newest.is_none()
        && let Some(decision) = explains_afterwards(inbound, &named, reason)
    {
        return decision;
    }
    let asked = || {
        named
            .iter()
            .copied()
            .filter(|visit| visit.asked.at.is_some())
    };
    let target = newest
        .or_else(|| only(named.iter().copied()))
        .or_else(|| only(asked()))
        .or_else(|| only(asked().filter(|visit| visit.answer == Answer::None)));
    match target {
        None => means_no_single_visit(inbound, &named, reason),
        Some(visit) if is_about_a_visit_that_began(inbound, visit) => {
            Decision::hand_over("late-reply", TaskKind::ReadMessage, inbound.next_visit())
        }
        Some(visit) => ask_to_finish(inbound, visit, reason),
    }
}

/// A NO changes nothing by itself: a code finishes it, or a second press in a chat (rules S1 and
/// S1d).
pub(super) fn ask_to_finish(
    inbound: &InboundContext,
    visit: &KnownVisit,
    reason: Option<Reason>,
) -> Decision {
    let first_no = first_no(inbound, visit);
    let mut effects = vec![Effect::CancelAsked {
        session: visit.session.clone(),
        reason,
        first_no_at: first_no.at,
        late: visit.is_late(first_no.at),
    }];
    if first_no.counted_in_time {
        effects.push(Effect::task(TaskKind::CountedInTime, Some(visit)));
    }
    if inbound.provider_stopped || inbound.opt_out.active {
        // S1c: the question cannot be delivered.
        effects.push(Effect::task(TaskKind::CancelByPhone, Some(visit)));
        return Decision::silent("S1c", effects);
    }
    let cut_off = cut_off(visit.starts_at, visit.notice_hours);
    if first_no.counted_in_time && inbound.at - cut_off > AWAY_TOO_LONG {
        // The question would hardly be open any more: a person finishes the cancellation.
        effects.push(Effect::task(TaskKind::CancelByPhone, Some(visit)));
        return Decision::replying("away-too-long", effects, MessageKind::NeedsCoordinatorAck);
    }
    if visit.cancel_blocked
        || visit.wrong_tries >= TRIES_A_SESSION
        || visit.questions_today >= QUESTIONS_A_DAY
    {
        return Decision::hand_over("S1-enough-questions", TaskKind::CancelByPhone, Some(visit));
    }
    Decision::replying_about(visit, "S1", effects, MessageKind::CancelReasonAsk)
}

/// The visit with the newest question, while a cancel question is open (decision 18); `Ok(None)` if
/// none is open.
///
/// # Errors
/// The visit with the newest question, if a question about another visit waits too and the NO may
/// have crossed the newest one. Which of the two it answers is not guessed.
fn newest_question<'a>(
    inbound: &InboundContext,
    named: &[&'a KnownVisit],
) -> Result<Option<&'a KnownVisit>, &'a KnownVisit> {
    if !named
        .iter()
        .any(|visit| inbound.open_question(visit).is_some())
    {
        return Ok(None);
    }
    let newest_about = |visit: &KnownVisit| {
        let cancel_question = inbound.open_question(visit).map(|q| q.asked_at);
        let request = visit.asked.at.filter(|_| visit.answer == Answer::None);
        cancel_question.max(request)
    };
    let mut waiting: Vec<(DateTime<Utc>, &KnownVisit)> = named
        .iter()
        .filter_map(|visit| Some((newest_about(visit)?, *visit)))
        .collect();
    waiting.sort_by_key(|(asked, _)| std::cmp::Reverse(*asked));
    match waiting.as_slice() {
        [(asked, visit), _, ..] if inbound.at < *asked + CROSSING => Err(visit),
        [(_, visit), ..] => Ok(Some(visit)),
        [] => Ok(None),
    }
}

/// C28: who cancelled says afterwards that it was illness. Not while another visit awaits an
/// answer.
fn explains_afterwards(
    inbound: &InboundContext,
    named: &[&KnownVisit],
    reason: Option<Reason>,
) -> Option<Decision> {
    let reason = reason.filter(|r| matches!(r, Reason::IllChild | Reason::IllSelf))?;
    let visit = cancelled_before(inbound)?;
    if named.iter().any(|visit| visit.awaits_answer()) {
        return None;
    }
    let told = Effect::IllnessTold {
        session: visit.session.clone(),
        reason,
    };
    Some(Decision::replying_about(
        visit,
        "C28",
        vec![told, Effect::task(TaskKind::Cancellation, Some(visit))],
        MessageKind::CancellationAck,
    ))
}

/// The one visit that this party cancelled, if the message may mean it.
fn cancelled_before(inbound: &InboundContext) -> Option<&KnownVisit> {
    only(inbound.visits.iter().filter(|visit| visit.cancelled_by_me))
        .filter(|visit| inbound.may_mean(visit))
}

/// A NO that may mean several visits, or none.
fn means_no_single_visit(
    inbound: &InboundContext,
    named: &[&KnownVisit],
    reason: Option<Reason>,
) -> Decision {
    let none_is_booked = inbound.booked().next().is_none();
    if none_is_booked && let Some(visit) = cancelled_before(inbound) {
        return Decision::replying_about(
            visit,
            "cancelled-already",
            Vec::new(),
            MessageKind::CancellationAck,
        );
    }
    let only_those = |wanted: fn(&KnownVisit) -> bool| -> Vec<&KnownVisit> {
        named
            .iter()
            .copied()
            .filter(|visit| wanted(visit))
            .collect()
    };
    let mut candidates = only_those(KnownVisit::awaits_answer);
    if candidates.is_empty() {
        candidates = only_those(|visit| visit.asked.at.is_some());
    }
    if candidates.is_empty() {
        candidates = only_those(|_| true);
    }
    if !candidates.is_empty() {
        return ask_which(AmbiguousWish::Cancel(reason), &candidates);
    }
    if none_is_booked {
        return Decision::hand_over("no-to-nothing", TaskKind::ReadMessage, inbound.next_visit());
    }
    let visit = only(inbound.booked()).or_else(|| inbound.next_visit());
    Decision::hand_over("another-day", TaskKind::ReadMessage, visit)
}

/// A NO just after the visit that was asked about began is about that one, and not about the next
/// one, which nobody asked about yet.
fn is_about_a_visit_that_began(inbound: &InboundContext, next: &KnownVisit) -> bool {
    let just_began = inbound
        .asked_last
        .is_some_and(|start| start <= inbound.at && inbound.at - start < LATE_REPLY);
    just_began && next.asked.at.is_none() && inbound.understood.named.is_empty()
}

/// The NO from which the notice of a cancellation counts.
struct FirstNo {
    at: DateTime<Utc>,
    /// It counts as in time only because it may have come while the service was down.
    counted_in_time: bool,
}

/// S1b: the notice counts from the first NO, as long as its question is open.
fn first_no(inbound: &InboundContext, visit: &KnownVisit) -> FirstNo {
    let earlier = inbound
        .open_question(visit)
        .map(|question| question.first_no_at)
        .or_else(|| no_before_the_choice(inbound, visit));
    if let Some(at) = earlier {
        return FirstNo {
            at,
            counted_in_time: false,
        };
    }
    if visit.is_late(inbound.at) && !visit.is_late(inbound.earliest) {
        // The last instant that is in time.
        return FirstNo {
            at: cut_off(visit.starts_at, visit.notice_hours),
            counted_in_time: true,
        };
    }
    FirstNo {
        at: inbound.at,
        counted_in_time: false,
    }
}

/// When the NO arrived that we answered with "which visit?", if this visit is one of the options
/// and the NO still counts (rule S1b).
fn no_before_the_choice(inbound: &InboundContext, visit: &KnownVisit) -> Option<DateTime<Utc>> {
    let choice = inbound.open_choice.as_ref()?;
    let counts = choice.is_about_cancelling()
        && inbound.at <= choice.said_at + OPEN_FOR
        && choice.offers(visit);
    counts.then_some(choice.said_at.min(inbound.at))
}
