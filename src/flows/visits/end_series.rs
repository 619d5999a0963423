//! A series ends, or gets another pattern.

use crate::domain::ids::{CaseId, SeriesId, SessionId};
use crate::domain::people::staff::Act;
use crate::domain::visits::series::{Series, ahead};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::{Recording, not_in_the_future};
use crate::flows::service::Service;
use crate::flows::visits::book::book_within;
use crate::flows::visits::booking::{Booked, Booking};
use crate::store::bookings::{self, CaseFile, StoredSeries};
use crate::store::{centres, facts, money, staff};
use anyhow::Context;
use chrono::{NaiveDate, NaiveDateTime};

/// What becomes of the occurrences of a series that ends.
#[derive(Debug, Clone)]
pub struct SeriesEnd {
    /// Taken back: nobody had been told of them.
    pub unbooked: Vec<NaiveDateTime>,
    /// Left as they are, because they were moved, asked about or answered: session and local start.
    pub kept: Vec<(SessionId, NaiveDateTime)>,
    /// What the new pattern booked.
    pub booked: Option<Booked>,
}

/// Ends a series from a day on, and with `change` begins a new one. Only untouched occurrences are
/// taken back, without a text: nobody had been told of them. What was moved, asked about or answered
/// stays, and is named.
///
/// # Errors
/// No series runs, or several and none was named; what [`crate::flows::visits::book::book`] refuses;
/// somebody who may not.
pub async fn end(
    svc: &Service,
    case_id: &CaseId,
    series: Option<&SeriesId>,
    from: NaiveDate,
    change: Option<&Booking>,
    rec: &Recording<'_>,
) -> Result<SeriesEnd> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    // First the sessions, then their case, as whoever reads a reply does; in the other order the
    // two could wait for one another.
    let held = bookings::lock_upcoming(&mut tx, case_id, from, now).await?;
    let case = bookings::lock_case(&mut tx, case_id).await?;
    let centre = centres::all_in(&mut tx)
        .await?
        .remove(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    let mut running = bookings::running_series(&mut tx, case_id).await?;
    running.retain(|s| series.is_none_or(|id| s.id == *id));
    let old = the_one(&running, &case)?;
    let until = from.pred_opt().unwrap_or(from);
    let until = old.series.until.map_or(until, |u| u.min(until));
    let (untouched, kept): (Vec<_>, Vec<_>) = bookings::occurrences(&mut tx, &old.id, from, now)
        .await?
        .into_iter()
        .partition(|o| o.untouched);
    if untouched.iter().any(|o| !held.contains(&o.id)) {
        return Err(Error::changed(
            "a session of this series was booked just now; nothing was changed. Try again",
        ));
    }
    let ids: Vec<SessionId> = untouched.iter().map(|o| o.id.clone()).collect();
    bookings::unbook(&mut tx, now, &ids).await?;
    bookings::set_last_day(&mut tx, &old.id, until, now).await?;
    let left = ahead(
        &Series {
            until: Some(until),
            ..old.series.clone()
        },
        centre.tz,
        now,
    );
    if left.book.is_empty() && left.look_at.is_none() {
        bookings::save_progress(&mut tx, &old.id, old.series.next_n, None).await?;
    }
    let detail = format!("{} ends before {from}", old.series.pattern);
    let mut list = vec![
        rec.fact("series_ended", "by-staff")
            .case(&case.id)
            .detail(&detail),
    ];
    list.extend(
        ids.iter()
            .map(|id| rec.fact("unbooked", "series").case(&case.id).session(id)),
    );
    facts::add(&mut tx, now, &list).await?;
    money::rescan(&mut tx, now, std::iter::once(&case.id)).await?;
    let booked = match change {
        None => None,
        Some(b) => Some(book_within(&mut tx, case_id, b, Some(old), rec, now).await?),
    };
    tx.commit().await?;
    svc.changed.notify_waiters();
    let starts = untouched.into_iter().map(|o| o.start_local).collect();
    Ok(SeriesEnd {
        unbooked: starts,
        kept: kept.into_iter().map(|o| (o.id, o.start_local)).collect(),
        booked,
    })
}

/// The series that is meant, if there is no doubt.
fn the_one<'a>(running: &'a [StoredSeries], case: &CaseFile) -> Result<&'a StoredSeries> {
    match running {
        [] => refuse!(
            "{} has no series that runs; nothing was changed",
            case.case_ref
        ),
        [one] => Ok(one),
        many => {
            let all: Vec<String> = many
                .iter()
                .map(|s| {
                    format!(
                        "--series {} ({} from {})",
                        s.id,
                        s.series.pattern,
                        s.series.first.format("%a %-d %b %Y %H:%M")
                    )
                })
                .collect();
            refuse!(
                "{} has more than one series; name it: {}",
                case.case_ref,
                all.join(" or ")
            )
        }
    }
}
