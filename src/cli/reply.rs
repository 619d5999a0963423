//! `courtesy reply`: shows a message that waits for a person, and answers it.

use crate::cli::{CommandContext, Usage, line};
use crate::domain::ids::TaskId;
use crate::domain::local_time::wall;
use crate::domain::sanitize::sanitize;
use crate::flows::people::reply::{self, WaitingMessage};
use crate::store::inbox::Direction;
use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};

/// Arguments of `reply`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  courtesy reply 2564fd715b40\n      shows the message, who may have \
                  written it, what was sent before and what was answered; sends nothing\n  \
                  courtesy reply 2564fd715b40 \"Yes, your visit is at 10am as usual.\" --as Mary\n      \
                  answers it"
)]
pub(crate) struct Args {
    /// The task, as `list tasks` prints it
    task: TaskId,
    /// The words; the centre's short name is put in front. Without words the message is shown and
    /// nothing is sent
    text: Option<String>,
    /// Show the message and send nothing
    #[arg(long, conflicts_with = "text")]
    show: bool,
    /// The name of the person who answers
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    user: String,
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let svc = ctx.service().await?;
    match args.text {
        None => show(&args.task, &reply::waiting(&svc, &args.task).await?)?,
        Some(text) if text.trim().is_empty() => {
            return Err(anyhow!(Usage(
                "the answer is empty; leave it out to see the message".into()
            )));
        }
        Some(text) => {
            let done = reply::reply(&svc, &args.task, &text, &args.user).await?;
            line(format!(
                "to {} only ({} SMS part{}): {}",
                done.party,
                done.parts,
                if done.parts == 1 { "" } else { "s" },
                done.words
            ))?;
        }
    }
    svc.db.close().await;
    Ok(())
}

/// Prints what waits, the oldest text first; the message of the task is marked.
fn show(task: &TaskId, w: &WaitingMessage) -> Result<()> {
    let at = |t: DateTime<Utc>| wall(w.tz, t).format("%a %-d %b %H:%M").to_string();
    let due = w
        .task
        .due_at
        .map_or(String::new(), |t| format!(", due {}", at(t)));
    line(format!(
        "task {task}: {}, {} since {}{due}",
        w.task.topic,
        w.task.state,
        at(w.task.opened_at)
    ))?;
    let who = match w.parties.as_slice() {
        [] => "a number that is not on file".to_owned(),
        [one] => one.clone(),
        many => format!(
            "a phone of several: {}; which of them is not known",
            many.join(", ")
        ),
    };
    line(format!(
        "from {who}, by {}; sent from this number; not proof of who wrote it",
        w.channel
    ))?;
    if let Some(mode) = w.quiet {
        line(format!(
            "this phone is {mode}: do not ring or text it first, look for a safe time"
        ))?;
    }
    for p in &w.passed {
        let (mark, head) = match &p.direction {
            Direction::In {
                id,
                understood,
                media,
            } => {
                let meaning = understood
                    .as_ref()
                    .map_or("not read yet".to_owned(), |(intent, rule)| {
                        format!("read as {intent}, by the rule {rule}")
                    });
                let media = if *media > 0 {
                    format!(", with {media} picture or sound")
                } else {
                    String::new()
                };
                (
                    if *id == w.message { ">" } else { " " },
                    format!("they wrote ({meaning}{media})"),
                )
            }
            Direction::Out {
                kind,
                state,
                answers,
            } => {
                let own = answers.as_ref() == Some(&w.message);
                (
                    " ",
                    format!(
                        "{} ({kind}, {state})",
                        if own {
                            "answered by itself"
                        } else {
                            "we wrote"
                        }
                    ),
                )
            }
        };
        line(format!("\n{mark} {} {head}", at(p.at)))?;
        for text in sanitize(&p.body.0).lines() {
            line(format!("{mark}     {text}"))?;
        }
        if p.body.0.trim().is_empty() {
            line(format!("{mark}     (no words)"))?;
        }
    }
    Ok(())
}
