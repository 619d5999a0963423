//! What a message means.

use crate::domain::replies::understanding::named_times::NamedTimes;
use crate::domain::visits::session::Reason;

/// What a parent's message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Will come.
    Confirm,
    /// Cannot come, with the reason if one was given.
    Cancel(Option<Reason>),
    /// Four digits: the code of a cancellation.
    Code(String),
    /// A small number: the answer to a numbered question, if there is one.
    Number(u8),
    /// Somebody else has this phone.
    WrongNumber,
    /// One of the words offered where codes are off.
    ReasonWord(Reason),
    /// Send no more messages.
    Stop,
    /// Send messages again.
    Start,
    /// How does it work?
    Help,
    /// Will come, but not on time.
    RunningLate,
    /// Wants another time or day.
    Reschedule,
    /// Asks something.
    Question,
    /// A new number, address or name, or a court order.
    DetailsChange,
    /// Insults, and nothing that is an answer.
    Abuse,
    /// Signs of danger: a person is told at once.
    Safeguarding,
    /// Not clearly any of these: a person reads it.
    Unclear,
}

impl Intent {
    /// The name of the intent in lists and test cases.
    pub fn as_str(&self) -> &'static str {
        match self {
            Intent::Confirm => "confirm",
            Intent::Cancel(Some(Reason::IllChild)) | Intent::ReasonWord(Reason::IllChild) => {
                "cancel_illness_child"
            }
            Intent::Cancel(Some(Reason::IllSelf)) | Intent::ReasonWord(Reason::IllSelf) => {
                "cancel_illness_self"
            }
            Intent::Cancel(Some(Reason::Travel)) | Intent::ReasonWord(Reason::Travel) => {
                "cancel_transport"
            }
            Intent::Cancel(_) | Intent::ReasonWord(_) => "cancel",
            Intent::Code(_) => "code",
            Intent::Stop => "stop",
            Intent::Start => "start",
            Intent::Help => "help",
            Intent::RunningLate => "running_late",
            Intent::Reschedule => "reschedule_request",
            Intent::Question => "question",
            Intent::DetailsChange => "details_change",
            Intent::Abuse => "abuse",
            Intent::Safeguarding => "safeguarding_alert",
            // A number says nothing without its question, and a stranger's message is no answer.
            Intent::Number(_) | Intent::WrongNumber | Intent::Unclear => "unclear",
        }
    }
}

/// What was understood of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    pub intent: Intent,
    /// The name of the rule that gave the intent.
    pub rule: &'static str,
    /// The days and times that the message names.
    pub named: NamedTimes,
    /// It has a word of YES, and not only words of courtesy such as "no problem".
    pub plain_yes: bool,
    /// It hints that somebody else reads this phone or dictates what is written on it (safety rule
    /// D4).
    pub watched: bool,
    /// Part of it could not be read. That part does not change the answer, but a person reads it.
    pub leftover: bool,
    /// It says for certain that some of the children stay away and the visit goes on with the
    /// others.
    pub some_children: Option<SomeChildren>,
}

/// Only some of the children stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SomeChildren {
    /// Those who stay away are ill.
    pub ill: bool,
}

impl Understood {
    /// An intent, and nothing else that is known.
    pub(super) fn new(intent: Intent, rule: &'static str) -> Self {
        Understood {
            intent,
            rule,
            named: NamedTimes::default(),
            plain_yes: false,
            watched: false,
            leftover: false,
            some_children: None,
        }
    }
}
