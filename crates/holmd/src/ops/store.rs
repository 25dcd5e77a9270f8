//! The store that the admin named: what it carries, and one package of it.

use holm_core::{manifest::PackageFiles, name::ServiceId, wire::StoreEntry};
use holm_trust::{StoreDir, TrustError, Verified};

use super::{Kind, OpError};
use crate::db::Db;

/// What the store carries.
///
/// # Errors
/// There is no cell or no store, or the store cannot be read.
pub fn catalogue(db: &Db) -> Result<Verified<Vec<StoreEntry>>, OpError> {
    let doing = "list the store";
    holm_trust::index(&open(db, doing)?).map_err(|error| unusable(doing, &error))
}

/// The package of a service.
///
/// # Errors
/// There is no cell or no store, the store cannot be read, or does not have the package.
pub fn package(db: &Db, id: &ServiceId) -> Result<Verified<PackageFiles>, OpError> {
    let doing = format!("install {id}");
    holm_trust::open_package(&open(db, &doing)?, id).map_err(|error| match error {
        TrustError::Unknown { .. } => OpError::new(
            Kind::Unknown,
            "not-in-store",
            format!("cannot {doing}: {error}"),
            "type `holm store` to see what it carries",
        ),
        error => unusable(&doing, &error),
    })
}

fn open(db: &Db, doing: &str) -> Result<StoreDir, OpError> {
    let cell = db.cell()?.ok_or_else(|| no_cell(doing))?;
    let path = cell.store.ok_or_else(|| {
        OpError::new(
            Kind::Conflict,
            "no-store",
            format!("cannot {doing}: no store was named"),
            format!(
                "type `holm init --domain {} --store DIRECTORY`",
                cell.intent.domain
            ),
        )
    })?;
    StoreDir::new(path).map_err(|error| unusable(doing, &error))
}

/// There is nothing to put a service into.
pub(super) fn no_cell(doing: &str) -> OpError {
    OpError::new(
        Kind::Conflict,
        "no-cell",
        format!("cannot {doing}: there is no cell yet"),
        "type `holm init --domain alice.test --store DIRECTORY` with your own domain first",
    )
}

/// The store is at fault, not the request.
pub(super) fn unusable(doing: &str, error: &TrustError) -> OpError {
    OpError::new(
        Kind::Refused,
        "store-unusable",
        format!("cannot {doing}: {error}"),
        "make the store readable for the user holm, or name another one with `holm init ... --store DIRECTORY`",
    )
}
