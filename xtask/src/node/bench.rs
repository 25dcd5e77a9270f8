//! The bench (a folder, a router, a lock) and a node's life in it: created, listed, destroyed.

use super::cgroup::Cgroup;
use crate::{setup, sh};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Addresses of nodes; below them are the router and the host, above them room for tests.
const INDEXES: std::ops::RangeInclusive<u8> = 11..=240;

/// All nodes of one folder, and the network between them.
///
/// `HOLM_NODE_DIR`, `HOLM_NODE_NS`, `HOLM_NODE_NET` and `HOLM_NODE_NET6` set it apart from other benches.
#[derive(Clone, Debug)]
pub struct Bench {
    dir: PathBuf,
    pub(super) ns: String,
    pub(super) net4: String,
    pub(super) net6: String,
    cgroups: PathBuf,
}

/// How a node is made.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// Size of a disk image for /home and /var/lib/holm, such as `4G`; a power cut then loses what was not
    /// synced. Without one they are a plain folder.
    pub disk: Option<String>,
    /// A [`NodeGuard`](super::NodeGuard) of it does not destroy it.
    pub keep: bool,
}

/// One machine of the bench, which need not exist yet.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) bench: Bench,
    pub(super) name: String,
}

/// A line of the list of nodes.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// The node's name, which is also its host name.
    pub name: String,
    /// Its IPv4 address.
    pub ip: String,
    /// The host's pid of its systemd, when it runs.
    pub leader: Option<u32>,
}

/// What must outlive the process that creates a node.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) index: u8,
    pub(super) base: PathBuf,
    pub(super) disk: Option<String>,
    pub(super) machine_id: String,
    /// Lines `host target` for /etc/hosts.
    pub(super) aliases: Vec<(String, String)>,
    /// The test process after whose end the node may be removed: pid and start time.
    pub(super) owner: Option<(u32, u64)>,
}

