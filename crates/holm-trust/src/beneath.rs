//! Reads one file of a store: a regular one, of bounded size, and reached without any link.

use std::{fs::File, io, io::Read as _, os::fd::OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::store::{StoreDir, TrustError};

/// No file of a store is larger.
pub(crate) const MOST_BYTES: u64 = 256 * 1024;

/// Opens the store's directory. Here a link is followed: the admin named it.
pub(crate) fn open(store: &StoreDir) -> Result<OwnedFd, TrustError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(store.path(), flags, Mode::empty()).map_err(|error| TrustError::Unreachable {
        path: store.path().to_owned(),
        source: error.into(),
    })
}

/// The bytes of `file`, a path inside the store; `None` when it does not exist.
///
/// The kernel resolves the path and refuses links and `..` on the way, so that nothing can be
/// exchanged between a check and the opening.
pub(crate) fn read(root: &OwnedFd, file: &str) -> Result<Option<Vec<u8>>, TrustError> {
    let unreadable = |source: io::Error| TrustError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let not_a_file = || TrustError::NotAFile {
        file: file.to_owned(),
    };
    // NONBLOCK: opening a pipe would otherwise wait for a writer for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let opened = match rustix::fs::openat2(root, file, flags, Mode::empty(), resolve) {
        Ok(opened) => File::from(opened),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::XDEV | rustix::io::Errno::NXIO) => {
            return Err(not_a_file());
        }
        Err(error) => return Err(unreadable(error.into())),
    };
    if !opened.metadata().map_err(unreadable)?.is_file() {
        return Err(not_a_file());
    }
    let mut bytes = Vec::new();
    // Counted while reading, since the size that the metadata says may grow.
    opened
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(TrustError::TooLarge {
            file: file.to_owned(),
            most: MOST_BYTES,
        });
    }
    Ok(Some(bytes))
}
