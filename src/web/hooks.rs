//! The webhooks that the providers call. A request is checked, stored and answered; nothing is
//! decided here.

use crate::channels::telegram::SECRET_HEADER;
use crate::channels::twilio::{EMPTY_ANSWER, SIGNATURE_HEADER, UnverifiedForm, WebhookForm};
use crate::flows::lines::Line;
use crate::flows::receive::{self, chats};
use crate::flows::service::Service;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// A body must arrive within this time.
const BODY_TIMEOUT: Duration = Duration::from_secs(8);

/// The routes of all webhooks.
pub fn router(svc: Arc<Service>) -> Router {
    Router::new()
        .route("/hooks/sms/inbound", post(inbound))
        .route("/hooks/sms/status/{token}", post(status))
        .route("/hooks/telegram", post(telegram))
        .with_state(svc)
}

/// Why a request was refused, in plain words for the provider's log.
struct HookRefusal(StatusCode, &'static str);

impl IntoResponse for HookRefusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

async fn read_body(body: Body) -> Result<Bytes, HookRefusal> {
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Err(_) => Err(HookRefusal(
            StatusCode::REQUEST_TIMEOUT,
            "the body came too slowly",
        )),
        Ok(Err(e)) if e.downcast_ref::<LengthLimitError>().is_some() => Err(HookRefusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large",
        )),
        Ok(Err(_)) => Err(HookRefusal(StatusCode::BAD_REQUEST, "the body broke off")),
        Ok(Ok(b)) => Ok(b.to_bytes()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("")
}

/// The form, and the lines whose secret signed it: several senders may share one account.
async fn signed_form(
    svc: &Service,
    headers: &HeaderMap,
    uri: &Uri,
    body: Body,
) -> Result<(Vec<Arc<Line>>, WebhookForm), HookRefusal> {
    let lines = svc.lines();
    if !lines.all().iter().any(|l| l.sms().is_some()) {
        return Err(HookRefusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "no texting service is set",
        ));
    }
    let form = UnverifiedForm::parse(&read_body(body).await?);
    let path = uri.path_and_query().map_or(uri.path(), |p| p.as_str());
    let signature = header(headers, SIGNATURE_HEADER);
    let signed = |l: &&Arc<Line>| {
        l.sms().is_some_and(|sms| {
            form.is_signed_by(sms, &format!("{}{path}", l.public_url), signature)
        })
    };
    let signers: Vec<Arc<Line>> = lines.all().iter().filter(signed).cloned().collect();
    if signers.is_empty() {
        tracing::warn!(
            "a webhook with a wrong signature was refused; if the texting service did send it, \
             web.public_url is not the address that the service calls"
        );
        return Err(HookRefusal(StatusCode::FORBIDDEN, "wrong signature"));
    }
    let form = form.verified();
    let ours: Vec<Arc<Line>> = signers
        .into_iter()
        .filter(|l| l.sms().is_some_and(|sms| form.is_for_account(sms)))
        .collect();
    if ours.is_empty() {
        return Err(HookRefusal(StatusCode::FORBIDDEN, "not our account"));
    }
    Ok((ours, form))
}

fn bad_request(why: &'static str) -> HookRefusal {
    HookRefusal(StatusCode::BAD_REQUEST, why)
}

fn unavailable(e: &anyhow::Error) -> HookRefusal {
    tracing::error!("a webhook could not be stored: {e:#}");
    HookRefusal(StatusCode::SERVICE_UNAVAILABLE, "it could not be stored")
}

async fn inbound(
    State(svc): State<Arc<Service>>,
    request: Request,
) -> Result<Response, HookRefusal> {
    let (parts, body) = request.into_parts();
    let (lines, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let form = form.into_inbound().map_err(bad_request)?;
    let line_and_event = lines.iter().find_map(|line| {
        let sms = line.sms().filter(|sms| form.is_to(sms))?;
        Some((line, form.event(sms)))
    });
    let Some((line, event)) = line_and_event else {
        return Err(HookRefusal(StatusCode::FORBIDDEN, "not our number"));
    };
    receive::from_webhook(&svc, line, event)
        .await
        .map_err(|e| unavailable(&e))?;
    let (content_type, answer) = EMPTY_ANSWER;
    Ok(([(CONTENT_TYPE, content_type)], answer).into_response())
}

async fn status(
    State(svc): State<Arc<Service>>,
    Path(token): Path<String>,
    request: Request,
) -> Result<StatusCode, HookRefusal> {
    let (parts, body) = request.into_parts();
    let (_, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let receipt = form.receipt(&token).map_err(bad_request)?;
    receive::receipt(&svc, receipt)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(StatusCode::OK)
}

async fn telegram(
    State(svc): State<Arc<Service>>,
    request: Request,
) -> Result<StatusCode, HookRefusal> {
    let (parts, body) = request.into_parts();
    let secret = header(&parts.headers, SECRET_HEADER);
    let lines = svc.lines();
    let Some(line) = lines
        .all()
        .iter()
        .find(|l| l.telegram().is_some_and(|bot| bot.is_secret(secret)))
    else {
        return Err(HookRefusal(StatusCode::FORBIDDEN, "wrong secret"));
    };
    let bytes = read_body(body).await?;
    chats::from_hook(&svc, line, &bytes)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(StatusCode::OK)
}
