//! `courtesy import`.

use crate::cli::{CommandContext, NegativeResult, Usage, line};
use crate::flows::import::options::DateFormat;
use crate::flows::import::options::ImportOptions;
use crate::flows::import::{self, COLUMNS, Severity};
use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `import`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy import weekend.csv --dry-run")]
pub(crate) struct Args {
    /// The file; CSV in UTF-8
    file: Option<PathBuf>,
    /// Check only, write nothing
    #[arg(long)]
    dry_run: bool,
    /// One object a line for every finding
    #[arg(long)]
    json: bool,
    /// ImportOptions dates are written: iso (2026-11-28), or dmy for 28/11/2026 as well
    #[arg(long, default_value = "iso", value_parser = ["iso", "dmy"])]
    dates: String,
    /// Let the file change the names of parents that are on file
    #[arg(long)]
    rename: bool,
    /// Text the parents of sessions that the file calls off; else nobody is texted and both are to
    /// be rung
    #[arg(long)]
    tell: bool,
    /// Print an empty sheet
    #[arg(long)]
    template: bool,
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    if args.template {
        return line(COLUMNS.join(","));
    }
    let Some(file) = &args.file else {
        return Err(anyhow!(Usage(
            "name the file to import, or --template for an empty sheet".into()
        )));
    };
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (settings, db) = ctx.open().await?;
    let now = ctx.clock_of(&db).await?.now();
    let bar = Progress::new();
    let dates = if args.dates == "dmy" {
        DateFormat::Dmy
    } else {
        DateFormat::Iso
    };
    let senders = CommandContext::lines(&settings, &db)
        .await?
        .senders()
        .clone();
    let how = ImportOptions {
        dates,
        dry_run: args.dry_run,
        rename: args.rename,
        tell: args.tell,
        senders,
        progress: &|done, total| bar.show(done, total),
    };
    let imported = import::import(&db, &bytes, &how, now).await?;
    bar.0.finish_and_clear();
    db.close().await;
    for f in &imported.findings {
        if args.json {
            line(
                json!({
                    "line": f.line,
                    "column": f.column,
                    "kind": f.kind,
                    "severity": f.severity.as_str(),
                    "what": f.what,
                })
                .to_string(),
            )?;
        } else {
            eprintln!(
                "{}:{}: {}{}",
                f.line,
                f.column,
                if f.severity == Severity::Warning {
                    "warning: "
                } else {
                    ""
                },
                f.what
            );
        }
    }
    let errors = imported
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .count();
    let warnings = imported.findings.len() - errors;
    let Some(c) = imported.counts else {
        let words = format!("{errors} errors, {warnings} warnings: nothing was written");
        if args.json {
            eprintln!("{words}")
        } else {
            line(words)?
        }
        return Err(NegativeResult.into());
    };
    let words = format!(
        "{}{} sessions: {} new, {} unchanged, {} moved, {} differ, {} called off, {} missing{}; {} \
         new cases, {} new centres; {warnings} warnings",
        if args.dry_run {
            "dry run, nothing was written: "
        } else {
            ""
        },
        c.sessions,
        c.new_sessions,
        c.unchanged,
        c.moved,
        c.differs,
        c.cancelled,
        c.missing,
        if c.not_booked > 0 {
            format!(", {} not booked", c.not_booked)
        } else {
            String::new()
        },
        c.new_cases,
        c.new_centres
    );
    if args.json {
        eprintln!("{words}");
    } else {
        line(words)?;
    }
    Ok(())
}

/// A bar that comes up on a terminal when the work takes longer than a second.
struct Progress(ProgressBar, Instant);

impl Progress {
    fn new() -> Progress {
        Progress(
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            Instant::now(),
        )
    }

    fn show(&self, done: u64, total: u64) {
        let Progress(bar, since) = self;
        bar.set_length(total);
        bar.set_position(done);
        if bar.is_hidden()
            && since.elapsed() > Duration::from_secs(1)
            && std::io::stderr().is_terminal()
        {
            if let Ok(style) =
                ProgressStyle::with_template("importing {wide_bar} {percent:>3}%  {eta} left")
            {
                bar.set_style(style);
            }
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}
