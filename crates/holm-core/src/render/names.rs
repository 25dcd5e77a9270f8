//! Names on the machine, made from names in the model, so that no two services can ever share one.
//!
//! A dot stands between service and part: a service's id has none, so `a` with `b-c` and `a-b` with `c` differ.

use std::net::Ipv4Addr;

use crate::{
    name::{ContainerName, ServiceId, VolumeName},
    target::Block,
};

/// The network on which the gateway reaches the world; its block is the pool's first.
pub const UPLINK: &str = "holm-up";
/// Owner of the gateway's namespace.
pub const ANCHOR: &str = "holm-anchor";
/// The gateway's container.
pub const GATEWAY: &str = "holm-gateway";
/// The edge's container.
pub const CADDY: &str = "holm-caddy";

/// Podman's name of a service's container, and of its unit without `.service`.
pub fn container(service: &ServiceId, container: &ContainerName) -> String {
    format!("holm-{service}.{container}")
}

/// systemd's name of a service's container.
pub fn unit(service: &ServiceId, name: &ContainerName) -> String {
    format!("{}.service", container(service, name))
}

/// Podman's name of a service's network.
pub fn network(service: &ServiceId) -> String {
    format!("holm-{service}")
}

/// Podman's name of a service's volume.
pub fn volume(service: &ServiceId, volume: &VolumeName) -> String {
    format!("{}{volume}", volume_prefix(service))
}

/// What the names of all volumes of a service begin with, and of no other's.
pub fn volume_prefix(service: &ServiceId) -> String {
    format!("holm-{service}.")
}

/// A container's environment, below the state root.
pub fn env_file(service: &ServiceId, name: &ContainerName) -> String {
    format!("env/{}", container(service, name))
}

/// Bridge of a block in the rootless namespace.
pub fn bridge(block: Block) -> String {
    format!("hs{}", block.first)
}

/// The gateway's interface in a block's network.
pub fn leg(block: Block) -> String {
    format!("s{}", block.first)
}

/// The part of a container's environment that holds secrets, still as names, below the state root.
pub fn sealed_file(service: &ServiceId, name: &ContainerName) -> String {
    format!("env/{}.sealed", container(service, name))
}

/// Hardware address that belongs to an address: `02:00:` (locally administered) and its four bytes.
pub fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}
