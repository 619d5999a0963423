//! What is booked: sessions, series, notice and the terms that a session keeps.

pub mod announced;
pub mod attendee;
pub mod notice;
pub mod series;
pub mod session;
pub mod terms;
