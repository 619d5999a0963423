//! The database: the only SQL. One file or folder per group of tables; `db/` alone knows that there
//! are two databases.

pub mod attempts;
pub mod bookings;
pub mod cases;
pub mod centres;
pub mod closures;
pub mod dates;
pub mod db;
pub mod errands;
pub mod facts;
pub mod imports;
pub mod inbox;
pub mod lookup_error;
pub mod messages;
pub mod milestones;
pub mod money;
pub mod outbox;
pub mod parties;
pub mod questions;
pub mod sealed;
mod session_rows;
pub mod sessions;
pub mod staff;
pub mod tasks;
pub mod workers;

pub use crate::store::db::{Db, Tx};
