//! The cell: one row, from `holm init` on.

use holm_core::intent::CellIntent;
use rusqlite::{OptionalExtension as _, Transaction};

use super::{DbError, from_json, to_json};

/// What `holm init` set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellRow {
    /// The part that targets are decided from.
    pub intent: CellIntent,
    /// Directory of the store.
    pub store: Option<String>,
}

pub(super) fn get(tx: &Transaction<'_>) -> Result<Option<CellRow>, DbError> {
    let row: Option<(String, Option<String>)> = tx
        .query_row("SELECT intent, store FROM cell", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(intent, store)| {
        Ok(CellRow {
            intent: from_json("cell", &intent)?,
            store,
        })
    })
    .transpose()
}

pub(super) fn put(tx: &Transaction<'_>, row: &CellRow) -> Result<(), DbError> {
    let intent = to_json("cell", &row.intent)?;
    tx.execute(
        "INSERT OR REPLACE INTO cell (one, intent, store) VALUES (1, ?1, ?2)",
        (intent, &row.store),
    )?;
    Ok(())
}
