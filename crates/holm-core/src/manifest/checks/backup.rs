//! Rules `backup-*` and `storage-*`: what a service wants kept, always inside its own containers.

use super::{
    super::{
        report::{Report, quoted},
        v3::V3,
    },
    Names, name,
};
use crate::name::{ContainerPath, VolumeName};

/// Checks `backup` and `storage`. `names` is `None` when the containers could not be read.
pub(in crate::manifest) fn check(raw: &V3<'_>, names: Option<&Names>, report: &mut Report) {
    volumes(raw, names, report);
    let Some(storage) = &raw.storage else { return };
    if let Some(path) = storage.text("primary_path", report)
        && !is_relative(path.value)
    {
        let message = format!("{} is not a normal relative path", quoted(path.value));
        report.error(
            &path.at,
            "storage-path",
            message,
            "write a path such as data/notes",
        );
    }
    if let Some(quota) = storage.integer("quota_mb", report)
        && quota.value < 1
    {
        report.error(
            &quota.at,
            "storage-quota",
            "a quota is at least 1 MB",
            "write a number, or null for no limit",
        );
    }
}

fn volumes(raw: &V3<'_>, names: Option<&Names>, report: &mut Report) {
    let Some(backup) = &raw.backup else { return };
    for path in backup.list("config_paths", report) {
        let message = "config_paths lie outside the service's own folders, and are never read";
        report.error(
            &path.at,
            "backup-config-paths",
            message,
            "keep settings in a volume, and list that in volumes",
        );
    }
    if backup.need("volumes", report).is_none() {
        return;
    }
    let mut stems: Vec<&str> = Vec::new();
    for item in backup.list("volumes", report) {
        let Some(entry) = item.object(&["container", "path", "name"], report) else {
            continue;
        };
        if let Some(container) = entry.need_text("container", report)
            && names.is_some_and(|names| !names.contains_key(container.value))
        {
            let message = format!("{} is not a container of this package", quoted(container.value));
            report.error(
                &container.at,
                "backup-container",
                message,
                "name one of its own containers",
            );
        }
        if let Some(path) = entry.need_text("path", report) {
            let _: Option<ContainerPath> = name(&path, "backup-path", report);
        }
        let Some(stem) = entry.need_text("name", report) else {
            continue;
        };
        if stems.contains(&stem.value) {
            report.error(
                &stem.at,
                "backup-name",
                "two archives have this name",
                "name each archive once",
            );
        }
        stems.push(stem.value);
        // The archive's name becomes a file: the rule for volume names keeps out `../`.
        let _: Option<VolumeName> = name(&stem, "backup-name", report);
    }
}

fn is_relative(path: &str) -> bool {
    format!("/{path}").parse::<ContainerPath>().is_ok()
}
