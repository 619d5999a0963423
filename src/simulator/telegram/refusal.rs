//! Errors as Telegram answers them.

use axum::http::StatusCode;

/// A request that Telegram answers with an error.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

pub(super) fn bad_request(words: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, format!("Bad Request: {words}"))
}
