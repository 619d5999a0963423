//! What may be said to one party. A text is rendered from these types alone, and they have no room
//! for the other party: no cause, no name, no other arrival, no session start. The one free text,
//! what staff write themselves, is checked by [`crate::domain::outgoing::lint`] first.

#![warn(missing_docs)]

use crate::domain::money::amount::Money;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::channel::Mode;
use crate::string_enum;
use chrono::{NaiveDate, NaiveDateTime};

/// The sender: the centre's details that appear in texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The centre's code: it may have templates of its own. Never appears in a text.
    pub centre: String,
    /// First word of every text.
    pub short_name: String,
    /// The office's number.
    pub phone: String,
    /// The country's emergency number.
    pub emergency_number: String,
    /// Languages that the centre has switched on.
    pub languages: Vec<String>,
}

/// How a cancellation is to be finished (safety rule S1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishBy {
    /// Late, reason unknown: three digits, then one for the reason.
    CodeWithReason {
        /// Three random digits.
        code_prefix: String,
    },
    /// One code; `late` says that a fee may apply.
    Code {
        /// The full number to reply.
        code: String,
        /// Less than the notice hours are left.
        late: bool,
    },
    /// By a second press in the chat (safety rule S1d): the sender is known there, so there is no
    /// code.
    Press {
        /// Less than the notice hours are left.
        late: bool,
        /// The reason is asked with it.
        reason: bool,
    },
    /// By a word (`cancel_answer = "word"`).
    Word {
        /// Less than the notice hours are left.
        late: bool,
    },
}

/// One text to one party. Times are the party's own, on the centre's wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Will you come?
    ConfirmRequest {
        /// The party's own arrival.
        arrival: NaiveDateTime,
        /// The last moment without a fee, while it is still ahead.
        cut_off: Option<NaiveDateTime>,
        /// Whether a late cancellation costs anything.
        fee: bool,
    },
    /// Thank you, recorded.
    ConfirmAck {
        /// The party's own arrival.
        arrival: NaiveDateTime,
    },
    /// How to finish a cancellation.
    CancelReasonAsk {
        /// The party's own arrival.
        arrival: NaiveDateTime,
        /// How it is finished.
        finish: FinishBy,
    },
    /// Your cancellation is recorded.
    CancellationAck {
        /// The party's own arrival.
        arrival: NaiveDateTime,
        /// Full notice was given: there is no charge.
        in_time: bool,
    },
    /// The visit will not go ahead. Holds no cause.
    SessionOff {
        /// The party's own arrival.
        arrival: NaiveDateTime,
    },
    /// The visit has another day or time.
    SessionMoved {
        /// The party's own old arrival.
        from: NaiveDateTime,
        /// The party's own new arrival.
        to: NaiveDateTime,
    },
    /// The one text for everything that a person must read (safety rule D3).
    Handover,
    /// Not understood: nothing is changed, these are the two answers.
    Unclear,
    /// How it works.
    Help,
    /// Texts are off.
    StopAck,
    /// Texts are on.
    StartAck,
    /// Not on file; names nobody.
    UnknownSender,
    /// Which of two visits is meant?
    WhichSession {
        /// The party's own arrival at the first, with the centre's name if the two are at different
        /// centres.
        first: (Option<String>, NaiveDateTime),
        /// The same for the second.
        second: (Option<String>, NaiveDateTime),
    },
    /// To a stranger; names nobody.
    WrongNumberAck,
    /// The centre is closed on this day; nobody is charged.
    Closure {
        /// The party's own arrival.
        arrival: NaiveDateTime,
    },
    /// Please ring us (safety rule D2).
    PleaseRing,
    /// Are you free as usual? (safety rule D2)
    DiscreetRequest {
        /// The party's own arrival.
        arrival: NaiveDateTime,
    },
    /// A chat was linked.
    Welcome,
    /// The number that the parent must read out to staff.
    LinkNumber {
        /// Four digits.
        number: String,
    },
    /// This link cannot be used.
    LinkRefused,
    /// A button that does nothing any more.
    OldButton,
    /// Replaces old texts in a chat that is no longer used.
    NoLongerInUse,
    /// To staff: so many urgent tasks wait.
    StaffAlert {
        /// How many.
        count: i64,
    },
    /// The words of a person, in answer to a message; checked by [`crate::domain::outgoing::lint`].
    StaffReply {
        /// The words.
        text: String,
    },
    /// A fee is due. Sent only to the person who owes it. Gives no reason.
    FeeNotice {
        /// How much.
        amount: Money,
        /// Day of the visit that it is for.
        date: NaiveDate,
    },
    /// Please bring a note; then there is no fee.
    NoteRequest {
        /// Day of the visit that the note must cover.
        date: NaiveDate,
    },
    /// The note is still awaited.
    NoteReminder {
        /// Day of the visit that the note must cover.
        date: NaiveDate,
        /// Day of the next contact, on which it is to be brought.
        bring_on: NaiveDate,
    },
    /// Nothing is owed. The same for paid, paid by another, waived and note accepted.
    FeeSettled {
        /// Day of the visit that it was for.
        date: NaiveDate,
        /// The file was already closed and stays closed (choice C20).
        file_closed: bool,
    },
    /// A payment is outstanding. Gives no name, amount or reason.
    AllPartiesNotice {
        /// The last day on which it can be paid.
        last_day: NaiveDate,
    },
    /// The file is closed.
    CaseClosed,
    /// The visit takes place after all.
    SessionOn {
        /// The party's own arrival.
        arrival: NaiveDateTime,
    },
    /// Could you come on another date? Nothing has changed by it.
    DateQuestion {
        /// The party's own arrival as it is booked.
        from: NaiveDateTime,
        /// The party's own arrival as it would be.
        to: NaiveDateTime,
    },
    /// The visit stays when it was.
    DateRefused {
        /// The party's own arrival as it is booked.
        arrival: NaiveDateTime,
    },
    /// A regular talk about the visits is due.
    ReviewDue,
    /// Invitation to the meeting that is held after some months.
    IntroductionMeeting,
    /// Come and look round before the first visit.
    PrevisitInvitation {
        /// The party's own arrival at it.
        arrival: NaiveDateTime,
    },
    /// The rules on notice and fees change.
    FeeChange {
        /// The first day of the new rules.
        from: NaiveDate,
    },
}

