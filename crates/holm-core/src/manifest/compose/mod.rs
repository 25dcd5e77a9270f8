//! A compose template as an input format: translated into containers, or refused with the line.
//!
//! It is never run by a compose tool, so a key is either understood here or refused: a key that is
//! skipped in silence would run another service than the author wrote.

mod command;
mod environment;
mod mounts;
mod networks;
mod order;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    checks::{self, Names},
    document::{self, Value},
    field::{Item, Object},
    report::{Place, Report, Text, quoted},
    template::Variables,
    upgrade::Containers,
};
use crate::{
    model::Setting,
    name::{ContainerName, SettingKey, VolumeName},
};

/// More containers than this do not fit into the largest block of addresses with room to spare.
const MOST_CONTAINERS: usize = 32;

/// What the fields of a compose service refer to.
#[derive(Debug)]
struct Context<'a> {
    variables: Variables<'a>,
    volumes: BTreeSet<VolumeName>,
    networks: Vec<&'a str>,
}

/// Reads a template. `volumes` are those that the manifest declares besides.
pub(super) fn read(
    bytes: &[u8],
    settings: &BTreeMap<SettingKey, Setting>,
    volumes: BTreeSet<VolumeName>,
    report: &mut Report,
) -> Option<Containers> {
    let node = document::yaml(bytes, report)?;
    let known = ["services", "volumes", "networks", "version", "name"];
    let (root, unknown) = Item::root(&node).split(&known, report)?;
    for key in unknown {
        let message = format!("{} cannot be represented", quoted(key.value));
        report.error(
            &key.at,
            "compose-unsupported",
            message,
            "describe services, volumes and networks only",
        );
    }
    let variables = Variables {
        settings,
        secrets: BTreeSet::new(),
    };
    let mut context = Context {
        variables,
        volumes,
        networks: networks::declared(&root, report),
    };
    declared_volumes(&root, &mut context, report);
    let drafts = services(&root, &mut context, report)?;
    assemble(drafts, context, report)
}

/// Top-level `volumes`: names, each with nothing in it, since every option names something of the host.
fn declared_volumes(root: &Object<'_>, context: &mut Context<'_>, report: &mut Report) {
    for (key, item) in root.entries("volumes", report) {
        if item.node.value != Value::Null
            && !matches!(&item.node.value, Value::Object(entries) if entries.is_empty())
        {
            let message = "a volume's options cannot be represented";
            report.error(
                &item.at,
                "compose-volume",
                message,
                "write the name alone; Holm makes the volume",
            );
        }
        context
            .volumes
            .extend(checks::name::<VolumeName>(&key, "volume-name", report));
    }
}

fn services<'a>(
    root: &Object<'a>,
    context: &mut Context<'_>,
    report: &mut Report,
) -> Option<Vec<service::Draft<'a>>> {
    let item = root.need("services", report)?.clone();
    let entries = item.entries(report)?;
    if entries.is_empty() || entries.len() > MOST_CONTAINERS {
        let message = format!("{} containers are described", entries.len());
        report.error(
            &item.at,
            "compose-services",
            message,
            format!("describe 1 to {MOST_CONTAINERS}"),
        );
        return None;
    }
    let mut drafts = Vec::new();
    for (key, item) in entries {
        // Read also under a bad name, so that its other faults are named at once, and a backend that
        // names it is not one more. The package is refused by then, so the stand-in goes nowhere.
        let name = container_name(&key, report).or_else(|| "main".parse().ok())?;
        drafts.push(service::read(key, name, &item, context, report));
    }
    // One that is no object at all leaves names unknown, about which nothing true could be said.
    drafts.into_iter().collect()
}

fn container_name(key: &Text<'_>, report: &mut Report) -> Option<ContainerName> {
    if key.value.parse::<ContainerName>().is_err()
        && let Ok(better) = key
            .value
            .to_ascii_lowercase()
            .replace('_', "-")
            .parse::<ContainerName>()
    {
        let message = format!(
            "{} cannot name a container, since it is its host name too",
            quoted(key.value)
        );
        report.error(&key.at, "container-name", message, format!("write {better}"));
        return None;
    }
    checks::name(key, "container-name", report)
}

/// Puts the containers into start order and collects every name that leads to them.
fn assemble(
    drafts: Vec<service::Draft<'_>>,
    context: Context<'_>,
    report: &mut Report,
) -> Option<Containers> {
    let mut names = Names::new();
    for draft in &drafts {
        name_once(&mut names, draft.key.value, &draft.name, &draft.key.at, report);
        if let Some(alias) = draft
            .alias
            .as_ref()
            .filter(|alias| alias.value != draft.key.value)
        {
            name_once(&mut names, alias.value, &draft.name, &alias.at, report);
        }
    }
    let mut service_ip: Option<(ContainerName, Place)> = None;
    for draft in &drafts {
        let Some(at) = &draft.service_ip else { continue };
        if service_ip.is_some() {
            report.error(
                at,
                "service-ip",
                "two containers want the service's address",
                "give it to one",
            );
        }
        service_ip.get_or_insert_with(|| (draft.name.clone(), at.clone()));
    }
    let order = order::starts(&drafts, report)?;
    let images = drafts
        .iter()
        .filter_map(|draft| Some(draft.image.as_ref()?.value.to_owned()))
        .collect();
    let mut containers: Vec<Option<_>> = drafts.into_iter().map(|draft| draft.container).collect();
    Some(Containers {
        list: order
            .into_iter()
            .filter_map(|index| containers[index].take())
            .collect(),
        names,
        service_ip,
        images,
        volumes: context.volumes,
        secrets: context.variables.secrets,
    })
}

fn name_once(names: &mut Names, text: &str, container: &ContainerName, at: &Place, report: &mut Report) {
    let first = names.entry(text.to_owned()).or_insert_with(|| container.clone());
    if first != container {
        let message = format!("{} already names another container", quoted(text));
        report.error(
            at,
            "container-name-duplicate",
            message,
            "give each container a name of its own",
        );
    }
}
