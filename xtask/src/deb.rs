//! `cargo xtask deb`: the package, which is the only way onto a machine.
//!
//! Made by plain dpkg-deb from `packaging/deb`, our binaries, and the references of the two core images.

use crate::images::{self, References};
use crate::node::Node;
use crate::workspace::{self, Profile, read_text, write};
use crate::{setup, sh};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Our binaries in the package: cargo package and path.
const BINARIES: [(&str, &str); 2] = [("holm", "usr/bin/holm"), ("holmd", "usr/lib/holm/holmd")];

/// The one that is mounted into other people's images, so it brings all that it needs.
const IN_CONTAINERS: &str = "holm-exec";

/// Builds images, binaries and the package, and returns the package's path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    setup::ensure_packages(&[("dpkg-deb", "dpkg"), ("git", "git")])?;
    let references = images::build(profile)?;
    let binaries = workspace::build(&BINARIES.map(|(package, _)| package), profile)?;
    build_static()?;
    let staged = workspace::target().join("deb/root");
    stage(&staged, &binaries, &references)?;
    put_binary(
        &workspace::build_static(IN_CONTAINERS, profile)?,
        &staged.join("usr/lib/holm").join(IN_CONTAINERS),
    )?;
    settle(&staged)?;
    let architecture = architecture()?;
    control(&staged, &architecture)?;
    let deb = path(&architecture);
    // One thread, since the number of threads shapes what xz writes.
    let options = ["--root-owner-group", "--threads-max=1", "-Zxz", "-z2", "--build"];
    let mut pack = sh::cmd(["dpkg-deb"]);
    // Beside the name and then renamed: whoever installs the last one meanwhile gets a whole package.
    let part = deb.with_extension("part");
    pack.args(options).arg(&staged).arg(&part);
    sh::ok(pack.env("SOURCE_DATE_EPOCH", epoch()?)).context("cannot make the package")?;
    fs::rename(&part, &deb).with_context(|| format!("cannot put {} in its place", deb.display()))?;
    Ok(deb)
}

/// Builds holm-exec, which runs inside images of strangers and so must need no library of them.
fn build_static() -> Result<()> {
    let mut cargo = sh::cmd(["cargo", "rustc", "--quiet", "--release", "--package", "holm-exec"]);
    cargo.args(["--", "-C", "target-feature=+crt-static"]);
    sh::ok(cargo.current_dir(workspace::root())).context("holm-exec does not compile: mend that first")?;
    Ok(())
}

/// The package that the last `build` made.
pub fn built() -> Result<PathBuf> {
    let deb = path(&architecture()?);
    if !deb.exists() {
        bail!("{} is not there yet: run `cargo xtask deb`", deb.display());
    }
    Ok(deb)
}

fn path(architecture: &str) -> PathBuf {
    workspace::target()
        .join("deb")
        .join(format!("holm_{}_{architecture}.deb", workspace::version()))
}

fn architecture() -> Result<String> {
    sh::ok(&mut sh::cmd(["dpkg", "--print-architecture"]))
}

/// Installs the package in the node, whose base system has all that it depends on. Again is an upgrade.
pub fn install(node: &Node, deb: &Path) -> Result<()> {
    node.push(deb, "/root/holm.deb", None)?;
    node.exec_ok(&["dpkg", "--install", "/root/holm.deb"])
        .context("the package cannot be installed")?;
    Ok(())
}

fn stage(staged: &Path, binaries: &Path, references: &References) -> Result<()> {
    workspace::clear(staged)?;
    copy_tree(&workspace::root().join("packaging/deb/root"), staged)?;
    for (package, to) in BINARIES {
        put_binary(&binaries.join(package), &staged.join(to))?;
    }
    let to = staged.join("usr/lib/holm/holm-exec");
    write(
        &to,
        workspace::read(&workspace::target().join("release/holm-exec"))?,
    )?;
    mode(&to, 0o755)?;
    let image = |name: &str| {
        references
            .get(name)
            .with_context(|| format!("no image {name} was built"))
    };
    let core = json!({ "gateway": image("holm-gateway")?, "caddy": image("caddy")? });
    let text = serde_json::to_string_pretty(&core)? + "\n";
    write(&staged.join("usr/share/holm/images.json"), text)
}

fn put_binary(from: &Path, to: &Path) -> Result<()> {
    write(to, workspace::read(from)?)?;
    mode(to, 0o755)
}

/// Writes `DEBIAN/`: the control file with its blanks filled, and the scripts.
fn control(staged: &Path, architecture: &str) -> Result<()> {
    let from = workspace::root().join("packaging/deb");
    let to = staged.join("DEBIAN");
    let text = read_text(&from.join("control"))?
        .replace("@VERSION@", workspace::version())
        .replace("@ARCHITECTURE@", architecture)
        .replace("@SIZE@", &size(staged)?.div_ceil(1024).to_string());
    write(&to.join("control"), text)?;
    mode(&to, 0o755)?;
    mode(&to.join("control"), 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        write(&to.join(script), read_text(&from.join(script))?)?;
        mode(&to.join(script), 0o755)?;
    }
    Ok(())
}

/// The one time that everything in the package has: that of the last commit, unless the caller says.
fn epoch() -> Result<String> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    sh::ok(sh::cmd(["git", "log", "-1", "--format=%ct"]).current_dir(workspace::root()))
        .context("this is no git checkout: set SOURCE_DATE_EPOCH to the time the package shall carry")
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for name in workspace::names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        let kind = from.symlink_metadata()?;
        if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to).with_context(|| format!("cannot link {}", to.display()))?;
        } else if kind.is_dir() {
            copy_tree(&from, &to)?;
        } else if kind.is_file() {
            write(&to, workspace::read(&from)?)?;
        } else {
            bail!("{} is neither file, folder nor link", from.display());
        }
    }
    Ok(())
}

/// Whatever the umask of whoever builds: folders are 755, and what is no program is 644.
fn settle(path: &Path) -> Result<()> {
    let about = path.symlink_metadata()?;
    if about.is_symlink() {
        return Ok(());
    }
    if about.is_dir() {
        for name in workspace::names(path)? {
            settle(&path.join(name))?;
        }
        return mode(path, 0o755);
    }
    mode(
        path,
        if about.permissions().mode() & 0o100 != 0 {
            0o755
        } else {
            0o644
        },
    )
}

fn mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

fn size(path: &Path) -> Result<u64> {
    let about = path.symlink_metadata()?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    workspace::names(path)?
        .iter()
        .try_fold(0, |sum, name| Ok(sum + size(&path.join(name))?))
}
