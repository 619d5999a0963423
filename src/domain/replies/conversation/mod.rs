//! What a reply makes of a session: from the intent and what is open for that number to facts,
//! tasks and at most one answer. Pure.
//!
//! A party knows a session as it was released to them: what the other parent did and was not
//! released yet does not exist here.

mod answers;
pub mod date_answers;
mod order;
#[cfg(test)]
pub(crate) mod tests;

use crate::domain::centre::CancelAnswer;
use crate::domain::ids::{CancelQuestionId, CaseId, ChoiceId, DateQuestionId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::people::person::{Mode, Role};
use crate::domain::replies::cancel_code::CancelQuestion;
use crate::domain::replies::conversation::answers::{
    cancel, code_answer, confirm, elsewhere, ends_choice, left_open, number, press, reason_word,
    stop, stranger, unclear, wrong_number,
};
use crate::domain::replies::conversation::date_answers::DateAsked;
pub use crate::domain::replies::conversation::order::{decides, settles};
use crate::domain::replies::understanding::{Intent, Understood};
pub use crate::domain::task::TaskKind;
use crate::domain::task::URGENT_WITHIN;
use crate::domain::visits::notice::Move;
use crate::domain::visits::session::{Answer, Reason, SessionState};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// A YES within this time after a new version's text was accepted may still answer the old one.
const CROSSING: Duration = Duration::minutes(2);

/// A press that may be this old is finished by a person.
const AWAY_TOO_LONG: Duration = Duration::hours(12);
/// More messages than this in a minute are no conversation.
const MOST_A_MINUTE: usize = 10;

/// What this party was asked about the session's present version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuestionState {
    /// When a text that asks began to leave, whether or not its end is known; `None` if none did.
    pub at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Whether an earlier version was asked about before.
    pub older: bool,
}

/// One upcoming session of the party that writes.
#[derive(Debug, Clone)]
pub struct KnownVisit {
    /// Its id.
    pub session: SessionId,
    /// Its case, so that two families on one phone are never mixed.
    pub case: CaseId,
    /// Its start (UTC).
    pub starts_at: DateTime<Utc>,
    /// The version of this party's question: buttons and numbers bind to it.
    pub ask_version: i64,
    /// The party's own arrival on the centre's wall clock.
    pub arrives: NaiveDateTime,
    /// Hours of notice of this booking.
    pub notice_hours: i64,
    /// Its last move: a refusal of one that the centre began is free for a while.
    pub moved: Option<Move>,
    /// How the centre lets a cancellation be finished.
    pub cancel_answer: CancelAnswer,
    /// The state as this party may know it.
    pub state: SessionState,
    /// Whether this party called it off.
    pub cancelled_by_me: bool,
    /// If this party called it off from this address: when the other hears of it.
    pub release_at: Option<DateTime<Utc>>,
    /// This party's answer.
    pub answer: Answer,
    /// What it was asked.
    pub asked: QuestionState,
    /// When what this party said last about this visit was said.
    pub decided_at: Option<DateTime<Utc>>,
    /// The cancel question of this party that waits to be finished, wherever it was asked.
    pub question: Option<CancelQuestion>,
    /// It was asked in the place from which this message comes: only there it is finished.
    pub question_here: bool,
    /// Cancel questions of the last 24 hours.
    pub questions_today: i64,
    /// Wrong codes for this session so far.
    pub wrong_tries: i64,
    /// A person took the cancelling over.
    pub cancel_blocked: bool,
}

/// What was wanted when it was not clear of which visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmbiguousWish {
    /// To confirm.
    Confirm,
    /// To cancel, with the reason if it was said.
    Cancel(Option<Reason>),
}

/// A numbered question that waits for its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenChoice {
    /// Its id.
    pub id: ChoiceId,
    /// What was wanted.
    pub wanted: AmbiguousWish,
    /// The session of each number with the version of its question, in order.
    pub options: Vec<(SessionId, i64)>,
    /// When the message came that it asks back: the notice counts from it (rule S1b).
    pub said_at: DateTime<Utc>,
}

impl OpenChoice {
    /// Whether this visit, in this version, is one of those that have a number.
    fn has(&self, o: &KnownVisit) -> bool {
        self.options
            .iter()
            .any(|(session, version)| *session == o.session && *version == o.ask_version)
    }
}

