//! What a person decided about a task.

use crate::domain::ids::TaskId;
use crate::domain::people::staff::Act;
use crate::domain::task::TaskKind;
use crate::flows::error::{Error, Result, refuse};
use crate::flows::recording::{Recording, not_in_the_future};
use crate::flows::service::Service;
use crate::store::facts::{self, Fact};
use crate::store::{staff, tasks};

/// Records what a person decided about a task; the outcome is kept in the case's history.
///
/// # Errors
/// An unknown task, one that is done, one that asks for another command; somebody who may not.
pub async fn decision(
    svc: &Service,
    task: &TaskId,
    accepted: Option<bool>,
    why: &str,
    rec: &Recording<'_>,
) -> Result<()> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let Some(t) = tasks::get(&mut tx, task).await? else {
        return Err(Error::no_task(task));
    };
    if t.state != "open" {
        refuse!("task {task} is done already; nothing was recorded");
    }
    if matches!(
        t.topic,
        TaskKind::ReleaseAllParties
            | TaskKind::ReleaseCaseClosed
            | TaskKind::MoneyPaused
            | TaskKind::OwedAgain
    ) {
        refuse!("this notice is let go with `courtesy release {task}`");
    }
    let word = match accepted {
        Some(true) => "accepted",
        Some(false) => "not accepted",
        None => "done",
    };
    let detail = format!(
        "{}: {word}{}{why}",
        t.topic,
        if why.is_empty() { "" } else { "; " }
    );
    let f = Fact {
        case_id: t.case_id.as_ref(),
        session_id: t.session_id.as_ref(),
        role: t.role,
        kind: "decided",
        at: rec.at,
        by: rec.by,
        rule: "C21",
        detail: &detail,
    };
    facts::add(&mut tx, now, &[f]).await?;
    tasks::mark_done(&mut tx, now, task).await?;
    tx.commit().await?;
    svc.changed.notify_waiters();
    Ok(())
}
