//! Blocks that rest after a purge, so that nobody's old address is a stranger's at once.

use holm_core::target::Block;
use rusqlite::Transaction;

use super::DbError;

/// A block that is not to be given out before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Which.
    pub block: Block,
    /// Unix seconds; from then on it is free.
    pub until: i64,
}

pub(super) fn all(tx: &Transaction<'_>) -> Result<Vec<Rest>, DbError> {
    let mut statement = tx.prepare_cached("SELECT first, blocks, until FROM rests ORDER BY first")?;
    let rows = statement.query_map([], |row| {
        Ok(Rest {
            block: Block {
                first: row.get(0)?,
                blocks: row.get(1)?,
            },
            until: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A block's next rest replaces its last one, so there are never more rows than blocks.
pub(super) fn insert(tx: &Transaction<'_>, rest: Rest) -> Result<(), DbError> {
    tx.execute(
        "INSERT OR REPLACE INTO rests (first, blocks, until) VALUES (?1, ?2, ?3)",
        (rest.block.first, rest.block.blocks, rest.until),
    )?;
    Ok(())
}
