//! The service's delivery statuses and error reports, read as ours.

use crate::channels::twilio::codes;
use crate::channels::{DeliveryError, ErrorMeaning};
use crate::domain::outgoing::receipt::Receipt;

/// Reads a status word. `accepted`, `scheduled` and unknown words are no news.
pub(super) fn receipt(word: &str) -> Option<Receipt> {
    Some(match word {
        "queued" => Receipt::Queued,
        "sending" => Receipt::Sending,
        "sent" => Receipt::Sent,
        "delivered" => Receipt::Delivered,
        "undelivered" => Receipt::Undelivered,
        "failed" => Receipt::Failed,
        "read" => Receipt::Read,
        _ => return None,
    })
}

/// Reads the error code of a message that the service had taken.
pub(super) fn delivery_error(code: String) -> DeliveryError {
    let meaning = code
        .parse()
        .map_or(ErrorMeaning::NumberRefused, codes::meaning);
    DeliveryError { code, meaning }
}
