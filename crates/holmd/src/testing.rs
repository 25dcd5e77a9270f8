//! Small packages for the tests of this crate.

use std::collections::{BTreeMap, BTreeSet};

use holm_core::model::{Container, Image, Route, Service};

pub(crate) fn image(name: &str) -> Image {
    let digest = "0".repeat(64);
    format!("images.holm.example/{name}:1.0.0@sha256:{digest}")
        .parse()
        .unwrap()
}

/// A service with one container and one host name.
pub(crate) fn service(id: &str, subdomain: &str) -> Service {
    let main: holm_core::name::ContainerName = format!("cell-{id}").parse().unwrap();
    Service {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        description: "for a test".to_owned(),
        version: "1.0.0".to_owned(),
        author: "holm".to_owned(),
        containers: vec![Container {
            name: main.clone(),
            aliases: BTreeSet::new(),
            image: image(id),
            entrypoint: None,
            command: None,
            user: None,
            working_dir: None,
            env: BTreeMap::new(),
            mounts: Vec::new(),
            capabilities: BTreeSet::new(),
            read_only: false,
            init: false,
            stop_seconds: None,
        }],
        main: main.clone(),
        routes: vec![Route {
            subdomain: subdomain.parse().unwrap(),
            container: main,
            port: 80,
        }],
        peer_ports: Vec::new(),
        volumes: BTreeSet::new(),
        settings: BTreeMap::new(),
        secrets: BTreeSet::new(),
    }
}

/// A package's manifest with two settings; `subdomain` is its host name.
pub(crate) fn manifest(id: &str, subdomain: &str, version: &str) -> String {
    let image = format!("images.holm.example/{id}:{version}@sha256:{}", "0".repeat(64));
    format!(
        r#"{{
  "schema_version": 3, "id": "{id}", "name": "The {id}", "description": "for a test",
  "version": "{version}", "author": "holm", "kind": "store", "min_pic_version": "1.0",
  "capabilities": {{ "has_subdomain": true, "has_accounts": false, "has_admin_config": true,
    "has_storage": false, "has_egress": false, "has_api_hooks": false }},
  "subdomain": "{subdomain}", "extra_subdomains": [], "backend": "cell-{id}:80",
  "containers": ["cell-{id}"], "image": "{image}", "container_name": "cell-{id}",
  "config_schema": {{
    "limit": {{ "type": "integer", "label": "Limit", "required": true, "default": 5, "min": 1, "max": 9 }},
    "shared": {{ "type": "boolean", "label": "Shared", "required": false, "default": false }}
  }},
  "volumes": [], "env": [], "iptables_rules": [], "compose": null
}}"#
    )
}

/// A store's folder with packages in it, and a state beside it.
pub(crate) struct World {
    pub dir: tempfile::TempDir,
    pub db: crate::db::Db,
    pub wake: tokio::sync::Notify,
}

impl World {
    /// A store with `notes` and `files`, each at its own host name; no cell yet.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::db::Db::open(&dir.path().join("state.db")).unwrap();
        let world = Self {
            dir,
            db,
            wake: tokio::sync::Notify::new(),
        };
        let entry = |id: &str| {
            format!(
                r#"{{"id":"{id}","name":"The {id}","description":"for a test","version":"1.0.0","author":"holm"}}"#
            )
        };
        std::fs::create_dir_all(world.store()).unwrap();
        let index = format!("[{},{}]", entry("notes"), entry("files"));
        std::fs::write(world.store().join("index.json"), index).unwrap();
        world.pack("notes", &manifest("notes", "notes", "1.0.0"));
        world.pack("files", &manifest("files", "files", "1.0.0"));
        world
    }

    /// Where the store lies.
    pub fn store(&self) -> std::path::PathBuf {
        self.dir.path().join("store")
    }

    /// Puts a package into the store.
    pub fn pack(&self, id: &str, manifest: &str) {
        let dir = self.store().join("services").join(id);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("manifest.json"), manifest).unwrap();
    }

    /// What `holm init --domain alice.test --store ...` sends.
    pub fn init(&self) -> holm_core::wire::Init {
        holm_core::wire::Init {
            domain: "alice.test".parse().unwrap(),
            name: None,
            pool: None,
            store: Some(self.store().to_str().unwrap().to_owned()),
        }
    }
}
