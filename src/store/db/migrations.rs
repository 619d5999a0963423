//! The released migrations. They are never edited; a change is a new file.

use anyhow::{Context, Result, bail};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "foundations",
        include_str!("../../../migrations/0001_foundations.sql"),
    ),
    (
        2,
        "chats and people",
        include_str!("../../../migrations/0002_chats_and_people.sql"),
    ),
    (
        3,
        "money",
        include_str!("../../../migrations/0003_money.sql"),
    ),
    (
        4,
        "bookings",
        include_str!("../../../migrations/0004_bookings.sql"),
    ),
    (
        5,
        "quiet word",
        include_str!("../../../migrations/0005_quiet_word.sql"),
    ),
    (
        6,
        "whatsapp",
        include_str!("../../../migrations/0006_whatsapp.sql"),
    ),
    (
        7,
        "money more",
        include_str!("../../../migrations/0007_money_more.sql"),
    ),
    (
        9,
        "conversation",
        include_str!("../../../migrations/0009_conversation.sql"),
    ),
    (
        10,
        "task origin",
        include_str!("../../../migrations/0010_task_origin.sql"),
    ),
];

/// All migrations in the dialect of one database.
pub(super) fn migrator(postgres: bool) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            AssertSqlSafe(with_triggers(sql, postgres)).into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// Says in plain words why the tables could not be brought up to date.
pub(super) fn explain(result: Result<(), MigrateError>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(v)) => bail!(
            "the database was written by a newer version of courtesy (it has migration {v}, \
             this program knows {}); use that version, nothing was changed",
            MIGRATIONS.last().map_or(0, |m| m.0)
        ),
        Err(MigrateError::VersionMismatch(v)) => bail!(
            "migration {v} of the database is not the one of this program; was the file edited?"
        ),
        Err(e) => Err(e).context("the database cannot be brought up to date"),
    }
}

/// Replaces each line `-- append-only: TABLE` by triggers that refuse UPDATE and DELETE.
fn with_triggers(sql: &str, postgres: bool) -> String {
    let mut out = String::with_capacity(sql.len() + 1024);
    for line in sql.lines() {
        match line.strip_prefix("-- append-only: ") {
            Some(table) => {
                out.push_str(&append_only_trigger(table, "UPDATE", postgres));
                out.push_str(&append_only_trigger(table, "DELETE", postgres));
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// The exact text is part of the checksum of a released migration: not even its whitespace may
/// change.
fn append_only_trigger(table: &str, action: &str, postgres: bool) -> String {
    let name = format!("{table}_no_{}", action.to_lowercase());
    if postgres {
        let function = format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION '{table} is append-only'; END $$;\n"
        );
        let trigger = format!(
            "CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW \
             EXECUTE FUNCTION {name}();\n"
        );
        function + &trigger
    } else {
        format!(
            "CREATE TRIGGER {name} BEFORE {action} ON {table} \
             BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
        )
    }
}
