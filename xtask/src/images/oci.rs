//! One-layer OCI images, bit for bit the same from the same files.

use crate::images::recipe::Config;
use crate::workspace::{self, write};
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// A file of an image. Owner and time are the same for all.
#[derive(Debug, PartialEq, Eq)]
pub enum Node {
    /// A folder and its mode.
    Folder(u32),
    /// A symbolic link and its target.
    Link(String),
    /// A file's bytes.
    File {
        /// What it holds.
        bytes: Vec<u8>,
        /// Mode 755 instead of 644.
        executable: bool,
    },
}

/// The files of an image by absolute path: a map, so that the order is that of the names.
pub type Tree = BTreeMap<String, Node>;

/// `sha256:` and the hex digits, as OCI writes a digest.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// Writes an OCI layout folder and returns the digest of the image's manifest.
pub fn write_layout(
    dir: &Path,
    tree: &Tree,
    config: &Config,
    labels: &BTreeMap<&str, &str>,
) -> Result<String> {
    let plain = archive(tree).context("cannot write the layer")?;
    let layer = gzip(&plain).context("cannot compress the layer")?;
    let config = serde_json::to_vec(&image_config(config, &digest(&plain), labels)?)?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
    }))?;
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", &manifest)],
    });
    workspace::clear(dir)?;
    for blob in [&config, &layer, &manifest] {
        write(&dir.join("blobs").join(digest(blob).replace(':', "/")), blob)?;
    }
    write(&dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    write(&dir.join("index.json"), serde_json::to_vec(&index)?)?;
    Ok(digest(&manifest))
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn image_config(config: &Config, diff_id: &str, labels: &BTreeMap<&str, &str>) -> Result<Value> {
    let ports: BTreeMap<&String, Value> = config
        .exposed_ports
        .iter()
        .map(|port| (port, json!({})))
        .collect();
    let mut run = json!({ "Env": config.env, "Labels": labels });
    let optional = [
        (
            "Entrypoint",
            (!config.entrypoint.is_empty()).then(|| json!(config.entrypoint)),
        ),
        ("Cmd", (!config.cmd.is_empty()).then(|| json!(config.cmd))),
        ("ExposedPorts", (!ports.is_empty()).then(|| json!(ports))),
        ("User", config.user.as_ref().map(|user| json!(user))),
        ("WorkingDir", config.working_dir.as_ref().map(|dir| json!(dir))),
        (
            "StopSignal",
            config.stop_signal.as_ref().map(|signal| json!(signal)),
        ),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            run[key] = value;
        }
    }
    Ok(json!({
        "architecture": architecture()?,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": run,
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    }))
}

/// The machine's architecture in OCI's words, since images are made for the machine that makes them.
fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => anyhow::bail!("images are made on amd64 and arm64, this machine is {other}"),
    }
}

fn archive(tree: &Tree) -> std::io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, node) in tree {
        let path = path.trim_start_matches('/');
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        match node {
            Node::Folder(mode) => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(*mode);
                tar.append_data(&mut header, format!("{path}/"), std::io::empty())?;
            }
            Node::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                tar.append_link(&mut header, path, target)?;
            }
            Node::File { bytes, executable } => {
                header.set_entry_type(EntryType::Regular);
                header.set_mode(if *executable { 0o755 } else { 0o644 });
                header.set_size(bytes.len() as u64);
                tar.append_data(&mut header, path, bytes.as_slice())?;
            }
        }
    }
    tar.into_inner()
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    // GzEncoder writes neither time nor name into its header.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(5));
    std::io::Write::write_all(&mut encoder, plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tree {
        let file = Node::File {
            bytes: b"hello".to_vec(),
            executable: true,
        };
        [
            ("/b", file),
            ("/a", Node::Folder(0o1777)),
            ("/c", Node::Link("b".into())),
        ]
        .map(|(path, node)| (path.to_owned(), node))
        .into()
    }

    #[test]
    fn twice_the_same_and_another_when_a_byte_differs() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let labels = BTreeMap::new();
        let make = |tree: &Tree| write_layout(&dir.path().join("x"), tree, &Config::default(), &labels);
        let first = make(&sample())?;
        assert_eq!(first, make(&sample())?);
        let mut changed = sample();
        changed.insert("/c".into(), Node::Link("a".into()));
        assert_ne!(first, make(&changed)?);
        Ok(())
    }

    #[test]
    fn entries_are_sorted_and_clean() -> Result<()> {
        let bytes = archive(&sample())?;
        let mut tar = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in tar.entries()? {
            let entry = entry?;
            let header = entry.header();
            assert_eq!((header.uid()?, header.gid()?, header.mtime()?), (0, 0, 0));
            seen.push((entry.path()?.display().to_string(), header.mode()?));
        }
        assert_eq!(
            seen,
            [("a/".into(), 0o1777), ("b".into(), 0o755), ("c".into(), 0o777)]
        );
        Ok(())
    }

    #[test]
    fn the_layout_names_what_it_holds() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let named = write_layout(dir.path(), &sample(), &Config::default(), &BTreeMap::new())?;
        let manifest = workspace::read(&dir.path().join("blobs").join(named.replace(':', "/")))?;
        assert_eq!(digest(&manifest), named);
        let manifest: Value = serde_json::from_slice(&manifest)?;
        let layer = manifest["layers"][0]["digest"].as_str().context("no layer")?;
        let layer = workspace::read(&dir.path().join("blobs").join(layer.replace(':', "/")))?;
        assert_eq!(manifest["layers"][0]["size"], layer.len());
        Ok(())
    }
}
