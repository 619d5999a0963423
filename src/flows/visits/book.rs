//! Bookings by hand and in series: a session at a time that a person names, and those that come
//! again, booked ahead at the frequency of the referral until the centre is told otherwise.

use crate::domain::centre::Centre;
use crate::domain::ids::{CaseId, SeriesId, SessionId};
use crate::domain::local_time::{instant, wall};
use crate::domain::people::person::Role;
use crate::domain::people::staff::Act;
use crate::domain::reminders::milestones::replacement_cause;
use crate::domain::reminders::schedule::first_look;
use crate::domain::visits::series::{Pattern, Series, WEEKS_AHEAD, ahead, fits};
use crate::domain::visits::session::{ContactType, SessionState};
use crate::domain::visits::terms::terms_for_family;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::{Recording, named_time, not_in_the_future};
use crate::flows::service::Service;
use crate::store::bookings::{self, CaseFile, Offset, StoredSeries, Usual};
use crate::store::cases::{self, NewAttendee, NewSession};
use crate::store::facts::{self, Fact};
use crate::store::sealed::random_id;
use crate::store::sessions::local_text;
use crate::store::{Tx, centres, money, staff, tasks};
use anyhow::Context;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// Cases whose series are looked at in one transaction.
const BATCH: i64 = 100;
/// The longest session.
const LONGEST_MINUTES: i64 = 24 * 60;

/// A booking by hand. What is not said is as it was at the case's last session.
#[derive(Debug, Clone, Default)]
pub struct Booking {
    /// The start on the centre's wall clock.
    pub start: NaiveDateTime,
    /// Its length.
    pub minutes: Option<i64>,
    /// What kind of contact.
    pub contact_type: Option<ContactType>,
    /// The resident parent's own arrival.
    pub resident_arrives: Option<NaiveTime>,
    /// The contact parent's own arrival.
    pub contact_arrives: Option<NaiveTime>,
    /// The missed session in whose place it is booked.
    pub replaces: Option<SessionId>,
    /// It comes again.
    pub every: Option<Pattern>,
    /// The last day of the series.
    pub until: Option<NaiveDate>,
    /// Weeks that the series is booked ahead.
    pub weeks_ahead: Option<i64>,
}

/// What was booked: the sessions with their local starts, and the series if there is one.
#[derive(Debug, Clone)]
pub struct Booked {
    /// Session and local start, in order.
    pub sessions: Vec<(SessionId, NaiveDateTime)>,
    /// The series.
    pub series: Option<SeriesId>,
}

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

/// How a session of a case is: all but its day.
struct SessionShape {
    minutes: i64,
    contact_type: String,
    places: Vec<(Role, Offset)>,
}

fn must_be_bookable(case: &CaseFile) -> Result<()> {
    if case.archived {
        refuse!(
            "the file of {} is closed; a new referral opens it again (seed 001), and nothing was \
             booked",
            case.case_ref
        );
    }
    if case.hold {
        refuse!(
            "{} is not to be booked until what is owed is settled (seed 001: \"no contact will be \
             booked until this is settled\"); nothing was booked",
            case.case_ref
        );
    }
    Ok(())
}

/// The minutes from `start` to an own arrival at a time of the same day.
fn offset(start: NaiveTime, arrives: NaiveTime) -> i64 {
    (arrives - start).num_minutes()
}

/// The shape of a booking: as it was said, else as in the series that it takes the place of, else
/// as at the last session. Own arrivals are never guessed: two parents who must not meet would meet
/// at the door.
fn shape(
    case: &CaseFile,
    usual: Option<&Usual>,
    like: Option<&StoredSeries>,
    b: &Booking,
) -> Result<SessionShape> {
    let Some(minutes) = b
        .minutes
        .or(like.map(|l| l.minutes))
        .or(usual.map(|u| u.minutes))
    else {
        refuse!(
            "{} has no session yet that says how long one is; write --minutes",
            case.case_ref
        )
    };
    if !(1..=LONGEST_MINUTES).contains(&minutes) {
        refuse!("--minutes: a session lasts between 1 and {LONGEST_MINUTES} minutes");
    }
    let known = like.map(|l| &l.places).or(usual.map(|u| &u.places));
    let mut places = Vec::with_capacity(2);
    for (role, _) in &case.parents {
        let said = if *role == Role::Resident {
            b.resident_arrives
        } else {
            b.contact_arrives
        };
        let last = known
            .and_then(|places| places.iter().find(|p| p.0 == *role))
            .map(|p| p.1);
        let Some(from) = said
            .map(|t| offset(b.start.time(), t))
            .or(last.map(|o| o.from))
        else {
            refuse!(
                "no session of {} says when the {role} parent arrives; write --{role}-arrives",
                case.case_ref
            )
        };
        if from >= minutes || from < -LONGEST_MINUTES / 2 {
            refuse!(
                "the {role} parent would arrive {from} minutes after the start of a session of \
                 {minutes}; look at the times again"
            );
        }
        places.push((
            *role,
            Offset {
                from,
                to: last.map_or(0, |o| o.to),
            },
        ));
    }
    let said = b.contact_type.map(|t| t.as_str().to_owned());
    let contact_type = said
        .or(like.map(|l| l.contact_type.clone()))
        .or(usual.map(|u| u.contact_type.clone()))
        .unwrap_or_else(|| ContactType::Supported.as_str().to_owned());
    Ok(SessionShape {
        minutes,
        contact_type,
        places,
    })
}

