//! Telegram through teloxide's client and types: the only file that knows the Bot API. It sends,
//! edits, answers presses, and fetches updates. Telegram cannot be asked what became of a message,
//! so what is unknown stays unknown.

use crate::channels::{Button, SendOutcome};
use anyhow::{Result, anyhow, bail};
use chrono::{DateTime, Utc};
use std::time::Duration;
use subtle::ConstantTimeEq;
use teloxide::payloads::{
    AnswerCallbackQuerySetters, EditMessageReplyMarkupSetters, GetUpdatesSetters,
    SendMessageSetters, SetWebhookSetters,
};
use teloxide::requests::{Request, Requester};
use teloxide::types::{
    AllowedUpdate, CallbackQueryId, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, Message,
    MessageId, Update, UpdateKind,
};
use teloxide::{ApiError, Bot, RequestError};

/// The longest that one fetch of updates may take beyond its own waiting.
const FETCH_SLACK: Duration = Duration::from_secs(10);

/// The most updates of one fetch.
const MOST_UPDATES: u8 = 100;

/// How the bot is reached.
#[derive(Clone)]
pub struct TelegramSettings {
    /// `https://api.telegram.org`
    pub api_url: String,
    /// The bot's token; its part before the colon is the bot's id.
    pub bot_token: String,
    /// How updates come.
    pub mode: UpdateMode,
    /// How long one request may take.
    pub timeout: Duration,
}

impl TelegramSettings {
    /// The secret of the webhook, if updates come by one.
    pub fn secret(&self) -> Option<&str> {
        match &self.mode {
            UpdateMode::Webhook { secret } => Some(secret),
            UpdateMode::Polling { .. } => None,
        }
    }
}

/// How updates come.
#[derive(Clone, PartialEq, Eq)]
pub enum UpdateMode {
    /// We ask for them; each question waits this long.
    Polling {
        /// How long a question waits for news.
        wait: Duration,
    },
    /// Telegram calls us, with this secret in a header.
    Webhook {
        /// The secret.
        secret: String,
    },
}

/// The bot.
#[derive(Clone)]
pub struct Telegram {
    settings: TelegramSettings,
    bot: Bot,
    poller: Bot,
}

/// An update as far as we read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramUpdate {
    /// Its number, which only grows.
    pub update_id: u32,
    /// The chat.
    pub chat: i64,
    /// When it was written; a press carries no time.
    pub at: Option<DateTime<Utc>>,
    /// What came.
    pub what: TelegramUpdateKind,
}

/// What an update brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelegramUpdateKind {
    /// Words in a private chat; an edit is a new message.
    Text(String),
    /// A photo, voice message, sticker, place or forwarded text: nothing that is an answer. With
    /// the words that stand beside it.
    Media(String),
    /// A press on a button.
    Press {
        /// Its id, to answer it.
        query: String,
        /// What the button holds.
        data: String,
        /// The message below which it stands.
        message: i32,
    },
    /// The bot was blocked, or let in again.
    Blocked(bool),
    /// Something from a group or channel.
    Group,
}

/// Who the bot is.
#[derive(Debug, Clone)]
pub struct BotInfo {
    /// Its name there, without the @.
    pub username: String,
    /// Every word about it that a person can read: name and descriptions.
    pub words: Vec<String>,
}

/// Reads one update as Telegram sends it; `None` if it is none, or nothing that we read.
pub fn read_update(bytes: &[u8]) -> Option<TelegramUpdate> {
    serde_json::from_slice::<Update>(bytes).ok().and_then(read)
}

