//! Named volumes: where a service's data lives.

use std::collections::BTreeSet;

use holm_core::name::ServiceId;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{Podman, ours, refused, service_label};
use crate::HostError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    name: String,
}

impl Podman {
    /// All volumes with Holm's prefix. By name and not by label: Podman makes a volume that is missing at a
    /// container's start without any label, and data that nobody sees is data that nobody can purge.
    pub async fn volumes(&self) -> Result<BTreeSet<String>, HostError> {
        let listed: Option<Vec<Listed>> = self.get("list Podman's volumes", "/volumes/json").await?;
        let names = listed.unwrap_or_default().into_iter().map(|volume| volume.name);
        Ok(names.filter(|name| name.starts_with("holm-")).collect())
    }

    pub async fn create_volume(&self, name: &str, service: &ServiceId) -> Result<(), HostError> {
        let tried = format!("create volume {name}");
        let name = ours(&tried, name)?;
        let body = json!({ "Name": name, "Labels": service_label(service) });
        let answer = self
            .ask(&tried, Method::POST, "/volumes/create", Some(&body))
            .await?;
        // Podman answers 500 for one that exists, as for everything else.
        if answer.status.is_success() || self.volumes().await?.contains(name) {
            return Ok(());
        }
        Err(refused(&tried, &answer))
    }

    pub async fn remove_volume(&self, name: &str) -> Result<(), HostError> {
        let tried = format!("remove volume {name}");
        let name = ours(&tried, name)?;
        // Podman's removal takes any unique beginning of a name for the name: asked for a volume that is
        // gone already, it removes `<name>-archive` (seen with 5.4.2). So it is only asked for one that exists.
        if !self.volumes().await?.contains(name) {
            return Ok(());
        }
        let answer = self
            .ask(&tried, Method::DELETE, &format!("/volumes/{name}"), None)
            .await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Ok(()),
            _ => Err(refused(&tried, &answer)),
        }
    }
}
