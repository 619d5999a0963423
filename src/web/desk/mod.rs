//! The pages of staff.

pub mod access;
pub mod board;
pub mod live;
pub mod pages;
