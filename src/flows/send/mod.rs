//! Messages leave: claim, decide, send, record, reconcile.

pub mod engine;
pub(crate) mod recheck;
pub mod reconcile;
