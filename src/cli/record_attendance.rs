//! `courtesy record attended|no-show|…`: who came, who was ill, and what takes place after all.

use crate::cli::print_standing as print;
use crate::cli::recorded_by::RecordedBy;
use crate::domain::ids::SessionId;
use crate::domain::money::policy::Absent;
use crate::domain::visits::session::Reason;
use crate::flows::money::record;
use crate::flows::service::Service;
use crate::flows::visits::{attendance, reinstate};
use anyhow::{Error, Result};

/// Commands of `record` that are about a session and who came.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Who came
    #[command(after_help = "Example:\n  courtesy record attended 5f3a… --party both --as Mary")]
    Attended {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// Who came
        #[arg(long, value_parser = ["resident", "contact", "both"])]
        party: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Who did not come; a fee follows only if it is one parent
    #[command(after_help = "Example:\n  courtesy record no-show 5f3a… --party contact --as Mary")]
    NoShow {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// Who did not come
        #[arg(long, value_parser = ["resident", "contact", "both", "unknown"])]
        party: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// How many of several children were ill
    #[command(after_help = "Example:\n  courtesy record ill-children 5f3a… --children 2 --as Mary")]
    IllChildren {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// How many were ill
        #[arg(long)]
        children: u32,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A parent who cancelled says later that it was an illness: a doctor's note may end the fee
    #[command(
        after_help = "Example:\n  courtesy record illness 5f3a… --party resident --ill child --as \
                      Mary"
    )]
    Illness {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// Who had cancelled
        #[arg(long, value_parser = ["resident", "contact"])]
        party: String,
        /// Who was ill
        #[arg(long, value_parser = ["child", "self"])]
        ill: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A cancelled session takes place after all; both parents are told, and its fee is void
    #[command(after_help = "Example:\n  courtesy record reinstate 5f3a… --as Mary")]
    Reinstate {
        /// The session, as `list sessions` prints it
        session: SessionId,
        #[command(flatten)]
        who: RecordedBy,
    },
}

pub(crate) async fn run(svc: &Service, command: Command) -> Result<()> {
    match command {
        Command::Attended {
            session,
            party,
            who,
        } => {
            let rec = who.of_session(svc, &session).await?;
            let lines = attendance::attended(svc, &session, &party, &rec).await?;
            print("who came", lines)
        }
        Command::NoShow {
            session,
            party,
            who,
        } => {
            let absent: Absent = party.parse().map_err(Error::msg)?;
            let rec = who.of_session(svc, &session).await?;
            let lines = attendance::no_show(svc, &session, absent, &rec).await?;
            print("who did not come", lines)
        }
        Command::IllChildren {
            session,
            children,
            who,
        } => {
            let rec = who.of_session(svc, &session).await?;
            let lines = attendance::ill_children(svc, &session, children, &rec).await?;
            print("how many children were ill", lines)
        }
        Command::Illness {
            session,
            party,
            ill,
            who,
        } => {
            let rec = who.of_session(svc, &session).await?;
            let role = party.parse().map_err(Error::msg)?;
            let reason = match ill.as_str() {
                "child" => Reason::IllChild,
                _ => Reason::IllSelf,
            };
            let lines = record::illness_told(svc, &session, role, reason, &rec).await?;
            print("it was an illness", lines)
        }
        Command::Reinstate { session, who } => {
            let rec = who.of_session(svc, &session).await?;
            let lines = reinstate::reinstate(svc, &session, &rec).await?;
            print("the session is on again", lines)
        }
    }
}
