//! Facts about a case: append-only, with the time they happened and the time they were recorded.

use crate::args;
use crate::domain::ids::{CaseId, FactId, SessionId};
use crate::domain::people::private::Private;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::{AttendeeContext, Session};
use crate::store::db::{Arg, Db, Tx};
use crate::store::sealed::random_id;
use anyhow::Result;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A fact to record.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    /// Its case, if known.
    pub case_id: Option<&'a CaseId>,
    /// The session it is about, if any.
    pub session_id: Option<&'a SessionId>,
    /// The party it is about, if any.
    pub role: Option<Role>,
    /// Its kind: `booked`, `confirmed`, `cancel_asked`, `cancelled`, `taken_back`, `moved` …
    pub kind: &'a str,
    pub at: DateTime<Utc>,
    /// Who recorded it: `courtesy`, or the name given with `--as`.
    pub by: &'a str,
    /// The rule that applies.
    pub rule: &'a str,
    /// Details for staff; stored sealed.
    pub detail: &'a str,
}

impl<'a> Fact<'a> {
    /// A fact that is about nothing in particular yet.
    pub fn new(kind: &'a str, rule: &'a str, by: &'a str, at: DateTime<Utc>) -> Fact<'a> {
        Fact {
            case_id: None,
            session_id: None,
            role: None,
            kind,
            at,
            by,
            rule,
            detail: "",
        }
    }

    /// A fact that nobody of the staff recorded.
    pub fn by_program(kind: &'a str, rule: &'a str, at: DateTime<Utc>) -> Fact<'a> {
        Fact::new(kind, rule, "courtesy", at)
    }

