//! `courtesy record session` and `record series`: bookings by hand, and those that come again.

use crate::cli::recorded_by::RecordedBy;
use crate::cli::{Usage, line};
use crate::domain::ids::{SeriesId, SessionId};
use crate::domain::local_time::{parse_local, parse_time};
use crate::flows::service::Service;
use crate::flows::visits::ask_date;
use crate::flows::visits::book;
use crate::flows::visits::booking::{Booked, Booking};
use crate::flows::visits::end_series::{self, SeriesEnd};
use crate::store::cases;
use anyhow::{Result, anyhow};
use chrono::{NaiveDate, NaiveDateTime};

/// What a session is like; what is not said is as it was at the case's last session.
#[derive(clap::Args)]
pub(crate) struct SessionOptions {
    /// How long it lasts
    #[arg(long, value_name = "N")]
    minutes: Option<i64>,
    /// What kind of contact
    #[arg(long = "type", value_name = "TYPE", value_parser = ["supported", "supervised", "handover", "previsit"])]
    contact_type: Option<String>,
    /// When the resident parent arrives
    #[arg(long, value_name = "H:MM")]
    resident_arrives: Option<String>,
    /// When the contact parent arrives
    #[arg(long, value_name = "H:MM")]
    contact_arrives: Option<String>,
    /// It comes again: weekly, fortnightly, 3-weeks, monthly-1st to monthly-5th, monthly-last,
    /// monthly-date
    #[arg(long, value_name = "FREQUENCY")]
    every: Option<String>,
    /// The last day of the series (default: until told otherwise)
    #[arg(long, value_name = "DATE", requires = "every")]
    until: Option<String>,
    /// Weeks that the series is booked ahead (default 8)
    #[arg(long, value_name = "N", requires = "every", value_parser = clap::value_parser!(i64).range(1..=104))]
    weeks_ahead: Option<i64>,
}

/// Arguments of `record session`.
#[derive(clap::Args)]
pub(crate) struct SessionArgs {
    /// The case, BRK-0101 or BRK/BRK-0101
    case: String,
    /// The start, local to the centre; with --every that of the first
    #[arg(long, value_name = "DATE TIME")]
    start: String,
    #[command(flatten)]
    like: SessionOptions,
    /// The missed session in whose place it is booked
    #[arg(long, value_name = "SESSION", conflicts_with = "every")]
    replaces: Option<SessionId>,
    #[command(flatten)]
    who: RecordedBy,
}

/// Arguments of `record series`.
#[derive(clap::Args)]
pub(crate) struct SeriesArgs {
    /// The case, BRK-0101 or BRK/BRK-0101
    case: String,
    /// No more sessions of the series from this day on
    #[arg(long, value_name = "DATE", required_unless_present = "change", conflicts_with_all = ["change", "every", "minutes", "contact_type", "resident_arrives", "contact_arrives"])]
    stop: Option<String>,
    /// Another pattern from this first session on, local to the centre; wants --every
    #[arg(long, value_name = "DATE TIME", requires = "every")]
    change: Option<String>,
    /// Which series, if the case has more than one
    #[arg(long, value_name = "SERIES")]
    series: Option<SeriesId>,
    #[command(flatten)]
    like: SessionOptions,
    #[command(flatten)]
    who: RecordedBy,
}

fn local(option: &str, s: &str) -> Result<NaiveDateTime> {
    parse_local(s).ok_or_else(|| {
        anyhow!(Usage(format!(
            "{option}: {s:?} is no time; write \"2026-11-29 14:00\""
        )))
    })
}

fn date(option: &str, s: &str) -> Result<NaiveDate> {
    s.parse().map_err(|_| {
        anyhow!(Usage(format!(
            "{option}: {s:?} is no date; write 2026-11-29"
        )))
    })
}

fn booking(
    start: NaiveDateTime,
    like: SessionOptions,
    replaces: Option<SessionId>,
) -> Result<Booking> {
    let time = |option: &str, s: Option<String>| {
        s.map(|s| {
            parse_time(&s).ok_or_else(|| {
                anyhow!(Usage(format!(
                    "{option}: {s:?} is no time of day; write 9:45"
                )))
            })
        })
        .transpose()
    };
    Ok(Booking {
        start,
        minutes: like.minutes,
        contact_type: like
            .contact_type
            .map(|t| t.parse().map_err(anyhow::Error::msg))
            .transpose()?,
        resident_arrives: time("--resident-arrives", like.resident_arrives)?,
        contact_arrives: time("--contact-arrives", like.contact_arrives)?,
        replaces,
        every: like
            .every
            .map(|p| {
                p.parse()
                    .map_err(|e| anyhow!(Usage(format!("--every: {e}"))))
            })
            .transpose()?,
        until: like.until.map(|d| date("--until", &d)).transpose()?,
        weeks_ahead: like.weeks_ahead,
    })
}

