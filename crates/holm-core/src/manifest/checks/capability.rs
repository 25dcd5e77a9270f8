//! Rules `capability` and `capability-grant`: which Linux capabilities a service may ask for by itself.

use std::collections::BTreeSet;

use super::super::report::{Report, Text, quoted};
use crate::model::Capability;

const FREE: [(&str, Capability); 12] = [
    ("AUDIT_WRITE", Capability::AuditWrite),
    ("CHOWN", Capability::Chown),
    ("DAC_OVERRIDE", Capability::DacOverride),
    ("FOWNER", Capability::Fowner),
    ("FSETID", Capability::Fsetid),
    ("KILL", Capability::Kill),
    ("NET_BIND_SERVICE", Capability::NetBindService),
    ("SETFCAP", Capability::Setfcap),
    ("SETGID", Capability::Setgid),
    ("SETPCAP", Capability::Setpcap),
    ("SETUID", Capability::Setuid),
    ("SYS_CHROOT", Capability::SysChroot),
];
const BY_GRANT: [&str; 3] = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"];

/// Checks a `cap_add` list. `CAP_CHOWN` and `CHOWN` are one, as in compose files.
pub(in crate::manifest) fn check(list: &[Text<'_>], report: &mut Report) -> BTreeSet<Capability> {
    let mut checked = BTreeSet::new();
    for text in list {
        let plain = text.value.strip_prefix("CAP_").unwrap_or(text.value);
        if let Some((_, capability)) = FREE.iter().find(|(name, _)| *name == plain) {
            checked.insert(*capability);
        } else if BY_GRANT.contains(&plain) {
            let message = format!("{plain} needs a grant, which this version cannot give");
            report.error(&text.at, "capability-grant", message, "do without it");
        } else {
            let names: Vec<&str> = FREE.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "{} is not a capability that a service may have",
                quoted(text.value)
            );
            report.error(
                &text.at,
                "capability",
                message,
                format!("choose from {}", names.join(" ")),
            );
        }
    }
    checked
}
