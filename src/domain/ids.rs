//! The ids of what is stored. Each kind is a type of its own, so that passing one for another does
//! not compile:
//!
//! ```
//! use courtesy::domain::ids::SessionId;
//!
//! fn cancel(_: &SessionId) {}
//!
//! cancel(&SessionId::new("3f2a"));
//! ```
//!
//! ```compile_fail,E0308
//! use courtesy::domain::ids::{CaseId, SessionId};
//!
//! fn cancel(_: &SessionId) {}
//!
//! cancel(&CaseId::new("3f2a"));
//! ```
//!
//! An id is no string either: only [`Id::as_str`] or `Display` leads back to its text.
//!
//! ```compile_fail,E0308
//! use courtesy::domain::ids::SessionId;
//!
//! fn find(_: &str) {}
//!
//! find(&SessionId::new("3f2a"));
//! ```

#![warn(missing_docs)]

/// What every kind of id can do. The store reads and writes ids through it.
pub trait Id {
    /// The id with this text.
    fn from_text(text: String) -> Self;
    /// Its text.
    fn as_str(&self) -> &str;
    /// Its text, without a copy.
    fn into_text(self) -> String;
}

macro_rules! ids {
    ($($(#[$m:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$m])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id with this text.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Id for $name {
            fn from_text(text: String) -> Self {
                $name(text)
            }

            fn as_str(&self) -> &str {
                &self.0
            }

            fn into_text(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    )+};
}

/// Ids that are given on the command line.
macro_rules! parsed {
    ($($name:ident),+ $(,)?) => {$(
        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok($name::new(text))
            }
        }
    )+};
}

ids! {
    /// A number or chat of a party.
    AddressId,
    /// One try to send a message. It is also the secret token in the address of the status
    /// callback and in the buttons of the text.
    AttemptToken,
    /// A question that asks a parent for the code that cancels a visit.
    CancelQuestionId,
    /// A case; staff know it by its reference, such as `BRK-0101`.
    CaseId,
    /// A numbered question that asks which visit was meant.
    ChoiceId,
    /// Days on which a centre is closed.
    ClosureId,
    /// A question about another date for a visit.
    DateQuestionId,
    /// An errand in a chat.
    ErrandId,
    /// A recorded fact.
    FactId,
    /// The fee of a session, as lists show it.
    FeeId,
    /// A message that came in.
    InboundId,
    /// A message to one party.
    MessageId,
    /// A party of a case.
    PartyId,
    /// A series of sessions.
    SeriesId,
    /// A session.
    SessionId,
    /// A task for a person.
    TaskId,
    /// A chat that waits until staff confirm it.
    WaitingChatId,
    /// A process that sends or receives.
    WorkerId,
}
parsed!(FactId, FeeId, MessageId, SeriesId, SessionId, TaskId);
