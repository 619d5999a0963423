//! `courtesy record told|call|referral|decision`: calls, referrals and decisions about tasks.

use crate::cli::recorded_by::RecordedBy;
use crate::cli::{line, print_standing as print};
use crate::domain::ids::TaskId;
use crate::flows::people::{calls, decision, referral};
use crate::flows::service::Service;
use crate::store::cases;
use anyhow::{Error, Result};

/// Commands of `record` that are about what people said and decided.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// A person told a party what is owed, or what the notice to all parties says; the deadline of
    /// that step counts from there
    #[command(
        after_help = "Example:\n  courtesy record told BRK-0101 --party contact --as Mary --at \
                      2026-12-01T11:20"
    )]
    Told {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// Who was told
        #[arg(long, value_parser = ["resident", "contact", "referrer"])]
        party: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Somebody rang a party, whether or not they answered; a notice to all parties waits for it
    #[command(
        after_help = "Example:\n  courtesy record call BRK-0101 --party contact --what \"no \
                      answer\" --as Mary"
    )]
    Call {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// Who was rung
        #[arg(long, value_parser = ["resident", "contact", "referrer"])]
        party: String,
        /// The result of the call
        #[arg(long, default_value = "")]
        what: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A new referral reopens a closed file
    #[command(after_help = "Example:\n  courtesy record referral BRK-0101 --as Mary")]
    Referral {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// What a person decided about a task, such as whether the reason for cancelling court-ordered
    /// contact is good
    #[command(
        after_help = "Example:\n  courtesy record decision 2564fd71… --accepted --why \"hospital \
                      letter seen\" --as Mary"
    )]
    Decision {
        /// The task, as `list tasks` prints it
        task: TaskId,
        /// The reason is good
        #[arg(long, conflicts_with = "not_accepted")]
        accepted: bool,
        /// The reason is not good
        #[arg(long)]
        not_accepted: bool,
        /// Why
        #[arg(long, default_value = "")]
        why: String,
        #[command(flatten)]
        who: RecordedBy,
    },
}

pub(crate) async fn run(svc: &Service, command: Command) -> Result<()> {
    match command {
        Command::Told { case, party, who } => {
            let case = cases::find(&svc.db, &case).await?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let role = party.parse().map_err(Error::msg)?;
            let lines = calls::told(svc, &case, role, &rec).await?;
            print("the party was told", lines)
        }
        Command::Call {
            case,
            party,
            what,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let role = party.parse().map_err(Error::msg)?;
            calls::rang(svc, &case, role, &what, &rec).await?;
            line(format!("recorded: the {party} was rung"))
        }
        Command::Referral { case, who } => {
            let case = cases::find(&svc.db, &case).await?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let lines = referral::referral(svc, &case, &rec).await?;
            print("a new referral; the file is open", lines)
        }
        Command::Decision {
            task,
            accepted,
            not_accepted,
            why,
            who,
        } => {
            let accepted = (accepted || not_accepted).then_some(accepted);
            let rec = who.of_task(svc, &task).await?;
            decision::decision(svc, &task, accepted, &why, &rec).await?;
            line("recorded: the decision; the task is done")
        }
    }
}
