//! The outside world: one file a service, and nobody else knows it.

pub mod sms;

use crate::domain::receipt::Receipt;
use std::time::Duration;

/// What became of one try to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
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
pub struct Listed {
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
    /// Pictures and sounds with it.
    pub media: i64,
}
