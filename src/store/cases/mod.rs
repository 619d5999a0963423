//! Cases with their parties and addresses.

mod lookup;
mod new;
mod simulator;

pub use crate::store::cases::lookup::{Case, ListedParty, find, parties};
pub use crate::store::cases::new::{
    NewAddress, NewAttendee, NewCase, NewParty, NewSession, insert_addresses, insert_cases,
    insert_parties, insert_sessions,
};
pub use crate::store::cases::simulator::{simulator_chats, simulator_phones};
