//! Delivering updates to the bot: long polling and the webhook.

use crate::channels::telegram::SECRET_HEADER;
use crate::simulator::telegram::chat_state::{ChatState, Webhook};
use crate::simulator::telegram::params::Params;
use crate::simulator::telegram::refusal::{Refusal, bad_request};
use crate::simulator::telegram::service::TelegramService;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a poll may wait, in seconds.
const POLL_AT_MOST: u64 = 50;
/// How long to wait after a webhook has failed.
const HOOK_PAUSE: Duration = Duration::from_secs(1);
const TERMINATED: &str = "Conflict: terminated by other getUpdates request; make sure that only \
                          one bot instance is running";
const HOOKED: &str = "Conflict: can't use getUpdates method while webhook is active; use \
                      deleteWebhook to delete the webhook first";

impl TelegramService {
    pub(super) async fn get_updates(&self, p: &Params) -> Result<Value, Refusal> {
        let mut changed = self.watch();
        let mine = {
            let mut state = self.lock();
            if state.hook.is_some() {
                return Err(Refusal(StatusCode::CONFLICT, HOOKED.into()));
            }
            state.ask_for(p);
            match p.int("offset").unwrap_or(0) {
                0 => {}
                n if n > 0 => state.updates.retain(|(id, _)| *id >= n),
                n => {
                    let keep = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
                    let from = state.updates.len().saturating_sub(keep);
                    state.updates.drain(..from);
                }
            }
            state.reader += 1;
            state.reader
        };
        // The confirmed updates are gone, and an older poll has to end.
        self.notify();
        let limit = usize::try_from(p.int("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
        let wait = Duration::from_secs(
            p.int("timeout")
                .and_then(|t| u64::try_from(t).ok())
                .unwrap_or(0)
                .min(POLL_AT_MOST),
        );
        let end = tokio::time::Instant::now() + wait;
        loop {
            {
                let state = self.lock();
                if state.reader != mine {
                    return Err(Refusal(
                        StatusCode::CONFLICT,
                        if state.hook.is_some() {
                            HOOKED
                        } else {
                            TERMINATED
                        }
                        .into(),
                    ));
                }
                if !state.updates.is_empty() || tokio::time::Instant::now() >= end {
                    return Ok(state
                        .updates
                        .iter()
                        .take(limit)
                        .map(|(_, u)| u.clone())
                        .collect());
                }
            }
            let _ = tokio::time::timeout_at(end, changed.changed()).await;
        }
    }

    pub(super) fn set_hook(self: &Arc<Self>, p: &Params) -> Result<Value, Refusal> {
        let url = p.text("url").unwrap_or_default();
        let host = reqwest::Url::parse(&url)
            .ok()
            .and_then(|u| u.host_str().map(str::to_owned))
            .unwrap_or_default();
        if !url.is_empty() && !matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]") {
            return Err(bad_request(
                "bad webhook: the simulator delivers on this machine only",
            ));
        }
        let mut state = self.lock();
        state.ask_for(p);
        if p.flag("drop_pending_updates") {
            state.updates.clear();
        }
        state.reader += 1;
        state.hook = (!url.is_empty()).then(|| Webhook {
            url,
            secret: p.text("secret_token"),
            trouble: None,
        });
        if state.hook.is_some() {
            tokio::spawn(self.clone().deliver(state.reader));
        }
        Ok(true.into())
    }

    pub(super) fn hook_info(&self) -> Value {
        let state = self.lock();
        let mut out = json!({
            "url": "",
            "has_custom_certificate": false,
            "pending_update_count": state.updates.len(),
        });
        if let Some(hook) = &state.hook {
            out["url"] = json!(hook.url);
            out["max_connections"] = json!(40);
            out["ip_address"] = json!("127.0.0.1");
            if let Some((at, words)) = &hook.trouble {
                out["last_error_date"] = json!(at);
                out["last_error_message"] = json!(words);
            }
        }
        if !state.allowed.is_empty() {
            out["allowed_updates"] = json!(state.allowed);
        }
        out
    }

    /// Posts updates to the webhook one by one, each until it is accepted, as long as this webhook
    /// is in charge.
    async fn deliver(self: Arc<Self>, mine: u64) {
        let mut changed = self.watch();
        loop {
            let next = {
                let state = self.lock();
                let Some(hook) = state.hook.as_ref().filter(|_| state.reader == mine) else {
                    return;
                };
                state.updates.first().map(|(id, u)| {
                    (
                        *id,
                        u.to_string(),
                        hook.url.clone(),
                        hook.secret.clone().unwrap_or_default(),
                    )
                })
            };
            let Some((id, body, url, secret)) = next else {
                let _ = changed.changed().await;
                continue;
            };
            let post = self
                .client
                .post(url)
                .header(SECRET_HEADER, secret)
                .header(header::CONTENT_TYPE, "application/json");
            let trouble = match post.body(body).send().await {
                Ok(r) if r.status().is_success() => None,
                Ok(r) => Some(format!("Wrong response from the webhook: {}", r.status())),
                Err(_) => Some("Connection refused".to_owned()),
            };
            let failed = trouble.is_some();
            {
                let mut state = self.lock();
                if !failed {
                    state.updates.retain(|(u, _)| *u != id);
                }
                let at = state.clock.now().timestamp();
                if let Some(hook) = state.hook.as_mut() {
                    hook.trouble = trouble.map(|words| (at, words));
                }
            }
            self.notify();
            if failed {
                tokio::time::sleep(HOOK_PAUSE).await;
            }
        }
    }
}

impl ChatState {
    /// Remembers the kinds of updates that a request asks for. An empty list means the usual ones.
    fn ask_for(&mut self, p: &Params) {
        if let Some(Value::Array(kinds)) = p.json("allowed_updates") {
            self.allowed = kinds
                .iter()
                .filter_map(|k| k.as_str().map(str::to_owned))
                .collect();
        }
    }
}
