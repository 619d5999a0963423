//! `courtesy user`: the people who may record and decide.

use crate::cli::{CommandContext, line};
use crate::domain::people::staff::StaffRole;
use crate::store::staff;
use anyhow::{Result, bail};

/// Commands of `user`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Names a person, or gives one another role; once somebody was named, only named people may
    /// record
    #[command(after_help = "Example:\n  courtesy user add Helen --role manager")]
    Add {
        /// The name, as in --as
        name: String,
        /// What they are: a volunteer records who came and may stop sending; a coordinator does
        /// everything else but decide about money, which a manager does; an admin keeps the program
        #[arg(long, value_parser = ["volunteer", "coordinator", "manager", "admin"])]
        role: String,
    },
    /// Everybody who may record
    #[command(after_help = "Example:\n  courtesy user list")]
    List,
    /// Somebody left; what they recorded stays
    #[command(after_help = "Example:\n  courtesy user remove Helen")]
    Remove {
        /// The name
        name: String,
    },
}

pub(crate) async fn run(ctx: &CommandContext, command: Command) -> Result<()> {
    let (_, db) = ctx.open().await?;
    let now = ctx.clock_of(&db).await?.now();
    match command {
        Command::Add { name, role } => {
            let name = name.trim();
            if name.is_empty()
                || name.chars().any(char::is_control)
                || matches!(name, "courtesy" | "import" | "staff")
            {
                bail!("{name:?} cannot be a person's name here; choose another");
            }
            let role: StaffRole = role.parse().map_err(anyhow::Error::msg)?;
            let mut tx = db.begin().await?;
            staff::put(&mut tx, now, name, role).await?;
            tx.commit().await?;
            line(format!("{name}: {role}"))?;
        }
        Command::List => {
            for (name, role) in staff::list(&db).await? {
                line(format!("{name}  {role}"))?;
            }
        }
        Command::Remove { name } => {
            let mut tx = db.begin().await?;
            if !staff::remove(&mut tx, now, &name).await? {
                bail!("nobody is named {name:?}; `courtesy user list` shows all");
            }
            tx.commit().await?;
            line(format!("{name} may record nothing more"))?;
            if staff::list(&db).await?.is_empty() {
                eprintln!(
                    "nobody is named any more, so nobody may record until `courtesy user add` \
                     names somebody"
                );
            }
        }
    }
    db.close().await;
    Ok(())
}
