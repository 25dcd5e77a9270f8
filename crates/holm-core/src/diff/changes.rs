//! The part of a comparison that makes and removes: units stopped, networks, volumes, secrets, files, legs.

use std::collections::{BTreeMap, BTreeSet};

use super::Diff;
use crate::{
    name::ServiceId,
    observed::UnitState,
    plan::{Leg, Network, Step},
    render::{QUADLETS, UNITS, names},
    target::{Block, ServiceTarget, Wanted},
};

/// Names of the core's units and networks: never strays.
const CORE_UNITS: [&str; 4] = [
    "holm-anchor.service",
    "holm-gateway.service",
    "holm-caddy.service",
    "holm-caddy.socket",
];

impl<'a> Diff<'a> {
    /// Units that are not to run: of services that are stopped or gone.
    pub(super) fn stop_unwanted(&mut self) {
        let running = self.running_units();
        // A service whose image is missing for the moment goes on as it is until the image is back.
        let pending = |unit: &str| {
            self.owner(unit).is_some_and(|id| {
                !self.ready.contains(id) && self.target.services[id].wanted == Wanted::Running
            })
        };
        let mut unwanted: BTreeMap<Option<&ServiceId>, Vec<String>> = BTreeMap::new();
        for (name, unit) in &self.observed.units {
            let ours = name.starts_with("holm-") && !CORE_UNITS.contains(&name.as_str());
            let wanted = running.iter().any(|(_, wanted)| wanted == name) || pending(name);
            if ours && !wanted && !matches!(unit.state, UnitState::Inactive | UnitState::Failed) {
                unwanted.entry(self.owner(name)).or_default().push(name.clone());
            }
        }
        // All of a service at once: systemd then stops them in the reverse of their start order.
        for (owner, units) in unwanted {
            self.step(owner, Step::Stop(units));
        }
    }

    /// Networks, volumes and secrets that are missing. Their units follow in the next look, which has seen them.
    pub(super) fn create(&mut self) {
        if !self.observed.networks.contains(names::UPLINK) {
            let network = self.uplink();
            self.step(None, Step::CreateNetwork(network));
        }
        for (id, service) in self.kept() {
            for step in self.missing(id, service) {
                self.step(Some(id), step);
            }
        }
    }

