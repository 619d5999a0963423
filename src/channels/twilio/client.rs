//! Calls to the service: send a message, list messages, check the account.

use crate::channels::form::encode_form;
use crate::channels::twilio::{codes, status};
use crate::channels::{ContentMessage, ErrorMeaning, ProviderMessage, SendOutcome};
use anyhow::{Context, Result, bail};
use base64::Engine;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use std::time::Duration;

/// Prefixes a number that is on WhatsApp.
pub const WHATSAPP: &str = "whatsapp:";
/// The longest response that is read, in bytes.
const MAX_RESPONSE: usize = 4 * 1024 * 1024;
/// The most pages of one list that are read.
const MAX_PAGES: usize = 100;
/// The most idle connections that are kept open.
const MAX_IDLE_CONNECTIONS: usize = 128;

/// How to reach the service, and who we are there.
#[derive(Clone)]
pub struct SmsSettings {
    /// `https://api.twilio.com`
    pub base_url: String,
    /// `AC…`
    pub account_sid: String,
    /// The account's secret. The service signs its webhooks with it too.
    pub auth_token: String,
    /// Our number, or our messaging service `MG…`.
    pub sender: Sender,
    /// The timeout of one request.
    pub timeout: Duration,
}

/// Who our messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// One of our numbers, with the prefix `whatsapp:` if it is on WhatsApp.
    Number(String),
    /// A messaging service, which chooses among our numbers.
    Service(String),
}

impl Sender {
    /// The number or the messaging service's id.
    pub fn as_str(&self) -> &str {
        match self {
            Sender::Number(s) | Sender::Service(s) => s,
        }
    }
}

/// A client for one account and one sender.
#[derive(Clone)]
pub struct Twilio {
    pub(super) settings: SmsSettings,
    client: reqwest::Client,
    messages_url: String,
    auth: HeaderValue,
}

