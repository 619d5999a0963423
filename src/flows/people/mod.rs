//! Phones, links and answers by staff.

pub mod link;
pub mod phone;
pub mod reply;
