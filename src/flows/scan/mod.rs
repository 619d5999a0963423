//! What is due now.

pub mod alerts;
pub mod confirmations;
