//! Steps on the fake machine, with the refusals of the real one.

use holm_core::{
    gateway::GatewayConfig,
    name::{SecretName, ServiceId},
    observed::UnitState,
    plan::{Leg, Network, Step},
};

use super::world::{ANCHOR, World};

impl World {
    pub fn apply(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Pull(image) => {
                let pinned = image.pinned();
                if self
                    .refused
                    .as_ref()
                    .is_some_and(|prefix| pinned.starts_with(prefix))
                {
                    return Err("the registry refuses".into());
                }
                self.images
                    .insert(pinned.parse().map_err(|error| format!("{error}"))?);
            }
            Step::CreateNetwork(network) => return self.create_network(network),
            Step::RemoveNetwork(name) => return self.remove_network(name),
            Step::CreateVolume { name, .. } => drop(self.volumes.insert(name.clone())),
            Step::RemoveVolume(name) => {
                if self
                    .containers
                    .values()
                    .any(|running| running.volumes.contains(name))
                {
                    return Err("a container uses it".into());
                }
                self.volumes.remove(name);
            }
            Step::Seal { service, secret } => self.seal(service, secret),
            Step::ForgetSecrets(service) => drop(self.secrets.remove(service)),
            Step::WriteFile { path, text } => drop(self.files.insert(plain(path)?, text.clone())),
            Step::RemoveFile(path) => drop(self.files.remove(&plain(path)?)),
            Step::Reload => self.reload(),
            Step::Connect(leg) => return self.connect(leg),
            Step::Disconnect(network) => drop(self.legs.remove(network)),
            Step::Configure(config) => return self.configure(config),
            Step::Start(units) => return self.start(units),
            Step::Restart(units) => {
                self.known(units)?;
                units.iter().for_each(|unit| self.end(unit));
                return self.start(units);
            }
            Step::Stop(units) => units.iter().for_each(|unit| self.end(unit)),
        }
        Ok(())
    }

    fn start(&mut self, units: &[String]) -> Result<(), String> {
        self.known(units)?;
        match units.iter().find(|unit| !self.begin(unit)) {
            Some(unit) => Err(format!("a unit that {unit} requires was not found")),
            None => Ok(()),
        }
    }

    fn known(&self, units: &[String]) -> Result<(), String> {
        match units.iter().find(|unit| self.unit(unit).is_none()) {
            Some(unknown) => Err(format!("Unit {unknown} not found.")),
            None => Ok(()),
        }
    }

    /// Whether a container that runs, or the anchor by a leg, is in a network.
    fn in_use(&self, network: &str) -> bool {
        let mut others = self.containers.iter().filter(|(name, _)| *name != ANCHOR);
        self.legs.contains(network)
            || others.any(|(_, running)| running.networks.iter().any(|(name, _)| name == network))
    }

    fn create_network(&mut self, network: &Network) -> Result<(), String> {
        if self
            .networks
            .get(&network.name)
            .is_some_and(|seen| seen != network)
            && self.in_use(&network.name)
        {
            return Err("it exists with other parameters and is in use".into());
        }
        let overlaps = |other: &Network| other.name != network.name && other.subnet == network.subnet;
        if let Some(other) = self.networks.values().find(|other| overlaps(other)) {
            return Err(format!(
                "subnet {} is already used by network {}",
                network.subnet, other.name
            ));
        }
        self.networks.insert(network.name.clone(), network.clone());
        Ok(())
    }

    fn remove_network(&mut self, name: &str) -> Result<(), String> {
        if self.in_use(name) {
            return Err("a container is still in it".into());
        }
        self.networks.remove(name);
        Ok(())
    }

    fn seal(&mut self, service: &ServiceId, secret: &SecretName) {
        self.sealed += 1;
        let value = format!("secret-{}", self.sealed);
        self.secrets
            .entry(service.clone())
            .or_default()
            .entry(secret.clone())
            .or_insert(value);
    }

    fn connect(&mut self, leg: &Leg) -> Result<(), String> {
        if self.state("holm-anchor.service") != UnitState::Active {
            return Err("no container with name \"holm-anchor\"".into());
        }
        if !self.networks.contains_key(&leg.network) {
            return Err(format!("network {} not found", leg.network));
        }
        self.legs.insert(leg.network.clone());
        Ok(())
    }

    fn configure(&mut self, config: &GatewayConfig) -> Result<(), String> {
        self.stored = Some(config.clone());
        let Some(live) = &self.live else { return Ok(()) };
        if live != config && config.generation <= live.generation {
            return Err(format!("generation {} is live", live.generation));
        }
        self.live = Some(config.clone());
        Ok(())
    }
}

/// The same paths as on a real machine.
fn plain(path: &str) -> Result<String, String> {
    let normal = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    if normal {
        Ok(path.to_owned())
    } else {
        Err(format!("{path:?} is no plain path below the state root"))
    }
}
