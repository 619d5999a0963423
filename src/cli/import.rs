//! `courtesy import`: brings a CSV file in, and prints what was found in it.

use crate::cli::{CommandContext, NegativeResult, Usage, line};
use crate::flows::import::options::{Counts, DateFormat, ImportOptions};
use crate::flows::import::{self, COLUMNS, Finding, Severity};
use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `import`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  courtesy import weekend.csv --dry-run")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// The file; CSV in UTF-8
    file: Option<PathBuf>,
    /// Check only, write nothing
    #[arg(long)]
    dry_run: bool,
    /// One object a line for every finding
    #[arg(long)]
    json: bool,
    /// How dates are written: iso (2026-11-28), or dmy for 28/11/2026 as well
    #[arg(long, default_value = "iso", value_parser = ["iso", "dmy"])]
    dates: String,
    /// Let the file change the names of parents that are on file
    #[arg(long)]
    rename: bool,
    /// Text the parents of sessions that the file calls off; without it nobody is texted, and both
    /// are to be rung
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
        print_finding(f, args.json)?;
    }
    let errors = imported
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .count();
    let warnings = imported.findings.len() - errors;
    let summary = match &imported.counts {
        Some(c) => summary(c, warnings, args.dry_run),
        None => format!("{errors} errors, {warnings} warnings: nothing was written"),
    };
    // With --json the lines on stdout are findings alone.
    if args.json {
        eprintln!("{summary}");
    } else {
        line(summary)?;
    }
    match imported.counts {
        Some(_) => Ok(()),
        None => Err(NegativeResult.into()),
    }
}

fn print_finding(f: &Finding, as_json: bool) -> Result<()> {
    if as_json {
        return line(
            json!({
                "line": f.line,
                "column": f.column,
                "kind": f.kind,
                "severity": f.severity.as_str(),
                "what": f.what,
            })
            .to_string(),
        );
    }
    let severity = match f.severity {
        Severity::Warning => "warning: ",
        Severity::Error => "",
    };
    eprintln!("{}:{}: {severity}{}", f.line, f.column, f.what);
    Ok(())
}

fn summary(c: &Counts, warnings: usize, dry_run: bool) -> String {
    format!(
        "{}{} sessions: {} new, {} unchanged, {} moved, {} differ, {} called off, {} missing{}; {} \
         new cases, {} new centres; {warnings} warnings",
        if dry_run {
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
    )
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
