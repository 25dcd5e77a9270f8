//! Rules `requires`, `requires-unused`, `instanceable-unused`: fields that are read, but not acted on yet.

use super::{
    super::{report::Report, v3::V3},
    name,
};
use crate::name::ServiceId;

/// Checks `requires` and `instanceable`.
pub(in crate::manifest) fn check(raw: &V3<'_>, report: &mut Report) {
    for text in &raw.requires {
        let Some(id) = name::<ServiceId>(text, "requires", report) else {
            continue;
        };
        if raw.id.as_ref().is_some_and(|own| own.value == id.as_str()) {
            report.error(
                &text.at,
                "requires",
                "a service cannot require itself",
                "remove it",
            );
        }
    }
    if let Some(first) = raw.requires.first() {
        let hint = "install the named services yourself";
        report.warn(
            &first.at,
            "requires-unused",
            "required services are not checked or reached by this version",
            hint,
        );
    }
    if let Some(flag) = raw.instanceable.as_ref().filter(|flag| flag.value) {
        let hint = "it runs as one plain service";
        report.warn(
            &flag.at,
            "instanceable-unused",
            "one container for each connection cannot be made by this version",
            hint,
        );
    }
}
