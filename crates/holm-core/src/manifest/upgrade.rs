//! A raw v3 document and its containers into the model: a pure function, all checks on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    checks::{
        Names, accounts, backup, capability, container_name, egress, env, flags, identity, image, mount,
        peer_port, requires, route, setting,
    },
    compose,
    report::{Place, Report, Text},
    v3::V3,
};
use crate::{
    model::{Container, Mount, Service, Setting},
    name::{Alias, ContainerName, SecretName, SettingKey, VolumeName},
};

/// The containers of a package, from its manifest alone or from its template.
#[derive(Debug, Default)]
pub(super) struct Containers {
    pub list: Vec<Container>,
    pub names: Names,
    /// The container that the template gives `${SERVICE_IP}` to.
    pub service_ip: Option<(ContainerName, Place)>,
    /// Image references as the template writes them.
    pub images: BTreeSet<String>,
    pub volumes: BTreeSet<VolumeName>,
    pub secrets: BTreeSet<SecretName>,
}

/// What the checks of a document found besides findings.
#[derive(Debug)]
pub(super) struct Checked {
    pub identity: Option<identity::Identity>,
    pub settings: BTreeMap<SettingKey, Setting>,
}

/// The checks that need nothing but the manifest.
pub(super) fn check(raw: &V3<'_>, path: &str, report: &mut Report) -> Checked {
    flags::check(raw, report);
    accounts::check(raw, report);
    egress::check(raw, report);
    requires::check(raw, report);
    let settings = setting::check(&raw.config_schema, report);
    let settings = if raw.flags.has("has_admin_config") {
        settings
    } else {
        BTreeMap::new()
    };
    Checked {
        identity: identity::check(raw, path, report),
        settings,
    }
}

/// The one container of a package without a template, named `main`.
pub(super) fn single(raw: &V3<'_>, report: &mut Report) -> Option<Containers> {
    let main: ContainerName = "main".parse().ok()?;
    let alias = raw
        .container_name
        .as_ref()
        .and_then(|text| container_name::check(text, report));
    let image = raw.image.as_ref().and_then(|text| image::check(text, report));
    let mounts = mounts(raw, report);
    mount::overlaps(&mounts, report);
    let env = env::check(&raw.env, report);
    // By its text even when that is no alias, so that a backend with the same text is not a second fault.
    let names = raw
        .container_name
        .iter()
        .map(|text| (text.value.to_owned(), main.clone()))
        .collect();
    let volumes = mounts.iter().map(|(_, mount)| mount.volume.clone()).collect();
    let list = image.map(|image| Container {
        name: main,
        aliases: alias.into_iter().collect(),
        image,
        entrypoint: None,
        command: None,
        user: None,
        working_dir: None,
        env,
        mounts: mounts.into_iter().map(|(_, mount)| mount).collect(),
        capabilities: BTreeSet::new(),
        read_only: false,
        init: false,
        stop_seconds: None,
    });
    Some(Containers {
        list: list.into_iter().collect(),
        names,
        volumes,
        ..Containers::default()
    })
}

/// The containers of a template, and the fields of the manifest that must agree with it. The
/// template's findings go to `template`.
pub(super) fn composed(
    raw: &V3<'_>,
    settings: &BTreeMap<SettingKey, Setting>,
    bytes: &[u8],
    report: &mut Report,
    template: &mut Report,
) -> Option<Containers> {
    let declared = mounts(raw, report);
    let volumes = declared.iter().map(|(_, mount)| mount.volume.clone()).collect();
    let containers = compose::read(bytes, settings, volumes, template);
    let alias = raw
        .container_name
        .as_ref()
        .and_then(|text| container_name::check(text, report));
    env::check(&raw.env, report);
    let Some(containers) = containers else {
        let _ = raw.image.as_ref().and_then(|text| image::check(text, report));
        return None;
    };
    // The same text has had its finding in the template, where it counts.
    let own = |text: &&Text<'_>| !containers.images.contains(text.value);
    if let Some(text) = raw.image.as_ref().filter(own)
        && image::check(text, report).is_some()
    {
        let message = "no container of the template has this image";
        report.error(
            &text.at,
            "image-not-in-template",
            message,
            "write the image of the main container",
        );
    }
    if let (Some(text), Some(_)) = (&raw.container_name, alias)
        && !containers.names.contains_key(text.value)
    {
        let message = "no container of the template has this name";
        report.warn(
            &text.at,
            "container-name-unknown",
            message,
            "write the name of the main container",
        );
    }
    if let Some((first, _)) = raw.env.first() {
        let message = "the template says what variables the containers have, so this is not used";
        report.warn(
            &first.at,
            "env-unused",
            message,
            "write them in the template's environment",
        );
    }
    for (at, mount) in declared {
        let mounted = |container: &Container| {
            container
                .mounts
                .iter()
                .any(|other| other.volume == mount.volume && other.path == mount.path)
        };
        // A faulty container is not in the list, and its mounts are not known.
        if !template.failed() && !containers.list.iter().any(mounted) {
            let message = "the template says what is mounted, and no container of it mounts this volume here";
            report.warn(
                &at,
                "volume-unmounted",
                message,
                "write the mount in the template too",
            );
        }
    }
    Some(containers)
}

