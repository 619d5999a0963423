//! Fees, steps and planned notices, as lists and pages show them.

use crate::domain::ids::{CaseId, FeeId, SessionId};
use crate::domain::money::amount::Money;
use crate::domain::money::policy::{FeeStanding, FeeState, NoticeKind, RuleStep};
use crate::domain::outgoing::message::MessageKind;
use crate::domain::people::role::Role;
use crate::flows::money::assessed_case::{AssessedCase, called};
use crate::flows::money::standing::in_words;
use crate::store::{Db, centres, money, sessions};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// A fee as lists show it.
#[derive(Debug, Clone)]
pub struct ListedFee {
    pub id: FeeId,
    pub case_ref: String,
    /// The session that it is for, and its start.
    pub session: SessionId,
    /// See `session`.
    pub starts_at: DateTime<Utc>,
    /// Who has to pay.
    pub liable: Option<Role>,
    pub charge: Money,
    pub standing: FeeStanding,
    /// The deadline for note or money, while one runs.
    pub due_at: Option<DateTime<Utc>>,
}

/// The fees of a centre, or of all centres, as of `now`.
pub async fn fees(db: &Db, centre: Option<&str>, now: DateTime<Utc>) -> Result<Vec<ListedFee>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let mut out = Vec::new();
    for id in money::cases_with_fees(&mut tx, centre).await? {
        let seen = AssessedCase::of(&mut tx, &all, &id).await?;
        let (now, case) = (seen.present(now), &seen.case);
        for a in &seen.assessed.sessions {
            let standing = a.result.standing_at(now);
            let Some(session) = case
                .record
                .sessions
                .iter()
                .find(|s| s.id == a.session)
                .filter(|_| standing.charge > 0)
            else {
                continue;
            };
            out.push(ListedFee {
                id: money::fee_id(&tx, &a.session),
                case_ref: case.case_ref.clone(),
                session: a.session.clone(),
                starts_at: session.start,
                liable: standing.liable.map(|p| p.role()),
                charge: a.result.charge.with(standing.charge),
                standing,
                due_at: a
                    .result
                    .deadline
                    .filter(|_| matches!(standing.fee, FeeState::Due | FeeState::Provisional)),
            });
        }
    }
    Ok(out)
}

/// The steps of a case by the rules on money up to `now`, each with its session.
pub async fn steps(
    db: &Db,
    case_id: &CaseId,
    now: DateTime<Utc>,
) -> Result<Vec<(RuleStep, SessionId)>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let seen = AssessedCase::of(&mut tx, &all, case_id).await?;
    let now = seen.present(now);
    Ok(seen
        .assessed
        .sessions
        .into_iter()
        .flat_map(|a| {
            a.result
                .steps
                .into_iter()
                .filter(|s| s.at <= now)
                .map(move |s| (s, a.session.clone()))
        })
        .collect())
}

/// The standing of a case's fees, in words for staff.
pub async fn standing_in_words(
    db: &Db,
    case_id: &CaseId,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let seen = AssessedCase::of(&mut tx, &all, case_id).await?;
    Ok(in_words(&seen, seen.present(now)))
}

/// A notice that the rules will call for if nothing else happens.
#[derive(Debug, Clone)]
pub struct PlannedNotice {
    pub at: DateTime<Utc>,
    pub kind: MessageKind,
    /// Whether a person has to release it.
    pub needs_release: bool,
    /// The case's reference, and its centre's code.
    pub case_ref: String,
    /// See `case_ref`.
    pub centre: String,
    /// About which session, in its present version.
    pub session: SessionId,
    /// See `session`.
    pub session_version: i64,
    /// To whom; `None` means all parties.
    pub role: Option<Role>,
    pub rule: &'static str,
}

/// The notices about money that fall into a span, if nothing else happens from its beginning.
pub async fn planned(
    db: &Db,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<PlannedNotice>> {
    let mut tx = db.begin().await?;
    let all = centres::all_in(&mut tx).await?;
    let mut out = Vec::new();
    for id in money::cases_with_fees(&mut tx, None).await? {
        let seen = AssessedCase::of(&mut tx, &all, &id).await?;
        let (from, case, assessed) = (seen.present(from), &seen.case, &seen.assessed);
        for c in called(assessed, until).into_iter().filter(|c| c.at > from) {
            let NoticeKind::Message(kind) = c.kind else {
                continue;
            };
            let version = sessions::get(&mut tx, c.session)
                .await?
                .map_or(0, |s| s.version);
            let rule = assessed
                .of(c.session)
                .and_then(|a| a.notices.iter().find(|n| n.at == c.at && n.kind == c.kind))
                .map_or("", |n| n.rule);
            let (case_ref, centre) = (case.case_ref.clone(), case.centre.clone());
            out.push(PlannedNotice {
                at: c.at,
                kind,
                needs_release: c.kind.needs_release(),
                case_ref,
                centre,
                session: c.session.to_owned(),
                session_version: version,
                role: c.role,
                rule,
            });
        }
    }
    out.sort_by_key(|p| p.at);
    Ok(out)
}
