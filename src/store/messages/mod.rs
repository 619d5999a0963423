//! Queries about messages.

mod history;
mod list;
mod queue;

pub use crate::store::messages::history::{
    answers_since, last_asked_session_start, question_state, unknown_sender_replies_since,
    unprompted,
};
pub use crate::store::messages::list::{ListedAttempt, ListedMessage, list, of_case, waiting};
pub use crate::store::messages::queue::{
    QueueLoad, any_due, attempts_today, count_due_until, counts, load,
};
