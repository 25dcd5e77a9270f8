//! From a recipe to the files of its image: picks files of packages and follows their shared libraries.

use super::apt::Package;
use super::oci::{Node, Tree};
use super::recipe::Recipe;
use crate::workspace::{self, read};
use anyhow::{Context, Result, bail};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, elf};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Makes the tree; `binaries` is where cargo put ours.
pub fn assemble(recipe: &Recipe, packages: &[Package], binaries: &Path) -> Result<Tree> {
    let mut image = Assembly {
        packages,
        tree: Tree::new(),
    };
    for folder in ["/dev", "/etc", "/proc", "/run", "/sys", "/usr", "/var"] {
        image.tree.insert(folder.to_owned(), Node::Folder(0o755));
    }
    for folder in ["/tmp", "/var/tmp"] {
        image.tree.insert(folder.to_owned(), Node::Folder(0o1777));
    }
    for merged in ["bin", "lib", "lib64", "sbin"] {
        image.tree.insert(format!("/usr/{merged}"), Node::Folder(0o755));
        image.put(format!("/{merged}"), Node::Link(format!("usr/{merged}")));
    }
    // Programs ask who they are, and Podman writes a name into an image only when it has none.
    image.text(
        "/etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534::/:/sbin/nologin\n",
    );
    image.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n");
    for path in &recipe.take {
        image.take(path)?;
    }
    for (package, to) in &recipe.binaries {
        let bytes = read(&binaries.join(package))?;
        image
            .needed(&bytes)
            .with_context(|| format!("cannot complete the binary {package}"))?;
        image.put(
            to.clone(),
            Node::File {
                bytes,
                executable: true,
            },
        );
    }
    for (from, to) in &recipe.files {
        let bytes = read(&recipe.dir.join(from))?;
        image.put(
            to.clone(),
            Node::File {
                bytes,
                executable: false,
            },
        );
    }
    for (path, target) in &recipe.links {
        image.put(path.clone(), Node::Link(target.clone()));
    }
    for folder in &recipe.folders {
        image.put(folder.clone(), Node::Folder(0o755));
    }
    if recipe.ca_bundle {
        image.ca_bundle()?;
    }
    Ok(image.tree)
}

struct Assembly<'a> {
    packages: &'a [Package],
    tree: Tree,
}

impl Assembly<'_> {
    fn text(&mut self, path: &str, text: &str) {
        self.put(
            path.to_owned(),
            Node::File {
                bytes: text.into(),
                executable: false,
            },
        );
    }

    /// Adds one entry with the folders above it.
    fn put(&mut self, path: String, node: Node) {
        for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
            self.tree
                .entry(path[..at].to_owned())
                .or_insert(Node::Folder(0o755));
        }
        self.tree.insert(path, node);
    }

    /// Where a path of the image lies in an unpacked package.
    fn find(&self, path: &str) -> Option<PathBuf> {
        let inside = path.trim_start_matches('/');
        self.packages
            .iter()
            .map(|p| p.root.join(inside))
            .find(|file| file.symlink_metadata().is_ok())
    }

    /// Takes a file, or a folder whose path ends in `/`, out of the packages.
    fn take(&mut self, path: &str) -> Result<()> {
        let from = self.find(path).with_context(|| {
            format!("no package of the recipe has {path}: see `dpkg-deb -c` and mend `take` or `packages`")
        })?;
        if let Some(folder) = path.strip_suffix('/') {
            for name in workspace::names(&from)? {
                let slash = if from.join(&name).symlink_metadata()?.is_dir() {
                    "/"
                } else {
                    ""
                };
                self.take(&format!("{folder}/{name}{slash}"))?;
            }
            return Ok(());
        }
        if self.tree.contains_key(path) {
            return Ok(());
        }
        let meta = from.symlink_metadata()?;
        if meta.is_symlink() {
            let target = std::fs::read_link(&from)?.to_string_lossy().into_owned();
            let next = follow(path, &target);
            self.put(path.to_owned(), Node::Link(target));
            return self.take(&next).with_context(|| format!("{path} is a link"));
        }
        if meta.is_dir() {
            bail!("{path} is a folder: write {path}/ to take all of it");
        }
        let bytes = read(&from)?;
        self.needed(&bytes)
            .with_context(|| format!("cannot complete {path}"))?;
        self.put(
            path.to_owned(),
            Node::File {
                bytes,
                executable: meta.permissions().mode() & 0o111 != 0,
            },
        );
        Ok(())
    }

    /// Takes the loader and the libraries that a program or library names, from the packages alone.
    fn needed(&mut self, bytes: &[u8]) -> Result<()> {
        for name in needs(bytes)? {
            let path = self.library(&name).with_context(|| {
                format!("it needs {name}, which no package of the recipe has: add that package to `packages`")
            })?;
            self.take(&path)?;
        }
        Ok(())
    }

    fn library(&self, name: &str) -> Option<String> {
        let triplet = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        // A loader is named by its whole path, below /lib or /lib64, which are links into /usr.
        let places = match name.strip_prefix('/') {
            Some(path) if path.starts_with("usr/") => vec![name.to_owned()],
            Some(path) => vec![format!("/usr/{path}")],
            None => vec![
                format!("{triplet}/{name}"),
                format!("/usr/lib/{name}"),
                format!("/usr/lib64/{name}"),
            ],
        };
        places.into_iter().find(|path| self.find(path).is_some())
    }

    /// The certificates in one file, as update-ca-certificates makes it.
    fn ca_bundle(&mut self) -> Result<()> {
        let dir = "/usr/share/ca-certificates/mozilla";
        let from = self
            .find(dir)
            .context("`ca_bundle` needs \"ca-certificates\" in `packages`")?;
        let mut bundle = String::new();
        for name in workspace::names(&from)? {
            bundle.push_str(&workspace::read_text(&from.join(name))?);
        }
        self.text("/etc/ssl/certs/ca-certificates.crt", &bundle);
        Ok(())
    }
}

/// Where the link at `path` points to, `..` resolved.
fn follow(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The interpreter and the libraries of an ELF file; nothing for any other file.
fn needs(bytes: &[u8]) -> Result<Vec<String>> {
    if !bytes.starts_with(b"\x7fELF") {
        return Ok(Vec::new());
    }
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let mut names = Vec::new();
    for segment in file.elf_program_headers() {
        names.extend(segment.interpreter(endian, bytes)?);
    }
    let dynamic = file.elf_dynamic_table()?;
    for entry in dynamic.iter().filter(|entry| entry.tag == elf::DT_NEEDED) {
        names.push(dynamic.string(entry)?);
    }
    Ok(names
        .into_iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_inside_the_image() {
        for (path, target, expected) in [
            ("/usr/lib/a/libx.so.1", "libx.so.1.2", "/usr/lib/a/libx.so.1.2"),
            ("/usr/lib64/ld.so", "../lib/a/ld.so", "/usr/lib/a/ld.so"),
            ("/usr/bin/awk", "/etc/alternatives/awk", "/etc/alternatives/awk"),
        ] {
            assert_eq!(follow(path, target), expected);
        }
    }

    #[test]
    fn a_program_of_ours_needs_libc_and_a_loader() -> Result<()> {
        let names = needs(&read(&std::env::current_exe()?)?)?;
        assert!(names.iter().any(|name| name == "libc.so.6"), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("/lib")), "{names:?}");
        Ok(())
    }

    #[test]
    fn text_needs_nothing() -> Result<()> {
        assert_eq!(needs(b"#!/bin/sh\n")?, Vec::<String>::new());
        Ok(())
    }
}
