//! What systemd does by itself on the fake machine: units start when they can, are tried again, go down together.

use holm_core::observed::UnitState;

use super::{
    unit::Unit,
    world::{ANCHOR, CADDY, GATEWAY, Running, World},
};

/// What came of the try to start a unit.
enum Try {
    Up,
    /// Something that it waits for is still under way.
    Waits,
    Failed,
}

impl World {
    /// Enqueues the start of a unit and of what it needs and wants; false when the unit, or one that it
    /// needs, is unknown: then nothing is started, as systemd does.
    pub fn begin(&mut self, name: &str) -> bool {
        let Some(unit) = self.unit(name) else { return false };
        if matches!(self.state(name), UnitState::Active | UnitState::Starting) {
            return true;
        }
        let before = self.states.insert(name.to_owned(), UnitState::Starting);
        let all = unit.needs.iter().all(|other| self.begin(other));
        if all {
            for other in &unit.wants {
                self.begin(other);
            }
        } else {
            match before {
                Some(before) => self.states.insert(name.to_owned(), before),
                None => self.states.remove(name),
            };
        }
        all
    }

    /// Takes a unit down, and with it those that are bound to it.
    pub fn end(&mut self, name: &str) {
        self.states.remove(name);
        self.fall(name.trim_end_matches(".service"));
        let bound = self
            .loaded
            .iter()
            .filter(|(_, unit)| unit.binds.iter().any(|to| to == name));
        for other in bound.map(|(other, _)| other.clone()).collect::<Vec<_>>() {
            if self.states.contains_key(&other) {
                self.end(&other);
            }
        }
    }

    /// A container ends by itself; its unit is started again, as `Restart=always` says.
    pub fn kill(&mut self, container: &str) {
        let unit = format!("{container}.service");
        if self.containers.contains_key(container) {
            self.end(&unit);
            self.begin(&unit);
        }
    }

    /// What vanishes with a container.
    fn fall(&mut self, container: &str) {
        self.containers.remove(container);
        match container {
            ANCHOR => self.legs.clear(),
            GATEWAY => self.live = None,
            _ => {}
        }
    }

    /// One turn: every unit under way is tried once. False when nothing changed.
    pub fn turn(&mut self) -> bool {
        let before = (
            self.states.clone(),
            self.live.as_ref().map(|live| live.generation),
        );
        let upheld: Vec<String> = self
            .loaded
            .iter()
            .filter(|(name, _)| self.state(name) == UnitState::Active)
            .flat_map(|(_, unit)| unit.upholds.clone())
            .collect();
        for name in upheld {
            if self.state(&name) == UnitState::Inactive {
                self.begin(&name);
            }
        }
        for name in self.states.keys().cloned().collect::<Vec<_>>() {
            if !matches!(self.state(&name), UnitState::Starting | UnitState::Retrying) {
                continue;
            }
            let next = match self.unit(&name) {
                // Its file is gone, and nobody will start it again.
                None => {
                    self.states.remove(&name);
                    continue;
                }
                Some(unit) => match self.raise(&name, &unit) {
                    Try::Up => UnitState::Active,
                    Try::Failed => UnitState::Retrying,
                    Try::Waits => UnitState::Starting,
                },
            };
            self.states.insert(name, next);
        }
        before
            != (
                self.states.clone(),
                self.live.as_ref().map(|live| live.generation),
            )
    }

    fn raise(&mut self, name: &str, unit: &Unit) -> Try {
        let starting = |other: &String| self.state(other) == UnitState::Starting;
        if unit.after.iter().any(starting) {
            return Try::Waits;
        }
        let down = |other: &&String| self.state(other) != UnitState::Active;
        let missing: Vec<String> = unit
            .needs
            .iter()
            .chain(&unit.shares)
            .filter(down)
            .cloned()
            .collect();
        if !missing.is_empty() {
            // Each try of a restart asks for them anew.
            let all = missing.iter().all(|other| self.begin(other));
            return if all { Try::Waits } else { Try::Failed };
        }
        let Some(container) = unit.container.clone() else {
            return Try::Up;
        };
        if !self.can_run(&container, unit) {
            return Try::Failed;
        }
        let running = Running {
            service: unit.service.clone(),
            spec: unit.spec.clone(),
            networks: unit.networks.clone(),
            volumes: unit.volumes.clone(),
        };
        self.containers.insert(container.clone(), running);
        debug_assert_eq!(
            name,
            format!("{container}.service"),
            "Holm names units after their containers"
        );
        match container.as_str() {
            // Connected live or not: a new container has the legs of its unit, and no others.
            ANCHOR => self.legs = unit.networks.iter().map(|(network, _)| network.clone()).collect(),
            GATEWAY if self.live.is_none() => {
                self.live = self.stored.clone();
                // It says that it is ready only when a document is live.
                if self.live.is_none() {
                    return Try::Waits;
                }
            }
            CADDY => self.edge_ran = true,
            _ => {}
        }
        Try::Up
    }

    /// Whether Podman and the unit's own commands let the container run.
    fn can_run(&self, container: &str, unit: &Unit) -> bool {
        let image = self.images.iter().any(|image| image.pinned() == unit.image);
        let networks = unit
            .networks
            .iter()
            .all(|(network, _)| self.networks.contains_key(network));
        let volumes = unit.volumes.iter().all(|volume| self.volumes.contains(volume));
        let files = unit.files.iter().all(|file| self.files.contains_key(file));
        let policy = unit
            .policy
            .as_ref()
            .is_none_or(|(service, hash)| self.has_policy(service, hash));
        let secrets = unit
            .unseals
            .as_ref()
            .is_none_or(|container| self.unseals(container));
        let program = !self.broken.contains(container);
        image && networks && volumes && files && policy && secrets && program
    }

    /// Whether all secrets that a container's sealed environment names are there.
    fn unseals(&self, container: &str) -> bool {
        let document = self.files.get(&format!("env/{container}.sealed"));
        let Some(document) = document.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        else {
            return false;
        };
        let service = document["service"].as_str().and_then(|id| id.parse().ok());
        let Some(secrets) = service.and_then(|id| self.secrets.get(&id)) else {
            return false;
        };
        let mut named = Vec::new();
        names(&document["env"], &mut named);
        named
            .iter()
            .all(|name| name.parse().is_ok_and(|name| secrets.contains_key(&name)))
    }
}

/// The values of all keys `secret`, however deep.
fn names<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        serde_json::Value::Object(fields) => {
            found.extend(fields.get("secret").and_then(|name| name.as_str()));
            fields.values().for_each(|field| names(field, found));
        }
        _ => {}
    }
}
