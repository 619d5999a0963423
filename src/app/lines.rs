//! Makes the lines from the settings and the centres' files.

use crate::channels::telegram::{self, Telegram, TelegramSettings};
use crate::channels::twilio::Twilio;
use crate::config::{Settings, SmsSection, WhatsappSection};
use crate::domain::outgoing::whatsapp::{ContentSids, Contents};
use crate::domain::people::channel::Channel;
use crate::flows::lines::{Line, LineService, Lines};
use crate::store::centres::Centres;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration as Span;

/// Telegram allows a bot about thirty messages per second.
const CHATS_PER_SECOND: u32 = 25;
/// A message to a chat whose process died is left to a person after this time.
const CHAT_SETTLES: Span = Span::from_secs(5);

/// A section of the settings that names one of our senders.
trait SenderSection {
    fn sender(&self) -> &str;
}

impl SenderSection for SmsSection {
    fn sender(&self) -> &str {
        self.service.sender.as_str()
    }
}

impl SenderSection for WhatsappSection {
    fn sender(&self) -> &str {
        self.sms.sender()
    }
}

impl SenderSection for TelegramSettings {
    fn sender(&self) -> &str {
        telegram::id_of(&self.bot_token)
    }
}

/// The senders on one channel: the common one, and those of single centres.
struct SendersOnChannel<'a, T> {
    common: Option<&'a T>,
    /// By sender, with the codes of the centres that use it.
    own: BTreeMap<String, (T, Vec<String>)>,
}

impl<'a, T: SenderSection> SendersOnChannel<'a, T> {
    fn new(common: &'a Option<T>) -> Self {
        SendersOnChannel {
            common: common.as_ref(),
            own: BTreeMap::new(),
        }
    }

    /// Adds a centre's own sender. A centre that names the common sender has no line of its own.
    fn add(&mut self, centre: &str, section: Option<T>) {
        let Some(section) = section else { return };
        if self.common.map(T::sender) == Some(section.sender()) {
            return;
        }
        self.own
            .entry(section.sender().to_owned())
            .or_insert_with(|| (section, Vec::new()))
            .1
            .push(centre.to_owned());
    }

    /// Each sender with those it speaks for.
    fn all(&self) -> impl Iterator<Item = (&T, Audience)> {
        let with_own: Vec<String> = self.own.values().flat_map(|(_, c)| c.clone()).collect();
        let common = self.common.map(|section| {
            let audience = Audience {
                centres: None,
                not: with_own,
            };
            (section, audience)
        });
        let own = self.own.values().map(|(section, centres)| {
            let audience = Audience {
                centres: Some(centres.clone()),
                not: Vec::new(),
            };
            (section, audience)
        });
        common.into_iter().chain(own)
    }
}

/// The centres for which a line speaks.
struct Audience {
    /// `None`: all but those in `not`.
    centres: Option<Vec<String>>,
    not: Vec<String>,
}

impl Audience {
    fn includes(&self, centre: &String) -> bool {
        match &self.centres {
            Some(list) => list.contains(centre),
            None => !self.not.contains(centre),
        }
    }
}

/// The lines of the program, and of the centres that have senders of their own.
pub fn lines(settings: &Settings, centres: &Centres, listen: SocketAddr) -> Result<Lines> {
    let public_url = settings.public_url(listen);
    let mut sms = SendersOnChannel::new(&settings.sms);
    let mut whatsapp = SendersOnChannel::new(&settings.whatsapp);
    let mut bots = SendersOnChannel::new(&settings.telegram);
    let mut own_content: BTreeMap<String, ContentSids> = BTreeMap::new();
    for (code, stored) in centres {
        let own = settings.own_senders(&stored.centre).map_err(|p| {
            anyhow::anyhow!("the senders of centre {code} cannot be used: {}", p[0])
        })?;
        own_content.insert(code.clone(), own.content);
        sms.add(code, own.sms);
        whatsapp.add(code, own.whatsapp);
        bots.add(code, own.telegram);
    }
    let mut out = Vec::new();
    for (section, audience) in sms.all() {
        let content = Contents::default();
        out.push(text_line(
            Channel::Sms,
            section,
            content,
            audience,
            &public_url,
        )?);
    }
    for (section, audience) in whatsapp.all() {
        let content = Contents {
            all: common_content(settings, section),
            of: own_content
                .iter()
                .filter(|(code, _)| audience.includes(code))
                .map(|(code, own)| (code.clone(), own.clone()))
                .collect(),
        };
        out.push(text_line(
            Channel::Whatsapp,
            &section.sms,
            content,
            audience,
            &public_url,
        )?);
    }
    check_webhook_secrets(bots.all().map(|(bot, _)| bot))?;
    for (bot, audience) in bots.all() {
        out.push(chat_line(bot, audience, &public_url)?);
    }
    Ok(Lines::new(out))
}

/// The content templates of all centres, if they are stored in the same account.
fn common_content(settings: &Settings, section: &WhatsappSection) -> ContentSids {
    let account = |w: &WhatsappSection| w.sms.service.account_sid.clone();
    settings
        .whatsapp
        .as_ref()
        .filter(|common| account(common) == account(section))
        .map(|common| common.content.clone())
        .unwrap_or_default()
}

/// The secret alone tells which bot a webhook is for.
fn check_webhook_secrets<'a>(bots: impl Iterator<Item = &'a TelegramSettings>) -> Result<()> {
    let secrets: Vec<&str> = bots.filter_map(TelegramSettings::secret).collect();
    if secrets
        .iter()
        .enumerate()
        .any(|(i, s)| secrets[..i].contains(s))
    {
        bail!(
            "telegram.webhook_secret: two bots have the same one, so nobody could tell them apart; \
             choose another for each"
        );
    }
    Ok(())
}

/// A line for SMS or WhatsApp.
fn text_line(
    channel: Channel,
    sms: &SmsSection,
    content: Contents,
    audience: Audience,
    public_url: &str,
) -> Result<Line> {
    Ok(Line {
        channel,
        sender: sms.sender().to_owned(),
        wire: LineService::Twilio(Twilio::new(sms.service.clone())?),
        centres: audience.centres,
        not: audience.not,
        rate_per_second: sms.rate_per_second,
        max_per_day: sms.max_per_day,
        settle: sms.settle,
        look_again: sms.look_again,
        only_to: sms.only_to.clone(),
        public_url: public_url.to_owned(),
        content,
    })
}

/// A line for a bot.
fn chat_line(bot: &TelegramSettings, audience: Audience, public_url: &str) -> Result<Line> {
    Ok(Line {
        channel: Channel::Telegram,
        sender: bot.sender().to_owned(),
        wire: LineService::Telegram(Telegram::new(bot.clone())?),
        centres: audience.centres,
        not: audience.not,
        rate_per_second: CHATS_PER_SECOND,
        max_per_day: 0,
        settle: CHAT_SETTLES,
        look_again: CHAT_SETTLES,
        only_to: Vec::new(),
        public_url: public_url.to_owned(),
        content: Contents::default(),
    })
}
