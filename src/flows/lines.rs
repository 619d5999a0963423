//! Lines: a channel with one of our senders, for all centres or for some. Messages leave and answers
//! come by them.

use crate::channels::telegram::Telegram;
use crate::channels::twilio::Twilio;
use crate::channels::{Button, ContentMessage, SendOutcome};
use crate::domain::ids::AttemptToken;
use crate::domain::outgoing::whatsapp::Contents;
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use crate::domain::people::senders::Senders;
use crate::store::outbox::{LineScope, line_name};
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;

/// The provider of a line.
pub enum LineService {
    /// SMS, and WhatsApp.
    Twilio(Twilio),
    Telegram(Telegram),
}

/// A line with the settings of sending.
pub struct Line {
    pub channel: Channel,
    /// Our sender on it: a number, a messaging service, or the bot's id. Opt-outs are kept for it.
    pub sender: String,
    pub wire: LineService,
    /// The centres for which it speaks; `None`: all that have no line of their own on this channel.
    pub centres: Option<Vec<String>>,
    /// Centres that have a line of their own on this channel.
    pub not: Vec<String>,
    /// Texts a second; 0 = no limit.
    pub rate_per_second: u32,
    /// Texts a day; 0 = no limit.
    pub max_per_day: i64,
    /// How long an unknown outcome is left before the provider is asked.
    pub settle: Duration,
    /// Between two requests for the outcome.
    pub look_again: Duration,
    /// Only these numbers get texts; empty = all.
    pub only_to: Vec<String>,
    /// Where the provider reaches our hooks.
    pub public_url: String,
    /// The content templates of WhatsApp.
    pub content: Contents,
}

/// One message as it is sent.
pub struct Outgoing<'a> {
    pub body: &'a str,
    /// Buttons below the text, where the channel has them.
    pub buttons: Vec<Vec<Button>>,
    /// A content template stored at the provider, sent instead of the body.
    pub content: Option<&'a ContentMessage>,
    /// How long the provider may keep trying.
    pub valid_for: Option<Duration>,
    /// Identifies the attempt to the provider.
    pub token: &'a AttemptToken,
}

impl Line {
    /// Its name in logs, counts and stops.
    pub fn name(&self) -> String {
        line_name(self.channel, &self.sender)
    }

    /// Its name in words.
    pub fn in_words(&self) -> &'static str {
        match self.wire {
            LineService::Twilio(_) if self.channel == Channel::Whatsapp => "WhatsApp",
            LineService::Twilio(_) => "the texting service",
            LineService::Telegram(_) => "Telegram",
        }
    }

    /// The line as the outbox sees it.
    pub fn of(&self) -> LineScope<'_> {
        LineScope {
            channel: self.channel,
            sender: &self.sender,
            centres: self.centres.as_deref(),
            except: &self.not,
        }
    }

    /// Channel and sender.
    pub fn at(&self) -> (Channel, &str) {
        (self.channel, &self.sender)
    }

    /// Whether it speaks for a centre.
    pub fn speaks_for(&self, centre: &str) -> bool {
        match &self.centres {
            Some(list) => list.iter().any(|c| c == centre),
            None => !self.not.iter().any(|c| c == centre),
        }
    }

    /// The texting service, if it is one.
    pub fn sms(&self) -> Option<&Twilio> {
        match &self.wire {
            LineService::Twilio(s) => Some(s),
            LineService::Telegram(_) => None,
        }
    }

    /// The bot, if it is one.
    pub fn telegram(&self) -> Option<&Telegram> {
        match &self.wire {
            LineService::Telegram(t) => Some(t),
            LineService::Twilio(_) => None,
        }
    }

    /// Changes with whatever a refusal of the whole line depends on.
    pub fn fingerprint(&self) -> String {
        match &self.wire {
            LineService::Twilio(s) => s.fingerprint(),
            LineService::Telegram(t) => t.fingerprint(),
        }
    }

    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        match &self.wire {
            LineService::Twilio(s) => s.timeout(),
            LineService::Telegram(t) => t.timeout(),
        }
    }

    /// Asks whether the provider is there and knows us: a free request, no message.
    pub async fn probe(&self) -> Result<()> {
        match &self.wire {
            LineService::Twilio(s) => s.probe().await,
            LineService::Telegram(t) => t.probe().await,
        }
    }

    /// Sends one message. The hash of the address makes message ids differ between chats.
    pub async fn send(&self, to: (&Address, &str), text: Outgoing<'_>) -> SendOutcome {
        let (address, hash) = to;
        let callback = || format!("{}/hooks/sms/status/{}", self.public_url, text.token);
        match (&self.wire, address.chat_id()) {
            (LineService::Twilio(sms), _) => match text.content {
                Some(content) => {
                    sms.send_content(address.as_str(), content, text.valid_for, &callback())
                        .await
                }
                None => {
                    sms.send(address.as_str(), text.body, text.valid_for, &callback())
                        .await
                }
            },
            (LineService::Telegram(bot), Some(chat)) => {
                match bot.send(chat, text.body, text.buttons).await {
                    SendOutcome::Accepted {
                        provider_id,
                        receipt,
                    } => SendOutcome::Accepted {
                        provider_id: in_chat(hash, &provider_id),
                        receipt,
                    },
                    other => other,
                }
            }
            (LineService::Telegram(_), None) => SendOutcome::RefusedNumber {
                error: "not a chat".into(),
                opted_out: false,
                blocked: true,
            },
        }
    }

    /// Whether the provider can be asked what became of a message.
    pub fn can_be_asked(&self) -> bool {
        matches!(self.wire, LineService::Twilio(_))
    }
}

/// The id of a message in a chat: its number there, which is unique only together with the chat.
pub fn in_chat(chat_hash: &str, message: &str) -> String {
    format!(
        "{}-{message}",
        chat_hash.chars().take(10).collect::<String>()
    )
}

/// The number of a message in its chat.
pub fn message_of(provider_id: &str) -> Option<i32> {
    provider_id
        .rsplit_once('-')
        .and_then(|(_, m)| m.parse().ok())
}

#[derive(Default)]
pub struct Lines {
    lines: Vec<Arc<Line>>,
    senders: Senders,
}

impl Lines {
    /// A line without centres speaks for all that have none of their own.
    pub fn new(lines: Vec<Line>) -> Lines {
        let mut senders = Senders::default();
        for line in &lines {
            match &line.centres {
                None => senders.set_common(line.channel, &line.sender),
                Some(centres) => centres
                    .iter()
                    .for_each(|c| senders.set_own(c, line.channel, &line.sender)),
            }
        }
        Lines {
            lines: lines.into_iter().map(Arc::new).collect(),
            senders,
        }
    }

    /// Which sender speaks for whom.
    pub fn senders(&self) -> &Senders {
        &self.senders
    }

    pub fn all(&self) -> &[Arc<Line>] {
        &self.lines
    }

    /// The line of a centre on a channel.
    pub fn of(&self, centre: &str, channel: Channel) -> Option<&Arc<Line>> {
        self.lines
            .iter()
            .find(|l| l.channel == channel && l.speaks_for(centre))
    }

    /// The line with this sender.
    pub fn by_sender(&self, channel: Channel, sender: &str) -> Option<&Arc<Line>> {
        self.lines
            .iter()
            .find(|l| l.channel == channel && l.sender == sender)
    }
}
