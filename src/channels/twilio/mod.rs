//! SMS and WhatsApp through any Twilio-style REST service: the only file that knows it. Sends,
//! lists, asks for life, and checks what comes in.

use crate::channels::{ContentMessage, ProviderMessage, SendOutcome};
use crate::domain::outgoing::receipt::Receipt;
use anyhow::{Context, Result, bail};
use base64::Engine;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use sha1::Sha1;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What stands before a number that is on WhatsApp.
pub const WHATSAPP: &str = "whatsapp:";
/// The code of words that came too late for WhatsApp's 24 hours: nothing reached the phone.
pub const OUTSIDE_WINDOW: &str = "63016";
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// The most pages of one list that are read.
const MOST_PAGES: usize = 100;
/// The most connections kept open.
const CONNECTIONS: usize = 128;

/// How the service is reached and who we are there.
#[derive(Clone)]
pub struct SmsSettings {
    /// `https://api.twilio.com`
    pub base_url: String,
    /// `AC…`
    pub account_sid: String,
    /// The account's secret; also signs what comes in.
    pub auth_token: String,
    /// Our number, or our messaging service `MG…`.
    pub sender: Sender,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Who the texts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A number of ours; `whatsapp:` stands before one on WhatsApp.
    Number(String),
    /// A messaging service that chooses among our numbers.
    Service(String),
}

impl Sender {
    /// The number or the service's id.
    pub fn as_str(&self) -> &str {
        match self {
            Sender::Number(s) | Sender::Service(s) => s,
        }
    }
}

/// The service.
#[derive(Clone)]
pub struct Twilio {
    settings: SmsSettings,
    client: reqwest::Client,
    messages_url: String,
    auth: HeaderValue,
}

fn plain(e: &reqwest::Error) -> String {
    let mut out = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(s) = source {
        out = s.to_string();
        source = s.source();
    }
    // The address of the request holds the account, never a number or a body.
    out
}

fn sid_is_sound(sid: &str) -> bool {
    sid.len() == 34
        && (sid.starts_with("SM") || sid.starts_with("MM"))
        && sid[2..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// Codes that concern the whole channel: who we are, or who we send as.
const CHANNEL_CODES: &[i64] = &[
    20003, 20005, 20008, 20404, 21212, 21603, 21606, 21660, 21703, 63007,
];

/// Percent-encodes a form.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(512);
    for (k, v) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(k);
        out.push('=');
        encode(v, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(char::from(b))
            }
            b' ' => out.push('+'),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(b >> 4)]));
                out.push(char::from(HEX[usize::from(b & 15)]));
            }
        }
    }
}

/// Reads a percent-encoded form; `None` if it is not UTF-8.
pub fn parse_form(body: &[u8]) -> Option<Vec<(String, String)>> {
    parse_form_bytes(body)
        .into_iter()
        .map(|(k, v)| Some((String::from_utf8(k).ok()?, String::from_utf8(v).ok()?)))
        .collect()
}

/// Bytes as text: what is no UTF-8 is written as `\xFF`, so that nothing of a message is lost and
/// nothing of it is taken for a word.
pub fn readable(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| {
        e.as_bytes()
            .utf8_chunks()
            .fold(String::new(), |mut out, chunk| {
                out.push_str(chunk.valid());
                chunk
                    .invalid()
                    .iter()
                    .for_each(|b| out.push_str(&format!("\\x{b:02X}")));
                out
            })
    })
}

/// Reads a percent-encoded form as bytes.
pub fn parse_form_bytes(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |part: &[u8]| {
        let mut out = Vec::with_capacity(part.len());
        let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
        let mut i = 0;
        while i < part.len() {
            match part[i] {
                b'+' => out.push(b' '),
                b'%' => match (hex(part.get(i + 1)), hex(part.get(i + 2))) {
                    (Some(h), Some(l)) => {
                        out.push((h * 16 + l) as u8);
                        i += 2;
                    }
                    _ => out.push(b'%'),
                },
                b => out.push(b),
            }
            i += 1;
        }
        out
    };
    body.split(|b| *b == b'&')
        .filter(|p| !p.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            (
                decode(&pair[..at]),
                decode(pair.get(at + 1..).unwrap_or(&[])),
            )
        })
        .collect()
}

