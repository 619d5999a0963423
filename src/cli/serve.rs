//! `courtesy serve` and `courtesy worker`.

use crate::app::{self, Purpose, Start};
use crate::cli::{CommandContext, NegativeResult, line, logs};
use crate::clock::Clock;
use crate::store::centres;
use anyhow::Result;
use tokio_util::sync::CancellationToken;

/// Arguments of `serve`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy --config /etc/courtesy/courtesy.toml serve")]
pub(crate) struct ServeArgs {}

/// Arguments of `worker`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy worker --until-idle")]
pub(crate) struct WorkerArgs {
    /// End when nothing is due and no attempt is open
    #[arg(long)]
    until_idle: bool,
}

pub(crate) async fn serve(ctx: &CommandContext, _args: ServeArgs) -> Result<()> {
    let settings = ctx.settings()?;
    logs(settings.log_json);
    let how = Start {
        serve: true,
        more_desk: None,
        clock: Clock::System,
        purpose: Purpose::Service,
        scheduled: true,
    };
    let running = app::start(&settings, how).await?;
    line(format!("listening http://{}", running.listen))?;
    if let Some(desk) = running.desk {
        line(format!("desk http://{desk}/"))?;
    }
    for (code, c) in centres::all(&running.svc.db)
        .await?
        .into_iter()
        .filter(|(_, c)| c.held)
    {
        tracing::warn!(
            "{code} ({}) is on hold: nothing is sent for it until `courtesy hold off`",
            c.centre.name
        );
    }
    running.until_signal().await
}

pub(crate) async fn worker(ctx: &CommandContext, args: WorkerArgs) -> Result<()> {
    let settings = ctx.settings()?;
    logs(settings.log_json);
    if args.until_idle {
        let stop = CancellationToken::new();
        let signal = stop.clone();
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            signal.cancel();
        });
        let held = app::until_idle(&settings, Clock::System, stop).await?;
        if held > 0 {
            eprintln!(
                "{held} texts are due and stay: there is a hold (`courtesy hold off` lets them go)"
            );
        }
        return Ok(());
    }
    let how = Start {
        serve: false,
        more_desk: None,
        clock: Clock::System,
        purpose: Purpose::Service,
        scheduled: true,
    };
    let running = app::start(&settings, how).await?;
    if running.svc.lines().all().is_empty() {
        running.stop().await?;
        eprintln!("courtesy: no texting service is set; fill in [sms] in courtesy.toml");
        return Err(NegativeResult.into());
    }
    running.until_signal().await
}
