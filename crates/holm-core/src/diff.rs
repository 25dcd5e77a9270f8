//! Target and observed to plan: what Holm owns and does not want goes, what it wants and does not see comes.
//!
//! Volumes are the exception: they go only when their service is to be purged.

mod changes;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    gateway::{GatewayConfig, Leg},
    model::Image,
    name::ServiceId,
    observed::{Observed, UnitState},
    plan::{Plan, Planned, Step, Wait},
    render::{self, Rendered, names},
    target::{ServiceTarget, Target, Wanted},
};

pub use state::service_state;

/// Compares. An empty plan means that the machine is as decided.
pub fn diff(target: &Target, observed: &Observed) -> Plan {
    let gateway = render::gateway_config(target);
    let seen = |leg: &Leg| observed.networks.contains(&names::network(&leg.service));
    let legs: Vec<Leg> = gateway.legs.iter().filter(|leg| seen(leg)).cloned().collect();
    let mut diff = Diff {
        target,
        observed,
        rendered: render::render(target, &legs),
        gateway,
        legs,
        plan: Plan::default(),
        ready: BTreeSet::new(),
    };
    let core_ready = diff.pull_core();
    diff.pull_services();
    if core_ready {
        diff.configure();
        diff.stop_unwanted();
        diff.create();
        diff.write_files();
        diff.legs();
        diff.remove();
        diff.start();
    }
    diff.plan
}

/// A comparison under way.
struct Diff<'a> {
    target: &'a Target,
    observed: &'a Observed,
    rendered: Rendered,
    gateway: GatewayConfig,
    /// Legs whose network was seen. The anchor's unit names these only: one missing network, and it could not start.
    legs: Vec<Leg>,
    plan: Plan,
    /// Services of which everything that their units name was seen: only these get units, and are started.
    ready: BTreeSet<&'a ServiceId>,
}

impl<'a> Diff<'a> {
    fn step(&mut self, owner: Option<&ServiceId>, step: Step) {
        self.plan.steps.push(Planned {
            owner: owner.cloned(),
            step,
        });
    }

    fn wait(&mut self, owner: Option<&ServiceId>, what: String, failing: bool) {
        self.plan.waits.push(Wait {
            owner: owner.cloned(),
            what,
            failing,
        });
    }

    fn present(&self, image: &Image) -> bool {
        self.observed
            .images
            .iter()
            .any(|seen| seen.pinned() == image.pinned())
    }

    fn pull_core(&mut self) -> bool {
        let cell = &self.target.cell;
        let missing: BTreeSet<&Image> = [&cell.gateway_image, &cell.caddy_image]
            .into_iter()
            .filter(|image| !self.present(image))
            .collect();
        let ready = missing.is_empty();
        for image in missing {
            self.step(None, Step::Pull(image.clone()));
        }
        ready
    }

    /// Pulls what is missing, and finds out who is ready.
    fn pull_services(&mut self) {
        for (id, service) in &self.target.services {
            let images: BTreeSet<&Image> = service
                .containers
                .iter()
                .map(|container| &container.image)
                .collect();
            let missing: Vec<&Image> = images.into_iter().filter(|image| !self.present(image)).collect();
            // A stopped service keeps its units whether or not somebody removed its image.
            let images_seen = missing.is_empty() || service.wanted == Wanted::Stopped;
            if images_seen && self.missing(id, service).is_empty() {
                self.ready.insert(id);
            }
            if service.wanted == Wanted::Running {
                for image in missing {
                    self.step(Some(id), Step::Pull(image.clone()));
                }
            }
        }
    }

    /// First of all: what goes loses its route before it stops, what comes has its policy before it starts.
    fn configure(&mut self) {
        let wanted = Some(self.target.generation);
        let live = self.observed.gateway.as_ref().map(|live| live.generation);
        let runs = self.observed.containers.contains_key(names::GATEWAY);
        if self.observed.gateway_stored != wanted || (live.is_some() && live != wanted) {
            self.step(None, Step::Configure(self.gateway.clone()));
        } else if runs && live.is_none() {
            self.wait(None, "the gateway answers".into(), false);
        }
    }

