//! How a party may be contacted: by which channel, with what consent, and how openly.

use crate::string_enum;

string_enum! {
    /// A way to reach a party.
    Channel {
        /// Text message.
        Sms = "sms",
        /// Telegram chat.
        Telegram = "telegram",
        /// WhatsApp chat.
        Whatsapp = "whatsapp",
        /// No messages: the centre rings.
        None = "none",
    }
}

string_enum! {
    /// Whether a party agreed to messages.
    Consent {
        /// Agreed.
        Yes = "yes",
        /// Never agreed.
        No = "no",
        /// Agreed once and ended it.
        Stop = "stop",
    }
}

string_enum! {
    /// How much a party's phone may show (safety rule D2).
    Mode {
        Normal = "normal",
        /// Only two messages that give nothing away; everything else is rung.
        Discreet = "discreet",
        /// Nothing; the centre rings at safe times.
        Silent = "silent",
    }
}
