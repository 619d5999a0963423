//! A session, or the first of a series, is booked by hand.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::people::staff::Act;
use crate::domain::visits::session::SessionState;
use crate::flows::error::{Result, refuse};
use crate::flows::recording::{Recording, named_time, not_in_the_future};
use crate::flows::service::Service;
use crate::flows::visits::booking::{Booked, Booking};
use crate::flows::visits::series;
use crate::flows::visits::session_shape::{CaseToBook, SessionShape};
use crate::store::bookings::{self, CaseFile, StoredSeries};
use crate::store::milestones;
use crate::store::{Tx, cases, centres, facts, money, staff, tasks};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};

/// Books a session by hand, or a series of them.
///
/// # Errors
/// No new bookings may be made for the case, or its file is closed; a time that has passed, does not
/// exist or exists twice; another session of the case at that time; somebody who may not.
pub async fn book(
    svc: &Service,
    case_id: &CaseId,
    b: &Booking,
    rec: &Recording<'_>,
) -> Result<Booked> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let booked = book_within(&mut tx, case_id, b, None, rec, now).await?;
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(booked)
}

/// Books within a transaction of its caller; `like` is the series in whose place it comes.
pub(super) async fn book_within(
    tx: &mut Tx,
    case_id: &CaseId,
    b: &Booking,
    like: Option<&StoredSeries>,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<Booked> {
    not_in_the_future(rec.at, now)?;
    let file = bookings::lock_case(tx, case_id).await?;
    must_be_bookable(&file)?;
    let centre = centres::all_in(tx)
        .await?
        .remove(&file.centre)
        .context("the case's centre is missing")?
        .centre;
    let start = named_time(&centre, b.start)?;
    if start <= now {
        refuse!(
            "{} has passed; a session is booked for a time ahead",
            b.start.format("%Y-%m-%d %H:%M")
        );
    }
    let usual = bookings::usual_session(tx, case_id).await?;
    let case = CaseToBook {
        file: &file,
        centre: &centre,
        usual: usual.as_ref(),
    };
    let shape = case.shape(like, b)?;
    if let Some(pattern) = b.every {
        return series::start(tx, &case, pattern, shape, b, rec, now).await;
    }
    if bookings::overlaps(tx, case_id, start, start + Duration::minutes(shape.minutes)).await? {
        refuse!(
            "{} has a session at that time already; nothing was booked",
            file.case_ref
        );
    }
    one_session(tx, &case, &shape, b, rec, now).await
}

/// Books one session, perhaps in place of a missed one.
async fn one_session(
    tx: &mut Tx,
    case: &CaseToBook<'_>,
    shape: &SessionShape,
    b: &Booking,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<Booked> {
    let session = case.new_session(shape, b.start, now);
    cases::insert_sessions(tx, std::slice::from_ref(&session)).await?;
    let case_id = &case.file.id;
    let mut detail = String::new();
    if let Some(missed) = &b.replaces {
        must_be_replaceable(tx, case.file, missed).await?;
        bookings::set_replaces(tx, &session.id, missed).await?;
        tasks::mark_obsolete(tx, now, &TaskKey::replacement(missed)).await?;
        detail = format!("in place of {missed}");
    }
    let rule = match b.replaces {
        Some(_) => "replacement",
        None => "by-staff",
    };
    let fact = rec
        .fact("booked", rule)
        .case(case_id)
        .session(&session.id)
        .detail(&detail);
    facts::add(tx, now, &[fact]).await?;
    milestones::rescan(tx, case_id).await?;
    // A deadline about money may depend on it.
    money::rescan(tx, now, std::iter::once(case_id)).await?;
    Ok(Booked {
        sessions: vec![(session.id, b.start)],
        series: None,
    })
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

async fn must_be_replaceable(tx: &mut Tx, case: &CaseFile, missed: &SessionId) -> Result<()> {
    let Some(m) = bookings::missed_session(tx, missed)
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
    Ok(())
}
