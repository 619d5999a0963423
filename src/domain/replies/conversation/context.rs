//! What is known when a message is received: who writes, their visits as they know them, and the
//! questions that wait for an answer.

use crate::domain::centre::CancelAnswer;
use crate::domain::ids::{CaseId, ChoiceId, DateQuestionId, SessionId};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::Press;
use crate::domain::people::role::Role;
use crate::domain::replies::cancel_code::CancelQuestion;
use crate::domain::replies::understanding::Understood;
use crate::domain::task::URGENT_WITHIN;
use crate::domain::visits::notice::{self, Move};
use crate::domain::visits::session::{Answer, Reason, SessionState};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// Two messages that pass each other within this time may have crossed: nobody can tell which
/// question an answer belongs to.
pub const CROSSING: Duration = Duration::minutes(2);

/// A received message, with what is known about its sender.
#[derive(Debug, Clone)]
pub struct InboundContext {
    /// When it reached us: the instant that counts (choice C02).
    pub at: DateTime<Utc>,
    /// The earliest instant at which it may have reached us. A button press carries no time, and
    /// the service may have been down.
    pub earliest: DateTime<Utc>,
    /// The latest instant at which it may have been sent. Anything said after that is newer.
    pub sent_by: DateTime<Utc>,
    /// What its text means.
    pub understood: Understood,
    /// The button, if it is a press and not a text.
    pub pressed: Option<ButtonPress>,
    /// It has pictures, sound or a file attached.
    pub media: bool,
    /// It is the private word of a party with this number (safety rule D5).
    pub quiet_word: bool,
    /// The provider blocked the number because of this message.
    pub provider_stopped: bool,
    pub sender: Sender,
    /// Whether the number wants messages, as of before this one.
    pub opt_out: OptOut,
    /// What was exchanged with the number shortly before.
    pub recent: RecentExchange,
    /// The start of the session about which the number was asked last.
    pub asked_last: Option<DateTime<Utc>>,
    /// The numbered question that waits at this address.
    pub open_choice: Option<OpenChoice>,
    /// Upcoming sessions of the parties with this number.
    pub visits: Vec<KnownVisit>,
    /// Questions about another date that were sent to this address.
    pub date_questions: Vec<KnownDateQuestion>,
}

/// Who writes, judged by the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// No party has this address.
    Stranger,
    /// A party has this address, but did not agree to messages on this channel.
    NotAgreedHere,
    /// The address is paused or not safe: anybody may be writing.
    Paused,
    /// A party that agreed to messages here.
    Party,
}

/// Whether a number wants messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptOut {
    /// It wants none.
    pub active: bool,
    /// When it last sent STOP or START.
    pub changed_at: Option<DateTime<Utc>>,
}

/// What was exchanged with a number shortly before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentExchange {
    /// It sent the same text within the last hour.
    pub same_words: bool,
    /// How many messages it sent in the last minute.
    pub in_a_minute: usize,
    /// "Sorry, we did not understand" was sent to it within a day.
    pub clarified: bool,
}

/// An upcoming session of the party that writes, as that party knows it.
#[derive(Debug, Clone)]
pub struct KnownVisit {
    pub session: SessionId,
    /// Its case, so that two families on one phone are never mixed up.
    pub case: CaseId,
    pub starts_at: DateTime<Utc>,
    /// The version of this party's question. Buttons and numbers are valid for one version.
    pub ask_version: i64,
    /// The party's own arrival, in the centre's local time.
    pub arrives: NaiveDateTime,
    /// Hours of notice of this booking.
    pub notice_hours: i64,
    /// Its last move. A parent may refuse a move by the centre free of charge for a while.
    pub moved: Option<Move>,
    /// How the centre lets a cancellation be finished.
    pub cancel_answer: CancelAnswer,
    /// The state as this party may know it.
    pub state: SessionState,
    /// Whether this party cancelled it.
    pub cancelled_by_me: bool,
    /// When the other parent is told, if this party cancelled from this address.
    pub release_at: Option<DateTime<Utc>>,
    /// This party's answer.
    pub answer: Answer,
    /// What this party was asked.
    pub asked: QuestionState,
    /// When this party last spoke about this visit.
    pub decided_at: Option<DateTime<Utc>>,
    /// This party's unfinished cancel question, wherever it was asked.
    pub question: Option<CancelQuestion>,
    /// The cancel question was asked at the address that writes. Only there can it be finished.
    pub question_here: bool,
    /// Cancel questions in the last 24 hours.
    pub questions_today: i64,
    /// Wrong codes for this session so far.
    pub wrong_tries: i64,
    /// A person handles the cancellation from now on.
    pub cancel_blocked: bool,
}

/// What a party was asked about the present version of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuestionState {
    /// When the first attempt to send the question began, whatever became of it.
    pub at: Option<DateTime<Utc>>,
    /// When the provider accepted it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Whether an earlier version was asked about before.
    pub older: bool,
}

