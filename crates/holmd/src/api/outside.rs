//! What only the machine can tell a request: secrets, the authority's certificate, what containers wrote.

use std::{future::Future, pin::Pin};

use holm_core::name::{ContainerName, SecretName, ServiceId};
use tokio::sync::mpsc;

/// A future's answer, or why there is none.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, OutsideError>> + Send + 'a>>;

/// The little that requests read from the machine themselves, since the loop does not look at it.
pub trait Outside: Send + Sync + 'static {
    /// Opens a sealed secret.
    fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Answer<'_, String>;

    /// The authority's root certificate as PEM; `None` before the edge has made it.
    fn ca_certificate(&self) -> Answer<'_, Option<String>>;

    /// The last `tail` lines that a container wrote, each with its line end; with `follow`, also those to
    /// come until the receiver is dropped.
    fn logs(
        &self,
        service: &ServiceId,
        container: &ContainerName,
        follow: bool,
        tail: u32,
    ) -> Answer<'_, mpsc::Receiver<Vec<u8>>>;
}

/// The machine did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct OutsideError {
    /// What was tried and why it failed, in a sentence.
    pub title: String,
    /// What to do next.
    pub hint: String,
}