string_enum! {
    /// What a button below a text says and does.
    Press {
        /// Will come.
        Yes = "yes",
        /// Cannot come.
        No = "no",
        /// Cancel: the child is ill.
        IllChild = "ill_child",
        /// Cancel: ill oneself.
        IllSelf = "ill_self",
        /// Cancel: travel.
        Travel = "travel",
        /// Cancel: another reason.
        Other = "other",
        /// Cancel, the reason is known or not needed.
        Cancel = "cancel",
        /// Keep the visit.
        Keep = "keep",
        /// The first of two visits.
        First = "1",
        /// The second of two visits.
        Second = "2",
    }
}

/// What may be said to a party in this mode, and what a person has to do instead (safety
/// rule D2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InMode {
    /// What is said; nothing if nothing may be.
    pub say: Option<Say>,
    /// A person has to ring, because the text cannot say what the party needs to know.
    pub ring: bool,
}

impl Say {
    /// The kind of message that says it.
    pub fn kind(&self) -> MessageKind {
        match self {
            Say::ConfirmRequest { .. } => MessageKind::ConfirmRequest,
            Say::ConfirmAck { .. } => MessageKind::ConfirmAck,
            Say::CancelReasonAsk { .. } => MessageKind::CancelReasonAsk,
            Say::CancellationAck { .. } => MessageKind::CancellationAck,
            Say::SessionOff { .. } => MessageKind::SessionOff,
            Say::SessionMoved { .. } => MessageKind::SessionMoved,
            Say::Handover => MessageKind::NeedsCoordinatorAck,
            Say::Unclear => MessageKind::UnclearReply,
            Say::Help => MessageKind::Help,
            Say::StopAck => MessageKind::StopAck,
            Say::StartAck => MessageKind::StartAck,
            Say::UnknownSender => MessageKind::UnknownSender,
            Say::WhichSession { .. } => MessageKind::WhichSession,
            Say::WrongNumberAck => MessageKind::WrongNumberAck,
            Say::Closure { .. } => MessageKind::Closure,
            Say::PleaseRing => MessageKind::PleaseRing,
            Say::DiscreetRequest { .. } => MessageKind::DiscreetRequest,
            Say::Welcome => MessageKind::Welcome,
            Say::LinkNumber { .. } => MessageKind::LinkNumber,
            Say::LinkRefused => MessageKind::LinkRefused,
            Say::OldButton => MessageKind::OldButton,
            Say::NoLongerInUse => MessageKind::NoLongerInUse,
            Say::StaffAlert { .. } => MessageKind::StaffAlert,
            Say::StaffReply { .. } => MessageKind::StaffReply,
            Say::FeeNotice { .. } => MessageKind::FeeNotice,
            Say::NoteRequest { .. } => MessageKind::NoteRequest,
            Say::NoteReminder { .. } => MessageKind::NoteReminder,
            Say::FeeSettled { .. } => MessageKind::FeeSettled,
            Say::AllPartiesNotice { .. } => MessageKind::AllPartiesNotice,
            Say::CaseClosed => MessageKind::CaseClosed,
            Say::SessionOn { .. } => MessageKind::SessionOn,
            Say::DateQuestion { .. } => MessageKind::DateQuestion,
            Say::DateRefused { .. } => MessageKind::DateRefused,
            Say::ReviewDue => MessageKind::ReviewDue,
            Say::IntroductionMeeting => MessageKind::IntroductionMeeting,
            Say::PrevisitInvitation { .. } => MessageKind::PrevisitInvitation,
            Say::FeeChange { .. } => MessageKind::FeeChange,
        }
    }

