//! The practice pages: phones where one types or presses a button as a parent, and the clock that
//! one moves.

use crate::domain::local_time::{instant, parse_local, wall};
use crate::domain::people::person::{Channel, Role};
use crate::flows::service::Service;
use crate::simulator::sms_service::SmsService;
use crate::simulator::telegram::TelegramService;
use crate::simulator::{OUR_NUMBER, time};
use crate::store::cases;
use crate::web::desk::board::{self, page};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::DateTime;
use chrono_tz::Tz;
use minijinja::context;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// The wall clock that practice shows and reads.
pub const ZONE: Tz = chrono_tz::Europe::London;

/// What the pages need; the program is known only after it was started.
#[derive(Clone)]
pub struct Pages {
    provider: Arc<SmsService>,
    chats: Arc<TelegramService>,
    running: Arc<OnceLock<(Arc<Service>, CancellationToken)>>,
    moving: Arc<tokio::sync::Mutex<()>>,
}

/// One screen: the text messages of a number, or a Telegram chat.
#[derive(Serialize)]
struct PhoneCard {
    /// The number, or the chat's id.
    id: String,
    telegram: bool,
    name: String,
    whose: String,
}

/// What one person holds: one screen or two.
struct Hand {
    of: (String, Role, String),
    cards: Vec<PhoneCard>,
}

impl Pages {
    /// The pages of a practice.
    pub fn new(provider: Arc<SmsService>, chats: Arc<TelegramService>) -> Pages {
        Pages {
            provider,
            chats,
            running: Arc::default(),
            moving: Arc::default(),
        }
    }

    /// The program runs, until `stop`. The pages hear of it whenever something happens in a chat.
    pub fn ready(&self, svc: Arc<Service>, stop: CancellationToken) {
        let mut chats = self.chats.watch();
        let _ = self.running.set((svc.clone(), stop.clone()));
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while chats.changed().await.is_ok() {
                svc.changed.notify_waiters();
            }
        }));
    }

    /// The routes.
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

fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Resident => "resident parent",
        Role::Contact => "contact parent",
        Role::Referrer => "referrer",
    }
}

/// The screens of every person, in the order of the cases; who has a number and a chat holds both.
async fn hands(svc: &Service) -> anyhow::Result<Vec<Hand>> {
    let mut out: Vec<Hand> = Vec::new();
    let mut put =
        |id: String, telegram: bool, case_ref: String, role: Role, name: String, more: &str| {
            let whose = format!("{} of {case_ref}{more}", role_in_words(role));
            if let Some(card) = out
                .iter_mut()
                .flat_map(|h| &mut h.cards)
                .find(|c| c.id == id)
            {
                card.whose = format!("{}; {whose}", card.whose);
                return;
            }
            let of = (case_ref, role, name);
            let card = PhoneCard {
                id,
                telegram,
                name: of.2.clone(),
                whose,
            };
            match out.iter_mut().find(|h| h.of == of) {
                Some(hand) => hand.cards.push(card),
                None => out.push(Hand {
                    of,
                    cards: vec![card],
                }),
            }
        };
    for (phone, case_ref, role, name, channel) in cases::simulator_phones(&svc.db).await? {
        let more = match channel {
            Channel::Sms => "",
            Channel::Telegram => ", wants Telegram",
            Channel::Whatsapp => ", wants WhatsApp, which practice has not",
            _ => ", by phone only",
        };
        put(
            phone.as_str().to_owned(),
            false,
            case_ref,
            role,
            name.0,
            more,
        );
    }
    for (chat, case_ref, role, name) in cases::simulator_chats(&svc.db).await? {
        put(chat.to_string(), true, case_ref, role, name.0, "");
    }
    Ok(out)
}

async fn phones(State(pages): State<Pages>) -> Response {
    let svc = match pages.svc() {
        Ok(svc) => svc,
        Err(r) => return r.into_response(),
    };
    match hands(svc).await {
        Ok(hands) => {
            let hands: Vec<Vec<PhoneCard>> = hands.into_iter().map(|h| h.cards).collect();
            page(
                "phones.html",
                context! { title => "Phones", practice => true, hands => minijinja::Value::from(minijinja::value::Serde(hands)), board => board::fragment_or_word(svc).await },
            )
        }
        Err(e) => {
            tracing::error!("phones: {e:#}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the pages show: the clock, and of every phone and chat its thread; of a chat also the last
/// answer to a press.
fn state(pages: &Pages, svc: &Service) -> String {
    let short = |at: DateTime<chrono::Utc>| wall(ZONE, at).format("%a %-d %b %H:%M").to_string();
    let mut threads: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for m in pages.provider.messages() {
        let phone = if m.inbound { m.from } else { m.to };
        threads
            .entry(phone)
            .or_default()
            .push(json!({ "own": m.inbound, "body": m.body, "at": short(m.created) }));
    }
    for m in pages.chats.messages() {
        let thread = threads.entry(m.chat.to_string()).or_default();
        thread.push(json!({
            "own": m.own,
            "body": m.text,
            "at": short(m.at),
            "id": m.message_id,
            "buttons": m.buttons,
        }));
    }
    let blocked: Vec<String> = pages.chats.blocked().iter().map(i64::to_string).collect();
    let mut toasts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (n, (chat, words)) in pages.chats.answers().into_iter().enumerate() {
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
    board::live(svc.clone(), stop, move || {
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
    match pages.provider.write(&t.number, OUR_NUMBER, &t.body).await {
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
    pages.chats.say(t.chat, &t.body);
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
struct PressIn {
    chat: i64,
    message_id: i64,
    data: String,
}

async fn press(State(pages): State<Pages>, Json(p): Json<PressIn>) -> Response {
    if pages.chats.press(p.chat, p.message_id, &p.data) {
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
    pages.chats.block(b.chat, b.blocked);
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
    let to = if c.to == "next" {
        match time::next_event(&svc).await {
            Ok(Some(t)) => t,
            Ok(None) => return (StatusCode::OK, "nothing is planned").into_response(),
            Err(e) => return (StatusCode::INTERNAL_SERVER_ERROR, format!("{e:#}")).into_response(),
        }
    } else {
        match parse_local(&c.to).map(|l| instant(ZONE, l)).or_else(|| {
            DateTime::parse_from_rfc3339(&c.to)
                .ok()
                .map(|t| t.with_timezone(&chrono::Utc))
        }) {
            Some(t) => t,
            None => {
                return (
                    StatusCode::BAD_REQUEST,
                    "write a time such as 2026-11-26T10:00",
                )
                    .into_response();
            }
        }
    };
    match time::move_to(&svc, to).await {
        Ok(()) => (StatusCode::OK, "").into_response(),
        Err(e) => (StatusCode::BAD_REQUEST, format!("{e:#}")).into_response(),
    }
}
