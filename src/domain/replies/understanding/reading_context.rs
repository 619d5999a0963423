//! What is known when a message is read.

use crate::domain::people::channel::Channel;
use chrono::NaiveDateTime;

/// Which question waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PendingQuestion {
    /// Will you come?
    #[default]
    Confirm,
    /// Which of these, by number?
    Numbered,
}

/// What is known of the sender and of their visits. The default knows nothing, and is the careful
/// choice.
#[derive(Debug, Clone, Copy)]
pub struct ReadingContext<'a> {
    /// The language of the party (BCP 47).
    pub lang: &'a str,
    /// Where the message came from.
    pub channel: Channel,
    /// How many sessions await an answer.
    pub open: usize,
    pub asked: PendingQuestion,
    /// The party's own arrivals at these sessions, in local time. If it is empty, they are not
    /// known: then no message that names a date or a time confirms.
    pub arrivals: &'a [NaiveDateTime],
}

impl Default for ReadingContext<'_> {
    fn default() -> Self {
        ReadingContext {
            lang: "en",
            channel: Channel::Sms,
            open: 1,
            asked: PendingQuestion::Confirm,
            arrivals: &[],
        }
    }
}
