//! A node's power: boot, reboot, clean power-off, and the cut that gives nothing time to finish.

use super::bench::Node;
use super::cgroup::{Process, wait};
use crate::sh;
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

/// Long, as all tests share a few cores; an empty node needs less than a second.
const BOOT: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(120);

/// Mounts, nspawn and its restarts: see there.
const KEEPER: &str = include_str!("machine.sh");

/// Joins the node's cgroup before anything else, so that one kill reaches all that follows.
const LAUNCH: &str =
    r#"echo 0 > "$1/cgroup.procs" && shift && exec unshare --mount --propagation private sh -c "$@""#;

/// EXT4_IOC_SHUTDOWN without a journal flush: from here on nothing reaches the image, as without power.
const STOP_DISK: &str = r#"my $flags = pack("L", 2); open(my $dir, "<", $ARGV[0]) or die "$!"; ioctl($dir, 0x8004587d, $flags) or die "$!""#;

impl Node {
    /// Boots and waits until systemd has started all units; a running node is left as it is.
    pub fn boot(&self) -> Result<()> {
        let meta = self.meta()?;
        if !self.cgroup().empty() {
            return self.wait_up(None);
        }
        self.settle()?;
        {
            let _lock = self.bench.lock("lock")?;
            self.bench.prepare_host()?;
            self.bench.write_hosts()?;
        }
        let cgroup = self.cgroup();
        cgroup.create()?;
        let log = self.path("console.log");
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .context("cannot write a console log")?;
        let mut keeper = sh::cmd(["setsid", "--fork", "sh", "-c", LAUNCH, "sh"]);
        keeper
            .arg(cgroup.path("keeper"))
            .args([KEEPER, "holm-node", &self.name]);
        keeper
            .arg(self.dir())
            .arg(&meta.base)
            .args([&cgroup.name(), &self.bench.ns]);
        keeper.args([&meta.index.to_string(), &self.bench.net4, &self.bench.net6]);
        keeper.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null());
        let started = keeper.status().context("cannot start a node's keeper")?;
        if !started.success() {
            bail!("cannot start the keeper of node {}: {started}", self.name);
        }
        wait(Duration::from_secs(5), || !cgroup.empty());
        self.wait_up(None)
    }

    /// A true reboot from inside; waits until the node is up again.
    pub fn reboot(&self) -> Result<()> {
        let old = self.leader_pid()?;
        let asked = self.exec(&["systemctl", "reboot"])?; // may be killed by the reboot it asks for
        self.wait_up(Some(old))
            .with_context(|| format!("rebooting {} (asked: {})", self.name, asked.status))
    }

    /// A clean power-off from inside; a node that is off is fine.
    pub fn poweroff(&self) -> Result<()> {
        if self.leader_pid().is_err() {
            return self.kill();
        }
        self.exec(&["systemctl", "poweroff"])?;
        if !wait(STOP, || self.cgroup().empty()) {
            bail!(
                "node {} has not shut down in {} s: {}",
                self.name,
                STOP.as_secs(),
                self.console()
            );
        }
        self.settle()
    }

    /// The power fails: no process runs on, and a disk image keeps only what had reached it.
    pub fn cut(&self) -> Result<()> {
        let meta = self.meta()?;
        let cgroup = self.cgroup();
        if cgroup.empty() {
            return self.settle();
        }
        if meta.disk.is_some() {
            cgroup.freeze()?; // else programs would see the disk's errors before they die
            if let Some(keeper) = cgroup.keeper_pid() {
                let mut stop = sh::cmd([
                    "nsenter",
                    "-m",
                    "-t",
                    &keeper.to_string(),
                    "perl",
                    "-e",
                    STOP_DISK,
                ]);
                sh::ok(stop.arg(self.path("disk"))).context("cannot stop the node's disk")?;
            }
        }
        self.kill()
    }

    /// Ends every process of the node, whatever state it is in.
    pub(super) fn kill(&self) -> Result<()> {
        if !self.cgroup().empty() {
            self.cgroup().kill()?;
        }
        if !wait(Duration::from_secs(30), || self.cgroup().empty()) {
            bail!(
                "node {} still has processes after a kill: see {}",
                self.name,
                self.cgroup().path("").display()
            );
        }
        self.settle()
    }

    /// Waits for what the kernel finishes after the last process: a loop device still at work on the image
    /// would damage it together with the next one.
    fn settle(&self) -> Result<()> {
        self.cgroup().remove();
        let image = self.path("disk.img");
        if !image.exists() {
            return Ok(());
        }
        let mut last = Ok(String::new());
        let free = wait(Duration::from_secs(30), || {
            last = sh::ok(sh::cmd(["losetup", "--list", "--noheadings", "-j"]).arg(&image));
            matches!(&last, Ok(list) if list.is_empty())
        });
        let list = last?;
        if !free {
            bail!("the disk of node {} is still in use: {list}", self.name);
        }
        Ok(())
    }

    /// The host's pid of the node's systemd.
    pub fn leader_pid(&self) -> Result<u32> {
        let leader = self.cgroup().leader();
        leader.with_context(|| {
            format!(
                "node {} is not running: boot it (`cargo xtask node boot`)",
                self.name
            )
        })
    }

    /// Every process of the node, in containers too, seen from the host.
    pub fn processes(&self) -> Vec<Process> {
        self.cgroup().processes()
    }

    /// Until systemd (another than `old`) is done with starting.
    fn wait_up(&self, old: Option<u32>) -> Result<()> {
        let mut state = String::from("no systemd yet");
        let ended = wait(BOOT, || {
            let cgroup = self.cgroup();
            if cgroup.empty() {
                state = "it ended".to_owned();
                return true;
            }
            if cgroup.leader().is_none_or(|leader| Some(leader) == old) {
                return false;
            }
            // --wait answers at once while the bus is not there yet, and else when the boot is done.
            let ask = ["timeout", "30", "systemctl", "is-system-running", "--wait"];
            state = match self.exec(&ask) {
                Ok(out) => String::from_utf8_lossy(&out.stdout).trim().to_owned(),
                Err(error) => error.to_string(),
            };
            matches!(state.as_str(), "running" | "degraded")
        });
        if ended && state != "it ended" {
            return Ok(());
        }
        bail!(
            "node {} did not come up ({state}); the end of its console:\n{}",
            self.name,
            self.console()
        );
    }

    fn console(&self) -> String {
        let text = fs::read(self.path("console.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
