//! `courtesy hold`: stops all sending, or lets it go on.

use crate::cli::{CommandContext, NegativeResult, line};
use crate::domain::ids::MessageId;
use crate::domain::people::senders::Senders;
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
    match command {
        Command::On {
            message: Some(id),
            user,
            ..
        } => return one_text(&db, &id, true, &user, now).await,
        Command::Off {
            message: Some(id),
            user,
            ..
        } => return one_text(&db, &id, false, &user, now).await,
        Command::On {
            centre, user, why, ..
        } => {
            known(&db, centre.as_deref(), &user, Act::Stop).await?;
            hold(&db, centre.as_deref(), &user, &why, now).await?;
        }
        Command::Off {
            centre,
            user,
            count,
            ..
        } => {
            known(&db, centre.as_deref(), &user, Act::LetGo).await?;
            let lines = CommandContext::lines(&settings, &db).await?;
            confirm_count(&db, lines.senders(), centre.as_deref(), count, now).await?;
            release(&db, centre.as_deref(), &user, now).await?;
        }
    }
    db.close().await;
    Ok(())
}

/// Refuses somebody who may not, and an unknown centre.
async fn known(db: &Db, centre: Option<&str>, by: &str, act: Act) -> Result<()> {
    staff::allow(&mut db.begin().await?, by, act).await?;
    let all = centres::all(db).await?;
    if let Some(c) = centre.filter(|c| !all.contains_key(*c)) {
        bail!("there is no centre {c}; `courtesy centre list` shows all");
    }
    Ok(())
}

/// Refuses to let texts go unless somebody named how many will leave in the next hour.
async fn confirm_count(
    db: &Db,
    senders: &Senders,
    centre: Option<&str>,
    count: Option<i64>,
    now: DateTime<Utc>,
) -> Result<()> {
    let all = centres::all(db).await?;
    if let Some((code, _)) = all
        .iter()
        .find(|(code, c)| centre.is_none_or(|x| x == code.as_str()) && c.centre.phone.is_empty())
    {
        bail!(
            "{code} has no phone, and every text needs a way to a person; set phone in its \
             file and `courtesy centre apply` it"
        );
    }
    let hour = now + Duration::hours(1);
    let n = messages::count_due_until(db, centre, now, hour).await?
        + sessions::count_asks_until(db, senders, centre, now, hour).await?;
    if count == Some(n) || (count.is_none() && typed(n)?) {
        return Ok(());
    }
    eprintln!(
        "{n} texts will leave in the next hour; nothing was changed. Say `courtesy hold off{} \
         --count {n}` to let them go.",
        centre.map(|c| format!(" --centre {c}")).unwrap_or_default()
    );
    Err(NegativeResult.into())
}

/// Asks on a terminal for the number of texts; false if there is none, or another number was typed.
fn typed(n: i64) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("{n} texts will leave in the next hour. Type that number to let them go: ");
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim().parse() == Ok(n))
}

async fn hold(
    db: &Db,
    centre: Option<&str>,
    by: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let scope = centre.unwrap_or(ALL_CENTRES);
    let mut tx = db.begin().await?;
    staff::allow(&mut tx, by, Act::Stop).await?;
    centres::set_hold(&mut tx, scope, true, by, why, now).await?;
    let fact = Fact::new("hold_on", "", by, now).detail(scope);
    facts::add(&mut tx, now, &[fact]).await?;
    sessions::ring_for_waiting(&mut tx, scope, now).await?;
    tx.commit().await?;
    line(format!(
        "{}: on hold; nothing begins to leave after six seconds. Receiving goes on.",
        centre.unwrap_or("all centres")
    ))
}

async fn release(db: &Db, centre: Option<&str>, by: &str, now: DateTime<Utc>) -> Result<()> {
    const WHY: &str = "by hand";
    let scope = centre.unwrap_or(ALL_CENTRES);
    let mut tx = db.begin().await?;
    staff::allow(&mut tx, by, Act::LetGo).await?;
    centres::set_hold(&mut tx, scope, false, by, WHY, now).await?;
    // Without a centre everything goes on: the hold over all, and that of each centre.
    if centre.is_none() {
        for code in centres::all_in(&mut tx).await?.keys() {
            centres::set_hold(&mut tx, code, false, by, WHY, now).await?;
        }
    }
    centres::restart_all(&mut tx).await?;
    let fact = Fact::new("hold_off", "", by, now).detail(scope);
    facts::add(&mut tx, now, &[fact]).await?;
    tx.commit().await?;
    line(format!("{}: sending", centre.unwrap_or("all centres")))?;
    if let Some((code, _)) = centres::all(db).await?.iter().find(|(_, c)| c.held) {
        eprintln!("{code} is still on hold");
    }
    Ok(())
}
