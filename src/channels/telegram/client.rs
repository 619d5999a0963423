//! Calls to the Bot API: send, edit, answer presses, fetch updates.

use crate::channels::telegram::errors::{ErrandResult, describe, errand_result, send_outcome};
use crate::channels::telegram::updates::{ALLOWED, read};
use crate::channels::{Button, InboundEvent, SendOutcome};
use anyhow::{Result, anyhow, bail};
use std::time::Duration;
use subtle::ConstantTimeEq;
use teloxide::payloads::{
    AnswerCallbackQuerySetters, EditMessageReplyMarkupSetters, GetUpdatesSetters,
    SendMessageSetters, SetWebhookSetters,
};
use teloxide::requests::{Request, Requester};
use teloxide::types::{
    CallbackQueryId, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, Me, Message, MessageId,
};
use teloxide::{Bot, RequestError};

/// How much longer than its own waiting time a fetch of updates may take.
const FETCH_SLACK: Duration = Duration::from_secs(10);
/// The most updates in one fetch.
const MAX_UPDATES: u8 = 100;

/// How to reach the bot.
#[derive(Clone)]
pub struct TelegramSettings {
    /// `https://api.telegram.org`
    pub api_url: String,
    /// The bot's token; its part before the colon is the bot's id.
    pub bot_token: String,
    /// How updates reach us.
    pub mode: UpdateMode,
    /// The timeout of one request.
    pub timeout: Duration,
}

impl TelegramSettings {
    /// The webhook's secret, if updates come by webhook.
    pub fn secret(&self) -> Option<&str> {
        match &self.mode {
            UpdateMode::Webhook { secret } => Some(secret),
            UpdateMode::Polling { .. } => None,
        }
    }
}

/// How updates reach us.
#[derive(Clone, PartialEq, Eq)]
pub enum UpdateMode {
    /// We poll for them.
    Polling {
        /// How long one poll waits for updates.
        wait: Duration,
    },
    /// Telegram calls us and sends a secret in a header.
    Webhook { secret: String },
}

/// A client for one bot.
#[derive(Clone)]
pub struct Telegram {
    settings: TelegramSettings,
    bot: Bot,
    poller: Bot,
}

/// How the bot presents itself.
#[derive(Debug, Clone)]
pub struct BotInfo {
    /// Its name there, without the @.
    pub username: String,
    /// Every text that a stranger can read about it: name and descriptions.
    pub texts: Vec<String>,
}

/// The result of one fetch.
pub struct FetchedUpdates {
    /// What we could read.
    pub events: Vec<InboundEvent>,
    /// The offset of the next fetch.
    pub next: Option<i32>,
    /// Whether more updates may be waiting.
    pub more: bool,
}

impl Telegram {
    /// Builds the client. It never retries by itself.
    pub fn new(settings: TelegramSettings) -> Result<Telegram> {
        let url = settings
            .api_url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| anyhow!("telegram.api_url is not an address"))?;
        let client = |timeout: Duration| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(timeout.min(Duration::from_secs(4)))
                .timeout(timeout)
                .tcp_nodelay(true)
                .no_proxy()
                .build()
                .map_err(|_| anyhow!("the HTTP client cannot be built"))
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

    /// How updates reach us.
    pub fn mode(&self) -> &UpdateMode {
        &self.settings.mode
    }

    /// The timeout of one request.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Identifies these settings without revealing the token.
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

