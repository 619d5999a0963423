//! What each kind of message does: an answer, a code, a number, a press, a wish about texts.

use crate::domain::ids::CancelQuestionId;
use crate::domain::replies::cancel_code::{
    OPEN_FOR, PRESS_WITHIN, QUESTIONS_A_DAY, TRIES_A_QUESTION, TRIES_A_SESSION,
};
use crate::domain::replies::conversation::*;
use crate::domain::replies::understanding::NamedTimes;
use crate::domain::visits::notice::late;
use crate::domain::visits::session::cut_off;

pub(super) fn stranger(h: &InboundContext) -> Decision {
    match h.understood.intent {
        Intent::Stop => decision("stranger-stop", vec![Effect::OptOut], None),
        Intent::Start => decision("stranger-start", vec![Effect::OptIn], None),
        // The same words as to every stranger; but somebody looks at once.
        Intent::Safeguarding => decision(
            "stranger-safeguarding",
            vec![task(TaskKind::Safeguarding, None)],
            Some((MessageKind::UnknownSender, None)),
        ),
        _ => decision(
            "stranger",
            vec![task(TaskKind::UnknownSender, None)],
            Some((MessageKind::UnknownSender, None)),
        ),
    }
}

/// A known number on a channel by which no text was agreed with it: a person reads it, and nothing
/// goes back by that channel. What makes the phone quieter holds all the same.
pub(super) fn elsewhere(h: &InboundContext) -> Decision {
    let effects = match h.understood.intent {
        Intent::Stop => stop(h).effects,
        Intent::Start => vec![Effect::OptIn, task(TaskKind::ReadMessage, next_visit(h))],
        Intent::WrongNumber => wrong_number(h).effects,
        Intent::Safeguarding => vec![task(TaskKind::Safeguarding, next_visit(h))],
        _ => before_next_visits(h, TaskKind::ReadMessage),
    };
    decision("not-agreed-here", effects, None)
}

pub(super) fn stop(h: &InboundContext) -> Decision {
    // Rule a3: honoured at once, and a person rings before the next visit.
    decision(
        "stop",
        [
            vec![Effect::OptOut],
            before_next_visits(h, TaskKind::RingOptedOut),
        ]
        .concat(),
        Some((MessageKind::StopAck, None)),
    )
}

pub(super) fn wrong_number(h: &InboundContext) -> Decision {
    // Rules d3 and a3: no more texts at once, and a person rings before the next visit; the words
    // may be faked.
    decision(
        "wrong-number",
        [
            vec![Effect::PauseAddress],
            before_next_visits(h, TaskKind::RingWrongNumber),
        ]
        .concat(),
        Some((MessageKind::WrongNumberAck, None)),
    )
}

/// So long after its beginning a visit is still what an answer is about.
const LATE_REPLY: Duration = Duration::hours(24);

/// Not understood: the two answers once more, once a day and only while they are awaited; then the
/// one hand-over text. A person reads it in any case.
pub(super) fn unclear(h: &InboundContext) -> Decision {
    if let Some(some) = h.understood.some_children
        && let Some(o) = only(booked(h))
        && !another_day(h, o)
    {
        let said = Effect::SomeChildren {
            session: o.session.clone(),
            ill: some.ill,
        };
        return decision(
            "some-children",
            vec![said, task(TaskKind::SomeChildren, Some(o))],
            Some((MessageKind::NeedsCoordinatorAck, None)),
        );
    }
    let awaited = booked(h).any(|o| o.asked.at.is_some() && o.answer == Answer::None);
    let code_awaited = open_questions(h).next().is_some() || h.choosing.is_some();
    let machine = matches!(h.understood.rule, "sent-by-a-machine" | "forwarded");
    let words = matches!(h.understood.rule, "some-children");
    if awaited && !code_awaited && !machine && !words && !h.clarified {
        return decision(
            "unclear",
            vec![task(TaskKind::ReadMessage, next_visit(h))],
            Some((MessageKind::UnclearReply, None)),
        );
    }
    hand_over(
        if h.clarified {
            "unclear-again"
        } else {
            "unclear"
        },
        TaskKind::ReadMessage,
        next_visit(h),
    )
}

