//! A cell on a real machine, as the demo and the tests have it: the .deb, a registry, a store, `holm init`.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::node::{Bench, CreateOptions, NodeGuard};
use crate::workspace::{self, Profile};
use crate::{deb, registry, store};

/// Domain of the cells that tests and demo make.
pub const DOMAIN: &str = "alice.test";
/// Where the store lies in the node.
const STORE: &str = "/srv/store";

/// Everything that a cell is installed from, built or found built.
pub struct Artifacts {
    deb: std::path::PathBuf,
    store: std::path::PathBuf,
}

impl Artifacts {
    /// Builds images, store (with the test services) and package; what has not changed is not built again.
    pub fn build(profile: Profile) -> Result<Self> {
        let deb = deb::build(profile)?;
        let store = workspace::target().join("store-tests");
        store::build(&store, true)?;
        Ok(Self { deb, store })
    }
}

/// A node with Holm installed.
pub struct Cell {
    /// The machine.
    pub node: NodeGuard,
}

impl Cell {
    /// A machine with the package, a registry and a store on it, not yet initialised.
    pub fn install(bench: &Bench, name: &str, options: CreateOptions, artifacts: &Artifacts) -> Result<Self> {
        let node = bench.fresh(name, options)?;
        registry::serve(&node)?;
        node.push(&artifacts.store, STORE, Some("root"))?;
        deb::install(&node, &artifacts.deb)?;
        let cell = Self { node };
        cell.wait_for("the daemon's socket", "test -S /run/holm/api.sock")?;
        Ok(cell)
    }

    /// The same, initialised with [`DOMAIN`] and its store.
    pub fn start(bench: &Bench, name: &str, options: CreateOptions, artifacts: &Artifacts) -> Result<Self> {
        let cell = Self::install(bench, name, options, artifacts)?;
        cell.holm(&["init", "--domain", DOMAIN, "--store", STORE])?;
        Ok(cell)
    }

    /// Runs `holm` as root and returns what it printed.
    pub fn holm(&self, words: &[&str]) -> Result<String> {
        let mut all = vec!["holm"];
        all.extend_from_slice(words);
        self.node.exec_ok(&all)
    }

    /// Runs a shell line as the user `holm`, in his own session.
    pub fn sh(&self, line: &str) -> Result<String> {
        self.node.exec_as_ok("holm", &["sh", "-c", line])
    }

    /// Tries a shell line as root until it succeeds, for at most a minute.
    pub fn wait_for(&self, what: &str, line: &str) -> Result<()> {
        let mut last = String::new();
        for _ in 0..300 {
            let out = self.node.exec(&["sh", "-c", line])?;
            if out.status.success() {
                return Ok(());
            }
            last = crate::sh::said(&out);
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("{what} did not come within a minute: {last}")
    }

    /// Makes `node` know the cell's names and trust its authority.
    pub fn introduce(&self, node: &NodeGuard, services: &[&str]) -> Result<()> {
        node.alias(DOMAIN, self.node.name())?;
        for service in services {
            node.alias(&format!("{service}.{DOMAIN}"), self.node.name())?;
        }
        let root = self.holm(&["ca"])?;
        node.push_bytes(root.as_bytes(), "/root/root.crt", 0o644, "root")
            .context("push the authority's certificate")
    }
}