impl Twilio {
    /// Builds the client. It keeps connections open, follows no redirect and never retries by
    /// itself.
    pub fn new(settings: SmsSettings) -> Result<Twilio> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(4)))
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .context("the HTTP client cannot be built")?;
        let secret = base64::engine::general_purpose::STANDARD
            .encode(format!("{}:{}", settings.account_sid, settings.auth_token));
        let mut auth = HeaderValue::from_str(&format!("Basic {secret}"))
            .context("sms.auth_token has a character that no token has")?;
        auth.set_sensitive(true);
        let messages_url = format!(
            "{}/2010-04-01/Accounts/{}/Messages.json",
            settings.base_url.trim_end_matches('/'),
            settings.account_sid
        );
        Ok(Twilio {
            settings,
            client,
            messages_url,
            auth,
        })
    }

    /// Who our messages come from.
    pub fn sender(&self) -> &Sender {
        &self.settings.sender
    }

    /// The timeout of one request.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Identifies these settings without revealing the secret.
    pub fn fingerprint(&self) -> String {
        crate::channels::fingerprint(
            &self.settings.auth_token,
            &[
                &self.settings.base_url,
                &self.settings.account_sid,
                self.settings.sender.as_str(),
            ],
        )
    }

    /// The prefix of every number on this sender's channel: nothing, or `whatsapp:`.
    pub(super) fn prefix(&self) -> &'static str {
        if self.settings.sender.as_str().starts_with(WHATSAPP) {
            WHATSAPP
        } else {
            ""
        }
    }

    /// The bare number in an address as the service writes it.
    pub(super) fn number_in<'a>(&self, address: &'a str) -> &'a str {
        address.strip_prefix(self.prefix()).unwrap_or(address)
    }

    /// Sends a text. The service may keep trying for `valid_for` (60 s to 10 h) and reports to
    /// `callback`.
    pub async fn send(
        &self,
        to: &str,
        body: &str,
        valid_for: Option<Duration>,
        callback: &str,
    ) -> SendOutcome {
        self.create(to, &[("Body", body)], valid_for, callback)
            .await
    }

    /// Sends a content template with the values of its variables.
    pub async fn send_content(
        &self,
        to: &str,
        content: &ContentMessage,
        valid_for: Option<Duration>,
        callback: &str,
    ) -> SendOutcome {
        let variables: serde_json::Map<String, Value> = content
            .variables
            .iter()
            .zip(1..)
            .map(|(v, n)| (format!("{n}"), Value::from(v.as_str())))
            .collect();
        let variables = Value::from(variables).to_string();
        let mut fields = vec![("ContentSid", content.sid.as_str())];
        if !content.variables.is_empty() {
            fields.push(("ContentVariables", &variables));
        }
        self.create(to, &fields, valid_for, callback).await
    }

    async fn create(
        &self,
        to: &str,
        content: &[(&str, &str)],
        valid_for: Option<Duration>,
        callback: &str,
    ) -> SendOutcome {
        let seconds = valid_for.map(|d| d.as_secs().clamp(1, 36_000).to_string());
        let to = format!("{}{to}", self.prefix());
        let mut fields = vec![("To", to.as_str()), ("StatusCallback", callback)];
        fields.extend_from_slice(content);
        match &self.settings.sender {
            Sender::Number(n) => fields.push(("From", n)),
            Sender::Service(s) => fields.push(("MessagingServiceSid", s)),
        }
        if let Some(s) = &seconds {
            fields.push(("ValidityPeriod", s));
        }
        let request = self
            .client
            .post(&self.messages_url)
            .header(AUTHORIZATION, self.auth.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encode_form(&fields));
        let response = match request.send().await {
            Ok(r) => r,
            Err(e) if e.is_connect() || e.is_builder() => {
                return SendOutcome::NotSent {
                    error: format!("no connection: {}", root_cause(&e)),
                    wait: None,
                };
            }
            Err(e) => {
                return SendOutcome::Unknown {
                    error: root_cause(&e),
                };
            }
        };
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse().ok())
            .map(Duration::from_secs);
        match read_body(response).await {
            Ok(body) => outcome(status, wait, &body),
            Err(e) if status == StatusCode::TOO_MANY_REQUESTS => SendOutcome::NotSent {
                error: format!("429, {e:#}"),
                wait,
            },
            Err(e) => SendOutcome::Unknown {
                error: format!("{status}, the response broke off: {e:#}"),
            },
        }
    }

    /// Checks that the service answers and accepts our credentials. Free: no message is sent.
    pub async fn probe(&self) -> Result<()> {
        let url = format!(
            "{}/2010-04-01/Accounts/{}.json",
            self.settings.base_url.trim_end_matches('/'),
            self.settings.account_sid
        );
        let response = self.get(&url).await?;
        if !response.status().is_success() {
            bail!("the service answered {}", response.status());
        }
        Ok(())
    }

    /// Lists the messages to a number, all pages.
    ///
    /// # Errors
    /// If any page cannot be read, the whole list fails: part of a list proves nothing.
    pub async fn list_to(&self, to: &str) -> Result<Vec<ProviderMessage>> {
        let to = format!("{}{to}", self.prefix());
        self.list(&[("To", &to), ("PageSize", "200")]).await
    }

    /// Lists the messages to our sender since then, all pages.
    pub async fn list_inbound(&self, since: DateTime<Utc>) -> Result<Vec<ProviderMessage>> {
        let since = since.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut filters = vec![("DateSent>", since.as_str()), ("PageSize", "200")];
        if let Sender::Number(n) = &self.settings.sender {
            filters.push(("To", n));
        }
        let mut listed = self.list(&filters).await?;
        listed.retain(|m| m.inbound && self.is_ours(&m.to, m.service.as_deref()));
        Ok(listed)
    }

    /// Whether an inbound message is for our sender.
    pub(super) fn is_ours(&self, to: &str, service: Option<&str>) -> bool {
        match &self.settings.sender {
            Sender::Number(n) => to == n,
            // A WhatsApp number may belong to the service as well, and is a sender of its own.
            Sender::Service(s) => service == Some(s) && !to.starts_with(WHATSAPP),
        }
    }

    async fn list(&self, filters: &[(&str, &str)]) -> Result<Vec<ProviderMessage>> {
        let mut url = format!(
            "{}?{}",
            self.messages_url,
            encode_form(filters).replace("DateSent>=", "DateSent%3E=")
        );
        let mut out = Vec::new();
        for _ in 0..MAX_PAGES {
            let response = self.get(&url).await?;
            let status = response.status();
            let body = read_body(response).await?;
            if !status.is_success() {
                bail!("the list of messages: {status}");
            }
            let page: Value =
                serde_json::from_slice(&body).context("the list of messages is not readable")?;
            let messages = page
                .get("messages")
                .and_then(Value::as_array)
                .context("the list of messages has no messages")?;
            out.extend(
                messages
                    .iter()
                    .filter_map(listed)
                    .map(|m| self.with_bare_number(m)),
            );
            match page.get("next_page_uri").and_then(Value::as_str) {
                None => return Ok(out),
                // Only a path on the same service: our credentials go nowhere else.
                Some(next) if next.starts_with("/2010-04-01/") => {
                    url = format!("{}{next}", self.settings.base_url.trim_end_matches('/'))
                }
                Some(_) => bail!("the list of messages leads to another host"),
            }
        }
        bail!("the list of messages has too many pages")
    }

    /// The rest of the program knows the other side by its bare number.
    fn with_bare_number(&self, mut m: ProviderMessage) -> ProviderMessage {
        let theirs = if m.inbound {
            m.from.as_mut()
        } else {
            Some(&mut m.to)
        };
        if let Some(theirs) = theirs {
            *theirs = self.number_in(theirs).to_owned();
        }
        m
    }

    async fn get(&self, url: &str) -> Result<reqwest::Response> {
        self.client
            .get(url)
            .header(AUTHORIZATION, self.auth.clone())
            .send()
            .await
            .map_err(|e| anyhow::anyhow!(root_cause(&e)))
    }
}