/// What the party wants, when it is not clear for which visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmbiguousWish {
    Confirm,
    /// To cancel, with the reason if one was given.
    Cancel(Option<Reason>),
}

/// A numbered question ("which visit?") that waits for its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenChoice {
    pub id: ChoiceId,
    /// What the party wants.
    pub wanted: AmbiguousWish,
    /// The session of each number with the version of its question, in order.
    pub options: Vec<(SessionId, i64)>,
    /// When the unclear message arrived: the notice counts from it (rule S1b).
    pub said_at: DateTime<Utc>,
}

/// A question about another date that was sent to the address that writes, and that this party may
/// still believe to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDateQuestion {
    pub question: DateQuestionId,
    /// The session that would be moved.
    pub session: SessionId,
    /// Which parent was asked.
    pub role: Role,
    /// The party's own arrival on the other date, in the centre's local time.
    pub arrives: NaiveDateTime,
    /// When the first attempt to send it began.
    pub asked_at: DateTime<Utc>,
    /// This party has answered it.
    pub answered: bool,
    /// It was closed a moment ago.
    pub closed: bool,
}

/// A press on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonPress {
    pub press: Press,
    /// The message that carries the button, if we sent it to this very chat.
    pub below: Option<PromptRef>,
}

/// The message that carries a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptRef {
    pub kind: MessageKind,
    /// The session that it is about, if any.
    pub session: Option<SessionId>,
    /// The version of that session's question.
    pub ask_version: i64,
    /// The cancel question or the numbered question that it asks.
    pub question: String,
}

impl InboundContext {
    /// Visits that are booked and have not begun.
    pub(super) fn booked(&self) -> impl Iterator<Item = &KnownVisit> {
        self.visits
            .iter()
            .filter(|visit| visit.state == SessionState::Booked && visit.starts_at > self.at)
    }

    /// The next visit, if it is so near that this message has to be read before it begins. `None`
    /// if two families share the phone and both have one.
    pub(super) fn next_visit(&self) -> Option<&KnownVisit> {
        let near = || {
            self.visits.iter().filter(|visit| {
                visit.state == SessionState::Booked
                    && visit.starts_at + Duration::hours(1) > self.at
                    && visit.starts_at - self.at < URGENT_WITHIN
            })
        };
        let next = near().min_by_key(|visit| (visit.starts_at <= self.at, visit.starts_at))?;
        near().all(|visit| visit.case == next.case).then_some(next)
    }

    /// Whether the day, date and time named in the message, if any, are those of this visit.
    pub(super) fn may_mean(&self, visit: &KnownVisit) -> bool {
        self.understood.named.fits(visit.arrives)
    }

    /// Whether this party can still take its cancellation back (S2): the other parent is not told
    /// yet, and the message comes from the address that cancelled.
    pub(super) fn can_take_back(&self, visit: &KnownVisit) -> bool {
        visit.cancelled_by_me && visit.release_at.is_some_and(|release| self.at < release)
    }

    /// The cancel question about this visit, if it can still be finished.
    pub(super) fn open_question<'a>(&self, visit: &'a KnownVisit) -> Option<&'a CancelQuestion> {
        visit
            .question
            .as_ref()
            .filter(|question| question.is_open(self.at, visit.starts_at))
    }
}

impl KnownVisit {
    /// Whether this party was asked and has not answered.
    pub(super) fn awaits_answer(&self) -> bool {
        self.asked.at.is_some() && self.answer == Answer::None
    }

    /// Whether a cancellation at `at` gives less than the notice of this booking.
    pub(super) fn is_late(&self, at: DateTime<Utc>) -> bool {
        notice::late(
            self.starts_at,
            self.notice_hours,
            self.moved.as_ref(),
            self.asked.accepted_at,
            at,
        )
    }
}

impl OpenChoice {
    /// Whether this visit, in this version, is one of the options.
    pub(super) fn offers(&self, visit: &KnownVisit) -> bool {
        self.options
            .iter()
            .any(|(session, version)| *session == visit.session && *version == visit.ask_version)
    }

    /// Whether it asks which visit to cancel.
    pub(super) fn is_about_cancelling(&self) -> bool {
        matches!(self.wanted, AmbiguousWish::Cancel(_))
    }
}

/// The only item, or `None` if there is none or more than one.
pub(super) fn only<'a>(mut visits: impl Iterator<Item = &'a KnownVisit>) -> Option<&'a KnownVisit> {
    let first = visits.next()?;
    visits.next().is_none().then_some(first)
}

/// The first to begin.
pub(super) fn soonest<'a>(visits: &[&'a KnownVisit]) -> Option<&'a KnownVisit> {
    visits.iter().copied().min_by_key(|visit| visit.starts_at)
}
