//! Alerts staff to urgent tasks with one line that says no more than that. No name, case, date or
//! reason may show on a screen in a room full of families (safety rule A1).

use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::TaskId;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::flows::service::Service;
use crate::store::outbox::{self, NewMessage};
use crate::store::{centres, tasks};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// Between two alerts; tasks opened meanwhile are counted together.
const PACE: Duration = Duration::minutes(10);
/// An alert that could not leave for this long is dropped.
const LASTS: Duration = Duration::hours(2);
/// When staff were alerted last.
const LAST: &str = "alerted_at";

/// Alerts staff to urgent tasks that nobody was alerted to; returns how many.
pub async fn scan(svc: &Service, now: DateTime<Utc>) -> Result<usize> {
    if svc.alert_to.is_empty() {
        return Ok(0);
    }
    let stands = centres::setting(&svc.db, LAST).await?;
    let last = stands
        .as_deref()
        .and_then(|t| DateTime::parse_from_rfc3339(t).ok());
    if last.is_some_and(|t| now < t.with_timezone(&Utc) + PACE) {
        return Ok(0);
    }
    let mut tx = svc.db.begin().await?;
    let urgent: Vec<TaskId> = tasks::unalerted(&mut tx, now)
        .await?
        .into_iter()
        .filter(|(_, topic, due)| topic.is_urgent(*due, now))
        .map(|(id, ..)| id)
        .collect();
    if urgent.is_empty() {
        return Ok(0);
    }
    let lines = svc.lines();
    let seal = tx.seal();
    let messages: Vec<NewMessage> = svc
        .alert_to
        .iter()
        .filter_map(|to| {
            // By the program's own line, or else by the first that there is on the channel.
            let line = lines
                .of("", to.channel())
                .or_else(|| lines.all().iter().find(|l| l.channel == to.channel()))?;
            let hash = seal.address_hash(to);
            Some(NewMessage {
                dedup_key: MessageKey::staff_alert(now, &hash),
                kind: MessageKind::StaffAlert,
                centre: line
                    .centres
                    .as_ref()
                    .and_then(|c| c.first().cloned())
                    .unwrap_or_default(),
                case_id: None,
                party_id: None,
                role: None,
                session: None,
                to: Some((to.clone(), hash)),
                channel: to.channel(),
                payload: Payload::UrgentTasks(urgent.len() as i64),
                not_before: now,
                not_after: Some(now + LASTS),
            })
        })
        .collect();
    if messages.is_empty() {
        tracing::error!("something urgent waits, and there is no line to alert staff by");
        return Ok(0);
    }
    outbox::enqueue(&mut tx, now, &messages).await?;
    tasks::set_alerted(&mut tx, now, &urgent).await?;
    if !centres::compare_and_set(&mut tx, LAST, stands.as_deref(), &now.to_rfc3339()).await? {
        // Another process alerts to the same just now.
        return Ok(0);
    }
    tx.commit().await?;
    svc.wake_senders();
    Ok(urgent.len())
}
