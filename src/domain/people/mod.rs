//! People and how they are reached: parties and their phones, our senders, staff and their rights.

pub mod address;
pub mod channel;
pub mod phone;
pub mod private;
pub mod role;
pub mod senders;
pub mod staff;
