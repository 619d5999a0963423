//! The settings of the program: `courtesy.toml`, overridden by the environment. Every problem is
//! reported at once.

mod own_senders;
mod settings;
mod sms;
mod telegram;
#[cfg(test)]
mod tests;
mod values;
mod whatsapp;

pub use crate::config::own_senders::OwnSenders;
pub use crate::config::settings::{DEFAULT_FILE, InvalidSettings, Settings};
pub use crate::config::sms::SmsSection;
pub use crate::config::whatsapp::WhatsappSection;
