//! Fees and notes: what staff record, and what follows from each fact.

pub(crate) mod assessed_case;
pub mod correct;
pub mod lists;
pub(crate) mod notified;
mod owed_again;
pub(crate) mod recheck;
pub mod record;
pub mod release;
mod reviews;
pub mod settle;
pub mod standing;
mod texts;
