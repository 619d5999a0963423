//! `courtesy centre`: centres and their rules.

use crate::cli::{CommandContext, NegativeResult, line};
use crate::domain::centre::Centre;
use crate::flows::scan::confirmations::replan;
use crate::flows::visits::terms::{Announcement, announce};
use crate::store::facts::{self, Fact};
use crate::store::{Tx, centres, sessions};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Commands of `centre`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Creates or changes a centre and its rules; prints what changed
    #[command(after_help = "Example:\n  courtesy centre apply birchfield.toml")]
    Apply {
        /// The centre's file
        file: PathBuf,
    },
    /// Lists the centres
    #[command(after_help = "Example:\n  courtesy centre list --json")]
    List {
        /// One object a line
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(ctx: &CommandContext, command: Command) -> Result<()> {
    match command {
        Command::Apply { file } => apply(ctx, &file).await,
        Command::List { json } => list(ctx, json).await,
    }
}

/// `rules.fee_pence = 4500` for every key of a file.
fn flat(table: &Table, prefix: &str, out: &mut BTreeMap<String, String>) {
    for (k, v) in table {
        match v {
            Value::Table(t) => flat(t, &format!("{prefix}{k}."), out),
            other => {
                out.insert(format!("{prefix}{k}"), other.to_string());
            }
        }
    }
}

/// Relative paths of secrets in a centre's file start at the folder of that file.
fn with_whole_paths(text: &str, folder: &Path) -> Result<String> {
    let mut table: Table = text.parse()?;
    let mut changed = false;
    for section in ["sms", "whatsapp", "telegram"] {
        let Some(Value::Table(t)) = table.get_mut(section) else {
            continue;
        };
        for (key, value) in t.iter_mut() {
            if let (true, Value::String(file)) = (key.ends_with("_file"), &*value)
                && Path::new(file).is_relative()
            {
                let whole = std::path::absolute(folder.join(file))
                    .with_context(|| format!("{section}.{key}"))?;
                *value = Value::String(whole.display().to_string());
                changed = true;
            }
        }
    }
    if changed {
        Ok(toml::to_string(&table)?)
    } else {
        Ok(text.to_owned())
    }
}

fn keys(text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    flat(&text.parse().unwrap_or_default(), "", &mut out);
    out
}

async fn apply(ctx: &CommandContext, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let centre = match Centre::parse(&text) {
        Ok(c) => c,
        Err(problems) => return cannot_be_used(path, problems),
    };
    let text = with_whole_paths(&text, path.parent().unwrap_or(Path::new("")))?;
    let (settings, db) = ctx.open().await?;
    if let Err(problems) =
        settings.own_senders(&Centre::parse(&text).unwrap_or_else(|_| centre.clone()))
    {
        return cannot_be_used(path, problems);
    }
    let now = ctx.clock_of(&db).await?.now();
    let mut tx = db.begin().await?;
    let before = centres::all_in(&mut tx).await?.remove(&centre.code);
    if let Some(b) = &before {
        keeps_its_zone(&mut tx, &b.centre, &centre, now).await?;
    }
    let old = before.as_ref().map(|b| &b.centre);
    let announced = match announce(&mut tx, old, &centre, "centre apply", now).await? {
        Ok(announced) => announced,
        Err(problems) => return cannot_be_used(path, problems),
    };
    centres::save(&mut tx, &centre, &text, now).await?;
    if old != Some(&centre) {
        let mut all = centres::all_in(&mut tx).await?;
        if let Some(stored) = all.get_mut(&centre.code) {
            stored.centre = centre.clone();
        }
        let lines = crate::app::lines(&settings, &all, settings.listen)?;
        replan(&mut tx, lines.senders(), &centre, now).await?;
        let fact =
            Fact::new("centre_applied", "", "centre apply", now).detail(centre.code.as_str());
        facts::add(&mut tx, now, &[fact]).await?;
    }
    tx.commit().await?;
    print_applied(&centre, before.as_ref().map(|b| b.file.as_str()), &text)?;
    if announced != Announcement::default() {
        line(format!(
            "  booked sessions with other rules: {}; families to be told, as tasks: {}",
            announced.sessions, announced.families
        ))?;
    }
    db.close().await;
    Ok(())
}

/// Prints everything that is wrong with a file.
fn cannot_be_used(path: &Path, problems: Vec<impl std::fmt::Display>) -> Result<()> {
    eprintln!("{} cannot be used; nothing was changed:", path.display());
    for p in problems {
        eprintln!("  {p}");
    }
    Err(NegativeResult.into())
}

/// A centre with sessions ahead keeps its zone: their times on the wall clock would change.
async fn keeps_its_zone(
    tx: &mut Tx,
    before: &Centre,
    centre: &Centre,
    now: DateTime<Utc>,
) -> Result<()> {
    if before.tz == centre.tz {
        return Ok(());
    }
    let ever = now + chrono::Duration::days(3650);
    if sessions::count_between(tx, &centre.code, now, ever).await? > 0 {
        bail!(
            "timezone: {} has sessions ahead, so its zone cannot change from {} to {}; nothing was \
             changed",
            centre.code,
            before.tz,
            centre.tz
        );
    }
    Ok(())
}

/// Prints what changed, key by key; `before` is the file as it was.
fn print_applied(centre: &Centre, before: Option<&str>, text: &str) -> Result<()> {
    let Some(before) = before else {
        return line(format!(
            "{}: created, {}",
            centre.code,
            if centre.starts_on_hold {
                "on hold (`courtesy hold off` lets its texts go)"
            } else {
                "sending"
            }
        ));
    };
    let (old, new) = (keys(before), keys(text));
    if old == new {
        return line(format!("{}: nothing changed", centre.code));
    }
    line(format!("{}: changed", centre.code))?;
    for key in old
        .keys()
        .chain(new.keys().filter(|k| !old.contains_key(*k)))
    {
        let (a, b) = (old.get(key), new.get(key));
        if a == b {
            continue;
        }
        let secret = ["token", "secret"].iter().any(|s| key.contains(s)) && !key.ends_with("_file");
        let show = |v: Option<&String>| match v {
            None => "(not set)".to_owned(),
            Some(_) if secret => "(hidden)".to_owned(),
            Some(v) => v.clone(),
        };
        line(format!("  {key}: {} -> {}", show(a), show(b)))?;
    }
    Ok(())
}

async fn list(ctx: &CommandContext, as_json: bool) -> Result<()> {
    let (_, db) = ctx.open_existing().await?;
    for (code, c) in centres::all(&db).await? {
        if as_json {
            line(
                json!({
                    "centre": code,
                    "name": c.centre.name,
                    "timezone": c.centre.tz.name(),
                    "held": c.held,
                })
                .to_string(),
            )?;
        } else {
            line(format!(
                "{code:<6} {:<8} {:<16} {}",
                if c.held { "on hold" } else { "sending" },
                c.centre.tz.name(),
                c.centre.name
            ))?;
        }
    }
    db.close().await;
    Ok(())
}
