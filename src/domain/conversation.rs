//! What a reply makes of a session: from the intent and what is open for that number to facts, tasks and at most one answer. Pure.
//!
//! A party knows a session as it was released to them: what the other parent did and was not released yet does not exist here.

use super::cancel::{PRESS_WITHIN, QUESTIONS_A_DAY, Question, TRIES_A_QUESTION, TRIES_A_SESSION};
use super::centre::CancelAnswer;
use super::dates::{self, DateAsked};
use super::message::Kind;
use super::notice::{Move, late};
use super::person::Role;
use super::say::Press;
use super::session::{Answer, Reason, SessionState, cut_off};
use super::understand::{Intent, Understood};
use crate::words_enum;
use chrono::{DateTime, Duration, Utc, Weekday};

/// A YES within this time after a new version's text was accepted may still answer the old one.
const CROSSING: Duration = Duration::minutes(2);

/// A press that may be this old is finished by a person.
const AWAY_TOO_LONG: Duration = Duration::hours(12);
/// Whatever has to be done for a visit this near is urgent.
const URGENT_WITHIN: Duration = Duration::hours(24);

words_enum! {
    /// What a person has to look at.
    Topic {
        /// A message to read and answer.
        ReadMessage = "read_message",
        /// A message with signs of danger.
        Safeguarding = "safeguarding",
        /// Somebody will be late.
        RunningLate = "running_late",
        /// A message from a number not on file.
        UnknownSender = "unknown_sender",
        /// A session was called off by a party.
        Cancellation = "coordinator_cancellation",
        /// Asked to cancel and did not finish: ring.
        CancelUnfinished = "cancel_unfinished",
        /// Asked to cancel and cannot be reached by text: ring.
        CancelByPhone = "cancel_by_phone",
        /// A YES after a cancellation.
        Reconfirm = "reconfirm",
        /// Wants no texts: ring before the next visit.
        RingOptedOut = "ring_opted_out",
        /// No address that takes texts: ring.
        RingNoAddress = "ring_no_address",
        /// Must hear that a visit is off and cannot be texted: ring.
        RingSessionOff = "ring_session_off",
        /// A message that may or may not have left.
        Uncertain = "uncertain_message",
        /// A number that takes no texts.
        BadNumber = "bad_number",
        /// The texting service refuses everything.
        ChannelStopped = "channel_stopped",
        /// More cancellations by text than a day brings.
        Storm = "cancellation_storm",
        /// A picture, voice message or file.
        Media = "media",
        /// A stranger answered: the number rests, and a person rings.
        RingWrongNumber = "ring_wrong_number",
        /// A number in a file differs from the one on file: confirm it by ringing the old one.
        ConfirmNumber = "confirm_number",
        /// A chat waits until staff have heard its number.
        ConfirmChat = "confirm_chat",
        /// A chat that the other party has or had tried to link.
        LinkRefused = "link_refused",
        /// The bot was blocked in a chat.
        ChatBlocked = "chat_blocked",
        /// A press that may have come before the cut-off while we were away: it counts as in time.
        CountedInTime = "counted_in_time",
        /// Nobody listened for longer than the service keeps messages: some may be lost.
        MessagesLost = "messages_may_be_lost",
        /// A fee is unpaid at the next due session: all parties are told when a person releases it (safety rule M4).
        ReleaseAllParties = "release_all_parties_notice",
        /// The file is closed: all parties are told when a person releases it.
        ReleaseCaseClosed = "release_case_closed",
        /// A text about money or a note that cannot be sent, or of which nothing was heard: tell the party, and record it.
        TellByPhone = "tell_by_phone",
        /// A text about money waits because a task about this party's own safety is open (safety rule M3): a manager decides.
        MoneyPaused = "money_paused",
        /// A referrer is to be told by letter or e-mail.
        TellReferrer = "tell_referrer",
        /// How many children are ill (choice C16).
        ChildrenCount = "children_count",
        /// A party cancelled contact that a court ordered: is the reason good (choice C21)?
        CourtOrder = "court_order",
        /// Only some of the children stay away.
        SomeChildren = "some_children",
        /// Both parents cancelled at the same instant (choice C10).
        Tie = "tie",
        /// Somebody did not come (choice C12).
        NoShow = "no_show",
        /// A note for another date, person or number of children (choice C17).
        NoteMismatch = "note_mismatch",
        /// A note where none can help (choice C06).
        NoteNoEffect = "note_no_effect",
        /// A note after the file was closed (choice C05).
        LateNote = "late_note",
        /// Money beyond what is owed (choice C18).
        Refund = "refund",
        /// Contact that a court ordered did not take place: it is to be replaced.
        Replacement = "replacement",
        /// The family's contact is to be reviewed.
        ReviewDue = "review_due",
        /// The introduction meeting after the first months.
        IntroductionMeeting = "introduction_meeting",
        /// Invite a new family to come and see the centre.
        Previsit = "previsit_invitation",
        /// Tell the family that a rule changes.
        FeeChange = "fee_change",
        /// Late cancellations, or notes that do not come, again and again: a person looks (safety rule b2).
        Pattern = "pattern",
        /// Both can come on the other date: confirm the move.
        DateAgreed = "date_agreed",
        /// A parent cannot come on the other date: close the question.
        DateDeclined = "date_declined",
    }
}

