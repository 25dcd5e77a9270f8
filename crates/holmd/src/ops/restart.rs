//! `holm restart`: every container of a service starts anew.

use holm_core::{
    intent::ServiceIntent,
    name::ServiceId,
    target::Wanted,
    wire::{Operation, Verb},
};

use super::{Asked, OpError, put, service::installed};

/// Wants the service running, with each container started after now. A stopped one is started, as
/// people know it from systemd. It is never unchanged: two restarts are two.
///
/// # Errors
/// It is not installed, removed, or being purged.
pub fn restart(asked: Asked<'_>, id: &ServiceId) -> Result<Operation, OpError> {
    asked.change(|change| {
        let old = installed(change, "restart", id)?;
        let new = ServiceIntent {
            wanted: Wanted::Running,
            restarts: old.restarts + 1,
            ..old.clone()
        };
        put(change, Verb::Restart, Some(&old), &new, Vec::new())
    })
}
