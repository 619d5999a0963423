//! `courtesy link`: a single-use link that joins a parent's Telegram to a party, and the number
//! that staff hear before it is moved.

use crate::cli::{CommandContext, line};
use crate::domain::people::channel::Channel;
use crate::flows::people::link;
use crate::store::parties;
use anyhow::{Context, Result, bail};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use std::io::IsTerminal;

/// Arguments of `link`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  courtesy link BRK-0101:contact\n  courtesy link BRK-0101:contact \
                  --number 4821 --as Mary"
)]
pub(crate) struct Args {
    /// The party: CASE:resident, CASE:contact or CASE:referrer
    party: String,
    /// The four digits that the parent's chat shows, heard in person or on the number on file that
    /// was rung: links a new chat in place of an old one
    #[arg(long, value_name = "DIGITS")]
    number: Option<String>,
    /// The name of the person who links
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    user: String,
    /// One object instead of words
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let svc = ctx.service().await?;
    let party = parties::find(&svc.db, &args.party).await?;
    let name = format!("{}:{}", party.case_ref, party.role);
    if let Some(number) = &args.number {
        link::confirm(&svc, &party, number, &args.user).await?;
        line(format!(
            "{name}: the new chat is linked; the old one is not used any more"
        ))?;
        svc.db.close().await;
        return Ok(());
    }
    let lines = svc.lines();
    let Some(bot) = lines
        .of(&party.centre, Channel::Telegram)
        .and_then(|l| l.telegram())
    else {
        bail!(
            "no bot is set for {}: fill in [telegram] in courtesy.toml",
            party.centre
        )
    };
    let username = bot
        .username()
        .await
        .context("Telegram does not say the bot's name, and a link needs it")?;
    let code = link::make_code(&svc, &party, &args.user).await?;
    let url = format!("https://t.me/{username}?start={code}");
    if args.json {
        line(
            json!({
                "party": name,
                "url": url,
                "code": code,
                "expires_at": crate::cli::utc(svc.clock.now() + link::CODE_LASTS),
            })
            .to_string(),
        )?;
    } else {
        line(&url)?;
        let qr = QrCode::new(url.as_bytes()).context("the QR code cannot be drawn")?;
        // On a dark terminal the dark squares are the background.
        let drawn = qr
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build();
        line(drawn)?;
        eprintln!(
            "For {name} alone, once, within 24 hours. Show it to the parent in person; do not send \
             it."
        );
        if !std::io::stdout().is_terminal() {
            eprintln!("The link is a secret until it is used.");
        }
    }
    svc.db.close().await;
    Ok(())
}