impl Topic {
    /// Whether staff have to hear of it now: something that stands still or is attacked, and whatever a family must hear before a visit
    /// of the next day.
    pub fn is_urgent(self, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match self {
            Topic::Safeguarding | Topic::Storm | Topic::ChannelStopped | Topic::LinkRefused | Topic::MessagesLost => true,
            Topic::ConfirmNumber | Topic::ConfirmChat | Topic::UnknownSender => false,
            Topic::Replacement | Topic::ReviewDue | Topic::IntroductionMeeting | Topic::Previsit | Topic::FeeChange | Topic::Pattern => false,
            _ => due.is_some_and(|d| d > now && d - now < URGENT_WITHIN),
        }
    }
}

/// What this party was asked about the session's present version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// When a text that asks began to leave, whether or not its end is known; `None` if none did.
    pub at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Whether an earlier version was asked about before.
    pub older: bool,
}

/// One upcoming session of the party that writes.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its id.
    pub session: String,
    /// Its case, so that two families on one phone are never mixed.
    pub case: String,
    /// Its start (UTC).
    pub starts_at: DateTime<Utc>,
    /// The version of this party's question: buttons and numbers bind to it.
    pub ask_version: i64,
    /// Its day on the centre's wall clock.
    pub weekday: Weekday,
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
    pub asked: Asked,
    /// The cancel question that waits for its code.
    pub question: Option<Question>,
    /// Cancel questions of the last 24 hours.
    pub questions_today: i64,
    /// Wrong codes for this session so far.
    pub wrong_tries: i64,
    /// A person took the cancelling over.
    pub cancel_blocked: bool,
}

/// What was wanted when it was not clear of which visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To confirm.
    Confirm,
    /// To cancel, with the reason if it was said.
    Cancel(Option<Reason>),
}

/// A numbered question that waits for its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choosing {
    /// Its id.
    pub id: String,
    /// What was wanted.
    pub wanted: Wanted,
    /// The session of each number with the version of its question, in order.
    pub options: Vec<(String, i64)>,
}

/// A press on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// Which button.
    pub press: Press,
    /// The text below which it stood, if that was ours and went to this very chat.
    pub below: Option<Below>,
}

/// The text below which a button stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// What it said.
    pub kind: Kind,
    /// About which session, in which version of the question; empty for a text about none.
    pub session: String,
    /// See `session`.
    pub ask_version: i64,
    /// The question of a cancellation, or the numbered question, that it put.
    pub question: String,
}

/// A message that was received, with what is known about its number.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When it reached us: the instant that counts (choice C02).
    pub at: DateTime<Utc>,
    /// The earliest instant at which it may have reached us: a press carries no time, and we may have been away.
    pub earliest: DateTime<Utc>,
    /// What it means.
    pub understood: Understood,
    /// It is a press on a button; then nothing was written.
    pub pressed: Option<Pressed>,
    /// The numbered question that waits at this address.
    pub choosing: Option<Choosing>,
    /// It came with pictures or sound.
    pub media: bool,
    /// Whether any party has this number.
    pub known: bool,
    /// The address rests or is not safe: whoever writes from it may be anybody.
    pub resting: bool,
    /// Whether the number was opted out before this message.
    pub opted_out: bool,
    /// The provider reports that it blocked the number with this message.
    pub provider_stopped: bool,
    /// Upcoming sessions of the parties with this number.
    pub open: Vec<Open>,
    /// Questions about another date that were put to this address.
    pub dates: Vec<DateAsked>,
}

/// Something to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The party confirmed this session.
    Confirm {
        /// The session.
        session: String,
    },
    /// The party asked to cancel; nothing changes yet.
    CancelAsked {
        /// The session.
        session: String,
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
        session: String,
        /// The question that it answers.
        question: String,
        /// Why.
        reason: Reason,
        /// When the first NO came: the instant that counts (rule S1b).
        at: DateTime<Utc>,
    },
    /// The party took its cancellation back before anybody was told.
    TakeBack {
        /// The session.
        session: String,
    },
    /// The party keeps a session that it had asked to cancel.
    CloseQuestion {
        /// The question.
        question: String,
    },
    /// A wrong code.
    WrongCode {
        /// The question that it was tried on.
        question: String,
    },
    /// Which of these two? Nothing changes yet.
    AskWhich {
        /// What is wanted.
        wanted: Wanted,
        /// The sessions with the versions of their questions, in the order of their numbers.
        options: [(String, i64); 2],
    },
    /// A question about another date was answered.
    DateAnswer {
        /// The question.
        question: String,
        /// Who answered.
        role: Role,
        /// Whether they can come then.
        yes: bool,
    },
    /// A numbered question was answered.
    Chosen {
        /// The question.
        choice: String,
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
        topic: Topic,
        /// About which session, if it is clear.
        session: Option<String>,
    },
}

/// The one answer that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub kind: Kind,
    /// About which session.
    pub session: Option<String>,
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

pub(super) fn decision(rule: &'static str, effects: Vec<Effect>, reply: Option<(Kind, Option<&Open>)>) -> Decision {
    let reply = reply.map(|(kind, about)| Reply { kind, session: about.map(|o| o.session.clone()) });
    Decision { effects, reply, rule }
}

/// Hands the message to a person with the one hand-over text (rule D3).
pub(super) fn hand_over(rule: &'static str, topic: Topic, about: Option<&Open>) -> Decision {
    decision(rule, vec![task(topic, about)], Some((Kind::NeedsCoordinatorAck, None)))
}

/// A button that does nothing any more.
pub(super) fn old_button(rule: &'static str) -> Decision {
    decision(rule, vec![], Some((Kind::OldButton, None)))
}

fn task(topic: Topic, about: Option<&Open>) -> Effect {
    Effect::Task { topic, session: about.map(|o| o.session.clone()) }
}

