//! People of the centre. While none is named, every name may record.

use super::db::{Db, Tx};
use crate::args;
use crate::domain::staff::{Act, StaffRole};
use anyhow::{Result, bail};
use chrono::{DateTime, Utc};

/// Names a person, or gives a named one another role.
pub async fn put(tx: &mut Tx, now: DateTime<Utc>, name: &str, role: StaffRole) -> Result<()> {
    tx.exec(
        "INSERT INTO staff (name, role, added_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET role = excluded.role, removed_at = NULL",
        args![name, role.as_str(), now],
    )
    .await?;
    Ok(())
}

/// A person who left may record nothing more; what they recorded stays. False if nobody has that name.
pub async fn remove(tx: &mut Tx, now: DateTime<Utc>, name: &str) -> Result<bool> {
    Ok(tx.exec("UPDATE staff SET removed_at = $1 WHERE name = $2 AND removed_at IS NULL", args![now, name]).await? == 1)
}

/// Everybody who may record, by name.
pub async fn list(db: &Db) -> Result<Vec<(String, StaffRole)>> {
    db.all("SELECT name, role FROM staff WHERE removed_at IS NULL ORDER BY name", args![]).await?.iter().map(|r| Ok((r.text("name")?, r.word("role")?))).collect()
}

/// Whether this person may do that.
///
/// # Errors
/// In plain words: somebody who is not named where others are, or whose role is not enough.
pub async fn allow(tx: &mut Tx, name: &str, act: Act) -> Result<()> {
    let rows = tx.all("SELECT name, role FROM staff WHERE removed_at IS NULL ORDER BY name", args![]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    for r in &rows {
        if r.text("name")? != name {
            continue;
        }
        let role: StaffRole = r.word("role")?;
        if role.may(act) {
            return Ok(());
        }
        match act {
            Act::Decide => bail!("{name} is a {role}; this is for a manager to decide, so nothing was recorded"),
            _ => bail!("{name} is a {role} and may not record this; nothing was recorded"),
        }
    }
    bail!("{name:?} is no person of this centre; say --as NAME (`courtesy user list` shows who may). Nothing was recorded")
}
