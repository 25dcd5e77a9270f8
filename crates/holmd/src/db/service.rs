//! The services: what was asked for each, from its first install until its purge is complete.

use std::collections::BTreeMap;

use holm_core::{intent::ServiceIntent, name::ServiceId, target::Wanted};
use rusqlite::{OptionalExtension as _, Transaction};

use super::{DbError, from_json, parse, to_json};

pub(super) fn get(tx: &Transaction<'_>, id: &ServiceId) -> Result<Option<ServiceIntent>, DbError> {
    let text: Option<String> = tx
        .query_row(
            "SELECT intent FROM services WHERE id = ?1",
            [id.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    text.map(|text| from_json("service", &text)).transpose()
}

pub(super) fn all(tx: &Transaction<'_>) -> Result<BTreeMap<ServiceId, ServiceIntent>, DbError> {
    let mut statement = tx.prepare_cached("SELECT id, intent FROM services")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut services = BTreeMap::new();
    for row in rows {
        let (id, text) = row?;
        services.insert(parse("service", &id)?, from_json("service", &text)?);
    }
    Ok(services)
}

pub(super) fn put(tx: &Transaction<'_>, intent: &ServiceIntent) -> Result<(), DbError> {
    let text = to_json("service", intent)?;
    tx.execute(
        "INSERT OR REPLACE INTO services (id, intent) VALUES (?1, ?2)",
        (intent.service.id.as_str(), text),
    )?;
    Ok(())
}

/// Deletes a service that is still to be purged; another one is somebody's newer wish and stays.
pub(super) fn forget_purged(tx: &Transaction<'_>, id: &ServiceId) -> Result<bool, DbError> {
    let purged = get(tx, id)?.is_some_and(|intent| intent.wanted == Wanted::Purged);
    if purged {
        tx.execute("DELETE FROM services WHERE id = ?1", [id.as_str()])?;
    }
    Ok(purged)
}
