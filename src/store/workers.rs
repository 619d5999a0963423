//! The processes that send, and which of them are alive.
//!
//! A process holds a lock for as long as it lives, so that its death shows at once: a locked file
//! beside a SQLite database, an advisory lock on PostgreSQL.

use crate::args;
use crate::domain::ids::WorkerId;
use crate::store::db::{AdvisoryLock, Db};
use crate::store::sealed::random_id;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::fs::File;
use std::path::PathBuf;

/// This process, registered as a worker.
pub struct Worker {
    /// Its id, stored with its attempts.
    pub id: WorkerId,
    _lock: Lock,
}

enum Lock {
    File { _file: File, path: PathBuf },
    Server { _lock: AdvisoryLock },
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Lock::File { path, .. } = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn lock_path(db: &Db, id: &WorkerId) -> Option<PathBuf> {
    let path = db.sqlite_path()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(path.with_file_name(format!("{name}-worker-{id}")))
}

fn lock_key(id: &WorkerId) -> i64 {
    id.as_str().bytes().fold(0x00c0_0127_e5f0_i64, |a, b| {
        a.wrapping_mul(0x0100_0000_01b3).wrapping_add(i64::from(b))
    })
}

impl Worker {
    /// Registers this process.
    pub async fn register(db: &Db, now: DateTime<Utc>, receives: bool) -> Result<Worker> {
        let id = WorkerId::new(random_id());
        let lock = match lock_path(db, &id) {
            Some(path) => {
                let file = File::create(&path).with_context(|| {
                    format!("cannot write {} beside the database", path.display())
                })?;
                file.try_lock()
                    .with_context(|| format!("cannot lock {}", path.display()))?;
                Lock::File { _file: file, path }
            }
            None => Lock::Server {
                _lock: db
                    .try_lock(lock_key(&id))
                    .await?
                    .context("PostgreSQL gave no lock")?,
            },
        };
        let mut tx = db.begin().await?;
        tx.exec(
            "INSERT INTO worker (id, started_at, beat_at, receives) VALUES ($1, $2, $2, $3)",
            args![&id, now, receives],
        )
        .await?;
        tx.commit().await?;
        Ok(Worker { id, _lock: lock })
    }

    /// Records a heartbeat.
    pub async fn beat(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let mut tx = db.begin().await?;
        tx.exec(
            "UPDATE worker SET beat_at = $1 WHERE id = $2",
            args![now, &self.id],
        )
        .await?;
        tx.commit().await
    }

    /// Unregisters a process that does not receive, at an orderly shutdown.
    pub async fn leave(self, db: &Db) -> Result<()> {
        let mut tx = db.begin().await?;
        tx.exec(
            "DELETE FROM worker WHERE id = $1 AND receives = FALSE",
            args![&self.id],
        )
        .await?;
        tx.commit().await
    }
}

/// Whether the process with this id is alive. If in doubt, it is.
pub async fn is_alive(db: &Db, id: &WorkerId) -> bool {
    match lock_path(db, id) {
        Some(path) => match File::open(&path) {
            Err(e) => e.kind() != std::io::ErrorKind::NotFound,
            Ok(file) => match file.try_lock() {
                Ok(()) => {
                    let _ = std::fs::remove_file(&path);
                    false
                }
                Err(_) => true,
            },
        },
        None => !matches!(db.try_lock(lock_key(id)).await, Ok(Some(_))),
    }
}

/// The last heartbeat of a receiving process other than `me`.
pub async fn last_receiving_beat(db: &Db, me: &WorkerId) -> Result<Option<DateTime<Utc>>> {
    let row = db
        .one(
            "SELECT max(beat_at) AS beat FROM worker WHERE receives = TRUE AND id <> $1",
            args![me],
        )
        .await?;
    row.map_or(Ok(None), |r| r.time_opt("beat"))
}
