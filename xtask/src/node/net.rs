//! What nodes share: the router's namespace with its bridge, the host's leg, names, and kernel limits.

use super::bench::{Bench, Meta, Node};
use crate::sh;
use anyhow::{Context, Result, bail};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Limits that the kernel counts per uid, so that all nodes together need what one machine has alone.
const LIMITS: &[(&str, u64)] = &[
    ("fs/inotify/max_user_instances", 4096),
    ("fs/inotify/max_user_watches", 1_048_576),
    ("kernel/keys/maxkeys", 20_000),
    ("kernel/keys/maxbytes", 2_000_000),
];

/// $1 namespace, $2 and $3 networks. Every line may find its work done.
const ROUTER: &str = r#"
[ -e "/run/netns/$1" ] || ip netns add "$1"
ip netns exec "$1" sh -euc '
    ip link set lo up
    ip link show br0 >/dev/null 2>&1 || ip link add br0 type bridge
    ip addr replace "$1.1/24" dev br0
    ip -6 addr replace "$2::1/64" dev br0 nodad
    ip link set br0 up
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding' sh "$2" "$3"
if ! ip link show "$1-h" >/dev/null 2>&1; then
    ip link add "$1-h" type veth peer name host netns "$1"
    ip -n "$1" link set host master br0 up
fi
ip addr replace "$2.2/24" dev "$1-h"
ip link set "$1-h" up
"#;

impl Bench {
    /// Call with the lock held.
    pub(super) fn prepare_host(&self) -> Result<()> {
        let mut router = sh::cmd(["sh", "-euc", ROUTER, "sh", &self.ns, &self.net4, &self.net6]);
        sh::ok(&mut router).with_context(|| format!("cannot set up the bench's network {}", self.ns))?;
        for (key, least) in LIMITS {
            raise(&Path::new("/proc/sys").join(key), *least)?;
        }
        for (device, module) in [("/dev/net/tun", "tun"), ("/dev/fuse", "fuse")] {
            open_device(Path::new(device), module)?;
        }
        Ok(())
    }

    pub(super) fn remove_network(&self) -> Result<()> {
        let leg = format!("{}-h", self.ns);
        if Path::new("/sys/class/net").join(&leg).exists() {
            sh::ok(&mut sh::cmd(["ip", "link", "del", &leg]))?;
        }
        if Path::new("/run/netns").join(&self.ns).exists() {
            sh::ok(&mut sh::cmd(["ip", "netns", "del", &self.ns]))?;
        }
        Ok(())
    }

    /// The kernel removes a dead node's cable a little late; the next node of that address must not wait.
    pub(super) fn unplug(&self, index: u8) {
        let cable = format!("v{index}");
        let _absent_is_fine = sh::output(&mut sh::cmd(["ip", "-n", &self.ns, "link", "del", &cable]));
    }

    /// Every node knows all others and its own aliases. Call with the lock held.
    pub(super) fn write_hosts(&self) -> Result<()> {
        let all = self.metas()?;
        for (name, meta) in &all {
            let path = self.node(name).path("hosts");
            let text = hosts(&self.net4, &all, meta);
            if fs::read_to_string(&path).unwrap_or_default() != text {
                overwrite(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }
}

impl Node {
    /// Lets `host` mean `target`'s address in this node, now and after reboots; replaces an older meaning.
    pub fn alias(&self, host: &str, target: &str) -> Result<()> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if host.is_empty() || !host.chars().all(good) {
            bail!("`{host}` cannot be a host name");
        }
        let _lock = self.bench.lock("lock")?;
        self.bench.node(target).meta()?;
        let mut meta = self.meta()?;
        meta.aliases.retain(|(known, _)| known != host);
        meta.aliases.push((host.to_owned(), target.to_owned()));
        self.save(&meta)?;
        self.bench.write_hosts()
    }
}

/// An alias whose target is gone is left out, and comes back with it.
fn hosts(net4: &str, all: &[(String, Meta)], own: &Meta) -> String {
    let mut text = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
    for (name, meta) in all {
        text.push_str(&format!("{net4}.{} {name}\n", meta.index));
    }
    for (host, target) in &own.aliases {
        if let Some((_, meta)) = all.iter().find(|(name, _)| name == target) {
            text.push_str(&format!("{net4}.{} {host}\n", meta.index));
        }
    }
    text
}

/// In place, as a bind mount holds on to the file itself; cut afterwards, so that it is never seen empty.
fn overwrite(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.set_len(text.len() as u64)?)
}

fn raise(path: &Path, least: u64) -> Result<()> {
    let now = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if now.trim().parse::<u64>().is_ok_and(|now| now >= least) {
        return Ok(());
    }
    fs::write(path, least.to_string()).with_context(|| format!("cannot raise {} to {least}", path.display()))
}

/// Rootless Podman in a node opens them as an ordinary user, as on any Debian.
fn open_device(path: &Path, module: &str) -> Result<()> {
    if !path.exists() {
        sh::ok(&mut sh::cmd(["modprobe", module]))
            .with_context(|| format!("this host has no {}, which rootless Podman needs", path.display()))?;
    }
    fs::set_permissions(path, Permissions::from_mode(0o666))
        .with_context(|| format!("cannot open {} to users", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(index: u8, aliases: &[(&str, &str)]) -> Meta {
        let aliases = aliases
            .iter()
            .map(|(host, target)| ((*host).into(), (*target).into()))
            .collect();
        Meta {
            index,
            base: "/b".into(),
            disk: None,
            machine_id: String::new(),
            aliases,
            owner: None,
        }
    }

    #[test]
    fn hosts_list_nodes_and_live_aliases() {
        let own = meta(12, &[("home.alice.test", "a"), ("gone.test", "z")]);
        let all = [("a".to_owned(), meta(11, &[])), ("b".to_owned(), meta(12, &[]))];
        let text = hosts("198.18.0", &all, &own);
        assert!(
            text.ends_with("198.18.0.11 a\n198.18.0.12 b\n198.18.0.11 home.alice.test\n"),
            "{text}"
        );
    }

    #[test]
    fn a_shorter_file_replaces_a_longer_one() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("hosts");
        overwrite(&path, "a longer text")?;
        overwrite(&path, "short")?;
        assert_eq!(fs::read_to_string(&path)?, "short");
        Ok(())
    }
}
