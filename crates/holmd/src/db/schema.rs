//! The file's format: how it is opened, which tables it has, and how an older one is brought up to date.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::DbError;

/// Each entry brings the format of its index up by one. Only ever append.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE meta (
        one      INTEGER PRIMARY KEY CHECK (one = 1),
        revision INTEGER NOT NULL
    ) STRICT;
    INSERT INTO meta VALUES (1, 0);
    CREATE TABLE cell (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        intent TEXT NOT NULL,
        store  TEXT
    ) STRICT;
    CREATE TABLE services (
        id     TEXT PRIMARY KEY,
        intent TEXT NOT NULL
    ) STRICT;
    CREATE TABLE targets (
        generation INTEGER PRIMARY KEY,
        revision   INTEGER NOT NULL,
        target     TEXT NOT NULL
    ) STRICT;
    CREATE TABLE rests (
        first  INTEGER PRIMARY KEY,
        blocks INTEGER NOT NULL,
        until  INTEGER NOT NULL
    ) STRICT;
    -- No reference to services: an operation outlives the purged service that it was about.
    CREATE TABLE operations (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        verb       TEXT NOT NULL,
        service    TEXT,
        created_at INTEGER NOT NULL,
        revision   INTEGER NOT NULL,
        unchanged  INTEGER NOT NULL CHECK (unchanged IN (0, 1)),
        warnings   TEXT NOT NULL,
        state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'superseded'))
    ) STRICT;
    CREATE INDEX operations_running ON operations (service) WHERE state = 'running';
"];

/// Opens the file and makes sure of every promise that the rest relies on.
pub(super) fn connect(file: &Path) -> Result<Connection, DbError> {
    // SQLite would make it with the umask's mode; its WAL takes over the mode of the file.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)?;
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let journal: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    let pragma = |name: &str| -> Result<i64, DbError> {
        Ok(connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
    };
    if journal != "wal" {
        return Err(DbError::Pragma("journal_mode=WAL"));
    }
    if pragma("synchronous")? != 2 {
        return Err(DbError::Pragma("synchronous=FULL"));
    }
    if pragma("foreign_keys")? != 1 {
        return Err(DbError::Pragma("foreign_keys=ON"));
    }
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if check != "ok" {
        return Err(DbError::Damaged(check));
    }
    Ok(connection)
}

/// Brings the format up to this program's, each step and its number in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), DbError> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    loop {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: u32 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found > known {
            return Err(DbError::Newer { found, known });
        }
        let Some(step) = MIGRATIONS.get(found as usize) else {
            return Ok(());
        };
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", found + 1)?;
        tx.commit()?;
    }
}

pub(super) fn revision(tx: &Transaction<'_>) -> Result<u64, DbError> {
    let revision: Option<i64> = tx
        .query_row("SELECT revision FROM meta", [], |row| row.get(0))
        .optional()?;
    revision
        .and_then(|revision| u64::try_from(revision).ok())
        .ok_or_else(|| DbError::Damaged("the revision is missing".to_owned()))
}

pub(super) fn raise_revision(tx: &Transaction<'_>) -> Result<u64, DbError> {
    tx.execute("UPDATE meta SET revision = revision + 1", [])?;
    revision(tx)
}
