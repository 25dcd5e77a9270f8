//! Which service, page or redirect a request is for: a pure function of the tables.

use std::net::SocketAddrV4;

use holm_core::{gateway::HostRoute, name::ServiceId};

use crate::tables::Tables;

/// Labels under the cell's domain that lead to its apex, whatever a document says.
const RESERVED: [&str; 4] = ["api", "admin", "webui", "www"];

/// What a request gets.
#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    /// A running service.
    Forward {
        /// Its route.
        route: HostRoute,
        /// Where it is.
        backend: SocketAddrV4,
    },
    /// A service stopped on purpose.
    Stopped {
        /// For people.
        name: String,
    },
    /// A redirect for good.
    Redirect(String),
    /// The apex, which has no pages of its own yet.
    Apex {
        /// The cell's domain.
        domain: String,
    },
    /// Nobody's name.
    Unknown,
    /// No document yet.
    Starting,
}

pub(super) fn choose(tables: &Tables, host: &str, target: &str) -> Choice {
    let Some(domain) = &tables.domain else {
        return Choice::Starting;
    };
    let domain = domain.as_str();
    if host == domain {
        return apex(tables, domain, target);
    }
    let label = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    if label.is_some_and(|label| RESERVED.contains(&label)) {
        return Choice::Redirect(format!("https://{domain}/"));
    }
    match tables.routes.get(host) {
        None => Choice::Unknown,
        Some(route) => match route.backend {
            None => Choice::Stopped {
                name: route.name.clone(),
            },
            Some(backend) => Choice::Forward {
                route: route.clone(),
                backend,
            },
        },
    }
}

/// `/app/<id>/...` leads to the service's own host: no service shares the origin of the cell's own pages.
fn apex(tables: &Tables, domain: &str, target: &str) -> Choice {
    let service = target.strip_prefix("/app/").and_then(|rest| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let id: ServiceId = rest[..end].parse().ok()?;
        let slash = if rest[end..].starts_with('/') { "" } else { "/" };
        Some(format!(
            "https://{}{slash}{}",
            tables.first_host.get(&id)?,
            &rest[end..]
        ))
    });
    match service {
        Some(location) => Choice::Redirect(location),
        None if target.starts_with("/app/") => Choice::Unknown,
        None => Choice::Apex {
            domain: domain.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let config = serde_json::from_value(serde_json::json!({
            "generation": 1, "domain": "alice.test", "legs": [],
            "routes": [
                { "host": "home.alice.test", "service": "home", "name": "Home", "backend": "172.20.0.19:80" },
                { "host": "h2.alice.test", "service": "home", "name": "Home", "backend": "172.20.0.19:80" },
                { "host": "off.alice.test", "service": "off", "name": "Off", "backend": null },
                { "host": "www.alice.test", "service": "home", "name": "Home", "backend": "172.20.0.19:80" },
            ],
        }));
        Tables::of(&config.unwrap())
    }

    #[test]
    fn by_host() {
        let t = tables();
        let got = |host| choose(&t, host, "/x?y");
        assert!(matches!(got("home.alice.test"), Choice::Forward { .. }));
        assert_eq!(got("off.alice.test"), Choice::Stopped { name: "Off".into() });
        for host in [
            "nobody.alice.test",
            "home.alice.test.evil",
            "xalice.test",
            "home",
            "172.20.0.19",
            ".alice.test",
        ] {
            assert_eq!(got(host), Choice::Unknown, "{host}");
        }
        for host in [
            "www.alice.test",
            "api.alice.test",
            "admin.alice.test",
            "webui.alice.test",
        ] {
            assert_eq!(got(host), Choice::Redirect("https://alice.test/".into()));
        }
        assert_eq!(
            choose(&Tables::default(), "home.alice.test", "/"),
            Choice::Starting
        );
    }

    #[test]
    fn by_path_of_the_apex() {
        let t = tables();
        let redirect = |target, to: &str| {
            assert_eq!(
                choose(&t, "alice.test", target),
                Choice::Redirect(format!("https://home.alice.test{to}"))
            );
        };
        redirect("/app/home", "/");
        redirect("/app/home/", "/");
        redirect("/app/home/a/b?c=d", "/a/b?c=d");
        redirect("/app/home?c", "/?c");
        redirect("/app/home//evil.test/", "//evil.test/");
        for target in ["/app/", "/app/nobody/", "/app/..", "/app//home"] {
            assert_eq!(choose(&t, "alice.test", target), Choice::Unknown, "{target}");
        }
        for target in ["/", "/app", "*"] {
            assert!(
                matches!(choose(&t, "alice.test", target), Choice::Apex { .. }),
                "{target}"
            );
        }
    }
}
