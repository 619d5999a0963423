//! A texting service for practice: create, list, fetch and empty messages, status callbacks and
//! inbound webhooks, signed, in the wire format of Twilio-style services. Loopback only; everything
//! is in memory.

use crate::channels::form::parse_form;
use crate::channels::twilio::{SIGNATURE_HEADER, sign};
use crate::clock::Clock;
use crate::domain::outgoing::segments::segments;
use crate::domain::people::person::Phone;
use crate::store::sealed::random_token;
use anyhow::{Context, Result};
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A message as the service keeps it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub sid: String,
    /// From whom, to whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// The words.
    pub body: String,
    /// It came from a phone.
    pub inbound: bool,
    /// Where it stands.
    pub status: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    callback: Option<String>,
}

struct Inner {
    messages: Vec<Message>,
    opted_out: HashSet<String>,
    refused: HashMap<String, i64>,
    stalled: HashSet<String>,
    hooks: Option<String>,
    clock: Clock,
    pause: Duration,
}

/// The service.
pub struct SmsService {
    account: String,
    token: String,
    senders: Vec<String>,
    url: String,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    client: reqwest::Client,
}

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

impl SmsService {
    /// Starts the service on a free port of this machine.
    pub async fn start(account: &str, token: &str, senders: &[&str]) -> Result<Arc<SmsService>> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("the practice service cannot listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(15))
            .build()?;
        let inner = Inner {
            messages: Vec::new(),
            opted_out: HashSet::new(),
            refused: HashMap::new(),
            stalled: HashSet::new(),
            hooks: None,
            clock: Clock::System,
            pause: Duration::from_millis(40),
        };
        let provider = Arc::new(SmsService {
            account: account.to_owned(),
            token: token.to_owned(),
            senders: senders.iter().map(|s| (*s).to_owned()).collect(),
            url,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
            client,
        });
        let router = Router::new()
            .route(
                "/2010-04-01/Accounts/{account}/Messages.json",
                get(list).post(create),
            )
            .route(
                "/2010-04-01/Accounts/{account}/Messages/{message}",
                get(fetch).post(update),
            )
            .route("/2010-04-01/Accounts/{account}", get(about))
            .fallback(|| async {
                error(
                    StatusCode::NOT_FOUND,
                    20404,
                    "The requested resource was not found",
                )
            })
            .with_state(provider.clone());
        tokio::spawn(crate::web::serve(
            listener,
            router,
            tokio_util::sync::CancellationToken::new(),
        ));
        Ok(provider)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where inbound messages go, and whose clock dates them.
    pub fn set_hooks(&self, base: &str, clock: Clock) {
        let mut inner = self.lock();
        inner.hooks = Some(base.to_owned());
        inner.clock = clock;
    }

    /// Texts to this number are refused with this code from now on.
    pub fn refuse(&self, number: &str, code: i64) {
        self.lock().refused.insert(number.to_owned(), code);
    }

    /// Texts to this number are taken from now on, and nothing more is heard of them.
    pub fn stall(&self, number: &str) {
        self.lock().stalled.insert(number.to_owned());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn bump(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Told whenever a message is made or moves on.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Everything that went over the service, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// A phone writes: stored, and brought to the hook with a signature. The answer's status is
    /// given back.
    pub async fn write(&self, from: &str, to: &str, body: &str) -> Result<u16> {
        let sid = format!("SM{}", random_token());
        let (hooks, message) = {
            let mut inner = self.lock();
            let message = Message {
                sid: sid.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
                body: body.to_owned(),
                inbound: true,
                status: "received".into(),
                created: inner.clock.now(),
                callback: None,
            };
            inner.messages.push(message.clone());
            match body.trim().to_uppercase().as_str() {
                "STOP" | "STOPALL" | "UNSUBSCRIBE" | "END" | "QUIT" | "CANCEL" | "REVOKE"
                | "OPTOUT" => {
                    inner.opted_out.insert(from.to_owned());
                }
                "START" | "YES" | "UNSTOP" => {
                    inner.opted_out.remove(from);
                }
                _ => {}
            }
            (inner.hooks.clone(), message)
        };
        self.bump();
        let base = hooks.context("nobody listens to the practice service yet")?;
        let n_segments = segments(&message.body).to_string();
        let pairs: Vec<(String, String)> = [
            ("ToCountry", ""),
            ("ToState", ""),
            ("SmsMessageSid", &sid),
            ("NumMedia", "0"),
            ("ToCity", ""),
            ("FromZip", ""),
            ("SmsSid", &sid),
            ("FromState", ""),
            ("SmsStatus", "received"),
            ("FromCity", ""),
            ("Body", &message.body),
            ("FromCountry", ""),
            ("To", to),
            ("ToZip", ""),
            ("NumSegments", &n_segments),
            ("MessageSid", &sid),
            ("AccountSid", &self.account),
            ("From", from),
            ("ApiVersion", "2010-04-01"),
        ]
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
        self.post(&format!("{base}/hooks/sms/inbound"), &pairs)
            .await
    }

    async fn post(&self, url: &str, pairs: &[(String, String)]) -> Result<u16> {
        let signature =
            base64::engine::general_purpose::STANDARD.encode(sign(&self.token, url, pairs));
        let body: String = pairs
            .iter()
            .map(|(k, v)| format!("{k}={}", percent(v)))
            .collect::<Vec<_>>()
            .join("&");
        let answer = self
            .client
            .post(url)
            .header(SIGNATURE_HEADER, signature)
            .header(
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .body(body)
            .send()
            .await?;
        Ok(answer.status().as_u16())
    }

    /// Moves a message on and tells its callback.
    async fn advance(self: Arc<Self>, sid: String) {
        for status in ["sending", "sent", "delivered"] {
            let pause = self.lock().pause;
            tokio::time::sleep(pause).await;
            let message = {
                let mut inner = self.lock();
                let Inner {
                    messages, stalled, ..
                } = &mut *inner;
                let Some(m) = messages.iter_mut().find(|m| m.sid == sid) else {
                    return;
                };
                if status == "delivered" && stalled.contains(&m.to) {
                    return;
                }
                m.status = status.into();
                m.clone()
            };
            self.bump();
            if let Some(url) = message.callback.clone().filter(|_| status != "sending") {
                let pairs: Vec<(String, String)> = [
                    ("ApiVersion", "2010-04-01"),
                    ("MessageStatus", status),
                    ("SmsSid", &sid),
                    ("SmsStatus", status),
                    ("To", &message.to),
                    ("From", &message.from),
                    ("MessageSid", &sid),
                    ("AccountSid", &self.account),
                ]
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
                // A callback that nobody takes is given up, as the service does.
                let _ = self.post(&url, &pairs).await;
            }
        }
    }

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

    fn json(&self, m: &Message) -> Value {
        let date = m.created.format("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let sent =
            matches!(m.status.as_str(), "sent" | "delivered" | "received").then(|| date.clone());
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
            "subresource_uris": { "media": format!("/2010-04-01/Accounts/{}/Messages/{}/Media.json", self.account, m.sid) },
            "to": m.to,
            "uri": format!("/2010-04-01/Accounts/{}/Messages/{}.json", self.account, m.sid),
        })
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.*".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

const CREATE: &[&str] = &[
    "To",
    "From",
    "Body",
    "StatusCallback",
    "MessagingServiceSid",
    "ValidityPeriod",
    "MediaUrl",
];

async fn create(
    State(p): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = p.refusal(&headers, &account) {
        return refused;
    }
    let form = parse_form(&body).unwrap_or_default();
    let get = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map_or("", |(_, v)| v.as_str())
    };
    if let Some((unknown, _)) = form.iter().find(|(k, _)| !CREATE.contains(&k.as_str())) {
        return error(
            StatusCode::BAD_REQUEST,
            20001,
            &format!("Parameter is invalid: {unknown}"),
        );
    }
    let validity = get("ValidityPeriod");
    if !validity.is_empty()
        && !validity
            .parse::<u32>()
            .is_ok_and(|v| (1..=36_000).contains(&v))
    {
        return error(
            StatusCode::BAD_REQUEST,
            20001,
            "Parameter is invalid: ValidityPeriod",
        );
    }
    let (to, from, text) = (get("To"), get("From"), get("Body"));
    let refusal = if to.is_empty() {
        Some((21604, "A 'To' phone number is required."))
    } else if Phone::from_e164(to).is_none() {
        Some((21211, "Invalid 'To' Phone Number"))
    } else if from.is_empty() {
        Some((21603, "A 'From' phone number is required."))
    } else if !p.senders.iter().any(|s| s == from) {
        Some((
            21606,
            "The 'From' phone number provided is not a valid message-capable phone number for this \
             destination",
        ))
    } else if text.is_empty() {
        Some((21602, "Message body is required."))
    } else if text.encode_utf16().count() > 1600 {
        Some((
            21617,
            "The concatenated message body exceeds the 1600 character limit.",
        ))
    } else {
        None
    };
    if let Some((code, words)) = refusal {
        return error(StatusCode::BAD_REQUEST, code, words);
    }
    if let Some(code) = p.lock().refused.get(to).copied() {
        return error(StatusCode::BAD_REQUEST, code, "Refused");
    }
    if p.lock().opted_out.contains(to) {
        return error(
            StatusCode::BAD_REQUEST,
            21610,
            "Attempt to send to unsubscribed recipient",
        );
    }
    let message = {
        let mut inner = p.lock();
        let callback = Some(get("StatusCallback"))
            .filter(|c| !c.is_empty())
            .map(str::to_owned);
        let m = Message {
            sid: format!("SM{}", random_token()),
            from: from.into(),
            to: to.into(),
            body: text.into(),
            inbound: false,
            status: "queued".into(),
            created: inner.clock.now(),
            callback,
        };
        inner.messages.push(m.clone());
        m
    };
    p.bump();
    tokio::spawn(p.clone().advance(message.sid.clone()));
    (StatusCode::CREATED, Json(p.json(&message))).into_response()
}

async fn list(
    State(p): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(refused) = p.refusal(&headers, &account) {
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
    let wanted = |m: &&Message| {
        get("To").is_none_or(|t| t == m.to)
            && get("From").is_none_or(|f| f == m.from)
            // A message that was not sent yet has no date, so this filter never shows it.
            && since.is_none_or(|s| matches!(m.status.as_str(), "sent" | "delivered" | "received") && m.created >= s)
    };
    let all: Vec<Value> = p
        .lock()
        .messages
        .iter()
        .rev()
        .filter(wanted)
        .map(|m| p.json(m))
        .collect();
    let keep: Vec<String> = pairs
        .iter()
        .filter(|(k, _)| !matches!(k.as_str(), "Page" | "PageSize" | "PageToken"))
        .map(|(k, v)| format!("{}={}", percent(k), percent(v)))
        .collect();
    let uri = |n: usize| {
        format!(
            "/2010-04-01/Accounts/{}/Messages.json?{}",
            p.account,
            keep.iter()
                .cloned()
                .chain([format!("PageSize={size}"), format!("Page={n}")])
                .collect::<Vec<_>>()
                .join("&")
        )
    };
    let start = page * size;
    let shown: Vec<Value> = all.iter().skip(start).take(size).cloned().collect();
    Json(json!({
        "end": start + shown.len().saturating_sub(1),
        "first_page_uri": uri(0),
        "next_page_uri": (start + size < all.len()).then(|| uri(page + 1)),
        "page": page,
        "page_size": size,
        "previous_page_uri": (page > 0).then(|| uri(page - 1)),
        "start": start,
        "uri": uri(page),
        "messages": shown,
    }))
    .into_response()
}

async fn fetch(
    State(p): State<Arc<SmsService>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = p.refusal(&headers, &account) {
        return refused;
    }
    let sid = file.trim_end_matches(".json");
    match p.lock().messages.iter().find(|m| m.sid == sid) {
        Some(m) => Json(p.json(m)).into_response(),
        None => error(
            StatusCode::NOT_FOUND,
            20404,
            "The requested resource was not found",
        ),
    }
}

async fn update(
    State(p): State<Arc<SmsService>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = p.refusal(&headers, &account) {
        return refused;
    }
    let empties =
        parse_form(&body).is_some_and(|f| f.iter().any(|(k, v)| k == "Body" && v.is_empty()));
    let sid = file.trim_end_matches(".json");
    match p.lock().messages.iter_mut().find(|m| m.sid == sid) {
        Some(m) => {
            if empties {
                m.body.clear();
            }
            Json(p.json(m)).into_response()
        }
        None => error(
            StatusCode::NOT_FOUND,
            20404,
            "The requested resource was not found",
        ),
    }
}

async fn about(
    State(p): State<Arc<SmsService>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = p.refusal(&headers, account.trim_end_matches(".json")) {
        return refused;
    }
    Json(json!({
        "sid": p.account,
        "friendly_name": "practice",
        "status": "active",
        "type": "Full",
        "uri": format!("/2010-04-01/Accounts/{}.json", p.account),
    }))
    .into_response()
}
