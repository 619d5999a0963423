//! Records who was really told of what they owe, because their deadlines count from then. Whoever
//! cannot be told by text is told by a person.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{FactId, SessionId};
use crate::domain::money::policy::RecordedFact;
use crate::domain::money::policy::recorded_fact::write_told;
use crate::domain::outgoing::message::{MessageKind, MessageState};
use crate::domain::task::TaskKind;
use crate::flows::money::assessed_case::{AssessedCase, still_so};
use crate::store::Tx;
use crate::store::facts::{self, Fact};
use crate::store::money::{MoneyCase, MoneyText};
use crate::store::tasks::{self, NewTask};
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

/// After this long without a delivery receipt, a person tells the party.
const UNPROVEN: Duration = Duration::hours(24);

/// The kind of the fact that a party was told who owes nothing, or nothing any more.
const INFORMED: &str = "informed";

/// Records the texts whose delivery proves that a party was told of an obligation. Returns when to
/// look again at those that are not proven yet.
pub(crate) async fn record(
    tx: &mut Tx,
    seen: &mut AssessedCase<'_>,
    texts: &[MoneyText],
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let mut look = None;
    for t in texts
        .iter()
        .filter(|t| !matches!(t.kind, MessageKind::FeeSettled | MessageKind::CaseClosed))
    {
        let (Some(session), Some(role)) = (&t.session, t.role) else {
            continue;
        };
        if let Some(at) = t.informed_at() {
            let liable = seen
                .assessed
                .of(session)
                .and_then(|a| a.liable)
                .map(|p| p.role());
            let kind = if liable == Some(role) {
                "told"
            } else {
                INFORMED
            };
            let of = |r: &RecordedFact| r.session.as_ref() == Some(session) && r.role == Some(role);
            let known = |r: &RecordedFact| {
                r.kind == kind && of(r) && r.detail.starts_with(t.kind.as_str()) && r.at == at
            };
            if seen.case.record.facts.iter().any(known) {
                continue;
            }
            if liable == Some(role) {
                told(tx, seen, t, session, at, now).await?;
            } else if liable.is_some() && t.kind == MessageKind::AllPartiesNotice {
                informed(tx, seen, t, session, at, now).await?;
            }
            continue;
        }
        let again = match (t.state, t.sent_at) {
            // A held text is looked at when it is released.
            (MessageState::Waiting, _) if t.held => continue,
            (MessageState::Waiting, _) => t.not_before.max(now) + Duration::minutes(1),
            (MessageState::Sending | MessageState::Sent, at) => {
                let since = at.unwrap_or(t.not_before);
                if now - since > UNPROVEN {
                    by_phone(tx, &seen.case, t, TaskKey::untold(&t.id), now).await?;
                    continue;
                }
                // An earlier receipt has the case looked at again anyway.
                if t.state == MessageState::Sent {
                    since + UNPROVEN + Duration::minutes(1)
                } else {
                    now + Duration::minutes(1)
                }
            }
            _ => continue,
        };
        look = [look, Some(again)].into_iter().flatten().min();
    }
    Ok(look)
}

/// Records that the other parent was told what all parties are told. The days to pay count from the
/// later of the two.
async fn informed(
    tx: &mut Tx,
    seen: &mut AssessedCase<'_>,
    t: &MoneyText,
    session: &SessionId,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let (rule, detail) = ("C07", t.kind.as_str());
    let row = Fact {
        case_id: Some(&seen.case.id),
        session_id: Some(session),
        role: t.role,
        kind: INFORMED,
        at,
        by: "courtesy",
        rule,
        detail,
    };
    facts::add(tx, now, &[row]).await?;
    seen.case.record.facts.push(RecordedFact {
        id: FactId::new(""),
        voids: None,
        session: Some(session.to_owned()),
        role: t.role,
        kind: INFORMED.into(),
        at,
        recorded_at: now,
        rule: rule.into(),
        detail: detail.into(),
        amount: None,
    });
    seen.assess_anew();
    Ok(())
}

