//! Where things are: the checkout, its target folder, and the binaries that cargo put there.

use crate::sh;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The folder of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Cargo's target folder, `CARGO_TARGET_DIR` included.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The version that all our packages and own images carry.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// How our binaries are compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Optimised and stripped, as shipped.
    #[default]
    Release,
    /// Quick to build, for tests.
    Dev,
}

impl Profile {
    /// `--dev` on the command line, or not.
    pub fn from_dev(dev: bool) -> Self {
        if dev { Self::Dev } else { Self::Release }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }
}

/// Builds these packages in one cargo call and returns the folder that holds their binaries.
pub fn build(packages: &[&str], profile: Profile) -> Result<PathBuf> {
    let mut cargo = sh::cmd(["cargo", "build", "--quiet"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    sh::ok(cargo.current_dir(root())).context("our binaries do not compile: mend that first")?;
    Ok(target().join(profile.folder()))
}

/// Builds one binary that needs no library at all, for containers of any image, and returns its path.
pub fn build_static(package: &str, profile: Profile) -> Result<PathBuf> {
    let mut cargo = sh::cmd([
        "cargo",
        "rustc",
        "--quiet",
        "--package",
        package,
        "--bin",
        package,
    ]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    cargo.args(["--", "-C", "target-feature=+crt-static"]);
    sh::ok(cargo.current_dir(root()))
        .with_context(|| format!("{package} does not compile: mend that first"))?;
    Ok(target().join(profile.folder()).join(package))
}

/// Reads a file, and says which one when it cannot.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads a text file, and says which one when it cannot.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file with the folders above it.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a folder with all in it, if it is there.
pub fn clear(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

/// The names in a folder, sorted, so that nothing depends on the order of a disk.
pub fn names(dir: &Path) -> Result<Vec<String>> {
    let list = std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut names = list
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("cannot list {}", dir.display()))?;
    names.sort();
    Ok(names)
}
