//! Simulator: a texting service and a Telegram Bot API on loopback that speak the real wire formats,
//! phones in the browser, and a clock that one moves. The real channel code runs against them.

pub mod once;
pub mod pages;
pub mod sms_service;
pub mod telegram;
pub mod time;

use crate::app::{self, Purpose, Running, Start};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::import::options::ImportOptions;
use crate::flows::import::{self};
use crate::simulator::sms_service::SmsService;
use crate::simulator::telegram::TelegramService;
use crate::store::{Db, cases, centres};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// The sample weekend: two centres, twenty-three sessions.
pub const SAMPLE: &str = include_str!("sample_centre.csv");
/// The centres of the sample, with their words and rules.
const CENTRES: [&str; 2] = [include_str!("birchfield.toml"), include_str!("liffey.toml")];
/// Our number in practice.
pub const OUR_NUMBER: &str = "+15005550006";
/// The account of the practice service.
pub const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Its secret; it is only ever used on loopback.
pub const TOKEN: &str = "practice-only";
/// The token of the practice bot; it is only ever used on loopback.
pub const BOT_TOKEN: &str = "123456:PRACTICE";
/// The name of the practice bot.
pub const BOT_USERNAME: &str = "CourtesyPracticeBot";

/// A running practice.
pub struct Simulator {
    /// The program.
    pub running: Running,
    /// The texting service.
    pub provider: Arc<SmsService>,
    /// The chats.
    pub chats: Arc<TelegramService>,
}

/// The settings of a practice in `dir`: a real file of settings, so that every command can be tried
/// beside the practice with `--config DIR/practice.toml`.
pub fn settings(
    dir: &Path,
    listen: SocketAddr,
    provider_url: &str,
    chats_url: &str,
) -> Result<Settings> {
    let path = dir.join("practice.toml");
    let text = format!(
        "# Written anew by every `courtesy demo --dir` in this folder. Both services are on this \
         machine and text nobody.\n[database]\nurl = \"sqlite://practice.db\"\n[web]\nlisten = \
         \"127.0.0.1:0\"\ndesk_listen = \"{listen}\"\n[sms]\nbase_url = \
         \"{provider_url}\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\nfrom = \
         \"{OUR_NUMBER}\"\nrate_per_second = 0\nmax_per_day = 0\nsettle_seconds = \
         2\nlook_again_seconds = 1\n[telegram]\napi_url = \"{chats_url}\"\nbot_token = \
         \"{BOT_TOKEN}\"\n"
    );
    std::fs::write(&path, text).with_context(|| format!("cannot write in {}", dir.display()))?;
    Ok(Settings::load(Some(&path), std::iter::empty())?)
}

/// Starts a practice: service, database, sample centres, program, pages.
pub async fn start(dir: &Path, listen: SocketAddr, at: DateTime<Utc>) -> Result<Simulator> {
    let provider = SmsService::start(ACCOUNT, TOKEN, &[OUR_NUMBER]).await?;
    let chats = TelegramService::start(BOT_TOKEN, BOT_USERNAME).await?;
    let settings = settings(dir, listen, provider.url(), chats.url())?;
    let db = app::open_db(&settings, Some(Purpose::Practice)).await?;
    // A practice that goes on does not go back in time.
    let at = centres::simulator_clock(&db)
        .await?
        .map_or(at, |t| at.max(t));
    let clock = Clock::practice(at);
    chats.set_clock(clock.clone());
    fill(&db, at).await?;
    // Commands beside the practice live in its time.
    let mut tx = db.begin().await?;
    centres::set(&mut tx, "practice_clock", &at.to_rfc3339()).await?;
    tx.commit().await?;
    for (chat, ..) in cases::simulator_chats(&db).await? {
        chats.open(chat);
    }
    db.close().await;
    let pages = pages::Pages::new(provider.clone(), chats.clone());
    let how = Start {
        serve: true,
        more_desk: Some(pages.router()),
        clock,
        purpose: Purpose::Practice,
        scheduled: false,
    };
    let running = app::start(&settings, how).await?;
    provider.set_hooks(
        &format!("http://{}", running.listen),
        running.svc.clock.clone(),
    );
    pages.ready(running.svc.clone(), running.stopping());
    time::settle(&running.svc).await?;
    Ok(Simulator {
        running,
        provider,
        chats,
    })
}

/// Puts the sample centres and their weekend into an empty database.
async fn fill(db: &Db, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    for file in CENTRES {
        let centre = crate::domain::centre::Centre::parse(file)
            .map_err(|p| anyhow::anyhow!("a sample centre: {}", p[0]))?;
        centres::save(&mut tx, &centre, file, now).await?;
    }
    tx.commit().await?;
    let imported = import::import(db, SAMPLE.as_bytes(), &ImportOptions::default(), now).await?;
    if imported.counts.is_none() {
        bail!(
            "the sample centre cannot be imported: {:?}",
            imported.findings.first()
        );
    }
    Ok(())
}
