//! Who may reach what: nothing runs as root, two ports are open, services are alone.

use anyhow::{Result, ensure};
use holm_node_tests::House;
use xtask::cell::get;

/// Programs of the base system that run as root on any Debian; all else on the node must not.
const SYSTEM: [&str; 12] = [
    "systemd",
    "/sbin/init",
    "/usr/lib/systemd/",
    "(sd-pam)",
    "/usr/bin/dbus-daemon",
    "/sbin/agetty",
    "agetty",
    "sd-pam",
    "/usr/sbin/agetty",
    "/usr/lib/polkit",
    "login",
    "(agetty)",
];

#[test]
fn nothing_of_holm_runs_as_root_and_two_ports_are_open() -> Result<()> {
    let House { cell, client, .. } = House::new(&["echo"])?;
    for id in ["homepage", "echo"] {
        cell.holm(&["install", id])?;
    }
    let processes = cell.node.processes();
    let ours = |line: &str| {
        ["holm", "caddy", "conmon", "pasta", "echo", "httpd"]
            .iter()
            .any(|name| line.contains(name))
    };
    let found = processes.iter().filter(|process| ours(&process.cmdline)).count();
    ensure!(
        found >= 8,
        "the scan sees only {found} processes of Holm: {processes:?}"
    );
    for process in processes.iter().filter(|process| process.uid == 0) {
        let system = SYSTEM.iter().any(|name| process.cmdline.starts_with(name));
        ensure!(system && !ours(&process.cmdline), "runs as root: {process:?}");
    }

    // Every TCP port, by the kernel's own table of listeners and by trying from outside.
    let address = cell.node.ip()?;
    let scan = format!(
        "for p in $(seq 1 1024) 2019 3000 5000 8080 8443 9000; do (exec 3<>/dev/tcp/{address}/$p) 2>/dev/null && echo $p; done; true"
    );
    let open = client.exec_ok(&["bash", "-c", &scan])?;
    ensure!(open.split_whitespace().eq(["80", "443"]), "open ports: {open}");
    let outside = "ss -Hltun | awk '{print $1, $5}' | grep -v '127.0.0.\\|\\[::1\\]' | sort -u";
    let listening = cell.node.exec_ok(&["sh", "-c", outside])?;
    ensure!(
        listening
            .lines()
            .all(|line| line.ends_with(":80") || line.ends_with(":443")),
        "listening: {listening}"
    );
    Ok(())
}

#[test]
fn a_service_reaches_nothing_but_its_resolver() -> Result<()> {
    let House { cell, client, .. } = House::new(&["echo"])?;
    for id in ["homepage", "echo"] {
        cell.holm(&["install", id])?;
    }
    let own = cell.node.ip()?;
    let lan = client.ip()?;
    // Something answers at each of these, or would if a packet came there.
    client.exec_ok(&["sh", "-c", "systemctl start docker-registry || true"])?;
    let status = cell.holm(&["status", "--json"])?;
    let status: serde_json::Value = serde_json::from_str(&status)?;
    let address = |id: &str| -> String {
        let services = status["services"].as_array().into_iter().flatten();
        let found = services.into_iter().find(|service| service["id"] == id);
        found.map_or(String::new(), |service| {
            service["containers"][0]["address"].as_str().unwrap_or("").into()
        })
    };
    let (home, echo) = (address("homepage"), address("echo"));
    ensure!(!home.is_empty() && !echo.is_empty(), "no addresses in {status}");
    let gateway = echo
        .rsplit_once('.')
        .map(|(net, last)| (net, last.parse::<u8>().unwrap_or(1) - 1));
    let (net, last) = gateway.unwrap_or(("172.20.0", 2));
    let targets = [
        ("another service", format!("{home}:80")),
        ("the node by its own address", format!("{own}:443")),
        ("the node's registry", format!("{own}:5000")),
        ("the node as pasta shows it", "169.254.1.2:443".into()),
        ("the cloud's metadata address", "169.254.169.254:80".into()),
        ("a machine of the LAN", format!("{lan}:22")),
        ("the gateway's router", format!("{net}.{last}:80")),
        ("the gateway's control", format!("{net}.{last}:2019")),
        ("the gateway on the uplink", "172.20.0.2:443".into()),
        ("the bridge", format!("{net}.{}:53", last - 1)),
        ("the world", "198.51.100.1:80".into()),
    ];
    for (what, to) in &targets {
        for proto in ["tcp", "udp"] {
            let (_, said) = get(&client, "echo", &format!("/probe?to={to}&proto={proto}"))?;
            let closed = ["timeout", "unreachable"].contains(&said.trim());
            ensure!(closed, "echo reaches {what} ({to}, {proto}): {said}");
        }
    }
    // The probe can tell: the service's own port is open to itself.
    let (_, said) = get(&client, "echo", &format!("/probe?to={echo}:8080&proto=tcp"))?;
    ensure!(said.trim() == "open", "the probe says {said} of its own port");
    Ok(())
}
