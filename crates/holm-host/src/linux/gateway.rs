//! The gateway: its document on disk, which it loads at its start, and its control socket.

use std::{io, path::PathBuf, time::Duration};

use holm_core::gateway::{GatewayConfig, GatewayLive};
use hyper::{Method, StatusCode};
use tokio::{sync::watch, time::timeout};
use tracing::debug;

use super::{
    blocking,
    files::Files,
    http::{Client, Fault},
};
use crate::HostError;

const CURRENT: &str = "gateway/current";
/// Older documents only help a person who looks for what went wrong.
const KEEP: usize = 3;

#[derive(Debug, Clone)]
pub(super) struct Gateway {
    client: Client,
    files: Files,
}

impl Gateway {
    pub fn new(socket: PathBuf, files: Files) -> Self {
        Self {
            client: Client {
                socket,
                deadline: Duration::from_secs(30),
            },
            files,
        }
    }

    /// What the gateway says of itself; `None` when it does not answer.
    pub async fn live(&self) -> Option<GatewayLive> {
        let quick = Client {
            deadline: Duration::from_secs(2),
            ..self.client.clone()
        };
        match quick.call(Method::GET, "/live", None).await {
            Ok(answer) if answer.status == StatusCode::OK => serde_json::from_slice(&answer.body).ok(),
            _ => None,
        }
    }

    /// Stores the document durably as the current one, then loads it. A gateway that is not up loads it when
    /// it starts, so storing is enough.
    pub async fn configure(&self, config: &GatewayConfig) -> Result<(), HostError> {
        let tried = format!("configure the gateway, generation {}", config.generation);
        let failed = |why: String| {
            HostError::new(
                &tried,
                why,
                "See `journalctl --user -u holm-gateway.service`; it is tried again",
            )
        };
        let text = serde_json::to_string(config).map_err(|error| failed(error.to_string()))?;
        let (files, generation) = (self.files.clone(), config.generation);
        let before = blocking(move || store(&files, generation, &text))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let document = serde_json::to_value(config).map_err(|error| failed(error.to_string()))?;
        let answer = match self.client.call(Method::PUT, "/config", Some(&document)).await {
            Ok(answer) => answer,
            Err(Fault::Absent(_)) => return Ok(()),
            Err(fault) => return Err(failed(format!("the gateway: {fault}"))),
        };
        if answer.status.is_success() {
            return Ok(());
        }
        // Refused, it must not be what the gateway starts from; the one before was accepted once.
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY
            && let Some(before) = before
        {
            let files = self.files.clone();
            blocking(move || files.link(CURRENT, &before))
                .await
                .map_err(|error| failed(error.to_string()))?;
        }
        let why = format!("the gateway answered {}: {}", answer.status, detail(&answer.body));
        Err(failed(why))
    }

    /// Calls `fire` for each event of the gateway, for ever. After a connection ended, or none came about,
    /// it tries a few times and then waits until a unit changed: without one there is no gateway to come.
    pub async fn watch(self, mut units: watch::Receiver<u64>, fire: impl Fn()) {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.listen(&fire).await {
                Ok(heard) if heard > 0 => pause = Duration::from_millis(50),
                Ok(_) => {}
                Err(fault) => debug!(%fault, "no events of the gateway"),
            }
            if pause < Duration::from_secs(2) {
                tokio::time::sleep(pause).await;
                pause *= 2;
            } else {
                // The minute is for a gateway that came up long after its unit.
                if let Ok(Err(_)) = timeout(Duration::from_secs(60), units.changed()).await {
                    return;
                }
                pause = Duration::from_millis(50);
            }
        }
    }

    async fn listen(&self, fire: &impl Fn()) -> Result<u64, Fault> {
        let (status, mut lines) = self.client.stream(Method::GET, "/events").await?;
        if status != StatusCode::OK {
            return Err(Fault::Broken(format!("it answered {status}")));
        }
        // What happened while nobody listened.
        fire();
        let mut heard = 1;
        while let Some(line) = lines.next().await? {
            // An empty line only keeps the connection up.
            if !line.is_empty() {
                heard += 1;
                fire();
            }
        }
        Ok(heard)
    }
}

/// The reason in a problem document, or whatever it was.
fn detail(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = problem["detail"].as_str().map(str::to_owned);
    text.unwrap_or_else(|| String::from_utf8_lossy(body).chars().take(400).collect())
}

/// Generation of the document that the gateway would load at its next start; `None` when there is none that
/// it could read.
pub(super) fn stored(files: &Files) -> io::Result<Option<u64>> {
    let Some(name) = current(files)? else {
        return Ok(None);
    };
    let Some(text) = files.read(&format!("gateway/{name}"))? else {
        return Ok(None);
    };
    let config: Option<GatewayConfig> = serde_json::from_str(&text).ok();
    Ok(config
        .map(|config| config.generation)
        .filter(|generation| name == file_name(*generation)))
}

fn file_name(generation: u64) -> String {
    format!("{generation}.json")
}

fn generation(name: &str) -> Option<u64> {
    name.strip_suffix(".json")?.parse().ok()
}

/// What the link points to, when that is a document of ours.
fn current(files: &Files) -> io::Result<Option<String>> {
    match std::fs::read_link(files.place(CURRENT)?) {
        Ok(target) => Ok(target
            .to_str()
            .filter(|name| generation(name).is_some())
            .map(str::to_owned)),
        // InvalidInput: something that is no link.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::InvalidInput
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Stores a document, makes it the current one, and gives back which one was.
fn store(files: &Files, number: u64, text: &str) -> io::Result<Option<String>> {
    let before = current(files)?;
    let name = file_name(number);
    files.write(&format!("gateway/{name}"), text.as_bytes())?;
    files.link(CURRENT, &name)?;
    let mut others: Vec<u64> = files
        .names("gateway")?
        .iter()
        .filter_map(|name| generation(name))
        .filter(|n| *n != number)
        .collect();
    others.sort_unstable();
    let surplus = others.len().saturating_sub(KEEP - 1);
    for old in others.into_iter().take(surplus).map(file_name) {
        // The one before stays as long as the gateway may refuse this one.
        if before.as_ref() != Some(&old) {
            files.remove(&format!("gateway/{old}"))?;
        }
    }
    Ok(before.filter(|before| *before != name))
}

#[cfg(test)]
mod tests;
