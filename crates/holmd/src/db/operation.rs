//! The operations: what people asked, in order, and whether it came to its end.

use holm_core::{
    manifest::Finding,
    name::ServiceId,
    wire::{Operation, Progress, Verb},
};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::{DbError, from_json, parse, target::to_sql, to_json};

/// How many are kept after their end.
const KEPT: u64 = 1000;

/// What a person asked, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// What was asked.
    pub verb: Verb,
    /// On which service; `None` for the cell.
    pub service: Option<ServiceId>,
    /// Nothing had to change.
    pub unchanged: bool,
    /// What the admin is to be told.
    pub warnings: Vec<Finding>,
}

/// An operation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRow {
    /// Unique, counting up.
    pub id: u64,
    /// What was asked.
    pub verb: Verb,
    /// On which service; `None` for the cell.
    pub service: Option<ServiceId>,
    /// Unix seconds.
    pub created_at: i64,
    /// Of the intent, with this operation in it.
    pub revision: u64,
    /// Nothing had to change.
    pub unchanged: bool,
    /// What the admin is to be told.
    pub warnings: Vec<Finding>,
    /// Where it stands.
    pub state: OperationState,
}

impl OperationRow {
    /// As it is told to people, with `progress` from whoever knows more than this row.
    pub fn wire(self, progress: Progress) -> Operation {
        Operation {
            id: self.id,
            verb: self.verb,
            service: self.service,
            created_at: self.created_at,
            unchanged: self.unchanged,
            warnings: self.warnings,
            progress,
        }
    }
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationState {
    /// Not yet seen to be as asked.
    Running,
    /// Seen to be as asked.
    Done,
    /// A later one asked for something else.
    Superseded,
}

const COLUMNS: &str = "id, verb, service, created_at, revision, unchanged, warnings, state";

/// Inserts an operation; one that changes something supersedes what still runs for the same service.
pub(super) fn insert(
    tx: &Transaction<'_>,
    asked: NewOperation,
    now: i64,
    revision: u64,
) -> Result<OperationRow, DbError> {
    let service = asked.service.as_ref().map(ServiceId::as_str);
    if !asked.unchanged {
        tx.execute(
            "UPDATE operations SET state = 'superseded' WHERE state = 'running' AND service IS ?1",
            [service],
        )?;
    }
    tx.execute(
        "INSERT INTO operations (verb, service, created_at, revision, unchanged, warnings, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running')",
        (
            to_json("operation", &asked.verb)?,
            service,
            now,
            to_sql(revision),
            asked.unchanged,
            to_json("operation", &asked.warnings)?,
        ),
    )?;
    let id = tx.last_insert_rowid();
    tx.execute(
        "DELETE FROM operations WHERE state <> 'running' AND id <= ?1",
        [id - to_sql(KEPT)],
    )?;
    Ok(OperationRow {
        id: id.unsigned_abs(),
        verb: asked.verb,
        service: asked.service,
        created_at: now,
        revision,
        unchanged: asked.unchanged,
        warnings: asked.warnings,
        state: OperationState::Running,
    })
}

pub(super) fn get(tx: &Transaction<'_>, id: u64) -> Result<Option<OperationRow>, DbError> {
    let query = format!("SELECT {COLUMNS} FROM operations WHERE id = ?1");
    let raw = tx.query_row(&query, [to_sql(id)], Raw::read).optional()?;
    raw.map(OperationRow::try_from).transpose()
}

pub(super) fn running(tx: &Transaction<'_>, revision: u64) -> Result<Vec<OperationRow>, DbError> {
    let query = format!("SELECT {COLUMNS} FROM operations WHERE state = 'running' AND revision <= ?1");
    let mut statement = tx.prepare_cached(&query)?;
    let rows = statement.query_map([to_sql(revision)], Raw::read)?;
    rows.map(|raw| raw?.try_into()).collect()
}

/// Those of `ids` that still run are done: one may have been superseded since it was looked at.
pub(super) fn finish(tx: &Transaction<'_>, ids: &[u64]) -> Result<(), DbError> {
    let mut statement =
        tx.prepare_cached("UPDATE operations SET state = 'done' WHERE id = ?1 AND state = 'running'")?;
    for id in ids {
        statement.execute([to_sql(*id)])?;
    }
    Ok(())
}

/// The columns as SQLite has them.
struct Raw {
    id: i64,
    verb: String,
    service: Option<String>,
    created_at: i64,
    revision: i64,
    unchanged: bool,
    warnings: String,
    state: String,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            verb: row.get(1)?,
            service: row.get(2)?,
            created_at: row.get(3)?,
            revision: row.get(4)?,
            unchanged: row.get(5)?,
            warnings: row.get(6)?,
            state: row.get(7)?,
        })
    }
}

impl TryFrom<Raw> for OperationRow {
    type Error = DbError;

    fn try_from(raw: Raw) -> Result<Self, DbError> {
        Ok(Self {
            id: raw.id.unsigned_abs(),
            verb: from_json("operation", &raw.verb)?,
            service: raw.service.map(|id| parse("operation", &id)).transpose()?,
            created_at: raw.created_at,
            revision: raw.revision.unsigned_abs(),
            unchanged: raw.unchanged,
            warnings: from_json("operation", &raw.warnings)?,
            state: match raw.state.as_str() {
                "done" => OperationState::Done,
                "superseded" => OperationState::Superseded,
                // The table's CHECK allows no fourth.
                _ => OperationState::Running,
            },
        })
    }
}
