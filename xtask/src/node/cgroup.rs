//! A node's cgroup is the truth about it: what runs, whether anything does, and one file kills it all.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The tree of one node: `keeper` holds the loop that starts nspawn, `machine` what nspawn starts.
#[derive(Debug)]
pub(super) struct Cgroup(PathBuf);

/// A process of a node, as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid on the host.
    pub pid: u32,
    /// Its effective uid, the same in the node as on the host (processes in containers have subordinate ones).
    pub uid: u32,
    /// Its arguments joined by spaces; a kernel-given name in brackets when it has none.
    pub cmdline: String,
}

/// Where the unified hierarchy is mounted, which on hosts with both versions is not /sys/fs/cgroup.
pub(super) fn mount_point() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    match find_mount(&mounts) {
        Some(path) => Ok(path.into()),
        None => bail!("no cgroup2 file system is mounted: `mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified`"),
    }
}

/// What to write to pass all these controllers on.
fn enable(controllers: &str) -> Option<String> {
    let all: Vec<String> = controllers
        .split_whitespace()
        .map(|name| format!("+{name}"))
        .collect();
    (!all.is_empty()).then(|| all.join(" "))
}

fn find_mount(mounts: &str) -> Option<&str> {
    mounts
        .lines()
        .find_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [_, path, "cgroup2", ..] => Some(path),
            _ => None,
        })
}

impl Cgroup {
    pub(super) fn new(root: &Path, name: &str) -> Self {
        Self(root.join(name))
    }

    pub(super) fn path(&self, part: &str) -> PathBuf {
        self.0.join(part)
    }

    /// The name below the hierarchy's root, which a node's own mount of it shares.
    pub(super) fn name(&self) -> String {
        self.0
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    pub(super) fn create(&self) -> Result<()> {
        for part in ["keeper", "machine"] {
            fs::create_dir_all(self.path(part))
                .with_context(|| format!("cannot make cgroup {}", self.0.display()))?;
        }
        // Where the host has memory, cpu and pids here, limits in nodes act; where it has none, they cannot.
        let have = fs::read_to_string(self.path("cgroup.controllers")).unwrap_or_default();
        match enable(&have) {
            Some(all) => self.write("cgroup.subtree_control", &all),
            None => Ok(()),
        }
    }

    /// No process is left, or the cgroup is gone.
    pub(super) fn empty(&self) -> bool {
        fs::read_to_string(self.path("cgroup.events")).map_or(true, |events| events.contains("populated 0"))
    }

    /// Stops every process where it stands; an uninterruptible one may need longer than we wait.
    pub(super) fn freeze(&self) -> Result<()> {
        self.write("cgroup.freeze", "1")?;
        wait(Duration::from_secs(2), || {
            fs::read_to_string(self.path("cgroup.events")).is_ok_and(|events| events.contains("frozen 1"))
        });
        Ok(())
    }

    pub(super) fn kill(&self) -> Result<()> {
        self.write("cgroup.kill", "1")
    }

    fn write(&self, file: &str, value: &str) -> Result<()> {
        let path = self.path(file);
        fs::write(&path, value).with_context(|| format!("cannot write {value} to {}", path.display()))
    }

    /// Removes the empty tree, leaves first.
    pub(super) fn remove(&self) {
        remove_dirs(&self.0);
    }

    pub(super) fn keeper_pid(&self) -> Option<u32> {
        pids(&self.path("keeper")).first().copied()
    }

    /// The node's systemd; it makes `init.scope` and moves there early in its start.
    pub(super) fn leader(&self) -> Option<u32> {
        pids(&self.path("machine/payload/init.scope")).first().copied()
    }

    /// Every process inside the node. Helpers that carry a command into it are in its cgroup, but not in its
    /// pid namespace: they are the host's.
    pub(super) fn processes(&self) -> Vec<Process> {
        let mut all = Vec::new();
        walk(&self.path("machine/payload"), &mut |dir| all.extend(pids(dir)));
        all.sort_unstable();
        let ours = fs::read_link("/proc/self/ns/pid").ok();
        all.retain(|pid| fs::read_link(format!("/proc/{pid}/ns/pid")).ok() != ours);
        all.into_iter().filter_map(process).collect()
    }
}

/// None when it has ended meanwhile.
fn process(pid: u32) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let cmdline = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let (uid, name) = parse_status(&status)?;
    let words: Vec<_> = cmdline
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy)
        .collect();
    let line = words.join(" ").trim_end().to_owned();
    Some(Process {
        pid,
        uid,
        cmdline: if line.is_empty() {
            format!("[{name}]")
        } else {
            line
        },
    })
}

fn parse_status(status: &str) -> Option<(u32, &str)> {
    let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
    let uid = field("Uid:")?.split_whitespace().nth(1)?.parse().ok()?;
    Some((uid, field("Name:")?.trim()))
}

fn pids(dir: &Path) -> Vec<u32> {
    let text = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.parse().ok())
        .filter(|pid| *pid != 0)
        .collect()
}

fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), visit);
        }
    }
    visit(dir);
}

fn remove_dirs(dir: &Path) {
    // A cgroup is removed by rmdir though it lists files; one that is still busy stays for the next try.
    walk(dir, &mut |leaf| drop(fs::remove_dir(leaf)));
}

/// Polls until true or the time is over; says which. The kernel offers no event that all callers share.
pub(super) fn wait(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_hierarchy_is_found_on_both_layouts() {
        let hybrid = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(find_mount(hybrid), Some("/sys/fs/cgroup/unified"));
        assert_eq!(
            find_mount("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0"),
            Some("/sys/fs/cgroup")
        );
        assert_eq!(find_mount("cgroup2 /x tmpfs rw 0 0"), None);
    }

    #[test]
    fn controllers_are_passed_on_only_where_there_are_any() {
        assert_eq!(enable("cpu memory\n").as_deref(), Some("+cpu +memory"));
        assert_eq!(enable("\n"), None);
    }

    #[test]
    fn the_effective_uid_counts() {
        assert_eq!(
            parse_status("Name:\tpodman\nUid:\t0\t998\t0\t0\n"),
            Some((998, "podman"))
        );
    }

    #[test]
    fn our_own_process_is_read() -> Result<()> {
        let me = process(std::process::id()).context("no own process")?;
        assert!(me.cmdline.contains("xtask"), "{}", me.cmdline);
        Ok(())
    }
}
