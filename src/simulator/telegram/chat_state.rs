//! The chats, messages and updates in memory.

use crate::clock::Clock;
use crate::simulator::telegram::params::Params;
use crate::simulator::telegram::refusal::{Refusal, bad_request};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// The kinds of updates that Telegram sends only on request.
const ONLY_BY_NAME: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// A message as the service keeps it.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    pub chat: i64,
    /// Its number in the chat, from 1.
    pub message_id: i64,
    /// Whether it came from the person and not from the bot.
    pub own: bool,
    pub text: String,
    /// The rows of buttons under it: what each says and what it sends.
    pub buttons: Vec<Vec<(String, String)>>,
    /// When it was written.
    pub at: DateTime<Utc>,
    pub(super) edited: Option<DateTime<Utc>>,
    pub(super) markup: Option<Value>,
}

#[derive(Default)]
pub(super) struct Chat {
    pub(super) written: i64,
    pub(super) blocked: bool,
}

pub(super) struct PendingPress {
    pub(super) chat: i64,
    pub(super) answered: bool,
}

pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) secret: Option<String>,
    pub(super) trouble: Option<(i64, String)>,
}

pub(super) struct ChatState {
    pub(super) clock: Clock,
    pub(super) chats: BTreeMap<i64, Chat>,
    pub(super) messages: Vec<ChatMessage>,
    pub(super) presses: HashMap<String, PendingPress>,
    pub(super) answers: Vec<(i64, String)>,
    /// Updates that no later offset has confirmed yet.
    pub(super) updates: Vec<(i64, Value)>,
    pub(super) next_update: i64,
    /// The kinds that the bot asked for. Empty: all but those that come only on request.
    pub(super) allowed: Vec<String>,
    pub(super) hook: Option<Webhook>,
    /// The poll or webhook that is in charge. Older ones end.
    pub(super) reader: u64,
}

impl ChatState {
    /// Queues an update, unless the bot did not ask for its kind.
    pub(super) fn push(&mut self, kind: &str, what: Value) {
        let wanted = if self.allowed.is_empty() {
            !ONLY_BY_NAME.contains(&kind)
        } else {
            self.allowed.iter().any(|a| a == kind)
        };
        if wanted {
            let id = self.next_update;
            self.next_update += 1;
            self.updates
                .push((id, json!({ "update_id": id, kind: what })));
        }
    }

    pub(super) fn write(
        &mut self,
        chat: i64,
        own: bool,
        text: &str,
        markup: Option<Value>,
    ) -> ChatMessage {
        let c = self.chats.entry(chat).or_default();
        c.written += 1;
        let mut m = ChatMessage {
            chat,
            message_id: c.written,
            own,
            text: text.to_owned(),
            buttons: Vec::new(),
            at: self.clock.now(),
            edited: None,
            markup: None,
        };
        m.set_markup(markup);
        self.messages.push(m.clone());
        m
    }

    /// Checks that the bot may write there.
    pub(super) fn check_open(&self, chat: i64) -> Result<(), Refusal> {
        match self.chats.get(&chat) {
            None => Err(bad_request("chat not found")),
            Some(c) if c.blocked => Err(Refusal(
                StatusCode::FORBIDDEN,
                "Forbidden: bot was blocked by the user".into(),
            )),
            Some(_) => Ok(()),
        }
    }

    /// The bot's own message that a request wants to edit.
    pub(super) fn ours(&mut self, p: &Params) -> Result<&mut ChatMessage, Refusal> {
        let (Some(chat), Some(id)) = (p.int("chat_id"), p.int("message_id")) else {
            return Err(bad_request("message identifier is not specified"));
        };
        self.check_open(chat)?;
        match self
            .messages
            .iter_mut()
            .find(|m| m.chat == chat && m.message_id == id)
        {
            None => Err(bad_request("message to edit not found")),
            Some(m) if m.own => Err(bad_request("message can't be edited")),
            Some(m) => Ok(m),
        }
    }
}

impl ChatMessage {
    pub(super) fn set_markup(&mut self, markup: Option<Value>) {
        let rows = markup
            .as_ref()
            .and_then(|m| m["inline_keyboard"].as_array())
            .cloned()
            .unwrap_or_default();
        let button = |b: &Value| {
            Some((
                b["text"].as_str()?.to_owned(),
                b["callback_data"].as_str()?.to_owned(),
            ))
        };
        self.buttons = rows
            .iter()
            .map(|row| {
                row.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(button)
                    .collect()
            })
            .collect();
        self.markup = markup;
    }
}
