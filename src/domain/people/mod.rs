//! Who takes part: parents, referrers, staff, and how they are reached.

pub mod person;
pub mod senders;
pub mod staff;
