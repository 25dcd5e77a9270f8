//! Fail-closed, counted: services that send all the time, the gateway's namespace made to forward (the worst case),
//! gateway and anchor killed, restarted, reboot, power cut. No packet of theirs may come to the outside.

use anyhow::{Context, Result, ensure};
use xtask::cell::{Artifacts, Cell};
use xtask::node::{Bench, CreateOptions};

/// The bench's router, where "the world" begins, and the port that the noise goes to.
const WORLD: &str = "198.18.0.1";
const PORT: u16 = 9999;

/// Counts, in the router's namespace, what comes from one node to the noise's port.
struct Counter<'a> {
    bench: &'a Bench,
    table: String,
}

impl<'a> Counter<'a> {
    fn new(bench: &'a Bench, node: &str, address: &str) -> Result<Self> {
        let table = format!("leaks_{}", node.replace('-', "_"));
        let rule = format!("ip saddr {address} meta l4proto {{ tcp, udp }} th dport {PORT} counter");
        let text = format!(
            "add table inet {table}; add chain inet {table} c {{ type filter hook prerouting priority -300; }}; add rule inet {table} c {rule}"
        );
        ensure!(
            bench.router_exec(&["nft", &text])?.status.success(),
            "nft refused the counter"
        );
        Ok(Self { bench, table })
    }

    fn packets(&self) -> Result<u64> {
        let out = self
            .bench
            .router_exec(&["nft", "list", "table", "inet", &self.table])?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let packets = text
            .split("packets ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        packets.context("no counter")?.parse().context("no number")
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        let _ = self
            .bench
            .router_exec(&["nft", "delete", "table", "inet", &self.table]);
    }
}

/// What the guard held since it was loaded.
fn held(cell: &Cell) -> Result<u64> {
    let text = cell.sh("podman unshare --rootless-netns nft list counter bridge holm_guard held")?;
    let packets = text
        .split("packets ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    packets
        .context("the guard has no counter")?
        .parse()
        .context("no number")
}

fn up_again(cell: &Cell) -> Result<()> {
    let names = "holm-anchor holm-caddy holm-gateway holm-loud1.main holm-loud2.main ";
    let line = format!(
        "for i in $(seq 300); do seen=$(podman ps --format '{{{{.Names}}}}' | sort | tr '\\n' ' '); \
         [ \"$seen\" = \"{names}\" ] && exit; sleep 0.1; done; echo \"$seen\"; exit 1"
    );
    cell.sh(&line)
        .map(drop)
        .context("anchor, gateway, edge and services are not all up")
}

#[test]
fn no_packet_of_a_service_leaves_whatever_is_killed() -> Result<()> {
    let bench = Bench::open()?;
    let cell = Cell::start(
        &bench,
        &Bench::unique("a"),
        CreateOptions::default(),
        &Artifacts::built()?,
    )?;
    let counter = Counter::new(&bench, cell.node.name(), &cell.node.ip()?)?;
    cell.node
        .exec_ok(&["bash", "-c", &format!("echo x > /dev/udp/{WORLD}/{PORT}")])?;
    ensure!(counter.packets()? == 1, "the counter does not count");

    // A namespace that forwards from its first moment, as on a machine that is a router itself.
    cell.sh("mkdir -p ~/.config/containers/systemd/holm-anchor.container.d")?;
    cell.sh("printf '[Container]\\nSysctl=net.ipv4.ip_forward=1\\n' > ~/.config/containers/systemd/holm-anchor.container.d/forward.conf")?;
    cell.sh("systemctl --user daemon-reload && systemctl --user restart holm-anchor")?;
    for id in ["loud1", "loud2"] {
        cell.stock(id, "echo", |manifest| {
            manifest["env"] = serde_json::json!([{ "key": "NOISE", "value": format!("{WORLD}:{PORT}") }]);
        })?;
        cell.holm(&["install", id])?;
    }
    up_again(&cell)?;
    let forwards = cell.sh("podman exec holm-loud1.main true 2>/dev/null; podman unshare nsenter -t $(podman inspect -f '{{.State.Pid}}' holm-anchor) -n cat /proc/sys/net/ipv4/ip_forward")?;
    ensure!(
        forwards.trim() == "1",
        "the worst case is not set up: ip_forward is {forwards:?}"
    );
    let dropped = "podman unshare nsenter -t $(podman inspect -f '{{.State.Pid}}' holm-anchor) -n nft list ruleset | grep -o 'packets [0-9]*' | sort -u | tail -1";
    ensure!(cell.sh(dropped)? != "packets 0", "the services are silent");

    for round in 0..20 {
        for victim in ["holm-gateway", "holm-anchor"] {
            cell.sh(&format!("podman kill -s KILL {victim} || true"))?;
            up_again(&cell)?;
            ensure!(
                counter.packets()? == 1,
                "{victim}, kill {round}: {} packets left",
                counter.packets()? - 1
            );
        }
    }
    for unit in ["holm-gateway", "holm-anchor", "holm-caddy"] {
        cell.sh(&format!("systemctl --user restart {unit}"))?;
        up_again(&cell)?;
    }
    let held_by_kills = held(&cell)?;
    println!("held by the guard over 40 kills and 3 restarts: {held_by_kills} packets");
    ensure!(counter.packets()? == 1, "a restart let packets out");
    ensure!(
        held_by_kills > 0,
        "the guard held nothing, so this test shows nothing"
    );

    cell.node.reboot()?;
    up_again(&cell)?;
    println!("held at the reboot: {}", held(&cell)?);
    ensure!(counter.packets()? == 1, "the reboot let packets out");
    cell.node.cut()?;
    cell.node.boot()?;
    up_again(&cell)?;
    println!("held after the power cut: {}", held(&cell)?);
    ensure!(counter.packets()? == 1, "the power cut let packets out");
    Ok(())
}
