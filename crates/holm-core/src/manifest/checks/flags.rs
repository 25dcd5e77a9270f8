//! Rules `flag-missing-block`, `flag-unused`, `flag-not-yet`, `flag-reserved`: the six flags and the blocks they speak of agree.

use super::super::{
    report::{Place, Report},
    v3::V3,
};

/// A flag, the blocks that it needs, and those that it allows besides.
const BLOCKS: [(&str, &[&str], &[&str]); 5] = [
    (
        "has_subdomain",
        &["subdomain", "backend"],
        &["extra_subdomains", "extra_backends", "caddy_route"],
    ),
    ("has_accounts", &["accounts"], &["peer_config_template"]),
    ("has_admin_config", &["config_schema"], &[]),
    ("has_storage", &["backup"], &["storage"]),
    ("has_egress", &["egress"], &[]),
];

/// Flags that this version checks and does not act on, and what that means for who installs the service.
const NOT_YET: [(&str, &str); 3] = [
    (
        "has_accounts",
        "no accounts are made yet: people sign in as the service itself provides",
    ),
    (
        "has_storage",
        "no backups are made yet: the data is in the service's volumes and nowhere else",
    ),
    (
        "has_egress",
        "nothing leaves the service's network yet, whatever egress allows",
    ),
];

/// Compares the flags with the blocks that are there.
pub(in crate::manifest) fn check(raw: &V3<'_>, report: &mut Report) {
    for (flag, needed, allowed) in BLOCKS {
        let at = |block: &str| Place {
            field: block.to_owned(),
            ..raw.flags.at.clone()
        };
        if raw.flags.has(flag) {
            for block in needed.iter().filter(|block| raw.fields.get(block).is_none()) {
                let message = format!("{flag} is true, but {block} is missing");
                report.error(
                    &at(block),
                    "flag-missing-block",
                    message,
                    format!("add {block}, or set {flag} to false"),
                );
            }
            continue;
        }
        for block in needed.iter().chain(allowed) {
            if let Some(item) = raw.fields.get(block).filter(|item| !item.is_empty()) {
                let message = format!("{block} is not used, because {flag} is not true");
                report.warn(
                    &item.at,
                    "flag-unused",
                    message,
                    format!("set {flag} to true, or remove {block}"),
                );
            }
        }
    }
    for (flag, meaning) in NOT_YET.iter().filter(|(flag, _)| raw.flags.has(flag)) {
        let hint = format!("keep {flag}: it takes effect with a later version of Holm");
        report.warn(&raw.flags.at, "flag-not-yet", *meaning, hint);
    }
    if raw.flags.has("has_api_hooks") {
        let message = "has_api_hooks is reserved and does nothing";
        report.warn(&raw.flags.at, "flag-reserved", message, "set it to false");
    }
}
