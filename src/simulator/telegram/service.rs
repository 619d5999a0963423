//! The service as people see it: they write, press buttons, and block the bot.

use crate::clock::Clock;
use crate::simulator::telegram::chat_state::{ChatMessage, ChatState, PendingPress};
use crate::store::sealed::random_u32;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::sync::watch;

/// The simulated Telegram service.
pub struct TelegramService {
    pub(super) token: String,
    pub(super) id: i64,
    pub(super) username: String,
    pub(super) url: String,
    pub(super) state: Mutex<ChatState>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) client: reqwest::Client,
}

impl TelegramService {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the clock that dates messages.
    pub fn set_clock(&self, clock: Clock) {
        self.lock().clock = clock;
    }

    /// Opens a chat as if its person had pressed Start: the bot may write there.
    pub fn open(&self, chat: i64) {
        self.lock().chats.entry(chat).or_default();
        self.notify();
    }

    /// A person writes, for example `/start CODE`. This unblocks the bot. Returns the message's
    /// number in the chat.
    pub fn say(&self, chat: i64, text: &str) -> i64 {
        self.block(chat, false);
        let id = {
            let mut state = self.lock();
            let m = state.write(chat, true, text, None);
            let update = self.json(&m);
            state.push("message", update);
            m.message_id
        };
        self.notify();
        id
    }

    /// A person presses a button. Returns false if it is no longer there.
    pub fn press(&self, chat: i64, message_id: i64, data: &str) -> bool {
        {
            let mut state = self.lock();
            let there = |m: &&ChatMessage| {
                m.chat == chat
                    && m.message_id == message_id
                    && m.buttons.iter().flatten().any(|(_, d)| d == data)
            };
            let Some(message) = state.messages.iter().find(there).map(|m| self.json(m)) else {
                return false;
            };
            let id = (u64::from(random_u32()) << 31 | u64::from(random_u32())).to_string();
            state.presses.insert(
                id.clone(),
                PendingPress {
                    chat,
                    answered: false,
                },
            );
            state.push(
                "callback_query",
                json!({
                    "id": id,
                    "from": person_json(chat),
                    "message": message,
                    "chat_instance": format!("{}", self.id ^ chat),
                    "data": data,
                }),
            );
        }
        self.notify();
        true
    }

    /// A person blocks or unblocks the bot. The bot gets an update.
    pub fn block(&self, chat: i64, blocked: bool) {
        {
            let mut state = self.lock();
            let c = state.chats.entry(chat).or_default();
            if c.blocked == blocked {
                return;
            }
            c.blocked = blocked;
            let member = |kicked: bool| {
                if kicked {
                    json!({ "status": "kicked", "user": self.user(), "until_date": 0 })
                } else {
                    json!({ "status": "member", "user": self.user() })
                }
            };
            let date = state.clock.now().timestamp();
            state.push(
                "my_chat_member",
                json!({
                    "chat": chat_json(chat),
                    "from": person_json(chat),
                    "date": date,
                    "old_chat_member": member(!blocked),
                    "new_chat_member": member(blocked),
                }),
            );
        }
        self.notify();
    }

    /// A person blocks the bot. The bot gets no update and learns of it from a refusal.
    pub fn block_silently(&self, chat: i64) {
        self.lock().chats.entry(chat).or_default().blocked = true;
        self.notify();
    }

    /// Whether the bot is in a chat or group.
    pub fn is_in(&self, chat: i64) -> bool {
        self.lock().chats.contains_key(&chat)
    }

    /// The chats in which the bot is blocked.
    pub fn blocked(&self) -> Vec<i64> {
        self.lock()
            .chats
            .iter()
            .filter(|(_, c)| c.blocked)
            .map(|(id, _)| *id)
            .collect()
    }

    /// All messages of all chats, in order, as they are now.
    pub fn messages(&self) -> Vec<ChatMessage> {
        self.lock().messages.clone()
    }

    /// The answers to presses, in order: the chat and the text, which may be empty.
    pub fn answers(&self) -> Vec<(i64, String)> {
        self.lock().answers.clone()
    }

    /// Notifies whenever anything changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// How many updates are neither confirmed by a later offset nor taken by a webhook.
    pub fn pending(&self) -> usize {
        self.lock().updates.len()
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, ChatState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn notify(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    pub(super) fn user(&self) -> Value {
        json!({
            "id": self.id,
            "is_bot": true,
            "first_name": "Courtesy (practice)",
            "username": self.username,
        })
    }

    pub(super) fn json(&self, m: &ChatMessage) -> Value {
        let from = if m.own {
            person_json(m.chat)
        } else {
            self.user()
        };
        let mut out = json!({
            "message_id": m.message_id,
            "from": from,
            "chat": chat_json(m.chat),
            "date": m.at.timestamp(),
            "text": m.text,
        });
        let entities = commands(&m.text);
        for (key, value) in [
            ("edit_date", m.edited.map(|t| json!(t.timestamp()))),
            ("entities", (!entities.is_empty()).then(|| json!(entities))),
            ("reply_markup", m.markup.clone()),
        ] {
            if let Some(value) = value {
                out[key] = value;
            }
        }
        out
    }
}

/// A chat as Telegram describes it; groups have negative ids.
fn chat_json(chat: i64) -> Value {
    match chat {
        1.. => json!({ "id": chat, "type": "private", "first_name": format!("User{chat}") }),
        c if c.to_string().starts_with("-100") => {
            json!({ "id": c, "type": "supergroup", "title": format!("Group {c}") })
        }
        c => json!({ "id": c, "type": "group", "title": format!("Group {c}") }),
    }
}

fn person_json(chat: i64) -> Value {
    json!({
        "id": chat.unsigned_abs(),
        "is_bot": false,
        "first_name": format!("User{}", chat.unsigned_abs()),
        "language_code": "en",
    })
}

/// The `/commands` in a text as Telegram's entities, in UTF-16 units.
fn commands(text: &str) -> Vec<Value> {
    let mut out = Vec::new();
    let mut offset = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let name = word.trim_end().strip_prefix('/').unwrap_or("");
        let plain = name.split('@').next().unwrap_or("");
        if (1..=32).contains(&plain.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'@')
        {
            out.push(json!({ "type": "bot_command", "offset": offset, "length": name.len() + 1 }));
        }
        offset += word.encode_utf16().count();
    }
    out
}
