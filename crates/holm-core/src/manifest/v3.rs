//! `schema_version: 3`, the raw document: fields and types only, every meaning is left to the checks.

use super::{
    document::Node,
    field::{Item, Object},
    report::{Place, Placed, Report, Text},
};

const FIELDS: [&str; 30] = [
    "schema_version",
    "id",
    "name",
    "description",
    "version",
    "author",
    "kind",
    "min_pic_version",
    "capabilities",
    "subdomain",
    "extra_subdomains",
    "backend",
    "extra_backends",
    "containers",
    "config_schema",
    "peer_config_template",
    "accounts",
    "compose",
    "backup",
    "egress",
    "storage",
    "image",
    "container_name",
    "volumes",
    "env",
    "iptables_rules",
    "caddy_route",
    "requires",
    "instanceable",
    "cap_add",
];
/// Only document 002 has it, and only to say that it must be checked.
const PROVISION_HOOK: &str = "provision_hook";

/// The six flags of `capabilities`, in the guide's order.
pub(super) const FLAGS: [&str; 6] = [
    "has_subdomain",
    "has_accounts",
    "has_admin_config",
    "has_storage",
    "has_egress",
    "has_api_hooks",
];

/// A manifest of schema version 3.
#[derive(Debug)]
pub(super) struct V3<'a> {
    pub fields: Object<'a>,
    pub id: Option<Text<'a>>,
    pub name: Option<Text<'a>>,
    pub description: Option<Text<'a>>,
    pub version: Option<Text<'a>>,
    pub author: Option<Text<'a>>,
    pub kind: Option<Text<'a>>,
    pub min_pic_version: Option<Text<'a>>,
    pub flags: Flags,
    pub subdomain: Option<Text<'a>>,
    pub extra_subdomains: Vec<Text<'a>>,
    pub backend: Option<Text<'a>>,
    pub extra_backends: Vec<(Text<'a>, Text<'a>)>,
    pub containers: Vec<Text<'a>>,
    pub config_schema: Vec<(Text<'a>, RawSetting<'a>)>,
    pub peer_config_template: Vec<(Text<'a>, Text<'a>)>,
    pub accounts: Option<Object<'a>>,
    pub backup: Option<Object<'a>>,
    pub egress: Option<Object<'a>>,
    pub storage: Option<Object<'a>>,
    pub image: Option<Text<'a>>,
    pub container_name: Option<Text<'a>>,
    pub volumes: Vec<RawVolume<'a>>,
    pub env: Vec<(Text<'a>, Text<'a>)>,
    pub iptables_rules: Vec<RawRule<'a>>,
    pub caddy_route: Option<Text<'a>>,
    pub requires: Vec<Text<'a>>,
    pub instanceable: Option<Placed<bool>>,
    pub cap_add: Vec<Text<'a>>,
}

/// `capabilities`: a flag that is missing or of a wrong type counts as false after its finding.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub at: Place,
    values: [bool; 6],
}

impl Flags {
    pub fn has(&self, flag: &str) -> bool {
        FLAGS
            .iter()
            .zip(self.values)
            .any(|(name, value)| *name == flag && value)
    }
}

/// An element of `volumes`.
#[derive(Debug)]
pub(super) struct RawVolume<'a> {
    pub name: Text<'a>,
    pub mount: Text<'a>,
}

/// An element of `iptables_rules`.
#[derive(Debug)]
pub(super) struct RawRule<'a> {
    pub kind: Option<Text<'a>>,
    pub dest_ip: Option<Text<'a>>,
    pub dest_port: Option<Placed<i64>>,
    pub proto: Option<Text<'a>>,
}

/// A value of `config_schema`.
#[derive(Debug)]
pub(super) struct RawSetting<'a> {
    pub kind: Option<Text<'a>>,
    pub label: Option<Text<'a>>,
    pub required: Option<Placed<bool>>,
    pub default: Option<Item<'a>>,
    pub min: Option<Placed<i64>>,
    pub max: Option<Placed<i64>>,
}

