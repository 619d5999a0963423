//! `courtesy record payment|note|attended …`: money, notes, who came, and what a manager decides.

use crate::cli::record::{RecordedBy, at_of_case, at_of_fee, at_of_task, when};
use crate::cli::{Usage, line};
use crate::domain::ids::{FactId, FeeId, SessionId, TaskId};
use crate::domain::money::policy::{Absent, Note, NoteSubject};
use crate::domain::people::role::Role;
use crate::domain::visits::session::Reason;
use crate::flows::money::correct;
use crate::flows::money::record::{self, NewPayment};
use crate::flows::money::standing::StandingLines;
use crate::flows::people::{calls, decision, referral};
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::flows::visits::{attendance, reinstate};
use crate::store::cases;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;

/// Commands of `record` that are about money, notes and attendance.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Money that was received; more than is owed is taken and left to a manager
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
        /// RecordedBy paid; nobody is told
        #[arg(long, value_parser = ["resident", "contact", "referrer", "other"])]
        by: String,
        /// It is another payment, though the same amount by the same payer stands there for that
        /// day
        #[arg(long)]
        again: bool,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A doctor's note: whom and which days it covers; no diagnosis
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
        /// It was handed in at the next contact, whenever that is recorded
        #[arg(long)]
        brought: bool,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// RecordedBy came
    #[command(after_help = "Example:\n  courtesy record attended 5f3a… --party both --as Mary")]
    Attended {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// RecordedBy came
        #[arg(long, value_parser = ["resident", "contact", "both"])]
        party: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// RecordedBy did not come; a fee follows only if it is one parent
    #[command(after_help = "Example:\n  courtesy record no-show 5f3a… --party contact --as Mary")]
    NoShow {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// RecordedBy did not come
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
    /// RecordedBy cancelled says afterwards that it was an illness: a doctor's note may end the fee
    #[command(
        after_help = "Example:\n  courtesy record illness 5f3a… --party resident --ill child --as \
                      Mary"
    )]
    Illness {
        /// The session, as `list sessions` prints it
        session: SessionId,
        /// RecordedBy had cancelled
        #[arg(long, value_parser = ["resident", "contact"])]
        party: String,
        /// RecordedBy was ill
        #[arg(long, value_parser = ["child", "self"])]
        ill: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A session that was called off takes place after all; both parents are told, and its fee is
    /// void
    #[command(after_help = "Example:\n  courtesy record reinstate 5f3a… --as Mary")]
    Reinstate {
        /// The session, as `list sessions` prints it
        session: SessionId,
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
    /// The manager gives a debt up; no new bookings all the same, for it was not received
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
    /// A person told a party what is owed, or what the notice to all parties says: the clock of
    /// that step starts there
    #[command(
        after_help = "Example:\n  courtesy record told BRK-0101 --party contact --as Mary --at \
                      2026-12-01T11:20"
    )]
    Told {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// RecordedBy was told
        #[arg(long, value_parser = ["resident", "contact", "referrer"])]
        party: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Somebody rang a party, answered or not; a notice to all parties waits for it
    #[command(
        after_help = "Example:\n  courtesy record call BRK-0101 --party contact --what \"no \
                      answer\" --as Mary"
    )]
    Call {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// RecordedBy was rung
        #[arg(long, value_parser = ["resident", "contact", "referrer"])]
        party: String,
        /// What came of it
        #[arg(long, default_value = "")]
        what: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// A new referral: a closed file is open again
    #[command(after_help = "Example:\n  courtesy record referral BRK-0101 --as Mary")]
    Referral {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        #[command(flatten)]
        who: RecordedBy,
    },
    /// Takes a wrong record out of the reckoning: a payment, a note, who came, a decision about a
    /// fee, a call. Nothing is erased
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
    /// What a person decided about a task, such as whether the reason of a cancelled court-ordered
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

fn role(word: &str) -> Result<Role> {
    word.parse().map_err(anyhow::Error::msg)
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

fn print(what: &str, standing: StandingLines) -> Result<()> {
    line(format!("recorded: {what}"))?;
    standing.into_iter().try_for_each(line)
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
            let at = at_of_case(svc, &who, &case).await?;
            print(
                "a payment",
                record::payment(
                    svc,
                    &case,
                    &NewPayment {
                        minor: pence,
                        by: &by,
                        again,
                    },
                    &Recording { by: &who.user, at },
                )
                .await?,
            )
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
            let at = at_of_case(svc, &who, &case).await?;
            let note = Note {
                about,
                from,
                to,
                children,
                brought,
            };
            print(
                "a note",
                record::note(
                    svc,
                    &case,
                    &session,
                    &note,
                    &Recording { by: &who.user, at },
                )
                .await?,
            )
        }
        Command::Attended {
            session,
            party,
            who,
        } => {
            let rec = Recording {
                by: &who.user,
                at: when(svc, &who, &session).await?,
            };
            print(
                "who came",
                attendance::attended(svc, &session, &party, &rec).await?,
            )
        }
        Command::NoShow {
            session,
            party,
            who,
        } => {
            let absent: Absent = party.parse().map_err(anyhow::Error::msg)?;
            let rec = Recording {
                by: &who.user,
                at: when(svc, &who, &session).await?,
            };
            print(
                "who did not come",
                attendance::no_show(svc, &session, absent, &rec).await?,
            )
        }
        Command::IllChildren {
            session,
            children,
            who,
        } => {
            let rec = Recording {
                by: &who.user,
                at: when(svc, &who, &session).await?,
            };
            print(
                "how many children were ill",
                attendance::ill_children(svc, &session, children, &rec).await?,
            )
        }
        Command::Illness {
            session,
            party,
            ill,
            who,
        } => {
            let rec = Recording {
                by: &who.user,
                at: when(svc, &who, &session).await?,
            };
            let reason = if ill == "child" {
                Reason::IllChild
            } else {
                Reason::IllSelf
            };
            print(
                "it was an illness",
                record::illness_told(svc, &session, role(&party)?, reason, &rec).await?,
            )
        }
        Command::Reinstate { session, who } => {
            let rec = Recording {
                by: &who.user,
                at: when(svc, &who, &session).await?,
            };
            print(
                "the session is on again",
                reinstate::reinstate(svc, &session, &rec).await?,
            )
        }
        Command::Waive { fee, why, who } => {
            let rec = Recording {
                by: &who.user,
                at: at_of_fee(svc, &who, &fee).await?,
            };
            print(
                "the fee is waived",
                record::decide(svc, &fee, true, &why, &rec).await?,
            )
        }
        Command::WriteOff { fee, why, who } => {
            let rec = Recording {
                by: &who.user,
                at: at_of_fee(svc, &who, &fee).await?,
            };
            print(
                "the debt is written off",
                record::decide(svc, &fee, false, &why, &rec).await?,
            )
        }
        Command::Told { case, party, who } => {
            let case = cases::find(&svc.db, &case).await?;
            let at = at_of_case(svc, &who, &case).await?;
            print(
                "the party was told",
                calls::told(svc, &case, role(&party)?, &Recording { by: &who.user, at }).await?,
            )
        }
        Command::Call {
            case,
            party,
            what,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let at = at_of_case(svc, &who, &case).await?;
            calls::rang(
                svc,
                &case,
                role(&party)?,
                &what,
                &Recording { by: &who.user, at },
            )
            .await?;
            line(format!("recorded: the {party} was rung"))
        }
        Command::Referral { case, who } => {
            let case = cases::find(&svc.db, &case).await?;
            let at = at_of_case(svc, &who, &case).await?;
            print(
                "a new referral; the file is open",
                referral::referral(svc, &case, &Recording { by: &who.user, at }).await?,
            )
        }
        Command::Void {
            case,
            fact,
            why,
            who,
        } => {
            let case = cases::find(&svc.db, &case).await?;
            let at = at_of_case(svc, &who, &case).await?;
            print(
                "that record counts no more",
                correct::void(svc, &case, &fact, &why, &Recording { by: &who.user, at }).await?,
            )
        }
        Command::Decision {
            task,
            accepted,
            not_accepted,
            why,
            who,
        } => {
            let accepted = (accepted || not_accepted).then_some(accepted);
            let rec = Recording {
                by: &who.user,
                at: at_of_task(svc, &who, &task).await?,
            };
            decision::decision(svc, &task, accepted, &why, &rec).await?;
            line("recorded: the decision; the task is done")
        }
    }
}
