//! A simulated Telegram Bot API in Telegram's wire format: private chats with buttons, long
//! polling, a webhook, and the errors that matter. Loopback only; everything is in memory. It takes
//! plain text only: a `parse_mode` is refused.

mod bot_api;
mod chat_state;
mod params;
mod refusal;
mod server;
mod service;
#[cfg(test)]
mod tests;
mod updates;

pub use crate::simulator::telegram::chat_state::ChatMessage;
pub use crate::simulator::telegram::service::TelegramService;