/// `volumes` of the manifest.
pub(super) fn mounts(raw: &V3<'_>, report: &mut Report) -> Vec<(Place, Mount)> {
    let mut mounts = Vec::new();
    for volume in &raw.volumes {
        let name = super::checks::name::<VolumeName>(&volume.name, "volume-name", report);
        let path = mount::path(&volume.mount, report);
        if let (Some(volume_name), Some(path)) = (name, path) {
            mounts.push((
                volume.mount.at.clone(),
                Mount {
                    volume: volume_name,
                    path,
                    read_only: false,
                },
            ));
        }
    }
    mounts
}

/// The checks that need the containers, and the service itself when nothing is missing.
pub(super) fn service(
    raw: &V3<'_>,
    checked: Checked,
    containers: Option<Containers>,
    report: &mut Report,
    template: &mut Report,
) -> Option<Service> {
    let names = containers.as_ref().map(|containers| &containers.names);
    let routes = route::check(raw, names, report);
    backup::check(raw, names, report);
    own_containers(raw, names, report);
    let capabilities = capability::check(&raw.cap_add, report);
    let main = main(raw, containers.as_ref(), &routes, template);
    // The rules are checked also when there is no container to carry them.
    let carrier = main.clone().or_else(|| "main".parse().ok())?;
    let peer_ports = peer_port::check(&raw.iptables_rules, &carrier, report);

    let (identity, mut containers, main) = (checked.identity?, containers?, main?);
    let container = containers
        .list
        .iter_mut()
        .find(|container| container.name == main)?;
    container.capabilities.extend(capabilities);
    Some(Service {
        id: identity.id,
        name: identity.name,
        description: identity.description,
        version: identity.version,
        author: identity.author,
        containers: containers.list,
        main,
        routes,
        peer_ports,
        volumes: containers.volumes,
        settings: checked.settings,
        secrets: containers.secrets,
    })
}

/// `containers` is for people; a name that is none of the package's own would mislead them.
fn own_containers(raw: &V3<'_>, names: Option<&Names>, report: &mut Report) {
    for text in &raw.containers {
        let known = names.is_none_or(|names| names.contains_key(text.value));
        if super::checks::name::<Alias>(text, "containers", report).is_none() || known {
            continue;
        }
        let message = format!(
            "{} is not a container of this package",
            super::report::quoted(text.value)
        );
        report.warn(
            &text.at,
            "containers-unknown",
            message,
            "list its own containers, or none",
        );
    }
}

/// The container that gets the service's address: the one that the backend names, else the one that
/// the template gives `${SERVICE_IP}` to, else the one that `container_name` names, else the first.
fn main(
    raw: &V3<'_>,
    containers: Option<&Containers>,
    routes: &[crate::model::Route],
    report: &mut Report,
) -> Option<ContainerName> {
    let containers = containers?;
    let routed = routes.iter().find(|route| {
        raw.subdomain
            .as_ref()
            .is_some_and(|text| text.value == route.subdomain.as_str())
    });
    if let (Some(route), Some((given, at))) = (routed, &containers.service_ip)
        && *given != route.container
    {
        let message = format!(
            "the service's address belongs to {}, which the backend names",
            route.container
        );
        report.error(
            at,
            "service-ip",
            message,
            "move ipv4_address there, or let backend name this container",
        );
    }
    let named = raw
        .container_name
        .as_ref()
        .and_then(|text| containers.names.get(text.value));
    let given = containers.service_ip.as_ref().map(|(name, _)| name);
    routed
        .map(|route| &route.container)
        .or(given)
        .or(named)
        .or(containers.list.first().map(|container| &container.name))
        .cloned()
}