    /// About this session of its case.
    pub fn of_session(self, session: &'a Session) -> Fact<'a> {
        self.case(&session.case_id).session(&session.id)
    }

    /// About this parent of a session.
    pub fn of_attendee(self, context: &'a AttendeeContext) -> Fact<'a> {
        self.of_session(&context.session)
            .role(context.attendee.role)
    }

    /// About this case.
    pub fn case(self, id: &'a CaseId) -> Fact<'a> {
        Fact {
            case_id: Some(id),
            ..self
        }
    }

    /// About this session.
    pub fn session(self, id: &'a SessionId) -> Fact<'a> {
        Fact {
            session_id: Some(id),
            ..self
        }
    }

    /// About this party.
    pub fn role(self, role: Role) -> Fact<'a> {
        Fact {
            role: Some(role),
            ..self
        }
    }

    /// With more for staff.
    pub fn detail(self, detail: &'a str) -> Fact<'a> {
        Fact { detail, ..self }
    }
}

/// Records facts.
pub async fn add(tx: &mut Tx, now: DateTime<Utc>, facts: &[Fact<'_>]) -> Result<()> {
    let seal = tx.seal();
    let rows: Vec<Vec<Arg>> = facts
        .iter()
        .map(|f| {
            args![
                random_id(),
                f.case_id,
                f.session_id,
                f.role.map(Role::as_str),
                f.kind,
                f.at,
                now,
                f.by,
                f.rule,
                seal.seal(f.detail)
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO fact (
           id, case_id, session_id, role, kind, at, recorded_at, by_whom, rule, detail
         ) VALUES",
        "",
        rows,
    )
    .await?;
    Ok(())
}

/// Records a fact with an amount in minor units of a currency.
pub async fn add_amount(
    tx: &mut Tx,
    now: DateTime<Utc>,
    f: &Fact<'_>,
    minor: i64,
    currency: &str,
) -> Result<()> {
    let detail = tx.seal().seal(f.detail);
    tx.exec(
        "INSERT INTO fact (
           id, case_id, session_id, role, kind, at, recorded_at, by_whom, rule, detail, amount,
           currency
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            random_id(),
            f.case_id,
            f.session_id,
            f.role.map(Role::as_str),
            f.kind,
            f.at,
            now,
            f.by,
            f.rule,
            detail,
            minor,
            currency
        ],
    )
    .await?;
    Ok(())
}

/// Voids a fact by recording another one that names it.
///
/// # Errors
/// The fact was voided before.
pub async fn void(tx: &mut Tx, now: DateTime<Utc>, voids: &FactId, f: &Fact<'_>) -> Result<()> {
    let detail = tx.seal().seal(f.detail);
    tx.exec(
        "INSERT INTO fact (
           id, case_id, session_id, role, kind, at, recorded_at, by_whom, rule, detail, voids
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            random_id(),
            f.case_id,
            f.session_id,
            f.role.map(Role::as_str),
            f.kind,
            f.at,
            now,
            f.by,
            f.rule,
            detail,
            voids
        ],
    )
    .await?;
    Ok(())
}

/// A fact that is about to be voided.
#[derive(Debug)]
pub struct FactToVoid {
    pub case_id: Option<CaseId>,
    pub session_id: Option<SessionId>,
    pub role: Option<Role>,
    pub kind: String,
    pub at: DateTime<Utc>,
    pub by: String,
    /// It was voided before.
    pub voided: bool,
}

/// A fact by its id.
pub async fn get(tx: &mut Tx, id: &FactId) -> Result<Option<FactToVoid>> {
    let row = tx
        .one(
            "SELECT f.case_id, f.session_id, f.role, f.kind, f.at, f.by_whom, v.id AS voided_by
             FROM fact f
             LEFT JOIN fact v ON v.voids = f.id
             WHERE f.id = $1",
            args![id],
        )
        .await?;
    row.map(|r| {
        Ok(FactToVoid {
            case_id: r.id_opt("case_id")?,
            session_id: r.id_opt("session_id")?,
            role: r.parsed_opt("role")?,
            kind: r.text("kind")?,
            at: r.time("at")?,
            by: r.text("by_whom")?,
            voided: r.text_opt("voided_by")?.is_some(),
        })
    })
    .transpose()
}

#[derive(Debug, Clone)]
pub struct StoredFact {
    pub id: FactId,
    /// The fact that it voids.
    pub voids: Option<FactId>,
    /// The session it is about, if any.
    pub session_id: Option<SessionId>,
    /// The party it is about, if any.
    pub role: Option<Role>,
    pub kind: String,
    pub at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    pub by: String,
    /// The rule that applied.
    pub rule: String,
    /// Details for staff.
    pub detail: Private,
    /// The amount of a payment: minor units and currency.
    pub amount: Option<(i64, String)>,
}

/// The facts of a case in the order in which they happened.
pub async fn of_case(db: &Db, case_id: &CaseId) -> Result<Vec<StoredFact>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT id, voids, session_id, role, kind, at, recorded_at, by_whom, rule, detail,
               amount, currency
             FROM fact
             WHERE case_id = $1
             ORDER BY at, recorded_at, kind",
            args![case_id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(StoredFact {
                id: r.id("id")?,
                voids: r.id_opt("voids")?,
                session_id: r.id_opt("session_id")?,
                role: r.parsed_opt("role")?,
                kind: r.text("kind")?,
                at: r.time("at")?,
                recorded_at: r.time("recorded_at")?,
                by: r.text("by_whom")?,
                rule: r.text("rule")?,
                detail: seal.open(&r.text("detail")?),
                amount: r.int_opt("amount")?.zip(r.text_opt("currency")?),
            })
        })
        .collect()
}

/// Number of facts of a kind, with one of two rules, recorded at a centre since `since`.
pub async fn count_since(
    tx: &mut Tx,
    kind: &str,
    rules: &[&str; 2],
    centre: &str,
    since: DateTime<Utc>,
) -> Result<i64> {
    let row = tx
        .one(
            "SELECT count(*) AS n
             FROM fact f
             JOIN case_file c ON c.id = f.case_id
             WHERE f.kind = $1 AND f.rule IN ($2, $5) AND c.centre = $3 AND f.recorded_at > $4",
            args![kind, rules[0], centre, since, rules[1]],
        )
        .await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// Who attended which session of a centre, by the latest record. True means that they came.
pub async fn attendance(db: &Db, centre: &str) -> Result<HashMap<(SessionId, Role), bool>> {
    let seal = db.seal();
    let rows = db
        .all(
            "SELECT f.session_id, f.kind, f.detail
             FROM fact f
             JOIN case_file c ON c.id = f.case_id
             WHERE c.centre = $1
               AND f.kind IN ('attended', 'no_show')
               AND f.session_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM fact v WHERE v.voids = f.id)
             ORDER BY f.recorded_at, f.id",
            args![centre],
        )
        .await?;
    let mut out = HashMap::new();
    for r in rows {
        let (session, attended, who): (SessionId, _, _) = (
            r.id("session_id")?,
            r.text("kind")? == "attended",
            seal.open(&r.text("detail")?).0,
        );
        for role in [Role::Resident, Role::Contact] {
            if who == "both" || who == role.as_str() {
                out.insert((session.clone(), role), attended);
            }
        }
    }
    Ok(out)
}
