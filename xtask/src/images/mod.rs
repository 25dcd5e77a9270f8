//! `cargo xtask images`: every image of the project, from Debian packages and our binaries, on nothing.
//!
//! No container engine and no registry takes part. An image holds the program, the libraries that its ELF
//! files name, and the libc of their own Debian suite; ours are linked on an older one, which a newer runs.

pub(crate) mod apt;
pub mod oci;
pub(crate) mod recipe;
mod tree;

use crate::workspace::{self, Profile};
use anyhow::{Context, Result, bail};
use apt::Apt;
use recipe::Recipe;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// The public name that all references begin with; registries.conf sends it to the registry at hand.
pub const REGISTRY: &str = "images.holm.example";

/// From an image's name to `images.holm.example/<name>:<tag>@sha256:...`.
pub type References = BTreeMap<String, String>;

/// `target/images`: one OCI layout folder an image, and `images.json`.
pub fn folder() -> PathBuf {
    workspace::target().join("images")
}

/// Builds every image, writes `images.json` and returns what it says.
pub fn build(profile: Profile) -> Result<References> {
    let lock = open_lock()?;
    lock.lock()
        .context("cannot wait for another build of the images")?;
    let recipes = Recipe::all()?;
    let mut ours: Vec<&str> = recipes
        .iter()
        .flat_map(|r| r.binaries.keys())
        .map(String::as_str)
        .collect();
    ours.sort_unstable();
    ours.dedup();
    let binaries = workspace::build(&ours, profile)?;
    let mut references = References::new();
    for recipe in &recipes {
        let reference = build_one(recipe, &binaries).with_context(|| {
            format!(
                "cannot make the image of {}",
                recipe.dir.join("image.toml").display()
            )
        })?;
        references.insert(recipe.name.clone(), reference);
    }
    let text = serde_json::to_string_pretty(&references)?;
    workspace::write(&folder().join("images.json"), text + "\n")?;
    Ok(references)
}

/// What the last `build` wrote.
pub fn built() -> Result<References> {
    let path = folder().join("images.json");
    let text = workspace::read_text(&path).context("no images yet: run `cargo xtask images`")?;
    serde_json::from_str(&text).with_context(|| format!("{} is broken: remove it", path.display()))
}

/// Keeps builds away as long as the answer lives, for who reads more than one file of the folder.
pub fn hold() -> Result<File> {
    let lock = open_lock()?;
    lock.lock_shared()
        .context("cannot wait for a build of the images")?;
    Ok(lock)
}

fn open_lock() -> Result<File> {
    let path = workspace::target().join("images.lock");
    File::create(&path).with_context(|| format!("cannot create {}", path.display()))
}

/// Prints the references, one a line, after building.
pub fn run(profile: Profile) -> Result<()> {
    for reference in build(profile)?.values() {
        println!("{reference}");
    }
    Ok(())
}

fn build_one(recipe: &Recipe, binaries: &std::path::Path) -> Result<String> {
    let mut wanted = recipe.packages.clone();
    if !recipe.binaries.is_empty() {
        if recipe.suite != recipe::Suite::Trixie {
            bail!("our binaries run on trixie's libc: take away `suite`");
        }
        wanted.extend(["libc6", "libgcc-s1"].map(str::to_owned));
    }
    let packages = Apt::open(recipe.suite)?.closure(&wanted)?;
    let tag = recipe.tag(&apt::versions(&packages))?;
    let tree = tree::assemble(recipe, &packages, binaries)?;
    let labels = [
        ("org.opencontainers.image.title", recipe.name.as_str()),
        ("org.opencontainers.image.version", tag.as_str()),
    ];
    let digest = oci::write_layout(
        &folder().join(&recipe.name),
        &tree,
        &recipe.config,
        &labels.into(),
    )?;
    Ok(format!("{REGISTRY}/{}:{tag}@{digest}", recipe.name))
}