async fn told(
    tx: &mut Tx,
    seen: &mut AssessedCase<'_>,
    t: &MoneyText,
    session: &SessionId,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let rule = if t.kind == MessageKind::AllPartiesNotice {
        "C07"
    } else {
        "C04"
    };
    seen.case.record.facts.push(RecordedFact {
        id: FactId::new(""),
        voids: None,
        session: Some(session.to_owned()),
        role: t.role,
        kind: "told".into(),
        at,
        recorded_at: now,
        rule: rule.into(),
        detail: write_told(t.kind.as_str(), None),
        amount: None,
    });
    seen.assess_anew();
    // The deadline that the text named is the one in force when it arrived.
    let deadline = seen
        .assessed
        .of(session)
        .and_then(|a| a.deadline)
        .filter(|_| t.kind != MessageKind::AllPartiesNotice);
    let detail = write_told(t.kind.as_str(), deadline);
    let row = Fact {
        case_id: Some(&seen.case.id),
        session_id: Some(session),
        role: t.role,
        kind: "told",
        at,
        by: "courtesy",
        rule,
        detail: &detail,
    };
    facts::add(tx, now, &[row]).await?;
    if let Some(last) = seen.case.record.facts.last_mut() {
        last.detail = detail.clone();
    }
    seen.assess_anew();
    tasks::mark_obsolete(tx, now, &TaskKey::untold(&t.id)).await
}

/// Opens a task for a person to tell the party what a text says.
pub(crate) async fn by_phone(
    tx: &mut Tx,
    case: &MoneyCase,
    t: &MoneyText,
    dedup_key: TaskKey,
    now: DateTime<Utc>,
) -> Result<()> {
    let task = NewTask {
        centre: Some(&case.centre),
        case_id: Some(&case.id),
        session_id: t.session.as_ref(),
        role: t.role,
        message_id: Some(&t.id),
        ..NewTask::new(dedup_key, TaskKind::TellByPhone)
    };
    tasks::open(tx, now, &task).await
}

/// The kind of the text that cannot be sent and that a person has to tell instead.
pub(crate) fn kind_of(task: &tasks::CaseTask, texts: &[MoneyText]) -> Option<MessageKind> {
    let text = texts.iter().find(|t| {
        task.message_id.as_ref() == Some(&t.id) || task.dedup_key.rings_for(&t.dedup_key)
    });
    // A referrer's task has no text: its cause is that of the release.
    text.map(|t| t.kind)
        .or_else(|| task.dedup_key.released_kind())
}

/// Closes tasks to tell somebody what is no longer true, and opens them again if it becomes true
/// again and nobody was told.
pub(crate) async fn keep(
    tx: &mut Tx,
    seen: &AssessedCase<'_>,
    texts: &[MoneyText],
    standing: &[tasks::CaseTask],
    now: DateTime<Utc>,
) -> Result<()> {
    for task in standing
        .iter()
        .filter(|t| matches!(t.topic, TaskKind::TellByPhone | TaskKind::TellReferrer))
    {
        let (Some(kind), Some(session)) = (kind_of(task, texts), &task.session_id) else {
            continue;
        };
        let role = task.role.filter(|_| {
            !matches!(
                kind,
                MessageKind::AllPartiesNotice | MessageKind::CaseClosed
            )
        });
        // The text arrived after all, and `record` closed the task.
        let arrived = texts
            .iter()
            .any(|t| task.message_id.as_ref() == Some(&t.id) && t.informed_at().is_some());
        let so = still_so(kind, &seen.assessed, session, role, now) && !arrived;
        match (task.open, so) {
            (true, false) => tasks::mark_obsolete_by_id(tx, now, &task.id).await?,
            (false, true) => tasks::reopen_obsolete_by_id(tx, &task.id).await?,
            _ => {}
        }
    }
    Ok(())
}
