//! Finds the service that an operation is about, or says why it cannot be.

use holm_core::{intent::ServiceIntent, name::ServiceId, target::Wanted};

use super::{Kind, OpError};
use crate::db::Change;

/// The service, if it was ever installed and is not being purged; `doing` is the verb for the message.
pub(super) fn known(change: &Change<'_>, doing: &str, id: &ServiceId) -> Result<ServiceIntent, OpError> {
    let intent = any(change, doing, id)?;
    if intent.wanted == Wanted::Purged {
        return Err(being_purged(doing, id));
    }
    Ok(intent)
}

/// The service, if it is installed: neither removed nor being purged.
pub(super) fn installed(change: &Change<'_>, doing: &str, id: &ServiceId) -> Result<ServiceIntent, OpError> {
    let intent = known(change, doing, id)?;
    if intent.wanted == Wanted::Removed {
        return Err(OpError::new(
            Kind::Unknown,
            "removed",
            format!("cannot {doing} {id}: it is removed, only its data is kept"),
            format!("type `holm install {id}` to have it back with its data"),
        ));
    }
    Ok(intent)
}

/// The service, also while it is being purged.
pub(super) fn any(change: &Change<'_>, doing: &str, id: &ServiceId) -> Result<ServiceIntent, OpError> {
    change.service(id)?.ok_or_else(|| {
        OpError::new(
            Kind::Unknown,
            "not-installed",
            format!("cannot {doing} {id}: it is not installed"),
            "type `holm status` to see what is, and `holm store` to see what can be",
        )
    })
}

/// Its data is on the way out; whatever starts from it now would lose it in the middle.
pub(super) fn being_purged(doing: &str, id: &ServiceId) -> OpError {
    OpError::new(
        Kind::Conflict,
        "being-purged",
        format!("cannot {doing} {id}: it is being purged"),
        format!("wait until `holm status` does not list {id} any more, then try again"),
    )
}
