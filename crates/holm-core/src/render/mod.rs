//! Target to text: everything that the machine will read exists as a value before any of it is written.

pub mod caddy;
mod core_units;
pub mod guard;
pub mod names;
pub mod nft;
mod policy;
mod service_units;
pub mod unit_file;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

pub use policy::gateway_config;
use unit_file::UnitFile;

use crate::{
    gateway::Leg,
    target::{Target, Wanted},
};

/// Where Quadlet looks for a user's units, below the state root.
pub const QUADLETS: &str = ".config/containers/systemd";
/// Where systemd looks for a user's plain units, below the state root.
pub const UNITS: &str = ".config/systemd/user";

/// Every key that a container unit of ours may have: what is not here cannot have been meant (T6).
pub const KEYS: &[(&str, &str)] = &[
    ("Unit", "After"),
    ("Unit", "BindsTo"),
    ("Unit", "Description"),
    ("Unit", "Requires"),
    ("Unit", "StartLimitIntervalSec"),
    ("Unit", "Upholds"),
    ("Unit", "Wants"),
    ("Unit", "X-Holm"),
    ("Quadlet", "DefaultDependencies"),
    ("Container", "AddCapability"),
    ("Container", "ContainerName"),
    ("Container", "DNS"),
    ("Container", "DropCapability"),
    ("Container", "Entrypoint"),
    ("Container", "EnvironmentFile"),
    ("Container", "Exec"),
    ("Container", "GIDMap"),
    ("Container", "Group"),
    ("Container", "Image"),
    ("Container", "Label"),
    ("Container", "LogDriver"),
    ("Container", "LogOpt"),
    ("Container", "Network"),
    ("Container", "NoNewPrivileges"),
    ("Container", "Notify"),
    ("Container", "PodmanArgs"),
    ("Container", "Pull"),
    ("Container", "ReadOnly"),
    ("Container", "RunInit"),
    ("Container", "StopTimeout"),
    ("Container", "Sysctl"),
    ("Container", "UIDMap"),
    ("Container", "User"),
    ("Container", "Volume"),
    ("Container", "WorkingDir"),
    ("Service", "ExecStartPost"),
    ("Service", "ExecStartPre"),
    ("Service", "ExecStopPost"),
    ("Service", "Restart"),
    ("Service", "RestartMaxDelaySec"),
    ("Service", "RestartSec"),
    ("Service", "RestartSteps"),
    ("Service", "TasksMax"),
    ("Install", "WantedBy"),
];

/// What is rendered for a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Text of each file, by its path below the state root.
    pub files: BTreeMap<String, String>,
    /// Each container unit that is to exist, by the name of its service, e.g. `holm-anchor.service`.
    pub units: BTreeMap<String, RenderedUnit>,
    /// The `X-Holm=` of every unit, also of those that are no container, by name.
    pub marks: BTreeMap<String, String>,
}

/// A rendered container unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedUnit {
    /// Its file, below the state root.
    pub path: String,
    /// Its `X-Holm=`: a hash of the whole text. Differs from the loaded one: systemd must read it again.
    pub mark: String,
    /// Its `io.holm.spec`: a hash of what a running container cannot change without a restart.
    pub spec: String,
    /// The unit.
    pub file: UnitFile,
}

/// Renders everything but the gateway's document (see [`gateway_config`]). `legs` are those that the anchor has
/// from its start: all of the target whose network exists.
pub fn render(target: &Target, legs: &[Leg]) -> Rendered {
    let mut rendered = Rendered::default();
    rendered
        .files
        .insert("core/caddy.json".into(), caddy::config(&target.cell.domain));
    rendered
        .files
        .insert("core/guard.nft".into(), guard::ruleset(target.cell.pool));
    let (socket, mark) = core_units::socket();
    rendered
        .files
        .insert(format!("{UNITS}/{}", core_units::SOCKET), socket.encode());
    rendered.marks.insert(core_units::SOCKET.into(), mark);
    let gateway = gateway_config(target);
    for unit in core_units::units(target, legs) {
        rendered.add(unit);
    }
    for (id, service) in &target.services {
        if matches!(service.wanted, Wanted::Running | Wanted::Stopped) {
            for container in &service.containers {
                if let Some(env) = service_units::env_file(container) {
                    rendered.files.insert(names::env_file(id, &container.name), env);
                }
                if let Some(sealed) = service_units::sealed_file(id, container) {
                    rendered
                        .files
                        .insert(names::sealed_file(id, &container.name), sealed);
                }
                rendered.add(service_units::unit(target, &gateway, id, service, container));
            }
        }
    }
    rendered
}

impl Rendered {
    fn add(&mut self, unit: Draft) {
        let (name, unit) = unit.finish();
        self.files.insert(unit.path.clone(), unit.file.encode());
        self.marks.insert(format!("{name}.service"), unit.mark.clone());
        self.units.insert(format!("{name}.service"), unit);
    }
}

/// A container unit before its hashes are known.
struct Draft {
    /// Podman's name of the container, and the unit's.
    name: String,
    /// Entries of which a change needs a restart.
    fixed: UnitFile,
    /// What else the running container depends on, e.g. the text of a file that it reads.
    also: String,
    /// Entries that may change while the container runs.
    free: Vec<(&'static str, &'static str, String)>,
}

impl Draft {
    fn finish(self) -> (String, RenderedUnit) {
        let spec = hash(&format!("{}\n{}", self.fixed.encode(), self.also));
        let mut whole = self.fixed;
        whole.push("Container", "Label", format!("io.holm.spec={spec}"));
        for (section, key, value) in self.free {
            whole.push(section, key, value);
        }
        let mark = hash(&whole.encode());
        whole.push("Unit", "X-Holm", mark.clone());
        let path = format!("{QUADLETS}/{}.container", self.name);
        (
            self.name,
            RenderedUnit {
                path,
                mark,
                spec,
                file: whole,
            },
        )
    }
}

/// First 16 hex digits of the SHA-256 of `text`.
pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