fn say_booked(booked: &Booked) -> Result<()> {
    if let Some(series) = &booked.series {
        line(format!(
            "recorded: series {series}; it is booked ahead by itself from now on"
        ))?;
    }
    for (id, start) in &booked.sessions {
        line(format!(
            "booked: {id}  {}",
            start.format("%a %-d %b %Y %H:%M")
        ))?;
    }
    Ok(())
}

/// Arguments of `record ask-date`.
#[derive(clap::Args)]
pub(crate) struct DateArgs {
    /// The session, as `list sessions` prints it
    session: SessionId,
    /// The other start, local to the centre: both parents are asked in the same words
    #[arg(long, value_name = "DATE TIME", requires = "origin", conflicts_with_all = ["close", "party", "answer"])]
    to: Option<String>,
    /// Who wished it; no parent is told
    #[arg(long, requires = "to", value_parser = ["centre", "parent"])]
    origin: Option<String>,
    /// The other date is not possible, whatever the cause: both are told so in the same words
    #[arg(long, conflicts_with_all = ["party", "answer"])]
    close: bool,
    /// Who answered by phone
    #[arg(long, requires = "answer", value_parser = ["resident", "contact"])]
    party: Option<String>,
    /// What was answered by phone
    #[arg(long, requires = "party", value_parser = ["yes", "no"])]
    answer: Option<String>,
    #[command(flatten)]
    who: RecordedBy,
}

/// `record ask-date`.
pub(crate) async fn ask_date(svc: &Service, args: DateArgs) -> Result<()> {
    let rec = args.who.of_session(svc, &args.session).await?;
    match (args.to, args.origin, args.party, args.answer) {
        (Some(to), Some(origin), ..) => {
            let to = local("--to", &to)?;
            ask_date::ask(
                svc,
                &args.session,
                to,
                origin.parse().map_err(anyhow::Error::msg)?,
                &rec,
            )
            .await?;
            line(format!(
                "recorded: both parents are asked about {}; nothing changes until \
                          `courtesy record move`",
                to.format("%a %-d %b %Y %H:%M")
            ))
        }
        (.., Some(party), Some(answer)) => {
            ask_date::answer(
                svc,
                &args.session,
                party.parse().map_err(anyhow::Error::msg)?,
                answer == "yes",
                &rec,
            )
            .await?;
            line(format!(
                "recorded: the {party} parent answered {answer}; the other one is not told"
            ))
        }
        _ if args.close => {
            ask_date::close(svc, &args.session, &rec).await?;
            line(
                "recorded: both parents will hear in the same words that the visit stays where it \
                  is",
            )
        }
        _ => Err(anyhow!(Usage(
            "write --to \"DATE TIME\" --origin centre|parent, or --party ROLE \
                                --answer yes|no, or --close"
                .into()
        ))),
    }
}

/// `record session`.
pub(crate) async fn session(svc: &Service, args: SessionArgs) -> Result<()> {
    let case = cases::find(&svc.db, &args.case).await?;
    let booking = booking(local("--start", &args.start)?, args.like, args.replaces)?;
    let rec = args.who.of_centre(svc, &case.centre).await?;
    say_booked(&book::book(svc, &case.id, &booking, &rec).await?)
}

/// `record series`.
pub(crate) async fn series(svc: &Service, args: SeriesArgs) -> Result<()> {
    let case = cases::find(&svc.db, &args.case).await?;
    let rec = args.who.of_centre(svc, &case.centre).await?;
    let change = args
        .change
        .as_deref()
        .map(|s| local("--change", s))
        .transpose()?
        .map(|start| booking(start, args.like, None))
        .transpose()?;
    let from = match (&change, &args.stop) {
        (Some(b), _) => b.start.date(),
        (None, stop) => date("--stop", stop.as_deref().unwrap_or_default())?,
    };
    let SeriesEnd {
        unbooked,
        kept,
        booked,
    } = end_series::end(
        svc,
        &case.id,
        args.series.as_ref(),
        from,
        change.as_ref(),
        &rec,
    )
    .await?;
    line(format!(
        "recorded: the series ends before {}",
        from.format("%a %-d %b %Y")
    ))?;
    for start in unbooked {
        line(format!(
            "taken back: {} (nobody had been told of it)",
            start.format("%a %-d %b %Y %H:%M")
        ))?;
    }
    for (id, start) in kept {
        line(format!(
            "stays: {id}  {} (it was moved, asked about or answered; `courtesy record cancel {id} \
             --by centre` calls it off)",
            start.format("%a %-d %b %Y %H:%M")
        ))?;
    }
    booked.as_ref().map_or(Ok(()), say_booked)
}
