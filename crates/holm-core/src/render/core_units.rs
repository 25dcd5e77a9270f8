//! Units of the core: the anchor that owns the gateway's namespace, the gateway, the edge and its sockets.

use std::net::Ipv4Addr;

use crate::{
    gateway::Leg,
    model::Image,
    render::{Draft, caddy, guard, hash, names, unit_file::UnitFile},
    target::{Block, Target},
};

/// The edge's sockets.
pub(crate) const SOCKET: &str = "holm-caddy.socket";

/// systemd's back-off: 50 ms at first, a minute in the end. (`RestartSec=0` would switch it off.)
const RESTART: [(&str, &str); 4] = [
    ("Restart", "always"),
    ("RestartSec", "50ms"),
    ("RestartSteps", "8"),
    ("RestartMaxDelaySec", "60"),
];

/// Ports 80 and 443 belong to systemd, so that clients keep their address and a restart refuses nobody.
pub(super) fn socket() -> (UnitFile, String) {
    let mut unit = UnitFile::default();
    unit.push("Unit", "Description", "Holm: HTTP and HTTPS");
    for (key, value) in [
        ("ListenStream", "80"),
        ("ListenStream", "443"),
        ("ListenDatagram", "443"),
        ("Backlog", "4096"),
    ] {
        unit.push("Socket", key, value);
    }
    let mark = hash(&unit.encode());
    unit.push("Unit", "X-Holm", mark.clone());
    (unit, mark)
}

pub(super) fn units(target: &Target, legs: &[Leg]) -> Vec<Draft> {
    vec![anchor(target, legs), gateway_unit(target), caddy_unit(target)]
}

/// What every container unit has: no capability, a read-only root, its log in a file of bounded size.
pub(super) fn draft(name: &str, description: &str, image: &Image, cell: &str) -> Draft {
    let mut unit = UnitFile::default();
    unit.push("Unit", "Description", description);
    unit.push("Unit", "StartLimitIntervalSec", "0");
    // Without this a rootless Quadlet waits 90 s at each boot for a target that nothing reaches (podman #24796).
    unit.push("Quadlet", "DefaultDependencies", "false");
    for (key, value) in [
        ("ContainerName", name.to_owned()),
        ("Image", image.pinned()),
        ("Pull", "never".to_owned()),
        ("NoNewPrivileges", "true".to_owned()),
        ("DropCapability", "all".to_owned()),
        ("LogDriver", "k8s-file".to_owned()),
        ("LogOpt", format!("path=%h/logs/{name}.log")),
        ("LogOpt", "max-size=10mb".to_owned()),
        ("Label", format!("io.holm.cell={cell}")),
    ] {
        unit.push("Container", key, value);
    }
    for (key, value) in RESTART {
        unit.push("Service", key, value);
    }
    Draft {
        name: name.to_owned(),
        fixed: unit,
        also: String::new(),
        free: Vec::new(),
    }
}

pub(super) fn network(name: &str, address: Ipv4Addr) -> String {
    format!("{name}:ip={address},mac={}", names::mac(address))
}

/// The anchor does nothing: it holds the namespace, so that gateway and edge can each restart alone.
fn anchor(target: &Target, legs: &[Leg]) -> Draft {
    let mut draft = draft(
        names::ANCHOR,
        "Holm: owner of the gateway's namespace",
        &target.cell.gateway_image,
        target.cell.name.as_str(),
    );
    let unit = &mut draft.fixed;
    unit.push("Unit", "Upholds", "holm-gateway.service holm-caddy.service");
    unit.push("Container", "ReadOnly", "true");
    unit.push("Container", "Exec", "pause");
    // The namespace is the anchor's, so what the gateway needs of it (to bind port 53) is set here.
    unit.push("Container", "Sysctl", "net.ipv4.ip_unprivileged_port_start=0");
    unit.push("Container", "StopTimeout", "2");
    let uplink = target.cell.pool.address(Block { first: 0, blocks: 1 }, 2);
    unit.push(
        "Container",
        "Network",
        format!("{},interface_name=up0", network(names::UPLINK, uplink)),
    );
    let load = "/usr/bin/podman unshare --rootless-netns /usr/sbin/nft -f %h/core/guard.nft";
    unit.push("Service", "ExecStartPost", load);
    draft.also = hash(&guard::ruleset(target.cell.pool));
    // A leg of a new service is connected live; here it stands for the next start of the anchor.
    for leg in legs {
        let network = network(&names::network(&leg.service), leg.address);
        draft.free.push((
            "Container",
            "Network",
            format!("{network},interface_name={}", leg.interface),
        ));
    }
    draft.free.push(("Install", "WantedBy", "default.target".into()));
    draft
}

fn gateway_unit(target: &Target) -> Draft {
    let mut draft = draft(
        names::GATEWAY,
        "Holm: gateway",
        &target.cell.gateway_image,
        target.cell.name.as_str(),
    );
    let unit = &mut draft.fixed;
    unit.push("Unit", "BindsTo", "holm-anchor.service");
    unit.push("Unit", "After", "holm-anchor.service");
    for (key, value) in [
        ("ReadOnly", "true"),
        ("AddCapability", "NET_ADMIN"),
        ("Exec", "run"),
        ("Network", "holm-anchor.container"),
        ("Volume", "%h/gateway:/holm/gateway:ro"),
        ("Volume", "%t/holm/gateway:/run/holm-gateway"),
        ("Volume", "%t/holm/router:/run/holm-router"),
        ("Notify", "true"),
        ("StopTimeout", "2"),
    ] {
        unit.push("Container", key, value);
    }
    unit.push(
        "Service",
        "ExecStartPre",
        "/usr/bin/mkdir -p %t/holm/gateway/live %t/holm/router",
    );
    // Markers of a policy that is no longer loaded must not let a service start, whatever ended the gateway.
    unit.push("Service", "ExecStopPost", "/usr/bin/rm -rf %t/holm/gateway/live");
    draft.free.push(("Install", "WantedBy", "default.target".into()));
    draft
}

fn caddy_unit(target: &Target) -> Draft {
    let mut draft = draft(
        names::CADDY,
        "Holm: edge",
        &target.cell.caddy_image,
        target.cell.name.as_str(),
    );
    let unit = &mut draft.fixed;
    unit.push("Unit", "BindsTo", "holm-anchor.service");
    unit.push("Unit", "Requires", SOCKET);
    unit.push("Unit", "After", format!("holm-anchor.service {SOCKET}"));
    for (key, value) in [
        ("ReadOnly", "true"),
        ("Exec", "run --config /etc/holm/caddy.json"),
        ("Network", "holm-anchor.container"),
        ("Volume", "%h/core:/etc/holm:ro"),
        ("Volume", "%h/caddy:/data"),
        ("Volume", "%t/holm/router:/run/holm-router"),
        ("Volume", "%t/holm/caddy:/run/caddy"),
        ("Notify", "true"),
        ("StopTimeout", "5"),
    ] {
        unit.push("Container", key, value);
    }
    unit.push(
        "Service",
        "ExecStartPre",
        "/usr/bin/mkdir -p %t/holm/caddy %t/holm/router %h/caddy",
    );
    draft.also = hash(&caddy::config(&target.cell.domain));
    draft.free.push(("Install", "WantedBy", "default.target".into()));
    draft
}
