//! Rows of a result, read by column name.

use crate::domain::ids::Id;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row of either database.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getter {
    ($(#[$m:meta])* $name:ident, $t:ty) => {
        $(#[$m])*
        pub fn $name(&self, column: &str) -> Result<$t> {
            match self {
                Row::Sqlite(r) => r.try_get(column),
                Row::Postgres(r) => r.try_get(column),
            }
            .with_context(|| format!("column {column}"))
        }
    };
}

impl Row {
    getter!(/** A text. */ text, String);
    getter!(/** A text or NULL. */ text_opt, Option<String>);
    getter!(/** A whole number. */ int, i64);
    getter!(/** A whole number or NULL. */ int_opt, Option<i64>);
    getter!(/** A boolean. */ flag, bool);
    getter!(/** An instant. */ time, DateTime<Utc>);
    getter!(/** An instant or NULL. */ time_opt, Option<DateTime<Utc>>);

    pub fn id<I: Id>(&self, column: &str) -> Result<I> {
        self.text(column).map(I::from_text)
    }

    /// An id or NULL.
    pub fn id_opt<I: Id>(&self, column: &str) -> Result<Option<I>> {
        Ok(self.text_opt(column)?.map(I::from_text))
    }

    /// An enum of the domain, stored as text.
    pub fn parsed<T: std::str::FromStr<Err = String>>(&self, column: &str) -> Result<T> {
        self.text(column)?
            .parse()
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("column {column}"))
    }

    /// An enum of the domain, stored as text, or NULL.
    pub fn parsed_opt<T: std::str::FromStr<Err = String>>(
        &self,
        column: &str,
    ) -> Result<Option<T>> {
        self.text_opt(column)?
            .map(|text| text.parse().map_err(anyhow::Error::msg))
            .transpose()
    }
}
