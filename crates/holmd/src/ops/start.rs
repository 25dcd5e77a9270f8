//! `holm start`: a stopped service is to run again.

use holm_core::{
    intent::ServiceIntent,
    name::ServiceId,
    target::Wanted,
    wire::{Operation, Verb},
};

use super::{Asked, OpError, put, service::installed};

/// Wants the service running.
///
/// # Errors
/// It is not installed, removed, or being purged.
pub fn start(asked: Asked<'_>, id: &ServiceId) -> Result<Operation, OpError> {
    asked.change(|change| {
        let old = installed(change, "start", id)?;
        let new = ServiceIntent {
            wanted: Wanted::Running,
            ..old.clone()
        };
        put(change, Verb::Start, Some(&old), &new, Vec::new())
    })
}
