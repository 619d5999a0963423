//! Messages: their kinds and states, and what an attempt's outcome makes of them.

use crate::string_enum;

string_enum! {
    /// What a message says.
    MessageKind {
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
        /// Not understood: the two answers once more, once a day.
        UnclearReply = "unclear_reply",
        Help = "help",
        /// Texts are off.
        StopAck = "stop_ack",
        /// Texts are on again.
        StartAck = "start_ack",
        /// A number not on file.
        UnknownSender = "unknown_sender",
        /// Which of two visits is meant?
        WhichSession = "which_session",
        /// To a stranger who has a parent's number (safety rule d3).
        WrongNumberAck = "wrong_number_ack",
        /// The centre is closed: the visit will not go ahead, and nobody is charged.
        Closure = "closure",
        /// A bare request to ring (safety rule D2).
        PleaseRing = "please_ring",
        /// The courtesy request in its barest words (safety rule D2).
        DiscreetRequest = "discreet_request",
        /// A chat was linked: what it is for.
        Welcome = "welcome",
        /// The number that staff must hear before a chat is linked anew (safety rule G1).
        LinkNumber = "link_number",
        /// A chat or a code that cannot be linked.
        LinkRefused = "link_refused",
        /// What a button says that does nothing any more.
        OldButton = "old_button",
        /// Replaces old texts in a chat that is no longer used (safety rule G2).
        NoLongerInUse = "no_longer_in_use",
        /// To staff: something urgent waits. Never a name, a case or a reason (safety rule A1).
        StaffAlert = "staff_alert",
        /// The words of a person, in answer to a message.
        StaffReply = "staff_reply",
        /// To who owes it: a fee is due.
        FeeNotice = "fee_notice",
        /// To who may bring one: a note instead of the fee.
        NoteRequest = "note_request",
        /// Before the next contact: the note is still awaited.
        NoteReminder = "note_reminder",
        /// Nothing is owed any more, however that came about (safety rule a12).
        FeeSettled = "fee_settled",
        /// To everybody on the file: a payment is open, anyone may make it, and until when.
        AllPartiesNotice = "all_parties_notice",
        /// To everybody on the file: it is closed.
        CaseClosed = "case_closed",
        /// A session that was called off takes place after all.
        SessionOn = "session_on",
        /// Could you come on another date? To both parents, whoever asked for it (safety rule h7).
        DateQuestion = "date_question",
        /// The visit stays when it was, whoever could not (safety rule h7).
        DateRefused = "date_refused",
        /// A regular talk about the visits is due.
        ReviewDue = "review_due",
        /// Everybody comes to a meeting after some months.
        IntroductionMeeting = "introduction_meeting",
        /// Come and look round before the first visit.
        PrevisitInvitation = "previsit_invitation",
        /// The rules on notice and fees change. Names no amount and nobody.
        FeeChange = "fee_change",
    }
}

impl MessageKind {
    /// Whether it answers a message; answers go before what nobody asked for.
    pub fn is_answer(self) -> bool {
        let unasked = matches!(
            self,
            MessageKind::ConfirmRequest
                | MessageKind::SessionOff
                | MessageKind::SessionMoved
                | MessageKind::SessionOn
                | MessageKind::Closure
                | MessageKind::DateQuestion
                | MessageKind::DateRefused
                | MessageKind::PleaseRing
                | MessageKind::DiscreetRequest
                | MessageKind::StaffAlert
        );
        !unasked && !self.is_money() && !self.is_milestone()
    }

    /// Whether it is about a fee, a note or a file that closes for it: such a text goes in office
    /// hours only (safety rule M2), stops for a party whose own safety is in an open task (M3), and
    /// is said in a language only once a speaker has checked its words.
    pub fn is_money(self) -> bool {
        matches!(
            self,
            MessageKind::FeeNotice
                | MessageKind::NoteRequest
                | MessageKind::NoteReminder
                | MessageKind::FeeSettled
                | MessageKind::AllPartiesNotice
                | MessageKind::CaseClosed
        )
    }

    /// Whether it tells what a task for staff tells them too: it goes to both parents at one
    /// instant, in office hours, and no person has to ring for it alone.
    pub fn is_milestone(self) -> bool {
        matches!(
            self,
            MessageKind::ReviewDue
                | MessageKind::IntroductionMeeting
                | MessageKind::PrevisitInvitation
                | MessageKind::FeeChange
        )
    }

    /// Whether it is said in a language only once a speaker has checked its words.
    pub fn needs_checked_words(self) -> bool {
        self.is_money() || self == MessageKind::FeeChange
    }

    /// Whether it says that a visit does not take place: whoever cannot be told so is rung.
    pub fn calls_off(self) -> bool {
        matches!(self, MessageKind::SessionOff | MessageKind::Closure)
    }

    /// Whether it goes to an address whoever uses it now: it names nobody, or it is for staff.
    pub fn goes_to_anybody(self) -> bool {
        matches!(
            self,
            MessageKind::LinkNumber
                | MessageKind::LinkRefused
                | MessageKind::StopAck
                | MessageKind::WrongNumberAck
                | MessageKind::UnknownSender
                | MessageKind::StaffAlert
        )
    }

    /// Whether it says that a visit takes place after all, or at another time: whoever cannot be
    /// told so is rung.
    pub fn calls_on(self) -> bool {
        matches!(self, MessageKind::SessionOn | MessageKind::SessionMoved)
    }
}

string_enum! {
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

string_enum! {
    /// How an attempt ended.
    AttemptOutcome {
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

string_enum! {
    /// Why a message ended without being sent.
    EndReason {
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
        /// The bot was blocked in this chat.
        Blocked = "blocked",
        /// A fee or note that is not asked for any more, or a task that is done.
        NoLongerDue = "no_longer_due",
        /// A task about the reader's own safety is open: a person speaks with them.
        Safety = "safety_first",
    }
}
