//! What staff told a party by phone.

use crate::domain::centre::Centre;
use crate::domain::ids::SessionId;
use crate::domain::local_time::wall;
use crate::domain::money::policy::FeeState;
use crate::domain::money::policy::recorded_fact::write_told;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::flows::error::{Result, refuse};
use crate::flows::money::standing::{StandingLines, assessed, finish};
use crate::flows::recording::{Recording, not_in_the_future};
use crate::flows::service::Service;
use crate::store::cases::Case;
use crate::store::facts::{self, Fact};
use crate::store::{money as ledger, staff, tasks};

/// Records that a party was told by a person of what is owed, or of anything else about money that
/// no text could tell them: the clock of that step starts there, and what there was to tell them is
/// done.
///
/// # Errors
/// Nothing is open that this party could be told of; a notice to all parties that had not been
/// released by then; somebody who may not.
pub async fn told(
    svc: &Service,
    case: &Case,
    role: Role,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let (known, centre, before) = assessed(&mut tx, &case.id).await?;
    let told = rec.fact("told", "C04").case(&case.id).role(role);
    let mut of: Vec<&SessionId> = Vec::new();
    for a in &before.sessions {
        let s = a.result.standing_at(now);
        if s.liable.map(|p| p.role()) != Some(role)
            || !matches!(s.fee, FeeState::Due | FeeState::Provisional)
        {
            continue;
        }
        // After the notice to all parties it is that one which was told; before it the fee or the
        // note.
        let all_told = not_before_release(&known, &centre, &a.session, rec)?;
        let (what, rule) = if all_told {
            ("all_parties_notice", "C07")
        } else {
            ("fee_notice", "C04")
        };
        let detail = write_told(what, a.result.deadline.filter(|d| !all_told && *d > rec.at));
        facts::add(
            &mut tx,
            now,
            &[Fact {
                session_id: Some(&a.session),
                rule,
                detail: &detail,
                ..told.clone()
            }],
        )
        .await?;
        of.push(&a.session);
    }
    let mut done = !of.is_empty();
    let texts = ledger::texts(&mut tx, &case.id).await?;
    for task in tasks::open_or_obsolete(
        &mut tx,
        &case.id,
        &[TaskKind::TellByPhone, TaskKind::TellReferrer],
    )
    .await?
    .into_iter()
    .filter(|t| t.open && t.role == Some(role))
    {
        // That nothing is owed, or what all parties hear, starts no clock for whoever owes nothing.
        if let (Some(kind), Some(session)) = (
            crate::flows::money::notified::kind_of(&task, &texts),
            task.session_id.as_ref().filter(|s| !of.contains(s)),
        ) {
            if kind == MessageKind::AllPartiesNotice {
                not_before_release(&known, &centre, session, rec)?;
            }
            let informed = Fact {
                session_id: Some(session),
                kind: "informed",
                rule: "M4",
                detail: kind.as_str(),
                ..told.clone()
            };
            facts::add(&mut tx, now, &[informed]).await?;
        }
        tasks::mark_done(&mut tx, now, &task.id).await?;
        done = true;
    }
    if !done {
        refuse!("nothing is open of which the {role} could be told; nothing was recorded");
    }
    finish(svc, tx, &case.id, now).await
}

/// Whether a person let the notice to all parties go for a session. Nobody could be told of it
/// before that: the days to pay would be over before the date that the other parent read (choice
/// C07).
pub(crate) fn not_before_release(
    case: &ledger::MoneyCase,
    centre: &Centre,
    session: &SessionId,
    rec: &Recording<'_>,
) -> Result<bool> {
    let released = case
        .record
        .released_at(session, MessageKind::AllPartiesNotice.as_str());
    if let Some(t) = released.filter(|t| rec.at.timestamp() / 60 < t.timestamp() / 60) {
        refuse!(
            "the notice to all parties was let go only on {}: nobody was told of it before. \
             Nothing was recorded",
            wall(centre.tz, t).format("%a %-d %b at %H:%M")
        );
    }
    Ok(released.is_some())
}

/// Records that somebody rang a party, whether or not they answered; a notice to all parties asks
/// for it (safety rule M4).
///
/// # Errors
/// A time in the future; somebody who may not.
pub async fn rang(
    svc: &Service,
    case: &Case,
    role: Role,
    what: &str,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let f = rec
        .fact("rang", "M4")
        .case(&case.id)
        .role(role)
        .detail(what);
    facts::add(&mut tx, now, &[f]).await?;
    tx.commit().await?;
    Ok(())
}
