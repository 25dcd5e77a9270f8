//! Networks, and the anchor's legs in them.

use std::collections::{BTreeMap, BTreeSet};

use holm_core::plan::{Leg, Network};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CELL_LABEL, Podman, SERVICE_LABEL, labels, ours, refused, unreadable};
use crate::{HostError, linux::http::encode};

/// The container whose namespace the gateway and the edge share.
const ANCHOR: &str = "holm-anchor";
/// Above the metric of Podman's own default route, which wins where both exist.
const METRIC: u32 = 500;

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What Podman says of a network; what it leaves out is empty or false.
#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    driver: String,
    #[serde(default)]
    network_interface: String,
    #[serde(default)]
    subnets: Vec<Value>,
    #[serde(default)]
    routes: Vec<Value>,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    dns_enabled: bool,
    #[serde(default)]
    ipv6_enabled: bool,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Removal {
    #[serde(rename = "Err", default)]
    error: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Anchor {
    state: State,
    network_settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    #[serde(default)]
    running: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    networks: Option<BTreeMap<String, Attached>>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(rename = "IPAddress", default)]
    address: String,
}

impl Podman {
    /// Networks with our label and prefix.
    pub async fn networks(&self) -> Result<BTreeSet<String>, HostError> {
        let filter = encode(&json!({ "label": [CELL_LABEL] }).to_string());
        let path = format!("/networks/json?filters={filter}");
        let listed: Option<Vec<Named>> = self.get("list Podman's networks", &path).await?;
        let names = listed.unwrap_or_default().into_iter().map(|network| network.name);
        Ok(names.filter(|name| name.starts_with("holm-")).collect())
    }

