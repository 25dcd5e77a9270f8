//! Rules on what a package says it is: `id-path`, `version`, `kind`, `kind-builtin`, `min-version`.

use super::{
    super::{
        report::{Report, Text, quoted},
        v3::V3,
    },
    name, people,
};
use crate::name::ServiceId;

/// Who the service is.
#[derive(Debug)]
pub(in crate::manifest) struct Identity {
    pub id: ServiceId,
    pub name: String,
    pub description: String,
    pub version: String,
    pub author: String,
}

/// Checks the identity fields; `path` is where the store carries the package.
pub(in crate::manifest) fn check(raw: &V3<'_>, path: &str, report: &mut Report) -> Option<Identity> {
    kind(raw.kind.as_ref(), report);
    min_version(raw.min_pic_version.as_ref(), report);
    let id = raw.id.as_ref().and_then(|text| id(text, path, report));
    let title = raw.name.as_ref().and_then(|text| people::check(text, 64, report));
    let description = raw
        .description
        .as_ref()
        .and_then(|text| people::check(text, 300, report));
    let version = raw.version.as_ref().and_then(|text| version(text, report));
    let author = raw
        .author
        .as_ref()
        .and_then(|text| people::check(text, 100, report));
    Some(Identity {
        id: id?,
        name: title?,
        description: description?,
        version: version?,
        author: author?,
    })
}

/// The path in the store, the id and every record key are one: else a signed manifest of one
/// service could be served as another.
fn id(text: &Text<'_>, path: &str, report: &mut Report) -> Option<ServiceId> {
    let id: ServiceId = name(text, "id", report)?;
    if id.as_str() != path {
        let message = format!(
            "the id is {}, but the store carries it as {}",
            quoted(text.value),
            quoted(path)
        );
        report.error(
            &text.at,
            "id-path",
            message,
            "give the folder in the store the name of the id",
        );
        return None;
    }
    Some(id)
}

fn version(text: &Text<'_>, report: &mut Report) -> Option<String> {
    if text.value.len() <= 64 && semver::Version::parse(text.value).is_ok() {
        return Some(text.value.to_owned());
    }
    let message = format!("{} is not a semantic version", quoted(text.value));
    report.error(&text.at, "version", message, "write three numbers, such as 1.0.0");
    None
}

fn kind(text: Option<&Text<'_>>, report: &mut Report) {
    match text.map(|text| (text, text.value)) {
        None | Some((_, "store")) => {}
        Some((text, "builtin")) => {
            let hint = "write kind store, and name the image";
            report.error(
                &text.at,
                "kind-builtin",
                "a builtin describes parts of another core: it cannot be installed",
                hint,
            );
        }
        Some((text, other)) => {
            let message = format!("{} is not a kind of service", quoted(other));
            report.error(&text.at, "kind", message, "write store");
        }
    }
}

/// Holm keeps the contract of PIC 1.x.
fn min_version(text: Option<&Text<'_>>, report: &mut Report) {
    let Some(text) = text else { return };
    let parts: Vec<&str> = text.value.split('.').collect();
    let number = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(|part| number(part)) {
        let message = format!("{} is not a version", quoted(text.value));
        report.error(
            &text.at,
            "min-version",
            message,
            "write numbers joined by dots, such as 1.0",
        );
    } else if !matches!(parts[0].parse::<u32>(), Ok(0 | 1)) {
        let message = format!("the package needs PIC {}, and Holm counts as 1.x", text.value);
        report.error(
            &text.at,
            "min-version",
            message,
            "take an older version of the package, or update Holm",
        );
    }
}
