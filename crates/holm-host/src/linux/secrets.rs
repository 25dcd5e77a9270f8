//! Secrets of services, sealed by systemd for this user on this machine: no clear value is ever on the disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::Duration,
};

use holm_core::name::{SecretName, ServiceId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{blocking, files::Files};
use crate::{HostError, Secret};

const WITHIN: Duration = Duration::from_secs(30);
/// A sealed value is some hundred bytes; a longer one is none of ours.
const MOST_BYTES: u64 = 64 << 10;

fn place(service: &ServiceId, secret: &SecretName) -> String {
    format!("secrets/{service}/{secret}")
}

/// Bound into the sealed value, so that one cannot be passed off as another.
fn credential(service: &ServiceId, secret: &SecretName) -> String {
    format!("--name=holm-{service}-{secret}")
}

/// Generates a secret and stores it sealed, unless it exists.
pub(super) async fn seal(files: &Files, service: &ServiceId, secret: &SecretName) -> Result<(), HostError> {
    let tried = format!("seal secret {secret} of {service}");
    let hint = "See `systemctl status systemd-creds.socket`; it is tried again";
    let path = place(service, secret);
    let (files, there) = (files.clone(), path.clone());
    let exists = {
        let files = files.clone();
        blocking(move || files.read(&there))
            .await
            .map_err(|error| HostError::new(&tried, error, hint))?
    };
    // An empty one cannot have been sealed by us: writes are whole.
    if exists.is_some_and(|text| !text.is_empty()) {
        return Ok(());
    }
    let value = generate().map_err(|error| HostError::new(&tried, error, "The system has no randomness"))?;
    let name = credential(service, secret);
    let sealed = creds(&["encrypt", "--user", &name, "-", "-"], value.as_bytes())
        .await
        .map_err(|why| HostError::new(&tried, why, hint))?;
    blocking(move || files.write(&path, &sealed))
        .await
        .map_err(|error| HostError::new(&tried, error, hint))
}

/// Opens a sealed secret.
pub(super) async fn reveal(
    files: &Files,
    service: &ServiceId,
    secret: &SecretName,
) -> Result<Secret, HostError> {
    let tried = format!("open secret {secret} of {service}");
    let failed = |why: String| {
        HostError::new(
            &tried,
            why,
            "A secret opens only on the machine and for the user that sealed it",
        )
    };
    let (files, path) = (files.clone(), place(service, secret));
    let sealed = blocking(move || files.read(&path))
        .await
        .map_err(|error| failed(error.to_string()))?;
    let Some(sealed) = sealed else {
        let hint = format!("`holm status {service}` says whether it is installed");
        return Err(HostError::new(&tried, "there is none", hint));
    };
    let name = credential(service, secret);
    let clear = creds(&["decrypt", "--user", &name, "-", "-"], sealed.as_bytes())
        .await
        .map_err(failed)?;
    let text = std::str::from_utf8(&clear).map_err(|_| failed("its value is no text".into()))?;
    Ok(Secret::new(text.to_owned()))
}

/// Names of all sealed secrets.
pub(super) fn list(files: &Files) -> std::io::Result<BTreeMap<ServiceId, BTreeSet<SecretName>>> {
    let mut all = BTreeMap::new();
    for service in files.names("secrets")? {
        let names = files.names(&format!("secrets/{service}"))?;
        let names: BTreeSet<SecretName> = names.iter().filter_map(|name| name.parse().ok()).collect();
        if let Ok(service) = service.parse::<ServiceId>()
            && !names.is_empty()
        {
            all.insert(service, names);
        }
    }
    Ok(all)
}

/// 24 random bytes in 32 characters that need no escaping in a URL, a shell or a file.
#[expect(
    clippy::disallowed_methods,
    reason = "the port for randomness: a service's secret must not repeat"
)]
fn generate() -> Result<Zeroizing<String>, getrandom::Error> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = Zeroizing::new([0_u8; 24]);
    getrandom::fill(bytes.as_mut_slice())?;
    let mut text = Zeroizing::new(String::with_capacity(32));
    for group in bytes.chunks_exact(3) {
        let group = group
            .iter()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(char::from(DIGITS[group >> shift & 63]));
        }
    }
    Ok(text)
}

/// Runs systemd-creds. Values go through pipes, as arguments are seen by every user of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the port for systemd-creds, which has no API of its own"
)]
async fn creds(arguments: &[&str], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut child = tokio::process::Command::new("systemd-creds")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("systemd-creds does not start: {error}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err("systemd-creds has no pipes".into());
    };
    let work = async {
        // Room for all of it at once, so that no copy is left behind where the buffer grew.
        let mut output = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
        let mut complaint = Vec::new();
        let feed = async move {
            stdin.write_all(input).await?;
            stdin.shutdown().await
        };
        let mut stdout = stdout.take(MOST_BYTES);
        let mut stderr = stderr.take(4096);
        let (fed, read, _, ended) = tokio::join!(
            feed,
            stdout.read_to_end(&mut output),
            stderr.read_to_end(&mut complaint),
            child.wait()
        );
        let ended = ended.map_err(|error| error.to_string())?;
        if !ended.success() {
            let complaint = String::from_utf8_lossy(&complaint);
            return Err(format!("systemd-creds: {} ({ended})", complaint.trim()));
        }
        fed.and(read.map(drop)).map_err(|error| error.to_string())?;
        Ok(output)
    };
    timeout(WITHIN, work)
        .await
        .unwrap_or_else(|_| Err(format!("systemd-creds was not done in {} s", WITHIN.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_32_plain_characters_and_never_the_same() {
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let value = generate().unwrap();
            assert_eq!(value.len(), 32);
            assert!(
                value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            );
            assert!(seen.insert(value.to_string()));
        }
    }
}
