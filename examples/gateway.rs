//! A local gateway for benchmarks: accepts messages like Twilio, responds at once, and counts
//! distinct pairs of number and text.
//!
//! `gateway` prints its address and serves until it is stopped. `GET /_stats` returns how many
//! messages were accepted and how many of them were distinct.

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    seen: Mutex<HashSet<(String, String)>>,
}

async fn handle(
    counts: Arc<Counts>,
    request: Request<Incoming>,
) -> Result<Response<Full<hyper::body::Bytes>>, Infallible> {
    if request.uri().path() == "/_stats" {
        let unique = counts.seen.lock().map_or(0, |s| s.len());
        return Ok(Response::new(Full::from(format!(
            "{{\"accepted\": {}, \"unique\": {unique}}}\n",
            counts.accepted.load(Relaxed)
        ))));
    }
    let body = request
        .into_body()
        .collect()
        .await
        .map(|b| b.to_bytes())
        .unwrap_or_default();
    let form = courtesy::channels::form::parse_form(&body).unwrap_or_default();
    let get = |name: &str| {
        form.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.clone())
            .unwrap_or_default()
    };
    let n = counts.accepted.fetch_add(1, Relaxed);
    if let Ok(mut seen) = counts.seen.lock() {
        seen.insert((get("To"), get("Body")));
    }
    let mut response = Response::new(Full::from(format!(
        "{{\"sid\": \"SM{n:032x}\", \"status\": \"queued\"}}"
    )));
    *response.status_mut() = hyper::StatusCode::CREATED;
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let counts = Arc::new(Counts::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let counts = counts.clone();
        tokio::spawn(async move {
            let service = service_fn(move |r| handle(counts.clone(), r));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
