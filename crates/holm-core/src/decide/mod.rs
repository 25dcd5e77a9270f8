//! Intent and last target to the next target: the only place where anything is chosen.

mod leases;
mod settings;

use std::collections::BTreeMap;

pub(crate) use leases::GATEWAY as GATEWAY_OFFSET;
pub use leases::{CONTAINERS_MAX, UIDS_PER_SERVICE};

use crate::{
    intent::{CoreImages, Intent, ServiceIntent},
    model::Container,
    name::ServiceId,
    target::{Block, Cell, ContainerTarget, Lease, ServiceTarget, Target},
};
use settings::Values;

/// Seconds that a container has after its stop signal when its package does not say.
const STOP_SECONDS: u16 = 10;

/// What was decided, and for which services nothing could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The same as the last one when nothing changed, else the next generation.
    pub target: Target,
    /// Services for which there is no lease left, with the reason; they are not in the target.
    pub refused: BTreeMap<ServiceId, String>,
}

/// Decides. Leases of the last target stay; new ones avoid `resting` blocks.
pub fn decide(intent: &Intent, last: Option<&Target>, resting: &[Block], images: &CoreImages) -> Decision {
    let cell = Cell {
        name: intent.cell.name.clone(),
        domain: intent.cell.domain.clone(),
        pool: intent.cell.pool,
        gateway_image: images.gateway.clone(),
        caddy_image: images.caddy.clone(),
    };
    let mut leases: BTreeMap<&ServiceId, Lease> = last
        .into_iter()
        .flat_map(|target| &target.services)
        .filter(|(id, _)| intent.services.contains_key(*id))
        .map(|(id, service)| (id, service.lease))
        .collect();
    let mut services = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for (id, wish) in &intent.services {
        let lease = match leases.get(id).copied() {
            Some(lease) => Ok(lease),
            None => leases::grant(cell.pool, wish.service.containers.len(), leases.values(), resting),
        };
        match lease {
            Ok(lease) => {
                leases.insert(id, lease);
                let before = last.and_then(|target| target.services.get(id));
                services.insert(id.clone(), service(&cell, wish, lease, before));
            }
            Err(reason) => {
                refused.insert(id.clone(), reason);
            }
        }
    }
    let generation = last.map_or(1, |target| target.generation);
    let same = last.is_some_and(|target| target.cell == cell && target.services == services);
    let generation = if same || last.is_none() {
        generation
    } else {
        generation + 1
    };
    Decision {
        target: Target {
            generation,
            cell,
            services,
        },
        refused,
    }
}

fn service(cell: &Cell, wish: &ServiceIntent, lease: Lease, before: Option<&ServiceTarget>) -> ServiceTarget {
    let model = &wish.service;
    let addresses = leases::addresses(cell.pool, lease.block, model, before);
    let values = Values {
        cell,
        wish,
        service_ip: cell.pool.address(lease.block, leases::MAIN),
    };
    let container = |container: &Container| ContainerTarget {
        name: container.name.clone(),
        aliases: container.aliases.iter().cloned().collect(),
        image: container.image.clone(),
        address: addresses[&container.name],
        entrypoint: container
            .entrypoint
            .as_ref()
            .map(|items| items.iter().map(|item| values.fill(item)).collect()),
        command: container
            .command
            .as_ref()
            .map(|items| items.iter().map(|item| values.fill(item)).collect()),
        user: container.user,
        working_dir: container.working_dir.clone(),
        env: container
            .env
            .iter()
            .map(|(key, value)| (key.clone(), values.fill(value)))
            .collect(),
        mounts: container.mounts.clone(),
        capabilities: container.capabilities.iter().copied().collect(),
        read_only: container.read_only,
        init: container.init,
        stop_seconds: container.stop_seconds.unwrap_or(STOP_SECONDS),
    };
    ServiceTarget {
        wanted: wish.wanted,
        name: model.name.clone(),
        version: model.version.clone(),
        lease,
        containers: model.containers.iter().map(container).collect(),
        volumes: model.volumes.iter().cloned().collect(),
        secrets: model.secrets.iter().cloned().collect(),
        routes: model.routes.clone(),
        peer_ports: model.peer_ports.clone(),
        restarts: wish.restarts,
    }
}

#[cfg(test)]
mod tests;