impl Twilio {
    /// Prepares the client: connections are kept and reused, nothing is tried again by itself, and
    /// no redirect is followed.
    pub fn new(settings: SmsSettings) -> Result<Twilio> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(4)))
            .pool_max_idle_per_host(CONNECTIONS)
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .context("the HTTP client cannot be made")?;
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

    /// Who our texts come from.
    pub fn sender(&self) -> &Sender {
        &self.settings.sender
    }

    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// What a refusal of the whole channel depends on, without the secret itself.
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

    /// What stands before a number on this sender's channel: nothing, or `whatsapp:`.
    fn prefix(&self) -> &'static str {
        if self.settings.sender.as_str().starts_with(WHATSAPP) {
            WHATSAPP
        } else {
            ""
        }
    }

    /// The number in an address as the service writes it on this sender's channel.
    pub fn number_in<'a>(&self, address: &'a str) -> &'a str {
        address.strip_prefix(self.prefix()).unwrap_or(address)
    }

    /// Sends one text. `valid_for` is how long the service may keep trying (60 s to 10 h);
    /// `callback` is told how it goes.
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

    /// Sends a text that stands at the service, with values in the places of its variables.
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
        let mut words = vec![("ContentSid", content.sid.as_str())];
        if !content.variables.is_empty() {
            words.push(("ContentVariables", &variables));
        }
        self.create(to, &words, valid_for, callback).await
    }

    async fn create(
        &self,
        to: &str,
        words: &[(&str, &str)],
        valid_for: Option<Duration>,
        callback: &str,
    ) -> SendOutcome {
        let seconds = valid_for.map(|d| d.as_secs().clamp(1, 36_000).to_string());
        let to = format!("{}{to}", self.prefix());
        let mut pairs = vec![("To", to.as_str()), ("StatusCallback", callback)];
        pairs.extend_from_slice(words);
        match &self.settings.sender {
            Sender::Number(n) => pairs.push(("From", n)),
            Sender::Service(s) => pairs.push(("MessagingServiceSid", s)),
        }
        if let Some(s) = &seconds {
            pairs.push(("ValidityPeriod", s));
        }
        let request = self
            .client
            .post(&self.messages_url)
            .header(AUTHORIZATION, self.auth.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(&pairs));
        let response = match request.send().await {
            Ok(r) => r,
            Err(e) if e.is_connect() || e.is_builder() => {
                return SendOutcome::NotSent {
                    error: format!("no connection: {}", plain(&e)),
                    wait: None,
                };
            }
            Err(e) => return SendOutcome::Unknown { error: plain(&e) },
        };
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse().ok())
            .map(Duration::from_secs);
        let body = match read(response).await {
            Ok(b) => b,
            Err(e) if status.as_u16() == 429 => {
                return SendOutcome::NotSent {
                    error: format!("429, {e:#}"),
                    wait,
                };
            }
            Err(e) => {
                return SendOutcome::Unknown {
                    error: format!("{status}, the answer broke off: {e:#}"),
                };
            }
        };
        let json: Option<Value> = serde_json::from_slice(&body).ok();
        let field = |name: &str| json.as_ref().and_then(|j| j.get(name));
        if status.is_success() {
            return match field("sid")
                .and_then(Value::as_str)
                .filter(|s| sid_is_sound(s))
            {
                Some(sid) => SendOutcome::Accepted {
                    provider_id: sid.to_owned(),
                    receipt: field("status")
                        .and_then(Value::as_str)
                        .and_then(Receipt::from_provider),
                },
                None => SendOutcome::Unknown {
                    error: format!("{status}, the answer is not readable"),
                },
            };
        }
        if status.as_u16() == 429 {
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
        if code.to_string() == OUTSIDE_WINDOW {
            SendOutcome::OutsideWindow {
                error: format!("{code}: {}", refusal_in_words(code)),
            }
        } else if CHANNEL_CODES.contains(&code) || status.as_u16() == 401 {
            SendOutcome::RefusedChannel {
                error: format!("{code}: {}", refusal_in_words(code)),
            }
        } else {
            SendOutcome::RefusedNumber {
                error: format!("{code}: {}", refusal_in_words(code)),
                opted_out: code == 21610,
                blocked: false,
            }
        }
    }

    /// Asks whether the service is there and knows us: a free request, no message.
    pub async fn probe(&self) -> Result<()> {
        let url = format!(
            "{}/2010-04-01/Accounts/{}.json",
            self.settings.base_url.trim_end_matches('/'),
            self.settings.account_sid
        );
        let response = self
            .client
            .get(url)
            .header(AUTHORIZATION, self.auth.clone())
            .send()
            .await
            .map_err(|e| anyhow::anyhow!(plain(&e)))?;
        if !response.status().is_success() {
            bail!("the service answered {}", response.status());
        }
        Ok(())
    }

    /// Lists the messages to a number, all pages.
    ///
    /// # Errors
    /// Any page that cannot be had makes the whole list an error: a part of a list proves nothing.
    pub async fn list_to(&self, to: &str) -> Result<Vec<ProviderMessage>> {
        let to = format!("{}{to}", self.prefix());
        self.list(&[("To", &to), ("PageSize", "200")]).await
    }

    /// Lists the messages that came to our sender since then, all pages.
    pub async fn list_inbound(&self, since: DateTime<Utc>) -> Result<Vec<ProviderMessage>> {
        let since = since.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut pairs = vec![("DateSent>", since.as_str()), ("PageSize", "200")];
        if let Sender::Number(n) = &self.settings.sender {
            pairs.push(("To", n));
        }
        let mut listed = self.list(&pairs).await?;
        listed.retain(|m| m.inbound && self.is_ours(&m.to, m.service.as_deref()));
        Ok(listed)
    }

    /// Whether a message that came in came to us.
    pub fn is_ours(&self, to: &str, service: Option<&str>) -> bool {
        match &self.settings.sender {
            Sender::Number(n) => to == n,
            // A number on WhatsApp may belong to the service too, and is a sender of its own.
            Sender::Service(s) => service == Some(s) && !to.starts_with(WHATSAPP),
        }
    }

    async fn list(&self, pairs: &[(&str, &str)]) -> Result<Vec<ProviderMessage>> {
        let mut url = format!(
            "{}?{}",
            self.messages_url,
            form(pairs).replace("DateSent>=", "DateSent%3E=")
        );
        let mut out = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self
                .client
                .get(&url)
                .header(AUTHORIZATION, self.auth.clone())
                .send()
                .await
                .map_err(|e| anyhow::anyhow!(plain(&e)))?;
            let status = response.status();
            let body = read(response).await?;
            if !status.is_success() {
                bail!("the list of messages: {status}");
            }
            let page: Value =
                serde_json::from_slice(&body).context("the list of messages is not readable")?;
            let messages = page
                .get("messages")
                .and_then(Value::as_array)
                .context("the list of messages has no messages")?;
            out.extend(messages.iter().filter_map(read_listed).map(|mut m| {
                // The other side as everybody else knows it: its number.
                let theirs = if m.inbound {
                    m.from.as_mut()
                } else {
                    Some(&mut m.to)
                };
                if let Some(theirs) = theirs {
                    *theirs = self.number_in(theirs).to_owned();
                }
                m
            }));
            match page.get("next_page_uri").and_then(Value::as_str) {
                None => return Ok(out),
                // Only a path of the same service: credentials go nowhere else.
                Some(next) if next.starts_with("/2010-04-01/") => {
                    url = format!("{}{next}", self.settings.base_url.trim_end_matches('/'))
                }
                Some(_) => bail!("the list of messages leads elsewhere"),
            }
        }
        bail!("the list of messages has too many pages")
    }

    /// Whether what came to `url` with these parameters was signed by the service, compared in
    /// constant time.
    pub fn is_signed(&self, url: &str, pairs: &[(Vec<u8>, Vec<u8>)], signature: &str) -> bool {
        let Ok(given) = base64::engine::general_purpose::STANDARD.decode(signature.trim()) else {
            return false;
        };
        sign(&self.settings.auth_token, url, pairs)
            .as_slice()
            .ct_eq(&given)
            .into()
    }

    /// Whether this account is ours.
    pub fn is_our_account(&self, account_sid: &str) -> bool {
        account_sid == self.settings.account_sid
    }
}

