//! Rules `mount`, `mount-system`, `mount-overlap`: volumes lie at normal paths, off the system's own, and apart.

use super::{
    super::report::{Place, Report, Text},
    name,
};
use crate::{model::Mount, name::ContainerPath};

/// Refused with everything below: the kernel's, the runtime's and the boot loader's.
const CLOSED: [&str; 6] = ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot"];
/// Refused themselves; real images keep data below them (`/usr/share/nginx/html`).
const FULL: [&str; 4] = ["/etc", "/usr", "/var", "/app"];

/// Checks the path of one mount.
pub(in crate::manifest) fn path(text: &Text<'_>, report: &mut Report) -> Option<ContainerPath> {
    let path: ContainerPath = name(text, "mount", report)?;
    let closed = CLOSED.iter().find(|system| within(path.as_str(), system));
    if let Some(system) = closed.or_else(|| FULL.iter().find(|system| path.as_str() == **system)) {
        let message = format!(
            "a volume at {} would replace what the system keeps at {system}",
            path.as_str()
        );
        report.error(
            &text.at,
            "mount-system",
            message,
            "mount it at a folder of the application, such as /data",
        );
        return None;
    }
    Some(path)
}

/// Refuses two mounts of one container at one path or one inside the other: which of them wins
/// would depend on the order of mounting.
pub(in crate::manifest) fn overlaps(mounts: &[(Place, Mount)], report: &mut Report) {
    for (index, (at, mount)) in mounts.iter().enumerate() {
        let other = mounts[..index].iter().find(|(_, other)| {
            let (a, b) = (mount.path.as_str(), other.path.as_str());
            within(a, b) || within(b, a)
        });
        if let Some((_, other)) = other {
            let message = format!(
                "{} and {} lie one in the other",
                mount.path.as_str(),
                other.path.as_str()
            );
            report.error(
                at,
                "mount-overlap",
                message,
                "give each mount a folder of its own",
            );
        }
    }
}

/// Whether `path` is `folder` or lies in it, by components: `/data2` is not in `/data`.
pub(in crate::manifest) fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
