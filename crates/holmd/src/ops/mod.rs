//! What people can ask for, one file a verb: each checks the wish, and writes it down with its operation
//! in one transaction. Nothing here touches the machine; the loop is woken and does the rest.
//!
//! A wish for what is already wanted is a success that changes nothing.

mod init;
mod install;
mod purge;
mod reconfigure;
mod refusal;
mod remove;
mod restart;
mod service;
mod setting;
mod start;
mod stop;
mod store;

use holm_core::{
    intent::ServiceIntent,
    manifest::Finding,
    wire::{Operation, Progress, Verb},
};
use tokio::sync::Notify;

pub use init::init;
pub use install::install;
pub use purge::purge;
pub use reconfigure::reconfigure;
pub use refusal::{Kind, OpError};
pub use remove::remove;
pub use restart::restart;
pub use start::start;
pub use stop::stop;
pub use store::{catalogue, package};

use crate::db::{Change, Db, NewOperation};

/// What every operation needs.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The state.
    pub db: &'a Db,
    /// Unix seconds.
    pub now: i64,
    /// Wakes the loop.
    pub wake: &'a Notify,
}

impl Asked<'_> {
    /// Runs `decide` in one transaction, and wakes the loop once its result is on the disk.
    fn change(
        self,
        decide: impl FnOnce(&Change<'_>) -> Result<NewOperation, OpError>,
    ) -> Result<Operation, OpError> {
        let row = self.db.change(self.now, decide)?;
        self.wake.notify_one();
        Ok(row.wire(Progress::Running { doing: Vec::new() }))
    }
}

/// Writes a service's next intent, unless it is the one that stands.
fn put(
    change: &Change<'_>,
    verb: Verb,
    old: Option<&ServiceIntent>,
    new: &ServiceIntent,
    warnings: Vec<Finding>,
) -> Result<NewOperation, OpError> {
    let unchanged = old == Some(new);
    if !unchanged {
        change.put_service(new)?;
    }
    Ok(NewOperation {
        verb,
        service: Some(new.service.id.clone()),
        unchanged,
        warnings,
    })
}

#[cfg(test)]
mod tests;
