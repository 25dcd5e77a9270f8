//! Values that the tests of several modules start from.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    intent::{CellIntent, CoreImages, Intent, ServiceIntent},
    model::{Container, Image, Mount, Piece, Port, Protocol, Route, Service, Setting, SettingKind, Template},
    target::Wanted,
};

pub fn image(name: &str) -> Image {
    format!(
        "images.holm.example/{name}:1.0.0@sha256:{}",
        "0123456789abcdef".repeat(4)
    )
    .parse()
    .unwrap()
}

pub fn images() -> CoreImages {
    CoreImages {
        gateway: image("holm-gateway"),
        caddy: image("caddy"),
    }
}

fn container(name: &str) -> Container {
    Container {
        name: name.parse().unwrap(),
        aliases: BTreeSet::new(),
        image: image(name),
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
    }
}

/// One container, one route, one volume.
pub fn homepage() -> Service {
    let main = Container {
        aliases: BTreeSet::from(["cell-homepage".parse().unwrap()]),
        mounts: vec![Mount {
            volume: "homepage-html".parse().unwrap(),
            path: "/usr/share/nginx/html".parse().unwrap(),
            read_only: false,
        }],
        ..container("main")
    };
    Service {
        id: "homepage".parse().unwrap(),
        name: "Homepage".into(),
        description: "A static homepage served from your cell".into(),
        version: "1.0.0".into(),
        author: "acme".into(),
        main: main.name.clone(),
        routes: vec![Route {
            subdomain: "home".parse().unwrap(),
            container: main.name.clone(),
            port: 80,
        }],
        peer_ports: vec![Port {
            container: main.name.clone(),
            port: 80,
            protocol: Protocol::Tcp,
        }],
        volumes: BTreeSet::from(["homepage-html".parse().unwrap()]),
        settings: BTreeMap::new(),
        secrets: BTreeSet::new(),
        containers: vec![main],
    }
}

/// Two containers with every kind of variable, an ugly value, a secret, a command.
pub fn notes() -> Service {
    let text = |text: &str| Template(vec![Piece::Text(text.into())]);
    let server = Container {
        command: Some(vec![text("serve"), text("100% of $HOME \"quoted\" \\ back")]),
        env: BTreeMap::from([
            ("NOTES_UGLY".parse().unwrap(), text("a % b $c 'd' \"e\" # f \\ g")),
            (
                "NOTES_PORT".parse().unwrap(),
                Template(vec![Piece::Setting("port".parse().unwrap())]),
            ),
            (
                "NOTES_DB".parse().unwrap(),
                Template(vec![
                    Piece::Text("postgres://notes:".into()),
                    Piece::Secret("DB_PASSWORD".parse().unwrap()),
                    Piece::Text("@db/".into()),
                    Piece::ServiceId,
                ]),
            ),
            (
                "NOTES_URL".parse().unwrap(),
                Template(vec![Piece::Text("https://notes.".into()), Piece::Domain]),
            ),
            (
                "NOTES_IP".parse().unwrap(),
                Template(vec![Piece::ServiceIp, Piece::Text("/".into()), Piece::CellName]),
            ),
        ]),
        stop_seconds: Some(30),
        ..container("server")
    };
    let db = Container {
        mounts: vec![Mount {
            volume: "data".parse().unwrap(),
            path: "/var/lib/postgresql/data".parse().unwrap(),
            read_only: false,
        }],
        read_only: true,
        init: true,
        ..container("db")
    };
    Service {
        id: "notes".parse().unwrap(),
        name: "Notes".into(),
        description: "Self-hosted Markdown notes".into(),
        version: "2.1.0".into(),
        author: "acme".into(),
        main: server.name.clone(),
        routes: vec![Route {
            subdomain: "notes".parse().unwrap(),
            container: server.name.clone(),
            port: 8080,
        }],
        peer_ports: Vec::new(),
        volumes: BTreeSet::from(["data".parse().unwrap()]),
        settings: BTreeMap::from([(
            "port".parse().unwrap(),
            Setting {
                label: "Port".into(),
                required: false,
                kind: SettingKind::Integer {
                    default: Some(8080),
                    min: Some(1),
                    max: Some(65535),
                },
            },
        )]),
        secrets: BTreeSet::from(["DB_PASSWORD".parse().unwrap()]),
        containers: vec![db, server],
    }
}

pub fn intent(services: impl IntoIterator<Item = Service>) -> Intent {
    let wish = |service: Service| {
        let id = service.id.clone();
        (
            id,
            ServiceIntent {
                service,
                wanted: Wanted::Running,
                settings: BTreeMap::new(),
                restarts: 0,
            },
        )
    };
    Intent {
        cell: CellIntent {
            name: "alice".parse().unwrap(),
            domain: "alice.test".parse().unwrap(),
            pool: "172.20.0.0/16".parse().unwrap(),
        },
        services: services.into_iter().map(wish).collect(),
    }
}

/// The same service under other names.
pub fn named(mut service: Service, id: &str) -> Service {
    service.id = id.parse().unwrap();
    service.routes.truncate(1);
    service.routes[0].subdomain = id.parse().unwrap();
    service
}
