//! The gateway's configuration: one document with a generation, made from the target.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::name::{Domain, ServiceId};

/// Everything that the gateway does, whole; it applies a document in full or keeps the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The target's generation.
    pub generation: u64,
    /// The cell's domain; its apex has the cell's own pages.
    pub domain: Domain,
    /// One per running or stopped service.
    pub legs: Vec<Leg>,
    /// One per host name.
    pub routes: Vec<HostRoute>,
}

/// The gateway's leg in a service's network, and all that may pass it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// Whose network it is.
    pub service: ServiceId,
    /// Interface in the gateway's namespace, e.g. `s12`.
    pub interface: String,
    /// The gateway's own address there (`.2`), where its resolver listens.
    pub address: Ipv4Addr,
    /// Containers of the service: every packet must come from one of these pairs.
    pub members: Vec<Member>,
    /// First 16 hex digits of the SHA-256 of this leg's policy (all fields above, as JSON). While the policy
    /// is loaded, the gateway keeps an empty file `live/<service>.<hash>` in its runtime directory; the
    /// service's units start only when that file is there.
    pub hash: String,
}

/// A container on a leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Names inside the service's network; the first is the container's own.
    pub names: Vec<String>,
    /// Fixed address.
    pub address: Ipv4Addr,
    /// Fixed hardware address, `02:00:` and the four bytes of the address.
    pub mac: String,
    /// TCP ports that the gateway itself may open (the routes' backends).
    pub backend_ports: Vec<u16>,
}

/// A host name and what answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRoute {
    /// Full host name, lower case, e.g. `home.alice.test`.
    pub host: String,
    /// For the waiting page.
    pub service: ServiceId,
    /// For people, on the waiting page.
    pub name: String,
    /// Where requests go; `None` while the service is stopped on purpose.
    pub backend: Option<SocketAddrV4>,
}

/// What the gateway says of itself: `GET /live` on its control socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayLive {
    /// Generation of the document that is live; 0 before the first.
    pub generation: u64,
    /// Each backend of the live document, whether it accepted its last connection.
    pub backends: Vec<BackendLive>,
}

/// Whether a backend answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendLive {
    /// Whose backend it is.
    pub service: ServiceId,
    /// Its address.
    pub backend: SocketAddrV4,
    /// Accepted its last connection. False until the first.
    pub up: bool,
}
