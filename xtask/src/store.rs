//! `cargo xtask store`: a store folder from `services/`, with every image pinned to the digest just built.
//!
//! Manifests in the repository name `images.holm.example/<name>:<version>`, since a digest in a source file
//! would change with every build; a store has digests only.

use crate::images::{self, REGISTRY, References};
use crate::workspace::{self, read_text, write};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// `target/store`, where the store is written unless somebody says otherwise.
pub fn folder() -> PathBuf {
    workspace::target().join("store")
}

/// Writes the store of the built images into `out`, with the test services when `tests`.
pub fn build(out: &Path, tests: bool) -> Result<()> {
    let references = images::built()?;
    let mut sources = vec![workspace::root().join("services")];
    if tests {
        sources.push(workspace::root().join("tests/services"));
    }
    write_store(&sources, &references, out)
}

fn write_store(sources: &[PathBuf], references: &References, out: &Path) -> Result<()> {
    workspace::clear(out)?;
    let mut index = Vec::new();
    for source in sources {
        for id in workspace::names(source)? {
            let service = source.join(&id);
            if service.join("manifest.json").exists() {
                let entry = write_service(&service, references, &out.join("services").join(&id));
                index
                    .push(entry.with_context(|| format!("cannot put {} into the store", service.display()))?);
            }
        }
    }
    index.sort_by_key(|entry| entry["id"].to_string());
    write(
        &out.join("index.json"),
        serde_json::to_string_pretty(&index)? + "\n",
    )
}

/// Writes one package and returns its line of the index.
fn write_service(service: &Path, references: &References, out: &Path) -> Result<Value> {
    let text = read_text(&service.join("manifest.json"))?;
    let mut manifest: Value = serde_json::from_str(&text).context("manifest.json is no JSON")?;
    pin_manifest(&mut manifest, references)?;
    write(
        &out.join("manifest.json"),
        serde_json::to_string_pretty(&manifest)? + "\n",
    )?;
    let template = service.join("compose-template.yml");
    if template.exists() {
        write(
            &out.join("compose-template.yml"),
            pin_template(&read_text(&template)?, references)?,
        )?;
    }
    let mut entry = Map::new();
    for key in ["id", "name", "description", "version", "author"] {
        let value = manifest
            .get(key)
            .with_context(|| format!("manifest.json has no `{key}`"))?;
        entry.insert(key.to_owned(), value.clone());
    }
    if entry["id"].as_str() != service.file_name().and_then(|name| name.to_str()) {
        bail!("its id is {}, which is not the name of its folder", entry["id"]);
    }
    Ok(Value::Object(entry))
}

/// Pins every string that stands under a key `image`, at any depth.
fn pin_manifest(value: &mut Value, references: &References) -> Result<()> {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(image) if key == "image" => *image = pin(image, references)?,
                    other => pin_manifest(other, references)?,
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| pin_manifest(item, references))?,
        _ => {}
    }
    Ok(())
}

/// Pins the `image:` lines; the rest of the template is the author's text and stays as it is.
fn pin_template(text: &str, references: &References) -> Result<String> {
    let mut pinned = String::new();
    for line in text.split_inclusive('\n') {
        match line.trim_start().strip_prefix("image:") {
            Some(value) => {
                let word = value.split_whitespace().next().unwrap_or_default();
                let image = word.trim_matches(['"', '\'']);
                pinned.push_str(&line.replacen(image, &pin(image, references)?, 1));
            }
            None => pinned.push_str(line),
        }
    }
    Ok(pinned)
}

/// Adds the digest to an image of ours; any other is the manifest's own affair, and the checks' to refuse.
fn pin(image: &str, references: &References) -> Result<String> {
    let Some(rest) = image
        .strip_prefix(REGISTRY)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return Ok(image.to_owned());
    };
    if image.contains('@') {
        return Ok(image.to_owned());
    }
    let name = rest.split(':').next().unwrap_or(rest);
    let reference = references.get(name).with_context(|| {
        format!("no image `{name}` is built: write its image.toml, then run `cargo xtask images`")
    })?;
    if !reference.starts_with(&format!("{image}@")) {
        bail!("it names {image}, but what was built is {reference}: make the two versions equal");
    }
    Ok(reference.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:00";

    fn references() -> References {
        [("notes".to_owned(), format!("{REGISTRY}/notes:1.0.0@{DIGEST}"))].into()
    }

    #[test]
    fn a_package_is_pinned_in_manifest_and_template() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let image = format!("{REGISTRY}/notes:1.0.0");
        let service = dir.path().join("services/notes");
        let manifest = format!(
            r#"{{"id":"notes","name":"N","description":"D","version":"1.0.0","author":"a","image":"{image}"}}"#
        );
        write(&service.join("manifest.json"), manifest)?;
        let template = format!("services:\n  a:\n    image: \"{image}\"  # kept\n    # image: x\n");
        write(&service.join("compose-template.yml"), &template)?;
        let out = dir.path().join("store");
        write_store(&[dir.path().join("services")], &references(), &out)?;
        let index: Value = serde_json::from_str(&read_text(&out.join("index.json"))?)?;
        assert_eq!(index[0]["id"], "notes");
        assert!(index[0].get("image").is_none());
        let manifest: Value = serde_json::from_str(&read_text(&out.join("services/notes/manifest.json"))?)?;
        assert_eq!(manifest["image"], format!("{image}@{DIGEST}"));
        let pinned = read_text(&out.join("services/notes/compose-template.yml"))?;
        assert_eq!(pinned, template.replace(&image, &format!("{image}@{DIGEST}")));
        Ok(())
    }

    #[test]
    fn another_version_or_an_unknown_image_is_an_error() {
        assert!(pin(&format!("{REGISTRY}/notes:1.0"), &references()).is_err());
        assert!(pin(&format!("{REGISTRY}/other:1.0.0"), &references()).is_err());
    }

    #[test]
    fn foreign_and_pinned_images_stay() -> Result<()> {
        for image in [
            "images.other.example/nginx:latest",
            "images.holm.example/notes:1@sha256:ff",
        ] {
            assert_eq!(pin(image, &references())?, image);
        }
        Ok(())
    }

    #[test]
    fn the_folder_must_be_named_by_the_id() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let service = dir.path().join("services/other");
        let manifest = r#"{"id":"notes","name":"N","description":"D","version":"1.0.0","author":"a"}"#;
        write(&service.join("manifest.json"), manifest)?;
        let out = dir.path().join("store");
        assert!(write_store(&[dir.path().join("services")], &references(), &out).is_err());
        Ok(())
    }
}
