//! `volumes` of a compose service: named volumes only, in the short and the long form.

use super::{
    super::{
        checks::{mount, name},
        document::Value,
        field::{Item, Object},
        report::{Place, Placed, Report, Text, quoted},
        template::plain,
    },
    Context,
};
use crate::{model::Mount, name::VolumeName};

/// Reads the mounts of one container.
pub(super) fn read(fields: &Object<'_>, context: &mut Context<'_>, report: &mut Report) -> Vec<Mount> {
    let mut mounts: Vec<(Place, Mount)> = Vec::new();
    for item in fields.list("volumes", report) {
        let mount = match &item.node.value {
            Value::Object(_) => long(&item, context, report),
            _ => item.text(report).and_then(|text| short(&text, context, report)),
        };
        mounts.extend(mount.map(|mount| (item.at.clone(), mount)));
    }
    mount::overlaps(&mounts, report);
    mounts.into_iter().map(|(_, mount)| mount).collect()
}

/// `name:/path`, `name:/path:ro`
fn short(text: &Text<'_>, context: &Context<'_>, report: &mut Report) -> Option<Mount> {
    let text = plain(text.clone(), report)?;
    let parts: Vec<&str> = text.value.split(':').collect();
    let part = |value| Placed {
        value,
        at: text.at.clone(),
    };
    let (source, target, mode) = match parts.as_slice() {
        [source, target] => (part(*source), part(*target), "rw"),
        [source, target, mode] => (part(*source), part(*target), *mode),
        _ => {
            report.error(
                &text.at,
                "compose-volume",
                "this is not name:/path",
                "write name:/path or name:/path:ro",
            );
            return None;
        }
    };
    if !matches!(mode, "ro" | "rw") {
        let message = format!("the option {} cannot be represented", quoted(mode));
        report.error(&text.at, "compose-volume", message, "write ro or rw");
    }
    let volume = source_volume(&source, context, report);
    let path = mount::path(&target, report);
    Some(Mount {
        volume: volume?,
        path: path?,
        read_only: mode == "ro",
    })
}

/// `{type: volume, source, target, read_only}`
fn long(item: &Item<'_>, context: &Context<'_>, report: &mut Report) -> Option<Mount> {
    let (fields, unknown) = item.split(&["type", "source", "target", "read_only"], report)?;
    for key in unknown {
        let message = format!("{} cannot be represented", quoted(key.value));
        report.error(
            &key.at,
            "compose-unsupported",
            message,
            "write type, source, target and read_only",
        );
    }
    let kind = fields.need_text("type", report)?;
    if kind.value != "volume" {
        let message = format!("a mount of type {} cannot be represented", quoted(kind.value));
        report.error(
            &kind.at,
            "compose-bind",
            message,
            "mount a named volume: type volume",
        );
        return None;
    }
    let source = fields
        .need_text("source", report)
        .and_then(|text| plain(text, report));
    let target = fields
        .need_text("target", report)
        .and_then(|text| plain(text, report));
    let read_only = fields
        .boolean("read_only", report)
        .is_some_and(|placed| placed.value);
    let volume = source.and_then(|source| source_volume(&source, context, report));
    let path = target.and_then(|target| mount::path(&target, report));
    Some(Mount {
        volume: volume?,
        path: path?,
        read_only,
    })
}

fn source_volume(source: &Text<'_>, context: &Context<'_>, report: &mut Report) -> Option<VolumeName> {
    if source.value.starts_with(['.', '~']) || source.value.contains(['/', '\\']) {
        let message = format!(
            "{} is a path of the host, which no service sees",
            quoted(source.value)
        );
        report.error(&source.at, "compose-bind", message, "use a named volume");
        return None;
    }
    let volume: VolumeName = name(source, "volume-name", report)?;
    if !context.volumes.contains(&volume) {
        let message = format!("the volume {} is not declared", quoted(source.value));
        report.error(
            &source.at,
            "volume-undeclared",
            message,
            "add its name to volumes at the end of the template",
        );
        return None;
    }
    Some(volume)
}
