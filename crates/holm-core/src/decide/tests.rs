//! What a person may rely on when a target is decided.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::decide;
use crate::{
    fixture::{homepage, images, intent, named, notes},
    target::{Block, FilledPiece, Wanted},
};

#[test]
fn addresses_follow_the_block_and_the_main_container_is_third() {
    let target = decide(&intent([homepage(), notes()]), None, &[], &images()).target;
    let at = |id: &str, index: usize| {
        let service = &target.services[&id.parse().unwrap()];
        (
            service.containers[index].name.to_string(),
            service.containers[index].address.to_string(),
        )
    };
    assert_eq!(at("homepage", 0), ("main".into(), "172.20.0.19".into()));
    assert_eq!(at("notes", 0), ("db".into(), "172.20.0.36".into()));
    assert_eq!(at("notes", 1), ("server".into(), "172.20.0.35".into()));
}

#[test]
fn deciding_twice_changes_nothing_and_a_change_is_the_next_generation() {
    let wish = intent([homepage()]);
    let first = decide(&wish, None, &[], &images()).target;
    let again = decide(&wish, Some(&first), &[], &images()).target;
    assert_eq!(first, again);
    let more = decide(&intent([homepage(), notes()]), Some(&first), &[], &images()).target;
    assert_eq!(more.generation, first.generation + 1);
}

#[test]
fn a_removed_service_keeps_its_lease_and_a_purged_one_gives_it_back() {
    let mut wish = intent([homepage(), notes()]);
    let first = decide(&wish, None, &[], &images()).target;
    wish.services
        .get_mut(&"homepage".parse().unwrap())
        .unwrap()
        .wanted = Wanted::Removed;
    let removed = decide(&wish, Some(&first), &[], &images()).target;
    let lease = |target: &crate::target::Target, id: &str| target.services[&id.parse().unwrap()].lease;
    assert_eq!(lease(&removed, "homepage"), lease(&first, "homepage"));

    let without = decide(&intent([notes()]), Some(&removed), &[], &images()).target;
    let other = intent([notes(), named(homepage(), "blog")]);
    assert_eq!(
        lease(&decide(&other, Some(&without), &[], &images()).target, "blog")
            .block
            .first,
        1
    );
    let rests = [Block { first: 1, blocks: 1 }];
    assert_eq!(
        lease(&decide(&other, Some(&without), &rests, &images()).target, "blog")
            .block
            .first,
        3
    );
}

#[test]
fn a_pool_that_is_used_up_refuses_the_newcomer_and_nobody_else() {
    let mut wish = intent((0..20).map(|n| named(homepage(), &format!("s{n:02}"))));
    wish.cell.pool = "172.20.0.0/24".parse().unwrap();
    let decision = decide(&wish, None, &[], &images());
    assert_eq!(decision.target.services.len(), 15);
    let refused: Vec<String> = decision.refused.keys().map(ToString::to_string).collect();
    assert_eq!(refused, ["s15", "s16", "s17", "s18", "s19"]);
    assert!(
        decision
            .refused
            .values()
            .all(|reason| reason.contains("172.20.0.0/24 has no free block"))
    );
}

#[test]
fn variables_are_filled_once_and_secrets_stay_open() {
    let target = decide(&intent([notes()]), None, &[], &images()).target;
    let env = &target.services[&"notes".parse().unwrap()].containers[1].env;
    let texts = |key: &str| env[&key.parse().unwrap()].0.clone();
    assert_eq!(texts("NOTES_PORT"), [FilledPiece::Text("8080".into())]);
    assert_eq!(texts("NOTES_IP"), [FilledPiece::Text("172.20.0.19/alice".into())]);
    assert_eq!(texts("NOTES_DB").len(), 3);
    assert_eq!(
        texts("NOTES_DB")[1],
        FilledPiece::Secret("DB_PASSWORD".parse().unwrap())
    );
}

proptest! {
    /// Installs and purges in any order: no two services ever share an address or a user id.
    #[test]
    fn leases_never_overlap(changes in proptest::collection::vec((0u8..30, 1usize..30, any::<bool>()), 1..60)) {
        let mut wish = intent([]);
        let mut last = None;
        for (number, containers, install) in changes {
            let mut service = named(homepage(), &format!("s{number}"));
            for extra in 1..containers {
                let mut container = service.containers[0].clone();
                container.name = format!("c{extra}").parse().unwrap();
                service.containers.push(container);
            }
            if install {
                let id = service.id.clone();
                wish.services.entry(id).or_insert_with(|| intent([service]).services.into_values().next().unwrap());
            } else {
                wish.services.remove(&service.id);
            }
            let target = decide(&wish, last.as_ref(), &[], &images()).target;
            let mut addresses = BTreeMap::new();
            let mut slices = BTreeSet::new();
            for (id, service) in &target.services {
                prop_assert!(slices.insert(service.lease.uid_slice));
                let pool = target.cell.pool;
                for offset in 0..service.lease.block.blocks * 16 {
                    let address = u32::from(pool.address(service.lease.block, 0)) + u32::from(offset);
                    prop_assert_eq!(addresses.insert(address, id.clone()), None);
                }
                for container in &service.containers {
                    prop_assert_eq!(addresses.get(&u32::from(container.address)), Some(id));
                }
                let own: BTreeSet<_> = service.containers.iter().map(|container| container.address).collect();
                prop_assert_eq!(own.len(), service.containers.len());
            }
            last = Some(target);
        }
    }
}
