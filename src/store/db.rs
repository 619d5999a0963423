//! The two databases: the only file that knows that there are two. One SQL text with `$1`
//! placeholders runs on both; `{skip}` and `{lock}` stand for the row locks that only PostgreSQL
//! needs.

use crate::domain::ids::{AttemptToken, CaseId, Id, MessageId, SessionId};
use crate::store::sealed::{Sealed, random_token};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Postgres, Row as _, SqlSafeStr, Sqlite};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "foundations",
        include_str!("../../migrations/0001_foundations.sql"),
    ),
    (
        2,
        "chats and people",
        include_str!("../../migrations/0002_chats_and_people.sql"),
    ),
    (3, "money", include_str!("../../migrations/0003_money.sql")),
    (
        4,
        "bookings",
        include_str!("../../migrations/0004_bookings.sql"),
    ),
    (
        5,
        "quiet word",
        include_str!("../../migrations/0005_quiet_word.sql"),
    ),
    (
        6,
        "whatsapp",
        include_str!("../../migrations/0006_whatsapp.sql"),
    ),
    (
        7,
        "money more",
        include_str!("../../migrations/0007_money_more.sql"),
    ),
    (
        9,
        "conversation",
        include_str!("../../migrations/0009_conversation.sql"),
    ),
];

/// A value bound to a placeholder. A missing one still has its type.
#[derive(Debug, Clone)]
pub enum Arg {
    /// Text.
    Text(Option<String>),
    /// Whole number.
    Int(Option<i64>),
    /// Yes or no.
    Bool(bool),
    /// Instant, to the microsecond.
    Time(Option<DateTime<Utc>>),
}

macro_rules! arg_from {
    ($($t:ty => |$v:ident| $e:expr),+ $(,)?) => { $(impl From<$t> for Arg { fn from($v: $t) -> Arg { $e } })+ };
}
arg_from! {
    &str => |v| Arg::Text(Some(v.to_owned())),
    &String => |v| Arg::Text(Some(v.clone())),
    String => |v| Arg::Text(Some(v)),
    Option<String> => |v| Arg::Text(v),
    &Option<String> => |v| Arg::Text(v.clone()),
    Option<&str> => |v| Arg::Text(v.map(str::to_owned)),
    i64 => |v| Arg::Int(Some(v)),
    Option<i64> => |v| Arg::Int(v),
    AttemptToken => |v| Arg::Text(Some(v.into_text())),
    CaseId => |v| Arg::Text(Some(v.into_text())),
    MessageId => |v| Arg::Text(Some(v.into_text())),
    SessionId => |v| Arg::Text(Some(v.into_text())),
    bool => |v| Arg::Bool(v),
    DateTime<Utc> => |v| Arg::Time(Some(v)),
    Option<DateTime<Utc>> => |v| Arg::Time(v),
}

impl<I: Id> From<&I> for Arg {
    fn from(id: &I) -> Arg {
        Arg::from(id.as_str())
    }
}

impl<I: Id> From<Option<&I>> for Arg {
    fn from(id: Option<&I>) -> Arg {
        Arg::from(id.map(Id::as_str))
    }
}

impl<I: Id> From<&Option<I>> for Arg {
    fn from(id: &Option<I>) -> Arg {
        Arg::from(id.as_ref())
    }
}

/// The values of a statement's placeholders, in order.
#[macro_export]
macro_rules! args {
    ($($v:expr),* $(,)?) => { vec![$($crate::store::db::Arg::from($v)),*] };
}

