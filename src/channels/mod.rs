//! The providers that carry our messages. Each has a folder that holds everything about it; the
//! rest of the program sees only the types in this file.

pub mod form;
pub mod telegram;
pub mod twilio;

use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::receipt::Receipt;
use crate::domain::replies::inbound::InboundKind;
use base64::Engine;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::time::Duration;

/// Identifies the settings of a channel without revealing its secret. A channel that the provider
/// has refused stays stopped until this changes.
fn fingerprint(secret: &str, parts: &[&str]) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(b"\0");
    }
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// A button under a message: its label, and the token that comes back when it is pressed.
pub type Button = (String, String);

/// A message that uses a content template stored at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentMessage {
    /// The template's id, `HX…`.
    pub sid: String,
    /// The values of its variables `1`, `2` and so on, in order.
    pub variables: Vec<String>,
}

/// The outcome of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider took it.
    Accepted {
        /// Its id there.
        provider_id: String,
        /// Its first status.
        receipt: Option<Receipt>,
    },
    /// It certainly did not leave: try again later.
    NotSent {
        /// What went wrong.
        error: String,
        /// How long the provider asked us to wait.
        wait: Option<Duration>,
    },
    /// The provider refused this number.
    RefusedNumber {
        /// The provider's code and our words for it.
        error: String,
        /// The number has opted out at the provider.
        opted_out: bool,
        /// The bot is blocked in this chat, or the chat is gone: nothing gets through any more.
        blocked: bool,
    },
    /// WhatsApp's 24-hour window is closed. Nothing was sent; another channel may take it.
    OutsideWindow {
        /// The provider's code and our words for it.
        error: String,
    },
    /// The provider refused the whole channel: every other message would be refused too.
    RefusedChannel {
        /// The provider's code and our words for it.
        error: String,
    },
    /// Nobody can tell whether it left, so it must not be sent again.
    Unknown {
        /// What went wrong.
        error: String,
    },
}

/// What a provider's error code means for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorMeaning {
    /// This number cannot be reached; others can.
    NumberRefused,
    /// The number has opted out at the provider.
    OptedOut,
    /// WhatsApp's 24-hour window is closed: nothing reached the phone.
    OutsideWindow,
    /// The provider refuses everything we send on this channel.
    ChannelRefused,
}

/// Why a provider gave up on a message that it had taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryError {
    /// The provider's code, stored as it came.
    pub code: String,
    /// What it means.
    pub meaning: ErrorMeaning,
}

/// A delivery receipt from a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// The attempt's token, from the callback address.
    pub token: AttemptToken,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The provider's own word, stored as it came.
    pub status: String,
    /// What that word means; `None` if it is no news.
    pub receipt: Option<Receipt>,
    /// Why it was not delivered.
    pub error: Option<DeliveryError>,
}

/// Something that a provider brought to one of our senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundEvent {
    /// The provider's id. The same id again is the same event.
    pub provider_id: String,
    /// Who it came from: a number in E.164 form, or a chat's id.
    pub from: String,
    /// When it was sent, if the provider says so.
    pub at: Option<DateTime<Utc>>,
    /// What it is.
    pub kind: InboundKind,
}

/// A message as the provider lists it.
#[derive(Debug, Clone)]
pub struct ProviderMessage {
    /// Its id there.
    pub provider_id: String,
    /// The text.
    pub body: String,
    /// The recipient.
    pub to: String,
    /// The sender; a messaging service may choose it later.
    pub from: Option<String>,
    /// The messaging service that sent it, if one did.
    pub service: Option<String>,
    /// Whether it is inbound.
    pub inbound: bool,
    /// When the provider created it.
    pub created_at: Option<DateTime<Utc>>,
    /// Its delivery status; `None` if that is no news.
    pub receipt: Option<Receipt>,
    /// Why it was not delivered.
    pub error: Option<DeliveryError>,
    /// The number of pictures and recordings with it.
    pub media: i64,
}
