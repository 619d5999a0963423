//! Tasks: what a person has to look at.
//!
//! A person marks a task as done. A task that nobody needs any more becomes obsolete (column
//! `moot`).

mod close;
mod open;
mod read;
mod reopen;

pub use crate::store::tasks::close::{
    any_outdated, mark_done, mark_done_of_party, mark_done_of_session, mark_many_obsolete,
    mark_obsolete, mark_obsolete_by_id, mark_obsolete_of_session, mark_obsolete_of_sessions,
    mark_outdated_obsolete, mark_past_unfinished_obsolete, mark_releases_done_except,
    mark_unfinished_obsolete,
};
pub use crate::store::tasks::open::{NewTask, open, open_for_message, open_many};
pub use crate::store::tasks::read::{
    CaseTask, Task, TaskContext, get, is_open, list, open_or_obsolete, set_alerted, unalerted,
    was_done,
};
pub use crate::store::tasks::reopen::{
    reopen, reopen_if_done_before, reopen_obsolete, reopen_obsolete_by_id, reopen_ring_tasks,
};
