//! What is planned, step by step, on a machine that does as it is told.

use std::collections::BTreeSet;

use super::diff;
use crate::{
    decide::decide,
    fixture::{homepage, images, intent, notes},
    gateway::{BackendLive, GatewayLive},
    model::Image,
    observed::{Container, Observed, Unit, UnitState},
    plan::{Plan, Step},
    render::{gateway_config, names},
    target::{Target, Wanted},
};

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|planned| planned.step.to_string())
        .collect()
}

/// A machine on which everything is as `target` says.
fn as_decided(target: &Target) -> Observed {
    let gateway = gateway_config(target);
    let rendered = crate::render::render(target, &gateway.legs);
    let mut seen = Observed {
        files: rendered.files.clone(),
        ..Observed::default()
    };
    for (name, unit) in &rendered.units {
        let service = name.trim_start_matches("holm-").split('.').next().unwrap();
        let wanted = target
            .services
            .get(&service.parse().unwrap_or("none".parse().unwrap()));
        let runs = wanted.is_none_or(|service| service.wanted == Wanted::Running);
        let state = if runs {
            UnitState::Active
        } else {
            UnitState::Inactive
        };
        seen.units.insert(
            name.clone(),
            Unit {
                state,
                mark: unit.mark.clone(),
            },
        );
        if runs {
            let container = Container {
                service: service.into(),
                spec: unit.spec.clone(),
            };
            seen.containers
                .insert(name.trim_end_matches(".service").into(), container);
        }
    }
    let socket = Unit {
        state: UnitState::Active,
        mark: rendered.marks["holm-caddy.socket"].clone(),
    };
    seen.units.insert("holm-caddy.socket".into(), socket);
    seen.images = pinned(target);
    seen.networks = gateway
        .legs
        .iter()
        .map(|leg| names::network(&leg.service))
        .collect();
    seen.legs = seen.networks.clone();
    seen.networks.insert(names::UPLINK.into());
    for (id, service) in &target.services {
        seen.volumes
            .extend(service.volumes.iter().map(|volume| names::volume(id, volume)));
        if !service.secrets.is_empty() {
            seen.secrets
                .insert(id.clone(), service.secrets.iter().cloned().collect());
        }
    }
    let backends = gateway.routes.iter().filter_map(|route| {
        Some(BackendLive {
            service: route.service.clone(),
            backend: route.backend?,
            up: true,
        })
    });
    seen.gateway = Some(GatewayLive {
        generation: target.generation,
        backends: backends.collect(),
    });
    seen.gateway_stored = Some(target.generation);
    seen
}

fn pinned(target: &Target) -> BTreeSet<Image> {
    let services = target
        .services
        .values()
        .flat_map(|service| &service.containers)
        .map(|c| c.image.clone());
    services
        .chain([target.cell.gateway_image.clone(), target.cell.caddy_image.clone()])
        .collect()
}

#[test]
fn a_machine_as_decided_needs_nothing() {
    let target = decide(&intent([homepage(), notes()]), None, &[], &images()).target;
    assert_eq!(diff(&target, &as_decided(&target)), Plan::default());
}

#[test]
fn an_empty_machine_gets_the_images_of_the_core_first() {
    let target = decide(&intent([homepage()]), None, &[], &images()).target;
    insta::assert_debug_snapshot!(steps(&diff(&target, &Observed::default())));
    let made = as_decided(&target);
    let seen = Observed {
        images: made.images,
        networks: made.networks,
        volumes: made.volumes,
        ..Observed::default()
    };
    insta::assert_debug_snapshot!(steps(&diff(&target, &seen)));
}

#[test]
fn an_install_loads_the_policy_before_the_first_start_and_touches_nobody_else() {
    let before = decide(&intent([homepage()]), None, &[], &images()).target;
    let after = decide(&intent([homepage(), notes()]), Some(&before), &[], &images()).target;
    let mut seen = as_decided(&before);
    insta::assert_debug_snapshot!(steps(&diff(&after, &seen)));
    let made = as_decided(&after);
    (seen.images, seen.networks) = (made.images, made.networks);
    (seen.volumes, seen.secrets) = (made.volumes, made.secrets);
    let plan = diff(&after, &seen);
    insta::assert_debug_snapshot!(steps(&plan));
    let touched = |id: &str| {
        plan.steps
            .iter()
            .any(|step| step.owner.as_ref().is_some_and(|owner| owner.as_str() == id))
    };
    assert!(!touched("homepage"));
}

