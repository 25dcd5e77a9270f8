//! `holm remove`: nothing of a service runs or is reachable; its data is kept.

use holm_core::{
    intent::ServiceIntent,
    name::ServiceId,
    target::Wanted,
    wire::{Operation, Verb},
};

use super::{Asked, OpError, put, service::known};

/// Wants the service removed: volumes, secrets, settings and addresses stay for a later install.
///
/// # Errors
/// It was never installed, or is being purged.
pub fn remove(asked: Asked<'_>, id: &ServiceId) -> Result<Operation, OpError> {
    asked.change(|change| {
        let old = known(change, "remove", id)?;
        let new = ServiceIntent {
            wanted: Wanted::Removed,
            ..old.clone()
        };
        put(change, Verb::Remove, Some(&old), &new, Vec::new())
    })
}
