//! What a failed request to the Bot API means for us.

use crate::channels::SendOutcome;
use std::time::Duration;
use teloxide::{ApiError, RequestError};

/// The outcome of a small action in a chat, such as answering a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrandResult {
    /// It is done now, or was done already.
    Done,
    /// It can never be done: too old, gone, or blocked.
    Never,
    /// It can be tried again, after this time if the service named one.
    Again(Option<Duration>),
}

/// Describes an error without the request's address, which holds the token.
pub(super) fn describe(e: &RequestError) -> String {
    match e {
        RequestError::Network(e) if e.is_timeout() => "no answer in time".into(),
        RequestError::Network(e) if e.is_connect() => "no connection".into(),
        RequestError::Network(_) => "the connection broke off".into(),
        RequestError::InvalidJson { .. } => "the answer is not readable".into(),
        RequestError::RetryAfter(s) => format!("too many requests; again in {s}"),
        RequestError::Io(_) => "it could not be read".into(),
        RequestError::MigrateToChatId(_) => "the chat became a group".into(),
        RequestError::Api(e) => description(e),
    }
}

/// Telegram's own description.
fn description(e: &ApiError) -> String {
    match e {
        ApiError::Unknown(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a failed request means for the message that it should have sent.
pub(super) fn send_outcome(e: &RequestError) -> SendOutcome {
    let error = describe(e);
    match e {
        RequestError::Network(n) if n.is_connect() || n.is_builder() => {
            SendOutcome::NotSent { error, wait: None }
        }
        RequestError::RetryAfter(s) => SendOutcome::NotSent {
            error,
            wait: Some(s.duration()),
        },
        RequestError::MigrateToChatId(_) => refused(error, true),
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => {
            SendOutcome::Unknown { error }
        }
        RequestError::Api(api) => api_outcome(api, error),
    }
}

fn api_outcome(api: &ApiError, error: String) -> SendOutcome {
    match api {
        ApiError::InvalidToken => return wrong_token(),
        ApiError::BotBlocked
        | ApiError::UserDeactivated
        | ApiError::ChatNotFound
        | ApiError::BotKicked => return refused(error, true),
        _ => {}
    }
    // Telegram's description begins with the name of the HTTP status. Without it nobody can tell
    // what became of the message.
    let text = description(api);
    let status = |name: &str| text.starts_with(name);
    if status("Forbidden") {
        refused(error, true)
    } else if status("Bad Request") {
        refused(error, false)
    } else if status("Unauthorized") {
        wrong_token()
    } else if status("Too Many Requests") {
        SendOutcome::NotSent {
            error,
            wait: Some(Duration::from_secs(1)),
        }
    } else if status("Conflict") {
        SendOutcome::NotSent { error, wait: None }
    } else {
        SendOutcome::Unknown { error }
    }
}

fn refused(error: String, blocked: bool) -> SendOutcome {
    SendOutcome::RefusedNumber {
        error,
        opted_out: false,
        blocked,
    }
}

fn wrong_token() -> SendOutcome {
    SendOutcome::RefusedChannel {
        error: "the bot's token is wrong".into(),
    }
}

/// Descriptions of refusals that no retry will change.
const FINAL: [&str; 6] = [
    "Bad Request",
    "Forbidden",
    "Unauthorized",
    "Not Found",
    "Not Implemented",
    "Invalid",
];

pub(super) fn errand_result<T>(result: Result<T, RequestError>) -> ErrandResult {
    match result {
        Ok(_) => ErrandResult::Done,
        Err(RequestError::RetryAfter(s)) => ErrandResult::Again(Some(s.duration())),
        Err(RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_)) => {
            ErrandResult::Again(None)
        }
        Err(RequestError::Api(ApiError::MessageNotModified)) => ErrandResult::Done,
        Err(RequestError::Api(e)) => {
            let text = description(&e);
            if FINAL.iter().any(|start| text.starts_with(start)) {
                ErrandResult::Never
            } else {
                ErrandResult::Again(None)
            }
        }
        Err(RequestError::MigrateToChatId(_)) => ErrandResult::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_a_doubt() {
        let api = |t: &str| send_outcome(&RequestError::Api(ApiError::Unknown(t.into())));
        assert!(matches!(
            api("Forbidden: bot can't initiate conversation with a user"),
            SendOutcome::RefusedNumber { blocked: true, .. }
        ));
        assert!(matches!(
            api("Bad Request: message is too long"),
            SendOutcome::RefusedNumber { blocked: false, .. }
        ));
        assert!(matches!(
            api("Internal Server Error"),
            SendOutcome::Unknown { .. }
        ));
        assert!(matches!(
            send_outcome(&RequestError::Api(ApiError::BotBlocked)),
            SendOutcome::RefusedNumber { blocked: true, .. }
        ));
        assert!(matches!(
            send_outcome(&RequestError::Api(ApiError::InvalidToken)),
            SendOutcome::RefusedChannel { .. }
        ));
        let later = RequestError::RetryAfter(teloxide::types::Seconds::from_seconds(3));
        assert!(matches!(
            send_outcome(&later),
            SendOutcome::NotSent { wait: Some(w), .. } if w == Duration::from_secs(3)
        ));
        assert_eq!(
            errand_result::<()>(Err(RequestError::Api(ApiError::MessageNotModified))),
            ErrandResult::Done
        );
        assert_eq!(
            errand_result::<()>(Err(RequestError::Api(ApiError::InvalidQueryId))),
            ErrandResult::Never
        );
    }
}
