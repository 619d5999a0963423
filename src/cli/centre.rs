//! `courtesy centre`: centres and their rules.

use crate::cli::{CommandContext, NegativeResult, line};
use crate::domain::centre::Centre;
use crate::flows::scan::confirmations::replan;
use crate::flows::visits::terms::{Announcement, announce};
use crate::store::centres;
use crate::store::facts::{self, Fact};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
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
fn with_whole_paths(text: &str, folder: &std::path::Path) -> Result<String> {
    let mut table: Table = text.parse()?;
    let mut changed = false;
    for section in ["sms", "whatsapp", "telegram"] {
        let Some(Value::Table(t)) = table.get_mut(section) else {
            continue;
        };
        for (key, value) in t.iter_mut() {
            if let (true, Value::String(file)) = (key.ends_with("_file"), &*value)
                && std::path::Path::new(file).is_relative()
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

async fn apply(ctx: &CommandContext, path: &std::path::Path) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let centre = match Centre::parse(&text) {
        Ok(c) => c,
        Err(problems) => {
            eprintln!("{} cannot be used; nothing was changed:", path.display());
            for p in problems {
                eprintln!("  {p}");
            }
            return Err(NegativeResult.into());
        }
    };
    let text = with_whole_paths(&text, path.parent().unwrap_or(std::path::Path::new("")))?;
    let (settings, db) = ctx.open().await?;
    if let Err(problems) =
        settings.own_senders(&Centre::parse(&text).unwrap_or_else(|_| centre.clone()))
    {
        eprintln!("{} cannot be used; nothing was changed:", path.display());
        for p in problems {
            eprintln!("  {p}");
        }
        return Err(NegativeResult.into());
    }
    let now = ctx.clock_of(&db).await?.now();
    let mut tx = db.begin().await?;
    let before = centres::all_in(&mut tx).await?.remove(&centre.code);
    if let Some(b) = &before
        && b.centre.tz != centre.tz
        && crate::store::sessions::count_between(
            &mut tx,
            &centre.code,
            now,
            now + chrono::Duration::days(3650),
        )
        .await?
            > 0
    {
        bail!(
            "timezone: {} has sessions ahead, so its zone cannot change from {} to {}; nothing was \
             changed",
            centre.code,
            b.centre.tz,
            centre.tz
        );
    }
    let announced = match announce(
        &mut tx,
        before.as_ref().map(|b| &b.centre),
        &centre,
        "centre apply",
        now,
    )
    .await?
    {
        Ok(announced) => announced,
        Err(wrong) => {
            eprintln!("{} cannot be used; nothing was changed:", path.display());
            for w in wrong {
                eprintln!("  {w}");
            }
            return Err(NegativeResult.into());
        }
    };
    let (old, new) = (
        before.as_ref().map(|b| keys(&b.file)).unwrap_or_default(),
        keys(&text),
    );
    centres::save(&mut tx, &centre, &text, now).await?;
    if before.as_ref().is_none_or(|b| b.centre != centre) {
        let mut all = centres::all_in(&mut tx).await?;
        if let Some(stored) = all.get_mut(&centre.code) {
            stored.centre = centre.clone();
        }
        replan(
            &mut tx,
            crate::app::lines(&settings, &all, settings.listen)?.senders(),
            &centre,
            now,
        )
        .await?;
        let fact = Fact::new("centre_applied", "", "centre apply", now).detail(&centre.code);
        facts::add(&mut tx, now, &[fact]).await?;
    }
    tx.commit().await?;
    match before {
        None => line(format!(
            "{}: created, {}",
            centre.code,
            if centre.starts_on_hold {
                "on hold (`courtesy hold off` lets its texts go)"
            } else {
                "sending"
            }
        ))?,
        Some(_) if old == new => line(format!("{}: nothing changed", centre.code))?,
        Some(_) => {
            line(format!("{}: changed", centre.code))?;
            for key in old
                .keys()
                .chain(new.keys().filter(|k| !old.contains_key(*k)))
            {
                let (a, b) = (old.get(key), new.get(key));
                if a != b {
                    let secret = ["token", "secret"].iter().any(|s| key.contains(s))
                        && !key.ends_with("_file");
                    let show = |v: Option<&String>| {
                        v.map_or_else(
                            || "(not set)".into(),
                            |v| {
                                if secret {
                                    "(hidden)".to_owned()
                                } else {
                                    v.clone()
                                }
                            },
                        )
                    };
                    line(format!("  {key}: {} -> {}", show(a), show(b)))?;
                }
            }
        }
    }
    if announced != Announcement::default() {
        line(format!(
            "  booked sessions with other rules: {}; families to be told, as tasks: {}",
            announced.sessions, announced.families
        ))?;
    }
    db.close().await;
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
