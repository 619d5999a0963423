//! Money: the rules on fees, and the hours in which texts about money are sent.

pub mod amount;
pub mod office_hours;
pub mod policy;
