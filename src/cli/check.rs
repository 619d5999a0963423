//! `courtesy check`: everything that is wrong, at once, each with its fix.

mod texts;

use crate::app;
use crate::cli::{CommandContext, NegativeResult, line};
use crate::domain::local_time::instant;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::segments::is_gsm;
use crate::domain::people::channel::Channel;
use crate::flows::lines::{LineService, Lines};
use crate::store::centres;
use crate::templates::{ENGLISH, Templates};
use anyhow::Result;
use std::time::Duration;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy check --online")]
pub(crate) struct Args {
    /// Also ask the providers
    #[arg(long)]
    online: bool,
}

#[derive(Default)]
struct Findings {
    wrong: usize,
    warnings: usize,
}

impl Findings {
    fn wrong(&mut self, text: impl AsRef<str>) {
        self.wrong += 1;
        eprintln!("wrong    {}", text.as_ref());
    }

    fn warn(&mut self, text: impl AsRef<str>) {
        self.warnings += 1;
        eprintln!("warning  {}", text.as_ref());
    }
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let mut found = Findings::default();
    let settings = match crate::config::Settings::load(ctx.config.as_deref(), std::env::vars()) {
        Ok(s) => Some(s),
        Err(w) => {
            for p in &w.problems {
                found.wrong(format!("settings: {p}"));
            }
            None
        }
    };
    let templates = settings
        .as_ref()
        .and_then(|s| s.templates.clone())
        .or_else(|| Some("message-templates".into()).filter(|d: &std::path::PathBuf| d.exists()));
    let words = match Templates::load(templates.as_deref()) {
        Ok(w) => Some(w),
        Err(problems) => {
            for p in problems {
                found.wrong(format!("templates: {p}"));
            }
            None
        }
    };
    if let Some(s) = &settings {
        for unused in &s.unused {
            found.warn(unused);
        }
        let mut ticks = s.scan.after(&chrono::DateTime::UNIX_EPOCH);
        if let (Some(a), Some(b)) = (ticks.next(), ticks.next())
            && b - a < chrono::Duration::seconds(10)
        {
            found.warn(
                "scheduler.scan: it looks every few seconds; once a minute is enough for people.",
            );
        }
        if s.sms.is_none() {
            found.warn("sms: no texting service is set, so nothing will be sent. Fill in [sms].");
        }
        for (section, sms) in s
            .sms
            .iter()
            .map(|sms| ("sms", sms))
            .chain(s.whatsapp.iter().map(|w| ("whatsapp", &w.sms)))
        {
            if sms.settle <= sms.service.timeout + Duration::from_secs(5) {
                found.warn(format!(
                    "{section}.settle_seconds: {} is not longer than a request can take ({} s + 5 \
                     s). Make it 120.",
                    sms.settle.as_secs(),
                    sms.service.timeout.as_secs()
                ));
            }
        }
        match app::open_db(s, None).await {
            Err(e) => found.wrong(format!("{e:#}")),
            Ok(db) => {
                line(format!(
                    "ok       the database {} is reachable and up to date",
                    if db.is_postgres() {
                        "(PostgreSQL)"
                    } else {
                        "(SQLite)"
                    }
                ))?;
                check_centres(&db, words.as_ref(), &mut found).await?;
                match CommandContext::lines(s, &db).await {
                    Ok(lines) => {
                        check_alerts(s, &lines, &mut found);
                        check_whatsapp(&lines, &mut found);
                        if args.online {
                            check_online(&lines, &mut found).await?;
                        }
                    }
                    Err(e) => found.wrong(format!("{e:#}.")),
                }
                for (channel, why, _) in centres::stopped_channels(&db).await? {
                    found.wrong(format!(
                        "{channel}: the service refuses us ({why}), so the channel \
                                         stands still. Mend [sms] and start again, or `courtesy \
                                         hold off`."
                    ));
                }
                db.close().await;
            }
        }
    }
    if found.wrong > 0 {
        eprintln!("{} wrong, {} warnings", found.wrong, found.warnings);
        return Err(NegativeResult.into());
    }
    line(format!(
        "ok       settings, database, templates, centres ({} warnings)",
        found.warnings
    ))
}

/// Staff are alerted by lines that are there.
fn check_alerts(settings: &crate::config::Settings, lines: &Lines, found: &mut Findings) {
    for address in &settings.alert_to {
        if lines.of("", address.channel()).is_none() {
            found.wrong(format!(
                "staff.alert_to: there is no [{}] to alert by. Set it, or take the address away.",
                address.channel()
            ));
        }
    }
    if settings.alert_to.is_empty() {
        found.warn(
            "staff.alert_to: nobody is alerted when something urgent waits. Name a phone of \
                    the office.",
        );
    }
}