fn new_session(
    case: &CaseFile,
    centre: &Centre,
    usual: Option<&Usual>,
    shape: &SessionShape,
    local: NaiveDateTime,
    now: DateTime<Utc>,
) -> NewSession {
    let starts_at = instant(centre.tz, local);
    // A time that clocks go over is the first moment after it (choice K10), here and on the wall
    // clock.
    let local = wall(centre.tz, starts_at);
    let ends_at = starts_at + Duration::minutes(shape.minutes);
    let place = |(role, o): &(Role, Offset)| {
        let party_id = case.parents.iter().find(|p| p.0 == *role)?.1.clone();
        let (arrives_at, leaves_at) = (
            starts_at + Duration::minutes(o.from),
            ends_at + Duration::minutes(o.to),
        );
        Some(NewAttendee {
            role: *role,
            party_id,
            arrives_at,
            leaves_at: leaves_at.max(arrives_at),
            ask_known: now,
            ask_at: Some(first_look(centre, local, now)),
        })
    };
    let terms = terms_for_family(centre, usual.map(|u| (u.day, &u.terms)), local.date());
    NewSession {
        id: SessionId::new(random_id()),
        case_id: case.id.clone(),
        session_ref: None,
        starts_at,
        ends_at,
        start_local: local_text(local),
        timezone: centre.tz.name().to_owned(),
        contact_type: shape.contact_type.clone(),
        state: SessionState::Booked.as_str(),
        booked_at: now,
        notice_hours: terms.notice_hours,
        fee_minor: terms.fee_minor,
        currency: terms.currency,
        payer: terms.payer,
        payment_days: terms.payment_days,
        imported: String::new(),
        places: shape.places.iter().filter_map(place).collect(),
    }
}

/// Books a session by hand, or a series of them. Refused while no new bookings may be made, for a
/// closed file, for a time that has passed or does not exist once, and over another session of the
/// case.
pub async fn book(
    svc: &Service,
    case_id: &CaseId,
    b: &Booking,
    rec: &Recording<'_>,
) -> Result<Booked> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let booked = book_in(&mut tx, case_id, b, None, rec, now).await?;
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(booked)
}

