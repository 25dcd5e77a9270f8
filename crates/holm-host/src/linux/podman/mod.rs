//! Podman by its own API (libpod v5) on the user's socket, which systemd opens on demand.

use std::{path::PathBuf, time::Duration};

use holm_core::name::ServiceId;
use hyper::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::http::{Answer, Client, Fault};
use crate::HostError;

mod containers;
mod images;
mod networks;
#[cfg(test)]
mod tests;
mod volumes;

/// Marks what is ours; containers have the cell's name as its value.
const CELL_LABEL: &str = "io.holm.cell";
const SERVICE_LABEL: &str = "io.holm.service";
const SPEC_LABEL: &str = "io.holm.spec";

/// Podman of one user.
#[derive(Debug, Clone)]
pub(super) struct Podman {
    client: Client,
    limits: Limits,
}

/// How long a pull may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    whole_pull: Duration,
    quiet_pull: Duration,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    cause: String,
    #[serde(default)]
    message: String,
}

impl Podman {
    pub fn new(socket: PathBuf) -> Self {
        Self {
            client: Client {
                socket,
                // The slowest answer seen takes a tenth of a second. A call that hangs blinds the loop for this long,
                // and a second try of a Podman that was just ending succeeds.
                deadline: Duration::from_secs(8),
            },
            limits: Limits {
                whole_pull: Duration::from_secs(600),
                quiet_pull: Duration::from_secs(60),
            },
        }
    }

    /// Asks; `path` begins behind `/libpod`.
    async fn ask(
        &self,
        tried: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, HostError> {
        let path = format!("/v5.0.0/libpod{path}");
        self.client
            .call(method, &path, body)
            .await
            .map_err(|fault| absent(tried, &fault))
    }

    /// Asks for a document; anything but 200 is an error.
    async fn get<T: DeserializeOwned>(&self, tried: &str, path: &str) -> Result<T, HostError> {
        let answer = self.ask(tried, Method::GET, path, None).await?;
        if answer.status != StatusCode::OK {
            return Err(refused(tried, &answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| unreadable(tried, &error))
    }

    /// Whether something is there; `path` ends in `/exists`.
    async fn exists(&self, tried: &str, path: &str) -> Result<bool, HostError> {
        let answer = self.ask(tried, Method::GET, path, None).await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refused(tried, &answer)),
        }
    }
}

fn absent(tried: &str, fault: &Fault) -> HostError {
    HostError::new(
        tried,
        format!("Podman: {fault}"),
        "See `systemctl --user status podman.socket podman.service`; it is tried again",
    )
}

fn unreadable(tried: &str, error: &serde_json::Error) -> HostError {
    HostError::new(
        tried,
        format!("Podman's answer makes no sense ({error})"),
        "Holm needs Podman 5.4 or later: see `podman --version`",
    )
}

fn refused(tried: &str, answer: &Answer) -> HostError {
    let why = serde_json::from_slice::<Refusal>(&answer.body).map_or_else(
        |_| format!("Podman answered {}", answer.status),
        |refusal| {
            if refusal.message.is_empty() {
                refusal.cause
            } else {
                refusal.message
            }
        },
    );
    HostError::new(
        tried,
        why,
        "It is tried again; `journalctl --user -u podman.service` may say more",
    )
}

/// A name that may go into a path of the API and that is ours to change.
fn ours<'a>(tried: &str, name: &'a str) -> Result<&'a str, HostError> {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain && name.starts_with("holm-") {
        Ok(name)
    } else {
        Err(HostError::new(
            tried,
            format!("{name:?} is not a name of Holm's"),
            "This is a fault in Holm; please report it",
        ))
    }
}

fn labels(service: &str) -> Value {
    serde_json::json!({ CELL_LABEL: "1", SERVICE_LABEL: service })
}

fn service_label(service: &ServiceId) -> Value {
    labels(service.as_str())
}
