//! The outside world: one file a service, and nobody else knows it.

pub mod telegram;
pub mod twilio;

use crate::domain::outgoing::receipt::Receipt;
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::time::Duration;

/// What a refusal of a whole channel depends on, without the secret itself.
fn fingerprint(secret: &str, parts: &[&str]) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(b"\0");
    }
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// A button below a text: its words, and the token that comes back when it is pressed.
pub type Button = (String, String);

/// A text that stands at the service: its id there, and the values that take the places of its
/// variables `1`, `2` and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentMessage {
    /// `HX…`
    pub sid: String,
    /// In order.
    pub variables: Vec<String>,
}

/// What became of one try to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The service took it.
    Accepted {
        /// Its id there.
        provider_id: String,
        /// The first word on it.
        receipt: Option<Receipt>,
    },
    /// It surely did not leave: again later.
    NotSent {
        /// What was seen.
        error: String,
        /// How long the service asked us to wait.
        wait: Option<Duration>,
    },
    /// The service refused it for this number.
    RefusedNumber {
        /// Its code and words.
        error: String,
        /// The number is opted out there.
        opted_out: bool,
        /// The bot was blocked in this chat, or it is gone: nothing was delivered, and nothing will
        /// be.
        blocked: bool,
    },
    /// WhatsApp takes no free words there now: nothing was sent, and another channel may take it.
    OutsideWindow {
        /// Its code and words.
        error: String,
    },
    /// The service refused it for the whole channel: every other text would be refused too.
    RefusedChannel {
        /// Its code and words.
        error: String,
    },
    /// Nobody can tell whether it left. Never means: again.
    Unknown {
        /// What was seen.
        error: String,
    },
}

/// A message as the service lists it.
#[derive(Debug, Clone)]
pub struct ProviderMessage {
    /// Its id there.
    pub provider_id: String,
    /// The words.
    pub body: String,
    /// To whom.
    pub to: String,
    /// From whom; a service's own choice may come later.
    pub from: Option<String>,
    /// The service that sent it, if one did.
    pub service: Option<String>,
    /// Whether it came in.
    pub inbound: bool,
    /// When it was made there.
    pub created_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Where it stands.
    pub status: String,
    /// The code of what went wrong with it.
    pub error_code: Option<String>,
    /// Pictures and sounds with it.
    pub media: i64,
}
