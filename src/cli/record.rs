//! `courtesy record`: what people tell the centre.

use crate::cli::recorded_by::RecordedBy;
use crate::cli::{
    CommandContext, Usage, bookings, line, record_attendance, record_family, record_money,
    record_people,
};
use crate::domain::ids::SessionId;
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::visits::session::Reason;
use crate::flows::visits::{answer, cancel, move_session};
use anyhow::{Error, Result, anyhow};

/// Commands of `record`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Money(record_money::Command),
    #[command(flatten)]
    Attendance(record_attendance::Command),
    #[command(flatten)]
    People(record_people::Command),
    /// An answer that a parent gave by phone or in person
    #[command(
        after_help = "Example:\n  courtesy record answer 5f3a… --party resident yes --as Mary"
    )]
    Answer {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// Which parent
        #[arg(long, value_parser = ["resident", "contact"])]
        party: String,
        /// yes or no
        #[arg(value_parser = ["yes", "no"])]
        answer: String,
        /// Why not
        #[arg(long, value_parser = ["ill_child", "ill_self", "travel", "other"])]
        reason: Option<String>,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// The centre calls one session off; both parents get the same words, without a cause
    #[command(after_help = "Example:\n  courtesy record cancel 5f3a… --by centre --as Mary")]
    Cancel {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// Who calls it off; a parent's cancellation is `record answer … no`
        #[arg(long, value_parser = ["centre"])]
        by: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Gives a session another day or time; both parents are told and asked anew
    #[command(after_help = "Example:\n  courtesy record move 5f3a… --to \"2026-11-29 14:00\"")]
    Move {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// The new start, local to the centre
        #[arg(long, value_name = "DATE TIME")]
        to: String,
        /// Who began it: refusing the centre's own move within 48 hours is free. No parent is told
        #[arg(long, default_value = "centre", value_parser = ["centre", "parent"])]
        origin: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Asks both parents about another date in the same words, whoever wished it; a person then
    /// moves the session or closes the question
    #[command(
        after_help = "Example:\n  courtesy record ask-date 5f3a… --to \"2026-11-29 14:00\" \
                      --origin parent --as Mary\n  courtesy record ask-date 5f3a… --party contact \
                      --answer yes\n  courtesy record ask-date 5f3a… --close"
    )]
    AskDate(bookings::DateArgs),
    /// Books a session by hand, in place of a missed one too, or with --every a series
    #[command(
        after_help = "Example:\n  courtesy record session BRK-0101 --start \"2026-12-12 10:00\" \
                      --as Mary\n  courtesy record session BRK-0101 --start \"2026-12-12 10:00\" \
                      --every fortnightly --as Mary"
    )]
    Session(bookings::SessionArgs),
    /// Ends a series from a day on, or gives it another pattern; only sessions that nobody was told
    /// of are taken back
    #[command(
        after_help = "Example:\n  courtesy record series BRK-0101 --stop 2027-01-09 --as Mary\n  \
                      courtesy record series BRK-0101 --change \"2027-01-10 14:00\" --every weekly \
                      --as Mary"
    )]
    Series(bookings::SeriesArgs),
    /// What staff learn about a parent's phone: what it may show and when, and whose a new number
    /// is
    #[command(
        after_help = "Example:\n  courtesy record family BRK-0101 --party contact --mode discreet \
                      --hours 09:00-15:00 --as Mary\n  courtesy record family BRK-0101 --party \
                      contact --confirm-number --spoken called-back --as Mary"
    )]
    Family(record_family::FamilyArgs),
}

pub(crate) async fn run(ctx: &CommandContext, command: Command) -> Result<()> {
    let svc = ctx.service().await?;
    match command {
        Command::Money(command) => record_money::run(&svc, command).await?,
        Command::Attendance(command) => record_attendance::run(&svc, command).await?,
        Command::People(command) => record_people::run(&svc, command).await?,
        Command::Answer {
            session,
            party,
            answer,
            reason,
            who,
        } => {
            let role: Role = party.parse().map_err(Error::msg)?;
            let reason: Option<Reason> =
                reason.map(|r| r.parse().map_err(Error::msg)).transpose()?;
            let yes = answer == "yes";
            if yes && reason.is_some() {
                return Err(anyhow!(Usage("--reason goes with no".into())));
            }
            let rec = who.of_session(&svc, &session).await?;
            answer::answer(&svc, &session, role, yes, reason, &rec).await?;
            line(format!(
                "recorded: the {party} parent {}",
                if yes {
                    "will come"
                } else {
                    "cannot come; if the visit was on, the other parent will hear that it is off, \
                     without a reason"
                }
            ))?;
        }
        Command::Cancel {
            session,
            by: _,
            who,
        } => {
            let rec = who.of_session(&svc, &session).await?;
            cancel::cancel(&svc, &session, &rec).await?;
            line(
                "recorded: the session is off; both parents will hear it in the same words, \
                 without a reason",
            )?;
        }
        Command::Move {
            session,
            to,
            origin,
            who,
        } => {
            let origin = origin.parse().map_err(Error::msg)?;
            let to = parse_local(&to).ok_or_else(|| {
                anyhow!(Usage(format!(
                    "--to: {to:?} is no time; write \"2026-11-29 14:00\""
                )))
            })?;
            let rec = who.of_session(&svc, &session).await?;
            move_session::move_to(&svc, &session, to, origin, &rec).await?;
            line(format!(
                "recorded: the session is on {} now; both parents will be told and asked anew",
                to.format("%a %-d %b %Y %H:%M")
            ))?;
        }
        Command::AskDate(args) => bookings::ask_date(&svc, args).await?,
        Command::Session(args) => bookings::session(&svc, args).await?,
        Command::Series(args) => bookings::series(&svc, args).await?,
        Command::Family(args) => record_family::run(&svc, args).await?,
    }
    svc.db.close().await;
    Ok(())
}
