//! Messages leave: claim, decide, send, record, reconcile.

mod carry_out;
pub mod engine;
pub mod reconcile;
mod snapshot;
