//! A centre announces a change of its rules: sessions from that day on take them, and staff are
//! asked to tell each family.

use crate::domain::centre::Centre;
use crate::domain::dedup_key::TaskKey;
use crate::domain::local_time::{instant, wall};
use crate::domain::task::TaskKind;
use crate::domain::visits::terms::{ANNOUNCED_DAYS, after_change, changes};
use crate::store::facts::{self, Fact};
use crate::store::tasks::{self, NewTask};
use crate::store::{Tx, bookings, milestones};
use anyhow::Result;
use chrono::{DateTime, Days, NaiveTime, Utc};

/// What an announcement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Announcement {
    /// Booked sessions that keep other rules now.
    pub sessions: usize,
    /// Families to be told.
    pub families: usize,
}

/// Applies the announced changes of a centre's file; `before` is the file as it was. The inner error
/// lists what is wrong with them and how to fix it; then nothing was written.
pub async fn announce(
    tx: &mut Tx,
    before: Option<&Centre>,
    centre: &Centre,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Result<Announcement, Vec<String>>> {
    let old = before.map(|b| b.announced.as_slice()).unwrap_or_default();
    let days = match changes(old, &centre.announced, wall(centre.tz, now).date()) {
        Ok(days) => days,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let Some(first) = days.first() else {
        return Ok(Ok(Announcement::default()));
    };
    let mut rows = Vec::new();
    let mut said = Vec::new();
    for k in bookings::booked_terms(tx, &centre.code, *first, now).await? {
        let terms = after_change(&k.terms, old, centre, k.day);
        if terms != k.terms {
            said.push((
                k.session.clone(),
                k.case_id,
                format!("{} -> {}", k.terms, terms),
            ));
            rows.push((k.session, terms));
        }
    }
    bookings::set_terms(tx, &rows).await?;
    let fact = |(session, case_id, detail)| {
        Fact::new("terms_changed", "announced", by, now)
            .case(case_id)
            .session(session)
            .detail(detail)
    };
    let list: Vec<Fact<'_>> = said
        .iter()
        .map(|(s, c, d)| fact((s, c, d.as_str())))
        .collect();
    facts::add(tx, now, &list).await?;
    let mut told = 0;
    for a in centre.announced.iter().filter(|a| !old.contains(a)) {
        let due = instant(
            centre.tz,
            (a.from - Days::new(ANNOUNCED_DAYS))
                .and_time(NaiveTime::from_hms_opt(17, 0, 0).unwrap_or_default()),
        );
        let families = bookings::affected_cases(tx, &centre.code, a.from).await?;
        let task = |case_id| NewTask {
            case_id: Some(case_id),
            due_at: Some(due),
            ..NewTask::new(
                TaskKey::fee_change(case_id, a.from, &a.in_words()),
                TaskKind::FeeChange,
            )
        };
        let list: Vec<NewTask<'_>> = families.iter().map(task).collect();
        tasks::open_many(tx, now, &list).await?;
        // Where the centre wants it, both parents are told by text: the next scan sees to it.
        milestones::rescan_many(tx, &families).await?;
        told = told.max(families.len());
    }
    Ok(Ok(Announcement {
        sessions: rows.len(),
        families: told,
    }))
}
