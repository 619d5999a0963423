//! A new referral opens a closed file.

use crate::domain::people::staff::Act;
use crate::flows::error::{Result, refuse};
use crate::flows::money::standing::{StandingLines, assessed, finish};
use crate::flows::recording::{Recording, not_in_the_future};
use crate::flows::service::Service;
use crate::store::cases::Case;
use crate::store::facts;
use crate::store::staff;

/// A new referral opens a closed file again, once nothing is owed (seed 001: "a new referral would
/// be required if the contact is reinstated following … receiving the outstanding fee in full").
///
/// # Errors
/// The file is open, or something is still owed; somebody who may not.
pub async fn referral(svc: &Service, case: &Case, rec: &Recording<'_>) -> Result<StandingLines> {
    let now = svc.clock.now();
    not_in_the_future(rec.at, now)?;
    let mut tx = svc.db.begin().await?;
    staff::allow(&mut tx, rec.by, Act::Record).await?;
    let (_, _, before) = assessed(&mut tx, &case.id).await?;
    let whole = before.at(now);
    if !whole.archived {
        refuse!(
            "the file of {} is open; nothing was recorded",
            case.case_ref
        );
    }
    if whole.outstanding > 0 {
        refuse!(
            "something is still owed on {}; record the payment first",
            case.case_ref
        );
    }
    let f = rec.fact("new_referral", "C20").case(&case.id);
    facts::add(&mut tx, now, &[f]).await?;
    finish(svc, tx, &case.id, now).await
}