/// What nobody asked for comes when WhatsApp takes no free words: each kind of it needs a text that
/// stands at the service.
fn check_whatsapp(lines: &Lines, found: &mut Findings) {
    for l in lines
        .all()
        .iter()
        .filter(|l| l.channel == Channel::Whatsapp)
    {
        let without = |k: &&str| {
            l.content.find("", ENGLISH, k).is_none()
                && (l.content.of.is_empty()
                    || l.content
                        .of
                        .keys()
                        .any(|c| l.content.find(c, ENGLISH, k).is_none()))
        };
        let missing: Vec<&str> = MessageKind::ALL
            .iter()
            .filter(|k| !k.is_answer() && **k != MessageKind::StaffAlert)
            .map(|k| k.as_str())
            .filter(without)
            .collect();
        if !missing.is_empty() {
            found.warn(format!(
                "whatsapp.content_sid ({}): no content template for {}. More than 24 hours after a \
                 parent's last message these go by their next agreed channel, or staff ring.",
                l.sender,
                missing.join(", ")
            ));
        }
    }
}

/// Asks the providers: free requests, no message.
async fn check_online(lines: &Lines, found: &mut Findings) -> Result<()> {
    for l in lines.all() {
        let section = l.channel;
        match &l.wire {
            LineService::Twilio(sms) => match sms.probe().await {
                Ok(()) => line(format!(
                    "ok       the texting service of {} answers and knows the account",
                    l.sender
                ))?,
                Err(e) => found.wrong(format!(
                    "{section}: {e:#}. Check base_url, account_sid and auth_token."
                )),
            },
            LineService::Telegram(bot) => match bot.about().await {
                Ok(about) => {
                    line(format!(
                        "ok       Telegram answers and knows the bot @{}",
                        about.username
                    ))?;
                    // Rule G4: whoever holds the phone reads these.
                    for bad in NOT_ON_A_LOCK_SCREEN {
                        if about.texts.iter().any(|w| w.to_lowercase().contains(bad)) {
                            found.warn(format!(
                                "{section}: the bot's name or description says \
                                                {bad:?}, which everybody who holds the phone can \
                                                read. Change it with BotFather."
                            ));
                        }
                    }
                }
                Err(e) => found.wrong(format!("{section}: {e:#}. Check api_url and bot_token.")),
            },
        }
    }
    Ok(())
}

/// What no lock screen should say.
const NOT_ON_A_LOCK_SCREEN: [&str; 4] = ["child", "family", "contact", "court"];

async fn check_centres(
    db: &crate::store::Db,
    words: Option<&Templates>,
    found: &mut Findings,
) -> Result<()> {
    let all = centres::all(db).await?;
    if all.is_empty() {
        found.warn("centres: there is none yet. `courtesy centre apply FILE.toml` makes one.");
    }
    for (code, stored) in &all {
        let c = &stored.centre;
        if c.phone.is_empty() {
            found.wrong(format!(
                "{code}: no phone is set, and every text needs a way to a person. \
                                 Set phone in its file and apply it again."
            ));
        }
        if stored.held {
            found.warn(format!("{code}: on hold, nothing is sent."));
        }
        for bad in NOT_ON_A_LOCK_SCREEN {
            if c.short_name.to_lowercase().contains(bad) {
                found.warn(format!(
                    "{code}: the short name {:?} says {bad:?} on every lock screen. \
                                    Choose a neutral one.",
                    c.short_name
                ));
            }
        }
        if !is_gsm(&c.short_name) {
            found.warn(format!(
                "{code}: the short name has letters that make every text cost two parts or more."
            ));
        }
        let (r, k) = (&c.rules, &c.courtesy);
        for (off, what) in [
            (
                k.quiet.is_none(),
                "courtesy.quiet_hours is empty: texts may leave at night",
            ),
            (
                k.min_lead_minutes == 0,
                "courtesy.min_lead_minutes is 0: a request may come when they are on their way",
            ),
            (
                r.session_off_delay_minutes == 0,
                "rules.session_off_delay_minutes is 0: the other parent hears in the same minute, \
                 and nothing can be taken back",
            ),
            (
                r.spacing_minutes == 0,
                "rules.spacing_minutes is 0: texts may follow one another at once",
            ),
            (
                r.max_texts_per_day == 0,
                "rules.max_texts_per_day is 0: there is no limit",
            ),
            (
                r.money_hours.is_none(),
                "rules.money_hours is empty: money and note texts may go whenever other texts may",
            ),
        ] {
            if off {
                found.warn(format!("{code}: {what}."));
            }
        }
    }
    if let Some(words) = words {
        texts::check(words, &all, found)?;
    }
    for (s, _) in crate::store::sessions::list(db, None).await? {
        if let Some(c) = all.get(&s.centre)
            && instant(c.centre.tz, s.start_local) != s.starts_at
        {
            found.warn(format!(
                "session {} of {}: {} is another instant in this zone database than \
                                when it was booked.",
                s.id, s.case_ref, s.start_local
            ));
        }
    }
    Ok(())
}
