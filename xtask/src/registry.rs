//! The registry of a test machine: Debian's docker-registry on a storage folder that is written directly.
//!
//! Nothing is pushed, so no registry runs on the host and no engine takes part. The folder is the layout of
//! the distribution project's filesystem driver, version 2: blobs once, and links from each repository.

use crate::images::{self, REGISTRY, References};
use crate::node::Node;
use crate::workspace::{self, read, write};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where the registry listens in the node.
pub const ADDRESS: &str = "127.0.0.1:5000";
/// Where Debian's docker-registry keeps its storage.
const STORAGE: &str = "/var/lib/docker-registry";

/// `target/registry`
fn folder() -> PathBuf {
    workspace::target().join("registry")
}

/// Writes `target/registry` from the images that `cargo xtask images` has built, and returns that folder.
pub fn prepare() -> Result<PathBuf> {
    let out = folder();
    let _no_build = images::hold()?;
    write_storage(&images::built()?, &images::folder(), &out)?;
    Ok(out)
}

/// Puts the images and a running registry into the node, and sends the public name there. Again is fine.
pub fn serve(node: &Node) -> Result<()> {
    // Tests run in parallel: what they serve is prepared once, before them.
    let storage = folder();
    if !storage.exists() {
        bail!(
            "{} is not there yet: run `cargo xtask artifacts`",
            storage.display()
        );
    }
    let put = |text: String, path: &str| node.push_bytes(text.as_bytes(), path, 0o644, "root");
    node.exec_ok(&["sh", "-c", &format!("rm -rf {STORAGE}/docker")])?;
    node.push(&storage, STORAGE, Some("docker-registry"))?;
    put(config(STORAGE, ADDRESS), "/etc/docker/registry/config.yml")?;
    put(redirect(), "/etc/containers/registries.conf.d/50-holm-test.conf")?;
    node.exec_ok(&["systemctl", "enable", "--quiet", "docker-registry"])?;
    node.exec_ok(&["systemctl", "restart", "docker-registry"])?;
    let ready =
        format!("for i in $(seq 100); do curl -sf http://{ADDRESS}/v2/ && exit; sleep 0.1; done; exit 1");
    node.exec_ok(&["sh", "-c", &ready])
        .context("the registry in the node does not answer")?;
    Ok(())
}

/// docker-registry's configuration: no one can write to it.
pub fn config(storage: &str, address: &str) -> String {
    format!(
        "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {storage}}}\n  \
         cache: {{blobdescriptor: inmemory}}\n  maintenance: {{readonly: {{enabled: true}}}}\n\
         http: {{addr: \"{address}\"}}\n"
    )
}

/// registries.conf of containers-registries.conf(5): the public name is found at the local registry.
pub fn redirect() -> String {
    format!("[[registry]]\nprefix = \"{REGISTRY}\"\nlocation = \"{ADDRESS}\"\ninsecure = true\n")
}

fn write_storage(references: &References, layouts: &Path, out: &Path) -> Result<()> {
    workspace::clear(out)?;
    let v2 = out.join("docker/registry/v2");
    for (name, reference) in references {
        let Some((tag, digest)) = split(reference) else {
            bail!("{reference} is no reference: run `cargo xtask images` again");
        };
        let blobs = layouts.join(name).join("blobs");
        let manifest: Value = serde_json::from_slice(&read(&blobs.join(digest.replace(':', "/")))?)?;
        let repository = v2.join("repositories").join(name);
        let mut parts = vec![&manifest["config"]];
        parts.extend(manifest["layers"].as_array().into_iter().flatten());
        for part in parts {
            let part = part["digest"]
                .as_str()
                .context("a part of the image has no digest")?;
            store_blob(&blobs, &v2, part)?;
            link(&repository.join("_layers"), part)?;
        }
        store_blob(&blobs, &v2, digest)?;
        link(&repository.join("_manifests/revisions"), digest)?;
        let tags = repository.join("_manifests/tags").join(tag);
        link(&tags.join("index"), digest)?;
        write(&tags.join("current/link"), digest)?;
    }
    Ok(())
}

/// `host/name:tag@digest` to (tag, digest).
fn split(reference: &str) -> Option<(&str, &str)> {
    let (name, digest) = reference.split_once('@')?;
    Some((name.rsplit_once(':')?.1, digest))
}

fn link(below: &Path, digest: &str) -> Result<()> {
    write(&below.join(digest.replace(':', "/")).join("link"), digest)
}

