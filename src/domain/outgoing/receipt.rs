//! Delivery receipts only move forward, whatever order they come in.

use crate::domain::outgoing::message::MessageState;
use crate::string_enum;

string_enum! {
    /// A provider's word on a message it took, in the order of the road.
    Receipt {
        /// Taken.
        Queued = "queued",
        /// On its way.
        Sending = "sending",
        /// Given to the network.
        Sent = "sent",
        /// On the phone.
        Delivered = "delivered",
        /// The network gave up.
        Undelivered = "undelivered",
        /// The provider gave up.
        Failed = "failed",
        /// Opened.
        Read = "read",
    }
}

impl Receipt {
    /// Reads a provider's word; `accepted`, `scheduled` and unknown ones are no news.
    pub fn from_provider(word: &str) -> Option<Receipt> {
        word.parse().ok()
    }

    fn rank(self) -> u8 {
        match self {
            Receipt::Queued => 0,
            Receipt::Sending => 1,
            Receipt::Sent => 2,
            Receipt::Delivered | Receipt::Undelivered | Receipt::Failed => 3,
            Receipt::Read => 4,
        }
    }

    /// The receipt that stands when `self` stood and `news` came.
    pub fn advance(self, news: Receipt) -> Receipt {
        if news.rank() > self.rank() {
            news
        } else {
            self
        }
    }

    /// What it makes of the message.
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
