//! The intent: what people asked for, and nothing that was decided or seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    model::{Image, Service, Value},
    name::{CellName, Domain, ServiceId, SettingKey},
    target::{Pool, Wanted},
};

/// What people asked for, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// What `holm init` set.
    pub cell: CellIntent,
    /// Every service that was ever installed and not yet purged.
    pub services: BTreeMap<ServiceId, ServiceIntent>,
}

/// What `holm init` set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellIntent {
    /// e.g. `alice`
    pub name: CellName,
    /// e.g. `alice.test`
    pub domain: Domain,
    /// Where addresses are taken from.
    pub pool: Pool,
}

/// What was asked for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceIntent {
    /// The package as it was when it was installed.
    pub service: Service,
    /// What is to be the case.
    pub wanted: Wanted,
    /// Settings that an admin set; the schema's defaults fill the rest.
    pub settings: BTreeMap<SettingKey, Value>,
    /// Raised by each `holm restart`.
    pub restarts: u64,
}

/// Digests of the core's own images, carried by the package that installed Holm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreImages {
    /// Anchor and gateway.
    pub gateway: Image,
    /// The edge.
    pub caddy: Image,
}
