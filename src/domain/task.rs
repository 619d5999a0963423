//! Tasks: what staff have to do.

#![warn(missing_docs)]

use crate::string_enum;
use chrono::{DateTime, Duration, Utc};

/// A task for a visit that is this near is urgent.
pub(crate) const URGENT_WITHIN: Duration = Duration::hours(24);

string_enum! {
    /// What a person has to do.
    TaskKind {
        // A message to read.

        /// Read the message, and answer it.
        ReadMessage = "read_message",
        /// Look at the picture, voice message or file, and answer it.
        Media = "media",
        /// Expect the family later than booked.
        RunningLate = "running_late",
        /// Find out who wrote from a number that is not on file.
        UnknownSender = "unknown_sender",
        /// Expect only some of the children: the others stay away.
        SomeChildren = "some_children",
        /// Check whether a machine answers our messages: the same text came again and again, or
        /// very many at once.
        AutoReplies = "auto_replies",

        // Somebody may be in danger.

        /// Read the message with signs of danger at once, and act on it.
        Safeguarding = "safeguarding",
        /// Talk to the parent alone at the next visit: they wrote their private word (safety rule
        /// D5).
        QuietWord = "quiet_word",
        /// Find out why one chat was tried for both parents of a case.
        LinkRefused = "link_refused",

        // A cancellation, or a YES after one.

        /// Take note that a party cancelled a session, and decide what is next.
        Cancellation = "coordinator_cancellation",
        /// Ring the party: they began to cancel and did not finish.
        CancelUnfinished = "cancel_unfinished",
        /// Ring the party to finish the cancellation, because they cannot do so by text.
        CancelByPhone = "cancel_by_phone",
        /// Ring the party: they said YES after a cancellation.
        Reconfirm = "reconfirm",
        /// Check a cancellation that counts as in time: it may have come before the cut-off while
        /// the service was down.
        CountedInTime = "counted_in_time",
        /// Find out why more cancellations came by text than a normal day brings.
        Storm = "cancellation_storm",
        /// Decide who cancelled: both parents did at the same instant (choice C10).
        Tie = "tie",
        /// Decide whether the reason is good: a party cancelled contact that a court ordered
        /// (choice C21).
        CourtOrder = "court_order",
        /// Ask how many children are ill (choice C16).
        ChildrenCount = "children_count",

        // A party to ring, because no text reaches them.

        /// Ring the party: a visit is cancelled, and they cannot be texted.
        RingSessionOff = "ring_session_off",
        /// Ring the party: a visit takes place after all, or at another time, and they cannot be
        /// texted.
        RingSessionOn = "ring_session_on",
        /// Ring the party before the next visit: they want no texts.
        RingOptedOut = "ring_opted_out",
        /// Ring the party: there is no address that takes texts.
        RingNoAddress = "ring_no_address",
        /// Ring the party: a stranger answered from their number, which is paused.
        RingWrongNumber = "ring_wrong_number",

        // Numbers and chats.

        /// Get another number: this one takes no texts.
        BadNumber = "bad_number",
        /// Ring the number on file to confirm the different one in an imported file.
        ConfirmNumber = "confirm_number",
        /// Have the party read out the number of the chat that waits to be linked.
        ConfirmChat = "confirm_chat",
        /// Ask the party how to reach them: they blocked the bot.
        ChatBlocked = "chat_blocked",

        // Messages and channels that failed.

        /// Find out whether the message was sent, and tell the party if it was not.
        Uncertain = "uncertain_message",
        /// Get the channel going again: the provider refuses every message.
        ChannelStopped = "channel_stopped",
        /// Ask whether families wrote: the service was down for longer than the provider keeps
        /// messages.
        MessagesLost = "messages_may_be_lost",

        // Visits.

        /// Confirm the move: both parents can come on the other date.
        DateAgreed = "date_agreed",
        /// Close the question about another date: a parent cannot come then.
        DateDeclined = "date_declined",
        /// Ring, or book the session later: the file has a session of a case that may not be
        /// booked.
        NotBooked = "not_booked",
        /// Cancel the visit and ring both parents: it is still booked, and the file is closed.
        ClosedFileVisit = "closed_file_visit",
        /// Record why somebody did not come (choice C12).
        NoShow = "no_show",
        /// Book a replacement: contact that a court ordered did not take place.
        Replacement = "replacement",
        /// Look at a case with repeated late cancellations, or repeatedly missing notes (safety
        /// rule b2).
        Pattern = "pattern",

        // Milestones.

        /// Review the family's contact.
        ReviewDue = "review_due",
        /// Hold the introduction meeting after the first months.
        IntroductionMeeting = "introduction_meeting",
        /// Invite a new family to see the centre.
        Previsit = "previsit_invitation",
        /// Tell the family that a rule changes.
        FeeChange = "fee_change",

        // Fees and notes.

        /// Release the notice to all parties: a fee is unpaid at the next due session (safety rule
        /// M4).
        ReleaseAllParties = "release_all_parties_notice",
        /// Release the notice to all parties: the file is closed.
        ReleaseCaseClosed = "release_case_closed",
        /// Tell the party about money or a note and record it: the text cannot be sent, or its
        /// delivery is not known.
        TellByPhone = "tell_by_phone",
        /// Tell the referrer by letter or e-mail.
        TellReferrer = "tell_referrer",
        /// Decide whether to send a text about money: a task about this party's own safety is open
        /// (safety rule M3). For a manager.
        MoneyPaused = "money_paused",
        /// Decide about a fee that is payable again, after the party was told that nothing is owed.
        /// For a manager.
        OwedAgain = "owed_again",
        /// Pay back what is more than owed (choice C18).
        Refund = "refund",
        /// Look at a note for another date, person or number of children (choice C17).
        NoteMismatch = "note_mismatch",
        /// Look at a note that changes nothing (choice C06).
        NoteNoEffect = "note_no_effect",
        /// Look at a note that came after the file was closed (choice C05).
        LateNote = "late_note",
    }
}

impl TaskKind {
    /// Whether staff have to be told at once: danger, something that is down or attacked, and
    /// anything that a family must be told before a visit within a day.
    pub fn is_urgent(self, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match self {
            TaskKind::Safeguarding
            | TaskKind::Storm
            | TaskKind::ChannelStopped
            | TaskKind::LinkRefused
            | TaskKind::MessagesLost => true,
            TaskKind::ConfirmNumber | TaskKind::ConfirmChat | TaskKind::UnknownSender => false,
            TaskKind::Replacement
            | TaskKind::ReviewDue
            | TaskKind::IntroductionMeeting
            | TaskKind::Previsit
            | TaskKind::FeeChange
            | TaskKind::Pattern
            | TaskKind::NotBooked => false,
            _ => due.is_some_and(|d| d > now && d - now < URGENT_WITHIN),
        }
    }
}
