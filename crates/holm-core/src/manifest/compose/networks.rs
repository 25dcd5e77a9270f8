//! `networks` of a template: one external network stands for the service's own; nothing else can be joined.

use super::super::{
    document::Value,
    field::{Item, Object},
    report::{Place, Report, Text, quoted},
};

const HINT: &str = "a service has one network of its own; declare one network with external: true, or none";

/// The networks that the template declares at top level.
pub(super) fn declared<'a>(root: &Object<'a>, report: &mut Report) -> Vec<&'a str> {
    let mut declared = Vec::new();
    for (key, item) in root.entries("networks", report) {
        declared.push(key.value);
        if declared.len() > 1 {
            report.error(
                &key.at,
                "compose-network",
                "a second network cannot be represented",
                HINT,
            );
            continue;
        }
        let external = match &item.node.value {
            Value::Object(_) => external(&item, report),
            _ => false,
        };
        if !external {
            report.error(
                &key.at,
                "compose-network",
                "a network of the template's own cannot be represented",
                HINT,
            );
        }
    }
    declared
}

fn external(item: &Item<'_>, report: &mut Report) -> bool {
    let Some((fields, unknown)) = item.split(&["external", "name"], report) else {
        return false;
    };
    for key in unknown {
        let message = format!("{} cannot be represented", quoted(key.value));
        report.error(&key.at, "compose-unsupported", message, HINT);
    }
    let _ = fields.text("name", report);
    fields
        .boolean("external", report)
        .is_some_and(|placed| placed.value)
}

/// The networks of one container; the place of its `ipv4_address` when it has the service's address.
pub(super) fn joined(fields: &Object<'_>, declared: &[&str], report: &mut Report) -> Option<Place> {
    let item = fields.get("networks")?;
    if matches!(item.node.value, Value::List(_)) {
        for text in fields.texts("networks", report) {
            known(&text, declared, report);
        }
        return None;
    }
    let mut address = None;
    for (key, item) in item.entries(report).unwrap_or_default() {
        known(&key, declared, report);
        if item.node.value == Value::Null {
            continue;
        }
        let Some((options, unknown)) = item.split(&["ipv4_address"], report) else {
            continue;
        };
        for key in unknown {
            let message = format!("{} cannot be represented", quoted(key.value));
            report.error(
                &key.at,
                "compose-unsupported",
                message,
                "write ipv4_address: ${SERVICE_IP}, or nothing",
            );
        }
        let Some(text) = options.text("ipv4_address", report) else {
            continue;
        };
        if text.value == "${SERVICE_IP}" {
            address = Some(text.at);
        } else {
            let message = format!("the address {} cannot be chosen", quoted(text.value));
            report.error(&text.at, "service-ip", message, "write ${SERVICE_IP}");
        }
    }
    address
}

fn known(name: &Text<'_>, declared: &[&str], report: &mut Report) {
    if !declared.contains(&name.value) {
        let message = format!("the network {} is not declared", quoted(name.value));
        report.error(&name.at, "compose-network", message, HINT);
    }
}
