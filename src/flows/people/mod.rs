//! Phones, links and answers by staff.

pub mod calls;
pub mod decision;
pub mod link;
pub mod phone;
pub mod referral;
pub mod reply;
