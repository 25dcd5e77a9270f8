//! `holmd unseal <container>`: a unit's step before each start, which fills secrets into an environment in memory.
//!
//! The names come from `env/<container>.sealed` below the state root, the values from the sealed secrets; the filled
//! environment goes to `holm/env/<container>` in the runtime directory, which is never on a disk (tmpfs).

use std::{collections::BTreeMap, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use holm_core::{
    name::{EnvKey, ServiceId},
    target::{Filled, FilledPiece},
};
use holm_host::{Host, HostError};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    service: ServiceId,
    env: BTreeMap<EnvKey, Filled>,
}

/// Writes the environment of `container`.
///
/// # Errors
/// The name is not one of a container, its file cannot be read, or a secret cannot be opened.
pub async fn unseal(
    host: &impl Host,
    state: &Path,
    runtime: &Path,
    container: &str,
) -> Result<(), HostError> {
    let fail = |why: String| {
        let hint = "The unit is written anew when the daemon runs: systemctl --user restart holmd";
        HostError::new(format!("fill in the secrets of {container}"), why, hint)
    };
    if container.contains('/') || container.starts_with('.') {
        return Err(fail("it is not the name of a container".into()));
    }
    let text = fs::read_to_string(state.join("env").join(format!("{container}.sealed")))
        .map_err(|e| fail(e.to_string()))?;
    let sealed: Sealed = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    let mut records = zeroize::Zeroizing::new(Vec::new());
    for (key, value) in &sealed.env {
        records.extend_from_slice(key.as_str().as_bytes());
        records.push(b'=');
        for piece in &value.0 {
            match piece {
                FilledPiece::Text(text) => records.extend_from_slice(text.as_bytes()),
                FilledPiece::Secret(name) => {
                    let secret = host.reveal(&sealed.service, name).await?;
                    records.extend_from_slice(secret.expose().as_bytes());
                }
            }
        }
        records.push(0);
    }
    write(&runtime.join("holm/env"), container, &records).map_err(|error| fail(error.to_string()))
}

/// The folder is closed to other users; the file is open, because inside the container it belongs to nobody.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let part = folder.join(format!(".{name}"));
    let _ = fs::remove_file(&part);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&part)?;
    file.write_all(bytes)?;
    fs::rename(part, folder.join(name))
}