async fn book_in(
    tx: &mut Tx,
    case_id: &CaseId,
    b: &Booking,
    like: Option<&StoredSeries>,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<Booked> {
    not_in_the_future(rec.at, now)?;
    let case = bookings::lock_case(tx, case_id).await?;
    must_be_bookable(&case)?;
    let centre = centres::all_in(tx)
        .await?
        .remove(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    let start = named_time(&centre, b.start)?;
    if start <= now {
        refuse!(
            "{} has passed; a session is booked for a time ahead",
            b.start.format("%Y-%m-%d %H:%M")
        );
    }
    let usual = bookings::usual(tx, case_id).await?;
    let shape = shape(&case, usual.as_ref(), like, b)?;
    if let Some(pattern) = b.every {
        fits(pattern, b.start.date()).map_err(Error::Refused)?;
        if b.until.is_some_and(|u| u < b.start.date()) {
            refuse!("--until lies before the first session");
        }
        let weeks_ahead = b.weeks_ahead.unwrap_or(WEEKS_AHEAD);
        let series = Series {
            pattern,
            first: b.start,
            until: b.until,
            weeks_ahead,
            next_n: 0,
        };
        let SessionShape {
            minutes,
            contact_type,
            places,
        } = shape;
        let stored = StoredSeries {
            id: SeriesId::new(random_id()),
            case_id: case.id.clone(),
            series,
            minutes,
            contact_type,
            places,
        };
        bookings::add_series(tx, now, &stored, rec.by).await?;
        let detail = format!("{pattern} from {}", b.start.format("%Y-%m-%d %H:%M"));
        let made = rec
            .fact("series", "by-staff")
            .case(&case.id)
            .detail(&detail);
        facts::add(tx, now, &[made]).await?;
        let sessions = extend(tx, &case, &centre, usual.as_ref(), &stored, rec.by, now).await?;
        return Ok(Booked {
            sessions,
            series: Some(stored.id),
        });
    }
    if bookings::overlaps(tx, case_id, start, start + Duration::minutes(shape.minutes)).await? {
        refuse!(
            "{} has a session at that time already; nothing was booked",
            case.case_ref
        );
    }
    let session = new_session(&case, &centre, usual.as_ref(), &shape, b.start, now);
    cases::insert_sessions(tx, std::slice::from_ref(&session)).await?;
    let mut rule = "by-staff";
    if let Some(missed) = &b.replaces {
        rule = "replacement";
        let Some(m) = bookings::missed(tx, missed)
            .await?
            .filter(|m| m.case_id == case.id)
        else {
            refuse!("--replaces: {missed} is no session of {}", case.case_ref)
        };
        if !matches!(
            m.state,
            SessionState::Cancelled | SessionState::Closed | SessionState::NoShow
        ) {
            refuse!(
                "--replaces: session {missed} is {}, so there is nothing to replace",
                m.state
            );
        }
        if let Some(by) = m.replaced_by {
            refuse!("--replaces: session {missed} is replaced already, by {by}");
        }
        bookings::set_replaces(tx, &session.id, missed).await?;
        tasks::close(tx, now, &replacement_cause(missed)).await?;
    }
    let detail = b
        .replaces
        .as_ref()
        .map(|s| format!("in place of {s}"))
        .unwrap_or_default();
    let fact = rec
        .fact("booked", rule)
        .case(&case.id)
        .session(&session.id)
        .detail(&detail);
    facts::add(tx, now, &[fact]).await?;
    bookings::touch(tx, &case.id).await?;
    // A deadline may hang on it.
    money::look_again(tx, now, std::iter::once(&case.id)).await?;
    Ok(Booked {
        sessions: vec![(session.id, b.start)],
        series: None,
    })
}

/// Books what has come within reach of a series. A day on which the case has a session already, in
/// whatever state, and one on which the centre is closed are passed over.
async fn extend(
    tx: &mut Tx,
    case: &CaseFile,
    centre: &Centre,
    usual: Option<&Usual>,
    s: &StoredSeries,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(SessionId, NaiveDateTime)>> {
    let a = ahead(&s.series, centre.tz, now);
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
            places: s.places.clone(),
        };
        let free = a
            .book
            .iter()
            .filter(|(_, local)| !taken.contains(&local.date()) && !is_closed(*local));
        made = free
            .map(|(n, local)| (new_session(case, centre, usual, &shape, *local, now), *n))
            .collect();
    }
    bookings::settle(tx, &s.id, a.next_n, a.look_at).await?;
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let (sessions, numbers): (Vec<NewSession>, Vec<i64>) = made.into_iter().unzip();
    cases::insert_sessions(tx, &sessions).await?;
    let numbered: Vec<(SessionId, i64)> =
        sessions.iter().map(|s| s.id.clone()).zip(numbers).collect();
    bookings::number(tx, &s.id, &numbered).await?;
    let fact = |id| {
        Fact::new("booked", "series", by, now)
            .case(&case.id)
            .session(id)
    };
    let facts: Vec<Fact<'_>> = sessions.iter().map(|s| fact(&s.id)).collect();
    facts::add(tx, now, &facts).await?;
    bookings::touch(tx, &case.id).await?;
    money::look_again(tx, now, std::iter::once(&case.id)).await?;
    let local =
        |s: &NewSession| crate::domain::local_time::parse_local(&s.start_local).unwrap_or_default();
    Ok(sessions.iter().map(|s| (s.id.clone(), local(s))).collect())
}

/// Books ahead what has come within reach at `now`; a case on a bookings hold or with a closed file
/// waits, and is due the moment that ends.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<()> {
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
            let usual = bookings::usual(&mut tx, case_id).await?;
            for s in bookings::running(&mut tx, case_id).await? {
                extend(&mut tx, &case, centre, usual.as_ref(), &s, "courtesy", now).await?;
            }
        }
        tx.commit().await?;
        svc.changed.notify_waiters();
    }
}

/// Ends a series from a day on, and with `change` begins a new one. Only untouched occurrences are
/// taken back, without a text: nobody had been told of them. What was moved, asked about or
/// answered stays, and is named.
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
    let held = bookings::lock_ahead(&mut tx, case_id, from, now).await?;
    let case = bookings::lock_case(&mut tx, case_id).await?;
    let centre = centres::all_in(&mut tx)
        .await?
        .remove(&case.centre)
        .context("the case's centre is missing")?
        .centre;
    let mut running = bookings::running(&mut tx, case_id).await?;
    running.retain(|s| series.is_none_or(|id| s.id == *id));
    let old = match running.as_slice() {
        [] => refuse!(
            "{} has no series that runs; nothing was changed",
            case.case_ref
        ),
        [one] => one,
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
    };
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
    bookings::end(&mut tx, &old.id, until, now).await?;
    let left = ahead(
        &Series {
            until: Some(until),
            ..old.series.clone()
        },
        centre.tz,
        now,
    );
    if left.book.is_empty() && left.look_at.is_none() {
        bookings::settle(&mut tx, &old.id, old.series.next_n, None).await?;
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
    money::look_again(&mut tx, now, std::iter::once(&case.id)).await?;
    let booked = match change {
        None => None,
        Some(b) => Some(book_in(&mut tx, case_id, b, Some(old), rec, now).await?),
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
