//! Starts the texting service.

use crate::clock::Clock;
use crate::simulator::sms_service::rest_api::{about, create, fetch, list, not_found, update};
use crate::simulator::sms_service::service::{SmsService, SmsState};
use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

impl SmsService {
    /// Starts the service on a free port of this machine.
    pub async fn start(account: &str, token: &str, senders: &[&str]) -> Result<Arc<SmsService>> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("the practice SMS service cannot listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(15))
            .build()?;
        let state = SmsState {
            messages: Vec::new(),
            opted_out: HashSet::new(),
            refused: HashMap::new(),
            stalled: HashSet::new(),
            hooks: None,
            clock: Clock::System,
            pause: Duration::from_millis(40),
        };
        let service = Arc::new(SmsService {
            account: account.to_owned(),
            token: token.to_owned(),
            senders: senders.iter().map(|s| (*s).to_owned()).collect(),
            url,
            state: Mutex::new(state),
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
            .fallback(|| async { not_found() })
            .with_state(service.clone());
        tokio::spawn(crate::web::serve(
            listener,
            router,
            tokio_util::sync::CancellationToken::new(),
        ));
        Ok(service)
    }
}
