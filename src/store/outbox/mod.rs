//! Messages: what is decided to be sent, and every attempt to send it.
//!
//! The order of writes is the protocol of `docs/decisions/0003-sending.md`: claim and intent in one
//! commit, then the request, then the result.

mod claim;
mod line;
mod payload;
mod queue;
mod sending;
mod visit_news;

pub use crate::store::outbox::claim::{Rerouted, claim, end_claims, reroute};
pub use crate::store::outbox::line::{LineScope, line_name};
pub(super) use crate::store::outbox::payload::read_payload;
pub use crate::store::outbox::queue::{
    NewMessage, enqueue, expire, move_channel, revive, withdraw,
};
pub use crate::store::outbox::sending::{
    AfterRefusal, Attempt, AttemptResult, begin_attempts, record_results,
};
pub use crate::store::outbox::visit_news::{
    cancellation_was_sent, forget_unsent_move, may_know_of_cancellation, unsent_move, unsent_moves,
};
