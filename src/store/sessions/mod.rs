//! Sessions and their attendees.

mod attendees;
mod changes;
mod due;
mod lookup;

pub use crate::store::session_rows::local_text;
pub use crate::store::sessions::attendees::{
    PartyFilter, booked_between, contexts_between, contexts_of_address, contexts_of_attendees,
    contexts_of_case, contexts_of_session, count_asks_until, due_to_ask, unasked,
};
pub use crate::store::sessions::changes::{
    Cancellation, cancel, reinstate, restart_question, schedule_ask, set_answer, set_decided_at,
    set_release, set_state, set_time, undo_cancellation, update_asks,
};
pub use crate::store::sessions::due::{anything_due, next_ask_at, ring_for_waiting};
pub use crate::store::sessions::lookup::{count_between, get, list, lock, lock_available};
