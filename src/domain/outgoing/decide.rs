//! The last look before a text leaves: may it still be said, to whom, how, and is now the moment?
//!
//! [`decide`] takes one [`Snapshot`], which is read in the transaction that claims the message, and
//! gives one [`Decision`]. `tests/data/last_look.txt` shows what it decides for every kind of
//! message in every situation.

#![warn(missing_docs)]

use crate::domain::centre::{CancelAnswer, Centre};
use crate::domain::local_time::{Quiet, after_all_quiet, wall};
use crate::domain::outgoing::claimed::ClaimedMessage;
use crate::domain::outgoing::message::{EndReason, MessageKind, MessageState};
use crate::domain::outgoing::pace::Pace;
use crate::domain::outgoing::payload::Payload;
use crate::domain::outgoing::say::{FinishBy, InMode, Say};
use crate::domain::outgoing::whatsapp::{self, Contents, Delivery, TemplateReader};
use crate::domain::people::address::Address;
use crate::domain::people::channel::{Channel, Consent, Mode};
use crate::domain::reminders::release::SPARE_JOURNEY_HOURS;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::{AttendeeContext, Route};
use crate::domain::visits::session::{Answer, SessionState, cut_off};
use chrono::{DateTime, Duration, DurationRound, NaiveDateTime, Utc};
use std::collections::HashMap;

/// A text that would be valid for less than this is not sent: the service would not try.
const SHORTEST_VALIDITY: Duration = Duration::seconds(60);
/// A text that calls off a visit this near goes in the centre's quiet hours too, and waits for no
/// spacing.
const SPARE_JOURNEY: Duration = Duration::hours(SPARE_JOURNEY_HOURS);
/// A message whose session is being changed by somebody is looked at again after this.
const BUSY: Duration = Duration::milliseconds(200);
/// The language in which every template exists, and every content template that serves everybody.
const ENGLISH: &str = "en";

/// An address with its look-up hash.
pub type Recipient = (Address, String);

/// All that the decision about one claimed message looks at.
pub struct Snapshot<'a> {
    /// The moment of the claim.
    pub now: DateTime<Utc>,
    /// The message.
    pub message: &'a ClaimedMessage,
    /// The centre in whose name it is sent; `None` if there is no centre at all.
    pub centre: Option<&'a Centre>,
    /// The line that claimed it.
    pub line: LineFacts<'a>,
    /// The parent and the session that it is about.
    pub attendee: Option<&'a AttendeeContext>,
    /// Somebody is recording something about the session at this moment.
    pub session_busy: bool,
    /// The address that an answer goes back to.
    pub reply_to: ReplyAddress<'a>,
    /// The cancel question that the message puts, while it is open.
    pub cancel_question: Option<OpenCancelQuestion>,
    /// The numbered question, or the question about another date, is still open.
    pub question_open: bool,
    /// For a text about money: what it says now.
    pub money: Option<MoneyFacts>,
    /// For a text about a milestone: the task behind it.
    pub milestone: Option<MilestoneFacts>,
    /// What the phones got lately.
    pub pace: &'a Pace,
    /// On WhatsApp: when somebody last wrote from an address, by its hash.
    pub last_inbound: &'a HashMap<String, DateTime<Utc>>,
    /// The language in which the templates say this kind of message to somebody of this language.
    pub template_language: &'a dyn Fn(MessageKind, &str) -> &'static str,
}

/// The line that claimed the message.
#[derive(Debug, Clone, Copy)]
pub struct LineFacts<'a> {
    /// Its channel.
    pub channel: Channel,
    /// In a pilot: the only numbers that get texts; empty for no limit.
    pub only_to: &'a [String],
    /// Its content templates, on WhatsApp.
    pub contents: &'a Contents,
}

/// What is known of the address that an answer goes back to.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplyAddress<'a> {
    /// It is paused or no longer used: only answers to its own STOP and the like still go.
    pub closed: bool,
    /// The quietest mode of the parties with this address.
    pub mode: Option<Mode>,
    /// The language of its party.
    pub language: Option<&'a str>,
}

