//! The commands: what is typed, what is printed, and the exit code. 0 done, 1 refused or failed, 2
//! wrong usage.

mod bookings;
mod case;
mod centre;
mod check;
mod closure;
mod demo;
mod export;
mod hold;
mod import;
mod link;
mod list;
mod plan;
mod record;
mod record_attendance;
mod record_family;
mod record_money;
mod record_people;
mod recorded_by;
mod release;
mod reply;
mod rule_sentences;
mod serve;
pub mod try_cases;
mod user;

use crate::clock::Clock;
use crate::config::{InvalidSettings, Settings};
use crate::domain::local_time::{instant, parse_local};
use crate::flows::money::standing::StandingLines;
use crate::store::Db;
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use clap::{Parser, Subcommand};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The messenger of a child contact centre: courtesy confirmations by text, answers recorded, and
/// nothing about one parent ever reaching the other.
#[derive(Parser)]
#[command(
    name = "courtesy",
    version,
    max_term_width = 110,
    after_help = "Example:\n  courtesy demo          the whole product with a sample centre, no account or \
                  key needed\n  courtesy demo --once   one weekend played in the terminal"
)]
struct Cli {
    /// The file of settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole product with a sample centre, phones in the browser and a clock that you move
    Demo(demo::Args),
    /// The service: scan, send, receive, desk
    Serve(serve::ServeArgs),
    /// Scan and send only; any number beside one another on PostgreSQL
    Worker(serve::WorkerArgs),
    /// Checks settings, database, templates and centres, and lists everything that is wrong
    Check(check::Args),
    /// Centres and their rules
    #[command(subcommand)]
    Centre(centre::Command),
    /// Imports sessions, families and phones from a CSV file, all or nothing
    Import(import::Args),
    /// What will be sent, when, to whom and why; what will not be sent, and why not
    Plan(plan::Args),
    /// Lists sessions, messages, tasks and more, for scripts
    List(list::Args),
    /// The whole history of a case, each step with its rule
    Case(case::Args),
    /// What people tell the centre
    #[command(subcommand)]
    Record(record::Command),
    /// The centre does not open: first a preview, then with --send the sessions are closed and both
    /// parents told
    Closure(closure::Args),
    /// A single-use Telegram link for a party and its QR code
    Link(link::Args),
    /// Sends a waiting notice, after you have read what it will tell whom
    Release(release::Args),
    /// People who may record and decide
    #[command(subcommand)]
    User(user::Command),
    /// Answers a message that waits for a person
    Reply(reply::Args),
    /// Exports CSV for spreadsheets
    Export(export::Args),
    /// Stops all sending, or resumes it; receiving goes on
    #[command(subcommand)]
    Hold(hold::Command),
    /// Runs test cases through the code of the service
    #[command(subcommand)]
    Try(try_cases::Command),
}

/// What every command gets.
pub(crate) struct CommandContext {
    /// The file of settings, if one was named.
    pub(crate) config: Option<PathBuf>,
}

impl CommandContext {
    /// The settings; everything wrong with them at once.
    pub(crate) fn settings(&self) -> Result<Settings> {
        Ok(Settings::load(self.config.as_deref(), std::env::vars())?)
    }

    /// The settings and the open database.
    pub(crate) async fn open(&self) -> Result<(Settings, Db)> {
        let settings = self.settings()?;
        let db = crate::app::open_db(&settings, None).await?;
        Ok((settings, db))
    }

    /// The settings and a database that is there already, for a command that only reads.
    pub(crate) async fn open_existing(&self) -> Result<(Settings, Db)> {
        let settings = self.settings()?;
        if let Some(path) = settings
            .database_url
            .strip_prefix("sqlite:")
            .map(|p| p.strip_prefix("//").unwrap_or(p))
            && path.parse::<PathBuf>().is_ok_and(|p| {
                !p.exists()
                    && p.parent()
                        .is_none_or(|d| d.as_os_str().is_empty() || d.exists())
            })
        {
            return Err(anyhow!(
                "there is no database {path} yet; `courtesy centre apply`, `import` or `serve` \
                 makes it"
            ));
        }
        let db = crate::app::open_db(&settings, None).await?;
        Ok((settings, db))
    }