#[test]
fn a_removal_takes_the_route_first_and_keeps_the_data_and_a_purge_takes_it_too() {
    let mut wish = intent([homepage(), notes()]);
    let before = decide(&wish, None, &[], &images()).target;
    wish.services.get_mut(&"notes".parse().unwrap()).unwrap().wanted = Wanted::Removed;
    let removed = decide(&wish, Some(&before), &[], &images()).target;
    insta::assert_debug_snapshot!(steps(&diff(&removed, &as_decided(&before))));
    wish.services.get_mut(&"notes".parse().unwrap()).unwrap().wanted = Wanted::Purged;
    let purged = decide(&wish, Some(&removed), &[], &images()).target;
    insta::assert_debug_snapshot!(steps(&diff(&purged, &as_decided(&removed))));
}

#[test]
fn stop_and_start_touch_one_unit_and_the_policy() {
    let mut wish = intent([homepage()]);
    let running = decide(&wish, None, &[], &images()).target;
    wish.services
        .values_mut()
        .for_each(|service| service.wanted = Wanted::Stopped);
    let stopped = decide(&wish, Some(&running), &[], &images()).target;
    insta::assert_debug_snapshot!(steps(&diff(&stopped, &as_decided(&running))));
    wish.services
        .values_mut()
        .for_each(|service| service.wanted = Wanted::Running);
    let again = decide(&wish, Some(&stopped), &[], &images()).target;
    insta::assert_debug_snapshot!(steps(&diff(&again, &as_decided(&stopped))));
}

#[test]
fn a_restart_that_a_person_asks_for_restarts_that_service_alone() {
    let mut wish = intent([homepage(), notes()]);
    let before = decide(&wish, None, &[], &images()).target;
    wish.services
        .get_mut(&"homepage".parse().unwrap())
        .unwrap()
        .restarts += 1;
    let after = decide(&wish, Some(&before), &[], &images()).target;
    let plan = diff(&after, &as_decided(&before));
    let restarts: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.step, Step::Restart(_) | Step::Start(_)))
        .collect();
    assert_eq!(restarts.len(), 1);
    assert_eq!(
        restarts[0].step,
        Step::Restart(vec!["holm-homepage.main.service".into()])
    );
}

#[test]
fn a_unit_that_fails_is_waited_for_and_a_foreign_container_is_left_alone() {
    let target = decide(&intent([homepage()]), None, &[], &images()).target;
    let mut seen = as_decided(&target);
    seen.units.get_mut("holm-homepage.main.service").unwrap().state = UnitState::Retrying;
    let plan = diff(&target, &seen);
    assert!(plan.steps.is_empty());
    assert!(plan.waits[0].failing && plan.waits[0].what.contains("failed and is started again"));
}

#[test]
fn a_backend_that_does_not_answer_keeps_the_install_waiting() {
    let target = decide(&intent([homepage()]), None, &[], &images()).target;
    let mut seen = as_decided(&target);
    seen.gateway.as_mut().unwrap().backends[0].up = false;
    let plan = diff(&target, &seen);
    assert_eq!(plan.waits[0].what, "homepage answers on 172.20.0.19:80");
}

#[test]
fn volumes_of_a_service_with_a_longer_name_are_not_taken_by_a_purge() {
    let mut wish = intent([
        crate::fixture::named(homepage(), "a"),
        crate::fixture::named(homepage(), "a-homepage"),
    ]);
    let before = decide(&wish, None, &[], &images()).target;
    wish.services.get_mut(&"a".parse().unwrap()).unwrap().wanted = Wanted::Purged;
    let purged = decide(&wish, Some(&before), &[], &images()).target;
    let plan = diff(&purged, &as_decided(&before));
    let volumes: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.step, Step::RemoveVolume(_)))
        .collect();
    assert_eq!(volumes.len(), 1);
    assert_eq!(volumes[0].step, Step::RemoveVolume("holm-a.homepage-html".into()));
}
