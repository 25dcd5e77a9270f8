//! The one typed model of a service: every manifest dialect is parsed into it, nothing else leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::name::{
    Alias, ContainerName, ContainerPath, EnvKey, NameError, SecretName, ServiceId, SettingKey, Subdomain,
    VolumeName,
};

/// A service as its package describes it, with every rule of the checks already kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Equal to the package's path in the store.
    pub id: ServiceId,
    /// For people, e.g. "Notes".
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Semantic version of the package.
    pub version: String,
    /// Who packaged it.
    pub author: String,
    /// At least one. Order is start order.
    pub containers: Vec<Container>,
    /// The container that gets `SERVICE_IP`: the one the backend names.
    pub main: ContainerName,
    /// Host names, each with the container and port that answers.
    pub routes: Vec<Route>,
    /// Ports that peers may reach (`iptables_rules`).
    pub peer_ports: Vec<Port>,
    /// All volumes, also those that no container mounts.
    pub volumes: BTreeSet<VolumeName>,
    /// What an admin may set.
    pub settings: BTreeMap<SettingKey, Setting>,
    /// Secrets that Holm generates once and keeps.
    pub secrets: BTreeSet<SecretName>,
}

/// One container of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Unique within the service.
    pub name: ContainerName,
    /// Further names inside the service's own network.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aliases: BTreeSet<Alias>,
    /// Pinned by digest.
    pub image: Image,
    /// Replaces the image's entrypoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<Template>>,
    /// Replaces the image's command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<Template>>,
    /// `uid` or `uid:gid`, numbers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// Replaces the image's working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<ContainerPath>,
    /// Environment, values still with their variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<EnvKey, Template>,
    /// Volumes of this service, mounted here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Beyond none at all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// Read-only root file system, with tmpfs on /run, /tmp and /var/tmp.
    #[serde(default)]
    pub read_only: bool,
    /// A tiny init as process 1.
    #[serde(default)]
    pub init: bool,
    /// Seconds between the stop signal and SIGKILL, 1 to 600; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_seconds: Option<u16>,
}

/// Numeric user and group of a container's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User id inside the container.
    pub uid: u32,
    /// Group id inside the container; the uid's default group when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

/// An image reference pinned by digest: `registry/path[:tag]@sha256:<64 hex>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Image {
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: String,
}

/// A volume of the service mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// One of the service's volumes.
    pub volume: VolumeName,
    /// Where; never a system path (checked).
    pub path: ContainerPath,
    /// Mounted read-only.
    #[serde(default)]
    pub read_only: bool,
}

/// A host name under the cell's domain and what answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The label before the cell's domain.
    pub subdomain: Subdomain,
    /// A container of this service.
    pub container: ContainerName,
    /// A TCP port that it declares.
    pub port: u16,
}

/// Transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// A container of this service.
    pub container: ContainerName,
    /// 1 to 65535.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// One field that an admin may set (`config_schema`, B9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// For the form.
    pub label: String,
    /// Must have a value before the service starts.
    pub required: bool,
    /// Type, bounds and default.
    pub kind: SettingKind,
}

/// Type of a setting, with what bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SettingKind {
    /// Text of at most 4096 characters without control characters.
    String {
        /// Used until an admin sets another.
        default: Option<String>,
    },
    /// A whole number within inclusive bounds.
    Integer {
        /// Used until an admin sets another.
        default: Option<i64>,
        /// Inclusive.
        min: Option<i64>,
        /// Inclusive.
        max: Option<i64>,
    },
    /// `true` or `false`.
    Boolean {
        /// Used until an admin sets another.
        default: Option<bool>,
    },
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// For [`SettingKind::Boolean`].
    Boolean(bool),
    /// For [`SettingKind::Integer`].
    Integer(i64),
    /// For [`SettingKind::String`].
    String(String),
}

/// A text with variables, parsed once; values go in as typed pieces, so nothing is expanded twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template(pub Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// `${PIC_CFG_<KEY>}`
    Setting(SettingKey),
    /// `${PIC_SECRET_<NAME>}`
    Secret(SecretName),
    /// `${PIC_DOMAIN}`
    Domain,
    /// `${PIC_CELL_NAME}`
    CellName,
    /// `${PIC_SERVICE_ID}`
    ServiceId,
    /// `${SERVICE_IP}`
    ServiceIp,
}

/// Linux capabilities that a service may ask for without an admin's grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names of capabilities(7)")]
pub enum Capability {
    AuditWrite,
    Chown,
    DacOverride,
    Fowner,
    Fsetid,
    Kill,
    NetBindService,
    Setfcap,
    Setgid,
    Setpcap,
    Setuid,
    SysChroot,
}

impl Image {
    /// The rule in plain words, for findings.
    pub const RULE: &'static str =
        "registry/path:version@sha256:<64 hex digits>, lower case, with the registry's host first";

    /// `registry/path` without tag and digest.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, when one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// `sha256:<64 hex>`
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// `registry/path@sha256:...`: what is pulled and run; the tag is only for people.
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// One component of a repository path after the OCI distribution grammar.
fn path_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !bytes.is_empty()
        && edge(bytes[0])
        && edge(bytes[bytes.len() - 1])
        && bytes.iter().all(|b| edge(*b) || b"._-".contains(b))
        && !text.contains("..")
        && !text.contains("._")
        && !text.contains("_.")
}

fn registry_host(text: &str) -> bool {
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    host.contains('.')
        && host
            .split('.')
            .all(|part| path_component(part) && !part.contains('_'))
        && port.is_none_or(|port| {
            port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
        })
}

impl FromStr for Image {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError {
            kind: "image",
            text: text.chars().take(80).collect(),
            rule: Self::RULE,
        };
        let (name, digest) = text.split_once('@').ok_or_else(refused)?;
        let hex = digest.strip_prefix("sha256:").ok_or_else(refused)?;
        let hex_ok = hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let (host, rest) = name.split_once('/').ok_or_else(refused)?;
        let (path, tag) = rest
            .split_once(':')
            .map_or((rest, None), |(path, tag)| (path, Some(tag)));
        let tag_ok = tag.is_none_or(|tag| {
            let bytes = tag.as_bytes();
            (1..=128).contains(&bytes.len())
                && (bytes[0].is_ascii_alphanumeric() || bytes[0] == b'_')
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
        });
        if hex_ok && tag_ok && text.len() <= 400 && registry_host(host) && path.split('/').all(path_component)
        {
            Ok(Self {
                repository: format!("{host}/{path}"),
                tag: tag.map(str::to_owned),
                digest: digest.to_owned(),
            })
        } else {
            Err(refused())
        }
    }
}

impl TryFrom<String> for Image {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Image> for String {
    fn from(image: Image) -> String {
        image.to_string()
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tag {
            Some(tag) => write!(f, "{}:{tag}@{}", self.repository, self.digest),
            None => write!(f, "{}@{}", self.repository, self.digest),
        }
    }
}
