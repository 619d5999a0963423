//! What staff have to look at.

use crate::string_enum;
use chrono::{DateTime, Duration, Utc};

/// Whatever has to be done for a visit this near is urgent.
pub(crate) const URGENT_WITHIN: Duration = Duration::hours(24);

string_enum! {
    /// What a person has to look at.
    TaskKind {
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
        /// Must hear that a visit takes place after all, or at another time, and cannot be texted:
        /// ring.
        RingSessionOn = "ring_session_on",
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
        /// The same text again and again, or very many at once: a machine may be answering ours.
        AutoReplies = "auto_replies",
        /// A parent wrote the private word that they chose: talk to them alone at the next visit
        /// (safety rule D5).
        QuietWord = "quiet_word",
        /// Some of the children stay away, the visit goes on with the others.
        SomeChildren = "some_children",
        /// Nobody listened for longer than the service keeps messages: some may be lost.
        MessagesLost = "messages_may_be_lost",
        /// A fee is unpaid at the next due session: all parties are told when a person releases it
        /// (safety rule M4).
        ReleaseAllParties = "release_all_parties_notice",
        /// The file is closed: all parties are told when a person releases it.
        ReleaseCaseClosed = "release_case_closed",
        /// A visit is still booked on a case whose file is closed: call it off, and ring both
        /// parents.
        ClosedFileVisit = "closed_file_visit",
        /// A text about money or a note that cannot be sent, or of which nothing was heard: tell
        /// the party, and record it.
        TellByPhone = "tell_by_phone",
        /// A text about money waits because a task about this party's own safety is open (safety
        /// rule M3): a manager decides.
        MoneyPaused = "money_paused",
        /// Was told that nothing is owed, and something that was recorded later makes a fee payable
        /// again: a manager decides.
        OwedAgain = "owed_again",
        /// A referrer is to be told by letter or e-mail.
        TellReferrer = "tell_referrer",
        /// How many children are ill (choice C16).
        ChildrenCount = "children_count",
        /// A party cancelled contact that a court ordered: is the reason good (choice C21)?
        CourtOrder = "court_order",
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
        /// A file has a session of a case that may not be booked: ring, or book it when it may.
        NotBooked = "not_booked",
        /// Late cancellations, or notes that do not come, again and again: a person looks (safety
        /// rule b2).
        Pattern = "pattern",
        /// Both can come on the other date: confirm the move.
        DateAgreed = "date_agreed",
        /// A parent cannot come on the other date: close the question.
        DateDeclined = "date_declined",
    }
}

impl TaskKind {
    /// Whether staff have to hear of it now: something that stands still or is attacked, and
    /// whatever a family must hear before a visit of the next day.
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
