//! A message comes in: it is stored first, then understood and decided, and what follows is recorded
//! together with its answer.

mod apply;
mod cancellation;
pub mod chats;
mod context;
mod decision_writer;
mod effects;
mod inbox;
pub mod polling;
mod preferences;
mod receipt;
mod reply;
mod visit_choice;

pub use apply::{apply_all, run};
pub use inbox::{catch_up, from_webhook, store};
pub use receipt::receipt;
pub(crate) use receipt::went_elsewhere;