/// A task before the next visit of each family of this phone, or one without a visit if none is
/// ahead.
fn before_next_visits(h: &InboundContext, topic: TaskKind) -> Vec<Effect> {
    let mut next: Vec<&KnownVisit> = Vec::new();
    for o in booked(h) {
        match next.iter_mut().find(|n| n.case == o.case) {
            Some(n) if n.starts_at > o.starts_at => *n = o,
            Some(_) => {}
            None => next.push(o),
        }
    }
    if next.is_empty() {
        vec![task(topic, None)]
    } else {
        next.into_iter().map(|o| task(topic, Some(o))).collect()
    }
}

/// The first of these visits.
fn soonest<'a>(among: &[&'a KnownVisit]) -> Option<&'a KnownVisit> {
    among.iter().copied().min_by_key(|o| o.starts_at)
}

/// Asks with numbers which of two visits is meant; three, or two at the same moment, are for a
/// person.
fn which(wanted: AmbiguousWish, among: &[&KnownVisit]) -> Decision {
    match among {
        [a, b] if a.starts_at != b.starts_at => {
            let options = [a, b].map(|o| (o.session.clone(), o.ask_version));
            decision(
                "which-visit",
                vec![Effect::AskWhich { wanted, options }],
                Some((MessageKind::WhichSession, None)),
            )
        }
        _ => hand_over(
            if among.len() > 2 {
                "many-visits"
            } else {
                "two-visits"
            },
            TaskKind::ReadMessage,
            soonest(among),
        ),
    }
}

pub(super) fn number(h: &InboundContext, n: usize) -> Decision {
    let Some(c) = &h.choosing else {
        return hand_over("number-to-nothing", TaskKind::ReadMessage, next_visit(h));
    };
    let Some((session, version)) = c.options.get(n.wrapping_sub(1)) else {
        return hand_over("number-to-nothing", TaskKind::ReadMessage, next_visit(h));
    };
    let Some(o) = booked(h).find(|o| o.session == *session && o.ask_version == *version) else {
        return hand_over("chosen-visit-is-gone", TaskKind::ReadMessage, next_visit(h));
    };
    let understood = Understood {
        named: NamedTimes::default(),
        plain_yes: true,
        ..h.understood.clone()
    };
    let alone = InboundContext {
        open: vec![o.clone()],
        choosing: None,
        understood,
        ..h.clone()
    };
    let mut d = match c.wanted {
        AmbiguousWish::Confirm => confirm(&alone),
        AmbiguousWish::Cancel(reason) => cancel(&alone, reason),
    };
    for effect in &mut d.effects {
        if let Effect::CancelAsked {
            first_no_at, late, ..
        } = effect
        {
            // Rule S1b: the NO was said before it was asked back, and it counts for 24 hours.
            if h.at <= c.said_at + OPEN_FOR {
                *first_no_at = c.said_at.min(*first_no_at);
                *late = is_late(o, *first_no_at);
            }
        }
    }
    d.effects.insert(
        0,
        Effect::Chosen {
            choice: c.id.clone(),
        },
    );
    d
}