/// A row of either database.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
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
    getter!(/** A text or nothing. */ text_opt, Option<String>);
    getter!(/** A whole number. */ int, i64);
    getter!(/** A whole number or nothing. */ int_opt, Option<i64>);
    getter!(/** Yes or no. */ flag, bool);
    getter!(/** An instant. */ time, DateTime<Utc>);
    getter!(/** An instant or nothing. */ time_opt, Option<DateTime<Utc>>);

    /// An id.
    pub fn id<I: Id>(&self, column: &str) -> Result<I> {
        self.text(column).map(I::from_text)
    }

    /// An id or nothing.
    pub fn id_opt<I: Id>(&self, column: &str) -> Result<Option<I>> {
        Ok(self.text_opt(column)?.map(I::from_text))
    }

    /// A word of one of the domain's enums.
    pub fn word<T: std::str::FromStr<Err = String>>(&self, column: &str) -> Result<T> {
        self.text(column)?
            .parse()
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("column {column}"))
    }

    /// A word or nothing.
    pub fn word_opt<T: std::str::FromStr<Err = String>>(&self, column: &str) -> Result<Option<T>> {
        self.text_opt(column)?
            .map(|w| w.parse().map_err(anyhow::Error::msg))
            .transpose()
    }
}

enum Pools {
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
        path: PathBuf,
    },
    Postgres {
        pool: PgPool,
    },
}

/// A database.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    seal: Arc<OnceLock<Sealed>>,
}

/// An open transaction; dropped without `commit`, nothing of it happened.
pub enum Tx {
    /// Of SQLite: the only writer while it is open.
    Sqlite(sqlx::Transaction<'static, Sqlite>, Sealed),
    /// Of PostgreSQL.
    Postgres(sqlx::Transaction<'static, Postgres>, Sealed),
}

fn sql_for(sql: Cow<'static, str>, postgres: bool) -> sqlx::SqlStr {
    if !sql.contains('{') {
        return match sql {
            Cow::Borrowed(s) => s.into_sql_str(),
            Cow::Owned(s) => AssertSqlSafe(s).into_sql_str(),
        };
    }
    let (skip, lock) = if postgres {
        ("FOR UPDATE SKIP LOCKED", "FOR UPDATE")
    } else {
        ("", "")
    };
    AssertSqlSafe(sql.replace("{skip}", skip).replace("{lock}", lock)).into_sql_str()
}

macro_rules! bind_all {
    ($sql:expr, $args:expr, $postgres:expr) => {{
        let mut query = sqlx::query(sql_for($sql.into(), $postgres));
        for arg in $args {
            query = match arg {
                Arg::Text(v) => query.bind(v),
                Arg::Int(v) => query.bind(v),
                Arg::Bool(v) => query.bind(v),
                Arg::Time(v) => query.bind(v),
            };
        }
        query
    }};
}

impl Tx {
    /// Runs a statement; gives the number of rows it touched.
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

    /// Runs a query; gives its rows.
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

    /// Runs a query that gives one row or none.
    pub async fn one(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Arg>,
    ) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Rows of this width in one statement: SQLite takes 32,766 values, PostgreSQL 65,535; beyond a
    /// thousand nothing is gained. The number is a power of two, so that few statements are
    /// prepared and kept.
    fn rows_at_once(&self, width: usize, left: usize) -> usize {
        let values = match self {
            Tx::Sqlite(..) => 1_000,
            Tx::Postgres(..) => 16_000,
        };
        let most = (values / width.max(1)).clamp(1, 512).min(left.max(1));
        1 << most.ilog2()
    }

    /// Inserts many rows with one statement a few hundred rows; `head` is `INSERT INTO t (a, b)
    /// VALUES`, `tail` what follows.
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

    /// Runs one statement for many rows through `WITH v (columns) AS (VALUES …) statement`.
    pub async fn with_many(
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

    /// The placeholders of so many rows. SQLite looks numbered ones up by their names, one after
    /// the other, which costs the square of their number; so there they have none.
    fn placeholders(&self, rows: usize, width: usize) -> String {
        match self {
            Tx::Sqlite(..) => {
                let row = format!("({})", vec!["?"; width].join(", "));
                vec![row; rows].join(", ")
            }
            Tx::Postgres(..) => placeholders(rows, width),
        }
    }

    /// Whether it is PostgreSQL, where others write at the same time.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Tx::Postgres(..))
    }

    /// The seal of this database.
    pub fn seal(&self) -> Sealed {
        match self {
            Tx::Sqlite(_, s) | Tx::Postgres(_, s) => s.clone(),
        }
    }

    /// Makes everything of it happen.
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx, _) => tx.commit().await?,
            Tx::Postgres(tx, _) => tx.commit().await?,
        }
        Ok(())
    }
}

