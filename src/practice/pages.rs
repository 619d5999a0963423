//! The practice pages: phones where one types as a parent, and the clock that one moves.

use super::provider::Provider;
use super::{OUR_NUMBER, time};
use crate::domain::local_time::{instant, parse_local, wall};
use crate::domain::person::{Channel, Role};
use crate::flows::Service;
use crate::store::cases;
use crate::web::board::{self, page};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
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
    provider: Arc<Provider>,
    running: Arc<OnceLock<(Arc<Service>, CancellationToken)>>,
    moving: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Serialize)]
struct PhoneCard {
    number: String,
    name: String,
    whose: String,
}

impl Pages {
    /// The pages of a practice.
    pub fn new(provider: Arc<Provider>) -> Pages {
        Pages { provider, running: Arc::default(), moving: Arc::default() }
    }

    /// The program runs, until `stop`.
    pub fn ready(&self, svc: Arc<Service>, stop: CancellationToken) {
        let _ = self.running.set((svc, stop));
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/phones", get(phones))
            .route("/practice/events", get(events))
            .route("/practice/text", post(text))
            .route("/practice/clock", post(clock))
            .route("/static/practice.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../web/pages/practice.js")) }))
            .with_state(self.clone())
    }

    fn svc(&self) -> Result<&Arc<Service>, (StatusCode, &'static str)> {
        self.running.get().map(|r| &r.0).ok_or((StatusCode::SERVICE_UNAVAILABLE, "practice is just starting"))
    }
}

fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Resident => "resident parent",
        Role::Contact => "contact parent",
        Role::Referrer => "referrer",
    }
}

async fn cards(svc: &Service) -> anyhow::Result<Vec<PhoneCard>> {
    let mut out: Vec<PhoneCard> = Vec::new();
    for (phone, case_ref, role, name, channel) in cases::numbers(&svc.db).await? {
        let rings = if channel == Channel::Sms { "" } else { ", by phone only" };
        let whose = format!("{} of {case_ref}{rings}", role_in_words(role));
        match out.iter_mut().find(|p| p.number == phone.as_str()) {
            Some(card) => card.whose = format!("{}; {whose}", card.whose),
            None => out.push(PhoneCard { number: phone.as_str().to_owned(), name: name.0, whose }),
        }
    }
    Ok(out)
}

async fn phones(State(pages): State<Pages>) -> Response {
    let svc = match pages.svc() {
        Ok(svc) => svc,
        Err(r) => return r.into_response(),
    };
    match cards(svc).await {
        Ok(phones) => page(
            "phones.html",
            context! { title => "Phones", practice => true, phones => minijinja::Value::from(minijinja::value::Serde(phones)), board => board::fragment_or_word(svc).await },
        ),
        Err(e) => {
            tracing::error!("phones: {e:#}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the pages show: the clock and every phone's thread.
fn state(pages: &Pages, svc: &Service) -> String {
    let short = |at: DateTime<chrono::Utc>| wall(ZONE, at).format("%a %-d %b %H:%M").to_string();
    let mut threads: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for m in pages.provider.messages() {
        let phone = if m.inbound { m.from } else { m.to };
        threads.entry(phone).or_default().push(json!({ "own": m.inbound, "body": m.body, "at": short(m.created) }));
    }
    json!({ "clock": short(svc.clock.now()), "threads": threads }).to_string()
}

async fn events(State(pages): State<Pages>) -> Response {
    let Some((svc, stop)) = pages.running.get().cloned() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
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
        return (StatusCode::BAD_REQUEST, "a text has at most 1600 characters").into_response();
    }
    match pages.provider.write(&t.number, OUR_NUMBER, &t.body).await {
        Ok(200) => StatusCode::NO_CONTENT.into_response(),
        Ok(status) => (StatusCode::BAD_GATEWAY, format!("the text was answered with {status}")).into_response(),
        Err(e) => (StatusCode::BAD_GATEWAY, format!("{e:#}")).into_response(),
    }
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
        match parse_local(&c.to).map(|l| instant(ZONE, l)).or_else(|| DateTime::parse_from_rfc3339(&c.to).ok().map(|t| t.with_timezone(&chrono::Utc))) {
            Some(t) => t,
            None => return (StatusCode::BAD_REQUEST, "write a time such as 2026-11-26T10:00").into_response(),
        }
    };
    match time::move_to(&svc, to).await {
        Ok(()) => (StatusCode::OK, "").into_response(),
        Err(e) => (StatusCode::BAD_REQUEST, format!("{e:#}")).into_response(),
    }
}
