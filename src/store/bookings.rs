//! Bookings made here: single ones, series, and what they are made from.

use crate::args;
use crate::domain::ids::{CaseId, PartyId, SeriesId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::people::person::Role;
use crate::domain::visits::series::Series;
use crate::domain::visits::session::SessionState;
use crate::domain::visits::terms::Terms;
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::sessions::local_text;
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use std::collections::HashSet;

/// A case as far as booking asks.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// Its id.
    pub id: CaseId,
    /// The centre's code.
    pub centre: String,
    /// Its reference.
    pub case_ref: String,
    /// The file is closed.
    pub archived: bool,
    /// No new bookings.
    pub hold: bool,
    /// Its parents: role and party.
    pub parents: Vec<(Role, PartyId)>,
}

/// Reads a case and keeps others from booking for it until the end of the transaction.
pub async fn lock_case(tx: &mut Tx, case_id: &CaseId) -> Result<CaseFile> {
    let row = tx
        .one(
            "SELECT id, centre, case_ref, state, bookings_hold
             FROM case_file
             WHERE id = $1 {lock}",
            args![case_id],
        )
        .await?
        .context("the case is gone")?;
    let parties = tx
        .all(
            "SELECT role, id
             FROM party
             WHERE case_id = $1 AND role <> 'referrer'
             ORDER BY role DESC",
            args![case_id],
        )
        .await?;
    Ok(CaseFile {
        id: row.id("id")?,
        centre: row.text("centre")?,
        case_ref: row.text("case_ref")?,
        archived: row.text("state")? == "archived",
        hold: row.flag("bookings_hold")?,
        parents: parties
            .iter()
            .map(|r| Ok((r.word("role")?, r.id("id")?)))
            .collect::<Result<_>>()?,
    })
}

/// Keeps others off the booked sessions of a case from a day on until the end of the transaction,
/// and names them (PostgreSQL; SQLite has one writer anyway).
pub async fn lock_ahead(
    tx: &mut Tx,
    case_id: &CaseId,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<HashSet<SessionId>> {
    let sql = "SELECT id
        FROM session
        WHERE case_id = $1 AND start_local >= $2 AND state = 'booked' AND starts_at > $3
        ORDER BY id {lock}";
    tx.all(sql, args![case_id, from.to_string(), now])
        .await?
        .iter()
        .map(|r| r.id("id"))
        .collect()
}

/// A parent's place relative to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// Own arrival, minutes after the start.
    pub from: i64,
    /// Own departure, minutes after the end.
    pub to: i64,
}

/// The last session of a case: what a new one is like unless it is said otherwise.
#[derive(Debug, Clone)]
pub struct Usual {
    /// Its length.
    pub minutes: i64,
    /// What kind of contact.
    pub contact_type: String,
    /// Its day on the wall clock.
    pub day: NaiveDate,
    /// The rules that it keeps.
    pub terms: Terms,
    /// The places.
    pub places: Vec<(Role, Offset)>,
}

/// The columns that [`read_terms`] reads.
const TERMS: &str = "notice_hours, fee_minor, currency, payer, payment_days";

fn read_terms(r: &Row) -> Result<Terms> {
    Ok(Terms {
        notice_hours: r.int("notice_hours")?,
        fee_minor: r.int("fee_minor")?,
        currency: r.text("currency")?,
        payer: r.text("payer")?,
        payment_days: r.int("payment_days")?,
    })
}

