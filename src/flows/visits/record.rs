//! What people tell the centre, recorded by staff: an answer by phone, a session called off by the
//! centre, a move.

use crate::domain::centre::Centre;
use crate::domain::local_time::{Resolved, after_all_quiet, after_quiet, resolve};
use crate::domain::money::policy::record::move_rule;
use crate::domain::outgoing::message::{Ended, Kind};
use crate::domain::people::person::Role;
use crate::domain::people::senders::Senders;
use crate::domain::people::staff::Act;
use crate::domain::reminders::schedule;
use crate::domain::task::Topic;
use crate::domain::visits::notice::Origin;
use crate::domain::visits::session::{Answer, CancelledBy, Reason, SessionState};
use crate::flows::scan::confirmations::first_look;
use crate::flows::visits::cancel::call_off;
use crate::flows::{Service, is_late, to_seat};
use crate::store::facts::{self, Fact};
use crate::store::outbox::{self, NewMessage};
use crate::store::sessions::{self, Seat, Session};
use crate::store::tasks::NewTask;
use crate::store::{Tx, centres, money, questions, staff, tasks};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, NaiveDateTime, Utc};

/// Who records, and when it happened.
pub struct Recording<'a> {
    /// The name given with `--as`.
    pub by: &'a str,
    /// When it happened; never in the future.
    pub at: DateTime<Utc>,
}

async fn session_and_centre(tx: &mut Tx, id: &str) -> Result<(Session, Centre)> {
    let session = sessions::get(tx, id)
        .await?
        .with_context(|| format!("there is no session {id}; `courtesy list sessions` shows all"))?;
    let stored = centres::all_in(tx)
        .await?
        .remove(&session.centre)
        .context("the session's centre is missing")?;
    Ok((session, stored.centre))
}

fn must_be_booked(s: &Session) -> Result<()> {
    match s.state {
        SessionState::Booked => Ok(()),
        other => bail!(
            "session {} is {other}, not booked; nothing was recorded",
            s.id
        ),
    }
}

pub(crate) fn not_in_the_future(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if at > now {
        bail!("--at lies in the future; write when it happened");
    }
    Ok(())
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is one plain part of the fact"
)]
pub(crate) async fn fact(
    tx: &mut Tx,
    now: DateTime<Utc>,
    session: &Session,
    role: Option<Role>,
    kind: &str,
    rule: &str,
    rec: &Recording<'_>,
    detail: &str,
) -> Result<()> {
    let f = Fact {
        case_id: Some(&session.case_id),
        session_id: Some(&session.id),
        role,
        kind,
        at: rec.at,
        by: rec.by,
        rule,
        detail,
    };
    facts::add(tx, now, &[f]).await
}

