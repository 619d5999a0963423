//! The simulator's pages: phones on which one answers as a parent, and the clock that one moves.

use crate::domain::local_time::{instant, parse_local, wall};
use crate::flows::service::Service;
use crate::simulator::people::screens;
use crate::simulator::sample::{OUR_NUMBER, ZONE};
use crate::simulator::sms_service::SmsService;
use crate::simulator::telegram::TelegramService;
use crate::simulator::time;
use crate::web::desk::board;
use crate::web::desk::live::live;
use crate::web::desk::pages::{page, value};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use minijinja::context;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// What the pages need. The program is known only once it has started.
#[derive(Clone)]
pub struct Pages {
    sms: Arc<SmsService>,
    telegram: Arc<TelegramService>,
    running: Arc<OnceLock<(Arc<Service>, CancellationToken)>>,
    moving: Arc<tokio::sync::Mutex<()>>,
}

impl Pages {
    /// The pages for these services.
    pub fn new(sms: Arc<SmsService>, telegram: Arc<TelegramService>) -> Pages {
        Pages {
            sms,
            telegram,
            running: Arc::default(),
            moving: Arc::default(),
        }
    }

    /// Connects the pages to the running program, until `stop`. They refresh whenever something
    /// happens in a chat.
    pub fn ready(&self, svc: Arc<Service>, stop: CancellationToken) {
        let mut chats = self.telegram.watch();
        let _ = self.running.set((svc.clone(), stop.clone()));
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while chats.changed().await.is_ok() {
                svc.changed.notify_waiters();
            }
        }));
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/phones", get(phones))
            .route("/practice/events", get(events))
            .route("/practice/text", post(text))
            .route("/practice/chat", post(chat))
            .route("/practice/press", post(press))
            .route("/practice/block", post(block))
            .route("/practice/clock", post(clock))
            .route(
                "/static/practice.js",
                get(|| async {
                    (
                        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
                        include_str!("../web/pages/practice.js"),
                    )
                }),
            )
            .with_state(self.clone())
    }

    fn svc(&self) -> Result<&Arc<Service>, (StatusCode, &'static str)> {
        self.running
            .get()
            .map(|r| &r.0)
            .ok_or((StatusCode::SERVICE_UNAVAILABLE, "practice is just starting"))
    }
}

async fn phones(State(pages): State<Pages>) -> Response {
    let svc = match pages.svc() {
        Ok(svc) => svc,
        Err(r) => return r.into_response(),
    };
    match screens(svc).await {
        Ok(people) => page(
            "phones.html",
            context! {
                title => "Phones",
                simulated => true,
                people => value(people),
                board => board::fragment_or_error(svc).await,
            },
        ),
        Err(e) => {
            tracing::error!("phones: {e:#}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the pages show as JSON: the clock, the thread of every phone and chat, and the last answer
/// to a press in each chat.
fn state(pages: &Pages, svc: &Service) -> String {
    let short = |at: DateTime<Utc>| wall(ZONE, at).format("%a %-d %b %H:%M").to_string();
    let mut threads: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for m in pages.sms.messages() {
        let phone = if m.inbound { m.from } else { m.to };
        threads
            .entry(phone)
            .or_default()
            .push(json!({ "own": m.inbound, "body": m.body, "at": short(m.created) }));
    }
    for m in pages.telegram.messages() {
        let thread = threads.entry(m.chat.to_string()).or_default();
        thread.push(json!({
            "own": m.own,
            "body": m.text,
            "at": short(m.at),
            "id": m.message_id,
            "buttons": m.buttons,
        }));
    }
    let blocked: Vec<String> = pages
        .telegram
        .blocked()
        .iter()
        .map(i64::to_string)
        .collect();
    let mut toasts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (n, (chat, words)) in pages.telegram.answers().into_iter().enumerate() {
        toasts.insert(chat.to_string(), (n + 1, words));
    }
    json!({
        "clock": short(svc.clock.now()),
        "threads": threads,
        "toasts": toasts,
        "blocked": blocked,
    })
    .to_string()
}

async fn events(State(pages): State<Pages>) -> Response {
    let Some((svc, stop)) = pages.running.get().cloned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    live(svc.clone(), stop, move || {
        let (pages, svc) = (pages.clone(), svc.clone());
        async move { state(&pages, &svc) }
    })
    .into_response()
}

#[derive(Deserialize)]
struct TextIn {
    number: String,
    body: String,
}

async fn text(State(pages): State<Pages>, Json(t): Json<TextIn>) -> Response {
    if t.body.chars().count() > 1600 {
        return (
            StatusCode::BAD_REQUEST,
            "a text has at most 1600 characters",
        )
            .into_response();
    }
    match pages.sms.write(&t.number, OUR_NUMBER, &t.body).await {
        Ok(200) => StatusCode::NO_CONTENT.into_response(),
        Ok(status) => (
            StatusCode::BAD_GATEWAY,
            format!("the text was answered with {status}"),
        )
            .into_response(),
        Err(e) => (StatusCode::BAD_GATEWAY, format!("{e:#}")).into_response(),
    }
}

#[derive(Deserialize)]
struct ChatIn {
    chat: i64,
    body: String,
}

async fn chat(State(pages): State<Pages>, Json(t): Json<ChatIn>) -> Response {
    if t.body.trim().is_empty() || t.body.encode_utf16().count() > 4096 {
        return (
            StatusCode::BAD_REQUEST,
            "a message has between 1 and 4096 characters",
        )
            .into_response();
    }
    pages.telegram.say(t.chat, &t.body);
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
struct PressIn {
    chat: i64,
    message_id: i64,
    data: String,
}

async fn press(State(pages): State<Pages>, Json(p): Json<PressIn>) -> Response {
    if pages.telegram.press(p.chat, p.message_id, &p.data) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        (StatusCode::CONFLICT, "that button is not there any more").into_response()
    }
}

#[derive(Deserialize)]
struct BlockIn {
    chat: i64,
    blocked: bool,
}

async fn block(State(pages): State<Pages>, Json(b): Json<BlockIn>) -> Response {
    pages.telegram.block(b.chat, b.blocked);
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
struct ClockIn {
    to: String,
}

async fn clock(State(pages): State<Pages>, Json(c): Json<ClockIn>) -> Response {
    let svc = match pages.svc() {
        Ok(svc) => svc.clone(),
        Err(r) => return r.into_response(),
    };
    let _one_at_a_time = pages.moving.lock().await;
    let to = match c.to.as_str() {
        "next" => match time::next_event(&svc).await {
            Ok(Some(t)) => t,
            Ok(None) => return (StatusCode::OK, "nothing is planned").into_response(),
            Err(e) => return (StatusCode::INTERNAL_SERVER_ERROR, format!("{e:#}")).into_response(),
        },
        text => match parse_time(text) {
            Some(t) => t,
            None => {
                let help = "write a time such as 2026-11-26T10:00";
                return (StatusCode::BAD_REQUEST, help).into_response();
            }
        },
    };
    match time::move_to(&svc, to).await {
        Ok(()) => (StatusCode::OK, "").into_response(),
        Err(e) => (StatusCode::BAD_REQUEST, format!("{e:#}")).into_response(),
    }
}

/// Reads a local time or one with an offset.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let local = parse_local(text).map(|l| instant(ZONE, l));
    local.or_else(|| {
        let with_offset = DateTime::parse_from_rfc3339(text).ok()?;
        Some(with_offset.with_timezone(&Utc))
    })
}
