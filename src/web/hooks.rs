//! The doors of the SMS service: checked, stored, answered. Nothing is decided here.

use crate::channels::sms::parse_form;
use crate::domain::person::Private;
use crate::flows::{Line, Service, receive};
use crate::store::attempts::ReceiptIn;
use crate::store::inbox::Received;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;

/// The largest body.
const LARGEST: usize = 64 * 1024;
/// A body must be there within this time.
const BODY_WITHIN: Duration = Duration::from_secs(8);

/// The hooks.
pub fn router(svc: Arc<Service>) -> Router {
    Router::new().route("/hooks/sms/inbound", post(inbound)).route("/hooks/sms/status/{token}", post(status)).with_state(svc)
}

/// A refusal with a plain word for the service's log.
struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// What a form of the service says, once it is sure that the service said it.
struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

async fn signed_form<'a>(svc: &'a Service, headers: &HeaderMap, uri: &Uri, body: Body) -> Result<(&'a Line, Form), Refused> {
    let line = svc.line.as_ref().ok_or(Refused(StatusCode::SERVICE_UNAVAILABLE, "no texting service is set"))?;
    let collected = tokio::time::timeout(BODY_WITHIN, Limited::new(body, LARGEST).collect()).await;
    let bytes = match collected {
        Err(_) => return Err(Refused(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")),
        Ok(Err(e)) if e.downcast_ref::<LengthLimitError>().is_some() => return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
        Ok(Err(_)) => return Err(Refused(StatusCode::BAD_REQUEST, "the body broke off")),
        Ok(Ok(b)) => b.to_bytes(),
    };
    let form = Form(parse_form(&bytes).ok_or(Refused(StatusCode::BAD_REQUEST, "the body is no form in UTF-8"))?);
    let url = format!("{}{}", line.public_url, uri.path_and_query().map_or(uri.path(), |p| p.as_str()));
    let signature = headers.get("x-twilio-signature").and_then(|v| v.to_str().ok()).unwrap_or("");
    if !line.sms.is_signed(&url, &form.0, signature) {
        tracing::warn!("a hook with a wrong signature was refused; if it came from the service, web.public_url is not the address that it calls");
        return Err(Refused(StatusCode::FORBIDDEN, "wrong signature"));
    }
    if !form.get("AccountSid").is_some_and(|a| line.sms.is_our_account(a)) {
        return Err(Refused(StatusCode::FORBIDDEN, "not our account"));
    }
    Ok((line, form))
}

fn unavailable(e: &anyhow::Error) -> Refused {
    tracing::error!("a hook could not be stored: {e:#}");
    Refused(StatusCode::SERVICE_UNAVAILABLE, "it could not be stored")
}

async fn inbound(State(svc): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let (line, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let field = |name: &str| form.get(name).unwrap_or("").to_owned();
    let (sid, to) = (field("MessageSid"), field("To"));
    if sid.is_empty() {
        return Err(Refused(StatusCode::BAD_REQUEST, "MessageSid is missing"));
    }
    if !line.sms.is_ours(&to, form.get("MessagingServiceSid")) {
        return Err(Refused(StatusCode::FORBIDDEN, "not our number"));
    }
    let received = Received {
        provider: "sms",
        provider_message_id: sid,
        sender: to,
        from: field("From"),
        body: Private(field("Body")),
        media: field("NumMedia").parse().unwrap_or(0),
        opt_out_type: form.get("OptOutType").map(str::to_owned),
        at: svc.clock.now(),
        found_by: "hook",
    };
    receive::store(&svc, &[received]).await.map_err(|e| unavailable(&e))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], "<Response/>").into_response())
}

async fn status(State(svc): State<Arc<Service>>, Path(token): Path<String>, request: Request) -> Result<StatusCode, Refused> {
    let (parts, body) = request.into_parts();
    let (_, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let (Some(provider_id), Some(status)) = (form.get("MessageSid"), form.get("MessageStatus")) else {
        return Err(Refused(StatusCode::BAD_REQUEST, "MessageSid or MessageStatus is missing"));
    };
    let receipt = ReceiptIn {
        token: token.chars().take(64).collect(),
        provider_id: provider_id.chars().take(64).collect(),
        status: status.chars().take(32).collect(),
        error_code: form.get("ErrorCode").map(|c| c.chars().take(16).collect()),
    };
    receive::receipt(&svc, &receipt).await.map_err(|e| unavailable(&e))?;
    Ok(StatusCode::OK)
}