    /// The parts for a command that records something.
    pub(crate) async fn service(&self) -> Result<std::sync::Arc<crate::flows::service::Service>> {
        let (settings, db) = self.open().await?;
        let clock = self.clock_of(&db).await?;
        crate::app::build(&settings, db, clock, settings.listen).await
    }

    /// The lines of the settings and of the centres in a database.
    pub(crate) async fn lines(settings: &Settings, db: &Db) -> Result<crate::flows::lines::Lines> {
        crate::app::lines(
            settings,
            &crate::store::centres::all(db).await?,
            settings.listen,
        )
    }

    /// The clock of a database: the system's, or where its practice stands, never before what is
    /// recorded in it.
    pub(crate) async fn clock_of(&self, db: &Db) -> Result<Clock> {
        Ok(crate::store::centres::simulator_clock(db)
            .await?
            .map_or(Clock::System, Clock::simulated))
    }
}

/// Ends a command whose work was done and whose answer is "no".
#[derive(Debug)]
pub(crate) struct NegativeResult;

impl std::fmt::Display for NegativeResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for NegativeResult {}

/// Wrong usage that the argument parser cannot see.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// `2026-11-26T10:00:00Z`, cut to the second.
pub(crate) fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Reads RFC 3339, or a local time of the zone.
pub(crate) fn parse_at(text: &str, tz: Tz) -> Result<DateTime<Utc>> {
    if let Ok(t) = DateTime::parse_from_rfc3339(text) {
        return Ok(t.with_timezone(&Utc));
    }
    parse_local(text).map(|l| instant(tz, l)).ok_or_else(|| {
        anyhow!(Usage(format!(
            "{text:?} is no time; write 2026-11-26T10:00 or 2026-11-26T10:00:00Z"
        )))
    })
}

/// Writes a line to stdout; a reader that went away is no error.
pub(crate) fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.context("cannot write"),
    }
}

/// Prints what was recorded and how the fees of the case stand after it.
fn print_standing(what: &str, standing: StandingLines) -> Result<()> {
    line(format!("recorded: {what}"))?;
    standing.into_iter().try_for_each(line)
}

fn logs(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("COURTESY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn,hyper=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    if json {
        let _ = builder.json().try_init();
    } else {
        let _ = builder.try_init();
    }
}

/// In the demo, log errors only; the pages show the rest.
pub(crate) fn logs_quiet() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("COURTESY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    // One thread for the program and one for the database fit a small machine better than a pool
    // that passes work around.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(r) => r,
        Err(e) => {
            eprintln!("courtesy: the runtime cannot start: {e}");
            return ExitCode::FAILURE;
        }
    };
    let ctx = CommandContext { config: cli.config };
    let result = runtime.block_on(run(ctx, cli.command));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.is::<NegativeResult>() => ExitCode::FAILURE,
        Err(e) if e.is::<Usage>() => {
            eprintln!("courtesy: {e}");
            ExitCode::from(2)
        }
        Err(e) if e.is::<InvalidSettings>() => {
            eprintln!("courtesy: {e}");
            ExitCode::FAILURE
        }
        // A refusal prints its sentence, a failure the chain of its causes.
        Err(e) => {
            eprintln!("courtesy: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(ctx: CommandContext, command: Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::serve(&ctx, args).await,
        Command::Worker(args) => serve::worker(&ctx, args).await,
        Command::Check(args) => check::run(&ctx, args).await,
        Command::Centre(command) => centre::run(&ctx, command).await,
        Command::Import(args) => import::run(&ctx, args).await,
        Command::Plan(args) => plan::run(&ctx, args).await,
        Command::List(args) => list::run(&ctx, args).await,
        Command::Case(args) => case::run(&ctx, args).await,
        Command::Record(command) => record::run(&ctx, command).await,
        Command::Closure(args) => closure::run(&ctx, args).await,
        Command::Link(args) => link::run(&ctx, args).await,
        Command::Release(args) => release::run(&ctx, args).await,
        Command::User(command) => user::run(&ctx, command).await,
        Command::Reply(args) => reply::run(&ctx, args).await,
        Command::Export(args) => export::run(&ctx, args).await,
        Command::Hold(command) => hold::run(&ctx, command).await,
        Command::Try(command) => try_cases::run(command),
    }
}
