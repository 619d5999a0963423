//! Handles a party who was told that nothing is owed, and owes again: a payment went to an older
//! fee that was recorded late, or the record that ended the fee was wrong. A manager decides before
//! anything more is asked for.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{FactId, SessionId};
use crate::domain::money::policy::recorded_fact::OWED_AGAIN;
use crate::domain::money::policy::{FeeState, NoticeKind, RecordedFact};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::task::TaskKind;
use crate::flows::money::assessed_case::{AssessedCase, called};
use crate::store::Tx;
use crate::store::facts::{self, Fact};
use crate::store::money::MoneyText;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Returns the sessions whose fee waits for a manager. One found for the first time becomes a task,
/// and a fact that stops its deadlines.
pub(crate) async fn owed_again(
    tx: &mut Tx,
    seen: &mut AssessedCase<'_>,
    texts: &[MoneyText],
    standing: &[tasks::CaseTask],
    now: DateTime<Utc>,
) -> Result<HashSet<SessionId>> {
    let mut undecided = HashSet::new();
    let mut wanted = HashSet::new();
    for (session, receipts, settled) in receipts(seen, texts, now) {
        let known = times(seen, &session);
        if receipts > known {
            remember(tx, seen, &session, settled, now).await?;
        }
        if !seen.case.record.released(&session, OWED_AGAIN) {
            let k = times(seen, &session);
            let dedup_key = TaskKey::owed_again(&session, k);
            let role = seen
                .assessed
                .of(&session)
                .and_then(|a| a.liable)
                .map(|p| p.role());
            let task = NewTask {
                centre: Some(&seen.case.centre),
                case_id: Some(&seen.case.id),
                session_id: Some(&session),
                role,
                ..NewTask::new(dedup_key.clone(), TaskKind::OwedAgain)
            };
            tasks::open(tx, now, &task).await?;
            wanted.insert(dedup_key);
            undecided.insert(session);
        }
    }
    for task in standing.iter().filter(|t| t.topic == TaskKind::OwedAgain) {
        match (task.open, wanted.contains(&task.dedup_key)) {
            (true, false) => tasks::mark_obsolete_by_id(tx, now, &task.id).await?,
            (false, true) => tasks::reopen_obsolete_by_id(tx, &task.id).await?,
            _ => {}
        }
    }
    Ok(undecided)
}

/// How often the fee of a session was found to be owed again.
pub(crate) fn times(seen: &AssessedCase<'_>, session: &SessionId) -> usize {
    seen.case
        .record
        .facts
        .iter()
        .filter(|f| f.kind == OWED_AGAIN && f.session.as_ref() == Some(session))
        .count()
}

/// The sessions whose fee is open although their party was told that it is settled, more often than
/// the rules call for: how often more, and since when. A party was told if a text was sent, or if a
/// person rang in its place.
fn receipts(
    seen: &AssessedCase<'_>,
    texts: &[MoneyText],
    now: DateTime<Utc>,
) -> Vec<(SessionId, usize, DateTime<Utc>)> {
    let mut out = Vec::new();
    let called = called(&seen.assessed, now);
    for a in &seen.assessed.sessions {
        let s = a.result.standing_at(now);
        let Some(role) = s
            .liable
            .map(|p| p.role())
            .filter(|_| matches!(s.fee, FeeState::Due | FeeState::Provisional))
        else {
            continue;
        };
        let (left, rung): (Vec<&MoneyText>, Vec<&MoneyText>) = texts
            .iter()
            .filter(|t| {
                t.kind == MessageKind::FeeSettled
                    && t.is_dealt_with()
                    && t.role == Some(role)
                    && t.session.as_ref() == Some(&a.session)
            })
            .partition(|t| t.may_have_left());
        let by_phone = |f: &&RecordedFact| {
            f.kind == "informed"
                && f.role == Some(role)
                && f.session.as_ref() == Some(&a.session)
                && f.detail == MessageKind::FeeSettled.as_str()
        };
        let by_phone = seen.case.record.facts.iter().filter(by_phone).count();
        let told: Vec<DateTime<Utc>> = left
            .iter()
            .map(|t| t.queued_at)
            .chain(rung.iter().rev().take(by_phone).map(|t| t.queued_at))
            .collect();
        let called = called
            .iter()
            .filter(|c| {
                c.kind == NoticeKind::Message(MessageKind::FeeSettled)
                    && c.role == Some(role)
                    && *c.session == a.session
            })
            .count();
        if let Some(settled) = told.iter().max().filter(|_| told.len() > called) {
            out.push((a.session.clone(), told.len() - called, *settled));
        }
    }
    out
}

async fn remember(
    tx: &mut Tx,
    seen: &mut AssessedCase<'_>,
    session: &SessionId,
    settled: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let role = seen
        .assessed
        .of(session)
        .and_then(|a| a.liable)
        .map(|p| p.role());
    let row = Fact {
        case_id: Some(&seen.case.id),
        session_id: Some(session),
        role,
        kind: OWED_AGAIN,
        at: settled,
        by: "courtesy",
        rule: "C18",
        detail: "",
    };
    facts::add(tx, now, &[row]).await?;
    seen.case.record.facts.push(RecordedFact {
        id: FactId::new(""),
        voids: None,
        session: Some(session.to_owned()),
        role,
        kind: OWED_AGAIN.into(),
        at: settled,
        recorded_at: now,
        rule: "C18".into(),
        detail: String::new(),
        amount: None,
    });
    seen.assess_anew();
    Ok(())
}
