//! Fees, notes and the hours in which texts about them may leave.

pub mod office_hours;
pub mod policy;
