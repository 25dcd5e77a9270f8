//! Files below the state root: written so that a power cut leaves the old text or the new one, never half.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::{
        self,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Component, Path, PathBuf},
};

/// Where Holm keeps files, and how they are called there.
const KEPT: [(&str, &str); 4] = [
    (".config/containers/systemd", "holm-"),
    (".config/systemd/user", "holm-"),
    ("core", ""),
    ("env", ""),
];

/// The state root.
#[derive(Debug, Clone)]
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The full path of something below the root. Only normal components, and none of the directories on
    /// the way is a link: a path of a plan can lead nowhere else.
    pub fn place(&self, path: &str) -> io::Result<PathBuf> {
        let refused = |why| io::Error::new(io::ErrorKind::InvalidInput, format!("{path:?} {why}"));
        let relative = Path::new(path);
        let normal = !path.is_empty()
            && !path.ends_with('/')
            && relative
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
            && path.split('/').all(|part| !part.is_empty() && part != ".");
        if !normal {
            return Err(refused("is no plain path below the state root"));
        }
        let mut place = self.root.clone();
        for part in relative.parent().into_iter().flat_map(Path::components) {
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(seen) if seen.is_dir() => {}
                Ok(_) => return Err(refused("leads through something that is no directory")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.root.join(relative))
    }

    /// Writes a whole file durably. Whatever stood at its place, a link too, is replaced.
    pub fn write(&self, path: &str, text: &[u8]) -> io::Result<()> {
        let place = self.place(path)?;
        // Podman's and systemd's generators may read units as another program would; all else is ours alone.
        let mode = if path.starts_with(".config/") {
            0o644
        } else {
            0o600
        };
        let (parent, temporary) = self.beside(&place)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        // Not left to the umask.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, &place)?;
        sync(parent)
    }

    /// Makes `path` a link to `target` durably, in place of what was there.
    pub fn link(&self, path: &str, target: &str) -> io::Result<()> {
        let place = self.place(path)?;
        let (parent, temporary) = self.beside(&place)?;
        unix::fs::symlink(target, &temporary)?;
        fs::rename(&temporary, &place)?;
        sync(parent)
    }

    /// Removes a file or a link durably; one that is not there is success.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        let place = self.place(path)?;
        absent_is_fine(fs::remove_file(&place))?;
        // Also when it was gone: the removal of a moment ago may not have reached the disk.
        place
            .parent()
            .map_or(Ok(()), |parent| absent_is_fine(sync(parent)))
    }

    /// Has everything that was written to this file system reach its disk: what others wrote, too, such as the
    /// layers of an image (syncfs(2)).
    pub fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(fs::File::open(&self.root)?)?)
    }

    /// Removes a directory with the files in it durably; one that is not there is success.
    pub fn remove_directory(&self, path: &str) -> io::Result<()> {
        let place = self.place(path)?;
        absent_is_fine(fs::remove_dir_all(&place))?;
        place
            .parent()
            .map_or(Ok(()), |parent| absent_is_fine(sync(parent)))
    }

    /// Text of a file; `None` when there is none. Links are not followed.
    pub fn read(&self, path: &str) -> io::Result<Option<String>> {
        let place = self.place(path)?;
        match fs::symlink_metadata(&place) {
            Ok(seen) if seen.is_file() => read(&place).map(Some),
            // An admin's drop-ins beside a unit are his own.
            Ok(seen) if seen.is_dir() => Ok(None),
            Ok(_) => Ok(Some(String::new())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names in a directory, sorted, without those that begin with a dot; none when it does not exist.
    pub fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.place(path)?) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry?.file_name().into_string()
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// All files that Holm keeps here. What is in the place of one without being a file has an empty text,
    /// so that it is seen and replaced.
    pub fn kept(&self) -> io::Result<BTreeMap<String, String>> {
        let mut kept = BTreeMap::new();
        for (directory, prefix) in KEPT {
            for name in self.names(directory)? {
                let path = format!("{directory}/{name}");
                if name.starts_with(prefix)
                    && let Some(text) = self.read(&path)?
                {
                    kept.insert(path, text);
                }
            }
        }
        Ok(kept)
    }

    /// Makes a directory below the root and those above it, each durably and for its owner alone. The root
    /// itself is made by the package: without it, this is not our machine.
    pub fn directory(&self, path: &Path) -> io::Result<()> {
        if path == self.root {
            return fs::metadata(path).map(drop);
        }
        let parent = path.parent().filter(|_| path.starts_with(&self.root));
        let parent =
            parent.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "outside the state root"))?;
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync(parent),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.directory(parent)?;
                self.directory(path)
            }
            Err(error) => Err(error),
        }
    }

    /// The directory of `place`, made if need be, and a free name in it for a temporary. Steps are done one
    /// at a time, so what has that name was left by a crash.
    fn beside<'a>(&self, place: &'a Path) -> io::Result<(&'a Path, PathBuf)> {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "a path without a name");
        let parent = place.parent().ok_or_else(none)?;
        let name = place
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(none)?;
        self.directory(parent)?;
        let temporary = parent.join(format!(".{name}.new"));
        absent_is_fine(fs::remove_file(&temporary))?;
        Ok((parent, temporary))
    }
}

fn read(place: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    OpenOptions::new()
        .read(true)
        .open(place)?
        .read_to_end(&mut bytes)?;
    // Text that is no UTF-8 is not ours; altered like this it differs from anything that is wanted.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests;
