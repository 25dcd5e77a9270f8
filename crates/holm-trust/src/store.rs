//! A store's directory, and everything that can be wrong with one.

use std::{
    io,
    path::{Path, PathBuf},
};

use holm_core::name::ServiceId;

/// The directory of a store that the admin named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreDir(PathBuf);

impl StoreDir {
    /// The directory at `path`; whether it is there is seen when it is read.
    ///
    /// # Errors
    /// The path is not absolute: a daemon has no place from which a relative one would make sense.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, TrustError> {
        let path = path.into();
        if path.is_absolute() {
            Ok(Self(path))
        } else {
            Err(TrustError::Relative(path))
        }
    }

    /// The path as it was named.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Why nothing verified came out of a store.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not an absolute path.
    #[error("the store {} is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// The directory itself could not be opened.
    #[error("the store {} could not be opened: {source}", path.display())]
    Unreachable {
        /// As it was named.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store has no such package.
    #[error("the store {} has no package {id}", path.display())]
    Unknown {
        /// As it was named.
        path: PathBuf,
        /// What was asked for.
        id: ServiceId,
    },
    /// A file could not be read.
    #[error("{file} of the store could not be read: {source}")]
    Unreadable {
        /// Its path in the store.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A directory, pipe, device or link stands where a file is expected.
    #[error("{file} of the store is not a regular file inside the store")]
    NotAFile {
        /// Its path in the store.
        file: String,
    },
    /// A file is larger than any honest one.
    #[error("{file} of the store has more than {most} bytes")]
    TooLarge {
        /// Its path in the store.
        file: String,
        /// The limit.
        most: u64,
    },
    /// `index.json` does not say what a store carries.
    #[error("index.json of the store is not an index: {reason}")]
    Index {
        /// In words, with line and column where there are any.
        reason: String,
    },
}
