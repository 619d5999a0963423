//! What a phone or chat can send us.

use crate::domain::people::private::Private;

/// One inbound message, press or change of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundKind {
    /// A text, perhaps with pictures or recordings.
    Text {
        /// The text as received.
        body: Private,
        /// The number of pictures and recordings.
        media: i64,
        /// The opt-out word on which the provider itself has acted: `STOP`, `START` or `HELP`.
        opt_out_type: Option<String>,
    },
    /// A press on a button.
    Press {
        /// The provider's id of the press, needed to answer it.
        query: String,
        /// The data in the button.
        data: String,
        /// The id of the message that the button belongs to.
        message: String,
    },
    /// The bot was blocked in this chat.
    Blocked,
    /// The bot was unblocked.
    Unblocked,
    /// The bot was added to a group or channel, where it has no business.
    Group,
}

impl InboundKind {
    /// Its spelling in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            InboundKind::Text { .. } => "text",
            InboundKind::Press { .. } => "press",
            InboundKind::Blocked => "blocked",
            InboundKind::Unblocked => "unblocked",
            InboundKind::Group => "group",
        }
    }

    /// Whether the provider has opted the number out because of this message.
    pub fn is_provider_stop(&self) -> bool {
        matches!(self, InboundKind::Text { opt_out_type: Some(word), .. } if word == "STOP")
    }
}
