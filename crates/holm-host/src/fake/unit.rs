//! What a unit file asks of the machine: the few keys of Quadlet and systemd that the fake one acts on.

use std::net::Ipv4Addr;

use crate::quadlet::{mark, value, values};

/// A unit as read from its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// `X-Holm=`
    pub mark: String,
    /// `ContainerName=`; `None` for a socket.
    pub container: Option<String>,
    /// `Image=`
    pub image: String,
    /// Values of the labels `io.holm.service` and `io.holm.spec`.
    pub service: String,
    pub spec: String,
    /// Podman networks with the address in each.
    pub networks: Vec<(String, Option<Ipv4Addr>)>,
    /// Unit of the container whose namespace it shares.
    pub shares: Option<String>,
    /// Named volumes.
    pub volumes: Vec<String>,
    /// Files below the state root without which it does not start.
    pub files: Vec<String>,
    /// `(service, hash)` of the policy without which it does not start.
    pub policy: Option<(String, String)>,
    /// Container whose secrets are opened before it starts.
    pub unseals: Option<String>,
    /// Units that are started with it, and without which it does not run.
    pub needs: Vec<String>,
    /// Units that are started with it.
    pub wants: Vec<String>,
    /// Units that it waits for while they start.
    pub after: Vec<String>,
    /// Units that go down with whom they need.
    pub binds: Vec<String>,
    /// Units that are started whenever it runs.
    pub upholds: Vec<String>,
    /// Started at boot.
    pub enabled: bool,
}

impl Unit {
    pub fn read(text: &str) -> Self {
        let words = |key| {
            values(text, "Unit", key)
                .into_iter()
                .flat_map(str::split_whitespace)
        };
        let names = |key| words(key).map(str::to_owned).collect::<Vec<_>>();
        let label = |key: &str| {
            let labels = values(text, "Container", "Label").into_iter();
            labels
                .filter_map(|label| label.strip_prefix(key)?.strip_prefix('='))
                .next_back()
                .unwrap_or("")
        };
        let mut unit = Self {
            mark: mark(text).to_owned(),
            container: value(text, "Container", "ContainerName").map(str::to_owned),
            image: value(text, "Container", "Image").unwrap_or("").to_owned(),
            service: label("io.holm.service").to_owned(),
            spec: label("io.holm.spec").to_owned(),
            needs: names("Requires"),
            wants: names("Wants"),
            after: names("After"),
            binds: names("BindsTo"),
            upholds: names("Upholds"),
            enabled: !values(text, "Install", "WantedBy").is_empty(),
            ..Self::default()
        };
        unit.needs.extend(unit.binds.iter().cloned());
        unit.read_container(text);
        unit.read_commands(text);
        unit
    }

    fn read_container(&mut self, text: &str) {
        for network in values(text, "Container", "Network") {
            let (name, options) = network.split_once(':').unwrap_or((network, ""));
            if let Some(other) = name.strip_suffix(".container") {
                self.shares = Some(format!("{other}.service"));
            } else {
                let address = options
                    .split(',')
                    .find_map(|option| option.strip_prefix("ip=")?.parse().ok());
                self.networks.push((name.to_owned(), address));
            }
        }
        for volume in values(text, "Container", "Volume") {
            let source = volume.split(':').next().unwrap_or(volume);
            if !source.starts_with(['/', '%', '.']) {
                self.volumes.push(source.to_owned());
            }
        }
        let environment = values(text, "Container", "EnvironmentFile").into_iter();
        self.files.extend(
            environment
                .filter_map(|file| file.strip_prefix("%h/"))
                .map(str::to_owned),
        );
    }

    fn read_commands(&mut self, text: &str) {
        for key in ["ExecStartPre", "ExecStartPost"] {
            for command in values(text, "Service", key) {
                let words: Vec<&str> = command.split_whitespace().collect();
                if let [.., "-e", file] = words[..]
                    && let Some(marker) = file.strip_prefix("%t/holm/gateway/live/")
                {
                    self.policy = marker.rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned()));
                } else if let [.., "unseal", container] = words[..] {
                    self.unseals = Some(container.to_owned());
                } else if let [.., "-f", file] = words[..] {
                    self.files.extend(file.strip_prefix("%h/").map(str::to_owned));
                }
            }
        }
    }
}
