//! `courtesy record payment|note|waive|…`: money, and the records that it depends on.

use crate::cli::Usage;
use crate::cli::print_standing as print;
use crate::cli::recorded_by::RecordedBy;
use crate::domain::ids::{FactId, FeeId, SessionId};
use crate::domain::money::policy::{Note, NoteSubject};
use crate::flows::money::correct;
use crate::flows::money::record::{self, NewPayment};
use crate::flows::service::Service;
use crate::store::cases;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;

/// Commands of `record` that are about money.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Money that was received; if it is more than is owed, a manager decides
    #[command(
        after_help = "Example:\n  courtesy record payment BRK-0101 --pence 4500 --by contact --as \
                      Mary"
    )]
    Payment {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// The amount in minor units (pence, cent)
        #[arg(long)]
        pence: i64,
        /// Who paid; nobody is told
        #[arg(long, value_parser = ["resident", "contact", "referrer", "other"])]
        by: String,
        /// It is another payment, though the same amount by the same payer is recorded for that day
        #[arg(long)]
        again: bool,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A doctor's note: whom and which days it covers, without a diagnosis
    #[command(
        after_help = "Example:\n  courtesy record note BRK-0101 --session 5f3a… --about child \
                      --covers 2026-11-28 --brought --as Mary"
    )]
    Note {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// The session it is for, as `list sessions` prints it
        #[arg(long)]
        session: SessionId,
        /// Whom it is about
        #[arg(long, value_parser = ["child", "contact", "resident"])]
        about: String,
        /// The day that it covers, or the first and the last: 2026-11-27..2026-11-29
        #[arg(long, value_name = "DATE[..DATE]")]
        covers: String,
        /// How many children it names
        #[arg(long, value_name = "N")]
        children: Option<u32>,
        /// It was handed in at the next contact, even if it is recorded later
        #[arg(long)]
        brought: bool,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// The manager waives a fee: it no longer applies
    #[command(
        after_help = "Example:\n  courtesy record waive 8c1e… --why \"first time, long journey\" \
                      --as Helen"
    )]
    Waive {
        /// The fee, as `list fees` prints it
        fee: FeeId,
        /// Why; nobody outside sees it
        #[arg(long)]
        why: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// The manager gives a debt up; new bookings stay blocked, because nothing was received
    #[command(
        after_help = "Example:\n  courtesy record write-off 8c1e… --why \"moved abroad\" --as Helen"
    )]
    WriteOff {
        /// The fee, as `list fees` prints it
        fee: FeeId,
        /// Why; nobody outside sees it
        #[arg(long)]
        why: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Makes a wrong record count no more: a payment, a note, who came, a decision about a fee, a
    /// call. Nothing is erased
    #[command(
        after_help = "Example:\n  courtesy record void BRK-0101 1f0c… --why \"was paid for \
                      BRK-0110\" --as Mary"
    )]
    Void {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// The record, as `case` prints it
        fact: FactId,
        /// Why; nobody outside sees it
        #[arg(long)]
        why: String,
        #[command(flatten)]
        who: RecordedBy,
    },
}

fn covers(text: &str) -> Result<(NaiveDate, NaiveDate)> {
    let date = |s: &str| {
        s.trim().parse::<NaiveDate>().map_err(|_| {
            anyhow!(Usage(format!(
                "--covers: {s:?} is no date; write 2026-11-28 or 2026-11-27..2026-11-29"
            )))
        })
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    Ok((date(from)?, date(to)?))
}

pub(crate) async fn run(svc: &Service, command: Command) -> Result<()> {
    match command {
        Command::Payment {
            case,
            pence,
            by,
            again,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let payment = NewPayment {
                minor: pence,
                by: &by,
                again,
            };
            let lines = record::payment(svc, &case, &payment, &rec).await?;
            print("a payment", lines)
        }
        Command::Note {
            case,
            session,
            about,
            covers: days,
            children,
            brought,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let (from, to) = covers(&days)?;
            let about: NoteSubject = about.parse().map_err(anyhow::Error::msg)?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let note = Note {
                about,
                from,
                to,
                children,
                brought,
            };
            let lines = record::note(svc, &case, &session, &note, &rec).await?;
            print("a note", lines)
        }
        Command::Waive { fee, why, who } => {
            let rec = who.of_fee(svc, &fee).await?;
            let lines = record::decide(svc, &fee, true, &why, &rec).await?;
            print("the fee is waived", lines)
        }
        Command::WriteOff { fee, why, who } => {
            let rec = who.of_fee(svc, &fee).await?;
            let lines = record::decide(svc, &fee, false, &why, &rec).await?;
            print("the debt is written off", lines)
        }
        Command::Void {
            case,
            fact,
            why,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let rec = who.of_centre(svc, &case.centre).await?;
            let lines = correct::void(svc, &case, &fact, &why, &rec).await?;
            print("that record counts no more", lines)
        }
    }
}
