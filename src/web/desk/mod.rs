//! The pages of staff.

pub mod board;
