//! The REST API of the texting service: create, list, fetch and empty messages.

use crate::channels::form::parse_form;
use crate::domain::outgoing::segments::segments;
use crate::domain::people::phone::Phone;
use crate::simulator::sms_service::percent::percent_encode;
use crate::simulator::sms_service::service::{SmsMessage, SmsService};
use crate::store::sealed::random_token;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use chrono::DateTime;
use serde_json::{Value, json};
use std::sync::Arc;

fn error(status: StatusCode, code: i64, message: &str) -> Response {
    (
        status,
        Json(json!({
            "code": code,
            "message": message,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
            "status": status.as_u16(),
        })),
    )
        .into_response()
}

pub(super) fn not_found() -> Response {
    error(
        StatusCode::NOT_FOUND,
        20404,
        "The requested resource was not found",
    )
}

impl SmsMessage {
    fn is_sent(&self) -> bool {
        matches!(self.status.as_str(), "sent" | "delivered" | "received")
    }
}

impl SmsService {
    /// Refuses a request for another account or with a wrong password.
    fn refusal(&self, headers: &HeaderMap, account: &str) -> Option<Response> {
        let expected = format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD
                .encode(format!("{}:{}", self.account, self.token))
        );
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|h| h.to_str().ok())
            .unwrap_or("");
        (given != expected || account != self.account)
            .then(|| error(StatusCode::UNAUTHORIZED, 20003, "Authenticate"))
    }

    /// A message as the service describes it.
    fn json(&self, m: &SmsMessage) -> Value {
        let date = m.created.format("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let sent = m.is_sent().then(|| date.clone());
        let uri = format!("/2010-04-01/Accounts/{}/Messages/{}", self.account, m.sid);
        json!({
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": m.body,
            "date_created": date,
            "date_sent": sent,
            "date_updated": date,
            "direction": if m.inbound { "inbound" } else { "outbound-api" },
            "error_code": null,
            "error_message": null,
            "from": m.from,
            "messaging_service_sid": null,
            "num_media": "0",
            "num_segments": segments(&m.body).to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": m.sid,
            "status": m.status,
            "subresource_uris": { "media": format!("{uri}/Media.json") },
            "to": m.to,
            "uri": format!("{uri}.json"),
        })
    }
}

/// The parameters of a new message.
const CREATE: &[&str] = &[
    "To",
    "From",
    "Body",
    "StatusCallback",
    "MessagingServiceSid",
    "ValidityPeriod",
    "MediaUrl",
];

type Form = Vec<(String, String)>;

fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.iter()
        .find(|(k, _)| k == name)
        .map_or("", |(_, v)| v.as_str())
}

/// Why the service does not accept a new message.
fn refusal_of_message(service: &SmsService, form: &Form) -> Option<Response> {
    let refuse = |code, message: &str| Some(error(StatusCode::BAD_REQUEST, code, message));
    if let Some((unknown, _)) = form.iter().find(|(k, _)| !CREATE.contains(&k.as_str())) {
        return refuse(20001, &format!("Parameter is invalid: {unknown}"));
    }
    let validity = field(form, "ValidityPeriod");
    let in_range = |v: u32| (1..=36_000).contains(&v);
    if !validity.is_empty() && !validity.parse().is_ok_and(in_range) {
        return refuse(20001, "Parameter is invalid: ValidityPeriod");
    }
    let (to, from, text) = (field(form, "To"), field(form, "From"), field(form, "Body"));
    if to.is_empty() {
        return refuse(21604, "A 'To' phone number is required.");
    }
    if Phone::from_e164(to).is_none() {
        return refuse(21211, "Invalid 'To' Phone Number");
    }
    if from.is_empty() {
        return refuse(21603, "A 'From' phone number is required.");
    }
    if !service.senders.iter().any(|s| s == from) {
        return refuse(
            21606,
            "The 'From' phone number provided is not a valid message-capable phone number for this \
             destination",
        );
    }
    if text.is_empty() {
        return refuse(21602, "Message body is required.");
    }
    if text.encode_utf16().count() > 1600 {
        return refuse(
            21617,
            "The concatenated message body exceeds the 1600 character limit.",
        );
    }
    let state = service.lock();
    if let Some(code) = state.refused.get(to) {
        return refuse(*code, "Refused");
    }
    if state.opted_out.contains(to) {
        return refuse(21610, "Attempt to send to unsubscribed recipient");
    }
    None
}

