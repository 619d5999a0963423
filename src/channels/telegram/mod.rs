//! Telegram: everything about the Bot API, on top of teloxide's client and types. Telegram cannot
//! be asked what became of a message, so an unknown outcome stays unknown.

mod client;
mod errors;
mod updates;

pub use crate::channels::telegram::client::{
    BotInfo, FetchedUpdates, Telegram, TelegramSettings, UpdateMode, id_of,
};
pub use crate::channels::telegram::errors::ErrandResult;
pub use crate::channels::telegram::updates::{SECRET_HEADER, read_update};
