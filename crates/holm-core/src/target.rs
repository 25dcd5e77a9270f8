//! The target: everything decided for one generation of the cell, with no choice left open.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Capability, Image, Mount, Port, Route, User},
    name::{
        Alias, CellName, ContainerName, ContainerPath, Domain, EnvKey, NameError, SecretName, ServiceId,
        VolumeName,
    },
};

/// Everything decided. A changed target is the next generation; a target is never edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// 1 for the first; never reused.
    pub generation: u64,
    /// The cell and its core.
    pub cell: Cell,
    /// By id, also those that are stopped, removed (data kept) or being purged.
    pub services: BTreeMap<ServiceId, ServiceTarget>,
}

/// The cell and its core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// e.g. `alice`
    pub name: CellName,
    /// e.g. `alice.test`
    pub domain: Domain,
    /// Where every block is taken from.
    pub pool: Pool,
    /// Image of anchor and gateway.
    pub gateway_image: Image,
    /// Image of the edge.
    pub caddy_image: Image,
}

/// An IPv4 network of which blocks are given to services, e.g. `172.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pool {
    /// First address; all host bits zero.
    pub(crate) base: Ipv4Addr,
    /// 12 to 24.
    pub(crate) prefix: u8,
}

/// A leased part of the pool: `blocks` neighbouring /28 blocks, aligned to their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Number of the first /28 in the pool; 0 is the core's.
    pub first: u16,
    /// 1, 2, 4, ... 16.
    pub blocks: u16,
}

/// What is leased to a service from its first install until its purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// Addresses.
    pub block: Block,
    /// Which slice of the subordinate user ids, from 0; each slice is 4096 wide.
    pub uid_slice: u16,
}

/// What is to be the case for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Running and routed.
    Running,
    /// Installed, not running; its name answers with a page that says so.
    Stopped,
    /// No unit, no network, no route; volumes, secrets and lease are kept.
    Removed,
    /// Nothing left; the lease ends when nothing is seen any more.
    Purged,
}

/// A service, decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTarget {
    /// What is to be the case.
    pub wanted: Wanted,
    /// For people.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// Addresses and user ids.
    pub lease: Lease,
    /// In start order.
    pub containers: Vec<ContainerTarget>,
    /// Podman volumes, by their name inside the service.
    pub volumes: Vec<VolumeName>,
    /// Secrets to exist before the first start.
    pub secrets: Vec<SecretName>,
    /// Host names and what answers them.
    pub routes: Vec<Route>,
    /// Ports that peers may reach.
    pub peer_ports: Vec<Port>,
    /// Raised by each restart that a person asks for; part of each container's unit.
    pub restarts: u64,
}

/// A container, decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerTarget {
    /// Unique within the service.
    pub name: ContainerName,
    /// Further names inside the service's own network.
    pub aliases: Vec<Alias>,
    /// Pinned by digest.
    pub image: Image,
    /// In the service's block; `.3` for the main container.
    pub address: Ipv4Addr,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<Filled>>,
    /// Replaces the image's command.
    pub command: Option<Vec<Filled>>,
    /// Numeric user.
    pub user: Option<User>,
    /// Replaces the image's working directory.
    pub working_dir: Option<ContainerPath>,
    /// Environment with every variable filled but secrets.
    pub env: BTreeMap<EnvKey, Filled>,
    /// Volumes mounted.
    pub mounts: Vec<Mount>,
    /// Beyond none at all.
    pub capabilities: Vec<Capability>,
    /// Read-only root file system.
    pub read_only: bool,
    /// A tiny init as process 1.
    pub init: bool,
    /// Seconds between the stop signal and SIGKILL.
    pub stop_seconds: u16,
}

/// A text in which only secrets are still open: they are filled in at the last moment, in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled(pub Vec<FilledPiece>);

/// A piece of a [`Filled`] text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilledPiece {
    /// As it stands.
    Text(String),
    /// The value of this service's secret.
    Secret(SecretName),
}

impl Pool {
    /// The rule in plain words.
    pub const RULE: &'static str = "a private IPv4 network of prefix 12 to 24, such as 172.20.0.0/16";

    /// First address.
    pub fn base(&self) -> Ipv4Addr {
        self.base
    }

    /// How many /28 blocks it holds, the core's included.
    pub fn blocks(&self) -> u16 {
        // prefix 12 would hold 65536: the last is given up so that the number fits.
        u16::try_from(1u32 << (28 - self.prefix)).unwrap_or(u16::MAX)
    }

    /// Address `offset` of `block`.
    pub fn address(&self, block: Block, offset: u8) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.base) + u32::from(block.first) * 16 + u32::from(offset))
    }

    /// `address/prefix` of the block.
    pub fn subnet(&self, block: Block) -> String {
        format!(
            "{}/{}",
            self.address(block, 0),
            28 - block.blocks.trailing_zeros()
        )
    }
}

impl std::str::FromStr for Pool {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError {
            kind: "address pool",
            text: text.chars().take(80).collect(),
            rule: Self::RULE,
        };
        let (base, prefix) = text.split_once('/').ok_or_else(refused)?;
        let base: Ipv4Addr = base.parse().map_err(|_| refused())?;
        let prefix: u8 = prefix.parse().map_err(|_| refused())?;
        if !(12..=24).contains(&prefix) || !base.is_private() || u32::from(base) << prefix != 0 {
            return Err(refused());
        }
        Ok(Self { base, prefix })
    }
}

impl TryFrom<String> for Pool {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Pool> for String {
    fn from(pool: Pool) -> String {
        format!("{}/{}", pool.base, pool.prefix)
    }
}
