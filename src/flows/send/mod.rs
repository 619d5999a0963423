//! Messages leave: claim, decide, send, record, reconcile.

mod carry_out;
pub mod engine;
mod outcome;
pub mod reconcile;
mod snapshot;