/// The only element, or `None` if there is none or more than one.
fn only<'a>(mut found: impl Iterator<Item = &'a Open>) -> Option<&'a Open> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Decides what a received message does.
pub fn decide(h: &Heard) -> Decision {
    let stopped = h.provider_stopped;
    let mut d = match &h.understood.intent {
        // Only a STOP is honoured from a phone that is not trusted; nothing is answered there.
        Intent::Stop if h.resting => Decision { reply: None, ..stop(h) },
        Intent::Safeguarding if h.resting => decision("resting-address", vec![task(Topic::Safeguarding, None)], None),
        _ if h.resting => decision("resting-address", vec![task(Topic::ReadMessage, None)], None),
        _ if h.pressed.is_some() => press(h),
        _ if !h.known => stranger(h),
        Intent::Stop => stop(h),
        Intent::Safeguarding => hand_over("safeguarding_alert", Topic::Safeguarding, None),
        _ if h.media => hand_over("media", Topic::Media, None),
        Intent::Start => decision("start", vec![Effect::OptIn], Some((Kind::StartAck, None))),
        Intent::Help => decision("help", vec![], Some((Kind::Help, None))),
        // sending.md: a YES is a confirmation all the same, unless that number was opted out: then it goes to a person.
        Intent::Confirm if h.opted_out => decision("yes-while-opted-out", vec![task(Topic::ReadMessage, None)], None),
        Intent::Confirm => dates::answer(h).unwrap_or_else(|| confirm(h)),
        Intent::Cancel(reason) => dates::answer(h).unwrap_or_else(|| cancel(h, *reason)),
        Intent::Number(n) => number(h, usize::from(*n)),
        Intent::WrongNumber => wrong_number(h),
        Intent::Code(code) => code_answer(h, |q| q.answered_by(code)),
        Intent::ReasonWord(reason) => reason_word(h, *reason),
        Intent::RunningLate => hand_over("running_late", Topic::RunningLate, None),
        Intent::Reschedule => hand_over("reschedule_request", Topic::ReadMessage, None),
        Intent::Question => hand_over("question", Topic::ReadMessage, None),
        Intent::DetailsChange => hand_over("details_change", Topic::ReadMessage, None),
        Intent::Abuse => hand_over("abuse", Topic::ReadMessage, None),
        Intent::Unclear => hand_over("unclear", Topic::ReadMessage, None),
    };
    // What the provider blocked can get no answer, and an opted-out number gets none but to its own STOP and START.
    if stopped || (h.opted_out && !matches!(h.understood.intent, Intent::Start | Intent::Help)) {
        d.reply = None;
    }
    if stopped && !d.effects.contains(&Effect::OptOut) {
        d.effects.push(Effect::OptOut);
    }
    d
}

fn stranger(h: &Heard) -> Decision {
    match h.understood.intent {
        Intent::Stop => decision("stranger-stop", vec![Effect::OptOut], None),
        Intent::Start => decision("stranger-start", vec![Effect::OptIn], None),
        // The same words as to every stranger; but somebody looks at once.
        Intent::Safeguarding => decision("stranger-safeguarding", vec![task(Topic::Safeguarding, None)], Some((Kind::UnknownSender, None))),
        _ => decision("stranger", vec![task(Topic::UnknownSender, None)], Some((Kind::UnknownSender, None))),
    }
}

fn stop(h: &Heard) -> Decision {
    // Rule a3: honoured at once, and a person rings before the next visit.
    decision("stop", [vec![Effect::OptOut], before_next_visits(h, Topic::RingOptedOut)].concat(), Some((Kind::StopAck, None)))
}

fn wrong_number(h: &Heard) -> Decision {
    // Rules d3 and a3: no more texts at once, and a person rings before the next visit; the words may be faked.
    decision("wrong-number", [vec![Effect::PauseAddress], before_next_visits(h, Topic::RingWrongNumber)].concat(), Some((Kind::WrongNumberAck, None)))
}

/// A task before the next visit of each family of this phone, or one without a visit if none is ahead.
fn before_next_visits(h: &Heard, topic: Topic) -> Vec<Effect> {
    let mut next: Vec<&Open> = Vec::new();
    for o in booked(h) {
        match next.iter_mut().find(|n| n.case == o.case) {
            Some(n) if n.starts_at > o.starts_at => *n = o,
            Some(_) => {}
            None => next.push(o),
        }
    }
    if next.is_empty() { vec![task(topic, None)] } else { next.into_iter().map(|o| task(topic, Some(o))).collect() }
}

/// Asks with numbers which of two visits is meant; three, or two at the same moment, are for a person.
fn which(h: &Heard, wanted: Wanted, among: &[&Open]) -> Decision {
    match among {
        [a, b] if a.starts_at != b.starts_at => {
            let options = [a, b].map(|o| (o.session.clone(), o.ask_version));
            decision("which-visit", vec![Effect::AskWhich { wanted, options }], Some((Kind::WhichSession, None)))
        }
        _ => hand_over(if among.len() > 2 { "many-visits" } else { "two-visits" }, Topic::ReadMessage, only(booked(h))),
    }
}

fn number(h: &Heard, n: usize) -> Decision {
    let Some(c) = &h.choosing else { return hand_over("number-to-nothing", Topic::ReadMessage, None) };
    let Some((session, version)) = c.options.get(n.wrapping_sub(1)) else { return hand_over("number-to-nothing", Topic::ReadMessage, None) };
    let Some(o) = booked(h).find(|o| o.session == *session && o.ask_version == *version) else { return hand_over("chosen-visit-is-gone", Topic::ReadMessage, None) };
    let alone = Heard { open: vec![o.clone()], choosing: None, understood: Understood { day: None, plain_yes: true, ..h.understood.clone() }, ..h.clone() };
    let mut d = match c.wanted {
        Wanted::Confirm => confirm(&alone),
        Wanted::Cancel(reason) => cancel(&alone, reason),
    };
    d.effects.insert(0, Effect::Chosen { choice: c.id.clone() });
    d
}

