//! Delivery receipts. They only move forward, whatever order they arrive in.

#![warn(missing_docs)]

use crate::domain::outgoing::message::MessageState;
use crate::string_enum;

string_enum! {
    /// The status of a message that a provider has taken, in the order in which it advances.
    Receipt {
        /// Taken by the provider.
        Queued = "queued",
        /// Being sent.
        Sending = "sending",
        /// Handed to the network.
        Sent = "sent",
        /// On the recipient's phone.
        Delivered = "delivered",
        /// The network gave up.
        Undelivered = "undelivered",
        /// The provider gave up.
        Failed = "failed",
        /// Opened by the recipient.
        Read = "read",
    }
}

impl Receipt {
    fn rank(self) -> u8 {
        match self {
            Receipt::Queued => 0,
            Receipt::Sending => 1,
            Receipt::Sent => 2,
            Receipt::Delivered | Receipt::Undelivered | Receipt::Failed => 3,
            Receipt::Read => 4,
        }
    }

    /// The later of the current receipt and a new one.
    pub fn advance(self, new: Receipt) -> Receipt {
        if new.rank() > self.rank() { new } else { self }
    }

    /// The state that it puts the message in.
    pub fn message_state(self) -> MessageState {
        match self {
            Receipt::Queued | Receipt::Sending | Receipt::Sent => MessageState::Sent,
            Receipt::Delivered | Receipt::Read => MessageState::Delivered,
            Receipt::Undelivered | Receipt::Failed => MessageState::Undelivered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_only_move_forward() {
        use Receipt::*;
        let end = |news: &[Receipt]| news.iter().fold(Queued, |a, b| a.advance(*b));
        assert_eq!(end(&[Delivered, Sent, Sending]), Delivered);
        assert_eq!(end(&[Sent, Undelivered, Delivered]), Undelivered);
        assert_eq!(end(&[Read, Delivered]), Read);
    }
}
