//! `courtesy hold`: stops all sending, or lets it go on.

use crate::cli::{CommandContext, NegativeResult, line};
use crate::domain::ids::MessageId;
use crate::domain::people::staff::Act;
use crate::store::centres::{self, ALL_CENTRES};
use crate::store::facts::{self, Fact};
use crate::store::{Db, messages, money, sessions, staff};
use anyhow::{Result, bail};
use chrono::{DateTime, Duration, Utc};
use std::io::IsTerminal;

/// Commands of `hold`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Stops all sending within six seconds; receiving goes on
    #[command(
        after_help = "Example:\n  courtesy hold on --centre BRK --why \"wrong file imported\""
    )]
    On {
        /// One centre only
        #[arg(long, value_name = "CODE")]
        centre: Option<String>,
        /// One waiting text alone, as `list messages` prints it
        #[arg(long, value_name = "MESSAGE", conflicts_with = "centre")]
        message: Option<MessageId>,
        /// The name of the person who stops it
        #[arg(long = "as", value_name = "USER", default_value = "staff")]
        user: String,
        /// Why
        #[arg(long, default_value = "by hand")]
        why: String,
    },
    /// Lets texts leave again; says how many will in the next hour and wants that number back
    #[command(after_help = "Example:\n  courtesy hold off --count 14")]
    Off {
        /// One centre only
        #[arg(long, value_name = "CODE")]
        centre: Option<String>,
        /// The text that is held alone
        #[arg(long, value_name = "MESSAGE", conflicts_with_all = ["centre", "count"])]
        message: Option<MessageId>,
        /// The name of the person who lets it go on
        #[arg(long = "as", value_name = "USER", default_value = "staff")]
        user: String,
        /// The number of texts that will leave in the next hour
        #[arg(long, value_name = "N")]
        count: Option<i64>,
    },
}

/// One text is held back, or goes on; all others leave as they would.
async fn one_text(db: &Db, id: &MessageId, on: bool, by: &str, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    staff::allow(&mut tx, by, if on { Act::Stop } else { Act::LetGo }).await?;
    if on {
        if !money::hold_text(&mut tx, id, by, now).await? {
            bail!("text {id} does not wait (it left, or is held already); nothing was changed");
        }
        line(format!(
            "text {id} is held; `courtesy hold off --message {id}` lets it go"
        ))?;
    } else {
        if money::is_held_for_manager(&mut tx, id).await? {
            bail!(
                "text {id} waits for somebody's safety: a manager lets it go with `courtesy \
                 release`; nothing was changed"
            );
        }
        if !money::release_text(&mut tx, id, now).await? {
            bail!("text {id} is not held; nothing was changed");
        }
        line(format!("text {id} goes at its time, if it is still so"))?;
    }
    tx.commit().await
}

pub(crate) async fn run(ctx: &CommandContext, command: Command) -> Result<()> {
    let (settings, db) = ctx.open().await?;
    let now = ctx.clock_of(&db).await?.now();
    if let Command::On {
        message: Some(id),
        user,
        ..
    }
    | Command::Off {
        message: Some(id),
        user,
        ..
    } = &command
    {
        return one_text(&db, id, matches!(command, Command::On { .. }), user, now).await;
    }
    let (centre, on, by) = match &command {
        Command::On { centre, user, .. } => (centre.clone(), true, user.clone()),
        Command::Off { centre, user, .. } => (centre.clone(), false, user.clone()),
    };
    let act = if on { Act::Stop } else { Act::LetGo };
    staff::allow(&mut db.begin().await?, &by, act).await?;
    let all = centres::all(&db).await?;
    if let Some(c) = centre.as_ref().filter(|c| !all.contains_key(*c)) {
        bail!("there is no centre {c}; `courtesy centre list` shows all");
    }
    let scope = centre.as_deref().unwrap_or(ALL_CENTRES);
    let why = match &command {
        Command::On { why, .. } => why.clone(),
        Command::Off { count, .. } => {
            if let Some((code, _)) = all.iter().find(|(code, c)| {
                centre.as_ref().is_none_or(|x| x == *code) && c.centre.phone.is_empty()
            }) {
                bail!(
                    "{code} has no phone, and every text needs a way to a person; set phone in its \
                     file and `courtesy centre apply` it"
                );
            }
            let n =
                messages::count_due_until(&db, centre.as_deref(), now, now + Duration::hours(1))
                    .await?
                    + sessions::count_asks_until(
                        &db,
                        CommandContext::lines(&settings, &db).await?.senders(),
                        centre.as_deref(),
                        now,
                        now + Duration::hours(1),
                    )
                    .await?;
            if *count != Some(n) {
                let asked = if std::io::stdin().is_terminal() && count.is_none() {
                    eprint!(
                        "{n} texts will leave in the next hour. Type that number to let them go: "
                    );
                    let mut typed = String::new();
                    std::io::stdin().read_line(&mut typed)?;
                    typed.trim().parse::<i64>().ok() == Some(n)
                } else {
                    false
                };
                if !asked {
                    eprintln!(
                        "{n} texts will leave in the next hour; nothing was changed. Say `courtesy \
                         hold off{} --count {n}` to let them go.",
                        centre
                            .as_ref()
                            .map(|c| format!(" --centre {c}"))
                            .unwrap_or_default()
                    );
                    return Err(NegativeResult.into());
                }
            }
            "by hand".to_owned()
        }
    };
    let mut tx = db.begin().await?;
    staff::allow(&mut tx, &by, act).await?;
    centres::set_hold(&mut tx, scope, on, &by, &why, now).await?;
    if !on {
        // Without a centre everything goes on: the hold over all, and that of each centre.
        if centre.is_none() {
            for code in all.keys() {
                centres::set_hold(&mut tx, code, false, &by, &why, now).await?;
            }
        }
        centres::restart_all(&mut tx).await?;
    }
    let fact = Fact::new(if on { "hold_on" } else { "hold_off" }, "", &by, now).detail(scope);
    facts::add(&mut tx, now, &[fact]).await?;
    if on {
        sessions::ring_for_waiting(&mut tx, scope, now).await?;
    }
    tx.commit().await?;
    let whose = centre.unwrap_or_else(|| "all centres".to_owned());
    if on {
        line(format!(
            "{whose}: on hold; nothing begins to leave after six seconds. Receiving goes on."
        ))?;
    } else {
        line(format!("{whose}: sending"))?;
        if let Some((code, _)) = centres::all(&db).await?.iter().find(|(_, c)| c.held) {
            eprintln!("{code} is still on hold");
        }
    }
    db.close().await;
    Ok(())
}
