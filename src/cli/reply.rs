//! `courtesy reply`: answers a message that waits for a person.

use super::{Ctx, line};
use crate::flows::reply;
use anyhow::Result;

/// Arguments of `reply`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy reply 2564fd715b40 \"Yes, your visit is at 10am as usual.\" --as Mary")]
pub(crate) struct Args {
    /// The task, as `list tasks` prints it
    task: String,
    /// The words; the centre's short name is put in front
    text: String,
    /// The name of the person who answers
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    user: String,
}

pub(crate) async fn run(ctx: &Ctx, args: Args) -> Result<()> {
    let svc = ctx.service().await?;
    let done = reply::reply(&svc, &args.task, &args.text, &args.user).await?;
    line(format!("to {} only ({} SMS part{}): {}", done.party, done.parts, if done.parts == 1 { "" } else { "s" }, done.words))?;
    svc.db.close().await;
    Ok(())
}
