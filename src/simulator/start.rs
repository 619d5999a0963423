//! Starts the simulator.

use crate::app::{self, Purpose, Running, Start};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::centre::Centre;
use crate::flows::import;
use crate::flows::import::options::ImportOptions;
use crate::simulator::pages::Pages;
use crate::simulator::sample::{
    ACCOUNT, BOT_TOKEN, BOT_USERNAME, CENTRES, OUR_NUMBER, SESSIONS, TOKEN,
};
use crate::simulator::sms_service::SmsService;
use crate::simulator::telegram::TelegramService;
use crate::simulator::time;
use crate::store::{Db, cases, centres};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

pub struct Simulator {
    pub running: Running,
    pub sms: Arc<SmsService>,
    pub telegram: Arc<TelegramService>,
}

/// Writes the settings of a simulator in `dir`. They are a real settings file, so that every other
/// command can be tried meanwhile with `--config DIR/practice.toml`.
pub fn settings(
    dir: &Path,
    listen: SocketAddr,
    sms_url: &str,
    telegram_url: &str,
) -> Result<Settings> {
    let path = dir.join("practice.toml");
    let text = format!(
        r#"# Written anew by every `courtesy demo --dir` in this folder.
# Both services are on this machine and text nobody.
[database]
url = "sqlite://practice.db"
[web]
listen = "127.0.0.1:0"
desk_listen = "{listen}"
[sms]
base_url = "{sms_url}"
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
from = "{OUR_NUMBER}"
rate_per_second = 0
max_per_day = 0
settle_seconds = 2
look_again_seconds = 1
[telegram]
api_url = "{telegram_url}"
bot_token = "{BOT_TOKEN}"
"#
    );
    std::fs::write(&path, text).with_context(|| format!("cannot write in {}", dir.display()))?;
    Ok(Settings::load(Some(&path), std::iter::empty())?)
}

/// Starts a simulator: services, database, sample centres, program, pages.
pub async fn start(dir: &Path, listen: SocketAddr, at: DateTime<Utc>) -> Result<Simulator> {
    let sms = SmsService::start(ACCOUNT, TOKEN, &[OUR_NUMBER]).await?;
    let telegram = TelegramService::start(BOT_TOKEN, BOT_USERNAME).await?;
    let settings = settings(dir, listen, sms.url(), telegram.url())?;
    let db = app::open_db(&settings, Some(Purpose::Simulator)).await?;
    // A simulator that is continued does not go back in time.
    let at = centres::simulator_clock(&db)
        .await?
        .map_or(at, |t| at.max(t));
    let clock = Clock::simulated(at);
    telegram.set_clock(clock.clone());
    fill(&db, at).await?;
    // Other commands use the same time.
    let mut tx = db.begin().await?;
    centres::set(&mut tx, "practice_clock", &at.to_rfc3339()).await?;
    tx.commit().await?;
    for (chat, ..) in cases::simulator_chats(&db).await? {
        telegram.open(chat);
    }
    db.close().await;
    let pages = Pages::new(sms.clone(), telegram.clone());
    let how = Start {
        serve: true,
        more_desk: Some(pages.router()),
        clock,
        purpose: Purpose::Simulator,
        scheduled: false,
    };
    let running = app::start(&settings, how).await?;
    sms.set_hooks(
        &format!("http://{}", running.listen),
        running.svc.clock.clone(),
    );
    pages.ready(running.svc.clone(), running.stopping());
    time::settle(&running.svc).await?;
    Ok(Simulator {
        running,
        sms,
        telegram,
    })
}

/// Stores the sample centres and their weekend.
async fn fill(db: &Db, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    for file in CENTRES {
        let centre =
            Centre::parse(file).map_err(|p| anyhow::anyhow!("a sample centre: {}", p[0]))?;
        centres::save(&mut tx, &centre, file, now).await?;
    }
    tx.commit().await?;
    let imported = import::import(db, SESSIONS.as_bytes(), &ImportOptions::default(), now).await?;
    if imported.counts.is_none() {
        bail!(
            "the sample centre cannot be imported: {:?}",
            imported.findings.first()
        );
    }
    Ok(())
}