/// The service's signature: HMAC-SHA1 over the address and the sorted parameters, blank ones too.
pub fn sign<B: AsRef<[u8]> + Ord>(auth_token: &str, url: &str, pairs: &[(B, B)]) -> Vec<u8> {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac =
        Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (k, v) in sorted {
        mac.update(k.as_ref());
        mac.update(v.as_ref());
    }
    mac.finalize().into_bytes().to_vec()
}

/// Reads an answer up to a limit.
async fn read(mut response: reqwest::Response) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|e| anyhow::anyhow!(plain(&e)))?
    {
        if out.len() + chunk.len() > LONGEST_ANSWER {
            bail!("the answer is too long");
        }
        out.extend_from_slice(&chunk);
    }
    Ok(out)
}

fn read_listed(m: &Value) -> Option<ProviderMessage> {
    let text = |name: &str| m.get(name).and_then(Value::as_str).map(str::to_owned);
    let sid = text("sid").filter(|s| sid_is_sound(s))?;
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
        status: text("status").unwrap_or_default(),
        error_code: m.get("error_code").and_then(|c| {
            c.as_str()
                .map(str::to_owned)
                .or_else(|| c.as_i64().map(|n| n.to_string()))
        }),
        media: text("num_media").and_then(|n| n.parse().ok()).unwrap_or(0),
    })
}

