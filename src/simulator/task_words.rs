//! What a person has to do for each kind of task, for the story in the terminal.

use crate::domain::task::TaskKind;

/// What a task asks for, in plain words.
pub(super) fn task_in_words(kind: TaskKind) -> &'static str {
    use TaskKind as T;
    match kind {
        T::ReadMessage => "read a message and answer it",
        T::Safeguarding => "signs of danger in a message: read it now",
        T::RunningLate => "a party will be late: tell the room",
        T::UnknownSender => "a message came from a number not on file",
        T::Cancellation => "a party called a session off",
        T::CancelUnfinished => "ring: asked to cancel and did not finish",
        T::CancelByPhone => "ring: asked to cancel and cannot do it by text",
        T::Reconfirm => "a YES came after a cancellation",
        T::ClosedFileVisit => {
            "the file is closed and this visit is still booked: call it off, and ring both parents"
        }
        T::RingOptedOut => "ring before the visit: wants no texts",
        T::RingNoAddress => "ring before the visit: no number that takes texts",
        T::RingSessionOff => "ring: the visit is off and this party cannot be texted",
        T::RingSessionOn => {
            "ring: the visit is on, perhaps at another time, and this party cannot be texted"
        }
        T::Uncertain => "a text may or may not have left: decide",
        T::BadNumber => "ring: the number takes no texts",
        T::ChannelStopped => "the texting service refuses everything",
        T::Storm => "more cancellations by text than usual: look before they count",
        T::Media => "a picture or voice message came",
        T::RingWrongNumber => "ring before the visit: a stranger has the number",
        T::ConfirmNumber => "ring the old number: a file names another one",
        T::ConfirmChat => "a chat shows a number: hear it from the parent, then link it",
        T::LinkRefused => "a chat of the other party tried to link",
        T::ChatBlocked => "the bot was blocked in a chat",
        T::CountedInTime => "a press came while nobody listened: it counts as in time",
        T::AutoReplies => "a number keeps sending: perhaps a machine; it gets no more answers",
        T::QuietWord => "a private word came: talk to this parent alone at the next visit",
        T::SomeChildren => "some of the children stay away, the visit goes on",
        T::MessagesLost => "nobody listened for a day: messages by Telegram may be lost",
        T::ReviewDue => "review the family's contact",
        T::IntroductionMeeting => "arrange the introduction meeting",
        T::Previsit => "invite the family to see the centre before its first session",
        T::FeeChange => "tell the family that a rule changes",
        T::Pattern => "late cancellations or missing notes, again and again: look at the case",
        T::DateAgreed => "both can come on the other date: confirm the move",
        T::DateDeclined => "the other date does not suit: close the question",
        T::ReleaseAllParties => {
            "a fee is unpaid: ring the parent who owes it, then release the notice to all parties"
        }
        T::ReleaseCaseClosed => {
            "the file is closed: ring the parent who owes the fee, then release the notice"
        }
        T::TellByPhone => {
            "ring: this party cannot be told of money or a note by text; then record it"
        }
        T::MoneyPaused => {
            "a text about money waits, for this party's own safety: a manager decides"
        }
        T::OwedAgain => "a receipt was sent and the fee is owed again: a manager decides",
        T::TellReferrer => "tell the referrer by letter or e-mail",
        T::ChildrenCount => "ask how many children are ill",
        T::CourtOrder => "contact by court order was cancelled: is the reason good?",
        T::Tie => "both parents cancelled at the same moment: decide about the fee",
        T::NoShow => "somebody did not come: look at what was recorded",
        T::NoteMismatch => "a note for another day, person or number of children: look",
        T::NoteNoEffect => "a note came where none can help: a manager may waive",
        T::LateNote => "a note came after the file was closed: a manager decides",
        T::Refund => "more was paid than is owed: a manager decides",
        T::NotBooked => {
            "a file has a session of a family that may not be booked now: ring, or book it when it \
             may"
        }
        T::Replacement => "contact by court order did not take place: book another session",
    }
}
