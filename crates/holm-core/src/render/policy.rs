//! Target to the gateway's document.

use std::{collections::BTreeMap, net::SocketAddrV4};

use crate::{
    decide::GATEWAY_OFFSET,
    gateway::{GatewayConfig, HostRoute, Leg, Member},
    name::ServiceId,
    render::{hash, names},
    target::{ServiceTarget, Target, Wanted},
};

/// The gateway's document: legs and routes of every running or stopped service.
pub fn gateway_config(target: &Target) -> GatewayConfig {
    let live = || {
        target
            .services
            .iter()
            .filter(|(_, s)| matches!(s.wanted, Wanted::Running | Wanted::Stopped))
    };
    GatewayConfig {
        generation: target.generation,
        domain: target.cell.domain.clone(),
        legs: live().map(|(id, service)| leg(target, id, service)).collect(),
        routes: live()
            .flat_map(|(id, service)| routes(target, id, service))
            .collect(),
    }
}

fn leg(target: &Target, id: &ServiceId, service: &ServiceTarget) -> Leg {
    let mut ports: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    for route in &service.routes {
        ports.entry(&route.container).or_default().push(route.port);
    }
    let members = service.containers.iter().map(|container| {
        let mut backend_ports = ports.remove(&container.name).unwrap_or_default();
        backend_ports.sort_unstable();
        backend_ports.dedup();
        let mut names = vec![container.name.to_string()];
        let others = container.aliases.iter().map(ToString::to_string);
        names.extend(others.filter(|alias| alias != container.name.as_str()));
        Member {
            names,
            address: container.address,
            mac: names::mac(container.address),
            backend_ports,
        }
    });
    let mut leg = Leg {
        service: id.clone(),
        interface: names::leg(service.lease.block),
        address: target.cell.pool.address(service.lease.block, GATEWAY_OFFSET),
        members: members.collect(),
        hash: String::new(),
    };
    leg.hash = hash(&serde_json::to_string(&leg).unwrap_or_default());
    leg
}

fn routes(target: &Target, id: &ServiceId, service: &ServiceTarget) -> Vec<HostRoute> {
    let address = |name: &crate::name::ContainerName| {
        service
            .containers
            .iter()
            .find(|container| container.name == *name)
            .map(|found| found.address)
    };
    let route = |route: &crate::model::Route| HostRoute {
        host: format!("{}.{}", route.subdomain, target.cell.domain),
        service: id.clone(),
        name: service.name.clone(),
        backend: (service.wanted == Wanted::Running)
            .then(|| address(&route.container).map(|address| SocketAddrV4::new(address, route.port)))
            .flatten(),
    };
    service.routes.iter().map(route).collect()
}