/// A press answers the very question below which its button stood; an old, foreign or second one changes nothing.
fn press(h: &Heard) -> Decision {
    let dead = old_button;
    let Some(Pressed { press, below: Some(below) }) = &h.pressed else { return dead("press-foreign") };
    if below.kind == Kind::DateQuestion {
        return dates::press(h, *press, below);
    }
    if let (Press::First | Press::Second, Kind::WhichSession) = (press, below.kind) {
        let waits = h.choosing.as_ref().is_some_and(|c| c.id == below.question);
        return if waits { number(h, if *press == Press::First { 1 } else { 2 }) } else { dead("press-again") };
    }
    let Some(o) = h.open.iter().find(|o| o.session == below.session) else { return dead("press-on-the-past") };
    if o.ask_version != below.ask_version {
        return dead("press-on-an-old-version");
    }
    let on = o.state == SessionState::Booked && o.starts_at > h.at;
    let question = o.question.as_ref().filter(|q| on && q.is_open(h.at, o.starts_at));
    match press {
        Press::Yes if on && (question.is_some() || o.answer != Answer::Confirmed) => keep(o),
        Press::Yes if on => dead("press-again"),
        Press::Yes if o.cancelled_by_me && o.release_at.is_some_and(|t| h.at < t) => {
            decision("S2-taken-back", vec![Effect::TakeBack { session: o.session.clone() }], Some((Kind::ConfirmAck, Some(o))))
        }
        Press::Yes if o.starts_at > h.at => hand_over("C11", Topic::Reconfirm, Some(o)),
        Press::No if on && question.is_none() => ask_to_finish(h, o, None),
        Press::Keep => match question.filter(|q| q.id == below.question) {
            Some(_) => keep(o),
            None => dead("press-again"),
        },
        Press::Cancel | Press::IllChild | Press::IllSelf | Press::Travel | Press::Other => {
            let Some(q) = question.filter(|q| q.id == below.question) else { return dead("press-again") };
            if h.earliest > q.asked_at + PRESS_WITHIN {
                // Rule G5. Who pressed NO and finished too late is on the list of those who are rung (rule S1a).
                return dead("press-too-late");
            }
            let reason = match press {
                Press::IllChild => Reason::IllChild,
                Press::IllSelf => Reason::IllSelf,
                Press::Travel => Reason::Travel,
                Press::Cancel => q.offered.first().copied().unwrap_or(Reason::Other),
                _ => Reason::Other,
            };
            let done = Effect::Cancel { session: o.session.clone(), question: q.id.clone(), reason, at: q.first_no_at };
            decision("S1d-finished", vec![done, task(Topic::Cancellation, Some(o))], Some((Kind::CancellationAck, Some(o))))
        }
        _ => dead("press-again"),
    }
}

fn booked(h: &Heard) -> impl Iterator<Item = &Open> {
    h.open.iter().filter(|o| o.state == SessionState::Booked && o.starts_at > h.at)
}

/// Whether the message names another day than that of the session: then it is no answer to it.
fn another_day(h: &Heard, o: &Open) -> bool {
    h.understood.day.is_some_and(|d| d != o.weekday)
}

fn confirm(h: &Heard) -> Decision {
    // S2: until the other parent is told, a YES from the same party on the same address takes a cancellation back.
    let undoable = |o: &&Open| o.cancelled_by_me && o.release_at.is_some_and(|t| h.at < t);
    let questioned: Vec<&Open> = booked(h).filter(|o| o.question.as_ref().is_some_and(|q| q.is_open(h.at, o.starts_at))).collect();
    if !h.understood.plain_yes && (h.open.iter().any(|o| undoable(&o)) || !questioned.is_empty()) {
        // "No problem, thanks" after a cancellation is courtesy, not a change of mind.
        return hand_over("courtesy-or-yes", Topic::ReadMessage, None);
    }
    if let Some(o) = only(h.open.iter().filter(undoable)) {
        if another_day(h, o) || !questioned.is_empty() {
            return hand_over("two-visits", Topic::ReadMessage, None);
        }
        if booked(h).all(|b| b.asked.at.is_none() || b.answer == Answer::Confirmed) {
            return decision("S2-taken-back", vec![Effect::TakeBack { session: o.session.clone() }], Some((Kind::ConfirmAck, Some(o))));
        }
        return hand_over("two-visits", Topic::ReadMessage, None);
    }
    let unanswered: Vec<&Open> = booked(h).filter(|o| o.asked.at.is_some() && o.answer == Answer::None).collect();
    // A cancel question that is open: YES keeps that visit, unless another one waits for its answer too.
    let target = match (questioned.as_slice(), unanswered.as_slice()) {
        ([q], others) if others.iter().all(|u| u.session == q.session) => Some(*q),
        ([], [one]) => Some(*one),
        ([], []) => only(booked(h).filter(|o| o.asked.at.is_some())),
        ([], many) => match on_named_day(h, many) {
            Some(o) => Some(o),
            None if h.understood.day.is_some() => return hand_over("another-day", Topic::ReadMessage, None),
            None => return which(h, Wanted::Confirm, many),
        },
        _ => return hand_over("two-visits", Topic::ReadMessage, None),
    };
    if target.is_some_and(|o| another_day(h, o)) {
        return hand_over("another-day", Topic::ReadMessage, target);
    }
    let Some(o) = target else {
        if let Some(moving) = only(booked(h).filter(|o| o.asked.older && o.asked.at.is_none())) {
            // The new version's text is still on its way: it is the question, this YES answered the old one.
            return decision("yes-to-old-version", vec![Effect::Task { topic: Topic::ReadMessage, session: Some(moving.session.clone()) }], None);
        }
        if let Some(off) = h.open.iter().find(|o| o.state != SessionState::Booked) {
            return hand_over("C11", Topic::Reconfirm, Some(off));
        }
        return hand_over("yes-to-nothing", Topic::ReadMessage, None);
    };
    if o.asked.older && o.asked.accepted_at.is_none_or(|t| h.at < t + CROSSING) {
        return decision("yes-crossed-the-move", vec![], Some((Kind::ConfirmRequest, Some(o))));
    }
    keep(o)
}

