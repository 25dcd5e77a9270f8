//! The targets: the last one is what the next is decided from; a few older ones help to explain.

use holm_core::target::Target;
use rusqlite::{OptionalExtension as _, Transaction};

use super::{DbError, from_json, to_json};

/// How many are kept.
const KEPT: u64 = 10;

pub(super) fn last(tx: &Transaction<'_>) -> Result<Option<Target>, DbError> {
    let text: Option<String> = tx
        .query_row(
            "SELECT target FROM targets ORDER BY generation DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    text.map(|text| from_json("target", &text)).transpose()
}

/// A plain INSERT: the primary key refuses to edit a generation.
pub(super) fn insert(tx: &Transaction<'_>, target: &Target, revision: u64) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO targets (generation, revision, target) VALUES (?1, ?2, ?3)",
        (
            to_sql(target.generation),
            to_sql(revision),
            to_json("target", target)?,
        ),
    )?;
    tx.execute(
        "DELETE FROM targets WHERE generation <= ?1",
        [to_sql(target.generation) - to_sql(KEPT)],
    )?;
    Ok(())
}

/// SQLite's integers are signed; counters of ours do not reach their end.
pub(super) fn to_sql(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
