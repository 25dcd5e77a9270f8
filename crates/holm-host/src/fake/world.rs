//! The fake machine itself: what is on its disk, what systemd has in mind, and what runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use holm_core::{
    gateway::{BackendLive, GatewayConfig, GatewayLive},
    model::Image,
    name::{SecretName, ServiceId},
    observed::{self, Observed, UnitState},
    plan::Network,
};
use tokio::sync::mpsc;

use super::{Fails, unit::Unit};
use crate::quadlet;

pub(super) const ANCHOR: &str = "holm-anchor";
pub(super) const GATEWAY: &str = "holm-gateway";
pub(super) const CADDY: &str = "holm-caddy";
const QUADLETS: &str = ".config/containers/systemd/";
const PLAIN: &str = ".config/systemd/user/";

/// A container that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub service: String,
    pub spec: String,
    pub networks: Vec<(String, Option<Ipv4Addr>)>,
    pub volumes: Vec<String>,
}

/// What a container wrote, and who listens.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub lines: Vec<Vec<u8>>,
    pub followers: Vec<mpsc::Sender<Vec<u8>>>,
}

#[derive(Debug, Default)]
pub(super) struct World {
    // Kept over a reboot.
    pub files: BTreeMap<String, String>,
    pub images: BTreeSet<Image>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeSet<String>,
    pub secrets: BTreeMap<ServiceId, BTreeMap<SecretName, String>>,
    pub stored: Option<GatewayConfig>,
    pub sealed: u64,
    pub edge_ran: bool,
    pub logs: BTreeMap<String, Log>,
    // Lost in a reboot.
    /// Units as systemd last read them.
    pub loaded: BTreeMap<String, Unit>,
    /// Units that are not simply inactive.
    pub states: BTreeMap<String, UnitState>,
    pub containers: BTreeMap<String, Running>,
    pub legs: BTreeSet<String>,
    pub live: Option<GatewayConfig>,
    // What a test wishes.
    pub fault: Option<(u64, Fails)>,
    pub blind: u64,
    pub refused: Option<String>,
    pub deaf: BTreeSet<ServiceId>,
    pub broken: BTreeSet<String>,
    // What it may ask.
    pub history: Vec<String>,
    pub looks: u64,
}

/// The unit that systemd makes of a file.
fn unit_name(path: &str) -> Option<String> {
    match path.strip_prefix(QUADLETS) {
        Some(name) => Some(format!("{}.service", name.strip_suffix(".container")?)),
        None => path.strip_prefix(PLAIN).map(str::to_owned),
    }
}

impl World {
    /// Whether a file is one of those that Holm keeps, and so sees.
    pub fn keeps(path: &str) -> bool {
        let named = |folder| {
            path.strip_prefix(folder)
                .map(|name: &str| name.starts_with("holm-"))
        };
        named(QUADLETS).or_else(|| named(PLAIN)).unwrap_or(true)
    }

    /// As systemd's daemon-reload: what runs goes on, from whatever text.
    pub fn reload(&mut self) {
        let files = self.files.iter();
        self.loaded = files
            .filter_map(|(path, text)| Some((unit_name(path)?, Unit::read(text))))
            .collect();
    }

    /// A unit that systemd knows or would find on the disk. Quadlets need a reload to become units.
    pub fn unit(&self, name: &str) -> Option<Unit> {
        let plain = || {
            self.files
                .get(&format!("{PLAIN}{name}"))
                .map(|text| Unit::read(text))
        };
        self.loaded.get(name).cloned().or_else(plain)
    }

    pub fn state(&self, unit: &str) -> UnitState {
        self.states.get(unit).copied().unwrap_or(UnitState::Inactive)
    }

    pub fn boot(&mut self) {
        self.states.clear();
        self.containers.clear();
        self.legs.clear();
        self.live = None;
        self.reload();
        let enabled = self
            .loaded
            .iter()
            .filter(|(_, unit)| unit.enabled)
            .map(|(name, _)| name.clone());
        for unit in enabled.collect::<Vec<_>>() {
            self.begin(&unit);
        }
    }

    pub fn look(&self) -> Observed {
        let plain = self.files.iter().filter(|(path, _)| path.starts_with(PLAIN));
        let mut units: BTreeMap<String, observed::Unit> = plain
            .filter_map(|(path, text)| {
                let mark = quadlet::mark(text).to_owned();
                Some((
                    unit_name(path)?,
                    observed::Unit {
                        state: UnitState::Inactive,
                        mark,
                    },
                ))
            })
            .collect();
        for (name, unit) in &self.loaded {
            let state = UnitState::Inactive;
            units.insert(
                name.clone(),
                observed::Unit {
                    state,
                    mark: unit.mark.clone(),
                },
            );
        }
        for (name, state) in &self.states {
            let none = observed::Unit {
                state: *state,
                mark: String::new(),
            };
            units.entry(name.clone()).or_insert(none).state = *state;
        }
        units.retain(|name, _| name.starts_with("holm-"));
        let ours = |name: &&String| name.starts_with("holm-");
        let files = self.files.iter().filter(|(path, _)| Self::keeps(path));
        let containers = self.containers.iter().map(|(name, running)| {
            let (service, spec) = (running.service.clone(), running.spec.clone());
            (name.clone(), observed::Container { service, spec })
        });
        let secrets = self.secrets.iter().filter(|(_, secrets)| !secrets.is_empty());
        Observed {
            files: files.map(|(path, text)| (path.clone(), text.clone())).collect(),
            units,
            containers: containers.collect(),
            networks: self.networks.keys().filter(ours).cloned().collect(),
            volumes: self.volumes.iter().filter(ours).cloned().collect(),
            images: self.images.clone(),
            secrets: secrets
                .map(|(id, all)| (id.clone(), all.keys().cloned().collect()))
                .collect(),
            legs: self.legs.clone(),
            gateway: self
                .containers
                .contains_key(GATEWAY)
                .then(|| self.gateway_says())
                .flatten(),
            gateway_stored: self.stored.as_ref().map(|config| config.generation),
        }
    }

    fn gateway_says(&self) -> Option<GatewayLive> {
        let live = self.live.as_ref()?;
        let backends = live.routes.iter().filter_map(|route| {
            let backend = route.backend?;
            let service = route.service.clone();
            let up = !self.deaf.contains(&service) && self.has_address(*backend.ip());
            Some(BackendLive { service, backend, up })
        });
        Some(GatewayLive {
            generation: live.generation,
            backends: backends.collect(),
        })
    }

    /// A container runs with this address, and the gateway has a leg in its network.
    fn has_address(&self, address: Ipv4Addr) -> bool {
        self.containers
            .values()
            .flat_map(|running| &running.networks)
            .any(|(network, own)| *own == Some(address) && self.legs.contains(network))
    }

    /// The policy of a service is loaded.
    pub fn has_policy(&self, service: &str, hash: &str) -> bool {
        let legs = self.live.iter().flat_map(|live| &live.legs);
        legs.into_iter()
            .any(|leg| leg.service.as_str() == service && leg.hash == hash)
    }
}
