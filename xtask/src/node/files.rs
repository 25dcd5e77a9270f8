//! Files and folders from the host into a running node.

use super::bench::Node;
use crate::sh;
use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

/// $1 destination, $2 owner; missing parents become the owner's, existing ones stay as they are.
const PARENTS: &str = r#"
set -eu
top='' dir=$1
while [ ! -e "$dir" ]; do top=$dir dir=$(dirname "$dir"); done
mkdir -p "$1"
[ -z "$top" ] || chown -R "$2:" "$top"
"#;
const FILE: &str = r#"cat > "$1" && chmod "$2" "$1" && chown "$3:" "$1""#;
const FOLDER: &str = r#"tar -C "$1" --no-same-owner -x && chown -R "$2:" "$1""#;

impl Node {
    /// Copies a file or the contents of a folder to `dst`, with its modes, for `owner` (root when none).
    pub fn push(&self, src: &Path, dst: &str, owner: Option<&str>) -> Result<()> {
        let about = src
            .metadata()
            .with_context(|| format!("cannot read {}", src.display()))?;
        let owner = owner.unwrap_or("root");
        let mut source = if about.is_dir() {
            self.parents(dst, owner)?;
            sh::cmd([
                "tar".as_ref(),
                "-C".as_ref(),
                src.as_os_str(),
                "-c".as_ref(),
                ".".as_ref(),
            ])
        } else {
            self.parents(parent(dst), owner)?;
            sh::cmd(["cat".as_ref(), "--".as_ref(), src.as_os_str()])
        };
        let mut source = source
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start reading the source")?;
        let pipe = source.stdout.take().context("the source has no output")?;
        let mode = format!("{:o}", about.permissions().mode() & 0o7777);
        let words: &[&str] = if about.is_dir() {
            &["sh", "-c", FOLDER, "sh", dst, owner]
        } else {
            &["sh", "-c", FILE, "sh", dst, &mode, owner]
        };
        let copied = sh::ok(self.command(None, words)?.stdin(pipe));
        let read = source.wait().context("cannot wait for the source")?;
        copied.with_context(|| format!("cannot copy {} to {dst} in {}", src.display(), self.name))?;
        if !read.success() {
            bail!("cannot read all of {}: {read}", src.display());
        }
        Ok(())
    }

    /// Writes bytes to the file `dst`.
    pub fn push_bytes(&self, bytes: &[u8], dst: &str, mode: u32, owner: &str) -> Result<()> {
        self.parents(parent(dst), owner)?;
        let mode = format!("{mode:o}");
        let mut command = self.command(None, &["sh", "-c", FILE, "sh", dst, &mode, owner])?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let why = || format!("cannot write {dst} in {}", self.name);
        let mut child = command.spawn().with_context(why)?;
        let sent = child
            .stdin
            .take()
            .map_or(Ok(()), |mut pipe| pipe.write_all(bytes));
        let out = child.wait_with_output().with_context(why)?;
        if !out.status.success() {
            bail!("{}: {}", why(), sh::said(&out));
        }
        match sent {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).with_context(why),
            _ => Ok(()),
        }
    }

    fn parents(&self, dir: &str, owner: &str) -> Result<()> {
        self.exec_ok(&["sh", "-c", PARENTS, "sh", dir, owner]).map(drop)
    }
}

fn parent(dst: &str) -> &str {
    match dst.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((dir, _)) => dir,
    }
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn parents_of_paths() {
        assert_eq!(
            (parent("/a/b/c"), parent("/a"), parent("/a/b")),
            ("/a/b", "/", "/a")
        );
    }
}
