//! Series: sessions that come again, booked ahead at the frequency of the referral until the centre is
//! told otherwise.

use crate::domain::ids::{SeriesId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::visits::series::{Pattern, Series, WEEKS_AHEAD, ahead, fits};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::Recording;
use crate::flows::service::Service;
use crate::flows::visits::booking::{Booked, Booking};
use crate::flows::visits::session_shape::{CaseToBook, SessionShape};
use crate::store::bookings::{self, StoredSeries};
use crate::store::cases::{self, NewSession};
use crate::store::facts::{self, Fact};
use crate::store::milestones;
use crate::store::sealed::random_id;
use crate::store::{Tx, centres, money};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// Cases whose series are looked at in one transaction.
const BATCH: i64 = 100;

/// Starts a series and books what is within reach.
pub(super) async fn start(
    tx: &mut Tx,
    case: &CaseToBook<'_>,
    pattern: Pattern,
    shape: SessionShape,
    b: &Booking,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<Booked> {
    fits(pattern, b.start.date()).map_err(Error::Refused)?;
    if b.until.is_some_and(|u| u < b.start.date()) {
        refuse!("--until lies before the first session");
    }
    let stored = StoredSeries {
        id: SeriesId::new(random_id()),
        case_id: case.file.id.clone(),
        series: Series {
            pattern,
            first: b.start,
            until: b.until,
            weeks_ahead: b.weeks_ahead.unwrap_or(WEEKS_AHEAD),
            next_n: 0,
        },
        minutes: shape.minutes,
        contact_type: shape.contact_type,
        attendees: shape.attendees,
    };
    bookings::add_series(tx, now, &stored, rec.by).await?;
    let detail = format!("{pattern} from {}", b.start.format("%Y-%m-%d %H:%M"));
    let made = rec
        .fact("series", "by-staff")
        .case(&case.file.id)
        .detail(&detail);
    facts::add(tx, now, &[made]).await?;
    let sessions = extend(tx, case, &stored, rec.by, now).await?;
    Ok(Booked {
        sessions,
        series: Some(stored.id),
    })
}

/// Books what has come within reach of a series. It leaves out days on which the case has a session
/// already, in whatever state, and days on which the centre is closed.
async fn extend(
    tx: &mut Tx,
    to_book: &CaseToBook<'_>,
    s: &StoredSeries,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(SessionId, NaiveDateTime)>> {
    let case = to_book.file;
    let a = ahead(&s.series, to_book.centre.tz, now);
    let mut made: Vec<(NewSession, i64)> = Vec::new();
    if let Some((_, first)) = a.book.first() {
        let taken = bookings::days_taken(tx, &case.id, first.date()).await?;
        let closed = bookings::closures(tx, &case.centre, first.date()).await?;
        let length = Duration::minutes(s.minutes);
        let is_closed = |at: NaiveDateTime| {
            let on_day = |(from, to): &(NaiveDateTime, NaiveDateTime)| {
                from.date() <= at.date() && at.date() <= to.date()
            };
            closed.iter().any(|c| {
                on_day(c)
                    && at < at.date().and_time(c.1.time())
                    && at + length > at.date().and_time(c.0.time())
            })
        };
        let shape = SessionShape {
            minutes: s.minutes,
            contact_type: s.contact_type.clone(),
            attendees: s.attendees.clone(),
        };
        let free = a
            .book
            .iter()
            .filter(|(_, local)| !taken.contains(&local.date()) && !is_closed(*local));
        made = free
            .map(|(n, local)| (to_book.new_session(&shape, *local, now), *n))
            .collect();
    }
    bookings::save_progress(tx, &s.id, a.next_n, a.look_at).await?;
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let (sessions, numbers): (Vec<NewSession>, Vec<i64>) = made.into_iter().unzip();
    cases::insert_sessions(tx, &sessions).await?;
    let numbered: Vec<(SessionId, i64)> =
        sessions.iter().map(|s| s.id.clone()).zip(numbers).collect();
    bookings::set_occurrence_numbers(tx, &s.id, &numbered).await?;
    let fact = |id| {
        Fact::new("booked", "series", by, now)
            .case(&case.id)
            .session(id)
    };
    let facts: Vec<Fact<'_>> = sessions.iter().map(|s| fact(&s.id)).collect();
    facts::add(tx, now, &facts).await?;
    milestones::rescan(tx, &case.id).await?;
    money::rescan(tx, now, std::iter::once(&case.id)).await?;
    let local = |s: &NewSession| parse_local(&s.start_local).unwrap_or_default();
    Ok(sessions.iter().map(|s| (s.id.clone(), local(s))).collect())
}

/// Books ahead what has come within reach at `now`; a case on a bookings hold or with a closed file
/// waits, and is due the moment that ends.
pub(super) async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<()> {
    loop {
        let mut tx = svc.db.begin().await?;
        let due = bookings::due_cases(&mut tx, now, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let all = centres::all_in(&mut tx).await?;
        for case_id in &due {
            let case = bookings::lock_case(&mut tx, case_id).await?;
            let Some(centre) = all.get(&case.centre).map(|c| &c.centre) else {
                continue;
            };
            let usual = bookings::usual_session(&mut tx, case_id).await?;
            let to_book = CaseToBook {
                file: &case,
                centre,
                usual: usual.as_ref(),
            };
            for s in bookings::running_series(&mut tx, case_id).await? {
                extend(&mut tx, &to_book, &s, "courtesy", now).await?;
            }
        }
        tx.commit().await?;
        svc.changed.notify_waiters();
    }
}
