//! Leases: the lowest free block of addresses and slice of user ids, kept until purge.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::{
    model::Service,
    name::ContainerName,
    target::{Block, Lease, Pool, ServiceTarget},
};

/// User ids of one service. A slice is not 65,536 wide because 1,048,576 subordinate ids would then end at the
/// 16th service; images use ids below 4,093 and the three highest (see `render`), so 256 slices fit.
pub const UIDS_PER_SERVICE: u32 = 4096;

/// Slices in 1,048,576 subordinate ids.
const SLICES: u16 = 256;

/// Offset of the gateway's leg in a block.
pub(crate) const GATEWAY: u8 = 2;

/// Offset of the main container, `SERVICE_IP`; the others follow.
pub(crate) const MAIN: u8 = 3;

/// Most containers of one service: a /24 less network, bridge, gateway and broadcast.
pub const CONTAINERS_MAX: usize = 252;

/// The lowest free lease, or why there is none.
pub(super) fn grant<'a>(
    pool: Pool,
    containers: usize,
    taken: impl Iterator<Item = &'a Lease> + Clone,
    resting: &[Block],
) -> Result<Lease, String> {
    let blocks = blocks_for(containers)?;
    let overlaps = |a: Block, b: Block| a.first < b.first + b.blocks && b.first < a.first + a.blocks;
    let core = Block { first: 0, blocks: 1 };
    let block = (0..pool.blocks())
        .step_by(usize::from(blocks))
        .map(|first| Block { first, blocks })
        .filter(|block| block.first.checked_add(block.blocks).is_some_and(|end| end <= pool.blocks()))
        .find(|block| {
            !overlaps(*block, core)
                && !taken.clone().any(|lease| overlaps(*block, lease.block))
                && !resting.iter().any(|rest| overlaps(*block, *rest))
        })
        .ok_or_else(|| {
            format!(
                "the address pool {} has no free block of {} addresses: purge a service that is no longer needed \
                 (a purged block rests for an hour)",
                String::from(pool),
                blocks * 16
            )
        })?;
    let uid_slice = (0..SLICES)
        .find(|slice| !taken.clone().any(|lease| lease.uid_slice == *slice))
        .ok_or_else(|| {
            format!("all {SLICES} slices of user ids are taken: purge a service that is no longer needed")
        })?;
    Ok(Lease { block, uid_slice })
}

fn blocks_for(containers: usize) -> Result<u16, String> {
    [1u16, 2, 4, 8, 16]
        .into_iter()
        .find(|blocks| containers + 4 <= usize::from(*blocks) * 16)
        .ok_or_else(|| {
            format!("{containers} containers are more than the {CONTAINERS_MAX} that one service may have")
        })
}

/// An address for each container: the main one's is fixed, the others keep theirs, new ones get the lowest free.
pub(super) fn addresses(
    pool: Pool,
    block: Block,
    service: &Service,
    before: Option<&ServiceTarget>,
) -> BTreeMap<ContainerName, Ipv4Addr> {
    let main = pool.address(block, MAIN);
    let mut given = BTreeMap::from([(service.main.clone(), main)]);
    let kept = before.into_iter().flat_map(|before| &before.containers);
    for container in kept.filter(|kept| kept.address != main) {
        if service.containers.iter().any(|now| now.name == container.name) {
            given.entry(container.name.clone()).or_insert(container.address);
        }
    }
    let mut names: Vec<_> = service
        .containers
        .iter()
        .map(|container| &container.name)
        .collect();
    names.sort();
    for name in names {
        if !given.contains_key(name) {
            let free = (MAIN + 1..=254)
                .map(|offset| pool.address(block, offset))
                .find(|address| !given.values().any(|taken| taken == address));
            // `blocks_for` sized the block by the containers, so there is always one free.
            given.insert(name.clone(), free.unwrap_or(main));
        }
    }
    given
}
