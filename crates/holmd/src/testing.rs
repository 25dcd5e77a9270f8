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
