//! Debian packages of another suite than the host's, fetched with the host's own mirror and unpacked.
//!
//! apt runs with folders of its own, so that nothing of the host changes; it resolves dependencies and
//! checks signatures and hashes, which is why it is not replaced by a download of ours.

use super::recipe::Suite;
use crate::workspace::{self, write};
use crate::{setup, sh};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One suite's package lists and downloads, kept in `target/apt/<suite>`.
pub struct Apt {
    dir: PathBuf,
    /// Held as long as this lives: other processes may want the same downloads.
    _lock: File,
}

/// An unpacked package.
#[derive(Debug)]
pub struct Package {
    /// Its name in the archive.
    pub name: String,
    /// Its Debian version.
    pub version: String,
    /// The folder that holds its files.
    pub root: PathBuf,
}

impl Apt {
    /// Prepares the suite, with an `apt-get update` when its lists are not there yet.
    pub fn open(suite: Suite) -> Result<Self> {
        setup::ensure_packages(&[("dpkg-deb", "dpkg"), (KEYRING, "debian-archive-keyring")])?;
        let dir = workspace::target().join("apt").join(suite.name());
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let lock =
            File::create(dir.join("lock")).with_context(|| format!("cannot lock {}", dir.display()))?;
        lock.lock()
            .with_context(|| format!("cannot wait for the lock of {}", dir.display()))?;
        let apt = Self { dir, _lock: lock };
        if !apt.dir.join("updated").exists() {
            apt.configure(suite)?;
            apt.update()?;
        }
        Ok(apt)
    }

    /// Downloads and unpacks these packages with all that they depend on.
    pub fn closure(&self, packages: &[String]) -> Result<Vec<Package>> {
        if packages.is_empty() {
            return Ok(Vec::new());
        }
        let files = match self.download(packages) {
            Ok(files) => files,
            Err(_) => {
                // The mirror has moved on since the lists were read: read them once more.
                self.update()?;
                self.download(packages)
                    .with_context(|| format!("cannot download the Debian packages {}", packages.join(" ")))?
            }
        };
        files.iter().map(|file| self.unpack(file)).collect()
    }

    fn configure(&self, suite: Suite) -> Result<()> {
        let dir = self
            .dir
            .to_str()
            .context("the path of the target folder is not UTF-8")?;
        for folder in ["lists/partial", "archives/partial", "empty/partial", "log"] {
            std::fs::create_dir_all(self.dir.join(folder))
                .with_context(|| format!("cannot create {dir}/{folder}"))?;
        }
        let mut sources = String::new();
        for (address, codename) in mirrors()? {
            let host = host_suite(&codename);
            let wanted = match suite {
                Suite::Trixie => host.map(|part| format!("trixie{part}")),
                Suite::Sid => host.filter(|part| part.is_empty()).map(|_| "sid".to_owned()),
            };
            if let Some(name) = wanted {
                sources.push_str(&format!("deb [signed-by={KEYRING}] {address} {name} main\n"));
            }
        }
        write(&self.dir.join("sources.list"), sources)?;
        write(&self.dir.join("status"), "")?; // nothing is installed: the closure is the whole closure
        // A suite's Release file may be past its date on a mirror that is seldom filled; signatures still count.
        let config = format!(
            r#"Dir::State "{dir}"; Dir::State::lists "{dir}/lists"; Dir::State::status "{dir}/status";
Dir::Cache "{dir}"; Dir::Cache::archives "{dir}/archives"; Dir::Log "{dir}/log";
Dir::Etc::sourcelist "{dir}/sources.list"; Dir::Etc::sourceparts "/dev/null";
Acquire::Check-Valid-Until "false"; Acquire::Languages "none"; Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User ""; Debug::NoLocking "true";
"#
        );
        write(&self.dir.join("apt.conf"), config)
    }

    fn update(&self) -> Result<()> {
        sh::ok(self.get().args(["update", "-qq"]))
            .context("cannot read the package lists of the host's own Debian mirror: is it reachable?")?;
        write(&self.dir.join("updated"), "")
    }

    fn get(&self) -> Command {
        let mut command = sh::cmd(["apt-get", "-y", "--no-install-recommends"]);
        command.env("APT_CONFIG", self.dir.join("apt.conf"));
        command
    }

    /// The paths of the downloaded packages, sorted.
    fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        // apt prints no address of a file that its cache already holds, so this question gets an empty cache.
        let empty = format!("Dir::Cache::archives={}", self.dir.join("empty").display());
        let ask = ["install", "-qq", "--print-uris", "-o", &empty];
        let listed = sh::ok(self.get().args(ask).args(packages))?;
        // 'address' file size hash
        let files = listed.lines().map(|line| {
            let name = line
                .split_whitespace()
                .nth(1)
                .with_context(|| format!("apt said `{line}`"))?;
            Ok(self.dir.join("archives").join(name))
        });
        let mut files = files.collect::<Result<Vec<_>>>()?;
        files.sort();
        if files.iter().any(|file| !file.exists()) {
            sh::ok(
                self.get()
                    .args(["install", "-qq", "--download-only"])
                    .args(packages),
            )?;
        }
        Ok(files)
    }

    fn unpack(&self, deb: &Path) -> Result<Package> {
        let stem = deb.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        // name_version_arch, where a colon of the version is written %3a
        let [name, version, _] = stem.split('_').collect::<Vec<_>>()[..] else {
            bail!("{} is not named as a Debian package", deb.display());
        };
        let root = self.dir.join("unpacked").join(stem);
        if !root.exists() {
            let part = root.with_extension("part");
            workspace::clear(&part)?;
            std::fs::create_dir_all(&part).with_context(|| format!("cannot create {}", part.display()))?;
            sh::ok(sh::cmd(["dpkg-deb", "-x"]).arg(deb).arg(&part))?;
            std::fs::rename(&part, &root).with_context(|| format!("cannot create {}", root.display()))?;
        }
        Ok(Package {
            name: name.to_owned(),
            version: version.replace("%3a", ":"),
            root,
        })
    }
}

/// The names and versions of packages.
pub fn versions(packages: &[Package]) -> BTreeMap<String, String> {
    packages
        .iter()
        .map(|p| (p.name.clone(), p.version.clone()))
        .collect()
}

/// The host's own Debian archives: (address, codename).
fn mirrors() -> Result<Vec<(String, String)>> {
    let listed = sh::ok(&mut sh::cmd([
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)|$(COMPONENT)|$(CODENAME)",
        "Created-By: Packages",
    ]))?;
    let mut found: Vec<_> = listed
        .lines()
        .filter_map(|line| match line.split('|').collect::<Vec<_>>()[..] {
            [address, "main", codename] => Some((address.to_owned(), codename.to_owned())),
            _ => None,
        })
        .filter(|(_, codename)| host_suite(codename).is_some())
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        bail!("apt knows no Debian archive: add one to /etc/apt/sources.list and run `apt-get update`");
    }
    Ok(found)
}

/// What follows the release's name: nothing, `-security` or `-updates`; none for archives that are not Debian's.
fn host_suite(codename: &str) -> Option<&str> {
    let rest = ["bookworm", "trixie", "forky", "sid"]
        .iter()
        .find_map(|name| codename.strip_prefix(name))?;
    ["", "-security", "-updates"].contains(&rest).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::host_suite;

    #[test]
    fn only_debian_suites_count() {
        assert_eq!(host_suite("bookworm"), Some(""));
        assert_eq!(host_suite("trixie-security"), Some("-security"));
        assert_eq!(host_suite("bookworm-backports"), None);
        assert_eq!(host_suite("nodistro"), None);
    }
}
