//! `holm stop`: a service is not to run, and stays installed.

use holm_core::{
    intent::ServiceIntent,
    name::ServiceId,
    target::Wanted,
    wire::{Operation, Verb},
};

use super::{Asked, OpError, put, service::installed};

/// Wants the service stopped.
///
/// # Errors
/// It is not installed, removed, or being purged.
pub fn stop(asked: Asked<'_>, id: &ServiceId) -> Result<Operation, OpError> {
    asked.change(|change| {
        let old = installed(change, "stop", id)?;
        let new = ServiceIntent {
            wanted: Wanted::Stopped,
            ..old.clone()
        };
        put(change, Verb::Stop, Some(&old), &new, Vec::new())
    })
}
