//! The doors of the services: checked, stored, answered. Nothing is decided here.

use crate::channels::twilio::{parse_form_bytes, readable};
use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::say::Press;
use crate::domain::people::person::{Channel, Private};
use crate::flows::lines::Line;
use crate::flows::receive::{self, chats};
use crate::flows::service::Service;
use crate::store::attempts::NewReceipt;
use crate::store::inbox::{InboundKind, NewInbound};
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

/// The largest body.
const LARGEST: usize = 64 * 1024;
/// A body must be there within this time.
const BODY_WITHIN: Duration = Duration::from_secs(8);

/// The hooks.
pub fn router(svc: Arc<Service>) -> Router {
    Router::new()
        .route("/hooks/sms/inbound", post(inbound))
        .route("/hooks/sms/status/{token}", post(status))
        .route("/hooks/telegram", post(telegram))
        .with_state(svc)
}

/// A refusal with a plain word for the service's log.
struct HookRefusal(StatusCode, &'static str);

impl IntoResponse for HookRefusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// InboundKind a form of the service says, once it is sure that the service said it.
struct SignedForm(Vec<(String, String)>);

impl SignedForm {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    }
}

async fn read_body(body: Body) -> Result<Bytes, HookRefusal> {
    match tokio::time::timeout(BODY_WITHIN, Limited::new(body, LARGEST).collect()).await {
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

/// The form, and the lines whose secret signed it: several senders may belong to one account.
async fn signed_form(
    svc: &Service,
    headers: &HeaderMap,
    uri: &Uri,
    body: Body,
) -> Result<(Vec<Arc<Line>>, SignedForm), HookRefusal> {
    let lines = svc.lines();
    if !lines.all().iter().any(|l| l.sms().is_some()) {
        return Err(HookRefusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "no texting service is set",
        ));
    }
    let bytes = read_body(body).await?;
    let pairs = parse_form_bytes(&bytes);
    let path = uri.path_and_query().map_or(uri.path(), |p| p.as_str());
    let signature = headers
        .get("x-twilio-signature")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let signed = |l: &&Arc<Line>| {
        l.sms()
            .is_some_and(|sms| sms.is_signed(&format!("{}{path}", l.public_url), &pairs, signature))
    };
    let signers: Vec<Arc<Line>> = lines.all().iter().filter(signed).cloned().collect();
    if signers.is_empty() {
        tracing::warn!(
            "a hook with a wrong signature was refused; if it came from the service, \
             web.public_url is not the address that it calls"
        );
        return Err(HookRefusal(StatusCode::FORBIDDEN, "wrong signature"));
    }
    let form = SignedForm(
        pairs
            .into_iter()
            .map(|(k, v)| (readable(k), readable(v)))
            .collect(),
    );
    let account = form.get("AccountSid").unwrap_or("");
    let ours: Vec<Arc<Line>> = signers
        .into_iter()
        .filter(|l| l.sms().is_some_and(|sms| sms.is_our_account(account)))
        .collect();
    if ours.is_empty() {
        return Err(HookRefusal(StatusCode::FORBIDDEN, "not our account"));
    }
    Ok((ours, form))
}

fn unavailable(e: &anyhow::Error) -> HookRefusal {
    tracing::error!("a hook could not be stored: {e:#}");
    HookRefusal(StatusCode::SERVICE_UNAVAILABLE, "it could not be stored")
}

/// A press on a button of a content template: `token:word`, or the word alone with the message that
/// it answers. A payload of another make says nothing; the button's words came as a text beside it.
fn pressed(form: &SignedForm) -> Option<InboundKind> {
    let payload = form.get("ButtonPayload")?.trim();
    let message: String = form
        .get("OriginalRepliedMessageSid")
        .unwrap_or("")
        .chars()
        .take(64)
        .collect();
    let (token, word) = payload.split_once(':').unwrap_or(("", payload));
    let word: Press = word.to_lowercase().parse().ok()?;
    (!token.is_empty() || !message.is_empty()).then(|| InboundKind::Press {
        query: String::new(),
        data: format!("{token}:{word}"),
        message,
    })
}

async fn inbound(
    State(svc): State<Arc<Service>>,
    request: Request,
) -> Result<Response, HookRefusal> {
    let (parts, body) = request.into_parts();
    let (lines, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let field = |name: &str| form.get(name).unwrap_or("").to_owned();
    let (sid, to) = (field("MessageSid"), field("To"));
    if sid.is_empty() {
        return Err(HookRefusal(
            StatusCode::BAD_REQUEST,
            "MessageSid is missing",
        ));
    }
    let service = form.get("MessagingServiceSid");
    let Some(line) = lines
        .iter()
        .find(|l| l.sms().is_some_and(|sms| sms.is_ours(&to, service)))
    else {
        return Err(HookRefusal(StatusCode::FORBIDDEN, "not our number"));
    };
    let what = match pressed(&form).filter(|_| line.channel == Channel::Whatsapp) {
        Some(press) => press,
        None => InboundKind::Text {
            body: Private(field("Body")),
            media: field("NumMedia").parse().unwrap_or(0),
            opt_out_type: form.get("OptOutType").map(str::to_owned),
        },
    };
    let from = field("From");
    let from = line
        .sms()
        .map_or(from.as_str(), |sms| sms.number_in(&from))
        .to_owned();
    let received = NewInbound {
        provider: "sms".into(),
        provider_message_id: sid,
        channel: line.channel,
        sender: line.sender.clone(),
        from,
        kind: what,
        at: svc.clock.now(),
        earliest_at: None,
        found_by: "hook",
    };
    receive::store(&svc, &[received])
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], "<Response/>").into_response())
}

async fn status(
    State(svc): State<Arc<Service>>,
    Path(token): Path<String>,
    request: Request,
) -> Result<StatusCode, HookRefusal> {
    let (parts, body) = request.into_parts();
    let (_, form) = signed_form(&svc, &parts.headers, &parts.uri, body).await?;
    let (Some(provider_id), Some(status)) = (form.get("MessageSid"), form.get("MessageStatus"))
    else {
        return Err(HookRefusal(
            StatusCode::BAD_REQUEST,
            "MessageSid or MessageStatus is missing",
        ));
    };
    let receipt = NewReceipt {
        token: AttemptToken::new(token.chars().take(64).collect::<String>()),
        provider_id: provider_id.chars().take(64).collect(),
        status: status.chars().take(32).collect(),
        error_code: form.get("ErrorCode").map(|c| c.chars().take(16).collect()),
    };
    receive::receipt(&svc, &receipt)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(StatusCode::OK)
}

async fn telegram(
    State(svc): State<Arc<Service>>,
    request: Request,
) -> Result<StatusCode, HookRefusal> {
    let (parts, body) = request.into_parts();
    let secret = parts
        .headers
        .get("x-telegram-bot-api-secret-token")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
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
