//! Who may reach the desk.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Headers that a proxy adds.
const FORWARDED: [&str; 4] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

/// The desk has no login yet, so it answers only this machine. It refuses forwarded requests,
/// foreign host names and forms from other sites.
pub async fn only_from_this_machine(request: Request, next: Next) -> Response {
    let refuse = |why: &'static str| (StatusCode::FORBIDDEN, why).into_response();
    let headers = request.headers();
    if FORWARDED.iter().any(|h| headers.contains_key(*h)) {
        return refuse("the desk has no login and answers no forwarded requests");
    }
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or("");
    let name = if let Some(rest) = host.strip_prefix('[') {
        rest.split(']').next().unwrap_or("")
    } else {
        host.split(':').next().unwrap_or("")
    };
    if !["127.0.0.1", "localhost", "::1"].contains(&name) {
        return refuse("the desk answers only as 127.0.0.1 or localhost");
    }
    if request.method() != Method::GET && !same_site(headers, host) {
        return refuse("this came from another site");
    }
    next.run(request).await
}

fn same_site(headers: &HeaderMap, host: &str) -> bool {
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (get("sec-fetch-site"), get("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == format!("http://{host}"),
        (None, None) => true,
    }
}
