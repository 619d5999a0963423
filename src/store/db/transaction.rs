//! An open transaction: single statements, and one statement for many rows.

use crate::store::db::arguments::{Arg, bind_all, placeholders};
use crate::store::db::rows::Row;
use crate::store::sealed::Sealed;
use anyhow::Result;
use sqlx::{Postgres, Sqlite};
use std::borrow::Cow;

/// An open transaction. Dropping it without `commit` rolls it back.
pub enum Tx {
    /// Of SQLite: the only writer while it is open.
    Sqlite(sqlx::Transaction<'static, Sqlite>, Sealed),
    Postgres(sqlx::Transaction<'static, Postgres>, Sealed),
}

impl Tx {
    /// Runs a statement. Returns the number of rows it changed.
    pub async fn exec(&mut self, sql: impl Into<Cow<'static, str>>, args: Vec<Arg>) -> Result<u64> {
        Ok(match self {
            Tx::Sqlite(tx, _) => bind_all!(sql, args, false)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            Tx::Postgres(tx, _) => bind_all!(sql, args, true)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// Runs a query. Returns its rows.
    pub async fn all(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Arg>,
    ) -> Result<Vec<Row>> {
        Ok(match self {
            Tx::Sqlite(tx, _) => bind_all!(sql, args, false)
                .fetch_all(&mut **tx)
                .await?
                .into_iter()
                .map(Row::Sqlite)
                .collect(),
            Tx::Postgres(tx, _) => bind_all!(sql, args, true)
                .fetch_all(&mut **tx)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    /// Runs a query. Returns its first row, if it has one.
    pub async fn one(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Arg>,
    ) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// How many rows of `width` values go into one statement.
    ///
    /// SQLite allows 32,766 values, PostgreSQL 65,535, but beyond a thousand it gets no faster on
    /// SQLite. The result is a power of two, so that only a few statements are prepared and cached.
    fn rows_at_once(&self, width: usize, remaining: usize) -> usize {
        let values = match self {
            Tx::Sqlite(..) => 1_000,
            Tx::Postgres(..) => 16_000,
        };
        let most = (values / width.max(1)).clamp(1, 512).min(remaining.max(1));
        1 << most.ilog2()
    }

    /// Inserts many rows, a few hundred per statement.
    ///
    /// `head` is `INSERT INTO t (a, b) VALUES`; `tail` is what follows the values.
    pub async fn insert_many(
        &mut self,
        head: &str,
        tail: &str,
        rows: Vec<Vec<Arg>>,
    ) -> Result<u64> {
        let mut done = 0;
        let mut rows = rows.into_iter().peekable();
        while let Some(width) = rows.peek().map(Vec::len) {
            let n = self.rows_at_once(width, rows.len());
            let chunk: Vec<Vec<Arg>> = rows.by_ref().take(n).collect();
            let sql = format!("{head} {} {tail}", self.placeholders(chunk.len(), width));
            done += self
                .exec(sql, chunk.into_iter().flatten().collect())
                .await?;
        }
        Ok(done)
    }

    /// Runs an `UPDATE … FROM v` for many rows: `WITH v (columns) AS (VALUES …) statement`.
    pub async fn update_many(
        &mut self,
        columns: &str,
        statement: &str,
        rows: Vec<Vec<Arg>>,
    ) -> Result<u64> {
        let mut done = 0;
        let mut rows = rows.into_iter().peekable();
        while let Some(width) = rows.peek().map(Vec::len) {
            let n = self.rows_at_once(width, rows.len());
            let chunk: Vec<Vec<Arg>> = rows.by_ref().take(n).collect();
            let sql = format!(
                "WITH v ({columns}) AS (VALUES {}) {statement}",
                self.placeholders(chunk.len(), width)
            );
            done += self
                .exec(sql, chunk.into_iter().flatten().collect())
                .await?;
        }
        Ok(done)
    }

    /// The placeholders of `rows` rows.
    ///
    /// SQLite searches numbered placeholders by name, which takes quadratic time. There they are
    /// not numbered.
    fn placeholders(&self, rows: usize, width: usize) -> String {
        match self {
            Tx::Sqlite(..) => {
                let row = format!("({})", vec!["?"; width].join(", "));
                vec![row; rows].join(", ")
            }
            Tx::Postgres(..) => placeholders(rows, width),
        }
    }

    /// Whether this is PostgreSQL, where several processes write at the same time.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Tx::Postgres(..))
    }

    /// Seals, opens and hashes private values.
    pub fn seal(&self) -> Sealed {
        match self {
            Tx::Sqlite(_, s) | Tx::Postgres(_, s) => s.clone(),
        }
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx, _) => tx.commit().await?,
            Tx::Postgres(tx, _) => tx.commit().await?,
        }
        Ok(())
    }
}
