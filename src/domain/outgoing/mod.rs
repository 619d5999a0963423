//! Messages on their way out: what may be said, to whom, and whether it may leave now.

pub mod claimed;
pub mod decide;
pub mod lint;
pub mod message;
pub mod pace;
pub mod payload;
pub mod receipt;
pub mod say;
pub mod segments;
pub mod whatsapp;
