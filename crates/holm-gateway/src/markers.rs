//! Markers: an empty file for each leg whose policy is loaded; a service's units start only when it is there.

use std::{collections::BTreeSet, fs, io, path::PathBuf};

use holm_core::gateway::{GatewayConfig, Leg};

/// The folder `live/` of the runtime directory.
#[derive(Debug, Clone)]
pub struct Markers {
    folder: PathBuf,
}

impl Markers {
    /// Makes the folder and clears what an earlier run left: that policy may be gone with its namespace.
    pub fn cleared(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let markers = Self { folder };
        markers.keep(&BTreeSet::new())?;
        Ok(markers)
    }

    /// Names of all markers of a document.
    pub fn of(config: &GatewayConfig) -> BTreeSet<String> {
        let name = |leg: &Leg| format!("{}.{}", leg.service, leg.hash);
        config.legs.iter().map(name).collect()
    }

    /// Removes every marker that is not in `names`.
    pub fn keep(&self, names: &BTreeSet<String>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry
                .file_name()
                .to_str()
                .is_some_and(|name| names.contains(name))
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Adds every marker of `names` that is not there yet.
    pub fn add(&self, names: &BTreeSet<String>) -> io::Result<()> {
        for name in names {
            fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.folder.join(name))?;
        }
        Ok(())
    }
}