/// A press on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonPress {
    /// Which button.
    pub press: Press,
    /// The text below which it stood, if that was ours and went to this very chat.
    pub below: Option<PromptRef>,
}

/// The text below which a button stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptRef {
    /// What it said.
    pub kind: MessageKind,
    /// About which session, in which version of the question; `None` for a text about none.
    pub session: Option<SessionId>,
    /// See `session`.
    pub ask_version: i64,
    /// The question that it put, if it put one. `kind` says which kind of id this is.
    pub question: String,
}

/// A message that was received, with what is known about its number.
#[derive(Debug, Clone)]
pub struct InboundContext {
    /// When it reached us: the instant that counts (choice C02).
    pub at: DateTime<Utc>,
    /// The earliest instant at which it may have reached us: a press carries no time, and we may
    /// have been away.
    pub earliest: DateTime<Utc>,
    /// The latest instant at which it may have been sent: what was said after it counts before it.
    pub sent_by: DateTime<Utc>,
    /// What it means.
    pub understood: Understood,
    /// It is a press on a button; then nothing was written.
    pub pressed: Option<ButtonPress>,
    /// The numbered question that waits at this address.
    pub choosing: Option<OpenChoice>,
    /// It came with pictures or sound.
    pub media: bool,
    /// Whether any party has this number.
    pub known: bool,
    /// Whether a party with this number agreed to texts by this channel.
    pub agreed: bool,
    /// The address rests or is not safe: whoever writes from it may be anybody.
    pub resting: bool,
    /// Whether the number was opted out before this message.
    pub opted_out: bool,
    /// When it said STOP or START last.
    pub opted_at: Option<DateTime<Utc>>,
    /// The provider reports that it blocked the number with this message.
    pub provider_stopped: bool,
    /// The start of the session about which this number was asked last.
    pub asked_last: Option<DateTime<Utc>>,
    /// "Sorry, we did not understand" went to this number within a day.
    pub clarified: bool,
    /// What came from it shortly before.
    pub lately: RecentInbound,
    /// It is the private word of a party with this number (safety rule D5).
    pub quiet_word: bool,
    /// Upcoming sessions of the parties with this number.
    pub open: Vec<KnownVisit>,
    /// Questions about another date that were put to this address.
    pub dates: Vec<DateAsked>,
}

/// What came from the same number shortly before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentInbound {
    /// The very same words within the last hour.
    pub same_words: bool,
    /// How many messages in the last minute.
    pub in_a_minute: usize,
}

/// Something to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The party confirmed this session.
    Confirm {
        /// The session.
        session: SessionId,
    },
    /// The party asked to cancel; nothing changes yet.
    CancelAsked {
        /// The session.
        session: SessionId,
        /// The reason if it was said.
        reason: Option<Reason>,
        /// When the first NO of this cancellation came.
        first_no_at: DateTime<Utc>,
        /// Whether a fee may apply.
        late: bool,
    },
    /// The party finished a cancellation.
    Cancel {
        /// The session.
        session: SessionId,
        /// The question that it answers.
        question: CancelQuestionId,
        /// Why.
        reason: Reason,
        /// When the first NO came: the instant that counts (rule S1b).
        at: DateTime<Utc>,
    },
    /// The party took its cancellation back before anybody was told.
    TakeBack {
        /// The session.
        session: SessionId,
    },
    /// The party keeps a session that it had asked to cancel.
    CloseQuestion {
        /// The question.
        question: CancelQuestionId,
    },
    /// A wrong code.
    WrongCode {
        /// The question that it was tried on.
        question: CancelQuestionId,
    },
    /// Which of these two? Nothing changes yet.
    AskWhich {
        /// What is wanted.
        wanted: AmbiguousWish,
        /// The sessions with the versions of their questions, in the order of their numbers.
        options: [(SessionId, i64); 2],
    },
    /// A question about another date was answered.
    DateAnswer {
        /// The question.
        question: DateQuestionId,
        /// Who answered.
        role: Role,
        /// Whether they can come then.
        yes: bool,
    },
    /// A numbered question was answered, or something newer was said about its visits.
    Chosen {
        /// The question.
        choice: ChoiceId,
    },
    /// Who cancelled says afterwards that it was illness (choice C28): the reason is recorded and
    /// nothing else changes.
    IllnessTold {
        /// The session.
        session: SessionId,
        /// Who is ill.
        reason: Reason,
    },
    /// Some of the children stay away; the visit goes on with the others, and lateness and fee do
    /// not come into it.
    SomeChildren {
        /// The session.
        session: SessionId,
        /// They are ill.
        ill: bool,
    },
    /// The phone may show no more than this from now on; the answer to this message is still given
    /// as before (safety rules D4, D5).
    Quieten {
        /// What it may show.
        mode: Mode,
        /// The rule.
        rule: &'static str,
    },
    /// No texts to this address until a person has spoken with its owner.
    PauseAddress,
    /// No more texts to this number.
    OptOut,
    /// Texts again to this number.
    OptIn,
    /// A person looks.
    Task {
        /// Why.
        topic: TaskKind,
        /// About which session, if it is clear.
        session: Option<SessionId>,
    },
}

