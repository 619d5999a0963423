//! `courtesy record`: what people tell the centre.

use crate::cli::{CommandContext, Usage, bookings, line, parse_at};
use crate::domain::ids::{FeeId, SessionId, TaskId};
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::visits::session::Reason;
use crate::flows::people::phone::{self, PhoneChange};
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::flows::visits::{answer, cancel, move_session};
use crate::store::cases::Case;
use crate::store::{centres, money, parties, sessions, tasks};
use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// RecordedBy records, and when it happened.
#[derive(clap::Args)]
pub(crate) struct RecordedBy {
    /// The name of the person who records
    #[arg(long = "as", value_name = "USER", default_value = "staff")]
    pub(crate) user: String,
    /// When it happened (never in the future; default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

/// Commands of `record`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Money(crate::cli::record_money::Command),
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
        /// RecordedBy calls it off; a parent's cancellation is `record answer … no`
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
        /// RecordedBy began it: a refusal within 48 hours of the centre's own move is free. No parent is
        /// told
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
    Family {
        /// The case, BRK-0101 or BRK/BRK-0101
        case: String,
        /// Which party
        #[arg(long, value_parser = ["resident", "contact", "referrer"])]
        party: String,
        /// normal; discreet: two bare texts, all else is rung; silent: nothing, staff ring
        #[arg(long, value_parser = ["normal", "discreet", "silent"])]
        mode: Option<String>,
        /// Hours in which the phone may show a text, 09:00-15:00; "" for whenever the centre sends
        #[arg(long, value_name = "H-H")]
        hours: Option<String>,
        /// Whether the number may be texted
        #[arg(long, value_parser = ["safe", "ring_first", "never"])]
        sms: Option<String>,
        /// Whether the chat may be written to
        #[arg(long, value_parser = ["safe", "ring_first", "never"])]
        telegram: Option<String>,
        /// Whether the number may be written to on WhatsApp; safe also begins it
        #[arg(long, value_parser = ["safe", "ring_first", "never"])]
        whatsapp: Option<String>,
        /// The number that waits is theirs: it takes the old one's place
        #[arg(long, conflicts_with = "refuse_number")]
        confirm_number: bool,
        /// The number that waits is not theirs
        #[arg(long)]
        refuse_number: bool,
        /// The linked chat is not used any more
        #[arg(long)]
        unlink: bool,
        /// A private word that the parent chose: who writes exactly this is talked to alone; ""
        /// takes it away
        #[arg(long, value_name = "WORDS")]
        quiet_word: Option<String>,
        /// How you know whom you spoke with: in person with photo ID, or on the number on file that
        /// you rang
        #[arg(long, value_parser = ["in-person", "called-back"])]
        spoken: Option<String>,
        #[command(flatten)]
        who: RecordedBy,
    },
}

/// The instant of `--at`, local to the case's centre.
pub(crate) async fn at_of_case(
    svc: &Service,
    who: &RecordedBy,
    case: &Case,
) -> Result<DateTime<Utc>> {
    match &who.at {
        None => Ok(svc.clock.now()),
        Some(t) => parse_at(
            t,
            centres::all(&svc.db)
                .await?
                .get(&case.centre)
                .map_or(chrono_tz::Tz::UTC, |c| c.centre.tz),
        ),
    }
}

/// The zone of a centre; that of the database's first for what belongs to none.
pub(crate) async fn zone(svc: &Service, centre: Option<&str>) -> Result<Tz> {
    let all = centres::all(&svc.db).await?;
    Ok(centre
        .and_then(|c| all.get(c))
        .or_else(|| all.values().next())
        .map_or(Tz::UTC, |c| c.centre.tz))
}

/// The zone of the centre that a task belongs to.
pub(crate) async fn zone_of_task(svc: &Service, task: &TaskId) -> Result<Tz> {
    let centre = tasks::list(&svc.db, None)
        .await?
        .into_iter()
        .find(|t| t.id == *task)
        .and_then(|t| t.centre);
    zone(svc, centre.as_deref()).await
}

/// The instant of `--at`, local to the task's centre.
pub(crate) async fn at_of_task(
    svc: &Service,
    who: &RecordedBy,
    task: &TaskId,
) -> Result<DateTime<Utc>> {
    match &who.at {
        None => Ok(svc.clock.now()),
        Some(at) => parse_at(at, zone_of_task(svc, task).await?),
    }
}