fn store_blob(blobs: &Path, v2: &Path, digest: &str) -> Result<()> {
    let (algorithm, hex) = digest
        .split_once(':')
        .with_context(|| format!("{digest} is no digest"))?;
    let first = hex.get(..2).with_context(|| format!("{digest} is no digest"))?;
    let bytes = read(&blobs.join(algorithm).join(hex))?;
    if images::oci::digest(&bytes) != digest {
        bail!("the blob {digest} has other bytes than its name: run `cargo xtask images` again");
    }
    write(
        &v2.join("blobs")
            .join(algorithm)
            .join(first)
            .join(hex)
            .join("data"),
        bytes,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::{apt::Apt, oci, recipe};
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, ChildStderr, Command, Stdio};

    fn sample(dir: &Path) -> Result<(References, String)> {
        let tree = [("/a".to_owned(), oci::Node::Folder(0o755))].into();
        let layout = dir.join("images/sample");
        let digest = oci::write_layout(&layout, &tree, &recipe::Config::default(), &BTreeMap::new())?;
        let reference = format!("{REGISTRY}/sample:1.0.0@{digest}");
        Ok(([("sample".to_owned(), reference)].into(), digest))
    }

    /// The process, and its log, since it ends when nobody reads that.
    struct Running(Child, BufReader<ChildStderr>);

    impl Drop for Running {
        fn drop(&mut self) {
            // Nothing can be done about one that has ended already.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Debian 13's docker-registry with Debian 13's libc, straight out of their packages.
    fn start(storage: &Path) -> Result<(Running, String)> {
        let wanted = ["docker-registry", "libc6"].map(str::to_owned);
        let packages = Apt::open(recipe::Suite::Trixie)?.closure(&wanted)?;
        let root = |name: &str| {
            packages
                .iter()
                .find(|p| p.name == name)
                .map(|p| p.root.clone())
                .context("package is not there")
        };
        let libraries = root("libc6")?.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
        let loader = workspace::names(&libraries)?
            .into_iter()
            .find(|name| name.starts_with("ld-linux"));
        let file = storage.join("config.yml");
        write(&file, config(&storage.display().to_string(), "127.0.0.1:0"))?;
        let mut child = Command::new(libraries.join(loader.context("no loader")?))
            .arg("--library-path")
            .arg(&libraries)
            .arg(root("docker-registry")?.join("usr/bin/docker-registry"))
            .arg("serve")
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn()?;
        let log = child.stderr.take().context("no log")?;
        let mut running = Running(child, BufReader::new(log));
        let mut line = String::new();
        while running.1.read_line(&mut line)? > 0 {
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find(['"', ' ', '\n']).unwrap_or(rest.len());
                return Ok((running, rest[..end].to_owned()));
            }
            line.clear();
        }
        bail!("docker-registry ended without listening");
    }

    fn get(address: &str, path: &str) -> Result<String> {
        let mut socket = TcpStream::connect(address)?;
        let accept = "application/vnd.oci.image.manifest.v1+json";
        write!(
            socket,
            "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    #[test]
    fn a_real_registry_serves_the_folder() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let (references, digest) = sample(dir.path())?;
        let storage = dir.path().join("storage");
        write_storage(&references, &dir.path().join("images"), &storage)?;
        let (_running, address) = start(&storage)?;
        for name in [digest.as_str(), "1.0.0"] {
            let answer = get(&address, &format!("/v2/sample/manifests/{name}"))?;
            assert!(answer.starts_with("HTTP/1.0 200"), "{name}: {answer}");
            assert!(answer.contains(&digest), "{answer}");
        }
        let index = dir
            .path()
            .join("images/sample/blobs")
            .join(digest.replace(':', "/"));
        let manifest: Value = serde_json::from_slice(&read(&index)?)?;
        let layer = manifest["layers"][0]["digest"].as_str().context("no layer")?;
        assert!(get(&address, &format!("/v2/sample/blobs/{layer}"))?.starts_with("HTTP/1.0 200"));
        let other = format!("sha256:{}", "0".repeat(64));
        assert!(get(&address, &format!("/v2/sample/manifests/{other}"))?.starts_with("HTTP/1.0 404"));
        Ok(())
    }

    #[test]
    fn a_changed_blob_is_refused() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let (references, digest) = sample(dir.path())?;
        let images = dir.path().join("images");
        let manifest = images.join("sample/blobs").join(digest.replace(':', "/"));
        let changed = String::from_utf8(read(&manifest)?)? + " ";
        write(&manifest, changed)?;
        assert!(write_storage(&references, &images, &dir.path().join("storage")).is_err());
        Ok(())
    }
}
