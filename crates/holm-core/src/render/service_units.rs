//! Units of services: one container each, on its service's own network, behind the loaded policy.

use std::collections::BTreeMap;

use crate::{
    decide::{GATEWAY_OFFSET, UIDS_PER_SERVICE},
    gateway::GatewayConfig,
    name::ServiceId,
    render::{Draft, core_units, hash, names, unit_file::words},
    target::{ContainerTarget, Filled, FilledPiece, ServiceTarget, Target, Wanted},
};

/// Highest user id that a container maps one to one, and the first of the three at the top (nonroot, nogroup,
/// nobody of common images) that share the slice with them.
const LOW_IDS: u32 = UIDS_PER_SERVICE - 3;
const HIGH_IDS: u32 = 65_532;

/// Environment of a container in Podman's format, values raw to the end of their line; `None` when it has none.
/// Values that hold a secret are not in it.
pub(super) fn env_file(container: &ContainerTarget) -> Option<String> {
    let line =
        |(key, value): (&crate::name::EnvKey, &Filled)| plain(value).map(|value| format!("{key}={value}\n"));
    let text: String = container.env.iter().filter_map(line).collect();
    (!text.is_empty()).then_some(text)
}

/// The values that hold a secret, as the daemon's `unseal` reads them before each start: JSON, keys to pieces.
pub(super) fn sealed_file(id: &ServiceId, container: &ContainerTarget) -> Option<String> {
    let env: BTreeMap<_, _> = container
        .env
        .iter()
        .filter(|(_, value)| plain(value).is_none())
        .collect();
    let sealed = serde_json::json!({ "service": id, "env": env });
    (!env.is_empty()).then(|| format!("{sealed}\n"))
}

/// The text of a value without secrets.
fn plain(value: &Filled) -> Option<String> {
    value
        .0
        .iter()
        .map(|piece| {
            if let FilledPiece::Text(text) = piece {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect()
}

pub(super) fn unit(
    target: &Target,
    gateway: &GatewayConfig,
    id: &ServiceId,
    service: &ServiceTarget,
    container: &ContainerTarget,
) -> Draft {
    let name = names::container(id, &container.name);
    let description = format!("Holm: {id}, container {}", container.name);
    let mut draft = core_units::draft(&name, &description, &container.image, target.cell.name.as_str());
    order(&mut draft, gateway, id, service, container);
    confine(&mut draft, target, id, service, container);
    run(&mut draft, id, container);
    draft.also = hash(&format!(
        "{}{}",
        env_file(container).unwrap_or_default(),
        service.restarts
    ));
    if service.wanted == Wanted::Running {
        draft.free.push(("Install", "WantedBy", "default.target".into()));
    }
    draft
}

/// After the gateway, and only while its loaded policy is the one that was decided together with this unit.
/// `Wants=`, not `Requires=`: a gateway that is killed must not take the services down with it (docs/adr/0002).
fn order(
    draft: &mut Draft,
    gateway: &GatewayConfig,
    id: &ServiceId,
    service: &ServiceTarget,
    container: &ContainerTarget,
) {
    let unit = &mut draft.fixed;
    let before = service
        .containers
        .iter()
        .take_while(|other| other.name != container.name);
    let mut after = vec![
        "holm-anchor.service".to_owned(),
        "holm-gateway.service".to_owned(),
    ];
    after.extend(before.map(|other| names::unit(id, &other.name)));
    unit.push("Unit", "Wants", "holm-anchor.service holm-gateway.service");
    unit.push("Unit", "After", after.join(" "));
    if let Some(leg) = gateway.legs.iter().find(|leg| leg.service == *id) {
        let marker = format!("/usr/bin/test -e %t/holm/gateway/live/{id}.{}", leg.hash);
        unit.push("Service", "ExecStartPre", marker);
    }
}

fn confine(
    draft: &mut Draft,
    target: &Target,
    id: &ServiceId,
    service: &ServiceTarget,
    container: &ContainerTarget,
) {
    let unit = &mut draft.fixed;
    let block = service.lease.block;
    let slice = 1 + u32::from(service.lease.uid_slice) * UIDS_PER_SERVICE;
    unit.push(
        "Container",
        "Network",
        core_units::network(&names::network(id), container.address),
    );
    unit.push(
        "Container",
        "DNS",
        target.cell.pool.address(block, GATEWAY_OFFSET).to_string(),
    );
    for key in ["UIDMap", "GIDMap"] {
        unit.push("Container", key, format!("0:{slice}:{LOW_IDS}"));
        unit.push("Container", key, format!("{HIGH_IDS}:{}:3", slice + LOW_IDS));
    }
    // Ports below 1024 of its own namespace are no privilege, so no capability is needed for them.
    unit.push("Container", "Sysctl", "net.ipv4.ip_unprivileged_port_start=0");
    unit.push("Container", "Sysctl", "net.ipv6.conf.all.disable_ipv6=1");
    for capability in &container.capabilities {
        let name = serde_json::to_value(capability).ok();
        if let Some(name) = name.as_ref().and_then(|name| name.as_str()) {
            unit.push("Container", "AddCapability", name);
        }
    }
    if container.read_only {
        unit.push("Container", "ReadOnly", "true");
    }
    unit.push("Container", "Label", format!("io.holm.service={id}"));
    unit.push("Service", "TasksMax", "2048");
}

fn run(draft: &mut Draft, id: &ServiceId, container: &ContainerTarget) {
    let unit = &mut draft.fixed;
    let mut push = |key: &str, value: String| unit.push("Container", key, value);
    push("StopTimeout", container.stop_seconds.to_string());
    if env_file(container).is_some() {
        push(
            "EnvironmentFile",
            format!("%h/{}", names::env_file(id, &container.name)),
        );
    }
    let sealed = sealed_file(id, container).is_some();
    if sealed {
        // Podman keeps an environment in clear on disk: secrets go in by a file in memory and our own first program.
        let name = names::container(id, &container.name);
        push("Volume", format!("%t/holm/env/{name}:/run/holm.env:ro"));
        push("PodmanArgs", "--init-path=/usr/lib/holm/holm-exec".into());
    }
    for mount in &container.mounts {
        let options = if mount.read_only { ":ro" } else { "" };
        push(
            "Volume",
            format!("{}:{}{options}", names::volume(id, &mount.volume), mount.path),
        );
    }
    if let Some(user) = container.user {
        push("User", user.uid.to_string());
        if let Some(gid) = user.gid {
            push("Group", gid.to_string());
        }
    }
    if let Some(path) = &container.working_dir {
        push("WorkingDir", path.to_string());
    }
    if container.init || sealed {
        push("RunInit", "true".into());
    }
    if let Some(entrypoint) = &container.entrypoint {
        // Podman takes an entrypoint of several words as a JSON list.
        let items: Vec<String> = entrypoint.iter().filter_map(plain).collect();
        push(
            "Entrypoint",
            crate::render::unit_file::word(&serde_json::to_string(&items).unwrap_or_default()),
        );
    }
    if let Some(command) = &container.command {
        let items: Vec<String> = command.iter().filter_map(plain).collect();
        push("Exec", words(items.iter().map(String::as_str)));
    }
    if sealed {
        let name = names::container(id, &container.name);
        unit.push(
            "Service",
            "ExecStartPre",
            format!("/usr/lib/holm/holmd unseal {name}"),
        );
    }
}
