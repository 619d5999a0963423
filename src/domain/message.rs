//! Messages: their kinds and states, and what an attempt's outcome makes of them.

use crate::words_enum;

words_enum! {
    /// What a message says.
    Kind {
        /// Courtesy request to confirm.
        ConfirmRequest = "confirm_request",
        /// Thanks for a YES.
        ConfirmAck = "confirm_ack",
        /// The question that finishes a cancellation.
        CancelReasonAsk = "cancel_reason_ask",
        /// A cancellation is recorded.
        CancellationAck = "cancellation_ack",
        /// One family's session will not take place.
        SessionOff = "session_off",
        /// The centre changed day or time.
        SessionMoved = "session_moved",
        /// A person will read this.
        NeedsCoordinatorAck = "needs_coordinator_ack",
        /// How it works.
        Help = "help",
        /// Texts are off.
        StopAck = "stop_ack",
        /// Texts are on again.
        StartAck = "start_ack",
        /// A number not on file.
        UnknownSender = "unknown_sender",
    }
}

impl Kind {
    /// Whether it answers a message; answers go before what nobody asked for.
    pub fn is_answer(self) -> bool {
        !matches!(self, Kind::ConfirmRequest | Kind::SessionOff | Kind::SessionMoved)
    }
}

words_enum! {
    /// Where a message stands; computed from its attempts.
    MessageState {
        /// Not yet begun, or due again.
        Waiting = "waiting",
        /// An attempt is open.
        Sending = "sending",
        /// The provider has it.
        Sent = "sent",
        /// The provider says that the phone has it.
        Delivered = "delivered",
        /// The provider gave up.
        Undelivered = "undelivered",
        /// The provider refused it.
        Refused = "refused",
        /// It was no longer worth sending.
        Expired = "expired",
        /// What made it no longer holds.
        Withdrawn = "withdrawn",
        /// Nobody can tell whether it left; a person decides.
        Uncertain = "uncertain",
    }
}

words_enum! {
    /// How an attempt ended.
    Outcome {
        /// The provider took it.
        Accepted = "accepted",
        /// It surely did not leave.
        NotSent = "not_sent",
        /// The provider refused it.
        Refused = "refused",
        /// Nobody can tell.
        Uncertain = "uncertain",
    }
}

words_enum! {
    /// Why a message ended without being sent.
    Ended {
        /// The session was called off.
        SessionOff = "session_cancelled",
        /// The session moved, or the question changed.
        Moved = "moved",
        /// The party answered already.
        Answered = "already_answered",
        /// The party wants no messages.
        OptedOut = "opted_out",
        /// No safe address.
        NoAddress = "no_usable_channel",
        /// The phone may show nothing.
        Mode = "quiet_mode",
        /// The file is closed.
        Archived = "case_archived",
        /// The cancellation was taken back.
        TakenBack = "taken_back",
        /// Its time is over.
        TooLate = "too_late",
        /// The number does not exist or takes no texts.
        BadNumber = "bad_number",
    }
}
