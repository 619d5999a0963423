//! Opens the database. Real families and the simulator never share one.

use crate::config::Settings;
use crate::store::{Db, centres};
use anyhow::{Result, bail};

/// What a database is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Real families.
    Service,
    /// `courtesy demo`.
    Simulator,
}

impl Purpose {
    /// The word that marks the database.
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Service => "service",
            Purpose::Simulator => "practice",
        }
    }
}

/// Opens the database of the settings and brings it up to date. With a purpose, the database is
/// marked for it, and refused if it is marked for the other.
pub async fn open_db(settings: &Settings, purpose: Option<Purpose>) -> Result<Db> {
    let db = Db::open(&settings.database_url).await?;
    db.migrate().await?;
    let Some(purpose) = purpose else {
        return Ok(db);
    };
    let marked = centres::set_once(&db, "purpose", purpose.as_str()).await?;
    if marked == purpose.as_str() {
        return Ok(db);
    }
    match purpose {
        Purpose::Simulator => {
            bail!("this database has served real families; practise in another folder (--dir)")
        }
        Purpose::Service => {
            bail!("this database is for practice; name another one in database.url")
        }
    }
}
