//! Addresses: a channel together with a number or chat on it.

use crate::domain::people::channel::Channel;
use crate::domain::people::phone::Phone;
use std::fmt;

/// Where a party can be reached: a number on a channel, or a chat. `Debug` never prints it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    channel: Channel,
    value: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}, [redacted])", self.channel)
    }
}

impl Address {
    /// A number that gets SMS.
    pub fn sms(phone: &Phone) -> Address {
        Address {
            channel: Channel::Sms,
            value: phone.as_str().to_owned(),
        }
    }

    /// A Telegram chat with our bot, by its id.
    pub fn chat(id: i64) -> Address {
        Address {
            channel: Channel::Telegram,
            value: id.to_string(),
        }
    }

    /// Reads an address on a channel: a number in E.164 form, or a chat's id; `None` if it is
    /// neither.
    pub fn read(channel: Channel, value: &str) -> Option<Address> {
        match channel {
            Channel::Sms | Channel::Whatsapp => Phone::from_e164(value).map(|p| Address {
                channel,
                value: p.as_str().to_owned(),
            }),
            Channel::Telegram => value.parse().ok().map(Address::chat),
            Channel::None => None,
        }
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// The number in E.164 form, or the chat's id.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The number, if it is one.
    pub fn phone(&self) -> Option<Phone> {
        Phone::from_e164(&self.value)
    }

    /// The chat's id, if it is a chat.
    pub fn chat_id(&self) -> Option<i64> {
        if self.channel == Channel::Telegram {
            self.value.parse().ok()
        } else {
            None
        }
    }
}
