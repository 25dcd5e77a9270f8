//! What is the case for a service, in one word and by container: read off target, observed and plan alone.

use crate::{
    name::ServiceId,
    observed::{Observed, UnitState},
    plan::Plan,
    render::names,
    target::{ServiceTarget, Wanted},
    wire::{ContainerStatus, ServiceState},
};

/// The state of a service. `failing` says that a step of it failed in the last pass.
pub fn service_state(
    id: &ServiceId,
    service: &ServiceTarget,
    observed: &Observed,
    plan: &Plan,
    failing: bool,
) -> (ServiceState, Vec<ContainerStatus>) {
    let busy = plan.steps.iter().any(|step| step.owner.as_ref() == Some(id))
        || plan.waits.iter().any(|wait| wait.owner.as_ref() == Some(id));
    let failing = failing
        || plan
            .waits
            .iter()
            .any(|wait| wait.failing && wait.owner.as_ref() == Some(id));
    let state = match service.wanted {
        _ if failing => ServiceState::Failing,
        _ if busy => ServiceState::Changing,
        Wanted::Running => ServiceState::Serving,
        Wanted::Stopped => ServiceState::Stopped,
        Wanted::Removed | Wanted::Purged => ServiceState::Removed,
    };
    let containers = service.containers.iter().map(|container| ContainerStatus {
        name: names::container(id, &container.name),
        address: container.address.to_string(),
        state: match observed
            .units
            .get(&names::unit(id, &container.name))
            .map(|unit| unit.state)
        {
            None => "absent",
            Some(UnitState::Active) => "active",
            Some(UnitState::Starting) => "starting",
            Some(UnitState::Retrying) => "retrying",
            Some(UnitState::Stopping) => "stopping",
            Some(UnitState::Inactive) => "inactive",
            Some(UnitState::Failed) => "failed",
        }
        .to_owned(),
    });
    (state, containers.collect())
}
