//! Rule `container-name`: a DNS alias inside the service's own network, which must not shadow an address or the core.

use super::{
    super::report::{Report, Text, quoted},
    name,
};
use crate::name::Alias;

/// Names of the core's own parts in the sources, and of the machine itself.
const RESERVED: [&str; 12] = [
    "localhost",
    "gateway",
    "holm",
    "cell-api",
    "cell-caddy",
    "cell-coredns",
    "cell-dns",
    "cell-ntp",
    "cell-wireguard",
    "cell-webui",
    "cell-cli",
    "host.containers.internal",
];

/// Checks a `container_name`.
pub(in crate::manifest) fn check(text: &Text<'_>, report: &mut Report) -> Option<Alias> {
    let alias: Alias = name(text, "container-name", report)?;
    let lower = text.value.to_ascii_lowercase();
    // A last label of digits is how every resolver recognises an IPv4 address, also 0x7f.1 and 1.
    let numeric = lower.rsplit('.').next().is_some_and(|last| {
        let digits = last.strip_prefix("0x").unwrap_or(last);
        digits.bytes().all(|b| b.is_ascii_hexdigit())
            && (last != digits || digits.bytes().all(|b| b.is_ascii_digit()))
    });
    if numeric || RESERVED.contains(&lower.as_str()) {
        let message = format!(
            "{} would stand for an address or a part of the core",
            quoted(text.value)
        );
        report.error(
            &text.at,
            "container-name",
            message,
            "choose a name such as cell-notes",
        );
        return None;
    }
    Some(alias)
}
