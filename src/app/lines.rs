//! The lines: made from the settings and the centres' files, followed when those change, each with
//! loops of its own.

use crate::app::loops::Loops;
use crate::channels::telegram::{self, Telegram, TelegramSettings};
use crate::channels::twilio::Twilio;
use crate::config::{Settings, SmsSection, WhatsappSection};
use crate::domain::ids::WorkerId;
use crate::domain::outgoing::whatsapp::{ContentSids, Contents};
use crate::domain::people::person::Channel;
use crate::flows::lines::{Line, LineService, Lines};
use crate::flows::receive::{chats, polling};
use crate::flows::send::engine::Engine;
use crate::flows::service::Service;
use crate::store::centres::{self, Centres};
use crate::store::{inbox, outbox};
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration as Span;
use tokio_util::sync::CancellationToken;

/// Telegram takes about thirty messages a second from a bot.
const CHATS_A_SECOND: u32 = 25;
/// A message to a chat whose process is gone is given up to a person after this.
const CHAT_SETTLES: Span = Span::from_secs(5);
/// How often the centres' files are looked at for senders of their own.
const LOOK_AT_CENTRES: Span = Span::from_millis(1000);

/// The lines of the program and of the centres that have senders of their own.
pub fn lines(settings: &Settings, centres: &Centres, listen: SocketAddr) -> Result<Lines> {
    let public_url = settings.public_url(listen);
    let mut own_sms: BTreeMap<String, (SmsSection, Vec<String>)> = BTreeMap::new();
    let mut own_whatsapp: BTreeMap<String, (WhatsappSection, Vec<String>)> = BTreeMap::new();
    let mut own_content: BTreeMap<String, ContentSids> = BTreeMap::new();
    let mut own_bots: BTreeMap<String, (TelegramSettings, Vec<String>)> = BTreeMap::new();
    for (code, stored) in centres {
        let own = settings.own_senders(&stored.centre).map_err(|p| {
            anyhow::anyhow!("the senders of centre {code} cannot be used: {}", p[0])
        })?;
        own_content.insert(code.clone(), own.content);
        // A centre that names the program's own sender has no line of its own.
        let common = |mine: &str, theirs: Option<&str>| theirs == Some(mine);
        if let Some(sms) = own.sms.filter(|s| {
            !common(
                s.service.sender.as_str(),
                settings.sms.as_ref().map(|c| c.service.sender.as_str()),
            )
        }) {
            own_sms
                .entry(sms.service.sender.as_str().to_owned())
                .or_insert_with(|| (sms, Vec::new()))
                .1
                .push(code.clone());
        }
        if let Some(w) = own.whatsapp.filter(|w| {
            !common(
                w.sms.service.sender.as_str(),
                settings
                    .whatsapp
                    .as_ref()
                    .map(|c| c.sms.service.sender.as_str()),
            )
        }) {
            own_whatsapp
                .entry(w.sms.service.sender.as_str().to_owned())
                .or_insert_with(|| (w, Vec::new()))
                .1
                .push(code.clone());
        }
        if let Some(bot) = own.telegram.filter(|b| {
            !common(
                telegram::id_of(&b.bot_token),
                settings
                    .telegram
                    .as_ref()
                    .map(|c| telegram::id_of(&c.bot_token)),
            )
        }) {
            own_bots
                .entry(telegram::id_of(&bot.bot_token).to_owned())
                .or_insert_with(|| (bot, Vec::new()))
                .1
                .push(code.clone());
        }
    }
    let mut out = Vec::new();
    let with_own: Vec<String> = own_sms.values().flat_map(|(_, c)| c.clone()).collect();
    for (sms, centres) in settings
        .sms
        .iter()
        .map(|s| (s, None))
        .chain(own_sms.values().map(|(s, c)| (s, Some(c.clone()))))
    {
        out.push(text_line(
            Channel::Sms,
            sms,
            Contents::default(),
            centres,
            &with_own,
            &public_url,
        )?);
    }
    let with_own: Vec<String> = own_whatsapp.values().flat_map(|(_, c)| c.clone()).collect();
    for (w, centres) in settings
        .whatsapp
        .iter()
        .map(|w| (w, None))
        .chain(own_whatsapp.values().map(|(w, c)| (w, Some(c.clone()))))
    {
        // A content template stands in an account: those of all centres are of no use in another
        // one.
        let account = |c: &&WhatsappSection| c.sms.service.account_sid == w.sms.service.account_sid;
        let all = settings
            .whatsapp
            .as_ref()
            .filter(account)
            .map(|c| c.content.clone())
            .unwrap_or_default();
        let speaks = |code: &String| {
            centres
                .as_ref()
                .map_or(!with_own.contains(code), |list| list.contains(code))
        };
        let of = own_content
            .iter()
            .filter(|(code, _)| speaks(code))
            .map(|(code, own)| (code.clone(), own.clone()))
            .collect();
        out.push(text_line(
            Channel::Whatsapp,
            &w.sms,
            Contents { all, of },
            centres,
            &with_own,
            &public_url,
        )?);
    }
    let with_own: Vec<String> = own_bots.values().flat_map(|(_, c)| c.clone()).collect();
    for (bot, centres) in settings
        .telegram
        .iter()
        .map(|b| (b, None))
        .chain(own_bots.values().map(|(b, c)| (b, Some(c.clone()))))
    {
        out.push(Line {
            channel: Channel::Telegram,
            sender: telegram::id_of(&bot.bot_token).to_owned(),
            wire: LineService::Telegram(Telegram::new(bot.clone())?),
            not: if centres.is_none() {
                with_own.clone()
            } else {
                Vec::new()
            },
            centres,
            rate_per_second: CHATS_A_SECOND,
            max_per_day: 0,
            settle: CHAT_SETTLES,
            look_again: CHAT_SETTLES,
            only_to: Vec::new(),
            public_url: public_url.clone(),
            content: Contents::default(),
        });
    }
    let secrets: Vec<&str> = settings
        .telegram
        .iter()
        .chain(own_bots.values().map(|(b, _)| b))
        .filter_map(TelegramSettings::secret)
        .collect();
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
    Ok(Lines::new(out))
}