/// Our own words for the service's codes: its own may quote the number.
fn refusal_in_words(code: i64) -> &'static str {
    match code {
        20003 => "the account or its token is wrong",
        20404 => "the account or messaging service does not exist",
        21211 => "it is no phone number",
        21212 => "our own sender is no number",
        21408 => "texts to that country are not switched on",
        21603 | 21606 | 21660 => "our own sender cannot send",
        21610 => "the number has opted out at the service",
        21612 => "the number cannot be reached from ours",
        21614 => "the number takes no texts",
        21617 => "the text is too long",
        21655 | 21656 | 63027 | 63028 => {
            "the content template is not there, or has other variables"
        }
        63016 => {
            "it came too late for free words: the 24 hours after the last message from there are \
             over"
        }
        63024 => "it is no number on WhatsApp",
        _ => "refused by the service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_services_own() {
        // The example of the service's own documentation.
        let pairs: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let signed = sign(
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            &pairs,
        );
        assert_eq!(
            base64::engine::general_purpose::STANDARD.encode(signed),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        );
    }

    #[test]
    fn forms_go_there_and_back() {
        let text = "Séan & \"Co\" = 100% +1 £ 😊\n";
        let parsed = parse_form(form(&[("Body", text), ("Empty", "")]).as_bytes()).unwrap();
        assert_eq!(
            parsed,
            [
                ("Body".to_owned(), text.to_owned()),
                ("Empty".to_owned(), String::new())
            ]
        );
        assert_eq!(parse_form(b"a=%ff"), None);
        assert_eq!(readable(b"YES\xff\xfe ok".to_vec()), "YES\\xFF\\xFE ok");
        assert_eq!(
            parse_form(b"a=%4&b").unwrap(),
            [("a".into(), "%4".into()), ("b".into(), String::new())]
        );
    }
}