/// A press answers the very question below which its button stood; an old, foreign or second one
/// changes nothing.
pub(super) fn press(h: &InboundContext) -> Decision {
    let dead = old_button;
    let Some(ButtonPress {
        press,
        below: Some(below),
    }) = &h.pressed
    else {
        return dead("press-foreign");
    };
    if below.kind == MessageKind::DateQuestion {
        return super::date_answers::press(h, *press, below);
    }
    if let (Press::First | Press::Second, MessageKind::WhichSession) = (press, below.kind) {
        let waits = h
            .choosing
            .as_ref()
            .is_some_and(|c| c.id.as_str() == below.question);
        return if waits {
            number(h, if *press == Press::First { 1 } else { 2 })
        } else {
            dead("press-again")
        };
    }
    let Some(o) = h
        .open
        .iter()
        .find(|o| below.session.as_ref() == Some(&o.session))
    else {
        return dead("press-on-the-past");
    };
    if o.ask_version != below.ask_version {
        return dead("press-on-an-old-version");
    }
    let on = o.state == SessionState::Booked && o.starts_at > h.at;
    let question = o
        .question
        .as_ref()
        .filter(|q| on && q.is_open(h.at, o.starts_at));
    match press {
        Press::Yes if on && (question.is_some() || o.answer != Answer::Confirmed) => keep(o),
        Press::Yes if on => dead("press-again"),
        Press::Yes if o.cancelled_by_me && o.release_at.is_some_and(|t| h.at < t) => decision(
            "S2-taken-back",
            vec![Effect::TakeBack {
                session: o.session.clone(),
            }],
            Some((MessageKind::ConfirmAck, Some(o))),
        ),
        Press::Yes if o.starts_at > h.at => hand_over("C11", TaskKind::Reconfirm, Some(o)),
        Press::No if on && (question.is_none() || !o.question_here) => ask_to_finish(h, o, None),
        Press::Keep => match question.filter(|q| q.id.as_str() == below.question) {
            Some(_) => keep(o),
            None => dead("press-again"),
        },
        Press::Cancel | Press::IllChild | Press::IllSelf | Press::Travel | Press::Other => {
            let Some(q) = question.filter(|q| q.id.as_str() == below.question) else {
                return dead("press-again");
            };
            if h.earliest > q.asked_at + PRESS_WITHIN {
                // Rule G5. Who pressed NO and finished too late is on the list of those who are
                // rung (rule S1a).
                return dead("press-too-late");
            }
            let reason = match press {
                Press::IllChild => Reason::IllChild,
                Press::IllSelf => Reason::IllSelf,
                Press::Travel => Reason::Travel,
                Press::Cancel => q.offered.first().copied().unwrap_or(Reason::Other),
                _ => Reason::Other,
            };
            let done = Effect::Cancel {
                session: o.session.clone(),
                question: q.id.clone(),
                reason,
                at: q.first_no_at,
            };
            decision(
                "S1d-finished",
                vec![done, task(TaskKind::Cancellation, Some(o))],
                Some((MessageKind::CancellationAck, Some(o))),
            )
        }
        _ => dead("press-again"),
    }
}

pub(super) fn booked(h: &InboundContext) -> impl Iterator<Item = &KnownVisit> {
    h.open
        .iter()
        .filter(|o| o.state == SessionState::Booked && o.starts_at > h.at)
}

/// Whether the message names another day, date or time than the party's own arrival at the session:
/// then it is no answer to it.
fn another_day(h: &InboundContext, o: &KnownVisit) -> bool {
    !h.understood.named.fits(o.arrives)
}

/// S2: until the other parent is told, a YES from the same party on the same address takes a
/// cancellation back.
fn undoable(h: &InboundContext, o: &KnownVisit) -> bool {
    o.cancelled_by_me && o.release_at.is_some_and(|t| h.at < t)
}

/// Whether a cancel question about this visit waits to be finished.
fn questioned(h: &InboundContext, o: &KnownVisit) -> bool {
    o.question
        .as_ref()
        .is_some_and(|q| q.is_open(h.at, o.starts_at))
}

fn take_back(o: &KnownVisit) -> Decision {
    decision(
        "S2-taken-back",
        vec![Effect::TakeBack {
            session: o.session.clone(),
        }],
        Some((MessageKind::ConfirmAck, Some(o))),
    )
}