/// A line of the texting service: for texts or for WhatsApp, for all centres without one of their
/// own or for some.
fn text_line(
    channel: Channel,
    sms: &SmsSection,
    content: Contents,
    centres: Option<Vec<String>>,
    with_own: &[String],
    public_url: &str,
) -> Result<Line> {
    Ok(Line {
        channel,
        sender: sms.service.sender.as_str().to_owned(),
        wire: LineService::Twilio(Twilio::new(sms.service.clone())?),
        not: if centres.is_none() {
            with_own.to_vec()
        } else {
            Vec::new()
        },
        centres,
        rate_per_second: sms.rate_per_second,
        max_per_day: sms.max_per_day,
        settle: sms.settle,
        look_again: sms.look_again,
        only_to: sms.only_to.clone(),
        public_url: public_url.to_owned(),
        content,
    })
}

/// Follows a change of senders: who said STOP to a centre's old sender has said it to the new one,
/// and what waits on a channel that has no line any more goes to one that has.
pub(super) async fn follow_senders(svc: &Service) -> Result<()> {
    let lines = svc.lines();
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    for centre in centres::all_in(&mut tx).await?.keys() {
        let channels = [Channel::Sms, Channel::Telegram, Channel::Whatsapp];
        for channel in channels {
            let Some(line) = lines.of(centre, channel) else {
                if let Some(other) = channels
                    .into_iter()
                    .find(|c| lines.of(centre, *c).is_some())
                {
                    outbox::move_channel(&mut tx, centre, channel, other).await?;
                }
                continue;
            };
            let key = format!("sender/{centre}/{channel}");
            let before = centres::setting(&svc.db, &key).await?;
            if before.as_deref() != Some(&line.sender) {
                if let Some(old) = &before {
                    inbox::carry_opt_outs(&mut tx, now, centre, channel, old, &line.sender).await?;
                }
                centres::set(&mut tx, &key, &line.sender).await?;
            }
        }
    }
    tx.commit().await
}

