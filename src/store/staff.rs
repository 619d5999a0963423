//! Staff. As long as nobody was ever added, everybody may record.

use crate::args;
use crate::domain::people::staff::{Act, Person, StaffRole, may};
use crate::store::db::{Db, Row, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Adds a person, or changes the role of one.
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

/// Removes a person; what they recorded stays. Returns false if there is nobody by that name.
pub async fn remove(tx: &mut Tx, now: DateTime<Utc>, name: &str) -> Result<bool> {
    Ok(tx
        .exec(
            "UPDATE staff SET removed_at = $1 WHERE name = $2 AND removed_at IS NULL",
            args![now, name],
        )
        .await?
        == 1)
}

/// Current staff by name.
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

/// Why somebody was not let through.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// Unknown here, or the role is not enough; in a sentence for that person.
    #[error("{0}")]
    NotAllowed(String),
    /// The database did not answer.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Checks that this person may do that, by [`may`].
///
/// # Errors
/// Unknown user, once any user has existed, or a role without this right.
pub async fn allow(tx: &mut Tx, name: &str, act: Act) -> std::result::Result<(), AllowError> {
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
    may(&people, name, act).map_err(AllowError::NotAllowed)
}
