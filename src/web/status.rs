//! What a refusal or a failure of a flow is over HTTP.

use crate::flows::error::Error;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The status that tells a browser whether to correct the form, look again or retry.
pub fn status_of(e: &Error) -> StatusCode {
    match e {
        Error::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Changed(_) => StatusCode::CONFLICT,
        Error::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Error {
    /// The sentence for the person. A failure goes to the log alone: its causes are not for a page.
    fn into_response(self) -> Response {
        let body = match &self {
            Error::Failed(e) => {
                tracing::error!("a request failed: {e:#}");
                "this cannot be done just now; try again in a minute".to_owned()
            }
            said => said.to_string(),
        };
        (status_of(&self), body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn each_error_has_its_status_and_says_no_more_than_it_should() {
        let failed = anyhow::anyhow!("password wrong").context("the database does not answer");
        for (e, status, body) in [
            (Error::refused("no"), 422, "no"),
            (Error::not_found("no such session"), 404, "no such session"),
            (Error::changed("look again"), 409, "look again"),
            (
                Error::Failed(failed),
                503,
                "this cannot be done just now; try again in a minute",
            ),
        ] {
            let response = e.into_response();
            assert_eq!(response.status().as_u16(), status);
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(bytes, body);
        }
    }
}