/// The one answer that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub kind: MessageKind,
    /// About which session.
    pub session: Option<SessionId>,
}

/// What is to be recorded and answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// In order.
    pub effects: Vec<Effect>,
    /// At most one.
    pub reply: Option<Reply>,
    /// The rule, for the case's history.
    pub rule: &'static str,
}

pub(crate) fn decision(
    rule: &'static str,
    effects: Vec<Effect>,
    reply: Option<(MessageKind, Option<&KnownVisit>)>,
) -> Decision {
    let reply = reply.map(|(kind, about)| Reply {
        kind,
        session: about.map(|o| o.session.clone()),
    });
    Decision {
        effects,
        reply,
        rule,
    }
}

/// Hands the message to a person with the one hand-over text (rule D3).
pub(crate) fn hand_over(
    rule: &'static str,
    topic: TaskKind,
    about: Option<&KnownVisit>,
) -> Decision {
    decision(
        rule,
        vec![task(topic, about)],
        Some((MessageKind::NeedsCoordinatorAck, None)),
    )
}

/// A button that does nothing any more.
pub(crate) fn old_button(rule: &'static str) -> Decision {
    decision(rule, vec![], Some((MessageKind::OldButton, None)))
}

fn task(topic: TaskKind, about: Option<&KnownVisit>) -> Effect {
    Effect::Task {
        topic,
        session: about.map(|o| o.session.clone()),
    }
}

/// The only element, or `None` if there is none or more than one.
fn only<'a>(mut found: impl Iterator<Item = &'a KnownVisit>) -> Option<&'a KnownVisit> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Decides what a received message does.
pub fn decide(h: &InboundContext) -> Decision {
    let mut d = order::kept(h, answered(h));
    if ends_choice(h, &d)
        && let Some(c) = &h.choosing
    {
        d.effects
            .extend(left_open(h, &d).map(|o| task(TaskKind::ReadMessage, Some(o))));
        d.effects.insert(
            0,
            Effect::Chosen {
                choice: c.id.clone(),
            },
        );
    }
    if is_a_loop(h, &d) {
        d = decision("loop-guard", vec![task(TaskKind::AutoReplies, None)], None);
    }
    if h.understood.leftover {
        read_the_rest(h, &mut d);
    }
    if h.known && h.understood.watched {
        d.effects.push(Effect::Quieten {
            mode: Mode::Silent,
            rule: "D4",
        });
    }
    if h.known && h.quiet_word {
        d.effects.push(Effect::Quieten {
            mode: Mode::Discreet,
            rule: "D5",
        });
        d.effects.push(task(TaskKind::QuietWord, next_visit(h)));
    }
    // What the provider blocked can get no answer, and an opted-out number gets none but to its own
    // STOP and START.
    if h.provider_stopped
        || (h.opted_out && !matches!(h.understood.intent, Intent::Start | Intent::Help))
    {
        d.reply = None;
    }
    if h.provider_stopped && !d.effects.contains(&Effect::OptOut) {
        d.effects.push(Effect::OptOut);
    }
    d
}