/// A cancellation that waits for its code (safety rule S1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCancelQuestion {
    /// The digits before the option digit.
    pub code_prefix: String,
    /// The one code, if only one reason is offered.
    pub only_code: Option<String>,
    /// The reason is asked with it.
    pub asks_reason: bool,
    /// A fee may follow: the notice period has begun and the session has a fee.
    pub late: bool,
}

/// What a text about money says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyFacts {
    /// The words; `None` if it no longer applies.
    pub say: Option<Say>,
    /// The earliest moment that office hours, quiet hours and the family's own sessions allow;
    /// `None` if there is none.
    pub allowed: Option<DateTime<Utc>>,
    /// A task about this party's own safety is open (safety rule M3).
    pub in_danger: bool,
}

/// The task behind a text about a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneFacts {
    /// It is still open.
    pub task_open: bool,
    /// A task about the reader's own safety is open: a person tells them.
    pub in_danger: bool,
    /// The earliest moment, as in [`MoneyFacts`].
    pub allowed: Option<DateTime<Utc>>,
}

/// What happens to a claimed message, and what a person has to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What happens to the message.
    pub verdict: Verdict,
    /// The task that a person gets.
    pub task: Option<TaskKind>,
}

/// What happens to a claimed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It leaves.
    Send(Box<Text>),
    /// It waits until then.
    Later(DateTime<Utc>),
    /// It waits for a manager, because its reader may be in danger (safety rule M3).
    AskManager,
    /// It goes to another channel of the same party (choice K11).
    Reroute {
        /// The channel.
        channel: Channel,
        /// The address there, for a message that was made for one address.
        to: Option<Recipient>,
        /// The channel that did not take it.
        excluded: Option<Channel>,
    },
    /// It ends unsent: withdrawn, because what it says no longer holds or may not be said, or
    /// expired.
    End(MessageState, EndReason),
}

/// A text that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub say: Say,
    /// To which address.
    pub to: Recipient,
    /// In which language.
    pub language: String,
    /// On WhatsApp: as free words or as a content template.
    pub delivery: Delivery,
    /// Nobody asked for it, so it counts against spacing and daily maximum.
    pub unprompted: bool,
}

/// Decides about one claimed message.
pub fn decide(s: &Snapshot<'_>) -> Decision {
    let Some(centre) = s.centre else {
        return Decision {
            verdict: withdrawn(EndReason::NoAddress),
            task: None,
        };
    };
    let (verdict, must_ring) = match draft(s, centre) {
        Ok(draft) => dispatch(s, centre, draft),
        Err(verdict) => {
            let must_ring = leaves_somebody_uninformed(s, &verdict);
            (verdict, must_ring)
        }
    };
    let task = match verdict {
        Verdict::AskManager => Some(TaskKind::MoneyPaused),
        // A milestone already has its task.
        _ if must_ring && !s.message.kind.is_milestone() => ring_task(s, &verdict),
        _ => None,
    };
    Decision { verdict, task }
}

/// What would be said, before the mode of the phone and the channel are looked at.
struct Draft {
    say: Say,
    to: Recipient,
    language: String,
    mode: Mode,
}

fn withdrawn(why: EndReason) -> Verdict {
    Verdict::End(MessageState::Withdrawn, why)
}

fn expired() -> Verdict {
    Verdict::End(MessageState::Expired, EndReason::TooLate)
}

/// What the message says now, or why it says nothing now.
fn draft(s: &Snapshot<'_>, centre: &Centre) -> Result<Draft, Verdict> {
    if s.session_busy {
        return Err(Verdict::Later(s.now + BUSY));
    }
    let milestone = milestone(s, centre)?;
    if s.message
        .not_after
        .is_some_and(|t| t - s.now < SHORTEST_VALIDITY)
    {
        return Err(expired());
    }
    if s.message.kind.is_answer() || s.message.to.is_some() {
        return answer(s, centre);
    }
    let (Some(attendee), Some((_, _, ask_version))) = (s.attendee, &s.message.session) else {
        return Err(withdrawn(EndReason::NoAddress));
    };
    match milestone.as_ref().or(s.money.as_ref()) {
        Some(money) => about_money(s, attendee, money),
        None => about_visit(s, centre, attendee, *ask_version),
    }
}

