//! What every act of staff shares: who records it, when it happened, and the transaction on one session.

#![warn(missing_docs)]

use crate::domain::centre::Centre;
use crate::domain::ids::SessionId;
use crate::domain::local_time::{Resolved, resolve};
use crate::domain::people::staff::Act;
use crate::domain::visits::attendee::Session;
use crate::domain::visits::session::SessionState;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::service::Service;
use crate::store::facts::Fact;
use crate::store::sessions::{self};
use crate::store::{Tx, centres, staff};
use anyhow::Context;
use chrono::{DateTime, NaiveDateTime, Utc};

/// Who records, and when it happened.
pub struct Recording<'a> {
    /// The name given with `--as`.
    pub by: &'a str,
    /// When it happened; never in the future.
    pub at: DateTime<Utc>,
}

impl<'a> Recording<'a> {
    /// A fact that this person recorded.
    pub(crate) fn fact(&self, kind: &'a str, rule: &'a str) -> Fact<'a> {
        Fact::new(kind, rule, self.by, self.at)
    }
}

pub(crate) async fn session_and_centre(tx: &mut Tx, id: &SessionId) -> Result<(Session, Centre)> {
    let session = sessions::get(tx, id)
        .await?
        .ok_or_else(|| Error::no_session(id))?;
    let stored = centres::all_in(tx)
        .await?
        .remove(&session.centre)
        .context("the session's centre is missing")?;
    Ok((session, stored.centre))
}

pub(crate) fn must_be_booked(s: &Session) -> Result<()> {
    match s.state {
        SessionState::Booked => Ok(()),
        other => refuse!(
            "session {} is {other}, not booked; nothing was recorded",
            s.id
        ),
    }
}

pub(crate) fn not_in_the_future(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if at > now {
        refuse!("--at lies in the future; write when it happened");
    }
    Ok(())
}

/// Opens a transaction on a session for somebody who may do this, and keeps others off it until its
/// end.
pub(crate) async fn begin(
    svc: &Service,
    session_id: &SessionId,
    rec: &Recording<'_>,
    act: Act,
    now: DateTime<Utc>,
) -> Result<(Tx, Session, Centre)> {
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, act).await?;
    sessions::lock(&mut tx, &[session_id.to_owned()]).await?;
    let (session, centre) = session_and_centre(&mut tx, session_id).await?;
    Ok((tx, session, centre))
}

/// The same on a session that is booked.
pub(crate) async fn begin_booked(
    svc: &Service,
    session_id: &SessionId,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<(Tx, Session, Centre)> {
    let (tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    must_be_booked(&session)?;
    Ok((tx, session, centre))
}

/// The instant of a local time that a person named; one that does not exist or exists twice is
/// refused.
pub(crate) fn named_time(centre: &Centre, local: NaiveDateTime) -> Result<DateTime<Utc>> {
    match resolve(centre.tz, local) {
        Resolved::Once(t) => Ok(t),
        Resolved::Never(_) => refuse!(
            "{} does not exist in {} (clocks go forward); name another time",
            local.format("%Y-%m-%d %H:%M"),
            centre.tz
        ),
        Resolved::Twice(_) => refuse!(
            "{} happens twice in {} (clocks go back); name another time",
            local.format("%Y-%m-%d %H:%M"),
            centre.tz
        ),
    }
}
