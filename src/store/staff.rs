//! People of the centre. While none was ever named, every name may record.

use crate::args;
use crate::domain::people::staff::{Act, Person, StaffRole, may};
use crate::store::db::{Db, Row, Tx};
use anyhow::Result;
use chrono::{DateTime, Utc};

/// Names a person, or gives a named one another role.
pub async fn put(tx: &mut Tx, now: DateTime<Utc>, name: &str, role: StaffRole) -> Result<()> {
    tx.exec(
        "INSERT INTO staff (name, role, added_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
         SET role = excluded.role, removed_at = NULL",
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
        "SELECT name, role FROM staff WHERE removed_at IS NULL ORDER BY name",
        args![],
    )
    .await?
    .iter()
    .map(|r| Ok((r.text("name")?, r.word("role")?)))
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

/// Lets through only who may do this, by [`may`].
///
/// # Errors
/// An unknown user, once any user has existed; a role that is not enough.
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
            role: r.word("role")?,
            left: r.time_opt("removed_at")?.is_some(),
        })
    };
    let people: Vec<Person> = rows.iter().map(person).collect::<Result<_>>()?;
    may(&people, name, act).map_err(AllowError::NotAllowed)
}
