//! `courtesy import`.

use super::{Ctx, Refused, Usage, line};
use crate::flows::import::{self, COLUMNS, Dates, Severity};
use anyhow::{Context, Result, anyhow};
use indicatif::ProgressBar;
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;

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
    /// How dates are written: iso (2026-11-28), or dmy for 28/11/2026 as well
    #[arg(long, default_value = "iso", value_parser = ["iso", "dmy"])]
    dates: String,
    /// Print an empty sheet
    #[arg(long)]
    template: bool,
}

pub(crate) async fn run(ctx: &Ctx, args: Args) -> Result<()> {
    if args.template {
        return line(COLUMNS.join(","));
    }
    let Some(file) = &args.file else { return Err(anyhow!(Usage("name the file to import, or --template for an empty sheet".into()))) };
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (_, db) = ctx.open().await?;
    let now = ctx.clock_of(&db).await?.now();
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar.set_message(format!("reading {}", file.display()));
    let dates = if args.dates == "dmy" { Dates::Dmy } else { Dates::Iso };
    let imported = import::import(&db, &bytes, dates, args.dry_run, now, &|n| bar.set_message(format!("{n} lines"))).await?;
    bar.finish_and_clear();
    db.close().await;
    for f in &imported.findings {
        if args.json {
            line(json!({ "line": f.line, "column": f.column, "kind": f.kind, "severity": f.severity.as_str(), "what": f.what }).to_string())?;
        } else {
            eprintln!("{}:{}: {}{}", f.line, f.column, if f.severity == Severity::Warning { "warning: " } else { "" }, f.what);
        }
    }
    let errors = imported.findings.iter().filter(|f| f.severity == Severity::Error).count();
    let warnings = imported.findings.len() - errors;
    let Some(c) = imported.counts else {
        let words = format!("{errors} errors, {warnings} warnings: nothing was written");
        if args.json {
            eprintln!("{words}")
        } else {
            line(words)?
        }
        return Err(Refused.into());
    };
    let words = format!(
        "{}{} sessions: {} new, {} unchanged, {} moved, {} differ; {} new cases, {} new centres; {warnings} warnings",
        if args.dry_run { "dry run, nothing was written: " } else { "" },
        c.sessions,
        c.new_sessions,
        c.unchanged,
        c.moved,
        c.differs,
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
