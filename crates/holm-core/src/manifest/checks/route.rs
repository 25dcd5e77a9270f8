//! Rules `subdomain*` and `backend*`: host names of the service, each answered by a container of its own.

use std::collections::BTreeSet;

use super::{
    super::{
        report::{Report, Text, quoted},
        v3::V3,
    },
    Names, name, port,
};
use crate::{
    model::Route,
    name::{ContainerName, Subdomain},
};

/// Kept for the core: the sources' ten, and what the core itself answers to.
const RESERVED: [&str; 18] = [
    "api",
    "webui",
    "admin",
    "www",
    "mail",
    "ns1",
    "ns2",
    "git",
    "registry",
    "install",
    "auth",
    "dns",
    "ntp",
    "vpn",
    "holm",
    "gateway",
    "_acme",
    "acme-challenge",
];

/// Checks all host names and backends. `names` is `None` when the containers could not be read.
pub(in crate::manifest) fn check(raw: &V3<'_>, names: Option<&Names>, report: &mut Report) -> Vec<Route> {
    let mut wanted: Vec<(&Text<'_>, Option<&Text<'_>>)> = Vec::new();
    wanted.extend(raw.subdomain.iter().map(|text| (text, raw.backend.as_ref())));
    let own_backend = |text: &Text<'_>| raw.extra_backends.iter().any(|(key, _)| key.value == text.value);
    wanted.extend(
        raw.extra_subdomains
            .iter()
            .filter(|text| !own_backend(text))
            .map(|text| (text, raw.backend.as_ref())),
    );
    wanted.extend(raw.extra_backends.iter().map(|(key, value)| (key, Some(value))));

    // Each backend text is checked once, though several host names may lead to the first.
    let first = raw.backend.as_ref().and_then(|text| backend(text, names, report));
    let mut routes: Vec<Route> = Vec::new();
    let mut seen = BTreeSet::new();
    for (text, wanted_backend) in wanted {
        let answer = match wanted_backend {
            Some(own) if raw.backend.as_ref().is_none_or(|first| first.at != own.at) => {
                backend(own, names, report)
            }
            _ => first.clone(),
        };
        let Some(subdomain) = subdomain(text, report) else {
            continue;
        };
        if !seen.insert(subdomain.clone()) {
            let message = format!("{} is named twice", text.value);
            report.error(&text.at, "subdomain-duplicate", message, "name each host once");
        } else if let Some((container, port)) = answer {
            routes.push(Route {
                subdomain,
                container,
                port,
            });
        }
    }
    caddy_route(raw, report);
    if raw.flags.has("has_subdomain") {
        routes
    } else {
        Vec::new()
    }
}

fn subdomain(text: &Text<'_>, report: &mut Report) -> Option<Subdomain> {
    let subdomain: Subdomain = name(text, "subdomain", report)?;
    if RESERVED.contains(&subdomain.as_str()) {
        let message = format!("{} is reserved for the cell itself", subdomain.as_str());
        report.error(&text.at, "subdomain-reserved", message, "choose another name");
        return None;
    }
    Some(subdomain)
}

/// A backend names a container of the package, never a host: `localhost:2019` would be the proxy's
/// own admin port.
fn backend(text: &Text<'_>, names: Option<&Names>, report: &mut Report) -> Option<(ContainerName, u16)> {
    let Some((container, port)) = text
        .value
        .split_once(':')
        .and_then(|(host, text)| Some((host, port(text)?)))
    else {
        let message = format!("{} is not a backend", quoted(text.value));
        report.error(
            &text.at,
            "backend",
            message,
            "write container:port, such as cell-notes:8080",
        );
        return None;
    };
    let names = names?;
    let found = names.get(container);
    if found.is_none() {
        let own: Vec<String> = names.keys().map(|name| quoted(name)).collect();
        let message = format!("{} is not a container of this package", quoted(container));
        report.error(
            &text.at,
            "backend-foreign",
            message,
            format!("its own containers are {}", own.join(" ")),
        );
    }
    found.map(|name| (name.clone(), port))
}

/// The legacy form may only repeat what `subdomain` and its extras say.
fn caddy_route(raw: &V3<'_>, report: &mut Report) {
    let Some(legacy) = &raw.caddy_route else { return };
    let extras = raw
        .extra_subdomains
        .iter()
        .chain(raw.extra_backends.iter().map(|(key, _)| key));
    if raw
        .subdomain
        .iter()
        .chain(extras)
        .any(|text| text.value == legacy.value)
    {
        return;
    }
    let message = format!(
        "{} is not the subdomain of this service or an extra one",
        quoted(legacy.value)
    );
    report.error(
        &legacy.at,
        "caddy-route",
        message,
        "write the same name as in subdomain, or remove caddy_route",
    );
}