fn read(update: Update) -> Option<TelegramUpdate> {
    let update_id = update.id.0;
    let incoming = |chat: i64, at, what| {
        Some(TelegramUpdate {
            update_id,
            chat,
            at,
            what,
        })
    };
    match update.kind {
        UpdateKind::Message(m) | UpdateKind::EditedMessage(m) => {
            if !m.chat.is_private() {
                return incoming(m.chat.id.0, None, TelegramUpdateKind::Group);
            }
            let at = Some(m.edit_date().copied().unwrap_or(m.date));
            let what = match m.text() {
                Some(text) if m.forward_date().is_none() && m.via_bot.is_none() => {
                    TelegramUpdateKind::Text(text.to_owned())
                }
                text => {
                    TelegramUpdateKind::Media(text.or(m.caption()).unwrap_or_default().to_owned())
                }
            };
            incoming(m.chat.id.0, at, what)
        }
        UpdateKind::CallbackQuery(q) => {
            let message = q.message?;
            if !message.chat().is_private() {
                return incoming(message.chat().id.0, None, TelegramUpdateKind::Group);
            }
            let press = TelegramUpdateKind::Press {
                query: q.id.0,
                data: q.data.unwrap_or_default(),
                message: message.id().0,
            };
            incoming(message.chat().id.0, None, press)
        }
        UpdateKind::MyChatMember(m) => {
            let gone = m.new_chat_member.kind.is_banned() || m.new_chat_member.kind.is_left();
            match (m.chat.is_private(), gone) {
                (true, _) => incoming(m.chat.id.0, Some(m.date), TelegramUpdateKind::Blocked(gone)),
                (false, false) => incoming(m.chat.id.0, None, TelegramUpdateKind::Group),
                (false, true) => None,
            }
        }
        _ => None,
    }
}

/// A network error without the address, which holds the token.
fn plain(e: &RequestError) -> String {
    match e {
        RequestError::Network(e) if e.is_timeout() => "no answer in time".into(),
        RequestError::Network(e) if e.is_connect() => "no connection".into(),
        RequestError::Network(_) => "the connection broke off".into(),
        RequestError::InvalidJson { .. } => "the answer is not readable".into(),
        RequestError::RetryAfter(s) => format!("too many requests; again in {s}"),
        RequestError::Io(_) => "it could not be read".into(),
        RequestError::MigrateToChatId(_) => "the chat became a group".into(),
        RequestError::Api(e) => words_of(e),
    }
}

/// The service's own words.
fn words_of(e: &ApiError) -> String {
    match e {
        ApiError::Unknown(words) => words.clone(),
        other => other.to_string(),
    }
}

/// What a refused or broken request means for a message that was to be sent.
fn tried(e: &RequestError) -> SendOutcome {
    let error = plain(e);
    let api = match e {
        RequestError::Network(n) if n.is_connect() || n.is_builder() => {
            return SendOutcome::NotSent { error, wait: None };
        }
        RequestError::RetryAfter(s) => {
            return SendOutcome::NotSent {
                error,
                wait: Some(s.duration()),
            };
        }
        RequestError::MigrateToChatId(_) => {
            return SendOutcome::RefusedNumber {
                error,
                opted_out: false,
                blocked: true,
            };
        }
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => {
            return SendOutcome::Unknown { error };
        }
        RequestError::Api(api) => api,
    };
    match api {
        ApiError::InvalidToken => SendOutcome::RefusedChannel {
            error: "the bot's token is wrong".into(),
        },
        ApiError::BotBlocked
        | ApiError::UserDeactivated
        | ApiError::ChatNotFound
        | ApiError::BotKicked => SendOutcome::RefusedNumber {
            error,
            opted_out: false,
            blocked: true,
        },
        // The words begin with the name of the status; without them nobody can tell what became of
        // it.
        other => match words_of(other) {
            t if t.starts_with("Forbidden") => SendOutcome::RefusedNumber {
                error,
                opted_out: false,
                blocked: true,
            },
            t if t.starts_with("Bad Request") => SendOutcome::RefusedNumber {
                error,
                opted_out: false,
                blocked: false,
            },
            t if t.starts_with("Unauthorized") => SendOutcome::RefusedChannel {
                error: "the bot's token is wrong".into(),
            },
            t if t.starts_with("Too Many Requests") => SendOutcome::NotSent {
                error,
                wait: Some(Duration::from_secs(1)),
            },
            t if t.starts_with("Conflict") => SendOutcome::NotSent { error, wait: None },
            _ => SendOutcome::Unknown { error },
        },
    }
}