/// Reads the shape of the document; `None` when it is no object at all.
pub(super) fn read<'a>(node: &'a Node, report: &mut Report) -> Option<V3<'a>> {
    let known: Vec<&str> = FIELDS.into_iter().chain([PROVISION_HOOK]).collect();
    let object = Item::root(node).object(&known, report)?;
    refused(&object, report);
    let builtin = object.get("kind").is_some_and(|kind| is_text(kind, "builtin"));
    let store_text = |key: &str, report: &mut Report| {
        if builtin {
            object.text(key, report)
        } else {
            object.need_text(key, report)
        }
    };
    Some(V3 {
        id: object.need_text("id", report),
        name: object.need_text("name", report),
        description: object.need_text("description", report),
        version: object.need_text("version", report),
        author: object.need_text("author", report),
        kind: object.need_text("kind", report),
        min_pic_version: object.text("min_pic_version", report),
        flags: flags(&object, report),
        subdomain: object.text("subdomain", report),
        extra_subdomains: object.texts("extra_subdomains", report),
        backend: object.text("backend", report),
        extra_backends: text_map(&object, "extra_backends", report),
        containers: object.texts("containers", report),
        config_schema: settings(&object, report),
        peer_config_template: text_map(&object, "peer_config_template", report),
        accounts: block(&object, "accounts", &["manager", "credentials"], report),
        backup: block(&object, "backup", &["volumes", "config_paths"], report),
        egress: block(&object, "egress", &["default", "allowed"], report),
        storage: block(&object, "storage", &["primary_path", "quota_mb"], report),
        image: store_text("image", report),
        container_name: store_text("container_name", report),
        volumes: volumes(&object, report),
        env: env(&object, report),
        iptables_rules: rules(&object, report),
        caddy_route: block(&object, "caddy_route", &["subdomain"], report)
            .and_then(|route| route.need_text("subdomain", report)),
        requires: object.texts("requires", report),
        instanceable: object.boolean("instanceable", report),
        cap_add: object.texts("cap_add", report),
        fields: object,
    })
}

fn is_text(item: &Item<'_>, text: &str) -> bool {
    matches!(&item.node.value, super::document::Value::Text(found) if found == text)
}

/// Fields that may only be null.
fn refused(object: &Object<'_>, report: &mut Report) {
    if let Some(item) = object.get("compose") {
        let hint = "write null; containers are described in compose-template.yml";
        report.error(
            &item.at,
            "compose-null",
            "compose must be null in a manifest",
            hint,
        );
    }
    if let Some(item) = object.get(PROVISION_HOOK) {
        let hint = "remove it; prepare data in the image's own entrypoint";
        report.error(
            &item.at,
            "provision-hook",
            "a provision_hook is not run by Holm",
            hint,
        );
    }
}

fn flags(object: &Object<'_>, report: &mut Report) -> Flags {
    let Some(flags) = object
        .need("capabilities", report)
        .and_then(|item| item.object(&FLAGS, report))
    else {
        return Flags::default();
    };
    let values = FLAGS.map(|flag| {
        flags
            .need(flag, report)
            .and_then(|item| item.boolean(report))
            .is_some_and(|placed| placed.value)
    });
    Flags { at: flags.at, values }
}

fn block<'a>(object: &Object<'a>, key: &str, known: &[&str], report: &mut Report) -> Option<Object<'a>> {
    object.get(key)?.object(known, report)
}

fn text_map<'a>(object: &Object<'a>, key: &str, report: &mut Report) -> Vec<(Text<'a>, Text<'a>)> {
    let entries = object.entries(key, report);
    entries
        .into_iter()
        .filter_map(|(key, item)| Some((key, item.text(report)?)))
        .collect()
}

fn settings<'a>(object: &Object<'a>, report: &mut Report) -> Vec<(Text<'a>, RawSetting<'a>)> {
    let mut settings = Vec::new();
    for (key, item) in object.entries("config_schema", report) {
        let known = ["type", "label", "required", "default", "min", "max"];
        let Some(fields) = item.object(&known, report) else {
            continue;
        };
        let setting = RawSetting {
            kind: fields.need_text("type", report),
            label: fields.need_text("label", report),
            required: fields.boolean("required", report),
            default: fields.get("default").cloned(),
            min: fields.integer("min", report),
            max: fields.integer("max", report),
        };
        settings.push((key, setting));
    }
    settings
}

fn volumes<'a>(object: &Object<'a>, report: &mut Report) -> Vec<RawVolume<'a>> {
    let mut volumes = Vec::new();
    for item in object.list("volumes", report) {
        let Some(fields) = item.object(&["name", "mount"], report) else {
            continue;
        };
        let (name, mount) = (
            fields.need_text("name", report),
            fields.need_text("mount", report),
        );
        if let (Some(name), Some(mount)) = (name, mount) {
            volumes.push(RawVolume { name, mount });
        }
    }
    volumes
}

fn env<'a>(object: &Object<'a>, report: &mut Report) -> Vec<(Text<'a>, Text<'a>)> {
    let mut env = Vec::new();
    for item in object.list("env", report) {
        let Some(fields) = item.object(&["key", "value"], report) else {
            continue;
        };
        let (key, value) = (fields.need_text("key", report), fields.need_text("value", report));
        env.extend(key.zip(value));
    }
    env
}

fn rules<'a>(object: &Object<'a>, report: &mut Report) -> Vec<RawRule<'a>> {
    let mut rules = Vec::new();
    for item in object.list("iptables_rules", report) {
        let known = ["type", "dest_ip", "dest_port", "proto"];
        let Some(fields) = item.object(&known, report) else {
            continue;
        };
        rules.push(RawRule {
            kind: fields.need_text("type", report),
            dest_ip: fields.need_text("dest_ip", report),
            dest_port: fields
                .need("dest_port", report)
                .and_then(|port| port.integer(report)),
            proto: fields.text("proto", report),
        });
    }
    rules
}
