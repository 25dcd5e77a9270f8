//! The only crate that touches the outside: look at a machine, change it by one step, hear that it changed.
//!
//! [`linux`] is a real machine with Podman and systemd, [`fake`] one in memory that can fail at every step.
//! Both keep the same promises, and nobody above can tell which one is there.

use std::future::Future;

use holm_core::{
    name::{SecretName, ServiceId},
    observed::Observed,
    plan::Step,
};
use tokio::sync::mpsc;

mod error;
pub mod fake;
pub mod linux;
mod quadlet;
mod secret;

pub use error::HostError;
pub use fake::{Fails, FakeHost};
pub use linux::{LinuxHost, Paths};
pub use secret::Secret;

/// A machine that Holm runs on.
pub trait Host: Send + Sync + 'static {
    /// Looks at everything that bears Holm's names. A look that fails in part fails as a whole: an empty
    /// list always means that there is nothing, never that somebody could not be asked.
    fn observe(&self) -> impl Future<Output = Result<Observed, HostError>> + Send;

    /// Does one step. Doing it again changes nothing, and a step that was cut short may be done again.
    fn apply(&self, step: &Step) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Resolves when something of ours changed its state since the last call. For one caller at a time.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// Says that all has run as decided for a while. systemd counts restarts for as long as a unit lives and
    /// waits longer for each; a crash of last month must not make one of today wait a minute.
    fn steady(&self) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Opens a sealed secret.
    fn reveal(
        &self,
        service: &ServiceId,
        secret: &SecretName,
    ) -> impl Future<Output = Result<Secret, HostError>> + Send;

    /// The root certificate of the cell's own authority, as PEM; `None` before the edge has made it.
    fn ca_certificate(&self) -> impl Future<Output = Result<Option<String>, HostError>> + Send;

    /// Lines that a container wrote, each `time stream message` with its line end: the last `tail` of them,
    /// then, with `follow`, new ones until the receiver is dropped. A container that never ran has none.
    fn logs(
        &self,
        container: &str,
        follow: bool,
        tail: u32,
    ) -> impl Future<Output = Result<mpsc::Receiver<Vec<u8>>, HostError>> + Send;
}