fn keyboard(buttons: Vec<Vec<Button>>) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new(buttons.into_iter().map(|row| {
        row.into_iter()
            .map(|(label, data)| InlineKeyboardButton::callback(label, data))
    }))
}

/// How a small errand in a chat ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrandResult {
    /// It is so now, or was so already.
    Done,
    /// It will never be: too old, gone, blocked.
    Never,
    /// It can be tried again, after this time if the service named one.
    Again(Option<Duration>),
}

fn errand<T>(result: Result<T, RequestError>) -> ErrandResult {
    match result {
        Ok(_) => ErrandResult::Done,
        Err(RequestError::RetryAfter(s)) => ErrandResult::Again(Some(s.duration())),
        Err(RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_)) => {
            ErrandResult::Again(None)
        }
        Err(RequestError::Api(ApiError::MessageNotModified)) => ErrandResult::Done,
        Err(RequestError::Api(e))
            if ![
                "Bad Request",
                "Forbidden",
                "Unauthorized",
                "Not Found",
                "Not Implemented",
                "Invalid",
            ]
            .iter()
            .any(|t| words_of(&e).starts_with(t)) =>
        {
            ErrandResult::Again(None)
        }
        Err(_) => ErrandResult::Never,
    }
}

impl Telegram {
    /// Prepares the client; nothing is tried again by itself.
    pub fn new(settings: TelegramSettings) -> Result<Telegram> {
        let url = settings
            .api_url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| anyhow!("telegram.api_url is no address"))?;
        let client = |timeout: Duration| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(timeout.min(Duration::from_secs(4)))
                .timeout(timeout)
                .tcp_nodelay(true)
                .no_proxy()
                .build()
                .map_err(|_| anyhow!("the HTTP client cannot be made"))
        };
        let bot = |client| Bot::with_client(settings.bot_token.clone(), client);
        let wait = match &settings.mode {
            UpdateMode::Polling { wait } => *wait,
            UpdateMode::Webhook { .. } => Duration::ZERO,
        };
        let url: reqwest::Url = url;
        Ok(Telegram {
            bot: bot(client(settings.timeout)?).set_api_url(url.clone()),
            poller: bot(client(wait + FETCH_SLACK)?).set_api_url(url),
            settings,
        })
    }

    /// The bot's id: our sender on this channel.
    pub fn id(&self) -> &str {
        id_of(&self.settings.bot_token)
    }

    /// How updates come.
    pub fn mode(&self) -> &UpdateMode {
        &self.settings.mode
    }

    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// What a refusal of the whole channel depends on, without the secret itself.
    pub fn fingerprint(&self) -> String {
        let mode = match &self.settings.mode {
            UpdateMode::Polling { wait } => format!("polling {wait:?}"),
            UpdateMode::Webhook { secret } => format!("webhook {secret}"),
        };
        crate::channels::fingerprint(
            &self.settings.bot_token,
            &[
                &self.settings.api_url,
                &mode,
                &format!("{:?}", self.settings.timeout),
            ],
        )
    }

    /// Whether a header holds this bot's webhook secret, compared in constant time.
    pub fn is_secret(&self, given: &str) -> bool {
        match &self.settings.mode {
            UpdateMode::Webhook { secret } => secret.as_bytes().ct_eq(given.as_bytes()).into(),
            UpdateMode::Polling { .. } => false,
        }
    }

    /// Sends one text with its buttons. Gives its number in the chat.
    pub async fn send(&self, chat: i64, body: &str, buttons: Vec<Vec<Button>>) -> SendOutcome {
        let request = self.bot.send_message(ChatId(chat), body);
        let sent: Result<Message, RequestError> = if buttons.is_empty() {
            request.send().await
        } else {
            request.reply_markup(keyboard(buttons)).send().await
        };
        match sent {
            Ok(m) => SendOutcome::Accepted {
                provider_id: m.id.0.to_string(),
                receipt: None,
            },
            Err(e) => tried(&e),
        }
    }

    /// Asks whether the service is there and knows us: a free request, no message.
    pub async fn probe(&self) -> Result<()> {
        self.bot
            .get_me()
            .send()
            .await
            .map(|_| ())
            .map_err(|e| anyhow!(plain(&e)))
    }

    /// Who the bot is, with all that a stranger can read about it.
    pub async fn about(&self) -> Result<BotInfo> {
        let me = self
            .bot
            .get_me()
            .send()
            .await
            .map_err(|e| anyhow!(plain(&e)))?;
        let username = me.user.username.clone().unwrap_or_default();
        let mut words = vec![me.user.first_name.clone(), username.clone()];
        // A service that does not know the descriptions has none.
        if let Ok(d) = self.bot.get_my_description().send().await {
            words.push(d.description);
        }
        if let Ok(d) = self.bot.get_my_short_description().send().await {
            words.push(d.short_description);
        }
        Ok(BotInfo { username, words })
    }

    /// The bot's name, for links.
    pub async fn username(&self) -> Result<String> {
        let me = self
            .bot
            .get_me()
            .send()
            .await
            .map_err(|e| anyhow!(plain(&e)))?;
        me.user
            .username
            .ok_or_else(|| anyhow!("the bot has no name"))
    }

    /// Prepares the way on which updates come.
    pub async fn receive_at(&self, hook: &str) -> Result<()> {
        let done = match &self.settings.mode {
            UpdateMode::Polling { .. } => self.bot.delete_webhook().send().await,
            UpdateMode::Webhook { secret } => {
                let url = hook
                    .parse()
                    .map_err(|_| anyhow!("web.public_url is no address"))?;
                self.bot
                    .set_webhook(url)
                    .secret_token(secret.clone())
                    .allowed_updates(allowed())
                    .send()
                    .await
            }
        };
        done.map(|_| ()).map_err(|e| anyhow!(plain(&e)))
    }

    /// Fetches the updates from `offset` on, which tells Telegram that those before it are stored.
    /// Gives what we read of them and the next offset, and whether there may be more at once.
    pub async fn fetch(
        &self,
        offset: Option<i32>,
    ) -> Result<(Vec<TelegramUpdate>, Option<i32>, bool)> {
        let wait = match &self.settings.mode {
            UpdateMode::Polling { wait } => wait.as_secs() as u32,
            UpdateMode::Webhook { .. } => bail!("updates come by webhook"),
        };
        let mut request = self
            .poller
            .get_updates()
            .timeout(wait)
            .limit(MOST_UPDATES)
            .allowed_updates(allowed());
        request.offset = offset;
        let updates = request.send().await.map_err(|e| anyhow!(plain(&e)))?;
        let next = updates.iter().map(|u| u.id.as_offset()).max().or(offset);
        let full = updates.len() >= usize::from(MOST_UPDATES);
        Ok((updates.into_iter().filter_map(read).collect(), next, full))
    }

    /// Answers a press; with words they are shown until they are dismissed.
    pub async fn answer(&self, query: &str, words: &str) -> ErrandResult {
        let request = self
            .bot
            .answer_callback_query(CallbackQueryId(query.to_owned()));
        errand(if words.is_empty() {
            request.send().await
        } else {
            request
                .text(words.chars().take(200).collect::<String>())
                .show_alert(true)
                .send()
                .await
        })
    }

    /// Takes the buttons below a message away.
    pub async fn unbutton(&self, chat: i64, message: i32) -> ErrandResult {
        errand(
            self.bot
                .edit_message_reply_markup(ChatId(chat), MessageId(message))
                .reply_markup(keyboard(Vec::new()))
                .send()
                .await,
        )
    }

    /// Puts other words in place of a message.
    pub async fn replace(&self, chat: i64, message: i32, words: &str) -> ErrandResult {
        errand(
            self.bot
                .edit_message_text(ChatId(chat), MessageId(message), words)
                .send()
                .await,
        )
    }

    /// Leaves a group or channel.
    pub async fn leave(&self, chat: i64) -> ErrandResult {
        errand(self.bot.leave_chat(ChatId(chat)).send().await)
    }
}

