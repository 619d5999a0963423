//! The types that describe a person and how to reach them, under one path.

pub use crate::domain::people::address::Address;
pub use crate::domain::people::channel::{Channel, Consent, Mode};
pub use crate::domain::people::phone::{Phone, PhoneError};
pub use crate::domain::people::private::Private;
pub use crate::domain::people::role::Role;