/// The party will come: what it had begun to cancel ends, and the visit is confirmed.
fn keep(o: &Open) -> Decision {
    let mut effects = Vec::new();
    if let Some(q) = &o.question {
        effects.push(Effect::CloseQuestion { question: q.id.clone() });
    }
    if o.answer != Answer::Confirmed {
        effects.push(Effect::Confirm { session: o.session.clone() });
    }
    decision("yes", effects, Some((Kind::ConfirmAck, Some(o))))
}

/// The one of them on the day that the message names.
fn on_named_day<'a>(h: &Heard, among: &[&'a Open]) -> Option<&'a Open> {
    only(among.iter().copied().filter(|o| h.understood.day == Some(o.weekday)))
}

fn cancel(h: &Heard, reason: Option<Reason>) -> Decision {
    let asked = || booked(h).filter(|o| o.asked.at.is_some());
    let target = only(booked(h)).or_else(|| only(asked())).or_else(|| only(asked().filter(|o| o.answer == Answer::None)));
    let Some(o) = target else {
        if booked(h).next().is_none()
            && let Some(mine) = only(h.open.iter().filter(|o| o.cancelled_by_me))
        {
            return decision("cancelled-already", vec![], Some((Kind::CancellationAck, Some(mine))));
        }
        let mut among: Vec<&Open> = asked().filter(|o| o.answer == Answer::None).collect();
        if among.is_empty() {
            among = asked().collect();
        }
        if among.is_empty() {
            among = booked(h).collect();
        }
        return match among.as_slice() {
            [] => hand_over("no-to-nothing", Topic::ReadMessage, None),
            many => match on_named_day(h, many) {
                Some(o) => ask_to_finish(h, o, reason),
                None if h.understood.day.is_some() => hand_over("another-day", Topic::ReadMessage, None),
                None => which(h, Wanted::Cancel(reason), many),
            },
        };
    };
    if another_day(h, o) {
        return hand_over("another-day", Topic::ReadMessage, Some(o));
    }
    ask_to_finish(h, o, reason)
}

/// A NO changes nothing by itself: it is finished by a code, or in a chat by a second press (rules S1 and S1d).
fn ask_to_finish(h: &Heard, o: &Open, reason: Option<Reason>) -> Decision {
    let (asked, counted_in_time) = cancel_asked(h, o, reason);
    let mut effects = vec![asked];
    if counted_in_time {
        effects.push(task(Topic::CountedInTime, Some(o)));
    }
    if h.provider_stopped || h.opted_out {
        // S1c: the question cannot arrive.
        effects.push(task(Topic::CancelByPhone, Some(o)));
        return decision("S1c", effects, None);
    }
    if counted_in_time && h.at - cut_off(o.starts_at, o.notice_hours) > AWAY_TOO_LONG {
        // Its question would hardly be open any more: a person finishes it.
        effects.push(task(Topic::CancelByPhone, Some(o)));
        return decision("away-too-long", effects, Some((Kind::NeedsCoordinatorAck, None)));
    }
    if o.cancel_blocked || o.wrong_tries >= TRIES_A_SESSION || o.questions_today >= QUESTIONS_A_DAY {
        return hand_over("S1-enough-questions", Topic::CancelByPhone, Some(o));
    }
    decision("S1", effects, Some((Kind::CancelReasonAsk, Some(o))))
}

/// The fact that a party asked to cancel, and whether it counts as in time only because it may have come while we were away.
fn cancel_asked(h: &Heard, o: &Open, reason: Option<Reason>) -> (Effect, bool) {
    // S1b: lateness counts from the first NO, while its question is open.
    let open = o.question.as_ref().filter(|q| q.is_open(h.at, o.starts_at)).map(|q| q.first_no_at);
    let late_at = |t| late(o.starts_at, o.notice_hours, o.moved.as_ref(), o.asked.accepted_at, t);
    let benefit = open.is_none() && late_at(h.at) && !late_at(h.earliest);
    // The last instant that is in time, which lies in the gap.
    let first_no_at = open.unwrap_or(if benefit { cut_off(o.starts_at, o.notice_hours) } else { h.at });
    (Effect::CancelAsked { session: o.session.clone(), reason, first_no_at, late: late_at(first_no_at) }, benefit)
}

fn open_questions(h: &Heard) -> impl Iterator<Item = (&Open, &Question)> {
    booked(h).filter_map(|o| o.question.as_ref().map(|q| (o, q))).filter(|(o, q)| q.is_open(h.at, o.starts_at) && !o.cancel_blocked)
}

