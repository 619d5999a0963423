//! `courtesy release`: lets a waiting notice go.

use crate::cli::recorded_by::zone_of_task;
use crate::cli::{CommandContext, line};
use crate::domain::ids::TaskId;
use crate::domain::local_time::wall;
use crate::flows::money::release;
use crate::flows::recording::Recording;
use anyhow::Result;

/// Arguments of `release`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  courtesy release 2564fd71… --show\n  courtesy release 2564fd71… \
                  --rang \"no answer at 14:10\" --as Mary"
)]
pub(crate) struct Args {
    /// The task that holds the notice, as `list tasks` prints it
    task: TaskId,
    /// The parent who owes the fee was rung just now, and what came of it
    #[arg(long, value_name = "WHAT")]
    rang: Option<String>,
    /// Only show what would go to whom, and who will infer what
    #[arg(long)]
    show: bool,
    /// The name of the person who releases
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    user: String,
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let svc = ctx.service().await?;
    let rec = Recording {
        by: &args.user,
        at: svc.clock.now(),
    };
    let form = release::release(&svc, &args.task, args.rang.as_deref(), args.show, &rec).await?;
    form.lines.iter().try_for_each(line)?;
    let tz = zone_of_task(&svc, &args.task).await?;
    let when = form
        .at
        .map(|at| format!(" {}", wall(tz, at).format("on %a %-d %b at %H:%M")))
        .unwrap_or_default();
    line(if args.show {
        format!("nothing was released; it would go{when}")
    } else {
        format!("released; it goes{when}")
    })?;
    svc.db.close().await;
    Ok(())
}