    /// Steps that make what the units of a service name, apart from images.
    pub(super) fn missing(&self, id: &ServiceId, service: &ServiceTarget) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.observed.networks.contains(&names::network(id)) {
            steps.push(Step::CreateNetwork(self.network(
                &names::network(id),
                id.as_str(),
                service,
            )));
        }
        for volume in &service.volumes {
            let name = names::volume(id, volume);
            if !self.observed.volumes.contains(&name) {
                steps.push(Step::CreateVolume {
                    name,
                    service: id.clone(),
                });
            }
        }
        for secret in &service.secrets {
            if !self
                .observed
                .secrets
                .get(id)
                .is_some_and(|seen| seen.contains(secret))
            {
                steps.push(Step::Seal {
                    service: id.clone(),
                    secret: secret.clone(),
                });
            }
        }
        steps
    }

    fn uplink(&self) -> Network {
        let pool = self.target.cell.pool;
        let core = Block { first: 0, blocks: 1 };
        Network {
            name: names::UPLINK.into(),
            service: String::new(),
            bridge: "hup".into(),
            subnet: pool.subnet(core),
            bridge_address: pool.address(core, 1),
            route_via: None,
        }
    }

    fn network(&self, name: &str, service: &str, target: &ServiceTarget) -> Network {
        let (pool, block) = (self.target.cell.pool, target.lease.block);
        Network {
            name: name.into(),
            service: service.into(),
            bridge: names::bridge(block),
            subnet: pool.subnet(block),
            bridge_address: pool.address(block, 1),
            route_via: Some(pool.address(block, crate::decide::GATEWAY_OFFSET)),
        }
    }

    /// Files that differ, then those that are not wanted, then a reload for each who has other units now: one whose
    /// files cannot be written keeps nobody else's reload from being the last. The loop does several as one.
    pub(super) fn write_files(&mut self) {
        let mut reloads = self.stale_units();
        let files: Vec<(String, String)> = self
            .rendered
            .files
            .iter()
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect();
        for (path, text) in files {
            let owner = self.owner(file_name(&path));
            let ready = owner.is_none_or(|id| self.ready.contains(id));
            if ready && self.observed.files.get(&path) != Some(&text) {
                reloads.extend(is_unit(&path).then_some(owner));
                self.step(owner, Step::WriteFile { path, text });
            }
        }
        let strays: Vec<String> = self
            .observed
            .files
            .keys()
            .filter(|path| !self.rendered.files.contains_key(*path))
            .cloned()
            .collect();
        for path in strays {
            let owner = self.owner(file_name(&path));
            reloads.extend(is_unit(&path).then_some(owner));
            self.step(owner, Step::RemoveFile(path));
        }
        for owner in reloads {
            self.step(owner, Step::Reload);
        }
    }

    /// Whose units systemd has with another text than their file, without a file, or not at all though they are to
    /// run: the reload that should have followed a change of the files was lost.
    fn stale_units(&self) -> BTreeSet<Option<&'a ServiceId>> {
        let ready = |name: &str| self.owner(name).is_none_or(|id| self.ready.contains(id));
        let marks = self.rendered.marks.iter();
        let other_text = marks.filter(|(name, mark)| {
            let seen = self.observed.units.get(*name);
            ready(name) && seen.is_some_and(|seen| seen.mark != **mark)
        });
        let without_file = self
            .observed
            .units
            .keys()
            .filter(|name| name.starts_with("holm-") && !self.rendered.marks.contains_key(*name));
        let mut owners: BTreeSet<_> = other_text
            .map(|(name, _)| name)
            .chain(without_file)
            .map(|name| self.owner(name))
            .collect();
        let unknown = self.running_units().into_iter();
        owners.extend(
            unknown
                .filter(|(_, name)| !self.observed.units.contains_key(name))
                .map(|(owner, _)| owner),
        );
        owners
    }

    /// Legs of the running anchor; one that does not run takes them from its unit.
    pub(super) fn legs(&mut self) {
        let anchor_stays = matches!(self.judge("holm-anchor.service"), super::Verdict::Runs);
        if !anchor_stays {
            return;
        }
        for leg in self.legs.clone() {
            let network = names::network(&leg.service);
            if !self.observed.legs.contains(&network) {
                let mac = names::mac(leg.address);
                let step = Step::Connect(Leg {
                    network,
                    address: leg.address,
                    mac,
                    interface: leg.interface,
                });
                self.step(Some(&leg.service), step);
            }
        }
    }

    /// Networks that no service has any more, and what a purge takes.
    pub(super) fn remove(&mut self) {
        let wanted: Vec<String> = self.kept().map(|(id, _)| names::network(id)).collect();
        let strays: Vec<String> = self
            .observed
            .networks
            .iter()
            .filter(|name| name.starts_with("holm-") && *name != names::UPLINK && !wanted.contains(name))
            .cloned()
            .collect();
        for name in strays {
            let owner = self.owner(&name);
            if self.observed.legs.contains(&name) {
                self.step(owner, Step::Disconnect(name.clone()));
            }
            self.step(owner, Step::RemoveNetwork(name));
        }
        let purged = self
            .target
            .services
            .iter()
            .filter(|(_, service)| service.wanted == Wanted::Purged);
        for (id, _) in purged {
            let volumes = self
                .observed
                .volumes
                .iter()
                .filter(|name| name.starts_with(&names::volume_prefix(id)));
            for name in volumes {
                self.step(Some(id), Step::RemoveVolume(name.clone()));
            }
            if self.observed.secrets.contains_key(id) {
                self.step(Some(id), Step::ForgetSecrets(id.clone()));
            }
        }
    }
}

fn file_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".container").unwrap_or(name)
}

fn is_unit(path: &str) -> bool {
    path.starts_with(QUADLETS) || path.starts_with(UNITS)
}