/// A text about a milestone, once its task is known to be open and its reader to be safe.
fn milestone(s: &Snapshot<'_>, centre: &Centre) -> Result<Option<MoneyFacts>, Verdict> {
    let (Some(task), Some(attendee)) = (&s.milestone, s.attendee) else {
        return Ok(None);
    };
    let kind = s.message.kind;
    if attendee.archived {
        return Err(withdrawn(EndReason::Archived));
    }
    let wanted = centre.milestone_texts.contains(&kind);
    let say = milestone_words(s, centre, attendee);
    if !task.task_open || !wanted || say.is_none() {
        return Err(withdrawn(EndReason::NoLongerDue));
    }
    // This does not affect the other parent's text.
    if task.in_danger {
        return Err(withdrawn(EndReason::Safety));
    }
    Ok(Some(MoneyFacts {
        say,
        allowed: task.allowed,
        in_danger: false,
    }))
}

fn milestone_words(s: &Snapshot<'_>, centre: &Centre, attendee: &AttendeeContext) -> Option<Say> {
    let arrives_at = attendee.attendee.arrives_at;
    match (s.message.kind, &s.message.payload) {
        (MessageKind::ReviewDue, _) => Some(Say::ReviewDue),
        (MessageKind::IntroductionMeeting, _) => Some(Say::IntroductionMeeting),
        (MessageKind::PrevisitInvitation, _) => {
            let ahead = attendee.session.state == SessionState::Booked && arrives_at > s.now;
            (ahead || attendee.is_hidden(s.now)).then(|| Say::PrevisitInvitation {
                arrival: wall(centre.tz, arrives_at),
            })
        }
        (MessageKind::FeeChange, Payload::RulesFrom(from)) => Some(Say::FeeChange { from: *from }),
        _ => None,
    }
}

/// A text for one address: a reply to whoever wrote, or an alert to staff.
fn answer(s: &Snapshot<'_>, centre: &Centre) -> Result<Draft, Verdict> {
    let kind = s.message.kind;
    let Some(to) = s.message.to.clone() else {
        return Err(withdrawn(EndReason::NoAddress));
    };
    // These go even to an address that has opted out.
    let after_stop = [
        MessageKind::StopAck,
        MessageKind::LinkNumber,
        MessageKind::LinkRefused,
    ];
    if s.message.to_opted_out && !after_stop.contains(&kind) {
        return Err(withdrawn(EndReason::OptedOut));
    }
    if s.reply_to.closed && !kind.goes_to_anybody() {
        return Err(withdrawn(EndReason::NoAddress));
    }
    let say = answer_words(s, centre)?;
    let language = s
        .attendee
        .map(|a| a.language.as_str())
        .or(s.reply_to.language)
        .unwrap_or(ENGLISH);
    let mode_now = s
        .attendee
        .map_or(Mode::Normal, |a| a.mode)
        .max(s.reply_to.mode.unwrap_or(Mode::Normal));
    let mode = match s.message.payload {
        Payload::ModeBefore(mode) => mode,
        _ => mode_now,
    };
    Ok(Draft {
        say,
        to,
        language: language.to_owned(),
        mode,
    })
}

