//! What falls due in a case by itself becomes a task: each open case is looked at once a day, and whenever something happened to a session.

use super::{Service, bookings};
use crate::domain::conversation::Topic;
use crate::domain::milestones::{look, replacement_cause};
use crate::domain::session::SessionState;
use crate::store::tasks::{self, NewTask};
use crate::store::{bookings as store, centres, milestones};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Cases looked at in one transaction.
const BATCH: i64 = 200;
/// Transactions in one scan: a large import is looked at over some minutes, so that no text waits for it.
const BATCHES: usize = 5;

/// Books ahead what has come within reach, and opens the tasks that follow from what happened.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<()> {
    if !store::anything_due(&svc.db, now).await? {
        return Ok(());
    }
    bookings::scan(svc, now).await?;
    for _ in 0..BATCHES {
        let mut tx = svc.db.begin().await?;
        let cases = milestones::due(&mut tx, now, BATCH).await?;
        if cases.is_empty() {
            return Ok(());
        }
        let all = centres::all_in(&mut tx).await?;
        let mut again = Vec::with_capacity(cases.len());
        let mut opened = Vec::new();
        for (centre, case) in &cases {
            let Some(c) = all.get(centre).map(|c| &c.centre) else {
                again.push((case.id.clone(), now + Duration::days(1)));
                continue;
            };
            let seen = look(&c.rules, c.tz, case, now);
            again.push((case.id.clone(), seen.again));
            opened.extend(seen.due.into_iter().map(|d| (case, d)));
        }
        let list: Vec<NewTask<'_>> = opened
            .iter()
            .map(|(case, d)| NewTask { case_id: Some(&case.id), session_id: d.session.as_deref(), role: d.role, due_at: d.due_at, ..NewTask::new(d.cause.clone(), d.topic) })
            .collect();
        tasks::open_many(&mut tx, now, &list).await?;
        for (case, d) in opened.iter().filter(|(_, d)| d.topic == Topic::Replacement) {
            // It was put back on, and then missed after all.
            if let Some(off_at) = case.visits.iter().find(|v| Some(&v.session) == d.session.as_ref()).and_then(|v| v.off_at) {
                tasks::reopen(&mut tx, &d.cause, off_at).await?;
            }
        }
        let ids: Vec<&str> = cases.iter().map(|c| c.1.id.as_str()).collect();
        for (case_id, session) in milestones::to_be_replaced(&mut tx, &ids).await? {
            let visit = cases.iter().filter(|c| c.1.id == case_id).find_map(|(_, c)| c.visits.iter().find(|v| v.session == session));
            if visit.is_some_and(|v| v.replaced || v.unbooked || matches!(v.state, SessionState::Booked | SessionState::Attended)) {
                tasks::close(&mut tx, now, &replacement_cause(&session)).await?;
            }
        }
        milestones::settle(&mut tx, again).await?;
        tx.commit().await?;
        svc.changed.notify_waiters();
    }
    Ok(())
}