    pub async fn create_network(&self, network: &Network) -> Result<(), HostError> {
        let tried = format!("create network {}", network.name);
        let name = ours(&tried, &network.name)?;
        let body = wanted(network);
        let answer = self
            .ask(&tried, Method::POST, "/networks/create", Some(&body))
            .await?;
        if answer.status.is_success() {
            return Ok(());
        }
        if answer.status != StatusCode::CONFLICT {
            return Err(refused(&tried, &answer));
        }
        let seen = self
            .ask(&tried, Method::GET, &format!("/networks/{name}/json"), None)
            .await?;
        if seen.status == StatusCode::OK {
            let seen: Seen =
                serde_json::from_slice(&seen.body).map_err(|error| unreadable(&tried, &error))?;
            if same(&seen, network) {
                return Ok(());
            }
            if !seen.labels.contains_key(CELL_LABEL) {
                return Err(HostError::new(
                    &tried,
                    "a network of this name exists that Holm did not make",
                    format!("Remove it with `podman network rm {name}` if nothing needs it"),
                ));
            }
        }
        // Ours, but after another plan; Podman refuses to remove it while a container is in it.
        self.remove_network(name).await.map_err(|error| {
            let why = format!(
                "it exists with other parameters and cannot be removed: {}",
                error.why
            );
            HostError::new(&tried, why, "Stop what uses it; it is then made again")
        })?;
        let answer = self
            .ask(&tried, Method::POST, "/networks/create", Some(&body))
            .await?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(refused(&tried, &answer))
        }
    }

    pub async fn remove_network(&self, name: &str) -> Result<(), HostError> {
        let tried = format!("remove network {name}");
        let name = ours(&tried, name)?;
        let answer = self
            .ask(&tried, Method::DELETE, &format!("/networks/{name}"), None)
            .await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        if !answer.status.is_success() {
            return Err(refused(&tried, &answer));
        }
        // 200 is no success: each report has its own error, mostly an empty object (a Go error as JSON).
        let reports: Vec<Removal> =
            serde_json::from_slice(&answer.body).map_err(|error| unreadable(&tried, &error))?;
        let Some(failed) = reports.into_iter().find(|report| !report.error.is_null()) else {
            return Ok(());
        };
        if !self.exists(&tried, &format!("/networks/{name}/exists")).await? {
            return Ok(());
        }
        let why = match failed.error.as_str() {
            Some(text) => text.to_owned(),
            None => "Podman keeps it and does not say why; most likely a container is still in it".into(),
        };
        Err(HostError::new(
            &tried,
            why,
            format!("See `podman ps --all --filter network={name}`"),
        ))
    }

    /// Networks in which the running anchor has a leg, with its address; empty when it does not run.
    async fn anchor(&self, tried: &str) -> Result<BTreeMap<String, String>, HostError> {
        let answer = self
            .ask(tried, Method::GET, &format!("/containers/{ANCHOR}/json"), None)
            .await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(BTreeMap::new());
        }
        if answer.status != StatusCode::OK {
            return Err(refused(tried, &answer));
        }
        let anchor: Anchor =
            serde_json::from_slice(&answer.body).map_err(|error| unreadable(tried, &error))?;
        if !anchor.state.running {
            return Ok(BTreeMap::new());
        }
        let networks = anchor.network_settings.networks.unwrap_or_default().into_iter();
        Ok(networks
            .map(|(name, attached)| (name, attached.address))
            .collect())
    }

    pub async fn legs(&self) -> Result<BTreeSet<String>, HostError> {
        Ok(self.anchor("look at the anchor").await?.into_keys().collect())
    }

    pub async fn connect(&self, leg: &Leg) -> Result<(), HostError> {
        let tried = format!("connect the gateway to {}", leg.network);
        let name = ours(&tried, &leg.network)?;
        match self.anchor(&tried).await?.get(name) {
            Some(address) if *address == leg.address.to_string() => return Ok(()),
            Some(_) => self.disconnect(name).await?,
            None => {}
        }
        let body = json!({
            "container": ANCHOR,
            "static_ips": [leg.address],
            "static_mac": leg.mac,
            "interface_name": leg.interface,
        });
        let answer = self
            .ask(
                &tried,
                Method::POST,
                &format!("/networks/{name}/connect"),
                Some(&body),
            )
            .await?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(refused(&tried, &answer))
        }
    }

    pub async fn disconnect(&self, network: &str) -> Result<(), HostError> {
        let tried = format!("disconnect the gateway from {network}");
        let name = ours(&tried, network)?;
        if !self.anchor(&tried).await?.contains_key(name) {
            return Ok(());
        }
        let body = json!({ "Container": ANCHOR, "Force": false });
        let path = format!("/networks/{name}/disconnect");
        let answer = self.ask(&tried, Method::POST, &path, Some(&body)).await?;
        // A recreated anchor may have lost the leg in between; what counts is that it is gone.
        if answer.status.is_success() || !self.anchor(&tried).await?.contains_key(name) {
            return Ok(());
        }
        Err(refused(&tried, &answer))
    }
}

fn routes(network: &Network) -> Vec<Value> {
    let route = |via| json!({ "destination": "0.0.0.0/0", "gateway": via, "metric": METRIC });
    network.route_via.map(route).into_iter().collect()
}

fn subnets(network: &Network) -> Vec<Value> {
    vec![json!({ "subnet": network.subnet, "gateway": network.bridge_address })]
}

fn wanted(network: &Network) -> Value {
    json!({
        "name": network.name,
        "driver": "bridge",
        "network_interface": network.bridge,
        "subnets": subnets(network),
        "routes": routes(network),
        "internal": network.route_via.is_some(),
        "dns_enabled": false,
        "ipv6_enabled": false,
        "labels": labels(&network.service),
    })
}

fn same(seen: &Seen, network: &Network) -> bool {
    seen.driver == "bridge"
        && seen.network_interface == network.bridge
        && seen.subnets == subnets(network)
        && seen.routes == routes(network)
        && seen.internal == network.route_via.is_some()
        && !seen.dns_enabled
        && !seen.ipv6_enabled
        && seen.labels.contains_key(CELL_LABEL)
        && seen.labels.get(SERVICE_LABEL).map(String::as_str) == Some(network.service.as_str())
}
