//! One party: what staff record about it, its addresses, and linking its chat.

mod addresses;
mod chat_links;
mod party;

pub use crate::store::parties::addresses::{
    StoredAddress, addresses, belongs_to_another_party, routes_of, set_address, set_safe, set_state,
};
pub use crate::store::parties::chat_links::{
    NewLinkCode, WaitingChat, add_link_code, add_waiting_chat, end_waiting_chat,
    provider_ids_in_chat, use_link_code, waiting_chat,
};
pub use crate::store::parties::party::{
    Party, find, get, other_parties, quiet_hours, reschedule_asks, set_channel, set_hours,
    set_mode, set_quiet_word,
};
