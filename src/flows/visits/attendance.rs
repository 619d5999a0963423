//! Who came, recorded by staff.

use crate::domain::ids::SessionId;
use crate::domain::money::policy::Absent;
use crate::domain::money::policy::recorded_fact::NO_SHOW_OF_CLOSED_FILE;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::domain::visits::session::SessionState;
use crate::flows::error::{Result, refuse};
use crate::flows::money::standing::{StandingLines, assessed, finish};
use crate::flows::recording::{Recording, begin};
use crate::flows::service::Service;
use crate::store::facts;
use crate::store::{money as ledger, sessions, tasks};

/// Records who came: `resident`, `contact` or both.
///
/// # Errors
/// The session has not begun, or did not take place; somebody who may not.
pub async fn attended(
    svc: &Service,
    session_id: &SessionId,
    who: &str,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    came(svc, session_id, rec, "attended", "attendance", who).await
}

/// Records that somebody did not come: as a cancellation without notice, if staff say who it was
/// (choice C12).
///
/// # Errors
/// As [`attended`].
pub async fn no_show(
    svc: &Service,
    session_id: &SessionId,
    who: Absent,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    came(svc, session_id, rec, "no_show", "C12", who.as_str()).await
}

pub(crate) async fn came(
    svc: &Service,
    session_id: &SessionId,
    rec: &Recording<'_>,
    kind: &str,
    rule: &str,
    who: &str,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Attendance, now).await?;
    if !matches!(
        session.state,
        SessionState::Booked | SessionState::Attended | SessionState::NoShow
    ) {
        refuse!(
            "session {session_id} is {}: it did not take place; nothing was recorded",
            session.state
        );
    }
    if rec.at < session.starts_at {
        refuse!("the session had not begun by then; nothing was recorded");
    }
    // A visit that nobody called off when the file was closed: nobody had to come.
    let closed = kind == "no_show"
        && assessed(&mut tx, &session.case_id)
            .await?
            .2
            .at(session.starts_at)
            .archived;
    let rule = if closed { NO_SHOW_OF_CLOSED_FILE } else { rule };
    facts::add(
        &mut tx,
        now,
        &[rec.fact(kind, rule).of_session(&session).detail(who)],
    )
    .await?;
    // One came and of the other nothing is said: what was recorded of the absent one stays.
    let missed = ledger::case(&mut tx, &session.case_id)
        .await?
        .record
        .missed(session_id);
    let state = if missed {
        SessionState::NoShow
    } else {
        SessionState::Attended
    };
    sessions::set_state(&mut tx, &session, state).await?;
    finish(svc, tx, &session.case_id, now).await
}

/// Records how many of several children were ill (choice C16).
///
/// # Errors
/// More children than attend, or none; somebody who may not.
pub async fn ill_children(
    svc: &Service,
    session_id: &SessionId,
    children: u32,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    let (mut tx, session, _) = begin(svc, session_id, rec, Act::Record, now).await?;
    let (known, ..) = assessed(&mut tx, &session.case_id).await?;
    if children == 0 || children > known.record.case.children {
        refuse!(
            "{} children attend on this case; nothing was recorded",
            known.record.case.children
        );
    }
    facts::add(
        &mut tx,
        now,
        &[rec
            .fact("ill_counted", "C16")
            .of_session(&session)
            .detail(&children.to_string())],
    )
    .await?;
    tasks::mark_done_of_session(&mut tx, now, session_id, TaskKind::ChildrenCount).await?;
    finish(svc, tx, &session.case_id, now).await
}
