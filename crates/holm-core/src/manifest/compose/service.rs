//! One entry of `services`: every key of compose is accepted with a meaning, or refused by name.

use std::collections::BTreeSet;

use super::{
    super::{
        checks::{capability, container_name, image, name, port},
        document::Value,
        field::{Item, Object},
        report::{Place, Placed, Report, Text, quoted},
        template::plain,
    },
    Context, command, environment, mounts, networks,
};
use crate::{
    model::Container,
    name::{ContainerName, ContainerPath},
};

const KNOWN: [&str; 19] = [
    "image",
    "container_name",
    "restart",
    "environment",
    "volumes",
    "networks",
    "command",
    "entrypoint",
    "user",
    "working_dir",
    "cap_add",
    "cap_drop",
    "read_only",
    "init",
    "stop_grace_period",
    "expose",
    "depends_on",
    "labels",
    "security_opt",
];

/// A container as far as it could be read, with what the others must know of it.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub key: Text<'a>,
    pub name: ContainerName,
    pub alias: Option<Text<'a>>,
    pub image: Option<Text<'a>>,
    pub depends_on: Vec<Text<'a>>,
    pub service_ip: Option<Place>,
    pub container: Option<Container>,
}

/// Reads one service.
pub(super) fn read<'a>(
    key: Text<'a>,
    name: ContainerName,
    item: &Item<'a>,
    context: &mut Context<'_>,
    report: &mut Report,
) -> Option<Draft<'a>> {
    let (fields, unknown) = item.split(&KNOWN, report)?;
    for key in unknown {
        let message = format!("{} cannot be represented", quoted(key.value));
        report.error(&key.at, "compose-unsupported", message, hint(key.value));
    }
    ignored(&fields, report);
    let alias = fields
        .text("container_name", report)
        .and_then(|text| plain(text, report));
    let checked_alias = alias
        .as_ref()
        .and_then(|text| container_name::check(text, report));
    let image_text = fields
        .need_text("image", report)
        .and_then(|text| plain(text, report));
    let image = image_text.as_ref().and_then(|text| image::check(text, report));
    let path = fields
        .text("working_dir", report)
        .and_then(|text| plain(text, report));
    let parts = Container {
        name: name.clone(),
        aliases: checked_alias.into_iter().collect(),
        // Replaced below; the other fields are read also when the image is at fault.
        image: placeholder(),
        entrypoint: command::words(&fields, "entrypoint", context, report),
        command: command::words(&fields, "command", context, report),
        user: command::user(&fields, report),
        working_dir: path.and_then(|text| self::name::<ContainerPath>(&text, "working-dir", report)),
        env: environment::read(&fields, context, report),
        mounts: mounts::read(&fields, context, report),
        capabilities: capability::check(&plain_texts(&fields, "cap_add", report), report),
        read_only: flag(&fields, "read_only", report),
        init: flag(&fields, "init", report),
        stop_seconds: command::stop_seconds(&fields, report),
    };
    Some(Draft {
        key,
        name,
        alias,
        image: image_text,
        depends_on: depends_on(&fields, report),
        service_ip: networks::joined(&fields, &context.networks, report),
        container: image.map(|image| Container { image, ..parts }),
    })
}

fn placeholder() -> crate::model::Image {
    crate::model::Image {
        repository: String::new(),
        tag: None,
        digest: String::new(),
    }
}

fn flag(fields: &Object<'_>, key: &str, report: &mut Report) -> bool {
    fields.boolean(key, report).is_some_and(|placed| placed.value)
}

fn plain_texts<'a>(fields: &Object<'a>, key: &str, report: &mut Report) -> Vec<Text<'a>> {
    fields
        .texts(key, report)
        .into_iter()
        .filter_map(|text| plain(text, report))
        .collect()
}

/// Keys that change nothing here, because Holm does the same or nothing for every container.
fn ignored(fields: &Object<'_>, report: &mut Report) {
    if let Some(restart) = fields.text("restart", report)
        && !matches!(restart.value, "unless-stopped" | "always" | "on-failure" | "no")
    {
        let message = format!("{} is not a way to restart", quoted(restart.value));
        report.error(
            &restart.at,
            "compose-restart",
            message,
            "write unless-stopped, or leave it out",
        );
    }
    let _ = plain_texts(fields, "cap_drop", report);
    if let Some(labels) = fields.get("labels") {
        report.warn(&labels.at, "compose-labels", "labels are not used", "remove them");
    }
    for option in fields.texts("security_opt", report) {
        if option.value != "no-new-privileges:true" {
            let message = format!("{} cannot be represented", quoted(option.value));
            report.error(
                &option.at,
                "compose-unsupported",
                message,
                "only no-new-privileges:true is possible, and always on",
            );
        }
    }
    for item in fields.list("expose", report) {
        let known = match &item.node.value {
            Value::Integer(number) => (1..=65535).contains(number),
            Value::Text(text) => port(
                text.strip_suffix("/tcp")
                    .or(text.strip_suffix("/udp"))
                    .unwrap_or(text),
            )
            .is_some(),
            _ => false,
        };
        if !known {
            report.error(
                &item.at,
                "compose-expose",
                "this is not a port",
                "write a number from 1 to 65535",
            );
        }
    }
}

/// Both forms of compose, the long one only where it says no more than the short one.
fn depends_on<'a>(fields: &Object<'a>, report: &mut Report) -> Vec<Text<'a>> {
    let Some(item) = fields.get("depends_on") else {
        return Vec::new();
    };
    if !matches!(item.node.value, Value::Object(_)) {
        return fields.texts("depends_on", report);
    }
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, value) in item.entries(report).unwrap_or_default() {
        let Some((condition, unknown)) = value.split(&["condition"], report) else {
            continue;
        };
        let started = condition.text("condition", report);
        for at in unknown.iter().map(|key| &key.at).chain(
            started
                .iter()
                .filter(|c| c.value != "service_started")
                .map(|c| &c.at),
        ) {
            let hint = "write condition: service_started, and let the program wait for what it needs";
            report.error(
                at,
                "compose-unsupported",
                "this condition cannot be represented",
                hint,
            );
        }
        if seen.insert(key.value) {
            names.push(Placed {
                value: key.value,
                at: key.at,
            });
        }
    }
    names
}

fn hint(key: &str) -> &'static str {
    match key {
        "ports" => "web pages go by backend; for peers declare the port in iptables_rules of the manifest",
        "privileged"
        | "network_mode"
        | "pid"
        | "ipc"
        | "uts"
        | "userns_mode"
        | "cgroup"
        | "cgroup_parent"
        | "devices"
        | "device_cgroup_rules"
        | "extra_hosts"
        | "sysctls"
        | "group_add"
        | "dns"
        | "links"
        | "runtime" => "a service sees only its own containers: remove it",
        "build" => "name an image pinned by digest",
        "env_file" | "secrets" | "configs" => {
            "write variables in environment, with ${PIC_SECRET_<NAME>} for secrets"
        }
        "tmpfs" => "mount a named volume",
        _ => "remove it",
    }
}
