//! Manifest dialects: parsed into the one [`model`](crate::model), or refused with findings.

mod checks;
mod compose;
mod document;
mod field;
mod finding;
mod report;
mod settings;
mod template;
mod upgrade;
mod v3;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Severity};
pub use settings::{check_settings, parse_setting};

use document::{Node, Value};
use report::{Place, Report};

use crate::model::Service;

/// The bytes of a package as it lies in a store: what [`read`] turns into a [`Service`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFiles {
    /// The path under which the store carries it, i.e. the id that the manifest must have.
    pub path: String,
    /// `manifest.json`
    pub manifest: Vec<u8>,
    /// `compose-template.yml`, when the package has one.
    pub compose_template: Option<Vec<u8>>,
}

/// Reads a package. All faults at once; no `Service` comes out of a package with an error.
///
/// # Errors
/// At least one finding with [`Severity::Error`].
pub fn read(files: &PackageFiles) -> Result<(Service, Vec<Finding>), Vec<Finding>> {
    let mut report = Report::new("manifest.json");
    let mut template = Report::new("compose-template.yml");
    let service = read_manifest(files, &mut report, &mut template);
    if service.is_none() && !report.failed() && !template.failed() {
        // Every `None` above has its finding; this one keeps the promise of the signature if not.
        let hint = "report this as a fault of Holm";
        report.error(
            &Place::default(),
            "unreadable",
            "the package could not be read",
            hint,
        );
    }
    let failed = report.failed() || template.failed();
    let mut findings = report.into_findings();
    findings.extend(template.into_findings());
    match service {
        Some(service) if !failed => Ok((service, findings)),
        _ => Err(findings),
    }
}

fn read_manifest(files: &PackageFiles, report: &mut Report, template: &mut Report) -> Option<Service> {
    let node = document::json(&files.manifest, report)?;
    schema_version(&node, report)?;
    let raw = v3::read(&node, report)?;
    let checked = upgrade::check(&raw, &files.path, report);
    let builtin = raw.kind.as_ref().is_some_and(|kind| kind.value == "builtin");
    let containers = match &files.compose_template {
        // Its containers are another core's.
        _ if builtin => None,
        None => upgrade::single(&raw, report),
        Some(bytes) => upgrade::composed(&raw, &checked.settings, bytes, report, template),
    };
    upgrade::service(&raw, checked, containers, report, template)
}

/// The version decides which fields are known, so without it nothing else is said.
fn schema_version(node: &Node, report: &mut Report) -> Option<()> {
    let hint = "write \"schema_version\": 3";
    let at = Place {
        field: "schema_version".to_owned(),
        line: node.line,
        column: node.column,
    };
    let Value::Object(entries) = &node.value else {
        report.error(
            &Place {
                field: String::new(),
                ..at
            },
            "type",
            "a manifest is an object",
            "begin with {",
        );
        return None;
    };
    let Some(entry) = entries.iter().find(|entry| entry.key == "schema_version") else {
        report.error(&at, "schema-version", "this field must be present", hint);
        return None;
    };
    if entry.value.value == Value::Integer(3) {
        return Some(());
    }
    let at = Place {
        line: entry.value.line,
        column: entry.value.column,
        ..at
    };
    report.error(
        &at,
        "schema-version",
        "this version of Holm reads schema_version 3 only",
        hint,
    );
    None
}
