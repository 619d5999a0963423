//! Voids wrong records. A counter-entry takes a record out; nothing that was recorded is changed,
//! and what follows is computed from the facts that are left (safety rule f1).

use crate::domain::ids::FactId;
use crate::domain::people::role::Role;
use crate::domain::people::staff::Act;
use crate::domain::visits::attendee::Session;
use crate::domain::visits::session::{Answer, CancelledBy, SessionState};
use crate::flows::error::{Error, Result, refuse};
use crate::flows::money::standing::{StandingLines, finish};
use crate::flows::recording::{Recording, not_in_the_future};
use crate::flows::service::Service;
use crate::store::cases::Case;
use crate::store::facts::{self, Fact, FactToVoid};
use crate::store::sessions::{self, Cancellation};
use crate::store::{Tx, money, staff};
use anyhow::Context;

/// The permission that voiding such a record needs.
///
/// # Errors
/// A record that is corrected in another way, in plain English.
fn act(f: &FactToVoid, id: &FactId) -> Result<Act> {
    let by_program = f.by == "courtesy";
    Ok(match f.kind.as_str() {
        "voided" => refuse!(
            "{id} takes a wrong record out; to have that one back, record it again. Nothing was \
             changed"
        ),
        "attended" | "no_show" => Act::Attendance,
        "waived" | "written_off" => Act::Decide,
        // What a parent wrote is no mistake of staff, so it takes a manager.
        "cancelled" | "some_children" if by_program => Act::Decide,
        "payment" | "note" | "ill_counted" | "told" | "informed" | "rang" | "new_referral"
        | "cancelled" | "some_children"
            if !by_program =>
        {
            Act::Record
        }
        "closed" => {
            refuse!("put a visit back on with `courtesy record reinstate`; nothing was changed")
        }
        "reinstated" => refuse!(
            "call the visit off with `courtesy record cancel` or `record answer`; nothing was \
             changed"
        ),
        "moved" => refuse!("move the visit back with `courtesy record move`; nothing was changed"),
        "confirmed" => {
            refuse!("record the right answer with `courtesy record answer`; nothing was changed")
        }
        "released" => refuse!("a notice that was let go is not taken back; nothing was changed"),
        other => refuse!(
            "{id} ({}) is no record that can be taken out; nothing was changed",
            other.replace('_', " ")
        ),
    })
}

/// Voids a wrong record of a case: a payment, a note, who came, a number of children, a decision
/// about a fee, a notification, a call, or a cancellation that did not call the visit off.
///
/// # Errors
/// In plain English: no such record, one of another case, one that was voided before or is
/// corrected in another way, no reason given, or somebody who may not.
pub async fn void(
    svc: &Service,
    case: &Case,
    id: &FactId,
    why: &str,
    rec: &Recording<'_>,
) -> Result<StandingLines> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    if why.trim().is_empty() {
        refuse!("say why (--why): it is kept in the records, and nobody outside sees it");
    }
    let mut tx = svc.db.begin().await?;
    money::lock(&mut tx, &case.id).await?;
    let Some(wrong) = facts::get(&mut tx, id).await? else {
        return Err(Error::not_found(format!(
            "there is no record {id}; `courtesy case {}` shows all with their ids",
            case.case_ref
        )));
    };
    if wrong.case_id.as_ref() != Some(&case.id) {
        refuse!(
            "record {id} belongs to another case than {}; nothing was changed",
            case.case_ref
        );
    }
    let act = act(&wrong, id)?;
    staff::allow(&mut tx, rec.by, act).await?;
    if wrong.voided {
        refuse!("record {id} was taken out already; nothing was changed");
    }
    let session = match &wrong.session_id {
        Some(s) => {
            sessions::lock(&mut tx, std::slice::from_ref(s)).await?;
            sessions::get(&mut tx, s).await?
        }
        None => None,
    };
    if let Some(s) = session
        .as_ref()
        .filter(|s| is_off_because_of(s, &wrong) && s.starts_at > now)
    {
        refuse!(
            "the visit is off by this record: `courtesy record reinstate {}` puts it back on and \
             tells whoever was told; nothing was changed",
            s.id
        );
    }
    let (of_case, of_session) = (Some(&case.id), wrong.session_id.as_ref());
    let counter = Fact {
        case_id: of_case,
        session_id: of_session,
        role: wrong.role,
        kind: "voided",
        at: rec.at,
        by: rec.by,
        rule: "f1",
        detail: why.trim(),
    };
    facts::void(&mut tx, now, id, &counter).await?;
    if let Some(session) = session {
        update_session(&mut tx, &session, &wrong).await?;
    }
    finish(svc, tx, &case.id, now).await
}

/// Whether the session is off because of this very record.
fn is_off_because_of(s: &Session, f: &FactToVoid) -> bool {
    let by = s.cancelled_by.map(CancelledBy::as_str);
    f.kind == "cancelled"
        && s.state == SessionState::Cancelled
        && s.cancelled_at == Some(f.at)
        && by == Some(f.role.map_or("centre", Role::as_str))
}

/// Brings a session in line with the records that are left of it.
async fn update_session(tx: &mut Tx, session: &Session, wrong: &FactToVoid) -> anyhow::Result<()> {
    let record = money::case(tx, &session.case_id).await?.record;
    let of = || {
        record
            .facts
            .iter()
            .filter(|f| f.session.as_ref() == Some(&session.id))
    };
    match wrong.kind.as_str() {
        "attended" | "no_show"
            if matches!(session.state, SessionState::Attended | SessionState::NoShow) =>
        {
            let state = match (
                record.missed(&session.id),
                of().any(|f| f.kind == "attended"),
            ) {
                (true, _) => SessionState::NoShow,
                (false, true) => SessionState::Attended,
                (false, false) => SessionState::Booked,
            };
            sessions::set_state(tx, session, state).await
        }
        "cancelled" => {
            let back = of().filter(|f| f.kind == "reinstated").map(|f| f.at).max();
            let still = || of().filter(|f| f.kind == "cancelled" && back.is_none_or(|b| f.at > b));
            if let Some(role) = wrong.role.filter(|r| !still().any(|f| f.role == Some(*r))) {
                sessions::set_answer(tx, &session.id, role, Answer::None, None).await?;
            }
            if !is_off_because_of(session, wrong) {
                return Ok(());
            }
            sessions::undo_cancellation(tx, session).await?;
            // Somebody else had cancelled as well, so it is off because of them.
            if let Some(next) = still().min_by_key(|f| f.at) {
                let on = sessions::get(tx, &session.id)
                    .await?
                    .context("the session is missing")?;
                let by = next
                    .role
                    .map_or("centre", Role::as_str)
                    .parse()
                    .map_err(anyhow::Error::msg)?;
                sessions::cancel(tx, &on, &Cancellation { by, at: next.at }).await?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