/// Opens a transaction on a session for somebody who may do this, and keeps others off it until its
/// end.
pub(crate) async fn begin(
    svc: &Service,
    session_id: &str,
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
    session_id: &str,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<(Tx, Session, Centre)> {
    let (tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    must_be_booked(&session)?;
    Ok((tx, session, centre))
}

/// Records an answer that a party gave by phone or in person. A "no" to a session that is off
/// already is recorded too (choice C10).
pub async fn answer(
    svc: &Service,
    session_id: &str,
    role: Role,
    yes: bool,
    reason: Option<Reason>,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin(svc, session_id, rec, Act::Record, now).await?;
    let off_already = !yes
        && matches!(
            session.state,
            SessionState::Cancelled | SessionState::Closed
        );
    if !off_already {
        must_be_booked(&session)?;
    }
    let seats = sessions::seats(&mut tx, svc.lines().senders(), session_id).await?;
    let Some(seat) = seats.iter().find(|s| s.attendee.role == role) else {
        bail!("the {role} has no place in session {session_id}")
    };
    // What this party began by text is ended by what they said to a person.
    if let Some(q) = questions::of(&mut tx, session_id, role, seat.attendee.ask_version, now)
        .await?
        .open
    {
        questions::end(&mut tx, &q.id, false).await?;
    }
    tasks::moot_unfinished(&mut tx, now, session_id, Some(role)).await?;
    crate::flows::receive::decision_writer::end_choices(&mut tx, seat, "", now).await?;
    if yes {
        sessions::answer(&mut tx, session_id, role, Answer::Confirmed, Some(rec.at)).await?;
        outbox::withdraw(
            &mut tx,
            session_id,
            Some(role),
            &[Kind::ConfirmRequest],
            Ended::Answered.as_str(),
        )
        .await?;
        fact(
            &mut tx,
            now,
            &session,
            Some(role),
            "confirmed",
            "by-staff",
            rec,
            "",
        )
        .await?;
    } else {
        if rec.at >= session.starts_at {
            bail!("the session had begun by then; record who was absent instead");
        }
        let by = if role == Role::Resident {
            CancelledBy::Resident
        } else {
            CancelledBy::Contact
        };
        fact(
            &mut tx,
            now,
            &session,
            Some(role),
            "cancelled",
            "by-staff",
            rec,
            reason.unwrap_or(Reason::Other).as_str(),
        )
        .await?;
        crate::flows::note_refused_move(&mut tx, seat, rec.at, rec.by, now).await?;
        call_off(
            &mut tx,
            svc.lines().senders(),
            &centre,
            session_id,
            by,
            rec.at,
            None,
            now,
        )
        .await?;
        if off_already {
            // The co-ordinator sees a second one, as when it comes by text: it may decide whether
            // the session can be put back on.
            let cause = format!(
                "{}/{session_id}/{}/{role}/{}",
                Topic::Cancellation,
                session.version,
                rec.at.timestamp()
            );
            let task = NewTask {
                centre: Some(&session.centre),
                case_id: Some(&session.case_id),
                session_id: Some(session_id),
                role: Some(role),
                due_at: Some(seat.attendee.arrives_at),
                ..NewTask::new(cause, Topic::Cancellation)
            };
            tasks::open(&mut tx, now, &task).await?;
        }
        // The phone on file learns what was recorded in its owner's name.
        if let Some(to) = seat
            .route()
            .filter(|_| seat.consent == crate::domain::people::person::Consent::Yes)
            .map(|r| (r.address.clone(), r.hash.clone()))
        {
            let data = if is_late(&mut tx, seat, rec.at).await? {
                "late"
            } else {
                "in_time"
            };
            let quiet: Vec<_> = centre
                .courtesy
                .quiet
                .into_iter()
                .chain(seat.quiet)
                .collect();
            let not_before = after_all_quiet(&quiet, centre.tz, now).unwrap_or(session.ends_at);
            let ack = to_seat(
                seat,
                format!("ack/{session_id}/{}/{role}", session.version),
                Kind::CancellationAck,
                not_before,
                Some(session.ends_at),
            );
            outbox::enqueue(
                &mut tx,
                now,
                &[NewMessage {
                    to: Some(to),
                    data: data.into(),
                    ..ack
                }],
            )
            .await?;
        }
        let all = centres::all_in(&mut tx).await?;
        crate::flows::money::settle::settle(
            svc.lines().senders(),
            &mut tx,
            &all,
            &session.case_id,
            now,
        )
        .await?;
    }
    tx.commit().await
}

/// The centre calls one session off (choice C22: no fee for anyone).
pub async fn cancel(svc: &Service, session_id: &str, rec: &Recording<'_>) -> Result<()> {
    let now = svc.clock.now();
    let (mut tx, session, centre) = begin_booked(svc, session_id, rec, now).await?;
    fact(&mut tx, now, &session, None, "cancelled", "C22", rec, "").await?;
    call_off(
        &mut tx,
        svc.lines().senders(),
        &centre,
        session_id,
        CancelledBy::Centre,
        rec.at,
        None,
        now,
    )
    .await?;
    let all = centres::all_in(&mut tx).await?;
    crate::flows::money::settle::settle(
        svc.lines().senders(),
        &mut tx,
        &all,
        &session.case_id,
        now,
    )
    .await?;
    tx.commit().await
}

/// Gives a session a new local start; its length and each party's offset stay. Both are told at
/// once and asked anew, in the same words whoever began it.
pub async fn move_to(
    svc: &Service,
    session_id: &str,
    to: NaiveDateTime,
    origin: Origin,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    move_in(
        &mut tx,
        svc.lines().senders(),
        session_id,
        to,
        origin,
        rec,
        now,
    )
    .await?;
    tx.commit().await
}

/// The instant of a local time that a person named; one that does not exist or exists twice is
/// refused.
pub(crate) fn named_time(centre: &Centre, local: NaiveDateTime) -> Result<DateTime<Utc>> {
    match resolve(centre.tz, local) {
        Resolved::Once(t) => Ok(t),
        Resolved::Never(_) => bail!(
            "{} does not exist in {} (clocks go forward); name another time",
            local.format("%Y-%m-%d %H:%M"),
            centre.tz
        ),
        Resolved::Twice(_) => bail!(
            "{} happens twice in {} (clocks go back); name another time",
            local.format("%Y-%m-%d %H:%M"),
            centre.tz
        ),
    }
}

/// The move, within a transaction of its caller.
pub(crate) async fn move_in(
    tx: &mut Tx,
    senders: &Senders,
    session_id: &str,
    to: NaiveDateTime,
    origin: Origin,
    rec: &Recording<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    not_in_the_future(rec.at, now)?;
    sessions::lock(tx, &[session_id.to_owned()]).await?;
    let (session, centre) = session_and_centre(tx, session_id).await?;
    must_be_booked(&session)?;
    let start = named_time(&centre, to)?;
    if start <= now {
        bail!(
            "{} has passed; a session can only move to a time ahead",
            to.format("%Y-%m-%d %H:%M")
        );
    }
    if start == session.starts_at {
        bail!("the session is at that time already; nothing was changed");
    }
    let shift = start - session.starts_at;
    let seats = sessions::seats(tx, senders, session_id).await?;
    if !sessions::set_time(
        tx,
        &session,
        start,
        session.ends_at + shift,
        to,
        origin,
        now,
    )
    .await?
    {
        bail!("the session was changed by somebody else just now; look at it again");
    }
    // The old texts are withdrawn and both are asked anew, each by a question of their own next
    // version.
    outbox::withdraw(
        tx,
        session_id,
        None,
        &[Kind::ConfirmRequest, Kind::SessionMoved],
        Ended::Moved.as_str(),
    )
    .await?;
    questions::end_all(tx, session_id).await?;
    tasks::moot_unfinished(tx, now, session_id, None).await?;
    tasks::moot_of_session(tx, now, session_id, Topic::RingSessionOn).await?;
    crate::flows::visits::ask_date::end_by_move(tx, session_id, now).await?;
    let moment = schedule::moment(&centre.courtesy, centre.tz, to).at;
    for seat in &seats {
        moved(tx, &centre, seat, shift, to, moment, now).await?;
    }
    let detail = format!(
        "{} -> {}",
        sessions::local_text(session.start_local),
        sessions::local_text(to)
    );
    fact(
        tx,
        now,
        &session,
        None,
        "moved",
        move_rule(origin),
        rec,
        &detail,
    )
    .await?;
    // A deadline may hang on it.
    money::look_again(tx, now, std::iter::once(session.case_id.as_str())).await
}

async fn moved(
    tx: &mut Tx,
    centre: &Centre,
    seat: &Seat,
    shift: chrono::Duration,
    to: NaiveDateTime,
    moment: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let a = &seat.attendee;
    let arrival = a.arrives_at + shift;
    // If the courtesy moment has passed, this text is the request; else one follows at its moment
    // unless this one was answered.
    let (ask_at, asked) = if moment <= now {
        (None, "moved")
    } else {
        (Some(first_look(centre, to, now)), "")
    };
    sessions::ask_anew(tx, a, arrival, now, ask_at, asked).await?;
    let at = after_quiet(centre.courtesy.quiet, centre.tz, now);
    let cause = format!("moved/{}/{}/{}", a.session_id, a.ask_version + 1, a.role);
    let message = NewMessage {
        session: Some((
            a.session_id.clone(),
            seat.session.version + 1,
            a.ask_version + 1,
        )),
        data: a.arrives_at.to_rfc3339(),
        ..to_seat(seat, cause, Kind::SessionMoved, at, Some(arrival))
    };
    outbox::enqueue(tx, now, &[message]).await?;
    Ok(())
}
