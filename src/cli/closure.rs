//! `courtesy closure`: the centre does not open. First what would be said and to whom; then, with
//! the number of families, it is done.

use crate::cli::{CommandContext, NegativeResult, Usage, line};
use crate::domain::local_time::parse_time;
use crate::flows::visits::closure::{self, ClosurePreview, ClosureRequest, Notification};
use crate::templates::RenderedText;
use anyhow::{Result, anyhow};
use chrono::{NaiveDate, NaiveTime};
use serde_json::json;

/// Arguments of `closure`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  courtesy closure --centre BRK --from 2026-11-28 --why \"burst \
                  pipe\"\n  courtesy closure --centre BRK --from 2026-11-28 --why \"burst pipe\" \
                  --send 14"
)]
pub(crate) struct Args {
    /// The centre
    #[arg(long, value_name = "CODE")]
    centre: String,
    /// The first day that is closed
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last day (default: the first)
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only these hours of a day, 9-13 or 09:00-13:30
    #[arg(long, value_name = "H-H")]
    hours: Option<String>,
    /// Why; for staff only, it stands in no text
    #[arg(long, value_name = "REASON")]
    why: String,
    /// Do it: the number of families that the preview shows
    #[arg(long, value_name = "N")]
    send: Option<usize>,
    /// The name of the person who closes
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    user: String,
    /// One object a line
    #[arg(long)]
    json: bool,
}

fn date(name: &str, text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|_| {
        anyhow!(Usage(format!(
            "{name}: {text:?} is no date; write 2026-11-28"
        )))
    })
}

fn hours(text: &str) -> Result<(NaiveTime, NaiveTime)> {
    let time = |t: &str| parse_time(t).or_else(|| parse_time(&format!("{}:00", t.trim())));
    text.split_once('-')
        .and_then(|(a, b)| time(a).zip(time(b)))
        .filter(|(a, b)| a < b)
        .ok_or_else(|| {
            anyhow!(Usage(format!(
                "--hours: {text:?} is no span of a day; write 9-13 or 09:00-13:30"
            )))
        })
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let from = date("--from", &args.from)?;
    let c = ClosureRequest {
        centre: args.centre.clone(),
        from,
        to: args.to.as_deref().map_or(Ok(from), |t| date("--to", t))?,
        hours: args.hours.as_deref().map(hours).transpose()?,
        why: args.why.clone(),
    };
    if c.why.trim().is_empty() {
        return Err(anyhow!(Usage(
            "--why: say why, for the record; it stands in no text".into()
        )));
    }
    let svc = ctx.service().await?;
    let p = match args.send {
        None => closure::preview(&svc, &c).await?,
        Some(n) => closure::send(&svc, &c, n, &args.user).await?,
    };
    svc.db.close().await;
    if args.json {
        as_json(&p, args.send.is_some())?
    } else {
        in_words(&p, &args)?
    }
    if args.send.is_none() && p.families == 0 {
        eprintln!("no session of {} is booked then", args.centre);
        return Err(NegativeResult.into());
    }
    Ok(())
}

fn as_json(p: &ClosurePreview, sent: bool) -> Result<()> {
    for t in &p.told {
        let how = match t.how {
            Notification::Text(channel) => channel.as_str(),
            Notification::Ring => "ring",
        };
        line(
            json!({
                "case_ref": t.case_ref,
                "role": t.role.as_str(),
                "starts_local": t.start.format("%Y-%m-%dT%H:%M").to_string(),
                "how": how,
            })
            .to_string(),
        )?;
    }
    eprintln!(
        "{} families, {} sessions: {} by text, {} to ring{}",
        p.families,
        p.sessions,
        p.texts(),
        p.told.len() - p.texts(),
        if sent { "; done" } else { "" }
    );
    Ok(())
}

fn in_words(p: &ClosurePreview, args: &Args) -> Result<()> {
    line(format!(
        "{}: {} families, {} sessions",
        p.centre, p.families, p.sessions
    ))?;
    for t in &p.told {
        let how = match t.how {
            Notification::Text(channel) => format!("text by {channel}"),
            Notification::Ring => "RING".to_owned(),
        };
        line(format!(
            "  {}  {:<12} {:<9} {how}",
            t.start.format("%a %-d %b %H:%M"),
            t.case_ref,
            t.role
        ))?;
    }
    for (
        RenderedText {
            body,
            segments: parts,
            gsm,
            language,
            ..
        },
        n,
    ) in &p.words
    {
        let (s, alphabet) = (
            if *parts == 1 { "" } else { "s" },
            if *gsm { "GSM-7" } else { "UCS-2" },
        );
        line(format!(
            "the exact words in {language}, to {n} ({parts} SMS part{s}, {alphabet}):\n  {body}"
        ))?;
    }
    if p.words.iter().any(|(text, _)| text.segments > 1) {
        eprintln!("warning  a text takes more than one SMS part");
    }
    let rings = p.told.len() - p.texts();
    if p.held {
        line("the centre is on hold: no text leaves, so everybody has to be rung")?;
    }
    if args.send.is_some() {
        line(format!(
            "closed: {} families; {} texts are on their way, {rings} to ring (`courtesy list \
             tasks` shows them). Nobody is charged.",
            p.families,
            p.texts()
        ))?;
    } else if p.families > 0 {
        line(format!(
            "{} by text, {rings} to ring. Nothing was changed. To do it, say the same with --send \
             {}",
            p.texts(),
            p.families
        ))?;
    }
    Ok(())
}
