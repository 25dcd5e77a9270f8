//! The observed: what was seen of the machine at one moment, with no opinion about it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    gateway::GatewayLive,
    model::Image,
    name::{SecretName, ServiceId},
};

/// What was seen. Only what bears Holm's names and labels is in it; strangers' containers are not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Text of each file that Holm keeps, by its path below the state root, e.g.
    /// `.config/containers/systemd/holm-anchor.container`.
    pub files: BTreeMap<String, String>,
    /// Units that systemd knows, by name, e.g. `holm-anchor.service`.
    pub units: BTreeMap<String, Unit>,
    /// Containers that run, by name, e.g. `holm-anchor`.
    pub containers: BTreeMap<String, Container>,
    /// Podman networks, by name.
    pub networks: BTreeSet<String>,
    /// Podman volumes, by name.
    pub volumes: BTreeSet<String>,
    /// Images that are present.
    pub images: BTreeSet<Image>,
    /// Sealed secrets that exist.
    pub secrets: BTreeMap<ServiceId, BTreeSet<SecretName>>,
    /// Networks in which the running anchor has a leg.
    pub legs: BTreeSet<String>,
    /// What the gateway says of itself; `None` when it does not answer.
    pub gateway: Option<GatewayLive>,
    /// Generation of the document that the gateway would load at its next start.
    pub gateway_stored: Option<u64>,
}

/// A unit as systemd knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Where it stands.
    pub state: UnitState,
    /// The `X-Holm=` mark in the text that systemd has loaded; empty when there is none.
    pub mark: String,
}

/// The part of systemd's ActiveState and SubState that matters here (systemd(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitState {
    /// active
    Active,
    /// activating or reloading, its start still under way
    Starting,
    /// activating (auto-restart): it failed and systemd tries again
    Retrying,
    /// deactivating
    Stopping,
    /// inactive
    Inactive,
    /// failed
    Failed,
}

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Its label `io.holm.service`; empty for the core.
    pub service: String,
    /// Its label `io.holm.spec`.
    pub spec: String,
}
