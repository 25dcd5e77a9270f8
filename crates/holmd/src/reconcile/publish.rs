//! What the loop knows, made into the view that the API shows.

use holm_core::{
    decide::Decision, diff::service_state, name::ServiceId, observed::Observed, plan::Plan,
    target::ServiceTarget, wire::ServiceState,
};

use super::failures::Failures;
use crate::view::{Failing, Owner, ServiceView, View};

pub(super) fn view(
    revision: u64,
    decision: &Decision,
    observed: &Observed,
    plan: &Plan,
    failures: &Failures,
    now: i64,
) -> View {
    let target = &decision.target;
    let service = |(id, service): (&ServiceId, &ServiceTarget)| {
        let owner = owner(Some(id), plan, failures);
        let (state, containers) = service_state(id, service, observed, plan, owner.failing.is_some());
        (
            id.clone(),
            ServiceView {
                owner,
                state,
                containers,
            },
        )
    };
    let mut services: std::collections::BTreeMap<_, _> = target.services.iter().map(service).collect();
    for (id, reason) in &decision.refused {
        let failing = Some(Failing {
            reason: reason.clone(),
            retry_at: now + 60,
        });
        let owner = Owner {
            doing: Vec::new(),
            failing,
        };
        services.insert(
            id.clone(),
            ServiceView {
                owner,
                state: ServiceState::Failing,
                containers: Vec::new(),
            },
        );
    }
    View {
        revision,
        generation: target.generation,
        seen_at: Some(now),
        settled: plan.settled() && decision.refused.is_empty(),
        core: owner(None, plan, failures),
        services,
    }
}

fn owner(id: Option<&ServiceId>, plan: &Plan, failures: &Failures) -> Owner {
    let steps = plan
        .steps
        .iter()
        .filter(|step| step.owner.as_ref() == id)
        .map(|step| step.step.to_string());
    let waits = plan
        .waits
        .iter()
        .filter(|wait| wait.owner.as_ref() == id)
        .map(|wait| wait.what.clone());
    Owner {
        doing: steps.chain(waits).collect(),
        failing: failures.get(id).cloned(),
    }
}
