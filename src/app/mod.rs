//! The running program: builds its parts from the settings, starts the loops, stops them in order.

mod build;
mod database;
mod idle;
mod line_loops;
mod lines;
mod loops;
mod start;

pub use crate::app::build::{build, load_templates};
pub use crate::app::database::{Purpose, open_db};
pub use crate::app::idle::until_idle;
pub use crate::app::lines::lines;
pub use crate::app::start::{Running, Start, start};
