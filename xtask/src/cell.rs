//! A cell on a real machine, as the demo and the tests have it: the .deb, a registry, a store, `holm init`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::node::{Bench, CreateOptions, Node, NodeGuard};
use crate::workspace::{self, Profile, read_text};
use crate::{deb, registry, sh, store};

/// Domain of the cells that tests and demo make.
pub const DOMAIN: &str = "alice.test";
/// Where the store lies in the node.
const STORE: &str = "/srv/store";
/// Where a client has the authority's certificate.
const ROOT: &str = "/root/root.crt";

/// Everything that a cell is installed from.
pub struct Artifacts {
    deb: PathBuf,
    store: PathBuf,
}

impl Artifacts {
    /// Builds images, registry, store (with the test services) and package.
    pub fn build(profile: Profile) -> Result<Self> {
        deb::build(profile)?;
        registry::prepare()?;
        store::build(&store_folder(), true)?;
        Self::built()
    }

    /// What the last [`build`](Self::build) made; for tests, which run in parallel and must not build.
    pub fn built() -> Result<Self> {
        let store = store_folder();
        if !store.exists() {
            bail!(
                "{} is not there yet: run `cargo xtask artifacts`",
                store.display()
            );
        }
        Ok(Self {
            deb: deb::built()?,
            store,
        })
    }
}

fn store_folder() -> PathBuf {
    workspace::target().join("store-tests")
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
        cell.init()?;
        Ok(cell)
    }

    /// `holm init` with [`DOMAIN`] and the store.
    pub fn init(&self) -> Result<String> {
        self.holm(&["init", "--domain", DOMAIN, "--store", STORE])
    }

    /// Runs `holm` as root and returns what it printed.
    pub fn holm(&self, words: &[&str]) -> Result<String> {
        self.node.exec_ok(&[&["holm"], words].concat())
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
            last = sh::said(&out);
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("{what} did not come within a minute: {last}")
    }

    /// Makes `node` know the cell's names and trust its authority.
    pub fn introduce(&self, node: &Node, hosts: &[&str]) -> Result<()> {
        node.alias(DOMAIN, self.node.name())?;
        for host in hosts {
            node.alias(&format!("{host}.{DOMAIN}"), self.node.name())?;
        }
        let root = self.holm(&["ca"])?;
        node.push_bytes(root.as_bytes(), ROOT, 0o644, "root")
            .context("push the authority's certificate")
    }

    /// Puts a package into the cell's store: a test service under another id and host, with changes.
    pub fn stock(&self, id: &str, like: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
        let text = read_text(&store_folder().join("services").join(like).join("manifest.json"))?;
        let mut manifest: Value = serde_json::from_str(&text)?;
        manifest["id"] = id.into();
        manifest["subdomain"] = id.into();
        manifest["caddy_route"]["subdomain"] = id.into();
        change(&mut manifest);
        let path = format!("{STORE}/services/{id}/manifest.json");
        self.node
            .push_bytes(manifest.to_string().as_bytes(), &path, 0o644, "root")
    }
}

/// What `client` gets from `https://<host>.<domain><path>`: status and body.
pub fn get(client: &Node, host: &str, path: &str) -> Result<(u16, String)> {
    fetch(client, host, path, &[])
}

/// The same with more words for curl, e.g. `--data-binary`.
pub fn fetch(client: &Node, host: &str, path: &str, words: &[&str]) -> Result<(u16, String)> {
    let url = format!("https://{host}.{DOMAIN}{path}");
    let plain = [
        "curl",
        "-sS",
        "-m",
        "30",
        "--cacert",
        ROOT,
        "-w",
        "\n%{http_code}",
    ];
    let said = client.exec_ok(&[&plain[..], words, &[&url]].concat())?;
    let (body, status) = said.rsplit_once('\n').unwrap_or(("", &said));
    Ok((
        status.parse().with_context(|| format!("curl said {said:?}"))?,
        body.to_owned(),
    ))
}