/// What nobody could read beside an answer is for a person too; and a reason beside it is not taken
/// from it but asked for.
fn read_the_rest(h: &InboundContext, d: &mut Decision) {
    let about = d.effects.iter_mut().find_map(|e| match e {
        Effect::CancelAsked {
            session, reason, ..
        } => {
            *reason = None;
            Some(session.clone())
        }
        Effect::Confirm { session } | Effect::TakeBack { session } => Some(session.clone()),
        _ => None,
    });
    if !d.effects.iter().any(|e| matches!(e, Effect::Task { .. })) {
        d.effects.push(task(
            TaskKind::ReadMessage,
            h.open.iter().find(|o| about.as_ref() == Some(&o.session)),
        ));
    }
}

/// The visit that begins next, if it is near: what is said shortly before a visit is read before
/// it. Of two families on one phone none is guessed.
fn next_visit(h: &InboundContext) -> Option<&KnownVisit> {
    let near = || {
        h.open.iter().filter(|o| {
            o.state == SessionState::Booked
                && o.starts_at + Duration::hours(1) > h.at
                && o.starts_at - h.at < URGENT_WITHIN
        })
    };
    let next = near().min_by_key(|o| (o.starts_at <= h.at, o.starts_at))?;
    near().all(|o| o.case == next.case).then_some(next)
}

/// Whether a machine may be answering ours: then nothing more is said, and one task stands for all
/// of it. Danger is told every time, and whatever changes something is done.
fn is_a_loop(h: &InboundContext, d: &Decision) -> bool {
    let for_a_person =
        !d.effects.is_empty() && d.effects.iter().all(|e| matches!(e, Effect::Task { .. }));
    let same = h.lately.same_words && !h.media && h.understood.intent == Intent::Unclear;
    for_a_person
        && h.understood.intent != Intent::Safeguarding
        && h.pressed.is_none()
        && (same || h.lately.in_a_minute > MOST_A_MINUTE)
}

/// What a message does, whatever came before it.
fn answered(h: &InboundContext) -> Decision {
    match &h.understood.intent {
        // Only a STOP is honoured from a phone that is not trusted; nothing is answered there.
        Intent::Stop if h.resting => Decision {
            reply: None,
            ..stop(h)
        },
        Intent::Safeguarding if h.resting => decision(
            "resting-address",
            vec![task(TaskKind::Safeguarding, next_visit(h))],
            None,
        ),
        _ if h.resting => decision(
            "resting-address",
            vec![task(TaskKind::ReadMessage, next_visit(h))],
            None,
        ),
        _ if h.pressed.is_some() => press(h),
        _ if !h.known => stranger(h),
        _ if !h.agreed => elsewhere(h),
        Intent::Stop => stop(h),
        Intent::Safeguarding => {
            hand_over("safeguarding_alert", TaskKind::Safeguarding, next_visit(h))
        }
        _ if h.media => hand_over("media", TaskKind::Media, next_visit(h)),
        Intent::Start => decision(
            "start",
            vec![Effect::OptIn],
            Some((MessageKind::StartAck, None)),
        ),
        Intent::Help => decision("help", vec![], Some((MessageKind::Help, None))),
        // sending.md: a YES is a confirmation all the same, unless that number was opted out: then
        // it goes to a person.
        Intent::Confirm if h.opted_out => decision(
            "yes-while-opted-out",
            vec![task(TaskKind::ReadMessage, next_visit(h))],
            None,
        ),
        Intent::Confirm => date_answers::answer(h).unwrap_or_else(|| confirm(h)),
        Intent::Cancel(reason) => date_answers::answer(h).unwrap_or_else(|| cancel(h, *reason)),
        Intent::Number(n) => number(h, usize::from(*n)),
        Intent::WrongNumber => wrong_number(h),
        Intent::Code(code) => code_answer(h, |q| q.answered_by(code)),
        Intent::ReasonWord(reason) => reason_word(h, *reason),
        // Staff hear of it at once: it is about the visit of the next hours.
        Intent::RunningLate => hand_over("running_late", TaskKind::RunningLate, next_visit(h)),
        Intent::Reschedule => hand_over("reschedule_request", TaskKind::ReadMessage, next_visit(h)),
        Intent::Question => hand_over("question", TaskKind::ReadMessage, next_visit(h)),
        Intent::DetailsChange => hand_over("details_change", TaskKind::ReadMessage, next_visit(h)),
        Intent::Abuse => hand_over("abuse", TaskKind::ReadMessage, next_visit(h)),
        Intent::Unclear => unclear(h),
    }
}
