//! The package on a real machine: installed, installed again, removed and purged, with people's data kept.

use anyhow::{Context, Result, ensure};
use xtask::deb;
use xtask::node::{Bench, Node};

fn shell(node: &Node, line: &str) -> Result<String> {
    node.exec_ok(&["sh", "-euc", line])
}

/// The one range of holm in /etc/subuid or /etc/subgid: first id and how many.
fn range(node: &Node, file: &str) -> Result<(u64, u64)> {
    let lines = shell(node, &format!("grep ^holm: /etc/{file}"))?;
    ensure!(lines.lines().count() == 1, "{file} has {lines}");
    let (first, count) = lines
        .trim_start_matches("holm:")
        .split_once(':')
        .context("no range")?;
    Ok((first.parse()?, count.parse()?))
}

fn check_installed(node: &Node) -> Result<()> {
    let owner = shell(node, "stat -c '%U %G %a' /var/lib/holm /run/holm")?;
    ensure!(owner == "holm holm 700\nholm holm-admin 2750", "{owner}");
    let passwd = shell(node, "getent passwd holm")?;
    ensure!(passwd.ends_with(":/var/lib/holm:/usr/sbin/nologin"), "{passwd}");
    let groups = shell(node, "id -nG holm")?;
    ensure!(groups.split(' ').any(|group| group == "holm-admin"), "{groups}");
    let ports = shell(node, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    ensure!(ports == "53", "unprivileged ports start at {ports}");
    for file in ["subuid", "subgid"] {
        let (first, count) = range(node, file)?;
        ensure!(
            first > 600_100_000 && count >= 1_048_576,
            "{file}: {count} from {first}"
        );
    }
    // Lingering starts the manager in the background: exec_as waits for it.
    let socket = node.exec_as_ok(
        "holm",
        &["systemctl", "--user", "show", "-P", "LoadState", "podman.socket"],
    )?;
    ensure!(socket == "loaded", "podman.socket is {socket}");
    let map = node.exec_as_ok(
        "holm",
        &[
            "podman",
            "unshare",
            "awk",
            "{s += $3} END {print s}",
            "/proc/self/uid_map",
        ],
    )?;
    ensure!(map.parse::<u64>()? > 1_048_576, "holm has {map} ids");
    Ok(())
}

#[test]
fn install_again_remove_and_purge() -> Result<()> {
    let package = deb::built()?;
    let bench = Bench::open()?;
    let node = bench.fresh(&Bench::unique("package"), Default::default())?;
    // A range of somebody else's just where holm's would begin must be stepped over.
    shell(&node, "echo other:600100000:65536 >> /etc/subuid")?;

    deb::install(&node, &package)?;
    check_installed(&node)?;
    let unit = node.exec_as_ok(
        "holm",
        &[
            "systemctl",
            "--user",
            "show",
            "-P",
            "UnitFileState",
            "holmd.service",
        ],
    )?;
    ensure!(unit == "enabled" || unit == "static", "holmd.service is {unit}");
    // In a root without any library, as in other people's images.
    let alone = "mkdir /tmp/none && cp /usr/lib/holm/holm-exec /tmp/none && { chroot /tmp/none /holm-exec 2>&1 || true; }";
    let said = shell(&node, alone)?;
    ensure!(
        said.contains("no command after --"),
        "holm-exec does not run by itself: {said}"
    );
    let ranges = (range(&node, "subuid")?, range(&node, "subgid")?);
    ensure!(
        ranges.0.0 >= 600_165_536,
        "holm's ids lie in another's range: {ranges:?}"
    );
    shell(
        &node,
        "echo kept > /var/lib/holm/data && chown holm: /var/lib/holm/data",
    )?;

    deb::install(&node, &package)?;
    check_installed(&node)?;
    ensure!(
        ranges == (range(&node, "subuid")?, range(&node, "subgid")?),
        "an upgrade moved holm's ids"
    );

    node.reboot()?;
    check_installed(&node)?;

    shell(&node, "dpkg --remove holm")?;
    let left = shell(&node, "pgrep --uid holm --list-full || true")?;
    ensure!(left.is_empty(), "still running after removal: {left}");
    let said = shell(&node, "dpkg --purge holm 2>&1")?;
    ensure!(said.contains("your data is kept in /var/lib/holm"), "{said}");
    ensure!(
        shell(&node, "cat /var/lib/holm/data")? == "kept",
        "purge took data"
    );

    deb::install(&node, &package)?;
    check_installed(&node)?;
    ensure!(
        shell(&node, "cat /var/lib/holm/data")? == "kept",
        "a new install took data"
    );
    Ok(())
}
