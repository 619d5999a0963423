//! Opening a database, reading from it, and beginning transactions.

use crate::args;
use crate::store::db::arguments::{Arg, bind_all};
use crate::store::db::migrations::{explain, migrator};
use crate::store::db::rows::Row;
use crate::store::db::transaction::Tx;
use crate::store::sealed::{Sealed, random_token};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    seal: Arc<OnceLock<Sealed>>,
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

impl Db {
    /// Opens a database by its address. A missing SQLite file is created; no table is written yet.
    ///
    /// # Errors
    /// Unknown kind of address, or the file or server cannot be reached.
    pub async fn open(url: &str) -> Result<Db> {
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            open_sqlite(path).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url).await?
        } else {
            bail!(
                "database.url: {url:?} is not the address of a database; write \
                 sqlite://courtesy.db or postgres://user@host/db"
            );
        };
        Ok(Db {
            pools: Arc::new(pools),
            seal: Arc::new(OnceLock::new()),
        })
    }

    /// Whether this is PostgreSQL.
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
    /// The database was written by a newer version of the program. Nothing is changed then.
    pub async fn migrate(&self) -> Result<()> {
        let migrator = migrator(self.is_postgres());
        let result = match &*self.pools {
            Pools::Sqlite { write, .. } => migrator.run(write).await,
            Pools::Postgres { pool } => migrator.run(pool).await,
        };
        explain(result)?;
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
            .context("the lookup key is missing")?;
        let seal = Sealed::new(&row.text("value")?);
        tx.commit().await?;
        self.seal.get_or_init(|| seal);
        Ok(())
    }

    /// Seals, opens and hashes private values.
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

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx> {
        self.begin_bare()
            .await
            .context("the database does not answer")
    }

    /// Runs a query outside any transaction. Returns its rows.
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

    /// Runs a query outside any transaction. Returns its first row, if it has one.
    pub async fn one(
        &self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Arg>,
    ) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Takes an advisory lock on a connection of its own, if it is free. PostgreSQL only.
    pub async fn try_lock(&self, key: i64) -> Result<Option<AdvisoryLock>> {
        let Pools::Postgres { pool } = &*self.pools else {
            return Ok(None);
        };
        let mut connection = pool.acquire().await?.detach();
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        Ok(taken.then_some(AdvisoryLock {
            _connection: connection,
        }))
    }

    /// The time of the database server, to compare with ours. PostgreSQL only.
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

async fn open_sqlite(path: &str) -> Result<Pools> {
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
            "database.url: the folder {} does not exist; create it, or name another file",
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
    Ok(Pools::Sqlite { write, read, path })
}

async fn open_postgres(url: &str) -> Result<Pools> {
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(10))
        .connect(url)
        .await
        .context(
            "database.url: cannot reach the PostgreSQL server; is it running, and are \
                  user and database right?",
        )?;
    Ok(Pools::Postgres { pool })
}

/// An advisory lock of PostgreSQL. It ends with its connection, so also when the process dies.
pub struct AdvisoryLock {
    _connection: sqlx::PgConnection,
}

/// Whether two transactions waited for each other. Trying again works.
pub fn is_deadlock(e: &anyhow::Error) -> bool {
    e.chain()
        .filter_map(|c| c.downcast_ref::<sqlx::Error>())
        .any(|e| {
            e.as_database_error()
                .and_then(|d| d.code())
                .is_some_and(|c| c == "40P01" || c == "40001")
        })
}
