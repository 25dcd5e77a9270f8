//! Files that are on the disk when the answer is sent: a temporary, fsync, rename, fsync of the folder.

use std::fs::File;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// A plain file name: no folder, not hidden.
pub struct Name(String);

impl Name {
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let good = (1..=100).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain);
        good.then(|| Self(name.to_owned()))
    }

    pub fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

/// Keeps the bytes under this name, whole or not at all, and returns once a power cut cannot take them.
pub fn put(folder: &Path, name: &Name, bytes: &[u8]) -> Result<()> {
    // The name cannot begin with a dot, so no file of a client is ever hit.
    let part = folder.join(format!(".{}.part", name.0));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, name.below(folder))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a b", "é", "a\n"] {
            assert!(Name::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Name::parse("notes-1.txt").is_some());
    }

    #[test]
    fn a_second_put_replaces_and_leaves_nothing_else() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let name = Name::parse("a").ok_or(std::io::ErrorKind::InvalidInput)?;
        put(folder.path(), &name, b"one")?;
        put(folder.path(), &name, b"two")?;
        assert_eq!(std::fs::read(name.below(folder.path()))?, b"two");
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }
}