pub(super) fn confirm(h: &InboundContext) -> Decision {
    // Decision 18: what is named decides first. Without a name every visit fits.
    let off: Vec<&KnownVisit> = h
        .open
        .iter()
        .filter(|o| o.state != SessionState::Booked && o.starts_at > h.at && !another_day(h, o))
        .collect();
    let named: Vec<&KnownVisit> = booked(h).filter(|o| !another_day(h, o)).collect();
    let questions = named
        .iter()
        .copied()
        .filter(|o| questioned(h, o))
        .collect::<Vec<_>>();
    if !h.understood.plain_yes
        && (h.open.iter().any(|o| undoable(h, o)) || booked(h).any(|o| questioned(h, o)))
    {
        // "No problem, thanks" after a cancellation is courtesy, not a change of mind.
        return hand_over("courtesy-or-yes", TaskKind::ReadMessage, next_visit(h));
    }
    let undo: Vec<&KnownVisit> = off.iter().copied().filter(|o| undoable(h, o)).collect();
    if !undo.is_empty() {
        let nothing_else_asked = questions.is_empty()
            && named
                .iter()
                .all(|b| b.asked.at.is_none() || b.answer == Answer::Confirmed);
        return match undo.as_slice() {
            [o] if nothing_else_asked => take_back(o),
            // Which one is meant is not guessed.
            several => hand_over("two-visits", TaskKind::ReadMessage, soonest(several)),
        };
    }
    if named.is_empty() && !h.understood.named.is_empty() {
        return match off.as_slice() {
            [] => hand_over(
                "another-day",
                TaskKind::ReadMessage,
                only(booked(h)).or_else(|| next_visit(h)),
            ),
            some => hand_over("C11", TaskKind::Reconfirm, soonest(some)),
        };
    }
    let unanswered: Vec<&KnownVisit> = named
        .iter()
        .copied()
        .filter(|o| o.asked.at.is_some() && o.answer == Answer::None)
        .collect();
    // A cancel question that is open: YES keeps that visit, unless another one waits for its answer
    // too.
    let target = match (questions.as_slice(), unanswered.as_slice()) {
        ([q], others) if others.iter().all(|u| u.session == q.session) => Some(*q),
        ([], [one]) => Some(*one),
        ([], []) => only(named.iter().copied().filter(|o| o.asked.at.is_some())),
        ([], several) => return which(AmbiguousWish::Confirm, several),
        ([q, ..], _) => return hand_over("two-visits", TaskKind::ReadMessage, Some(q)),
    };
    let Some(o) = target else {
        // All are confirmed, and a NO was asked back: the YES takes its place, and the number says
        // of which visit.
        let of_choice: Vec<&KnownVisit> = booked(h)
            .filter(|o| {
                h.choosing
                    .as_ref()
                    .is_some_and(|c| matches!(c.wanted, AmbiguousWish::Cancel(_)) && c.has(o))
            })
            .collect();
        if of_choice.len() > 1 {
            return which(AmbiguousWish::Confirm, &of_choice);
        }
        if let Some(moving) = only(
            named
                .iter()
                .copied()
                .filter(|o| o.asked.older && o.asked.at.is_none()),
        ) {
            // The new version's text is still on its way: it is the question, this YES answered the
            // old one.
            return decision(
                "yes-to-old-version",
                vec![Effect::Task {
                    topic: TaskKind::ReadMessage,
                    session: Some(moving.session.clone()),
                }],
                None,
            );
        }
        // Of several that are off, the one about which this party spoke last.
        if let Some(off) = off
            .iter()
            .max_by_key(|o| (o.decided_at, std::cmp::Reverse(o.starts_at)))
        {
            return hand_over("C11", TaskKind::Reconfirm, Some(off));
        }
        return hand_over(
            "yes-to-nothing",
            TaskKind::ReadMessage,
            only(named.into_iter()).or_else(|| next_visit(h)),
        );
    };
    if o.asked.older && o.asked.accepted_at.is_none_or(|t| h.at < t + CROSSING) {
        return decision(
            "yes-crossed-the-move",
            vec![],
            Some((MessageKind::ConfirmRequest, Some(o))),
        );
    }
    keep(o)
}