/// Reads the response to a create request.
fn outcome(status: StatusCode, wait: Option<Duration>, body: &[u8]) -> SendOutcome {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| json.as_ref().and_then(|j| j.get(name));
    if status.is_success() {
        let sid = field("sid").and_then(Value::as_str);
        return match sid.filter(|s| is_message_sid(s)) {
            Some(sid) => SendOutcome::Accepted {
                provider_id: sid.to_owned(),
                receipt: field("status")
                    .and_then(Value::as_str)
                    .and_then(status::receipt),
            },
            None => SendOutcome::Unknown {
                error: format!("{status}, the response is not readable"),
            },
        };
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return SendOutcome::NotSent {
            error: "429, too many requests".into(),
            wait,
        };
    }
    let Some(code) = field("code")
        .and_then(Value::as_i64)
        .filter(|_| status.is_client_error())
    else {
        return SendOutcome::Unknown {
            error: status.to_string(),
        };
    };
    let error = codes::in_words(code);
    match codes::meaning(code) {
        ErrorMeaning::OutsideWindow => SendOutcome::OutsideWindow { error },
        _ if status == StatusCode::UNAUTHORIZED => SendOutcome::RefusedChannel { error },
        ErrorMeaning::ChannelRefused => SendOutcome::RefusedChannel { error },
        meaning => SendOutcome::RefusedNumber {
            error,
            opted_out: meaning == ErrorMeaning::OptedOut,
            blocked: false,
        },
    }
}

/// The innermost cause. It names no number and no text; the outer errors hold the request's address
/// and with it the account.
fn root_cause(e: &reqwest::Error) -> String {
    let mut out = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(s) = source {
        out = s.to_string();
        source = s.source();
    }
    out
}

fn is_message_sid(sid: &str) -> bool {
    sid.len() == 34
        && (sid.starts_with("SM") || sid.starts_with("MM"))
        && sid[2..].bytes().all(|b| b.is_ascii_hexdigit())
}

async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|e| anyhow::anyhow!(root_cause(&e)))?
    {
        if out.len() + chunk.len() > MAX_RESPONSE {
            bail!("the response is too long");
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out)
}

/// Reads one message of a list.
fn listed(m: &Value) -> Option<ProviderMessage> {
    let text = |name: &str| m.get(name).and_then(Value::as_str).map(str::to_owned);
    let sid = text("sid").filter(|s| is_message_sid(s))?;
    let error_code = m.get("error_code").and_then(|c| {
        c.as_str()
            .map(str::to_owned)
            .or_else(|| c.as_i64().map(|n| n.to_string()))
    });
    Some(ProviderMessage {
        provider_id: sid,
        body: text("body").unwrap_or_default(),
        to: text("to").unwrap_or_default(),
        from: text("from").filter(|f| !f.is_empty()),
        service: text("messaging_service_sid"),
        inbound: text("direction").is_some_and(|d| d == "inbound"),
        created_at: text("date_sent")
            .or_else(|| text("date_created"))
            .and_then(|d| DateTime::parse_from_rfc2822(&d).ok())
            .map(|d| d.with_timezone(&Utc)),
        receipt: text("status").as_deref().and_then(status::receipt),
        error: error_code.map(status::delivery_error),
        media: text("num_media").and_then(|n| n.parse().ok()).unwrap_or(0),
    })
}
