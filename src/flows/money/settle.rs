//! Brings the texts and tasks of a case in line with the rules on money, after every fact and
//! whenever a deadline passes. Texts that are called for are queued, others withdrawn, and what a
//! person has to decide becomes a task.
//!
//! The state of a fee is never stored. It is computed from the facts each time
//! (`domain::money::policy`). Of a case, only its hold, whether it is closed, and when it is next
//! looked at are saved.

use super::assessed_case::{AssessedCase, called};
use super::{notified, owed_again, reviews, texts};
use crate::domain::ids::CaseId;
use crate::domain::money::policy::CaseAssessment;
use crate::domain::people::senders::Senders;
use crate::domain::task::TaskKind;
use crate::flows::service::Service;
use crate::store::centres::{self, Centres};
use crate::store::{Tx, money, tasks};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Cases settled in one batch.
const BATCH: i64 = 500;

/// Settles the cases in which a deadline has passed, and returns how many.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<u64> {
    let mut n = 0;
    loop {
        let due = money::due(&svc.db, now, BATCH).await?;
        for case_id in &due {
            let mut tx = svc.db.begin().await?;
            let all = centres::all_in(&mut tx).await?;
            settle(svc.lines().senders(), &mut tx, &all, case_id, now).await?;
            tx.commit().await?;
            n += 1;
        }
        if due.len() < BATCH as usize {
            break;
        }
    }
    if n > 0 {
        svc.wake_senders();
        svc.changed.notify_waiters();
    }
    Ok(n)
}

/// Assesses a case and writes down what follows. Calling it again changes nothing.
///
/// Returns the assessment.
pub async fn settle(
    senders: &Senders,
    tx: &mut Tx,
    all: &Centres,
    case_id: &CaseId,
    now: DateTime<Utc>,
) -> Result<CaseAssessment> {
    money::lock(tx, case_id).await?;
    let mut seen = AssessedCase::of(tx, all, case_id).await?;
    let texts = money::texts(tx, case_id).await?;
    let unproven = notified::record(tx, &mut seen, &texts, now).await?;
    let standing_tasks = tasks::open_or_obsolete(
        tx,
        case_id,
        &[
            reviews::REVIEWS,
            &[
                TaskKind::OwedAgain,
                TaskKind::TellByPhone,
                TaskKind::TellReferrer,
            ],
        ]
        .concat(),
    )
    .await?;
    let undecided = owed_again::owed_again(tx, &mut seen, &texts, &standing_tasks, now).await?;
    let standing = seen.assessed.at(now);
    let called = called(&seen.assessed, now);
    let queued = texts::queue(senders, tx, &seen, &called, &undecided, &texts, now).await?;
    reviews::open(tx, &seen, &called, &undecided, &standing_tasks, now).await?;
    notified::keep(tx, &seen, &texts, &standing_tasks, now).await?;
    let look_at = seen
        .assessed
        .next_after(now)
        .into_iter()
        .chain(unproven)
        .chain(queued)
        .min();
    money::save_state(tx, case_id, standing.hold, standing.archived, look_at).await?;
    Ok(seen.assessed)
}