/// The party will come: what it had begun to cancel ends, and the visit is confirmed.
fn keep(o: &KnownVisit) -> Decision {
    let mut effects = Vec::new();
    if let Some(q) = &o.question {
        effects.push(Effect::CloseQuestion {
            question: q.id.clone(),
        });
    }
    if o.answer != Answer::Confirmed {
        effects.push(Effect::Confirm {
            session: o.session.clone(),
        });
    }
    decision("yes", effects, Some((MessageKind::ConfirmAck, Some(o))))
}

pub(super) fn cancel(h: &InboundContext, reason: Option<Reason>) -> Decision {
    let named = || booked(h).filter(|o| !another_day(h, o));
    let asked = || named().filter(|o| o.asked.at.is_some());
    let newest = match newest_question(h, &named().collect::<Vec<_>>()) {
        Ok(newest) => newest,
        // Which of two questions it answers is not guessed while they may have crossed.
        Err(newest) => return hand_over("two-visits", TaskKind::ReadMessage, Some(newest)),
    };
    let target = newest
        .or_else(|| only(named()))
        .or_else(|| only(asked()))
        .or_else(|| only(asked().filter(|o| o.answer == Answer::None)));
    let mine = only(h.open.iter().filter(|o| o.cancelled_by_me)).filter(|o| !another_day(h, o));
    // C28: who cancelled explains it afterwards; unless a visit is being asked about just now.
    if let (Some(mine), Some(reason @ (Reason::IllChild | Reason::IllSelf))) = (mine, reason)
        && newest.is_none()
        && !asked().any(|o| o.answer == Answer::None)
    {
        let told = Effect::IllnessTold {
            session: mine.session.clone(),
            reason,
        };
        return decision(
            "C28",
            vec![told, task(TaskKind::Cancellation, Some(mine))],
            Some((MessageKind::CancellationAck, Some(mine))),
        );
    }
    let Some(o) = target else {
        if booked(h).next().is_none()
            && let Some(mine) = mine
        {
            return decision(
                "cancelled-already",
                vec![],
                Some((MessageKind::CancellationAck, Some(mine))),
            );
        }
        let mut among: Vec<&KnownVisit> = asked().filter(|o| o.answer == Answer::None).collect();
        if among.is_empty() {
            among = asked().collect();
        }
        if among.is_empty() {
            among = named().collect();
        }
        return match among.as_slice() {
            [] if booked(h).next().is_some() => hand_over(
                "another-day",
                TaskKind::ReadMessage,
                only(booked(h)).or_else(|| next_visit(h)),
            ),
            [] => hand_over("no-to-nothing", TaskKind::ReadMessage, next_visit(h)),
            many => which(AmbiguousWish::Cancel(reason), many),
        };
    };
    if answers_what_is_over(h, o) {
        return hand_over("late-reply", TaskKind::ReadMessage, next_visit(h));
    }
    ask_to_finish(h, o, reason)
}

/// Decision 18, where a cancel question is open: the visit whose question is the newest. `Err`: an
/// older question about another visit waits too, and the answer may have crossed the newest.
/// `Ok(None)`: no cancel question is open.
fn newest_question<'a>(
    h: &InboundContext,
    among: &[&'a KnownVisit],
) -> Result<Option<&'a KnownVisit>, &'a KnownVisit> {
    if !among.iter().any(|o| questioned(h, o)) {
        return Ok(None);
    }
    let of = |o: &KnownVisit| {
        o.question
            .as_ref()
            .filter(|_| questioned(h, o))
            .map(|q| q.asked_at)
            .max(o.asked.at.filter(|_| o.answer == Answer::None))
    };
    let mut waiting: Vec<(DateTime<Utc>, &KnownVisit)> =
        among.iter().filter_map(|o| Some((of(o)?, *o))).collect();
    waiting.sort_by_key(|(asked, _)| std::cmp::Reverse(*asked));
    match waiting.as_slice() {
        [(asked, o), _, ..] if h.at < *asked + CROSSING => Err(o),
        [(_, o), ..] => Ok(Some(o)),
        [] => Ok(None),
    }
}