/// The newest session of a case that was more than a look at the centre; `None` if there is none.
pub async fn usual(tx: &mut Tx, case_id: &CaseId) -> Result<Option<Usual>> {
    let row = tx
        .one(
            format!(
                "SELECT id, starts_at, ends_at, start_local, contact_type, {TERMS}
                 FROM session
                 WHERE case_id = $1 AND contact_type <> 'previsit' AND unbooked = FALSE
                 ORDER BY starts_at DESC, id
                 LIMIT 1"
            ),
            args![case_id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (start, end) = (row.time("starts_at")?, row.time("ends_at")?);
    let places = tx
        .all(
            "SELECT role, arrives_at, leaves_at
             FROM attendee
             WHERE session_id = $1
             ORDER BY role DESC",
            args![row.id::<SessionId>("id")?],
        )
        .await?;
    let offset = |r: &Row| -> Result<(Role, Offset)> {
        Ok((
            r.word("role")?,
            Offset {
                from: (r.time("arrives_at")? - start).num_minutes(),
                to: (r.time("leaves_at")? - end).num_minutes(),
            },
        ))
    };
    Ok(Some(Usual {
        minutes: (end - start).num_minutes(),
        contact_type: row.text("contact_type")?,
        day: parse_local(&row.text("start_local")?)
            .context("start_local")?
            .date(),
        terms: read_terms(&row)?,
        places: places.iter().map(offset).collect::<Result<_>>()?,
    }))
}

/// The local days on which a case has a session in whatever state, from a day on; not those that
/// were taken back untouched.
pub async fn days_taken(
    tx: &mut Tx,
    case_id: &CaseId,
    from: NaiveDate,
) -> Result<HashSet<NaiveDate>> {
    let rows = tx
        .all(
            "SELECT start_local
             FROM session
             WHERE case_id = $1 AND start_local >= $2 AND unbooked = FALSE",
            args![case_id, from.to_string()],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(parse_local(&r.text("start_local")?)
                .context("start_local")?
                .date())
        })
        .collect()
}

/// Whether a booked session of the case lies over this span.
pub async fn overlaps(
    tx: &mut Tx,
    case_id: &CaseId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<bool> {
    let row = tx
        .one(
            "SELECT id
             FROM session
             WHERE case_id = $1 AND state = 'booked' AND starts_at < $3 AND ends_at > $2
             LIMIT 1",
            args![case_id, from, to],
        )
        .await?;
    Ok(row.is_some())
}

/// The closures of a centre that are not over on `day`: from and to on its wall clock, days and the
/// hours of each.
pub async fn closures(
    tx: &mut Tx,
    centre: &str,
    day: NaiveDate,
) -> Result<Vec<(NaiveDateTime, NaiveDateTime)>> {
    let rows = tx
        .all(
            "SELECT from_local, to_local FROM closure WHERE centre = $1 AND to_local >= $2",
            args![centre, day.to_string()],
        )
        .await?;
    let local = |r: &Row, column| -> Result<NaiveDateTime> {
        parse_local(&r.text(column)?).context("closure")
    };
    rows.iter()
        .map(|r| Ok((local(r, "from_local")?, local(r, "to_local")?)))
        .collect()
}

/// A missed session and what became of it.
pub struct Missed {
    /// Its case.
    pub case_id: CaseId,
    /// Where it stands.
    pub state: SessionState,
    /// The session that is booked in its place.
    pub replaced_by: Option<SessionId>,
}

/// A session that another one is to replace; `None` if there is no such session.
pub async fn missed(tx: &mut Tx, session_id: &SessionId) -> Result<Option<Missed>> {
    let row = tx
        .one(
            "SELECT s.case_id, s.state, r.id AS by
             FROM session s
             LEFT JOIN session r ON r.replaces = s.id
             WHERE s.id = $1",
            args![session_id],
        )
        .await?;
    row.map(|r| {
        Ok(Missed {
            case_id: r.id("case_id")?,
            state: r.word("state")?,
            replaced_by: r.id_opt("by")?,
        })
    })
    .transpose()
}

/// Notes of a session that it is booked in place of another.
pub async fn set_replaces(tx: &mut Tx, session_id: &SessionId, replaces: &SessionId) -> Result<()> {
    tx.exec(
        "UPDATE session SET replaces = $1 WHERE id = $2",
        args![replaces, session_id],
    )
    .await?;
    Ok(())
}

/// A series as it is stored.
#[derive(Debug, Clone)]
pub struct StoredSeries {
    /// Its id.
    pub id: SeriesId,
    /// Its case.
    pub case_id: CaseId,
    /// Its days.
    pub series: Series,
    /// Length of a session.
    pub minutes: i64,
    /// What kind of contact.
    pub contact_type: String,
    /// The parents' places.
    pub places: Vec<(Role, Offset)>,
}

const SERIES: &str = "id, case_id, pattern, first_local, minutes, contact_type, resident_from, \
                      resident_to, contact_from, contact_to, weeks_ahead, until_local, next_n";

fn read_series(r: &Row) -> Result<StoredSeries> {
    let place = |role, from, to| -> Result<Option<(Role, Offset)>> {
        Ok(r.int_opt(from)?
            .zip(r.int_opt(to)?)
            .map(|(from, to)| (role, Offset { from, to })))
    };
    let places = [
        place(Role::Resident, "resident_from", "resident_to")?,
        place(Role::Contact, "contact_from", "contact_to")?,
    ];
    Ok(StoredSeries {
        id: r.id("id")?,
        case_id: r.id("case_id")?,
        series: Series {
            pattern: r.word("pattern")?,
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
        places: places.into_iter().flatten().collect(),
    })
}

/// Writes a new series; it is due to be looked at.
pub async fn add_series(tx: &mut Tx, now: DateTime<Utc>, s: &StoredSeries, by: &str) -> Result<()> {
    let place = |role| s.places.iter().find(|p| p.0 == role).map(|p| p.1);
    let (resident, contact) = (place(Role::Resident), place(Role::Contact));
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

/// The running series of a case.
pub async fn running(tx: &mut Tx, case_id: &CaseId) -> Result<Vec<StoredSeries>> {
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

/// The cases with a series that is due at `now`: not those that may not be booked, which are due
/// again the moment they may.
pub async fn due_cases(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<CaseId>> {
    let rows = tx
        .all(
            "SELECT id
             FROM case_file
             WHERE state = 'open'
               AND bookings_hold = FALSE
               AND id IN (SELECT case_id FROM series WHERE look_at IS NOT NULL AND look_at <= $1)
             ORDER BY id
             LIMIT $2 {skip}",
            args![now, limit],
        )
        .await?;
    rows.iter().map(|r| r.id("id")).collect()
}

/// Whether a series or a case is due to be looked at.
pub async fn anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let row = db
        .one(
            "SELECT 1 AS n
             WHERE EXISTS (
               SELECT 1
               FROM series s
               JOIN case_file c ON c.id = s.case_id
               WHERE s.look_at IS NOT NULL
                 AND s.look_at <= $1
                 AND c.state = 'open'
                 AND c.bookings_hold = FALSE
             )
               OR EXISTS (SELECT 1 FROM case_file WHERE state = 'open' AND bookings_at IS NULL)
               OR EXISTS (SELECT 1 FROM case_file WHERE state = 'open' AND bookings_at <= $1)",
            args![now],
        )
        .await?;
    Ok(row.is_some())
}

/// When a series or a case is looked at next.
pub async fn next_look(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let series = db
        .one(
            "SELECT min(s.look_at) AS at
             FROM series s
             JOIN case_file c ON c.id = s.case_id
             WHERE s.look_at IS NOT NULL AND c.state = 'open' AND c.bookings_hold = FALSE",
            args![],
        )
        .await?
        .map_or(Ok(None), |r| r.time_opt("at"))?;
    let case = db
        .one(
            "SELECT min(bookings_at) AS at FROM case_file WHERE state = 'open'",
            args![],
        )
        .await?
        .map_or(Ok(None), |r| r.time_opt("at"))?;
    Ok([series, case].into_iter().flatten().min())
}

/// Notes how far a series is settled, and when it is looked at again; with nothing to come it has
/// ended.
pub async fn settle(
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

/// Sets the last day of a series, and has it looked at.
pub async fn end(
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

/// Says of sessions which occurrence of the series each is.
pub async fn number(
    tx: &mut Tx,
    series_id: &SeriesId,
    sessions: &[(SessionId, i64)],
) -> Result<()> {
    let rows: Vec<Vec<Arg>> = sessions
        .iter()
        .map(|(id, n)| args![id, series_id, *n])
        .collect();
    tx.with_many(
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
    /// The session.
    pub id: SessionId,
    /// Its start on the wall clock.
    pub start_local: NaiveDateTime,
    /// It is as it was made: booked, never moved or taken back, nobody was asked and nobody
    /// answered.
    pub untouched: bool,
}

/// The occurrences of a series from a day on that are booked and ahead, in order.
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
                 WHERE m.session_id = s.id AND m.cause NOT LIKE 'milestone/%'
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

/// Takes untouched occurrences back: nobody was told of them, so nobody is told that they are off,
/// and nothing was missed.
pub async fn unbook(tx: &mut Tx, now: DateTime<Utc>, ids: &[SessionId]) -> Result<()> {
    let rows = || ids.iter().map(|id| args![id, now]).collect::<Vec<_>>();
    tx.with_many(
        "id, at",
        "UPDATE session
         SET state = 'cancelled', version = session.version + 1, cancelled_by = 'centre',
           cancelled_at = v.at, unbooked = TRUE
         FROM v
         WHERE session.id = v.id AND session.state = 'booked'",
        rows(),
    )
    .await?;
    tx.with_many(
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

/// A booked session ahead with the rules that it keeps.
pub struct KeptTerms {
    /// The session.
    pub session: SessionId,
    /// Its case.
    pub case_id: CaseId,
    /// Its day on the wall clock.
    pub day: NaiveDate,
    /// The rules.
    pub terms: Terms,
}

/// The booked sessions of a centre from a day on, with the rules that they keep.
pub async fn kept_from(
    tx: &mut Tx,
    centre: &str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<KeptTerms>> {
    let rows = tx
        .all(
            format!(
                "SELECT s.id, s.case_id, s.start_local, {TERMS}
                 FROM session s
                 WHERE s.case_id IN (SELECT id FROM case_file WHERE centre = $1)
                   AND s.state = 'booked'
                   AND s.start_local >= $2
                   AND s.starts_at > $3
                 ORDER BY s.id {{lock}}"
            ),
            args![centre, day.to_string(), now],
        )
        .await?;
    let kept = |r: &Row| -> Result<KeptTerms> {
        Ok(KeptTerms {
            session: r.id("id")?,
            case_id: r.id("case_id")?,
            day: parse_local(&r.text("start_local")?)
                .context("start_local")?
                .date(),
            terms: read_terms(r)?,
        })
    };
    rows.iter().map(kept).collect()
}

/// Gives sessions other rules to keep.
pub async fn set_terms(tx: &mut Tx, rows: &[(SessionId, Terms)]) -> Result<()> {
    let rows = rows
        .iter()
        .map(|(id, t)| {
            args![
                id,
                t.notice_hours,
                t.fee_minor,
                &t.currency,
                &t.payer,
                t.payment_days
            ]
        })
        .collect();
    tx.with_many(
        "id, notice_hours, fee_minor, currency, payer, payment_days",
        "UPDATE session
         SET notice_hours = v.notice_hours, fee_minor = v.fee_minor, currency = v.currency,
           payer = v.payer, payment_days = v.payment_days
         FROM v
         WHERE session.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// The open cases of a centre with a series that runs or a booked session from a day on: the
/// families that a change concerns.
pub async fn families_from(tx: &mut Tx, centre: &str, day: NaiveDate) -> Result<Vec<CaseId>> {
    let rows = tx
        .all(
            "SELECT id
             FROM case_file c
             WHERE c.centre = $1
               AND c.state = 'open'
               AND (
                 EXISTS (SELECT 1 FROM series s WHERE s.case_id = c.id AND s.state = 'running')
                 OR EXISTS (
                   SELECT 1
                   FROM session s
                   WHERE s.case_id = c.id AND s.state = 'booked' AND s.start_local >= $2
                 )
               )
             ORDER BY c.case_ref",
            args![centre, day.to_string()],
        )
        .await?;
    rows.iter().map(|r| r.id("id")).collect()
}

/// The same for many cases.
pub async fn touch_many(tx: &mut Tx, cases: &[CaseId]) -> Result<()> {
    let rows = cases.iter().map(|id| args![id]).collect();
    tx.with_many(
        "id",
        "UPDATE case_file
         SET bookings_at = NULL
         FROM v
         WHERE case_file.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}

/// Has a case looked at at the next scan: something happened that its tasks follow from.
pub async fn touch(tx: &mut Tx, case_id: &CaseId) -> Result<()> {
    tx.exec(
        "UPDATE case_file SET bookings_at = NULL WHERE id = $1",
        args![case_id],
    )
    .await?;
    Ok(())
}