fn answer_words(s: &Snapshot<'_>, centre: &Centre) -> Result<Say, Verdict> {
    let arrival = s.attendee.map(|a| wall(centre.tz, a.attendee.arrives_at));
    // What is confirmed or asked must still be the question that was answered.
    let current = arrival.filter(|_| question_is_current(s));
    let say = match s.message.kind {
        MessageKind::ConfirmAck => current.map(|arrival| Say::ConfirmAck { arrival }),
        MessageKind::CancellationAck => arrival.map(|arrival| Say::CancellationAck {
            arrival,
            in_time: s.message.payload == Payload::CancelledInTime(true),
        }),
        MessageKind::CancelReasonAsk => match current {
            Some(arrival) => Some(Say::CancelReasonAsk {
                arrival,
                finish: finish_by(s, centre).ok_or(withdrawn(EndReason::Answered))?,
            }),
            None => None,
        },
        MessageKind::ConfirmRequest => current
            .and(s.attendee)
            .map(|attendee| confirm_request(centre, attendee, s.now)),
        MessageKind::WhichSession => match &s.message.payload {
            Payload::WhichVisit { options, .. } if s.question_open => {
                let [first, second] = options.clone();
                Some(Say::WhichSession { first, second })
            }
            _ => return Err(withdrawn(EndReason::Answered)),
        },
        MessageKind::NeedsCoordinatorAck => Some(Say::Handover),
        MessageKind::UnclearReply => Some(Say::Unclear),
        MessageKind::Help => Some(Say::Help),
        MessageKind::StopAck => Some(Say::StopAck),
        MessageKind::StartAck => Some(Say::StartAck),
        MessageKind::OldButton => Some(Say::OldButton),
        MessageKind::UnknownSender => Some(Say::UnknownSender),
        MessageKind::WrongNumberAck => Some(Say::WrongNumberAck),
        MessageKind::Welcome => Some(Say::Welcome),
        MessageKind::LinkRefused => Some(Say::LinkRefused),
        MessageKind::LinkNumber => match &s.message.payload {
            Payload::LinkNumber(number) => Some(Say::LinkNumber {
                number: number.clone(),
            }),
            _ => None,
        },
        MessageKind::StaffReply => match &s.message.payload {
            Payload::StaffText(text) => Some(Say::StaffReply { text: text.clone() }),
            _ => None,
        },
        MessageKind::StaffAlert => Some(Say::StaffAlert {
            count: match s.message.payload {
                Payload::UrgentTasks(count) => count,
                _ => 1,
            },
        }),
        _ => None,
    };
    say.ok_or(withdrawn(EndReason::Moved))
}

/// Whether the session is on, as this parent knows it, and the question is of its present version.
fn question_is_current(s: &Snapshot<'_>) -> bool {
    s.attendee.is_some_and(|a| {
        let on = a.session.state == SessionState::Booked || a.is_hidden(s.now);
        let asked = s.message.session.as_ref().map(|(_, _, version)| *version);
        on && asked == Some(a.attendee.ask_version)
    })
}

/// How this cancellation is finished: by a press where the channel proves the sender (S1d), by a
/// code otherwise, or by a word where the centre wants that.
fn finish_by(s: &Snapshot<'_>, centre: &Centre) -> Option<FinishBy> {
    let q = s.cancel_question.as_ref()?;
    let attendee = s.attendee?;
    let (late, reason) = (q.late, q.asks_reason);
    Some(match s.message.to.as_ref().map(|(to, _)| to.channel()) {
        Some(Channel::Telegram) => FinishBy::Press { late, reason },
        Some(Channel::Whatsapp) => {
            let language = (s.template_language)(s.message.kind, &attendee.language);
            let reader = TemplateReader {
                centre: &s.message.centre,
                language,
            };
            whatsapp::finish(late, reason, s.line.contents, reader)
        }
        _ => match (centre.rules.cancel_answer, &q.only_code) {
            (CancelAnswer::Word, _) => FinishBy::Word { late },
            (_, Some(code)) => FinishBy::Code {
                code: code.clone(),
                late,
            },
            _ => FinishBy::CodeWithReason {
                code_prefix: q.code_prefix.clone(),
            },
        },
    })
}

/// A text on money, a note or a milestone depends on what is owed or due, not on the session's
/// state.
fn about_money(
    s: &Snapshot<'_>,
    attendee: &AttendeeContext,
    money: &MoneyFacts,
) -> Result<Draft, Verdict> {
    let Some(say) = money.say.clone() else {
        return Err(withdrawn(EndReason::NoLongerDue));
    };
    if money.in_danger {
        return Err(Verdict::AskManager);
    }
    let route = reachable(s, attendee)?;
    // A discreet phone shows no money, a silent one nothing: a person rings instead.
    let allowed = money.allowed.filter(|_| attendee.mode == Mode::Normal);
    match allowed {
        None => Err(withdrawn(EndReason::Mode)),
        Some(at) if at <= s.now => Ok(draft_for(attendee, route, say)),
        Some(at) if s.message.not_after.is_some_and(|t| at > t) => Err(expired()),
        Some(at) => Err(Verdict::Later(at)),
    }
}