fn code_answer(h: &Heard, reason_of: impl Fn(&Question) -> Option<Reason>) -> Decision {
    let mut hits = open_questions(h).filter_map(|(o, q)| reason_of(q).map(|r| (o, q, r)));
    if let Some((o, q, reason)) = hits.next() {
        if hits.next().is_some() {
            return hand_over("two-visits", Topic::ReadMessage, None);
        }
        let done = Effect::Cancel { session: o.session.clone(), question: q.id.clone(), reason, at: q.first_no_at };
        return decision("S1-finished", vec![done, task(Topic::Cancellation, Some(o))], Some((Kind::CancellationAck, Some(o))));
    }
    match open_questions(h).max_by_key(|(_, q)| q.first_no_at) {
        Some((o, q)) => {
            let last = q.tries + 1 >= TRIES_A_QUESTION || o.wrong_tries + 1 >= TRIES_A_SESSION;
            let mut d = hand_over("S1-wrong-code", if last { Topic::CancelByPhone } else { Topic::ReadMessage }, Some(o));
            d.effects.insert(0, Effect::WrongCode { question: q.id.clone() });
            d
        }
        None => hand_over("code-to-nothing", Topic::ReadMessage, None),
    }
}

fn reason_word(h: &Heard, reason: Reason) -> Decision {
    if open_questions(h).any(|(o, _)| o.cancel_answer == CancelAnswer::Word) {
        let by_word: Vec<String> = open_questions(h).filter(|(o, _)| o.cancel_answer == CancelAnswer::Word).map(|(_, q)| q.id.clone()).collect();
        return code_answer(h, |q| by_word.contains(&q.id).then_some(reason));
    }
    hand_over("word-to-nothing", Topic::ReadMessage, None)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::understand::understand;

    fn t(s: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("2026-11-{s}Z")).unwrap().with_timezone(&Utc)
    }

    pub(crate) fn open(session: &str) -> Open {
        Open {
            session: session.into(),
            case: "c".into(),
            starts_at: t("28T10:00:00"),
            ask_version: 1,
            weekday: Weekday::Sat,
            notice_hours: 48,
            moved: None,
            cancel_answer: CancelAnswer::Code,
            state: SessionState::Booked,
            cancelled_by_me: false,
            release_at: None,
            answer: Answer::None,
            asked: Asked { at: Some(t("26T10:00:00")), accepted_at: Some(t("26T10:00:00")), older: false },
            question: None,
            questions_today: 0,
            wrong_tries: 0,
            cancel_blocked: false,
        }
    }

    pub(crate) fn heard(text: &str, at: &str, open: Vec<Open>) -> Heard {
        Heard {
            at: t(at),
            earliest: t(at),
            understood: understand(text),
            pressed: None,
            choosing: None,
            media: false,
            known: true,
            resting: false,
            opted_out: false,
            provider_stopped: false,
            open,
            dates: Vec::new(),
        }
    }

    fn question(at: &str) -> Question {
        Question { id: "q".into(), stem: "527".into(), offered: vec![Reason::IllChild, Reason::Other], asked_at: t(at), first_no_at: t(at), tries: 0 }
    }

    fn kind(d: &Decision) -> Option<Kind> {
        d.reply.as_ref().map(|r| r.kind)
    }

    #[test]
    fn yes_confirms_the_one_question() {
        let d = decide(&heard("yes", "26T10:05:00", vec![open("a")]));
        assert_eq!(d.effects, [Effect::Confirm { session: "a".into() }]);
        assert_eq!(kind(&d), Some(Kind::ConfirmAck));
        // The newest open question: Saturday is answered, Sunday waits.
        let answered = Open { answer: Answer::Confirmed, ..open("a") };
        let d = decide(&heard("yes", "27T10:05:00", vec![answered, open("b")]));
        assert_eq!(d.effects, [Effect::Confirm { session: "b".into() }]);
    }

    #[test]
    fn two_open_questions_are_asked_back_with_numbers_and_three_are_handed_over() {
        let sunday = || Open { starts_at: t("29T10:00:00"), weekday: Weekday::Sun, ..open("b") };
        let two = || vec![open("a"), sunday()];
        for (text, wanted) in [("yes", Wanted::Confirm), ("no", Wanted::Cancel(None))] {
            let d = decide(&heard(text, "27T10:05:00", two()));
            assert_eq!(d.effects, [Effect::AskWhich { wanted, options: [("a".into(), 1), ("b".into(), 1)] }], "{text}");
            assert_eq!(kind(&d), Some(Kind::WhichSession), "{text}");
            // The number answers it, for that visit alone.
            let choosing = Some(Choosing { id: "c".into(), wanted, options: vec![("a".into(), 1), ("b".into(), 1)] });
            let d = decide(&Heard { choosing: choosing.clone(), ..heard("2", "27T10:06:00", two()) });
            assert_eq!(d.effects[0], Effect::Chosen { choice: "c".into() });
            match wanted {
                Wanted::Confirm => assert_eq!(d.effects[1..], [Effect::Confirm { session: "b".into() }]),
                Wanted::Cancel(_) => assert!(matches!(&d.effects[1..], [Effect::CancelAsked { session, .. }] if session == "b")),
            }
            // A number that was not offered, or a visit that moved meanwhile, is for a person.
            let moved = vec![open("a"), Open { ask_version: 2, ..sunday() }];
            for (n, open) in [("3", two()), ("2", moved)] {
                let d = decide(&Heard { choosing: choosing.clone(), ..heard(n, "27T10:06:00", open) });
                assert_eq!(kind(&d), Some(Kind::NeedsCoordinatorAck), "{n}");
            }
        }
        // A day that is named says which; one that names neither says nothing.
        assert_eq!(decide(&heard("yes sunday", "27T10:05:00", two())).effects, [Effect::Confirm { session: "b".into() }]);
        assert_eq!(decide(&heard("yes monday", "27T10:05:00", two())).rule, "another-day");
        // Without a question a number means nothing; two at the same moment, or three, are never guessed.
        let same = vec![open("a"), open("b")];
        let three = vec![open("a"), sunday(), Open { starts_at: t("30T10:00:00"), weekday: Weekday::Mon, ..open("c") }];
        for (text, open) in [("1", two()), ("5271", two()), ("yes", same.clone()), ("no", same), ("yes", three.clone()), ("no", three)] {
            let d = decide(&heard(text, "27T10:05:00", open));
            assert_eq!(kind(&d), Some(Kind::NeedsCoordinatorAck), "{text}");
            assert!(matches!(d.effects[..], [Effect::Task { .. }]), "{text}");
        }
    }

    fn pressed(press: Press, at: &str, below: Option<Below>, open: Vec<Open>) -> Heard {
        Heard { pressed: Some(Pressed { press, below }), ..heard("", at, open) }
    }

    fn below(kind: Kind) -> Below {
        Below { kind, session: "a".into(), ask_version: 1, question: "q".into() }
    }

    #[test]
    fn a_press_answers_its_own_question_and_an_old_foreign_or_second_one_changes_nothing() {
        let request = || Some(below(Kind::ConfirmRequest));
        let d = decide(&pressed(Press::Yes, "26T10:05:00", request(), vec![open("a"), open("b")]));
        assert_eq!(d.effects, [Effect::Confirm { session: "a".into() }], "a press needs no guessing between two visits");
        let confirmed = Open { answer: Answer::Confirmed, ..open("a") };
        let moved = Open { ask_version: 2, ..open("a") };
        let over = Open { starts_at: t("26T10:00:00"), ..open("a") };
        for (press, below, open) in [
            (Press::Yes, request(), vec![confirmed]),
            (Press::Yes, request(), vec![moved.clone()]),
            (Press::No, request(), vec![moved]),
            (Press::Yes, None, vec![open("a")]),
            (Press::No, None, vec![open("a")]),
            (Press::Yes, request(), vec![open("b")]),
            (Press::No, request(), vec![over]),
            (Press::IllChild, request(), vec![open("a")]),
        ] {
            let d = decide(&pressed(press, "26T10:05:00", below.clone(), open));
            assert_eq!((d.effects, d.reply.map(|r| r.kind)), (vec![], Some(Kind::OldButton)), "{press} {below:?}");
        }
    }

    #[test]
    fn in_a_chat_a_second_press_within_ten_minutes_finishes_a_cancellation() {
        let d = decide(&pressed(Press::No, "26T10:05:00", Some(below(Kind::ConfirmRequest)), vec![open("a")]));
        assert!(matches!(&d.effects[..], [Effect::CancelAsked { late: true, .. }]));
        assert_eq!(kind(&d), Some(Kind::CancelReasonAsk));
        let asked = || Open { question: Some(question("26T10:05:00")), ..open("a") };
        let finish = || Some(below(Kind::CancelReasonAsk));
        let d = decide(&pressed(Press::IllChild, "26T10:15:00", finish(), vec![asked()]));
        assert_eq!(d.effects[0], Effect::Cancel { session: "a".into(), question: "q".into(), reason: Reason::IllChild, at: t("26T10:05:00") });
        let keep = decide(&pressed(Press::Keep, "26T10:09:00", finish(), vec![asked()]));
        assert_eq!(keep.effects, [Effect::CloseQuestion { question: "q".into() }, Effect::Confirm { session: "a".into() }]);
        let other_question = Some(Below { question: "older".into(), ..below(Kind::CancelReasonAsk) });
        for (at, below, open) in [("26T10:15:01", finish(), asked()), ("26T10:06:00", other_question, asked()), ("26T10:06:00", finish(), open("a"))] {
            let d = decide(&pressed(Press::IllChild, at, below, vec![open]));
            assert_eq!((d.effects, d.reply.map(|r| r.kind)), (vec![], Some(Kind::OldButton)), "{at}");
        }
        // A second NO while the question is open asks nothing anew.
        assert_eq!(decide(&pressed(Press::No, "26T10:06:00", Some(below(Kind::ConfirmRequest)), vec![asked()])).rule, "press-again");
    }

    #[test]
    fn a_press_that_may_have_come_while_we_were_away_counts_as_in_time_and_a_person_is_told() {
        let away = |earliest| Heard { earliest: t(earliest), ..pressed(Press::No, "26T10:30:00", Some(below(Kind::ConfirmRequest)), vec![open("a")]) };
        let d = decide(&away("26T09:58:00"));
        assert!(matches!(&d.effects[..], [Effect::CancelAsked { late: false, .. }, Effect::Task { topic: Topic::CountedInTime, .. }]), "{:?}", d.effects);
        let d = decide(&away("26T10:00:01"));
        assert!(matches!(&d.effects[..], [Effect::CancelAsked { late: true, .. }]), "the cut-off had passed before we were away: {:?}", d.effects);
    }

    #[test]
    fn a_wrong_number_rests_and_each_family_is_rung() {
        let other = Open { case: "d".into(), ..open("b") };
        let d = decide(&heard("wrong number mate", "26T10:05:00", vec![open("a"), other]));
        assert_eq!(d.effects[0], Effect::PauseAddress);
        assert_eq!(d.effects.len(), 3, "one ring task for each family");
        assert_eq!(kind(&d), Some(Kind::WrongNumberAck));
    }

    #[test]
    fn an_answer_to_another_day_or_mere_courtesy_is_no_answer() {
        for text in ["yes see you sunday", "can't make it sun"] {
            let d = decide(&heard(text, "26T10:05:00", vec![open("a")]));
            assert_eq!(d.rule, "another-day", "{text}");
        }
        assert_eq!(decide(&heard("yes see you saturday", "26T10:05:00", vec![open("a")])).rule, "yes");
        // "No problem, thanks" to "we have noted that you cannot come" takes nothing back, and to the cancel question keeps nothing.
        let off = Open { state: SessionState::Cancelled, cancelled_by_me: true, release_at: Some(t("26T14:30:00")), answer: Answer::Cancelled, ..open("a") };
        assert_eq!(decide(&heard("no problem thanks", "26T14:12:00", vec![off])).rule, "courtesy-or-yes");
        let asked = Open { question: Some(question("26T10:05:00")), ..open("a") };
        assert_eq!(decide(&heard("No problem", "26T10:09:00", vec![asked.clone()])).rule, "courtesy-or-yes");
        assert_eq!(decide(&heard("No problem", "26T10:09:00", vec![open("a")])).rule, "yes");
        // One visit has an open cancel question, another waits for its answer: which one is kept is not guessed.
        assert_eq!(decide(&heard("yes", "27T10:05:00", vec![asked, open("b")])).rule, "two-visits");
    }

    #[test]
    fn a_no_changes_nothing_until_its_code_comes() {
        let d = decide(&heard("no", "26T10:05:00", vec![open("a")]));
        assert_eq!(d.effects, [Effect::CancelAsked { session: "a".into(), reason: None, first_no_at: t("26T10:05:00"), late: true }]);
        let asked = Open { question: Some(question("26T09:00:00")), ..open("a") };
        let d = decide(&heard("5271", "26T10:05:00", vec![asked.clone()]));
        assert_eq!(d.effects[0], Effect::Cancel { session: "a".into(), question: "q".into(), reason: Reason::IllChild, at: t("26T09:00:00") });
        // Wrong, with words around it, too late, after the third try: nothing.
        for (text, at) in [("5272", "26T10:05:00"), ("5271 thanks", "26T10:05:00"), ("5271", "27T09:00:01"), ("5271", "28T10:00:00")] {
            let d = decide(&heard(text, at, vec![asked.clone()]));
            assert!(!d.effects.iter().any(|e| matches!(e, Effect::Cancel { .. })), "{text} {at}");
        }
        let spent = Open { question: Some(Question { tries: 3, ..question("26T09:00:00") }), ..open("a") };
        assert!(!decide(&heard("5271", "26T10:05:00", vec![spent])).effects.iter().any(|e| matches!(e, Effect::Cancel { .. })));
    }

    #[test]
    fn yes_keeps_a_visit_that_was_asked_to_be_cancelled() {
        let asked = Open { question: Some(question("26T10:05:00")), ..open("a") };
        let d = decide(&heard("yes", "26T10:09:00", vec![asked]));
        assert_eq!(d.effects, [Effect::CloseQuestion { question: "q".into() }, Effect::Confirm { session: "a".into() }]);
    }

    #[test]
    fn a_cancellation_can_be_taken_back_until_it_is_released() {
        let off = Open { state: SessionState::Cancelled, cancelled_by_me: true, release_at: Some(t("26T14:30:00")), answer: Answer::Cancelled, ..open("a") };
        let d = decide(&heard("yes", "26T14:12:00", vec![off.clone()]));
        assert_eq!(d.effects, [Effect::TakeBack { session: "a".into() }]);
        let d = decide(&heard("yes", "26T14:30:00", vec![off]));
        assert_eq!((d.rule, kind(&d)), ("C11", Some(Kind::NeedsCoordinatorAck)));
    }

    #[test]
    fn a_yes_that_crossed_a_move_is_asked_once_more() {
        let moved = Open { asked: Asked { at: Some(t("26T12:00:00")), accepted_at: Some(t("26T12:00:00")), older: true }, ..open("a") };
        let d = decide(&heard("yes", "26T12:01:59", vec![moved.clone()]));
        assert!(d.effects.is_empty() && kind(&d) == Some(Kind::ConfirmRequest));
        assert_eq!(decide(&heard("yes", "26T12:02:00", vec![moved])).effects, [Effect::Confirm { session: "a".into() }]);
        let waiting = Open { asked: Asked { at: None, accepted_at: None, older: true }, ..open("a") };
        assert!(decide(&heard("yes", "26T12:01:00", vec![waiting])).effects.iter().all(|e| matches!(e, Effect::Task { .. })));
    }

    #[test]
    fn stop_is_honoured_and_somebody_rings() {
        let d = decide(&heard("STOP", "26T10:05:00", vec![open("a")]));
        assert_eq!(d.effects, [Effect::OptOut, Effect::Task { topic: Topic::RingOptedOut, session: Some("a".into()) }]);
        assert_eq!(kind(&d), Some(Kind::StopAck));
        let cancel_blocked = Heard { provider_stopped: true, ..heard("CANCEL", "26T10:05:00", vec![open("a")]) };
        let d = decide(&cancel_blocked);
        assert_eq!(d.reply, None);
        assert!(d.effects.contains(&Effect::OptOut) && d.effects.contains(&Effect::Task { topic: Topic::CancelByPhone, session: Some("a".into()) }));
    }

    #[test]
    fn everything_handed_over_gets_the_same_words() {
        for text in ["what time is it?", "he is outside", "f off", "yes but", "🖕", ""] {
            let d = decide(&heard(text, "26T10:05:00", vec![open("a")]));
            assert_eq!(d.reply, Some(Reply { kind: Kind::NeedsCoordinatorAck, session: None }), "{text}");
        }
    }

    #[test]
    fn a_stranger_learns_nothing() {
        let h = Heard { known: false, ..heard("YES", "26T10:05:00", vec![]) };
        assert_eq!(kind(&decide(&h)), Some(Kind::UnknownSender));
    }
}
