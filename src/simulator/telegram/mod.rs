//! A Telegram Bot API for practice: private chats with buttons, long polling, a webhook, and the
//! errors that matter, in Telegram's wire format. Loopback only; everything is in memory. It reads
//! plain text alone: a `parse_mode` is refused.

mod bot_api;
mod params;

use crate::clock::Clock;
use crate::simulator::telegram::bot_api::{answer, call};
use crate::simulator::telegram::params::Params;
use crate::store::sealed::random_u32;
use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The kinds of updates that come only if they are asked for by name.
const ONLY_BY_NAME: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// A message as the service keeps it.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    /// The chat.
    pub chat: i64,
    /// Its number in the chat, from 1.
    pub message_id: i64,
    /// It came from the person, not from us.
    pub own: bool,
    /// The words as they stand now.
    pub text: String,
    /// The rows of buttons below it that can be pressed: what they say, what they send.
    pub buttons: Vec<Vec<(String, String)>>,
    /// When it was written.
    pub at: DateTime<Utc>,
    edited: Option<DateTime<Utc>>,
    markup: Option<Value>,
}

#[derive(Default)]
struct Chat {
    written: i64,
    blocked: bool,
}

struct Press {
    chat: i64,
    answered: bool,
}

struct Hook {
    url: String,
    secret: Option<String>,
    trouble: Option<(i64, String)>,
}

struct Inner {
    clock: Clock,
    chats: BTreeMap<i64, Chat>,
    messages: Vec<ChatMessage>,
    presses: HashMap<String, Press>,
    answers: Vec<(i64, String)>,
    /// What no later offset has confirmed yet.
    updates: Vec<(i64, Value)>,
    next_update: i64,
    /// Empty: all but those that come only by name.
    allowed: Vec<String>,
    hook: Option<Hook>,
    /// The poll or webhook that is in charge; an older one ends.
    reader: u64,
}

/// The service.
pub struct TelegramService {
    token: String,
    id: i64,
    username: String,
    url: String,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    client: reqwest::Client,
}

/// A request that Telegram answers with an error.
struct Refusal(StatusCode, String);

fn bad(words: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, format!("Bad Request: {words}"))
}

impl Inner {
    /// Queues an update, unless the bot did not ask for its kind.
    fn push(&mut self, kind: &str, what: Value) {
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

    fn write(&mut self, chat: i64, own: bool, text: &str, markup: Option<Value>) -> ChatMessage {
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

    /// The bot may write there.
    fn open_for_us(&self, chat: i64) -> Result<(), Refusal> {
        match self.chats.get(&chat) {
            None => Err(bad("chat not found")),
            Some(c) if c.blocked => Err(Refusal(
                StatusCode::FORBIDDEN,
                "Forbidden: bot was blocked by the user".into(),
            )),
            Some(_) => Ok(()),
        }
    }

    /// The bot's own message that a request wants to edit.
    fn ours(&mut self, p: &Params) -> Result<&mut ChatMessage, Refusal> {
        let (Some(chat), Some(id)) = (p.int("chat_id"), p.int("message_id")) else {
            return Err(bad("message identifier is not specified"));
        };
        self.open_for_us(chat)?;
        match self
            .messages
            .iter_mut()
            .find(|m| m.chat == chat && m.message_id == id)
        {
            None => Err(bad("message to edit not found")),
            Some(m) if m.own => Err(bad("message can't be edited")),
            Some(m) => Ok(m),
        }
    }
}

impl ChatMessage {
    fn set_markup(&mut self, markup: Option<Value>) {
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

/// The `/commands` of a text, as Telegram marks them, in UTF-16 units.
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
        let inner = Inner {
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
            inner: Mutex::new(inner),
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

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whose clock dates the messages.
    pub fn set_clock(&self, clock: Clock) {
        self.lock().clock = clock;
    }

    /// A chat whose person has pressed Start already: the bot may write there.
    pub fn open(&self, chat: i64) {
        self.lock().chats.entry(chat).or_default();
        self.bump();
    }

    /// A person writes, also `/start CODE`; who had blocked the bot unblocks it so. Gives the
    /// message's number in the chat.
    pub fn say(&self, chat: i64, text: &str) -> i64 {
        self.block(chat, false);
        let id = {
            let mut inner = self.lock();
            let m = inner.write(chat, true, text, None);
            let update = self.json(&m);
            inner.push("message", update);
            m.message_id
        };
        self.bump();
        id
    }

    /// A person presses a button; false if it is not there any more.
    pub fn press(&self, chat: i64, message_id: i64, data: &str) -> bool {
        {
            let mut inner = self.lock();
            let there = |m: &&ChatMessage| {
                m.chat == chat
                    && m.message_id == message_id
                    && m.buttons.iter().flatten().any(|(_, d)| d == data)
            };
            let Some(message) = inner.messages.iter().find(there).map(|m| self.json(m)) else {
                return false;
            };
            let id = (u64::from(random_u32()) << 31 | u64::from(random_u32())).to_string();
            inner.presses.insert(
                id.clone(),
                Press {
                    chat,
                    answered: false,
                },
            );
            inner.push(
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
        self.bump();
        true
    }

    /// A person blocks the bot, or takes that back; the bot is told.
    pub fn block(&self, chat: i64, blocked: bool) {
        {
            let mut inner = self.lock();
            let c = inner.chats.entry(chat).or_default();
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
            let date = inner.clock.now().timestamp();
            inner.push(
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
        self.bump();
    }

    /// A person blocks the bot, and the bot is not told: it learns it from a refusal.
    pub fn block_silently(&self, chat: i64) {
        self.lock().chats.entry(chat).or_default().blocked = true;
        self.bump();
    }

    /// Whether the bot is in a chat or group.
    pub fn is_in(&self, chat: i64) -> bool {
        self.lock().chats.contains_key(&chat)
    }

    /// The chats whose persons have blocked the bot.
    pub fn blocked(&self) -> Vec<i64> {
        self.lock()
            .chats
            .iter()
            .filter(|(_, c)| c.blocked)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Every message of every chat, in order, as it stands now.
    pub fn messages(&self) -> Vec<ChatMessage> {
        self.lock().messages.clone()
    }

    /// What answered the presses, in order: the chat and the words, which may be none.
    pub fn answers(&self) -> Vec<(i64, String)> {
        self.lock().answers.clone()
    }

    /// Told whenever anything changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Updates that no later offset has confirmed yet, or that no webhook has taken.
    pub fn pending(&self) -> usize {
        self.lock().updates.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn bump(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    fn user(&self) -> Value {
        json!({
            "id": self.id,
            "is_bot": true,
            "first_name": "Courtesy (practice)",
            "username": self.username,
        })
    }

    fn json(&self, m: &ChatMessage) -> Value {
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
        let marks = commands(&m.text);
        for (key, value) in [
            ("edit_date", m.edited.map(|t| json!(t.timestamp()))),
            ("entities", (!marks.is_empty()).then(|| json!(marks))),
            ("reply_markup", m.markup.clone()),
        ] {
            if let Some(value) = value {
                out[key] = value;
            }
        }
        out
    }
}
