//! What the loop knows, as one value that it publishes after each look; the API shows exactly this.

use std::collections::BTreeMap;

use holm_core::{name::ServiceId, wire};

/// What the loop knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Revision of the intent that the last pass was decided from (see `db`).
    pub revision: u64,
    /// Generation of the target.
    pub generation: u64,
    /// Unix seconds of the last look at the machine.
    pub seen_at: Option<i64>,
    /// Nothing to do and nothing to wait for, for core and services.
    pub settled: bool,
    /// The core itself.
    pub core: Owner,
    /// By id, every service of the target.
    pub services: BTreeMap<ServiceId, ServiceView>,
}

/// What is left for the core or for a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// What is being done or waited for.
    pub doing: Vec<String>,
    /// The last failure, when something is failing.
    pub failing: Option<Failing>,
}

impl Owner {
    /// Nothing to do, to wait for, or failing.
    pub fn settled(&self) -> bool {
        self.doing.is_empty() && self.failing.is_none()
    }
}

/// A failed step, which is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// What was tried, why it failed, what to do.
    pub reason: String,
    /// Unix seconds of the next try.
    pub retry_at: i64,
}

/// What the loop knows of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// What is left for it.
    pub owner: Owner,
    /// In one word.
    pub state: wire::ServiceState,
    /// One per container.
    pub containers: Vec<wire::ContainerStatus>,
}
