//! A real machine: Podman, systemd, the gateway and the files of one unprivileged user.

use std::{path::PathBuf, sync::Arc};

use holm_core::{
    name::{SecretName, ServiceId},
    observed::Observed,
    plan::Step,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};

use crate::{Host, HostError, Secret};

mod files;
mod gateway;
mod http;
mod logs;
mod podman;
mod secrets;
#[cfg(test)]
mod stage;
mod systemd;

/// Where the user's things are.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The state root, which is also his home, e.g. `/var/lib/holm`.
    pub state: PathBuf,
    /// His runtime directory (`XDG_RUNTIME_DIR`), e.g. `/run/user/990`.
    pub runtime: PathBuf,
}

/// The machine that this process runs on.
#[derive(Debug)]
pub struct LinuxHost {
    files: files::Files,
    podman: podman::Podman,
    systemd: systemd::Systemd,
    gateway: gateway::Gateway,
    logs: PathBuf,
    changed: Arc<Notify>,
    /// They listen for as long as the host is there.
    _listeners: JoinSet<()>,
}

impl LinuxHost {
    /// Wires everything and begins to listen. Nobody has to be up: what does not answer is reported by the
    /// look that needs it.
    pub async fn connect(paths: Paths) -> Result<Self, HostError> {
        let files = files::Files::new(paths.state.clone());
        let logs = paths.state.join("logs");
        let (made, directory) = (files.clone(), logs.clone());
        blocking(move || made.directory(&directory))
            .await
            .map_err(|error| {
                let tried = format!("use the state root {}", paths.state.display());
                HostError::new(tried, error, "The package makes it; install it again")
            })?;
        let gateway = gateway::Gateway::new(paths.runtime.join("holm/gateway/control.sock"), files.clone());
        let changed = Arc::new(Notify::new());
        let (units_changed, units) = watch::channel(0);
        let mut listeners = JoinSet::new();
        let notify = changed.clone();
        listeners.spawn(systemd::watch::run(paths.runtime.join("bus"), move || {
            units_changed.send_modify(|count| *count += 1);
            notify.notify_one();
        }));
        let notify = changed.clone();
        listeners.spawn(gateway.clone().watch(units, move || notify.notify_one()));
        Ok(Self {
            podman: podman::Podman::new(paths.runtime.join("podman/podman.sock")),
            systemd: systemd::Systemd::new(&paths.runtime, &paths.state),
            files,
            gateway,
            logs,
            changed,
            _listeners: listeners,
        })
    }

    /// Runs a piece of file work, and says in an error what it was for.
    async fn on_files(
        &self,
        step: &Step,
        work: impl FnOnce(files::Files) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), HostError> {
        let files = self.files.clone();
        blocking(move || work(files)).await.map_err(|error| {
            HostError::new(
                step.to_string(),
                error,
                "Check space and owner of the state root; it is tried again",
            )
        })
    }
}

impl Host for LinuxHost {
    async fn observe(&self) -> Result<Observed, HostError> {
        let files = self.files.clone();
        let disk = async {
            blocking(move || Ok((files.kept()?, secrets::list(&files)?, gateway::stored(&files)?)))
                .await
                .map_err(|error: std::io::Error| {
                    HostError::new("read the state root", error, "Check its owner and modes")
                })
        };
        let live = async { Ok::<_, HostError>(self.gateway.live().await) };
        let (disk, units, containers, networks, volumes, images, legs, gateway) = tokio::try_join!(
            disk,
            self.systemd.units(),
            self.podman.containers(),
            self.podman.networks(),
            self.podman.volumes(),
            self.podman.images(),
            self.podman.legs(),
            live,
        )?;
        let (files, secrets, gateway_stored) = disk;
        Ok(Observed {
            files,
            units,
            containers,
            networks,
            volumes,
            images,
            secrets,
            legs,
            gateway,
            gateway_stored,
        })
    }

    async fn apply(&self, step: &Step) -> Result<(), HostError> {
        match step {
            Step::Pull(image) => {
                self.podman.pull(image).await?;
                // Podman syncs its lists, not the layers: after a power cut an image could be listed and empty.
                self.on_files(step, |files| files.sync_all()).await
            }
            Step::CreateNetwork(network) => self.podman.create_network(network).await,
            Step::RemoveNetwork(name) => self.podman.remove_network(name).await,
            Step::CreateVolume { name, service } => self.podman.create_volume(name, service).await,
            Step::RemoveVolume(name) => self.podman.remove_volume(name).await,
            Step::Seal { service, secret } => secrets::seal(&self.files, service, secret).await,
            Step::ForgetSecrets(service) => {
                let path = format!("secrets/{service}");
                self.on_files(step, move |files| files.remove_directory(&path))
                    .await
            }
            Step::WriteFile { path, text } => {
                let (path, text) = (path.clone(), text.clone());
                self.on_files(step, move |files| files.write(&path, text.as_bytes()))
                    .await
            }
            Step::RemoveFile(path) => {
                let path = path.clone();
                self.on_files(step, move |files| files.remove(&path)).await
            }
            Step::Reload => self.systemd.reload().await,
            Step::Connect(leg) => self.podman.connect(leg).await,
            Step::Disconnect(network) => self.podman.disconnect(network).await,
            Step::Configure(config) => self.gateway.configure(config).await,
            Step::Start(units) => self.systemd.start(units).await,
            Step::Restart(units) => self.systemd.restart(units).await,
            Step::Stop(units) => self.systemd.stop(units).await,
        }
    }

    async fn changed(&self) {
        // One permit is kept while nobody waits, so a change between two calls is not lost.
        self.changed.notified().await;
    }

    async fn steady(&self) -> Result<(), HostError> {
        self.systemd.forget_restarts().await
    }

    async fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Result<Secret, HostError> {
        secrets::reveal(&self.files, service, secret).await
    }

    async fn ca_certificate(&self) -> Result<Option<String>, HostError> {
        let files = self.files.clone();
        blocking(move || files.read("caddy/caddy/pki/authorities/local/root.crt"))
            .await
            .map(|text| text.filter(|text| text.starts_with("-----BEGIN CERTIFICATE-----")))
            .map_err(|error| {
                HostError::new(
                    "read the root certificate",
                    error,
                    "Check owner and modes of the folder caddy",
                )
            })
    }

    async fn logs(
        &self,
        container: &str,
        follow: bool,
        tail: u32,
    ) -> Result<mpsc::Receiver<Vec<u8>>, HostError> {
        logs::open(&self.logs, container, follow, tail)
    }
}

/// Work on the disk, away from the threads that serve requests: an fsync may take seconds.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
}
