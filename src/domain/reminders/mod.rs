//! When something is due: confirmations, news for the other parent, reviews.

pub mod courtesy;
pub mod milestones;
pub mod release;
pub mod schedule;
