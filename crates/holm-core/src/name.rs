//! Names as newtypes: each is matched whole when it is made, so no later code has to check it again.
//!
//! A regex of the form `^...$` accepts a trailing newline; these parsers look at every byte instead.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not a name of the kind asked for. Displays the rule, never the text's bytes raw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} is not allowed: {rule}")]
pub struct NameError {
    /// What was to be made, e.g. "service id".
    pub kind: &'static str,
    /// The text that was refused, at most its first 80 characters.
    pub text: String,
    /// The rule in plain words.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The rule in plain words, for findings and help texts.
            pub const RULE: &'static str = $rule;

            /// The name as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { kind: $kind, text: text.chars().take(80).collect(), rule: $rule })
                }
            }
        }
        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> { text.parse() }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String { name.0 }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", self.0) }
        }
    };
}

fn label(text: &str, max: usize) -> bool {
    let bytes = text.as_bytes();
    (1..=max).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes[bytes.len() - 1] != b'-'
        && !text.starts_with("xn--")
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

fn word(text: &str, max: usize) -> bool {
    let bytes = text.as_bytes();
    (1..=max).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
}

fn upper_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// Loader, proxy and shell names that would change how a program starts rather than what it does.
const DENIED_ENV: [&str; 12] = [
    "PATH",
    "HOME",
    "SHELL",
    "IFS",
    "ENV",
    "BASH_ENV",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
];

fn env_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    let upper = text.to_ascii_uppercase();
    (1..=128).contains(&bytes.len())
        && (bytes[0].is_ascii_alphabetic() || bytes[0] == b'_')
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
        && !upper.starts_with("LD_")
        && !DENIED_ENV.contains(&upper.as_str())
}

fn domain(text: &str) -> bool {
    text.len() <= 200
        && text.contains('.')
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            (1..=63).contains(&bytes.len())
                && bytes[0] != b'-'
                && bytes[bytes.len() - 1] != b'-'
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        })
        && label(text.split('.').next().unwrap_or(""), 31)
}

fn absolute_path(text: &str) -> bool {
    text.len() <= 512
        && text.starts_with('/')
        && text.len() > 1
        && text[1..]
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
        && text
            .bytes()
            .all(|b| (0x21..0x7f).contains(&b) && !b"\\\"'`$%,:;<>|&*?[]{}()!~#=^".contains(&b))
}

name!(/// A service's id, equal to its path in the store (B2).
    ServiceId, "service id", "a lowercase letter, then up to 30 of a-z 0-9 -, not ending in - (such as notes)",
    |t| label(t, 31) && !matches!(t, "anchor" | "gateway" | "caddy" | "up"));
name!(/// The name of a container inside its service.
    ContainerName, "container name", "a lowercase letter, then up to 62 of a-z 0-9 -, not ending in -", |t| label(t, 63));
name!(/// A further DNS name of a container inside its service's own network (v3 `container_name`).
    Alias, "container alias", "a letter or digit, then up to 62 of letters, digits, _ . -", |t| word(t, 63));
name!(/// The name of a volume inside its service.
    VolumeName, "volume name", "a letter or digit, then up to 62 of letters, digits, _ . -", |t| word(t, 63));
name!(/// A host label under the cell's domain (B4).
    Subdomain, "subdomain", "a lowercase letter, then up to 30 of a-z 0-9 -, not ending in -, not starting with xn--", |t| label(t, 31));
name!(/// The cell's name: the first label of its domain unless chosen otherwise.
    CellName, "cell name", "a lowercase letter, then up to 30 of a-z 0-9 -, not ending in -", |t| label(t, 31));
name!(/// The cell's domain, lower case, at least two labels.
    Domain, "domain", "two or more labels of a-z 0-9 - joined by dots, such as alice.test", domain);
name!(/// The key of an admin setting (`config_schema`).
    SettingKey, "setting", "a lowercase letter, then up to 62 of a-z 0-9 _",
    |t| { let b = t.as_bytes(); (1..=63).contains(&b.len()) && b[0].is_ascii_lowercase()
        && b.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'_') });
name!(/// The name of a secret that Holm generates for a service (C2).
    SecretName, "secret name", "an uppercase letter, then up to 63 of A-Z 0-9 _", upper_key);
name!(/// The key of an environment variable, less those that steer loaders, proxies and shells.
    EnvKey, "environment key", "a letter or _, then up to 127 of letters, digits, _ . -; no LD_*, PATH, HOME, shell or proxy names", env_key);
name!(/// An absolute, normalised path inside a container.
    ContainerPath, "path", "absolute and normal (no //, /./, /../, trailing /), printable ASCII without shell or separator signs", absolute_path);