/// The instant of `--at`, local to the centre whose fee it is.
pub(crate) async fn at_of_fee(
    svc: &Service,
    who: &RecordedBy,
    fee: &FeeId,
) -> Result<DateTime<Utc>> {
    let Some(at) = &who.at else {
        return Ok(svc.clock.now());
    };
    let session = money::session_of_fee(&mut svc.db.begin().await?, fee)
        .await?
        .map(|(_, session)| session);
    let zone = match session {
        Some(session) => zone_of_session(svc, &session).await?,
        None => zone(svc, None).await?,
    };
    parse_at(at, zone)
}

async fn zone_of_session(svc: &Service, session: &SessionId) -> Result<Tz> {
    let centre = sessions::list(&svc.db, None)
        .await?
        .into_iter()
        .find(|(s, _)| s.id == *session)
        .map(|(s, _)| s.centre);
    zone(svc, centre.as_deref()).await
}

/// The instant of `--at`, local to the session's centre.
pub(crate) async fn when(
    svc: &Service,
    who: &RecordedBy,
    session: &SessionId,
) -> Result<DateTime<Utc>> {
    match &who.at {
        None => Ok(svc.clock.now()),
        Some(at) => parse_at(at, zone_of_session(svc, session).await?),
    }
}

pub(crate) async fn run(ctx: &CommandContext, command: Command) -> Result<()> {
    let svc = ctx.service().await?;
    match command {
        Command::Money(command) => crate::cli::record_money::run(&svc, command).await?,
        Command::Answer {
            session,
            party,
            answer,
            reason,
            who,
        } => {
            let role: Role = party.parse().map_err(anyhow::Error::msg)?;
            let reason: Option<Reason> = reason
                .map(|r| r.parse().map_err(anyhow::Error::msg))
                .transpose()?;
            let yes = answer == "yes";
            if yes && reason.is_some() {
                return Err(anyhow!(Usage("--reason goes with no".into())));
            }
            answer::answer(
                &svc,
                &session,
                role,
                yes,
                reason,
                &Recording {
                    by: &who.user,
                    at: when(&svc, &who, &session).await?,
                },
            )
            .await?;
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
            cancel::cancel(
                &svc,
                &session,
                &Recording {
                    by: &who.user,
                    at: when(&svc, &who, &session).await?,
                },
            )
            .await?;
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
            let origin = origin.parse().map_err(anyhow::Error::msg)?;
            let to = parse_local(&to).ok_or_else(|| {
                anyhow!(Usage(format!(
                    "--to: {to:?} is no time; write \"2026-11-29 14:00\""
                )))
            })?;
            move_session::move_to(
                &svc,
                &session,
                to,
                origin,
                &Recording {
                    by: &who.user,
                    at: when(&svc, &who, &session).await?,
                },
            )
            .await?;
            line(format!(
                "recorded: the session is on {} now; both parents will be told and asked anew",
                to.format("%a %-d %b %Y %H:%M")
            ))?;
        }
        Command::AskDate(args) => bookings::ask_date(&svc, args).await?,
        Command::Session(args) => bookings::session(&svc, args).await?,
        Command::Series(args) => bookings::series(&svc, args).await?,
        Command::Family {
            case,
            party,
            mode,
            hours,
            sms,
            telegram,
            whatsapp,
            confirm_number,
            refuse_number,
            unlink,
            quiet_word,
            spoken,
            who,
        } => {
            let party = parties::find(&svc.db, &format!("{case}:{party}")).await?;
            let mode = mode
                .map(|w| w.parse().map_err(anyhow::Error::msg))
                .transpose()?;
            let spoken = spoken
                .map(|w| w.parse().map_err(anyhow::Error::msg))
                .transpose()?;
            let at = match &who.at {
                None => svc.clock.now(),
                Some(t) => parse_at(
                    t,
                    centres::all(&svc.db)
                        .await?
                        .get(&party.centre)
                        .map_or(chrono_tz::Tz::UTC, |c| c.centre.tz),
                )?,
            };
            let change = PhoneChange {
                mode,
                hours,
                sms,
                telegram,
                whatsapp,
                confirm_number,
                refuse_number,
                unlink,
                quiet_word,
                spoken,
            };
            for done in phone::change(&svc, &party, &change, &who.user, at).await? {
                line(format!("recorded: {done}"))?;
            }
        }
    }
    svc.db.close().await;
    Ok(())
}
