//! The plan: the steps from what was seen to what was decided, each safe to do twice.

use std::{fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{
    gateway::GatewayConfig,
    model::Image,
    name::{SecretName, ServiceId},
};

/// What is to be done now, and what is only to be waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// In order. A failed step ends the steps of its owner for this pass; others go on.
    pub steps: Vec<Planned>,
    /// What is under way without us, e.g. a unit that starts.
    pub waits: Vec<Wait>,
}

impl Plan {
    /// Nothing to do and nothing to wait for.
    pub fn settled(&self) -> bool {
        self.steps.is_empty() && self.waits.is_empty()
    }
}

/// A step and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// `None` for the core.
    pub owner: Option<ServiceId>,
    /// What to do.
    pub step: Step,
}

/// Something under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// `None` for the core.
    pub owner: Option<ServiceId>,
    /// In words, e.g. `holm-notes.main.service starts`.
    pub what: String,
    /// It failed at least once and is tried again by systemd.
    pub failing: bool,
}

/// One change of the machine. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Pull `image` by its digest. May take minutes.
    Pull(Image),
    /// Make a network.
    CreateNetwork(Network),
    /// Remove a network; one that does not exist is success.
    RemoveNetwork(String),
    /// Make an empty volume of a service.
    CreateVolume {
        /// Podman's name, `holm-<id>.<volume>`.
        name: String,
        /// Whose.
        service: ServiceId,
    },
    /// Remove a volume with everything in it.
    RemoveVolume(String),
    /// Generate a secret and store it sealed, unless it exists.
    Seal {
        /// Whose.
        service: ServiceId,
        /// Which.
        secret: SecretName,
    },
    /// Remove all sealed secrets of a service.
    ForgetSecrets(ServiceId),
    /// Write a file below the state root, durably (temp, fsync, rename, fsync of the directory).
    WriteFile {
        /// Below the state root.
        path: String,
        /// Whole content.
        text: String,
    },
    /// Remove a file below the state root, durably.
    RemoveFile(String),
    /// Have systemd read its units again.
    Reload,
    /// Give the running anchor a leg in a network.
    Connect(Leg),
    /// Take the anchor's leg out of a network, if it has one.
    Disconnect(String),
    /// Store the gateway's document durably as its current one, and load it.
    Configure(GatewayConfig),
    /// Start units, without waiting until they are up.
    Start(Vec<String>),
    /// Restart units, without waiting until they are up.
    Restart(Vec<String>),
    /// Stop units and wait until they are down; units that systemd does not know are success.
    Stop(Vec<String>),
}

/// A Podman network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Podman's name, e.g. `holm-notes`.
    pub name: String,
    /// Value of the label `io.holm.service`; empty for the core.
    pub service: String,
    /// Name of the bridge in the rootless namespace, e.g. `hs12`.
    pub bridge: String,
    /// `address/prefix`
    pub subnet: String,
    /// The bridge's own address.
    pub bridge_address: Ipv4Addr,
    /// Containers' default route; `None` for the uplink, which has Podman's own.
    pub route_via: Option<Ipv4Addr>,
}

/// A leg of the anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// Podman's name of the network.
    pub network: String,
    /// The anchor's address in it.
    pub address: Ipv4Addr,
    /// The anchor's hardware address in it.
    pub mac: String,
    /// Name of the interface in the anchor's namespace, e.g. `s12`.
    pub interface: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(image) => write!(f, "pull {image}"),
            Self::CreateNetwork(network) => write!(f, "create network {}", network.name),
            Self::RemoveNetwork(name) => write!(f, "remove network {name}"),
            Self::CreateVolume { name, .. } => write!(f, "create volume {name}"),
            Self::RemoveVolume(name) => write!(f, "remove volume {name}"),
            Self::Seal { service, secret } => write!(f, "seal secret {secret} of {service}"),
            Self::ForgetSecrets(service) => write!(f, "forget the secrets of {service}"),
            Self::WriteFile { path, .. } => write!(f, "write {path}"),
            Self::RemoveFile(path) => write!(f, "remove {path}"),
            Self::Reload => write!(f, "reload systemd's units"),
            Self::Connect(leg) => write!(f, "connect the gateway to {}", leg.network),
            Self::Disconnect(network) => write!(f, "disconnect the gateway from {network}"),
            Self::Configure(config) => write!(f, "configure the gateway, generation {}", config.generation),
            Self::Start(units) => write!(f, "start {}", units.join(" ")),
            Self::Restart(units) => write!(f, "restart {}", units.join(" ")),
            Self::Stop(units) => write!(f, "stop {}", units.join(" ")),
        }
    }
}
