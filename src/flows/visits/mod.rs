//! What happens to a session: booking, moving, cancelling, closing, attendance.

pub mod ask_date;
pub mod book;
pub mod cancel;
pub mod closure;
pub mod milestones;
pub mod record;
pub mod terms;
