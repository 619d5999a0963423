//! Starts the Telegram service.

use crate::clock::Clock;
use crate::simulator::telegram::bot_api::{answer, call};
use crate::simulator::telegram::chat_state::ChatState;
use crate::simulator::telegram::refusal::Refusal;
use crate::simulator::telegram::service::TelegramService;
use crate::store::sealed::random_u32;
use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

impl TelegramService {
    /// Starts the service on a free port of this machine, for one bot.
    pub async fn start(token: &str, username: &str) -> Result<Arc<TelegramService>> {
        let id = token
            .split(':')
            .next()
            .and_then(|n| n.parse().ok())
            .context("a bot's token begins with its number")?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("the practice chats cannot listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = ChatState {
            clock: Clock::System,
            chats: BTreeMap::new(),
            messages: Vec::new(),
            presses: HashMap::new(),
            answers: Vec::new(),
            updates: Vec::new(),
            next_update: 100_000_000 + i64::from(random_u32() % 800_000_000),
            allowed: Vec::new(),
            hook: None,
            reader: 0,
        };
        let chats = Arc::new(TelegramService {
            token: token.to_owned(),
            id,
            username: username.to_owned(),
            url,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(10))
                .build()?,
        });
        let router = Router::new()
            .route("/{bot}/{method}", any(call))
            .fallback(|| async { answer(Err(Refusal(StatusCode::NOT_FOUND, "Not Found".into()))) })
            .with_state(chats.clone());
        tokio::spawn(crate::web::serve(
            listener,
            router,
            tokio_util::sync::CancellationToken::new(),
        ));
        Ok(chats)
    }
}
