//! `courtesy export`: CSV for people. No bodies, names or numbers; whatever a spreadsheet would run
//! as a formula is made harmless.

use crate::cli::{CommandContext, Usage, line, utc};
use crate::domain::ids::Id;
use crate::domain::local_time::{instant, wall};
use crate::domain::people::role::Role;
use crate::domain::visits::session::SessionState;
use crate::flows::money::lists;
use crate::store::{Db, centres, facts, messages, sessions};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

/// Arguments of `export`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  courtesy export messages --centre BRK --from 2026-11-01 --to \
                  2026-11-30"
)]
pub(crate) struct Args {
    /// What to export
    #[arg(value_parser = ["messages", "attendance", "fees"])]
    what: String,
    /// The centre
    #[arg(long, value_name = "CODE")]
    centre: String,
    /// The first day
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last day
    #[arg(long, value_name = "DATE")]
    to: String,
}

/// A cell that no spreadsheet runs as a formula: one that begins like a formula gets an apostrophe
/// in front.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// One line of CSV.
pub(crate) fn csv_line(cells: &[String]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(cells.iter().map(|c| harmless(c)))?;
    let bytes = writer.into_inner().context("a line of CSV")?;
    Ok(String::from_utf8(bytes)?.trim_end().to_owned())
}

pub(crate) async fn run(ctx: &CommandContext, args: Args) -> Result<()> {
    let date = |name: &str, text: &str| {
        text.parse::<NaiveDate>().map_err(|_| {
            anyhow!(Usage(format!(
                "{name}: {text:?} is no date; write 2026-11-28"
            )))
        })
    };
    let (from, to) = (date("--from", &args.from)?, date("--to", &args.to)?);
    let (_, db) = ctx.open_existing().await?;
    let tz = centres::all(&db)
        .await?
        .remove(&args.centre)
        .with_context(|| {
            format!(
                "there is no centre {}; `courtesy centre list` shows all",
                args.centre
            )
        })?
        .centre
        .tz;
    let day_after = to.succ_opt().context("--to is no usable date")?;
    let (from, to) = (
        instant(tz, from.and_time(NaiveTime::MIN)),
        instant(tz, day_after.and_time(NaiveTime::MIN)),
    );
    match args.what.as_str() {
        "attendance" => attendance(&db, &args.centre, tz, from, to).await?,
        "fees" => {
            fees(
                &db,
                &args.centre,
                tz,
                (from, to),
                ctx.clock_of(&db).await?.now(),
            )
            .await?
        }
        _ => texts(&db, &args.centre, tz, from, to).await?,
    }
    db.close().await;
    Ok(())
}

async fn texts(
    db: &Db,
    centre: &str,
    tz: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<()> {
    // A text from a number does not prove who wrote it (safety rule J5), and no text leaves by this
    // way.
    let head = [
        "message",
        "kind",
        "case_ref",
        "role",
        "session",
        "channel",
        "state",
        "reason",
        "parts",
        "queued_local",
        "sent_local",
        "sent_at",
    ];
    line(csv_line(&head.map(str::to_owned))?)?;
    for m in messages::list(db, Some(centre))
        .await?
        .into_iter()
        .filter(|m| m.queued_at >= from && m.queued_at < to)
    {
        let local = |t| wall(tz, t).format("%Y-%m-%d %H:%M").to_string();
        line(csv_line(&[
            m.id.into_text(),
            m.kind.to_string(),
            m.case_ref.unwrap_or_default(),
            m.role.unwrap_or_default(),
            m.session_id.map(Id::into_text).unwrap_or_default(),
            m.channel,
            m.state.to_string(),
            m.reason.unwrap_or_default(),
            m.parts.map(|p| p.to_string()).unwrap_or_default(),
            local(m.queued_at),
            m.sent_at.map(local).unwrap_or_default(),
            m.sent_at.map(utc).unwrap_or_default(),
        ])?)?;
    }
    Ok(())
}

/// Dates, times and who attended, nothing else (seed 001: "We do not make verbal or written reports
/// about visits, apart from the dates and times of attendance"). The session's own times, never a
/// party's.
async fn attendance(
    db: &Db,
    centre: &str,
    tz: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<()> {
    line(csv_line(
        &["case_ref", "date", "start", "end", "resident", "contact"].map(str::to_owned),
    )?)?;
    let seen = facts::attendance(db, centre).await?;
    for (s, _) in sessions::list(db, Some(centre))
        .await?
        .into_iter()
        .filter(|(s, _)| s.starts_at >= from && s.starts_at < to)
    {
        if !matches!(s.state, SessionState::Attended | SessionState::NoShow) {
            continue;
        }
        let local = |t| wall(tz, t).format("%H:%M").to_string();
        let came = |role| {
            seen.get(&(s.id.clone(), role))
                .map_or("", |came| if *came { "attended" } else { "absent" })
                .to_owned()
        };
        let date = wall(tz, s.starts_at).format("%Y-%m-%d").to_string();
        line(csv_line(&[
            s.case_ref.clone(),
            date,
            local(s.starts_at),
            local(s.ends_at),
            came(Role::Resident),
            came(Role::Contact),
        ])?)?;
    }
    Ok(())
}

async fn fees(
    db: &Db,
    centre: &str,
    tz: Tz,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<()> {
    line(csv_line(
        &[
            "fee",
            "case_ref",
            "session",
            "date",
            "liable",
            "currency",
            "amount_minor",
            "paid_minor",
            "outstanding_minor",
            "state",
            "due_at",
        ]
        .map(str::to_owned),
    )?)?;
    for f in lists::fees(db, Some(centre), now)
        .await?
        .into_iter()
        .filter(|f| f.starts_at >= from && f.starts_at < to)
    {
        line(csv_line(&[
            f.id.into_text(),
            f.case_ref,
            f.session.into_text(),
            wall(tz, f.starts_at).format("%Y-%m-%d").to_string(),
            f.liable.map(|r| r.to_string()).unwrap_or_default(),
            f.charge.code().to_owned(),
            f.charge.minor.to_string(),
            f.standing.paid.to_string(),
            f.standing.outstanding.to_string(),
            f.standing.fee.to_string(),
            f.due_at.map(utc).unwrap_or_default(),
        ])?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_runs_as_a_formula() {
        for cell in ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "＝1"] {
            assert!(harmless(cell).starts_with('\''), "{cell}");
        }
        assert_eq!(
            csv_line(&[
                "=HYPERLINK(\"x\",\"y\")".into(),
                "BRK-0101".into(),
                "a,b".into()
            ])
            .unwrap(),
            "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\",BRK-0101,\"a,b\""
        );
    }
}
