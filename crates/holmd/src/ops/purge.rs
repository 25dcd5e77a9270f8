//! `holm purge`: a service and its data are to be forgotten, confirmed by its name.

use holm_core::{
    intent::ServiceIntent,
    name::ServiceId,
    target::Wanted,
    wire::{Operation, Verb},
};

use super::{Asked, Kind, OpError, put, service::any};

/// Wants nothing left of the service. `confirmation` must be its id: this is the one wish that loses
/// data, and a shell's history must not be able to repeat it on another service by one changed word.
///
/// # Errors
/// It was never installed, or the confirmation is another text.
pub fn purge(asked: Asked<'_>, id: &ServiceId, confirmation: &str) -> Result<Operation, OpError> {
    if confirmation != id.as_str() {
        return Err(OpError::new(
            Kind::Usage,
            "not-confirmed",
            format!("{id} was not purged: the confirmation is not its name"),
            format!("type `holm purge {id} --confirm {id}` to lose all its data"),
        ));
    }
    asked.change(|change| {
        let old = any(change, "purge", id)?;
        let new = ServiceIntent {
            wanted: Wanted::Purged,
            ..old.clone()
        };
        put(change, Verb::Purge, Some(&old), &new, Vec::new())
    })
}