/// A text about a visit: what it says must still be true, as far as the reader has been told.
fn about_visit(
    s: &Snapshot<'_>,
    centre: &Centre,
    attendee: &AttendeeContext,
    ask_version: i64,
) -> Result<Draft, Verdict> {
    still_so(s, attendee, ask_version)?;
    let route = reachable(s, attendee)?;
    allowed_now(s, centre, attendee)?;
    let say = visit_words(s, centre, attendee)?;
    Ok(draft_for(attendee, route, say))
}

fn still_so(s: &Snapshot<'_>, attendee: &AttendeeContext, ask_version: i64) -> Result<(), Verdict> {
    let (kind, answer) = (s.message.kind, attendee.attendee.answer);
    match (kind, attendee.session.state) {
        (MessageKind::SessionOff | MessageKind::Closure, SessionState::Booked) => {
            return Err(withdrawn(EndReason::TakenBack));
        }
        (MessageKind::Closure, SessionState::Closed) => {}
        (MessageKind::Closure, _) => return Err(withdrawn(EndReason::SessionOff)),
        (MessageKind::SessionOff, _) if answer == Answer::Cancelled => {
            return Err(withdrawn(EndReason::Answered));
        }
        (MessageKind::SessionOff, _) | (_, SessionState::Booked) => {}
        // They have not been told that it is off: until that minute it is on for them.
        _ if attendee.is_hidden(s.now) => {}
        _ => return Err(withdrawn(EndReason::SessionOff)),
    }
    if !kind.calls_off() && attendee.attendee.ask_version != ask_version {
        return Err(withdrawn(EndReason::Moved));
    }
    if kind == MessageKind::ConfirmRequest && answer == Answer::Confirmed {
        return Err(withdrawn(EndReason::Answered));
    }
    if attendee.archived {
        return Err(withdrawn(EndReason::Archived));
    }
    Ok(())
}

/// The safe, agreed address that the text goes to.
fn reachable<'a>(s: &Snapshot<'_>, attendee: &'a AttendeeContext) -> Result<&'a Route, Verdict> {
    if attendee.opted_out() || attendee.consent == Consent::Stop {
        return Err(withdrawn(EndReason::OptedOut));
    }
    attendee
        .route_without(s.message.excluded_channel)
        .filter(|_| attendee.consent == Consent::Yes)
        .ok_or(withdrawn(EndReason::NoAddress))
}

/// Whether now is a time at which it may be said: by the centre's quiet hours and by the party's
/// own.
fn allowed_now(
    s: &Snapshot<'_>,
    centre: &Centre,
    attendee: &AttendeeContext,
) -> Result<(), Verdict> {
    let calls_off = s.message.kind.calls_off();
    let arrives_at = attendee.attendee.arrives_at;
    let spares_journey = calls_off && arrives_at - s.now <= SPARE_JOURNEY;
    let centres = centre.courtesy.quiet.filter(|_| !spares_journey);
    let quiet: Vec<Quiet> = centres.into_iter().chain(attendee.quiet).collect();
    // Urgency never overrides a phone's own hours. If the news would come too late to spare a
    // journey, a person rings instead.
    match after_all_quiet(&quiet, centre.tz, s.now) {
        Some(allowed) if allowed <= s.now => Ok(()),
        _ if spares_journey => Err(withdrawn(EndReason::Mode)),
        Some(allowed) if calls_off && allowed > arrives_at - SPARE_JOURNEY => {
            Err(withdrawn(EndReason::Mode))
        }
        None => Err(withdrawn(EndReason::Mode)),
        Some(allowed) if s.message.not_after.is_none_or(|t| allowed <= t) => {
            Err(Verdict::Later(allowed))
        }
        _ => Err(expired()),
    }
}

