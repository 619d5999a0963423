//! The parameters of a call, and what Telegram refuses in them.

use crate::channels::form::parse_form;
use crate::simulator::telegram::refusal::{Refusal, bad_request};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// The parameters of a call: JSON, a form, or the multipart form that clients send where a file
/// would be possible.
pub(super) struct Params(Map<String, Value>);

impl Params {
    pub(super) fn read(headers: &HeaderMap, query: &str, body: &[u8]) -> Option<Params> {
        let mut out: Map<String, Value> = parse_form(query.as_bytes())?
            .into_iter()
            .map(|(k, v)| (k, v.into()))
            .collect();
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|h| h.to_str().ok())
            .unwrap_or("");
        if kind.starts_with("application/x-www-form-urlencoded") {
            out.extend(parse_form(body)?.into_iter().map(|(k, v)| (k, v.into())));
        } else if let Some((_, boundary)) = kind.split_once("boundary=") {
            let text = std::str::from_utf8(body).ok()?;
            for part in text.split(&format!("--{}", boundary.trim_matches('"'))) {
                let Some((head, value)) = part.split_once("\r\n\r\n") else {
                    continue;
                };
                let name = head
                    .split_once("name=\"")
                    .and_then(|(_, rest)| rest.split('"').next())?;
                out.insert(
                    name.to_owned(),
                    value.strip_suffix("\r\n").unwrap_or(value).into(),
                );
            }
        } else if !body.trim_ascii().is_empty() {
            out.extend(serde_json::from_slice::<Map<String, Value>>(body).ok()?);
        }
        Some(Params(out))
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|v| *v == json!(true) || *v == json!("true"))
    }

    /// A list or an object, which forms carry as text.
    pub(super) fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::String(s) => serde_json::from_str(s).ok(),
            Value::Null => None,
            other => Some(other.clone()),
        }
    }

    pub(super) fn message_text(&self) -> Result<String, Refusal> {
        let text = self.text("text").unwrap_or_default();
        if self.0.get("parse_mode").is_some_and(|m| !m.is_null()) {
            return Err(bad_request(
                "can't parse entities: the simulator takes plain text only",
            ));
        }
        if text.trim().is_empty() {
            return Err(bad_request("message text is empty"));
        }
        if text.encode_utf16().count() > 4096 {
            return Err(bad_request("message is too long"));
        }
        Ok(text)
    }

    /// The buttons for a message; `None` if there are none.
    pub(super) fn markup(&self) -> Result<Option<Value>, Refusal> {
        let Some(markup) = self.json("reply_markup") else {
            return Ok(None);
        };
        let rows: Vec<&Value> = markup["inline_keyboard"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|r| r.as_array().is_some_and(|r| !r.is_empty()))
            .collect();
        let buttons: Vec<&Value> = rows.iter().filter_map(|r| r.as_array()).flatten().collect();
        for b in &buttons {
            if b["text"].as_str().is_none_or(str::is_empty) {
                return Err(bad_request(
                    "can't parse inline keyboard button: Button text must be non-empty",
                ));
            }
            if b.as_object().is_none_or(|b| b.len() != 2) {
                return Err(bad_request(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline \
                     keyboard",
                ));
            }
            if b.get("callback_data")
                .is_some_and(|d| !d.as_str().is_some_and(|d| (1..=64).contains(&d.len())))
            {
                return Err(bad_request("BUTTON_DATA_INVALID"));
            }
        }
        if buttons.len() > 100 {
            return Err(bad_request("reply markup is too long"));
        }
        Ok((!rows.is_empty()).then(|| json!({ "inline_keyboard": rows })))
    }
}
