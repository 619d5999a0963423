//! `courtesy demo`: the whole product in practice.

use crate::cli::{Usage, line};
use crate::domain::local_time::{instant, parse_local};
use crate::simulator::ZONE;
use crate::simulator::{self, once};
use anyhow::{Context, Result, anyhow};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Arguments of `demo`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy demo --clock 2026-11-26T09:59")]
pub(crate) struct Args {
    /// Play one weekend in the terminal and end
    #[arg(long)]
    once: bool,
    /// Keep the practice in this folder (default: a temporary one)
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Where the pages listen; ":0" takes a free port
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    listen: String,
    /// Where the practice clock starts, local to London
    #[arg(long, default_value = "2026-11-25T09:00", value_name = "TIME")]
    clock: String,
}

pub(crate) async fn run(args: Args) -> Result<()> {
    let at = parse_local(&args.clock)
        .map(|l| instant(ZONE, l))
        .ok_or_else(|| {
            anyhow!(Usage(format!(
                "--clock: {:?} is no time; write 2026-11-26T09:59",
                args.clock
            )))
        })?;
    let listen = if let Some(port) = args.listen.strip_prefix(':') {
        format!("127.0.0.1:{port}")
    } else {
        args.listen.replace("localhost", "127.0.0.1")
    };
    let listen: SocketAddr = listen.parse().map_err(|_| {
        anyhow!(Usage(format!(
            "--listen: {:?} is no address; write 127.0.0.1:8081",
            args.listen
        )))
    })?;
    if !listen.ip().is_loopback() {
        return Err(anyhow!(Usage(
            "--listen: practice has no login and listens on this machine \
                                  only; write 127.0.0.1 and a port"
                .into()
        )));
    }
    let dir = match &args.dir {
        Some(d) => {
            std::fs::create_dir_all(d)
                .with_context(|| format!("--dir: {} cannot be made", d.display()))?;
            d.clone()
        }
        None => {
            let d = std::env::temp_dir().join(format!(
                "courtesy-practice-{}",
                crate::store::sealed::random_id()
            ));
            std::fs::create_dir_all(&d)?;
            d
        }
    };
    crate::cli::logs_quiet();
    let result = play(&args, &dir, listen, at).await;
    if args.dir.is_none() {
        let _ = std::fs::remove_dir_all(&dir);
    }
    result
}

async fn play(
    args: &Args,
    dir: &std::path::Path,
    listen: SocketAddr,
    at: chrono::DateTime<chrono::Utc>,
) -> Result<()> {
    let listen = if args.once {
        SocketAddr::from(([127, 0, 0, 1], 0))
    } else {
        listen
    };
    let practice = simulator::start(dir, listen, at).await?;
    if args.once {
        once::play(&practice, &mut std::io::stdout().lock()).await?;
        return practice.running.stop().await;
    }
    let desk = practice.running.desk.unwrap_or(listen);
    line(format!("listening http://{}", practice.running.listen))?;
    line(format!("desk http://{desk}/"))?;
    line(format!("phones http://{desk}/phones"))?;
    eprintln!(
        "Open the phones, move the clock to 2026-11-26T10:00, and answer as a parent. Ctrl-C ends \
         the practice."
    );
    practice.running.until_signal().await
}
