//! Containers: only looked at, since systemd starts and stops them.

use std::collections::BTreeMap;

use holm_core::observed::Container;
use serde::Deserialize;
use serde_json::json;

use super::{CELL_LABEL, Podman, SERVICE_LABEL, SPEC_LABEL};
use crate::{HostError, linux::http::encode};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    names: Vec<String>,
    labels: Option<BTreeMap<String, String>>,
    state: String,
}

impl Podman {
    /// Containers of ours that run. A stranger's with our prefix lacks the label, and the other way round.
    pub async fn containers(&self) -> Result<BTreeMap<String, Container>, HostError> {
        let filter = encode(&json!({ "label": [CELL_LABEL] }).to_string());
        let path = format!("/containers/json?filters={filter}");
        let listed: Option<Vec<Listed>> = self.get("list Podman's containers", &path).await?;
        let mut containers = BTreeMap::new();
        for one in listed.unwrap_or_default() {
            let mut labels = one.labels.unwrap_or_default();
            let Some(name) = one.names.into_iter().find(|name| name.starts_with("holm-")) else {
                continue;
            };
            if one.state == "running" && labels.contains_key(CELL_LABEL) {
                let service = labels.remove(SERVICE_LABEL).unwrap_or_default();
                let spec = labels.remove(SPEC_LABEL).unwrap_or_default();
                containers.insert(name, Container { service, spec });
            }
        }
        Ok(containers)
    }
}