impl Bench {
    /// Opens the bench of the environment and installs what the host lacks. Makes no node.
    pub fn open() -> Result<Self> {
        setup::ensure_root()?;
        setup::ensure_packages(&[
            ("systemd-nspawn", "systemd-container"),
            ("ip", "iproute2"),
            ("nft", "nftables"),
            ("nsenter", "util-linux"),
            ("losetup", "mount"),
            ("mkfs.ext4", "e2fsprogs"),
            ("perl", "perl-base"),
        ])?;
        let var = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        let dir = PathBuf::from(var("HOLM_NODE_DIR", "/var/tmp/holm-nodes"));
        for part in ["nodes", "cache"] {
            fs::create_dir_all(dir.join(part)).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        Ok(Self {
            dir: dir
                .canonicalize()
                .with_context(|| format!("cannot resolve {}", dir.display()))?,
            ns: var("HOLM_NODE_NS", "holm"),
            net4: var("HOLM_NODE_NET", "198.18.0"),
            net6: var("HOLM_NODE_NET6", "fd18:0:0:1"),
            cgroups: super::cgroup::mount_point()?,
        })
    }

    /// The node of that name, existing or not.
    pub fn node(&self, name: &str) -> Node {
        Node {
            bench: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Prepares the base system, the router's network and the host's limits; quick when all is there.
    pub fn up(&self) -> Result<()> {
        self.base()?;
        let _lock = self.lock("lock")?;
        self.prepare_host()
    }

    /// All nodes, by name.
    pub fn list(&self) -> Result<Vec<NodeInfo>> {
        let mut list = Vec::new();
        for (name, meta) in self.metas()? {
            let leader = self.node(&name).leader_pid().ok();
            list.push(NodeInfo {
                ip: format!("{}.{}", self.net4, meta.index),
                name,
                leader,
            });
        }
        Ok(list)
    }

    /// Destroys every node and the network; the cached base stays.
    pub fn down(&self) -> Result<()> {
        for name in self.names()? {
            self.node(&name).destroy()?;
        }
        let _lock = self.lock("lock")?;
        self.remove_network()
    }

    /// Runs a command in the router's network, where a test's "internet" lives.
    pub fn router_exec<S: AsRef<str>>(&self, words: &[S]) -> Result<std::process::Output> {
        let mut command = sh::cmd(["ip", "netns", "exec", &self.ns]);
        sh::output(command.args(words.iter().map(AsRef::as_ref)))
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// Waits for other processes that change what all nodes share; held until dropped.
    pub(super) fn lock(&self, name: &str) -> Result<File> {
        let path = self.dir.join(name);
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.dir.join("nodes")).context("cannot list the nodes")? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Complete nodes only: one that is just being made or removed has no record.
    pub(super) fn metas(&self) -> Result<Vec<(String, Meta)>> {
        let mut list = Vec::new();
        for name in self.names()? {
            if let Some(meta) = self.node(&name).meta_if_any()? {
                list.push((name, meta));
            }
        }
        Ok(list)
    }
}

impl Node {
    /// Makes the node, powered off; leaves an existing one as it is.
    pub fn create(&self, options: &CreateOptions) -> Result<()> {
        self.create_owned(options, None)
    }

    pub(super) fn create_owned(&self, options: &CreateOptions, owner: Option<(u32, u64)>) -> Result<()> {
        check_name(&self.name)?;
        let base = self.bench.base()?;
        let _lock = self.bench.lock("lock")?;
        self.bench.prepare_host()?;
        if self.meta_if_any()?.is_none() {
            let taken: Vec<u8> = self.bench.metas()?.iter().map(|(_, meta)| meta.index).collect();
            let index = free_index(&taken)?;
            let id =
                fs::read_to_string("/proc/sys/kernel/random/uuid").context("cannot make a machine id")?;
            let machine_id = id.trim().replace('-', "");
            let disk = options.disk.clone();
            let meta = Meta {
                index,
                base,
                disk,
                machine_id,
                aliases: Vec::new(),
                owner,
            };
            self.lay_out(&meta)
                .with_context(|| format!("cannot lay out node {}", self.name))?;
            self.save(&meta)?;
        }
        self.bench.write_hosts()
    }

    fn lay_out(&self, meta: &Meta) -> Result<()> {
        remove_tree(&self.dir())?;
        for part in ["upper/etc", "work", "root", "disk"] {
            fs::create_dir_all(self.path(part))?;
        }
        fs::write(self.path("upper/etc/hostname"), format!("{}\n", self.name))?;
        fs::write(
            self.path("upper/etc/machine-id"),
            format!("{}\n", meta.machine_id),
        )?;
        fs::write(
            self.path("resolv.conf"),
            format!("nameserver {}.1\n", self.bench.net4),
        )?;
        fs::write(self.path("hosts"), "")?;
        if let Some(size) = &meta.disk {
            let image = self.path("disk.img");
            sh::ok(sh::cmd(["truncate", "-s", size]).arg(&image))?;
            sh::ok(sh::cmd(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1"]).arg(&image))?;
        }
        Ok(())
    }

    /// Kills the node if it runs and removes all of it; one that does not exist is fine.
    pub fn destroy(&self) -> Result<()> {
        check_name(&self.name)?;
        self.kill()?;
        let _lock = self.bench.lock("lock")?;
        if let Some(meta) = self.meta_if_any()? {
            self.bench.unplug(meta.index);
        }
        remove_tree(&self.dir())?;
        self.bench.write_hosts()
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node's IPv4 address, which the host and all nodes reach.
    pub fn ip(&self) -> Result<String> {
        Ok(format!("{}.{}", self.bench.net4, self.meta()?.index))
    }

    pub(super) fn meta(&self) -> Result<Meta> {
        self.meta_if_any()?
            .with_context(|| format!("there is no node {}: create it first", self.name))
    }

    fn meta_if_any(&self) -> Result<Option<Meta>> {
        let path = self.path("node.json");
        match fs::read(&path) {
            Ok(text) => {
                let meta = serde_json::from_slice(&text);
                meta.map(Some)
                    .with_context(|| format!("{} is damaged: destroy the node", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Written aside and renamed, so that a reader without the lock never sees half of it.
    pub(super) fn save(&self, meta: &Meta) -> Result<()> {
        let (part, path) = (self.path("node.json.part"), self.path("node.json"));
        fs::write(&part, serde_json::to_vec_pretty(meta)?)
            .and_then(|()| fs::rename(&part, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.bench.dir.join("nodes").join(&self.name)
    }

    pub(super) fn path(&self, part: &str) -> PathBuf {
        self.dir().join(part)
    }

    pub(super) fn cgroup(&self) -> Cgroup {
        Cgroup::new(&self.bench.cgroups, &format!("{}-{}", self.bench.ns, self.name))
    }
}

/// The name becomes a host name, a folder and a cgroup.
fn check_name(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts || name.len() > 40 || !name.chars().all(good) || name.ends_with('-') {
        bail!("`{name}` cannot name a node: use a-z, 0-9 and -, at most 40, beginning with a letter");
    }
    Ok(())
}

fn free_index(taken: &[u8]) -> Result<u8> {
    let mut free = INDEXES.filter(|index| !taken.contains(index));
    free.next()
        .context("all addresses of the bench are taken: destroy some nodes (`cargo xtask node list`)")
}

fn remove_tree(dir: &Path) -> Result<()> {
    sh::ok(sh::cmd(["rm", "-rf", "--one-file-system"]).arg(dir)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_host_names() {
        assert!(
            ["a", "demo-2", "t123-a"]
                .iter()
                .all(|name| check_name(name).is_ok())
        );
        assert!(
            ["", "-a", "a-", "A", "../x", "a.b", "2a"]
                .iter()
                .all(|name| check_name(name).is_err())
        );
    }

    #[test]
    fn the_lowest_free_address_is_taken() -> Result<()> {
        assert_eq!(free_index(&[11, 13])?, 12);
        assert!(free_index(&INDEXES.collect::<Vec<_>>()).is_err());
        Ok(())
    }
}