    /// Sends one text with its buttons. The provider's id is its number in the chat.
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
            Err(e) => send_outcome(&e),
        }
    }

    /// Checks that Telegram answers and accepts our token. No message is sent.
    pub async fn probe(&self) -> Result<()> {
        self.me().await.map(|_| ())
    }

    async fn me(&self) -> Result<Me> {
        let me = self.bot.get_me().send().await;
        me.map_err(|e| anyhow!(describe(&e)))
    }

    /// How the bot presents itself to strangers.
    pub async fn about(&self) -> Result<BotInfo> {
        let me = self.me().await?;
        let username = me.user.username.clone().unwrap_or_default();
        let mut texts = vec![me.user.first_name.clone(), username.clone()];
        // The descriptions are optional: a server that does not know them has none.
        if let Ok(d) = self.bot.get_my_description().send().await {
            texts.push(d.description);
        }
        if let Ok(d) = self.bot.get_my_short_description().send().await {
            texts.push(d.short_description);
        }
        Ok(BotInfo { username, texts })
    }

    /// The bot's username, for links.
    pub async fn username(&self) -> Result<String> {
        let me = self.me().await?;
        me.user
            .username
            .ok_or_else(|| anyhow!("the bot has no username"))
    }

    /// Tells Telegram how to deliver updates.
    pub async fn receive_at(&self, hook: &str) -> Result<()> {
        let done = match &self.settings.mode {
            UpdateMode::Polling { .. } => self.bot.delete_webhook().send().await,
            UpdateMode::Webhook { secret } => {
                let url = hook
                    .parse()
                    .map_err(|_| anyhow!("web.public_url is not an address"))?;
                self.bot
                    .set_webhook(url)
                    .secret_token(secret.clone())
                    .allowed_updates(ALLOWED)
                    .send()
                    .await
            }
        };
        done.map(|_| ()).map_err(|e| anyhow!(describe(&e)))
    }

    /// Fetches the updates from `offset` on. Telegram then forgets those before it, so they must be
    /// stored already.
    pub async fn fetch(&self, offset: Option<i32>) -> Result<FetchedUpdates> {
        let wait = match &self.settings.mode {
            UpdateMode::Polling { wait } => wait.as_secs() as u32,
            UpdateMode::Webhook { .. } => bail!("updates come by webhook"),
        };
        let mut request = self
            .poller
            .get_updates()
            .timeout(wait)
            .limit(MAX_UPDATES)
            .allowed_updates(ALLOWED);
        request.offset = offset;
        let updates = request.send().await.map_err(|e| anyhow!(describe(&e)))?;
        Ok(FetchedUpdates {
            next: updates.iter().map(|u| u.id.as_offset()).max().or(offset),
            more: updates.len() >= usize::from(MAX_UPDATES),
            events: updates.into_iter().filter_map(read).collect(),
        })
    }

    /// Answers a press. A text is shown until the person dismisses it.
    pub async fn answer(&self, query: &str, text: &str) -> ErrandResult {
        let request = self
            .bot
            .answer_callback_query(CallbackQueryId(query.to_owned()));
        errand_result(if text.is_empty() {
            request.send().await
        } else {
            request
                .text(text.chars().take(200).collect::<String>())
                .show_alert(true)
                .send()
                .await
        })
    }

    /// Removes the buttons under a message.
    pub async fn unbutton(&self, chat: i64, message: i32) -> ErrandResult {
        errand_result(
            self.bot
                .edit_message_reply_markup(ChatId(chat), MessageId(message))
                .reply_markup(keyboard(Vec::new()))
                .send()
                .await,
        )
    }

    /// Replaces the text of a message.
    pub async fn replace(&self, chat: i64, message: i32, text: &str) -> ErrandResult {
        errand_result(
            self.bot
                .edit_message_text(ChatId(chat), MessageId(message), text)
                .send()
                .await,
        )
    }

    /// Leaves a group or channel.
    pub async fn leave(&self, chat: i64) -> ErrandResult {
        errand_result(self.bot.leave_chat(ChatId(chat)).send().await)
    }
}

/// The bot's id, which is the first part of its token.
pub fn id_of(token: &str) -> &str {
    token.split(':').next().unwrap_or(token)
}

fn keyboard(buttons: Vec<Vec<Button>>) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new(buttons.into_iter().map(|row| {
        row.into_iter()
            .map(|(label, data)| InlineKeyboardButton::callback(label, data))
    }))
}
