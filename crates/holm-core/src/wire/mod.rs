//! Request and answer types of the HTTP API, shared by the daemon and the command line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::{
    manifest::Finding,
    model::Value,
    target::{Pool, Wanted},
};

use crate::name::{CellName, Domain, SecretName, ServiceId, SettingKey};

/// `POST /api/cell`: what `holm init` sets. A second one that says the same is success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    /// e.g. `alice.test`
    pub domain: Domain,
    /// The domain's first label when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<CellName>,
    /// `172.20.0.0/16` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// Absolute path of a store's directory that the daemon's user can read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
}

/// `GET /api/cell`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellInfo {
    /// e.g. `alice`
    pub name: CellName,
    /// e.g. `alice.test`
    pub domain: Domain,
    /// Where addresses are taken from.
    pub pool: Pool,
    /// The store's directory.
    pub store: Option<String>,
    /// SHA-256 of the CA's certificate (DER), lower-case hex pairs joined by `:`; absent until the edge made it.
    pub ca_sha256: Option<String>,
}

/// `POST /api/services/catalog/{id}/install`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// Settings that differ from the schema's defaults.
    #[serde(default)]
    pub config: BTreeMap<SettingKey, Value>,
}

/// `POST /api/services/catalog/{id}/reconfigure`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconfigure {
    /// Settings to change; the others stay.
    #[serde(default)]
    pub config: BTreeMap<SettingKey, Value>,
    /// Accepted only when equal to the installed package's template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compose_template: Option<String>,
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the verbs of the command line")]
pub enum Verb {
    Init,
    Install,
    Start,
    Stop,
    Restart,
    Reconfigure,
    Remove,
    Purge,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// Work is left; it goes on without anybody's help.
    Running {
        /// What is being done or waited for, in order.
        doing: Vec<String>,
    },
    /// A step failed; it is tried again.
    Waiting {
        /// What failed, why, and what to do.
        reason: String,
        /// Unix seconds of the next try.
        retry_at: i64,
    },
    /// As asked, and seen to be so.
    Done,
    /// A later operation on the same service asked for something else.
    Superseded,
}

/// `GET /api/operations/{id}`, the answer (202) to every change, and each event of `.../events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Unique, counting up.
    pub id: u64,
    /// What was asked.
    pub verb: Verb,
    /// On which service; `None` for the cell.
    pub service: Option<ServiceId>,
    /// Unix seconds.
    pub created_at: i64,
    /// Nothing had to change: asked for what was already the case.
    pub unchanged: bool,
    /// What the admin is told about an accepted package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// Where it stands.
    pub progress: Progress,
}

/// `GET /api/services` and, for one, `GET /api/services/catalog/{id}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceStatus {
    /// The service.
    pub id: ServiceId,
    /// For people.
    pub name: String,
    /// Version of the installed package.
    pub version: String,
    /// What was asked.
    pub wanted: Wanted,
    /// What is the case.
    pub state: ServiceState,
    /// Why, when it is not as wanted: what is being done, waited for or failing.
    pub detail: Vec<String>,
    /// `https://...` of each route.
    pub urls: Vec<String>,
    /// One per container.
    pub containers: Vec<ContainerStatus>,
}

/// What is the case for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Every container runs as decided and every route's backend accepts connections.
    Serving,
    /// On the way to what was asked.
    Changing,
    /// Something failed; it is tried again.
    Failing,
    /// Not running, as asked.
    Stopped,
    /// Removed; its data is kept.
    Removed,
}

/// A container of a service, as seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerStatus {
    /// Podman's name.
    pub name: String,
    /// Its fixed address.
    pub address: String,
    /// In words: `active`, `starting`, `retrying`, `stopping`, `inactive`, `failed`, `absent`.
    pub state: String,
}

/// `GET /api/status`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The cell; `None` before `holm init`.
    pub cell: Option<CellInfo>,
    /// Target's generation; 0 before the first.
    pub generation: u64,
    /// Unix seconds of the last look at the machine; `None` before the first.
    pub seen_at: Option<i64>,
    /// Nothing to do and nothing to wait for.
    pub settled: bool,
    /// What the core is doing, waiting for or failing at.
    pub core: Vec<String>,
    /// All services, also removed ones.
    pub services: Vec<ServiceStatus>,
}

/// One entry of `GET /api/store`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreEntry {
    /// The service.
    pub id: ServiceId,
    /// For people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Version in the store.
    pub version: String,
    /// Who packaged it.
    pub author: String,
}

/// `GET /api/services/catalog/{id}/secrets/{name}`: a generated secret, for the admin.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// Which.
    pub name: SecretName,
    /// In clear; no Debug on this type, so that it cannot reach a log.
    pub value: String,
}

/// RFC 9457 problem details; the body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// `about:blank#<code>`; the code is stable, e.g. `unknown-service`.
    pub r#type: String,
    /// HTTP status.
    pub status: u16,
    /// What was tried and what failed, in a sentence.
    pub title: String,
    /// What to do or to type next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Of a refused package or setting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}
