//! The rules of the centre as pure functions: values in, values out. No IO, no clock, no async;
//! `now` is always an argument.

pub mod centre;
pub mod config_reader;
pub mod dedup_key;
pub mod ids;
pub mod local_time;
pub mod money;
pub mod outgoing;
pub mod people;
pub mod reminders;
pub mod replies;
pub mod sanitize;
mod string_enum;
pub mod task;
pub mod visits;
