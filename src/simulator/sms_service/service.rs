//! The texting service as phones see it: texts to and from them, delivery, signed webhooks.

use crate::channels::twilio::{SIGNATURE_HEADER, sign};
use crate::clock::Clock;
use crate::domain::outgoing::segments::segments;
use crate::simulator::sms_service::percent::percent_encode;
use crate::store::sealed::random_token;
use anyhow::{Context, Result};
use axum::http::header;
use base64::Engine;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// A message as the service keeps it.
#[derive(Debug, Clone)]
pub struct SmsMessage {
    pub sid: String,
    pub from: String,
    pub to: String,
    pub body: String,
    /// Whether it came from a phone.
    pub inbound: bool,
    pub status: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    pub(super) callback: Option<String>,
}

pub(super) struct SmsState {
    pub(super) messages: Vec<SmsMessage>,
    pub(super) opted_out: HashSet<String>,
    pub(super) refused: HashMap<String, i64>,
    pub(super) stalled: HashSet<String>,
    pub(super) hooks: Option<String>,
    pub(super) clock: Clock,
    pub(super) pause: Duration,
}

/// The simulated texting service.
pub struct SmsService {
    pub(super) account: String,
    pub(super) token: String,
    pub(super) senders: Vec<String>,
    pub(super) url: String,
    pub(super) state: Mutex<SmsState>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) client: reqwest::Client,
}

impl SmsState {
    /// The service acts on opt-out words itself.
    fn apply_opt_out_word(&mut self, from: &str, body: &str) {
        match body.trim().to_uppercase().as_str() {
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "END" | "QUIT" | "CANCEL" | "REVOKE"
            | "OPTOUT" => {
                self.opted_out.insert(from.to_owned());
            }
            "START" | "YES" | "UNSTOP" => {
                self.opted_out.remove(from);
            }
            _ => {}
        }
    }

    /// Sets the status of a message; `None` if the message is unknown or stalled.
    fn set_status(&mut self, sid: &str, status: &str) -> Option<SmsMessage> {
        let m = self.messages.iter_mut().find(|m| m.sid == sid)?;
        if status == "delivered" && self.stalled.contains(&m.to) {
            return None;
        }
        m.status = status.into();
        Some(m.clone())
    }
}

impl SmsService {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where inbound messages are sent, and the clock that dates messages.
    pub fn set_hooks(&self, base: &str, clock: Clock) {
        let mut state = self.lock();
        state.hooks = Some(base.to_owned());
        state.clock = clock;
    }

    /// From now on, refuses texts to this number with this code.
    pub fn refuse(&self, number: &str, code: i64) {
        self.lock().refused.insert(number.to_owned(), code);
    }

    /// From now on, accepts texts to this number but never reports their delivery.
    pub fn stall(&self, number: &str) {
        self.lock().stalled.insert(number.to_owned());
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, SmsState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn notify(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Notifies whenever a message is created or changes its status.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// All messages, in order.
    pub fn messages(&self) -> Vec<SmsMessage> {
        self.lock().messages.clone()
    }

    /// A phone sends a text: it is stored and posted to the signed webhook. Returns the status of
    /// the webhook's answer.
    pub async fn write(&self, from: &str, to: &str, body: &str) -> Result<u16> {
        let message = SmsMessage {
            sid: format!("SM{}", random_token()),
            from: from.to_owned(),
            to: to.to_owned(),
            body: body.to_owned(),
            inbound: true,
            status: "received".into(),
            created: self.lock().clock.now(),
            callback: None,
        };
        let hooks = {
            let mut state = self.lock();
            state.messages.push(message.clone());
            state.apply_opt_out_word(from, body);
            state.hooks.clone()
        };
        self.notify();
        let base = hooks.context("no webhook is set at the practice SMS service yet")?;
        let n_segments = segments(&message.body).to_string();
        let fields = [
            ("ToCountry", ""),
            ("ToState", ""),
            ("SmsMessageSid", &message.sid),
            ("NumMedia", "0"),
            ("ToCity", ""),
            ("FromZip", ""),
            ("SmsSid", &message.sid),
            ("FromState", ""),
            ("SmsStatus", "received"),
            ("FromCity", ""),
            ("Body", &message.body),
            ("FromCountry", ""),
            ("To", to),
            ("ToZip", ""),
            ("NumSegments", &n_segments),
            ("MessageSid", &message.sid),
            ("AccountSid", &self.account),
            ("From", from),
            ("ApiVersion", "2010-04-01"),
        ];
        self.post(&format!("{base}/hooks/sms/inbound"), &fields)
            .await
    }

    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Result<u16> {
        let signature =
            base64::engine::general_purpose::STANDARD.encode(sign(&self.token, url, fields));
        let body: String = fields
            .iter()
            .map(|(k, v)| format!("{k}={}", percent_encode(v)))
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

    /// Moves a message through its statuses and reports each but "sending" to its callback.
    pub(super) async fn advance(self: Arc<Self>, sid: String) {
        for status in ["sending", "sent", "delivered"] {
            let pause = self.lock().pause;
            tokio::time::sleep(pause).await;
            let Some(message) = self.lock().set_status(&sid, status) else {
                return;
            };
            self.notify();
            if let Some(url) = message.callback.as_ref().filter(|_| status != "sending") {
                let fields = [
                    ("ApiVersion", "2010-04-01"),
                    ("MessageStatus", status),
                    ("SmsSid", &sid),
                    ("SmsStatus", status),
                    ("To", &message.to),
                    ("From", &message.from),
                    ("MessageSid", &sid),
                    ("AccountSid", &self.account),
                ];
                // Like the real service, it gives up a callback that nobody accepts.
                let _ = self.post(url, &fields).await;
            }
        }
    }
}
