//! What may be said to one party. A text is rendered from these types alone, and they have no room for the other party: no cause, no
//! name, no other arrival, no session start.

use super::message::Kind;
use chrono::NaiveDateTime;

/// Who speaks: the centre's words that stand in texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// First word of every text.
    pub short_name: String,
    /// The office's number.
    pub phone: String,
    /// The country's emergency number.
    pub emergency_number: String,
}

/// How a cancellation is to be finished (safety rule S1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishBy {
    /// Late, reason unknown: a stem with an option digit for each reason.
    CodeWithReason {
        /// Three random digits.
        stem: String,
    },
    /// One code; `late` says that a fee may apply.
    Code {
        /// The full number to reply.
        code: String,
        /// Less than the notice hours are left.
        late: bool,
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
        /// With the notice hours or more: there is no charge.
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
    /// How it works.
    Help,
    /// Texts are off.
    StopAck,
    /// Texts are on.
    StartAck,
    /// Not on file; names nobody.
    UnknownSender,
}

impl Say {
    /// The kind of message that says it.
    pub fn kind(&self) -> Kind {
        match self {
            Say::ConfirmRequest { .. } => Kind::ConfirmRequest,
            Say::ConfirmAck { .. } => Kind::ConfirmAck,
            Say::CancelReasonAsk { .. } => Kind::CancelReasonAsk,
            Say::CancellationAck { .. } => Kind::CancellationAck,
            Say::SessionOff { .. } => Kind::SessionOff,
            Say::SessionMoved { .. } => Kind::SessionMoved,
            Say::Handover => Kind::NeedsCoordinatorAck,
            Say::Help => Kind::Help,
            Say::StopAck => Kind::StopAck,
            Say::StartAck => Kind::StartAck,
            Say::UnknownSender => Kind::UnknownSender,
        }
    }
}
