//! A machine that does as it is told, as far as the golden plans need one: what a step says is seen in the next look,
//! and what a look only waits for has come about in the one after it.

use holm_core::{
    gateway::{BackendLive, GatewayConfig, GatewayLive},
    observed::{Container, Observed, Unit, UnitState},
    plan::Step,
    render::{QUADLETS, UNITS, names, unit_file::UnitFile},
};

/// What is seen of it, and what its gateway has loaded.
#[derive(Default)]
pub struct Machine {
    pub seen: Observed,
    loaded: Option<GatewayConfig>,
}

impl Machine {
    /// Does one step. Installing takes nothing away, so the steps that do are not known here.
    pub fn apply(&mut self, step: &Step) {
        let seen = &mut self.seen;
        match step {
            Step::Pull(image) => drop(seen.images.insert(image.clone())),
            Step::CreateNetwork(network) => drop(seen.networks.insert(network.name.clone())),
            Step::CreateVolume { name, .. } => drop(seen.volumes.insert(name.clone())),
            Step::Seal { service, secret } => {
                seen.secrets
                    .entry(service.clone())
                    .or_default()
                    .insert(secret.clone());
            }
            Step::WriteFile { path, text } => drop(seen.files.insert(path.clone(), text.clone())),
            Step::Reload => self.reload(),
            Step::Connect(leg) => drop(seen.legs.insert(leg.network.clone())),
            Step::Configure(config) => {
                seen.gateway_stored = Some(config.generation);
                self.loaded = Some(config.clone());
                if seen.gateway.is_some() {
                    self.answer();
                }
            }
            Step::Start(units) | Step::Restart(units) => {
                for unit in units {
                    seen.units
                        .get_mut(unit)
                        .expect("a unit that systemd has read")
                        .state = UnitState::Starting;
                }
            }
            other => panic!("an install does not {other}"),
        }
    }

    /// Time passes: what starts has started, and what had started before answers.
    pub fn wait(&mut self) {
        self.answer();
        let starting = self
            .seen
            .units
            .iter_mut()
            .filter(|(_, unit)| unit.state == UnitState::Starting);
        for (name, unit) in starting {
            unit.state = UnitState::Active;
            let container = name.trim_end_matches(".service");
            let text = &self.seen.files[&format!("{QUADLETS}/{container}.container")];
            let file = UnitFile::parse(text).expect("a unit of ours");
            let label = |key: &str| {
                let mut labels = file.values("Container", "Label");
                labels
                    .find_map(|label| label.strip_prefix(key))
                    .unwrap_or_default()
                    .to_owned()
            };
            let container_seen = Container {
                service: label("io.holm.service="),
                spec: label("io.holm.spec="),
            };
            self.seen.containers.insert(container.to_owned(), container_seen);
        }
    }

    /// systemd reads the units that lie there.
    fn reload(&mut self) {
        for (path, text) in &self.seen.files {
            let plain = path.strip_prefix(&format!("{UNITS}/")).map(str::to_owned);
            let container = path
                .strip_prefix(&format!("{QUADLETS}/"))
                .and_then(|name| name.strip_suffix(".container"))
                .map(|name| format!("{name}.service"));
            let Some(name) = plain.or(container) else { continue };
            let file = UnitFile::parse(text).expect("a unit of ours");
            let mark = file
                .values("Unit", "X-Holm")
                .next()
                .unwrap_or_default()
                .to_owned();
            let unit = self.seen.units.entry(name).or_insert(Unit {
                state: UnitState::Inactive,
                mark: String::new(),
            });
            unit.mark = mark;
        }
    }

    /// The gateway says what is live; a backend answers when a container of its service runs.
    fn answer(&mut self) {
        let (Some(config), true) = (&self.loaded, self.seen.containers.contains_key(names::GATEWAY)) else {
            return;
        };
        let backends = config.routes.iter().filter_map(|route| {
            let mut running = self.seen.containers.values();
            Some(BackendLive {
                service: route.service.clone(),
                backend: route.backend?,
                up: running.any(|container| container.service == route.service.as_str()),
            })
        });
        self.seen.gateway = Some(GatewayLive {
            generation: config.generation,
            backends: backends.collect(),
        });
    }
}
