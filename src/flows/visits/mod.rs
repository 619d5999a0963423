//! What happens to a session: booking, moving, cancelling, closing, attendance.

pub mod answer;
pub mod ask_date;
pub mod attendance;
pub mod book;
pub mod cancel;
pub mod closure;
pub mod milestones;
pub mod move_session;
pub mod reinstate;
pub mod terms;