fn visit_words(
    s: &Snapshot<'_>,
    centre: &Centre,
    attendee: &AttendeeContext,
) -> Result<Say, Verdict> {
    let own = |at: DateTime<Utc>| wall(centre.tz, at);
    let arrival = own(attendee.attendee.arrives_at);
    Ok(match (s.message.kind, &s.message.payload) {
        (MessageKind::ConfirmRequest, _) => confirm_request(centre, attendee, s.now),
        // Somebody who was never told of a move hears of the visit at the time that they know.
        (MessageKind::SessionOff, payload) => Say::SessionOff {
            arrival: payload.old_arrival().map_or(arrival, own),
        },
        (MessageKind::Closure, _) => Say::Closure { arrival },
        (MessageKind::SessionOn, _) => Say::SessionOn { arrival },
        (MessageKind::SessionMoved, Payload::OldArrival(from)) => Say::SessionMoved {
            from: own(*from),
            to: arrival,
        },
        (MessageKind::SessionMoved, _) => return Err(withdrawn(EndReason::Moved)),
        (MessageKind::DateQuestion, Payload::AnotherDate { arrival: to, .. })
            if s.question_open =>
        {
            Say::DateQuestion {
                from: arrival,
                to: own(*to),
            }
        }
        (MessageKind::DateQuestion, _) => return Err(withdrawn(EndReason::Answered)),
        (MessageKind::DateRefused, _) => Say::DateRefused { arrival },
        _ => return Err(withdrawn(EndReason::NoAddress)),
    })
}

/// The courtesy request. Its cut-off is counted from the party's own arrival and is never later
/// than the real one: the session's start is often when the other parent arrives. A parent who arrives
/// after the start is given a moment counted from a whole hour before it.
fn confirm_request(centre: &Centre, attendee: &AttendeeContext, now: DateTime<Utc>) -> Say {
    let (start, own) = (attendee.session.starts_at, attendee.attendee.arrives_at);
    let counted_from = if own <= start {
        own
    } else {
        (start - Duration::hours(1))
            .duration_trunc(Duration::hours(1))
            .unwrap_or(start)
    };
    let cut = cut_off(counted_from, attendee.session.notice_hours);
    let cut_off: Option<NaiveDateTime> = (cut > now).then(|| wall(centre.tz, cut));
    Say::ConfirmRequest {
        arrival: wall(centre.tz, own),
        cut_off,
        fee: attendee.session.fee_minor > 0,
    }
}

fn draft_for(attendee: &AttendeeContext, route: &Route, say: Say) -> Draft {
    Draft {
        say,
        to: (route.address.clone(), route.hash.clone()),
        language: attendee.language.clone(),
        mode: attendee.mode,
    }
}

/// How a draft leaves: in the words that the phone may show, by this line or another, now or later.
/// Also returns whether a person has to ring.
fn dispatch(s: &Snapshot<'_>, centre: &Centre, draft: Draft) -> (Verdict, bool) {
    let Draft {
        say,
        to,
        language,
        mode,
    } = draft;
    let InMode { say, ring } = say.in_mode(mode);
    let channel = to.0.channel();
    if !s.pilot_allows(&to) {
        return (withdrawn(EndReason::NoAddress), false);
    }
    let Some(say) = say else {
        return (withdrawn(EndReason::Mode), ring);
    };
    if channel != s.line.channel {
        let verdict = Verdict::Reroute {
            channel,
            to: None,
            excluded: None,
        };
        return (verdict, false);
    }
    let delivery = s.delivery(&say, &to, &language);
    if delivery == Delivery::Not {
        let verdict = next_channel(s, channel);
        let must_ring = matches!(verdict, Verdict::End(..));
        return (verdict, must_ring);
    }
    let unprompted = !s.message.kind.is_answer() && s.message.to.is_none();
    if unprompted && let Some(at) = s.too_soon(centre, &to.1) {
        return (Verdict::Later(at), false);
    }
    let language = match &delivery {
        // The values of a content template are in the language of its words.
        Delivery::Content(content) if content.english => ENGLISH.to_owned(),
        _ => language,
    };
    let text = Text {
        say,
        to,
        language,
        delivery,
        unprompted,
    };
    (Verdict::Send(Box::new(text)), ring)
}

