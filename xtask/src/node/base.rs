//! The root file system that all nodes share: made once by mmdebstrap, cached by a hash of its recipe.

use super::bench::Bench;
use crate::{setup, sh};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

const SUITE: &str = "trixie";

/// What a node has installed: the product's own dependencies first, then the tests' tools.
const PACKAGES: &[&str] = &[
    "systemd",
    "systemd-sysv",
    "libpam-systemd",
    "dbus",
    "dbus-user-session",
    "podman",
    "crun",
    "uidmap",
    "passt",
    "netavark",
    "aardvark-dns",
    "nftables",
    "iproute2",
    "ca-certificates",
    "adduser",
    "sqlite3",
    "iputils-ping",
    "wireguard-tools",
    "curl",
    "procps",
    "jq",
    "busybox-static",
    "docker-registry",
    "rclone",
    "tcpdump",
];

/// Shapes the fresh root; part of the hash, so that a change here makes a new base.
const CUSTOMIZE: &str = include_str!("base.sh");

/// Keeps services from being started inside the chroot while packages are installed.
const NO_START: &str =
    r#"printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"; chmod +x "$1/usr/sbin/policy-rc.d""#;

impl Bench {
    /// The base's folder; made now if it is not in the cache (about a minute).
    pub(super) fn base(&self) -> Result<PathBuf> {
        let packages = package_list(&std::env::var("HOLM_NODE_EXTRA").unwrap_or_default());
        let dir = self.cache().join(format!("base-{}", key(&packages)));
        if dir.is_dir() {
            return Ok(dir);
        }
        let _lock = self.lock("base.lock")?;
        if dir.is_dir() {
            return Ok(dir); // another process has made it while this one waited
        }
        setup::ensure_packages(&[
            ("mmdebstrap", "mmdebstrap"),
            (
                "/usr/share/keyrings/debian-archive-keyring.gpg",
                "debian-archive-keyring",
            ),
        ])?;
        let part = dir.with_extension("part");
        sh::ok(sh::cmd(["rm", "-rf", "--one-file-system"]).arg(&part))?;
        let archive = archive()?;
        let mut make = sh::cmd(["mmdebstrap", "--quiet", "--format=directory", "--variant=minbase"]);
        make.arg(format!("--include={packages}"))
            .arg("--aptopt=Acquire::Retries \"3\"")
            .arg(format!("--essential-hook={NO_START}"))
            .arg(format!("--customize-hook={CUSTOMIZE}"))
            .args([SUITE.as_ref(), part.as_os_str()])
            .arg(format!("deb {archive} {SUITE} main"));
        sh::ok(&mut make)
            .context("cannot make the nodes' base system: check the Debian archive and try again")?;
        std::fs::rename(&part, &dir)
            .with_context(|| format!("cannot move the new base to {}", dir.display()))?;
        Ok(dir)
    }
}

fn package_list(extra: &str) -> String {
    let extra = extra.split(',').map(str::trim).filter(|p| !p.is_empty());
    PACKAGES
        .iter()
        .copied()
        .chain(extra)
        .collect::<Vec<_>>()
        .join(",")
}

fn key(packages: &str) -> String {
    let recipe = [SUITE, packages, NO_START, CUSTOMIZE].join("\0");
    Sha256::digest(recipe)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The archive that the host itself uses, so that no address is written down here.
fn archive() -> Result<String> {
    if let Ok(archive) = std::env::var("HOLM_DEBIAN_ARCHIVE") {
        return Ok(archive);
    }
    let ask = || {
        let format = "$(REPO_URI)|$(COMPONENT)";
        sh::ok(&mut sh::cmd([
            "apt-get",
            "indextargets",
            "--format",
            format,
            "Created-By: Packages",
        ]))
    };
    if let Some(found) = pick_archive(&ask()?) {
        return Ok(found);
    }
    sh::ok(&mut sh::cmd(["apt-get", "update", "-qq"]))?;
    match pick_archive(&ask()?) {
        Some(found) => Ok(found),
        None => bail!(
            "no Debian archive in this host's apt sources: set HOLM_DEBIAN_ARCHIVE to the address of one"
        ),
    }
}

fn pick_archive(targets: &str) -> Option<String> {
    let main = targets
        .lines()
        .filter_map(|line| line.split_once('|'))
        .filter(|(_, part)| *part == "main");
    main.map(|(url, _)| url.trim_end_matches('/'))
        .find(|url| url.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_the_recipe_changes_the_key() {
        assert_eq!(key("a,b"), key("a,b"));
        assert_ne!(key("a,b"), key("a,c"));
        assert!(package_list(" tor, ").ends_with(",tor"));
    }

    #[test]
    fn the_main_debian_archive_is_picked() {
        let targets = "http://x/debian-security/|main\nhttp://x/debian/|contrib\nhttp://y/debian/|main\n";
        assert_eq!(pick_archive(targets).as_deref(), Some("http://y/debian"));
        assert_eq!(pick_archive("http://x/ubuntu/|main"), None);
    }
}
