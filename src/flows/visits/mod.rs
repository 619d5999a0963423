//! What happens to a session: booking, moving, cancelling, closing, attendance.

pub mod answer;
pub mod ask_date;
pub mod attendance;
pub mod book;
pub mod booking;
pub mod cancel;
pub mod closure;
mod closure_preview;
pub mod end_series;
pub mod milestones;
pub mod move_session;
pub mod reinstate;
pub mod series;
pub(crate) mod session_shape;
pub mod terms;