impl Snapshot<'_> {
    /// In a pilot only the numbers that are named get texts; staff always do.
    fn pilot_allows(&self, to: &Recipient) -> bool {
        self.line.only_to.is_empty()
            || to.0.channel() != self.line.channel
            || self.message.kind == MessageKind::StaffAlert
            || self.line.only_to.iter().any(|n| n == to.0.as_str())
    }

    fn delivery(&self, say: &Say, to: &Recipient, language: &str) -> Delivery {
        let channel = self.line.channel;
        if channel != Channel::Whatsapp {
            return Delivery::Free;
        }
        if self.message.excluded_channel == Some(channel) {
            return Delivery::Not;
        }
        let open = whatsapp::is_open(self.last_inbound.get(&to.1).copied(), self.now);
        let reader = TemplateReader {
            centre: &self.message.centre,
            language: (self.template_language)(say.kind(), language),
        };
        whatsapp::delivery(say, open, self.line.contents, reader)
    }

    /// When spacing and daily maximum let a text go to this phone. A text that spares a wasted
    /// journey skips both limits.
    fn too_soon(&self, centre: &Centre, phone: &str) -> Option<DateTime<Utc>> {
        let calls_off = self.message.kind.calls_off();
        let urgent = calls_off
            && self
                .attendee
                .is_some_and(|a| a.attendee.arrives_at - self.now < SPARE_JOURNEY);
        if urgent {
            return None;
        }
        self.pace
            .earliest(&centre.rules, phone, calls_off, self.now)
    }
}

/// If this channel cannot carry the text, it goes to the party's next agreed and safe address
/// (choice K11), before anything was sent. A question that can only be finished on this channel
/// ends instead.
fn next_channel(s: &Snapshot<'_>, channel: Channel) -> Verdict {
    let only_here = matches!(
        s.message.kind,
        MessageKind::CancelReasonAsk | MessageKind::WhichSession | MessageKind::OldButton
    );
    let next = s
        .attendee
        .filter(|a| a.consent == Consent::Yes && !only_here)
        .and_then(|a| a.route_without(Some(channel)));
    match next {
        Some(next) => Verdict::Reroute {
            channel: next.address.channel(),
            to: (s.message.to.is_some()).then(|| (next.address.clone(), next.hash.clone())),
            excluded: Some(channel),
        },
        None => withdrawn(EndReason::NoAddress),
    }
}

/// Whether the party misses news that it needs, so that a person has to ring.
fn leaves_somebody_uninformed(s: &Snapshot<'_>, verdict: &Verdict) -> bool {
    let kind = s.message.kind;
    match verdict {
        Verdict::End(
            MessageState::Withdrawn,
            EndReason::OptedOut | EndReason::NoAddress | EndReason::Mode,
        ) => true,
        // A closed file gets no texts; but nobody should travel for nothing.
        Verdict::End(MessageState::Withdrawn, EndReason::Archived) => kind.calls_off(),
        Verdict::End(MessageState::Expired, _) => {
            (kind.calls_off() || kind.calls_on())
                && s.attendee.is_some_and(|a| a.session.ends_at > s.now)
        }
        _ => false,
    }
}

fn ring_task(s: &Snapshot<'_>, verdict: &Verdict) -> Option<TaskKind> {
    let kind = s.message.kind;
    if s.attendee.is_none() {
        let of_a_family = s.line.channel == Channel::Whatsapp && s.message.case_id.is_some();
        return of_a_family.then_some(TaskKind::RingNoAddress);
    }
    Some(match verdict {
        _ if kind.calls_off() => TaskKind::RingSessionOff,
        _ if kind.calls_on() => TaskKind::RingSessionOn,
        _ if kind.is_money() => TaskKind::TellByPhone,
        _ if kind == MessageKind::CancelReasonAsk => TaskKind::CancelByPhone,
        Verdict::End(_, EndReason::OptedOut) => TaskKind::RingOptedOut,
        _ => TaskKind::RingNoAddress,
    })
}

#[cfg(test)]
mod tests;
