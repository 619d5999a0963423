//! SQLite and PostgreSQL behind one interface. The only folder that knows there are two.
//!
//! One SQL text with `$1` placeholders runs on both. `{skip}` and `{lock}` stand for the row locks
//! that only PostgreSQL needs.

mod arguments;
mod connection;
mod migrations;
mod rows;
mod transaction;

pub use crate::store::db::arguments::{Arg, placeholder_list};
pub use crate::store::db::connection::{AdvisoryLock, Db, is_deadlock};
pub use crate::store::db::rows::Row;
pub use crate::store::db::transaction::Tx;

/// The values of a statement's placeholders, in order.
#[macro_export]
macro_rules! args {
    ($($v:expr),* $(,)?) => { vec![$($crate::store::db::Arg::from($v)),*] };
}
