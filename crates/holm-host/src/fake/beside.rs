//! What tests put on the fake machine beside Holm's own, and what they may ask that no look tells.

use std::collections::{BTreeMap, BTreeSet};

use holm_core::plan::Network;

use super::{FakeHost, world::World};

impl FakeHost {
    /// Somebody else's unit, network and volume, which are no concern of Holm's.
    pub fn stranger(&self, name: &str) {
        let mut world = self.world();
        let unit = format!("[Container]\nContainerName={name}\n");
        world
            .files
            .insert(format!(".config/containers/systemd/{name}.container"), unit);
        world.volumes.insert(name.to_owned());
        let network = Network {
            name: name.to_owned(),
            service: String::new(),
            bridge: "podman1".to_owned(),
            subnet: "10.89.0.0/24".to_owned(),
            bridge_address: std::net::Ipv4Addr::new(10, 89, 0, 1),
            route_via: None,
        };
        world.networks.insert(name.to_owned(), network);
    }

    /// Files, networks and volumes that do not bear Holm's names.
    pub fn strangers(&self) -> BTreeSet<String> {
        let world = self.world();
        let files = world.files.keys().filter(|path| !World::keeps(path));
        let names = world.networks.keys().chain(&world.volumes);
        let foreign = names.filter(|name| !name.starts_with("holm-"));
        files.chain(foreign).cloned().collect()
    }

    /// Subnet of each network.
    pub fn subnets(&self) -> BTreeMap<String, String> {
        let world = self.world();
        let networks = world.networks.values();
        networks
            .map(|network| (network.name.clone(), network.subnet.clone()))
            .collect()
    }

    /// Whether the live policy knows a running container of a service by each of its addresses.
    pub fn policed(&self, container: &str) -> bool {
        let world = self.world();
        let (Some(running), Some(live)) = (world.containers.get(container), &world.live) else {
            return false;
        };
        let mut legs = live.legs.iter();
        let leg = legs.find(|leg| leg.service.as_str() == running.service);
        leg.is_some_and(|leg| {
            let known = |address| leg.members.iter().any(|member| Some(member.address) == address);
            !running.networks.is_empty() && running.networks.iter().all(|(_, address)| known(*address))
        })
    }
}
