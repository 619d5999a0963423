//! Received messages: what a text means, and what follows from it.

pub mod cancel_code;
pub mod conversation;
pub mod inbound;
pub(crate) mod patterns;
pub mod understanding;