pub(super) async fn create(
    State(service): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = service.refusal(&headers, &account) {
        return refused;
    }
    let form = parse_form(&body).unwrap_or_default();
    if let Some(refused) = refusal_of_message(&service, &form) {
        return refused;
    }
    let message = {
        let mut state = service.lock();
        let callback = Some(field(&form, "StatusCallback"))
            .filter(|c| !c.is_empty())
            .map(str::to_owned);
        let m = SmsMessage {
            sid: format!("SM{}", random_token()),
            from: field(&form, "From").into(),
            to: field(&form, "To").into(),
            body: field(&form, "Body").into(),
            inbound: false,
            status: "queued".into(),
            created: state.clock.now(),
            callback,
        };
        state.messages.push(m.clone());
        m
    };
    service.notify();
    tokio::spawn(service.clone().advance(message.sid.clone()));
    (StatusCode::CREATED, Json(service.json(&message))).into_response()
}

pub(super) async fn list(
    State(service): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(refused) = service.refusal(&headers, &account) {
        return refused;
    }
    let pairs = parse_form(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let get = |name: &str| {
        pairs
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    };
    let since = get("DateSent>").and_then(|t| DateTime::parse_from_rfc3339(t).ok());
    let size: usize = get("PageSize")
        .and_then(|n| n.parse().ok())
        .unwrap_or(50)
        .clamp(1, 1000);
    let page: usize = get("Page").and_then(|n| n.parse().ok()).unwrap_or(0);
    // A message that is not sent yet has no date, so the date filter never matches it.
    let wanted = |m: &&SmsMessage| {
        get("To").is_none_or(|t| t == m.to)
            && get("From").is_none_or(|f| f == m.from)
            && since.is_none_or(|s| m.is_sent() && m.created >= s)
    };
    let all: Vec<Value> = service
        .lock()
        .messages
        .iter()
        .rev()
        .filter(wanted)
        .map(|m| service.json(m))
        .collect();
    let keep: Vec<String> = pairs
        .iter()
        .filter(|(k, _)| !matches!(k.as_str(), "Page" | "PageSize" | "PageToken"))
        .map(|(k, v)| format!("{}={}", percent_encode(k), percent_encode(v)))
        .collect();
    let uri = |n: usize| {
        format!(
            "/2010-04-01/Accounts/{}/Messages.json?{}",
            service.account,
            keep.iter()
                .cloned()
                .chain([format!("PageSize={size}"), format!("Page={n}")])
                .collect::<Vec<_>>()
                .join("&")
        )
    };
    let start = page * size;
    let messages: Vec<Value> = all.iter().skip(start).take(size).cloned().collect();
    Json(json!({
        "end": start + messages.len().saturating_sub(1),
        "first_page_uri": uri(0),
        "next_page_uri": (start + size < all.len()).then(|| uri(page + 1)),
        "page": page,
        "page_size": size,
        "previous_page_uri": (page > 0).then(|| uri(page - 1)),
        "start": start,
        "uri": uri(page),
        "messages": messages,
    }))
    .into_response()
}

pub(super) async fn fetch(
    State(service): State<Arc<SmsService>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = service.refusal(&headers, &account) {
        return refused;
    }
    let sid = file.trim_end_matches(".json");
    match service.lock().messages.iter().find(|m| m.sid == sid) {
        Some(m) => Json(service.json(m)).into_response(),
        None => not_found(),
    }
}

pub(super) async fn update(
    State(service): State<Arc<SmsService>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = service.refusal(&headers, &account) {
        return refused;
    }
    let empties =
        parse_form(&body).is_some_and(|f| f.iter().any(|(k, v)| k == "Body" && v.is_empty()));
    let sid = file.trim_end_matches(".json");
    match service.lock().messages.iter_mut().find(|m| m.sid == sid) {
        Some(m) => {
            if empties {
                m.body.clear();
            }
            Json(service.json(m)).into_response()
        }
        None => not_found(),
    }
}

pub(super) async fn about(
    State(service): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = service.refusal(&headers, account.trim_end_matches(".json")) {
        return refused;
    }
    Json(json!({
        "sid": service.account,
        "friendly_name": "practice",
        "status": "active",
        "type": "Full",
        "uri": format!("/2010-04-01/Accounts/{}.json", service.account),
    }))
    .into_response()
}