    /// The buttons below it, in rows, where the channel has buttons.
    pub fn buttons(&self) -> Vec<Vec<Press>> {
        match self {
            Say::ConfirmRequest { .. }
            | Say::SessionMoved { .. }
            | Say::SessionOn { .. }
            | Say::DateQuestion { .. }
            | Say::DiscreetRequest { .. } => {
                vec![vec![Press::Yes, Press::No]]
            }
            Say::CancelReasonAsk {
                finish: FinishBy::Press { reason: true, .. },
                ..
            } => {
                vec![
                    vec![Press::IllChild, Press::IllSelf],
                    vec![Press::Travel, Press::Other],
                    vec![Press::Keep],
                ]
            }
            Say::CancelReasonAsk {
                finish: FinishBy::Press { reason: false, .. },
                ..
            } => vec![vec![Press::Cancel], vec![Press::Keep]],
            Say::WhichSession { .. } => vec![vec![Press::First, Press::Second]],
            _ => Vec::new(),
        }
    }

    /// How this text changes for a phone in this mode (safety rule D2): a discreet phone gets one of
    /// two neutral texts, a silent one nothing. News becomes a ring task; thanks and acknowledgements
    /// are left out.
    pub fn in_mode(self, mode: Mode) -> InMode {
        let receipt = matches!(
            self,
            Say::ConfirmAck { .. }
                | Say::StopAck
                | Say::StartAck
                | Say::Welcome
                | Say::OldButton
                | Say::NoLongerInUse
                | Say::WrongNumberAck
        );
        match (mode, self) {
            (Mode::Normal, say) => InMode {
                say: Some(say),
                ring: false,
            },
            (
                Mode::Discreet,
                Say::ConfirmRequest { arrival, .. } | Say::DiscreetRequest { arrival },
            ) => InMode {
                say: Some(Say::DiscreetRequest { arrival }),
                ring: false,
            },
            (Mode::Discreet, say @ Say::PleaseRing) => InMode {
                say: Some(say),
                ring: false,
            },
            // Sent to staff, or to an address that is not yet known to be a party's: no mode applies.
            (_, say @ (Say::StaffAlert { .. } | Say::LinkNumber { .. } | Say::LinkRefused)) => {
                InMode {
                    say: Some(say),
                    ring: false,
                }
            }
            (_, _) if receipt => InMode {
                say: None,
                ring: false,
            },
            (Mode::Discreet, _) => InMode {
                say: Some(Say::PleaseRing),
                ring: true,
            },
            (Mode::Silent, _) => InMode {
                say: None,
                ring: true,
            },
        }
    }
}