/// `($1, $2), ($3, $4)` for `rows` rows of `width` values.
fn placeholders(rows: usize, width: usize) -> String {
    let row = |r: usize| {
        format!(
            "({})",
            (1..=width)
                .map(|c| format!("${}", r * width + c))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$1, $2, …` for a list of `n` values, counted from `first`.
pub fn list_of(first: usize, n: usize) -> String {
    (first..first + n)
        .map(|i| format!("${i}"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Db {
    /// Opens a database by its address; a SQLite file is made if it is missing. Nothing is written
    /// yet.
    ///
    /// # Errors
    /// In plain words: an address of no kind that is known, a file or server that cannot be
    /// reached.
    pub async fn open(url: &str) -> Result<Db> {
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = PathBuf::from(
                path.strip_prefix("//")
                    .unwrap_or(path)
                    .split('?')
                    .next()
                    .unwrap_or(path),
            );
            if let Some(folder) = path
                .parent()
                .filter(|p| !p.as_os_str().is_empty() && !p.exists())
            {
                bail!(
                    "database.url: the folder {} does not exist; make it, or name another file",
                    folder.display()
                );
            }
            let options = SqliteConnectOptions::new()
                .filename(&path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(20));
            let pool = |n| {
                SqlitePoolOptions::new()
                    .max_connections(n)
                    .min_connections(0)
                    .acquire_timeout(Duration::from_secs(30))
            };
            let write = pool(1)
                .connect_with(options.clone())
                .await
                .with_context(|| format!("database.url: cannot open {}", path.display()))?;
            let read = pool(3).connect_lazy_with(options.pragma("query_only", "true"));
            Pools::Sqlite { write, read, path }
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let pool = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(Duration::from_secs(10))
                .connect(url)
                .await
                .context(
                    "database.url: cannot reach the PostgreSQL server; is it running, and are \
                          user and database right?",
                )?;
            Pools::Postgres { pool }
        } else {
            bail!(
                "database.url: {url:?} is no address of a database; write sqlite://courtesy.db or \
                 postgres://user@host/db"
            );
        };
        Ok(Db {
            pools: Arc::new(pools),
            seal: Arc::new(OnceLock::new()),
        })
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(*self.pools, Pools::Postgres { .. })
    }

    /// The file of a SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &*self.pools {
            Pools::Sqlite { path, .. } => Some(path),
            Pools::Postgres { .. } => None,
        }
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// A database written by a newer program is refused, and left as it is.
    pub async fn migrate(&self) -> Result<()> {
        let migrator = Migrator::with_migrations(
            MIGRATIONS
                .iter()
                .map(|(v, name, sql)| {
                    let sql = with_triggers(sql, self.is_postgres());
                    Migration::new(
                        *v,
                        (*name).into(),
                        MigrationType::Simple,
                        AssertSqlSafe(sql).into_sql_str(),
                        false,
                    )
                })
                .collect(),
        );
        let result = match &*self.pools {
            Pools::Sqlite { write, .. } => migrator.run(write).await,
            Pools::Postgres { pool } => migrator.run(pool).await,
        };
        match result {
            Ok(()) => {}
            Err(MigrateError::VersionMissing(v)) => bail!(
                "the database was written by a newer version of courtesy (it has migration {v}, \
                 this program knows {}); use that version, nothing was changed",
                MIGRATIONS.last().map_or(0, |m| m.0)
            ),
            Err(MigrateError::VersionMismatch(v)) => bail!(
                "migration {v} of the database is not the one of this program; was the file edited?"
            ),
            Err(e) => return Err(e).context("the database cannot be brought up to date"),
        }
        self.load_keys().await
    }

    async fn load_keys(&self) -> Result<()> {
        let mut tx = self.begin_bare().await?;
        tx.exec(
            "INSERT INTO setting (key, value)
             VALUES ('lookup_key', $1)
             ON CONFLICT (key) DO NOTHING",
            args![random_token()],
        )
        .await?;
        let row = tx
            .one(
                "SELECT value FROM setting WHERE key = 'lookup_key'",
                args![],
            )
            .await?
            .context("the look-up key is missing")?;
        let seal = Sealed::new(&row.text("value")?);
        tx.commit().await?;
        self.seal.get_or_init(|| seal);
        Ok(())
    }

    /// The seal of this database.
    pub fn seal(&self) -> Sealed {
        self.seal.get().cloned().unwrap_or_else(|| Sealed::new(""))
    }

    async fn begin_bare(&self) -> Result<Tx> {
        let seal = self.seal();
        Ok(match &*self.pools {
            Pools::Sqlite { write, .. } => {
                Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?, seal)
            }
            Pools::Postgres { pool } => Tx::Postgres(pool.begin().await?, seal),
        })
    }

    /// Opens a transaction that writes.
    pub async fn begin(&self) -> Result<Tx> {
        self.begin_bare()
            .await
            .context("the database does not answer")
    }

    /// Reads rows outside any transaction.
    pub async fn all(&self, sql: impl Into<Cow<'static, str>>, args: Vec<Arg>) -> Result<Vec<Row>> {
        Ok(match &*self.pools {
            Pools::Sqlite { read, .. } => bind_all!(sql, args, false)
                .fetch_all(read)
                .await?
                .into_iter()
                .map(Row::Sqlite)
                .collect(),
            Pools::Postgres { pool } => bind_all!(sql, args, true)
                .fetch_all(pool)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    /// Reads one row or none outside any transaction.
    pub async fn one(
        &self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Arg>,
    ) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// A connection of its own that holds a lock until it is dropped: PostgreSQL only.
    pub async fn hold_lock(&self, key: i64) -> Result<Option<PgLock>> {
        let Pools::Postgres { pool } = &*self.pools else {
            return Ok(None);
        };
        let mut connection = pool.acquire().await?.detach();
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        Ok(taken.then_some(PgLock {
            _connection: connection,
        }))
    }

    /// The database's own clock, to compare with ours: PostgreSQL only.
    pub async fn clock(&self) -> Result<Option<DateTime<Utc>>> {
        let Pools::Postgres { pool } = &*self.pools else {
            return Ok(None);
        };
        Ok(Some(
            sqlx::query_scalar("SELECT clock_timestamp()")
                .fetch_one(pool)
                .await?,
        ))
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &*self.pools {
            Pools::Sqlite { write, read, .. } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres { pool } => pool.close().await,
        }
    }
}

/// A lock of PostgreSQL that lasts as long as its connection: it is gone the moment its process is.
pub struct PgLock {
    _connection: sqlx::PgConnection,
}

/// Whether the database refused because two transactions waited for each other: the same again will
/// go through.
pub fn is_deadlock(e: &anyhow::Error) -> bool {
    e.chain()
        .filter_map(|c| c.downcast_ref::<sqlx::Error>())
        .any(|e| {
            e.as_database_error()
                .and_then(|d| d.code())
                .is_some_and(|c| c == "40P01" || c == "40001")
        })
}

/// Replaces each line `-- append-only: TABLE` by the triggers of the database.
fn with_triggers(sql: &str, postgres: bool) -> String {
    let mut out = String::with_capacity(sql.len() + 1024);
    for line in sql.lines() {
        match line.strip_prefix("-- append-only: ") {
            None => {
                out.push_str(line);
                out.push('\n');
            }
            Some(table) => {
                for what in ["UPDATE", "DELETE"] {
                    let name = format!("{table}_no_{}", what.to_lowercase());
                    if postgres {
                        out.push_str(&format!(
                            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                             RAISE EXCEPTION '{table} is append-only'; END $$;\nCREATE TRIGGER \
                             {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION \
                             {name}();\n"
                        ));
                    } else {
                        out.push_str(&format!(
                            "CREATE TRIGGER {name} BEFORE {what} ON {table} \
                                               BEGIN SELECT RAISE(ABORT, '{table} is \
                                               append-only'); END;\n"
                        ));
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(list_of(2, 3), "$2, $3, $4");
    }
}
