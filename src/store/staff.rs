//! People of the centre. While none was ever named, every name may record.

use crate::args;
use crate::domain::people::staff::{Act, Person, StaffRole, may};
use crate::store::db::{Db, Row, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Names a person, or gives a named one another role.
pub async fn put(tx: &mut Tx, now: DateTime<Utc>, name: &str, role: StaffRole) -> Result<()> {
    tx.exec(
        "INSERT INTO staff (name, role, added_at)
         VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role, removed_at = NULL",
        args![name, role.as_str(), now],
    )
    .await?;
    Ok(())
}

/// A person who left may record nothing more; what they recorded stays. False if nobody has that
/// name.
pub async fn remove(tx: &mut Tx, now: DateTime<Utc>, name: &str) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE staff SET removed_at = $1 WHERE name = $2 AND removed_at IS NULL",
            args![now, name],
        )
        .await?
        == 1)
}

/// Everybody who may record, by name.
pub async fn list(db: &Db) -> Result<Vec<(String, StaffRole)>> {
    db.all(
        "SELECT name, role
         FROM staff
         WHERE removed_at IS NULL
         ORDER BY name",
        args![],
    )
    .await?
    .iter()
    .map(|r| Ok((r.text("name")?, r.parsed("role")?)))
    .collect()
}

/// Whether this person may do that, by `domain::staff`.
///
/// # Errors
/// In plain words: somebody who is not named where others are or were, or whose role is not enough.
pub async fn allow(tx: &mut Tx, name: &str, act: Act) -> Result<()> {
    let rows = tx
        .all(
            "SELECT name, role, removed_at FROM staff ORDER BY name",
            args![],
        )
        .await?;
    let person = |r: &Row| -> Result<Person> {
        Ok(Person {
            name: r.text("name")?,
            role: r.parsed("role")?,
            left: r.time_opt("removed_at")?.is_some(),
        })
    };
    let people: Vec<Person> = rows.iter().map(person).collect::<Result<_>>()?;
    may(&people, name, act).map_err(anyhow::Error::msg)
}
