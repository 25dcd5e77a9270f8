//! From bytes to a document that may be applied: parsed in full, and every cross-reference checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use holm_core::{
    gateway::{GatewayConfig, HostRoute},
    name::ServiceId,
};

/// Largest document taken, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// Why a document is not applied.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON of the expected form; unknown fields count.
    #[error("the document cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// 0 stands for "no document yet".
    #[error("generation 0 is not allowed: the first is 1")]
    Generation,
    /// A marker's name is made of it.
    #[error("hash {hash:?} of the leg of {service} is not allowed: 16 digits of 0-9 a-f")]
    Hash {
        /// Whose leg.
        service: ServiceId,
        /// Shortened.
        hash: String,
    },
    /// Two legs would share a marker.
    #[error("{0} has two legs")]
    LegTwice(ServiceId),
    /// No host name.
    #[error("host {0:?} is not allowed: labels of a-z 0-9 - _ joined by dots")]
    Host(String),
    /// Which of the two would answer is anybody's guess.
    #[error("host {0} is routed twice")]
    HostTwice(String),
    /// The policy would drop it, or worse: it is another service's.
    #[error("the backend of {host} is not declared by a member of the leg of {service}")]
    Backend {
        /// The route.
        host: String,
        /// Whose route.
        service: ServiceId,
    },
}

/// Parses and checks. The values that go into packet policy are checked where its text is made.
pub fn parse(bytes: &[u8]) -> Result<GatewayConfig, DocumentError> {
    let config: GatewayConfig = serde_json::from_slice(bytes)?;
    if config.generation == 0 {
        return Err(DocumentError::Generation);
    }
    let mut legs = BTreeMap::new();
    for leg in &config.legs {
        if leg.hash.len() != 16 || !leg.hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            let hash = leg.hash.chars().take(80).collect();
            return Err(DocumentError::Hash {
                service: leg.service.clone(),
                hash,
            });
        }
        if legs.insert(&leg.service, leg).is_some() {
            return Err(DocumentError::LegTwice(leg.service.clone()));
        }
    }
    let mut hosts = BTreeSet::new();
    for route in &config.routes {
        check_host(route)?;
        if !hosts.insert(&route.host) {
            return Err(DocumentError::HostTwice(route.host.clone()));
        }
        let declared = |backend: &std::net::SocketAddrV4| {
            let members = legs.get(&route.service).into_iter().flat_map(|leg| &leg.members);
            members
                .filter(|m| m.address == *backend.ip())
                .any(|m| m.backend_ports.contains(&backend.port()))
        };
        if route.backend.is_some_and(|backend| !declared(&backend)) {
            return Err(DocumentError::Backend {
                host: route.host.clone(),
                service: route.service.clone(),
            });
        }
    }
    Ok(config)
}

fn check_host(route: &HostRoute) -> Result<(), DocumentError> {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    if route.host.len() <= 253 && route.host.split('.').all(label) {
        Ok(())
    } else {
        Err(DocumentError::Host(route.host.chars().take(80).collect()))
    }
}

/// The bytes of the document that `current` in `folder` names; `None` when there is none yet.
///
/// `current` is a symlink to the document, a file that holds its name, or the document itself.
pub fn current(folder: &Path) -> io::Result<Option<Vec<u8>>> {
    let bytes = match read_limited(&folder.join("current")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return Ok(Some(bytes));
    }
    let name = std::str::from_utf8(bytes.trim_ascii()).ok().filter(|name| {
        // A name, not a path: the document lies beside `current`.
        !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
    });
    let name = name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "current names no file"))?;
    read_limited(&folder.join(name)).map(Some)
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {MAX_BYTES} bytes"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> serde_json::Value {
        serde_json::json!({
            "generation": 3, "domain": "alice.test",
            "legs": [{ "service": "home", "interface": "s1", "address": "172.20.0.18", "hash": "00112233445566aa",
                "members": [{ "names": ["web"], "address": "172.20.0.19", "mac": "02:00:ac:14:00:13", "backend_ports": [80] }] }],
            "routes": [{ "host": "home.alice.test", "service": "home", "name": "Home", "backend": "172.20.0.19:80" }],
        })
    }

    fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut value = document();
        change(&mut value);
        parse(&serde_json::to_vec(&value).unwrap())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_good_document_is_taken() {
        assert_eq!(
            parse(&serde_json::to_vec(&document()).unwrap())
                .unwrap()
                .generation,
            3
        );
    }

    #[test]
    fn what_is_refused() {
        let said = refused(|v| v["legs"][0]["hash"] = "../../etc/passwd".into());
        assert!(said.contains("hash"), "{said}");
        let said = refused(|v| v["generation"] = 0.into());
        assert!(said.contains("generation 0"), "{said}");
        let said = refused(|v| v["more"] = 1.into());
        assert!(said.contains("unknown field"), "{said}");
        let said = refused(|v| v["routes"][0]["host"] = "Home.alice.test".into());
        assert!(said.contains("host"), "{said}");
        let said = refused(|v| v["routes"][0]["backend"] = "172.20.0.19:81".into());
        assert!(said.contains("not declared"), "{said}");
        let said = refused(|v| v["routes"][0]["service"] = "other".into());
        assert!(said.contains("not declared"), "{said}");
        for list in ["legs", "routes"] {
            let said = refused(|v| {
                let first = v[list][0].clone();
                v[list].as_array_mut().unwrap().push(first);
            });
            assert!(said.contains("two") || said.contains("twice"), "{said}");
        }
    }

    #[test]
    fn current_is_a_link_a_name_or_the_document() {
        let folder = tempfile::tempdir().unwrap();
        let current_file = folder.path().join("current");
        assert_eq!(current(folder.path()).unwrap(), None);
        fs::write(folder.path().join("3.json"), "{3}").unwrap();
        std::os::unix::fs::symlink("3.json", &current_file).unwrap();
        assert_eq!(current(folder.path()).unwrap().unwrap(), b"{3}");
        fs::remove_file(&current_file).unwrap();
        fs::write(&current_file, "3.json\n").unwrap();
        assert_eq!(current(folder.path()).unwrap().unwrap(), b"{3}");
        fs::write(&current_file, " {4}").unwrap();
        assert_eq!(current(folder.path()).unwrap().unwrap(), b" {4}");
        for bad in ["../3.json", "", ".", "gone.json"] {
            fs::write(&current_file, bad).unwrap();
            assert!(current(folder.path()).is_err(), "{bad:?}");
        }
    }
}