/// A NO that comes when the visit that was asked about has begun is about that one, and not about
/// the next, of which nobody asked yet.
fn answers_what_is_over(h: &InboundContext, o: &KnownVisit) -> bool {
    let just_over = h
        .asked_last
        .is_some_and(|start| start <= h.at && h.at - start < LATE_REPLY);
    just_over && o.asked.at.is_none() && h.understood.named.is_empty()
}

/// A NO changes nothing by itself: it is finished by a code, or in a chat by a second press (rules
/// S1 and S1d).
fn ask_to_finish(h: &InboundContext, o: &KnownVisit, reason: Option<Reason>) -> Decision {
    let (asked, counted_in_time) = cancel_asked(h, o, reason);
    let mut effects = vec![asked];
    if counted_in_time {
        effects.push(task(TaskKind::CountedInTime, Some(o)));
    }
    if h.provider_stopped || h.opted_out {
        // S1c: the question cannot arrive.
        effects.push(task(TaskKind::CancelByPhone, Some(o)));
        return decision("S1c", effects, None);
    }
    if counted_in_time && h.at - cut_off(o.starts_at, o.notice_hours) > AWAY_TOO_LONG {
        // Its question would hardly be open any more: a person finishes it.
        effects.push(task(TaskKind::CancelByPhone, Some(o)));
        return decision(
            "away-too-long",
            effects,
            Some((MessageKind::NeedsCoordinatorAck, None)),
        );
    }
    if o.cancel_blocked || o.wrong_tries >= TRIES_A_SESSION || o.questions_today >= QUESTIONS_A_DAY
    {
        return hand_over("S1-enough-questions", TaskKind::CancelByPhone, Some(o));
    }
    decision("S1", effects, Some((MessageKind::CancelReasonAsk, Some(o))))
}

/// Whether a NO at `at` comes with less than the notice of this booking.
fn is_late(o: &KnownVisit, at: DateTime<Utc>) -> bool {
    late(
        o.starts_at,
        o.notice_hours,
        o.moved.as_ref(),
        o.asked.accepted_at,
        at,
    )
}

/// The fact that a party asked to cancel, and whether it counts as in time only because it may have
/// come while we were away.
fn cancel_asked(h: &InboundContext, o: &KnownVisit, reason: Option<Reason>) -> (Effect, bool) {
    // S1b: lateness counts from the first NO, while its question is open.
    let open = o
        .question
        .as_ref()
        .filter(|q| q.is_open(h.at, o.starts_at))
        .map(|q| q.first_no_at)
        .or_else(|| asked_back(h, o));
    let late_at = |t| is_late(o, t);
    let benefit = open.is_none() && late_at(h.at) && !late_at(h.earliest);
    // The last instant that is in time, which lies in the gap.
    let first_no_at = open.unwrap_or(if benefit {
        cut_off(o.starts_at, o.notice_hours)
    } else {
        h.at
    });
    (
        Effect::CancelAsked {
            session: o.session.clone(),
            reason,
            first_no_at,
            late: late_at(first_no_at),
        },
        benefit,
    )
}

/// When the NO came that was asked back ("which visit?"), if this one names its visit and it still
/// counts (rule S1b).
fn asked_back(h: &InboundContext, o: &KnownVisit) -> Option<DateTime<Utc>> {
    let c = h
        .choosing
        .as_ref()
        .filter(|c| matches!(c.wanted, AmbiguousWish::Cancel(_)) && h.at <= c.said_at + OPEN_FOR)?;
    c.has(o).then_some(c.said_at.min(h.at))
}

