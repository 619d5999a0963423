//! Series and their occurrences.

use crate::args;
use crate::domain::ids::{CaseId, SeriesId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::people::role::Role;
use crate::domain::visits::series::Series;
use crate::store::bookings::usual::Offset;
use crate::store::db::{Arg, Row, Tx};
use crate::store::session_rows::local_text;
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

#[derive(Debug, Clone)]
pub struct StoredSeries {
    pub id: SeriesId,
    pub case_id: CaseId,
    /// Its pattern and dates.
    pub series: Series,
    /// Length of a session.
    pub minutes: i64,
    /// What kind of contact.
    pub contact_type: String,
    /// The parents who attend, with their offsets.
    pub attendees: Vec<(Role, Offset)>,
}

/// The columns that [`read_series`] reads and [`add_series`] writes.
const SERIES: &str = "
    id, case_id, pattern, first_local, minutes, contact_type, resident_from, resident_to,
    contact_from, contact_to, weeks_ahead, until_local, next_n";

fn read_series(r: &Row) -> Result<StoredSeries> {
    let offset = |role, from, to| -> Result<Option<(Role, Offset)>> {
        Ok(r.int_opt(from)?
            .zip(r.int_opt(to)?)
            .map(|(from, to)| (role, Offset { from, to })))
    };
    let attendees = [
        offset(Role::Resident, "resident_from", "resident_to")?,
        offset(Role::Contact, "contact_from", "contact_to")?,
    ];
    Ok(StoredSeries {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        series: Series {
            pattern: r.parsed("pattern")?,
            first: parse_local(&r.text("first_local")?).context("first_local")?,
            until: r
                .text_opt("until_local")?
                .map(|d| d.parse())
                .transpose()
                .context("until_local")?,
            weeks_ahead: r.int("weeks_ahead")?,
            next_n: r.int("next_n")?,
        },
        minutes: r.int("minutes")?,
        contact_type: r.text("contact_type")?,
        attendees: attendees.into_iter().flatten().collect(),
    })
}

/// Adds a series, due at once.
pub async fn add_series(tx: &mut Tx, now: DateTime<Utc>, s: &StoredSeries, by: &str) -> Result<()> {
    let offset_of = |role| s.attendees.iter().find(|p| p.0 == role).map(|p| p.1);
    let (resident, contact) = (offset_of(Role::Resident), offset_of(Role::Contact));
    tx.exec(
        format!(
            "INSERT INTO series ({SERIES}, state, made_at, made_by, look_at)
             VALUES
               ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'running', $14, $15, $14)"
        ),
        args![
            &s.id,
            &s.case_id,
            s.series.pattern.to_string(),
            local_text(s.series.first),
            s.minutes,
            &s.contact_type,
            resident.map(|o| o.from),
            resident.map(|o| o.to),
            contact.map(|o| o.from),
            contact.map(|o| o.to),
            s.series.weeks_ahead,
            s.series.until.map(|d| d.to_string()),
            s.series.next_n,
            now,
            by
        ],
    )
    .await?;
    Ok(())
}

/// The running series of a case, locked.
pub async fn running_series(tx: &mut Tx, case_id: &CaseId) -> Result<Vec<StoredSeries>> {
    let rows = tx
        .all(
            format!(
                "SELECT {SERIES}
                 FROM series
                 WHERE case_id = $1 AND state = 'running'
                 ORDER BY made_at, id {{lock}}"
            ),
            args![case_id],
        )
        .await?;
    rows.iter().map(read_series).collect()
}

/// Saves how far a series is booked and when it is due again. `None` ends it.
pub async fn save_progress(
    tx: &mut Tx,
    series_id: &SeriesId,
    next_n: i64,
    look_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let state = if look_at.is_some() {
        "running"
    } else {
        "ended"
    };
    tx.exec(
        "UPDATE series SET next_n = $1, look_at = $2, state = $3 WHERE id = $4",
        args![next_n, look_at, state, series_id],
    )
    .await?;
    Ok(())
}

/// Sets the last day of a series and makes it due.
pub async fn set_last_day(
    tx: &mut Tx,
    series_id: &SeriesId,
    until: NaiveDate,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.exec(
        "UPDATE series SET until_local = $1, look_at = $2 WHERE id = $3",
        args![until.to_string(), now, series_id],
    )
    .await?;
    Ok(())
}

/// Numbers sessions as occurrences of a series.
pub async fn set_occurrence_numbers(
    tx: &mut Tx,
    series_id: &SeriesId,
    sessions: &[(SessionId, i64)],
) -> Result<()> {
    let rows: Vec<Vec<Arg>> = sessions
        .iter()
        .map(|(id, n)| args![id, series_id, *n])
        .collect();
    tx.update_many(
        "id, series_id, n",
        "UPDATE session
         SET series_id = v.series_id, series_n = v.n
         FROM v
         WHERE session.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// An occurrence that was booked ahead.
pub struct Occurrence {
    pub id: SessionId,
    pub start_local: NaiveDateTime,
    /// Still as booked: never moved, cancelled, asked about or answered.
    pub untouched: bool,
}

/// The booked future occurrences of a series from a day on, in order.
pub async fn occurrences(
    tx: &mut Tx,
    series_id: &SeriesId,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<Occurrence>> {
    let rows = tx
        .all(
            "SELECT s.id, s.start_local, s.version,
               (
                 SELECT count(*)
                 FROM attendee t
                 WHERE t.session_id = s.id AND (t.answer <> 'none' OR t.asked <> '')
               ) AS touched,
               (
                 SELECT count(*)
                 FROM message m
                 WHERE m.session_id = s.id AND m.kind NOT IN ('review_due', 'introduction_meeting',
                    'previsit_invitation', 'fee_change')
               ) AS messages
             FROM session s
             WHERE s.series_id = $1
               AND s.start_local >= $2
               AND s.state = 'booked'
               AND s.starts_at > $3
             ORDER BY s.starts_at",
            args![series_id, from.to_string(), now],
        )
        .await?;
    rows.iter()
        .map(|r| {
            let untouched =
                r.int("version")? == 1 && r.int("touched")? == 0 && r.int("messages")? == 0;
            Ok(Occurrence {
                id: r.id("id")?,
                start_local: parse_local(&r.text("start_local")?).context("start_local")?,
                untouched,
            })
        })
        .collect()
}

/// Cancels untouched occurrences silently: nobody was notified of them, so nobody is notified now
/// and nothing was missed.
pub async fn unbook(tx: &mut Tx, now: DateTime<Utc>, ids: &[SessionId]) -> Result<()> {
    let rows = || ids.iter().map(|id| args![id, now]).collect::<Vec<_>>();
    tx.update_many(
        "id, at",
        "UPDATE session
         SET state = 'cancelled', version = session.version + 1, cancelled_by = 'centre',
           cancelled_at = v.at, unbooked = TRUE
         FROM v
         WHERE session.id = v.id AND session.state = 'booked'",
        rows(),
    )
    .await?;
    tx.update_many(
        "id, at",
        "UPDATE attendee
         SET ask_at = NULL, asked = 'cancelled'
         FROM v
         WHERE attendee.session_id = v.id",
        rows(),
    )
    .await?;
    Ok(())
}
