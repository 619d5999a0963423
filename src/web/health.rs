//! Health checks, and metrics for Prometheus. No personal data.

use crate::flows::service::Service;
use crate::store::{inbox, messages};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

/// `/healthz` and `/readyz`.
pub fn router(svc: Arc<Service>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({ "alive": true })) }))
        .route("/readyz", get(ready))
        .with_state(svc)
}

/// `/metrics`.
pub fn metrics_router(svc: Arc<Service>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(svc)
}

async fn ready(State(svc): State<Arc<Service>>) -> Response {
    let mut why = svc.liveness.late();
    if let Some(reason) = svc.liveness.stopped() {
        why.push(reason);
    }
    if let Err(e) = messages::load(&svc.db, svc.clock.now()).await {
        tracing::warn!("not ready: {e:#}");
        why.push("database: it does not answer".to_owned());
    }
    let status = if why.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = if why.is_empty() {
        json!({ "ready": true })
    } else {
        json!({ "ready": false, "why": why })
    };
    (status, Json(body)).into_response()
}

async fn metrics(State(svc): State<Arc<Service>>) -> Response {
    match text(&svc).await {
        Ok(text) => (
            [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(e) => {
            tracing::warn!("no metrics: {e:#}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn text(svc: &Service) -> anyhow::Result<String> {
    let now = svc.clock.now();
    let mut out = String::new();
    out.push_str(
        "# HELP courtesy_messages_total Messages by kind and state.\n\
         # TYPE courtesy_messages_total gauge\n",
    );
    for (kind, state, n) in messages::counts(&svc.db).await? {
        let _ = writeln!(
            out,
            "courtesy_messages_total{{kind=\"{kind}\",state=\"{state}\"}} {n}"
        );
    }
    let load = messages::load(&svc.db, now).await?;
    let mut gauge = |name: &str, help: &str, value: i64| {
        let _ = writeln!(
            out,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
        );
    };
    gauge(
        "courtesy_due",
        "Messages that are due and not held.",
        load.due,
    );
    gauge(
        "courtesy_held",
        "Messages that are due and held.",
        load.held,
    );
    gauge(
        "courtesy_open_attempts",
        "Attempts without a recorded end.",
        load.open,
    );
    out.push_str(
        "# HELP courtesy_inbound_total Inbound messages.\n# TYPE courtesy_inbound_total gauge\n",
    );
    for (channel, n) in inbox::count(&svc.db).await? {
        let _ = writeln!(out, "courtesy_inbound_total{{channel=\"{channel}\"}} {n}");
    }
    out.push_str(
        "# HELP courtesy_last_tick_seconds Seconds since a loop last ticked.\n\
         # TYPE courtesy_last_tick_seconds gauge\n",
    );
    for (name, seconds) in svc.liveness.ages() {
        let _ = writeln!(
            out,
            "courtesy_last_tick_seconds{{loop=\"{name}\"}} {seconds}"
        );
    }
    Ok(out)
}