/// A channel that was refused as a whole is tried again when its settings have changed.
pub(super) async fn try_mended_channels(svc: &Service) -> Result<()> {
    let mut tx = svc.db.begin().await?;
    for line in svc.lines().all() {
        if centres::restart_if_mended(&mut tx, &line.name(), &line.fingerprint()).await? > 0 {
            tracing::info!(
                "the settings of {} have changed: it is tried again",
                line.in_words()
            );
        }
    }
    tx.commit().await
}

/// The loops of each line, begun and ended as the centres' files say.
pub(super) struct LineLoops {
    pub(super) svc: Arc<Service>,
    pub(super) settings: Settings,
    pub(super) listen: SocketAddr,
    pub(super) worker: WorkerId,
    pub(super) receives: bool,
    pub(super) loops: Loops,
    /// By name: what the line was made of, and what ends its loops.
    pub(super) running: BTreeMap<String, (String, CancellationToken)>,
}

impl LineLoops {
    /// Begins the loops of new lines and ends those of lines that are gone or were changed.
    pub(super) fn follow(&mut self) {
        let lines = self.svc.lines();
        let made_of = |l: &Line| {
            format!(
                "{} {:?} {:?} {} {} {:?} {:?} {:?} {:?}",
                l.fingerprint(),
                l.centres,
                l.not,
                l.rate_per_second,
                l.max_per_day,
                l.settle,
                l.look_again,
                l.only_to,
                l.content
            )
        };
        let wanted: BTreeMap<String, String> =
            lines.all().iter().map(|l| (l.name(), made_of(l))).collect();
        self.running.retain(|name, (of, token)| {
            let stays = wanted.get(name) == Some(of);
            if !stays {
                token.cancel();
            }
            stays
        });
        for line in lines.all() {
            if self.running.contains_key(&line.name()) {
                continue;
            }
            let token = self.loops.stop.child_token();
            let engine = Engine::new(self.svc.clone(), line.clone(), self.worker.clone());
            self.loops.spawn("deliver", engine.run(token.clone()));
            if self.receives && line.telegram().is_some() {
                self.loops.spawn(
                    "telegram",
                    polling::poll(self.svc.clone(), line.clone(), token.clone()),
                );
                self.loops.spawn(
                    "errands",
                    chats::run_errands(self.svc.clone(), line.clone(), token.clone()),
                );
            }
            self.running.insert(line.name(), (made_of(line), token));
        }
    }

    pub(super) async fn run(mut self) -> Result<()> {
        let mut seen = centres::last_change(&self.svc.db).await.unwrap_or(None);
        let mut said = None;
        while !self.loops.stop.is_cancelled() {
            tokio::select! {
                () = self.loops.stop.cancelled() => break,
                () = tokio::time::sleep(LOOK_AT_CENTRES) => {}
            }
            let Ok(changed) = centres::last_change(&self.svc.db).await else {
                continue;
            };
            if changed == seen {
                continue;
            }
            let now_set = async {
                lines(
                    &self.settings,
                    &centres::all(&self.svc.db).await?,
                    self.listen,
                )
            };
            match now_set.await {
                Ok(lines) => {
                    self.svc.set_lines(lines);
                    if let Err(e) = async {
                        follow_senders(&self.svc).await?;
                        try_mended_channels(&self.svc).await
                    }
                    .await
                    {
                        tracing::warn!("a change of senders was not followed yet: {e:#}");
                        continue;
                    }
                    self.follow();
                    seen = changed;
                }
                Err(e) if said != changed => {
                    tracing::error!("{e:#}; the lines stay as they were");
                    said = changed;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}