/// Whether what was decided ends the numbered question that waits: something was decided about one
/// of its visits, or a YES came after its NO, which ends its first time too (rule S1b).
pub(super) fn ends_choice(h: &InboundContext, d: &Decision) -> bool {
    let Some(c) = h.choosing.as_ref() else {
        return false;
    };
    if d.rule == "overtaken"
        || d.effects
            .iter()
            .any(|e| matches!(e, Effect::AskWhich { .. } | Effect::Chosen { .. }))
    {
        // The newest wish takes the place of the older one, or its number came.
        return false;
    }
    let decided = d
        .effects
        .iter()
        .filter(|e| order::settles(e))
        .flat_map(|e| order::decides(h, e))
        .any(|s| c.options.iter().any(|(o, _)| o == s));
    let kept = d.reply.as_ref().is_some_and(|r| {
        r.kind == MessageKind::ConfirmAck
            && c.options.iter().any(|(o, _)| r.session.as_ref() == Some(o))
    });
    let agreed = h.understood.intent == Intent::Confirm
        && h.understood.plain_yes
        && h.understood.named.is_empty()
        && h.agreed
        && !h.opted_out
        && !h.resting
        && !h.media;
    decided
        || kept
        || (agreed && matches!(c.wanted, AmbiguousWish::Cancel(_)) && !d.rule.starts_with("date-"))
}

/// The other visit of a numbered question that a YES to one of them ends: the NO before it may have
/// meant that one, and no answer about it is known. A person reads it, so that no NO is silent
/// (rule S1a).
pub(super) fn left_open<'a>(h: &'a InboundContext, d: &Decision) -> Option<&'a KnownVisit> {
    let c = h
        .choosing
        .as_ref()
        .filter(|c| matches!(c.wanted, AmbiguousWish::Cancel(_)))?;
    d.effects
        .iter()
        .any(|e| matches!(e, Effect::Confirm { .. }))
        .then_some(())?;
    booked(h).find(|o| {
        c.has(o)
            && o.answer == Answer::None
            && !questioned(h, o)
            && !d
                .effects
                .iter()
                .any(|e| order::decides(h, e).contains(&&o.session))
    })
}

fn open_questions(h: &InboundContext) -> impl Iterator<Item = (&KnownVisit, &CancelQuestion)> {
    booked(h)
        .filter(|o| o.question_here)
        .filter_map(|o| o.question.as_ref().map(|q| (o, q)))
        .filter(|(o, q)| q.is_open(h.at, o.starts_at) && !o.cancel_blocked)
}

pub(super) fn code_answer(
    h: &InboundContext,
    reason_of: impl Fn(&CancelQuestion) -> Option<Reason>,
) -> Decision {
    let mut hits = open_questions(h).filter_map(|(o, q)| reason_of(q).map(|r| (o, q, r)));
    if let Some((o, q, reason)) = hits.next() {
        if hits.next().is_some() {
            return hand_over("two-visits", TaskKind::ReadMessage, next_visit(h));
        }
        let done = Effect::Cancel {
            session: o.session.clone(),
            question: q.id.clone(),
            reason,
            at: q.first_no_at,
        };
        return decision(
            "S1-finished",
            vec![done, task(TaskKind::Cancellation, Some(o))],
            Some((MessageKind::CancellationAck, Some(o))),
        );
    }
    match open_questions(h).max_by_key(|(_, q)| q.first_no_at) {
        Some((o, q)) => {
            let last = q.tries + 1 >= TRIES_A_QUESTION || o.wrong_tries + 1 >= TRIES_A_SESSION;
            let mut d = hand_over(
                "S1-wrong-code",
                if last {
                    TaskKind::CancelByPhone
                } else {
                    TaskKind::ReadMessage
                },
                Some(o),
            );
            d.effects.insert(
                0,
                Effect::WrongCode {
                    question: q.id.clone(),
                },
            );
            d
        }
        None => hand_over("code-to-nothing", TaskKind::ReadMessage, next_visit(h)),
    }
}

pub(super) fn reason_word(h: &InboundContext, reason: Reason) -> Decision {
    if open_questions(h).any(|(o, _)| o.cancel_answer == CancelAnswer::Word) {
        let by_word: Vec<CancelQuestionId> = open_questions(h)
            .filter(|(o, _)| o.cancel_answer == CancelAnswer::Word)
            .map(|(_, q)| q.id.clone())
            .collect();
        return code_answer(h, |q| by_word.contains(&q.id).then_some(reason));
    }
    hand_over("word-to-nothing", TaskKind::ReadMessage, next_visit(h))
}