/// The bot's id in its token.
pub fn id_of(token: &str) -> &str {
    token.split(':').next().unwrap_or(token)
}

fn allowed() -> [AllowedUpdate; 4] {
    [
        AllowedUpdate::Message,
        AllowedUpdate::EditedMessage,
        AllowedUpdate::CallbackQuery,
        AllowedUpdate::MyChatMember,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(inner: &str) -> Option<TelegramUpdate> {
        read_update(format!("{{\"update_id\":7,{inner}}}").as_bytes())
    }

    const PRIVATE: &str = r#""chat":{"id":42,"type":"private","first_name":"A"},"from":{"id":42,"is_bot":false,"first_name":"A"}"#;

    #[test]
    fn updates_are_read_as_what_they_are() {
        let text = update(&format!(
            r#""message":{{"message_id":1,"date":1795000000,{PRIVATE},"text":"YES"}}"#
        ))
        .unwrap();
        assert_eq!(
            (text.update_id, text.chat, text.at.unwrap().timestamp()),
            (7, 42, 1_795_000_000)
        );
        assert_eq!(text.what, TelegramUpdateKind::Text("YES".into()));
        let edit = update(&format!(r#""edited_message":{{"message_id":1,"date":1795000000,"edit_date":1795000100,{PRIVATE},"text":"NO"}}"#)).unwrap();
        assert_eq!(
            (edit.what, edit.at.unwrap().timestamp()),
            (TelegramUpdateKind::Text("NO".into()), 1_795_000_100)
        );
        let forwarded = update(&format!(
            r#""message":{{"message_id":1,"date":1795000000,{PRIVATE},"text":"YES","forward_origin":{{"type":"hidden_user","date":1,"sender_user_name":"B"}}}}"#
        ));
        assert_eq!(
            forwarded.unwrap().what,
            TelegramUpdateKind::Media("YES".into()),
            "what somebody else wrote is no answer"
        );
        let group = update(r#""message":{"message_id":1,"date":1795000000,"chat":{"id":-5,"type":"group","title":"G"},"text":"YES"}"#).unwrap();
        assert_eq!((group.chat, group.what), (-5, TelegramUpdateKind::Group));
        let press = update(&format!(
            r#""callback_query":{{"id":"q","from":{{"id":42,"is_bot":false,"first_name":"A"}},"chat_instance":"1","data":"t:yes","message":{{"message_id":9,"date":1795000000,{PRIVATE},"text":"?"}}}}"#
        ));
        assert_eq!(
            press.unwrap().what,
            TelegramUpdateKind::Press {
                query: "q".into(),
                data: "t:yes".into(),
                message: 9
            }
        );
        for nonsense in [
            "",
            "{",
            "[]",
            "{\"update_id\":1}",
            "{\"update_id\":1,\"poll\":{}}",
            "null",
        ] {
            assert_eq!(read_update(nonsense.as_bytes()), None, "{nonsense}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_doubt() {
        let api = |t: &str| tried(&RequestError::Api(ApiError::Unknown(t.into())));
        assert!(matches!(
            api("Forbidden: bot can't initiate conversation with a user"),
            SendOutcome::RefusedNumber { blocked: true, .. }
        ));
        assert!(matches!(
            api("Bad Request: message is too long"),
            SendOutcome::RefusedNumber { blocked: false, .. }
        ));
        assert!(matches!(
            api("Internal Server Error"),
            SendOutcome::Unknown { .. }
        ));
        assert!(matches!(
            tried(&RequestError::Api(ApiError::BotBlocked)),
            SendOutcome::RefusedNumber { blocked: true, .. }
        ));
        assert!(matches!(
            tried(&RequestError::Api(ApiError::InvalidToken)),
            SendOutcome::RefusedChannel { .. }
        ));
        assert!(
            matches!(tried(&RequestError::RetryAfter(teloxide::types::Seconds::from_seconds(3))), SendOutcome::NotSent { wait: Some(w), .. } if w == Duration::from_secs(3))
        );
        assert_eq!(
            errand::<()>(Err(RequestError::Api(ApiError::MessageNotModified))),
            ErrandResult::Done
        );
        assert_eq!(
            errand::<()>(Err(RequestError::Api(ApiError::InvalidQueryId))),
            ErrandResult::Never
        );
    }
}
