//! Installs what the host lacks, so that every command works on a fresh Debian machine unaided.

use crate::sh;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Fails unless this process is root, since namespaces, mounts and packages need it.
pub fn ensure_root() -> Result<()> {
    let uid = std::fs::metadata("/proc/self")
        .context("cannot read /proc/self")?
        .uid();
    if uid != 0 {
        bail!("this command makes namespaces and mounts, which only root may: run it again with sudo");
    }
    Ok(())
}

/// Installs the packages whose program is missing; `("nft", "nftables")`, or `("/a/file", "package")`.
///
/// Nothing is run when all are there, so it may be called each time.
pub fn ensure_packages(wanted: &[(&str, &str)]) -> Result<()> {
    if missing(wanted).is_empty() {
        return Ok(());
    }
    ensure_root()?;
    let lock = std::env::temp_dir().join("holm-apt.lock");
    let lock = File::create(&lock).with_context(|| format!("cannot create {}", lock.display()))?;
    lock.lock()
        .context("cannot wait for another package installation")?;
    let packages = missing(wanted); // another process may have installed them meanwhile
    if packages.is_empty() {
        return Ok(());
    }
    let why = || {
        format!(
            "cannot install {}: install by hand and run again",
            packages.join(", ")
        )
    };
    // The lists may be old or absent; a failing update need not matter when the package is still to be had.
    let updated = sh::ok(&mut sh::cmd(["apt-get", "update", "-qq"]));
    let mut install = sh::cmd(["apt-get", "install", "-qq", "-y", "--no-install-recommends"]);
    install.args(["-o", "DPkg::Lock::Timeout=300"]).args(&packages);
    let installed = sh::ok(install.env("DEBIAN_FRONTEND", "noninteractive"));
    match (installed, updated) {
        (Ok(_), _) => {}
        (Err(error), Ok(_)) => return Err(error).with_context(why),
        (Err(error), Err(update)) => return Err(error.context(update)).with_context(why),
    }
    let still = missing(wanted);
    if !still.is_empty() {
        bail!(
            "installed {}, but their programs are still not in PATH",
            still.join(", ")
        );
    }
    Ok(())
}

fn missing(wanted: &[(&str, &str)]) -> Vec<String> {
    let mut list: Vec<String> = wanted
        .iter()
        .filter(|(file, _)| !present(file))
        .map(|(_, package)| (*package).to_owned())
        .collect();
    list.sort();
    list.dedup();
    list
}

fn present(file: &str) -> bool {
    if file.starts_with('/') {
        return Path::new(file).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_programs_count() {
        let wanted = [
            ("sh", "dash"),
            ("no-such-program", "b"),
            ("/no/such/file", "a"),
            ("no-such-2", "b"),
        ];
        assert_eq!(missing(&wanted), ["a", "b"]);
    }

    #[test]
    fn nothing_is_run_when_all_is_there() -> Result<()> {
        ensure_packages(&[("sh", "no-such-package"), ("/proc/self", "nor-this")])
    }
}