    /// Services that are to run or be ready to.
    fn kept(&self) -> impl Iterator<Item = (&'a ServiceId, &'a ServiceTarget)> + use<'a> {
        let kept = |service: &ServiceTarget| matches!(service.wanted, Wanted::Running | Wanted::Stopped);
        self.target
            .services
            .iter()
            .filter(move |(_, service)| kept(service))
    }

    /// Whose unit or network a name on the machine is; `None` for the core's and for those of unknown services.
    fn owner(&self, name: &str) -> Option<&'a ServiceId> {
        let rest = name.strip_prefix("holm-")?;
        let id = rest.split('.').next().unwrap_or(rest);
        self.target.services.keys().find(|known| known.as_str() == id)
    }

    fn unit_state(&self, unit: &str) -> Option<UnitState> {
        self.observed.units.get(unit).map(|unit| unit.state)
    }

    /// For every container unit that is to run: its owner and name, in start order.
    fn running_units(&self) -> Vec<(Option<&'a ServiceId>, String)> {
        let core =
            [names::ANCHOR, names::GATEWAY, names::CADDY].map(|name| (None, format!("{name}.service")));
        let services = self
            .kept()
            .filter(|(id, service)| service.wanted == Wanted::Running && self.ready.contains(id));
        let units = services.flat_map(|(id, service)| {
            service
                .containers
                .iter()
                .map(move |container| (Some(id), names::unit(id, &container.name)))
        });
        core.into_iter().chain(units).collect()
    }

    fn start(&mut self) {
        let mut starts: BTreeMap<Option<&'a ServiceId>, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for (owner, unit) in self.running_units() {
            match self.judge(&unit) {
                Verdict::Start => starts.entry(owner).or_default().0.push(unit),
                Verdict::Restart => starts.entry(owner).or_default().1.push(unit),
                Verdict::Wait(what, failing) => self.wait(owner, format!("{unit} {what}"), failing),
                Verdict::Runs => {}
            }
        }
        for (owner, (start, restart)) in starts {
            for (units, step) in [
                (restart, Step::Restart as fn(Vec<String>) -> Step),
                (start, Step::Start),
            ] {
                if !units.is_empty() {
                    self.step(owner, step(units));
                }
            }
        }
        self.wait_for_backends();
    }

    fn judge(&self, unit: &str) -> Verdict {
        let Some(rendered) = self.rendered.units.get(unit) else {
            return Verdict::Runs;
        };
        let container = self.observed.containers.get(unit.trim_end_matches(".service"));
        let loaded = self
            .observed
            .units
            .get(unit)
            .is_some_and(|unit| unit.mark == rendered.mark);
        match self.unit_state(unit) {
            None | Some(UnitState::Inactive | UnitState::Failed) => Verdict::Start,
            Some(UnitState::Retrying) if !loaded => Verdict::Restart,
            Some(UnitState::Retrying) => Verdict::Wait("failed and is started again", true),
            Some(UnitState::Starting) => Verdict::Wait("starts", false),
            Some(UnitState::Stopping) => Verdict::Wait("stops", false),
            Some(UnitState::Active) => match container {
                Some(container) if container.spec == rendered.spec => Verdict::Runs,
                Some(_) => Verdict::Restart,
                None => Verdict::Wait("has no container yet", false),
            },
        }
    }

    /// A service serves when what its routes name accepts connections.
    fn wait_for_backends(&mut self) {
        let Some(live) = &self.observed.gateway else {
            return;
        };
        if live.generation != self.target.generation {
            return;
        }
        for backend in live.backends.iter().filter(|backend| !backend.up) {
            let wanted = self.target.services.get_key_value(&backend.service);
            if let Some((id, _)) =
                wanted.filter(|(id, service)| service.wanted == Wanted::Running && self.ready.contains(id))
            {
                self.wait(Some(id), format!("{id} answers on {}", backend.backend), false);
            }
        }
    }
}

/// What to do about a unit that is to run.
enum Verdict {
    Runs,
    Start,
    Restart,
    Wait(&'static str, bool),
}

#[cfg(test)]
mod tests;
