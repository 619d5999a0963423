//! The simulator behind `courtesy demo`: a texting service and a Telegram Bot API on loopback that
//! speak the real wire formats, phones in the browser, and a clock that one moves by hand. The real
//! channel code runs against them.

pub mod once;
pub mod pages;
mod people;
mod sample;
pub mod sms_service;
mod start;
mod task_words;
pub mod telegram;
pub mod time;

pub use crate::simulator::sample::{ACCOUNT, BOT_TOKEN, BOT_USERNAME, OUR_NUMBER, TOKEN, ZONE};
pub use crate::simulator::start::{Simulator, settings, start};
