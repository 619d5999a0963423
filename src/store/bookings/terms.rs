//! The terms that each session keeps from its booking.

use crate::args;
use crate::domain::ids::{CaseId, SessionId};
use crate::domain::local_time::parse_local;
use crate::domain::visits::terms::Terms;
use crate::store::db::{Row, Tx};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};

/// The columns that [`read_terms`] reads.
pub(super) const TERMS: &str = "notice_hours, fee_minor, currency, payer, payment_days";

pub(super) fn read_terms(r: &Row) -> Result<Terms> {
    Ok(Terms {
        notice_hours: r.int("notice_hours")?,
        fee_minor: r.int("fee_minor")?,
        currency: r.text("currency")?,
        payer: r.text("payer")?,
        payment_days: r.int("payment_days")?,
    })
}

/// A booked future session with its terms.
pub struct SessionTerms {
    pub session: SessionId,
    pub case_id: CaseId,
    pub day: NaiveDate,
    pub terms: Terms,
}

/// The booked future sessions of a centre from a day on, with their terms. Locks them.
pub async fn booked_terms(
    tx: &mut Tx,
    centre: &str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<SessionTerms>> {
    let rows = tx
        .all(
            format!(
                "SELECT s.id, s.case_id, s.start_local, {TERMS}
                 FROM session s
                 WHERE s.case_id IN (SELECT id FROM case_file WHERE centre = $1)
                   AND s.state = 'booked'
                   AND s.start_local >= $2
                   AND s.starts_at > $3
                 ORDER BY s.id {{lock}}"
            ),
            args![centre, day.to_string(), now],
        )
        .await?;
    let kept = |r: &Row| -> Result<SessionTerms> {
        Ok(SessionTerms {
            session: r.id("id")?,
            case_id: r.id("case_id")?,
            day: parse_local(&r.text("start_local")?)
                .context("start_local")?
                .date(),
            terms: read_terms(r)?,
        })
    };
    rows.iter().map(kept).collect()
}

/// Changes the terms of sessions.
pub async fn set_terms(tx: &mut Tx, rows: &[(SessionId, Terms)]) -> Result<()> {
    let rows = rows
        .iter()
        .map(|(id, t)| {
            args![
                id,
                t.notice_hours,
                t.fee_minor,
                &t.currency,
                &t.payer,
                t.payment_days
            ]
        })
        .collect();
    tx.update_many(
        "id, notice_hours, fee_minor, currency, payer, payment_days",
        "UPDATE session
         SET notice_hours = v.notice_hours, fee_minor = v.fee_minor, currency = v.currency,
           payer = v.payer, payment_days = v.payment_days
         FROM v
         WHERE session.id = v.id",
        rows,
    )
    .await?;
    Ok(())
}
