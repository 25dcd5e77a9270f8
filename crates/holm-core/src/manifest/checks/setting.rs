//! Rules `setting-*`: the fields that an admin may set, with defaults that keep their own bounds.

use std::collections::BTreeMap;

use super::{
    super::{
        document::Value as Raw,
        field::Item,
        report::{Report, Text, quoted},
        settings,
        v3::RawSetting,
    },
    name, people,
};
use crate::{
    model::{Setting, SettingKind, Value},
    name::SettingKey,
};

/// Checks `config_schema`. Keys are lower case, so their `PIC_CFG_` forms cannot collide.
pub(in crate::manifest) fn check(
    schema: &[(Text<'_>, RawSetting<'_>)],
    report: &mut Report,
) -> BTreeMap<SettingKey, Setting> {
    let mut checked = BTreeMap::new();
    for (key, raw) in schema {
        let key: Option<SettingKey> = name(key, "setting-key", report);
        let setting = setting(raw, report);
        checked.extend(key.zip(setting));
    }
    checked
}

fn setting(raw: &RawSetting<'_>, report: &mut Report) -> Option<Setting> {
    let label = raw
        .label
        .as_ref()
        .and_then(|text| people::check(text, 100, report));
    let kind = raw.kind.as_ref().and_then(|kind| self::kind(raw, kind, report))?;
    let required = raw.required.as_ref().is_some_and(|yes| yes.value);
    let mut setting = Setting {
        label: String::new(),
        required,
        kind,
    };
    if let Some(item) = &raw.default
        && let Some(value) = settings::default(&setting)
        && let Err(fault) = settings::fits(&setting, &value)
    {
        let message = format!("the default is not allowed: {fault}");
        report.error(
            &item.at,
            "setting-default",
            message,
            "change the default or its bounds",
        );
    }
    setting.label = label?;
    Some(setting)
}

fn kind(raw: &RawSetting<'_>, kind: &Text<'_>, report: &mut Report) -> Option<SettingKind> {
    let bounds = raw.min.iter().chain(&raw.max);
    if kind.value != "integer" {
        for bound in bounds {
            report.error(
                &bound.at,
                "setting-bounds",
                "only an integer has bounds",
                "remove it",
            );
        }
    } else if let (Some(min), Some(max)) = (&raw.min, &raw.max)
        && min.value > max.value
    {
        report.error(&max.at, "setting-bounds", "max is less than min", "swap them");
    }
    let default = match &raw.default {
        Some(item) => Some(default(item, kind.value, report)?),
        None => None,
    };
    match (kind.value, default) {
        ("string", None) => Some(SettingKind::String { default: None }),
        ("string", Some(Value::String(text))) => Some(SettingKind::String { default: Some(text) }),
        ("boolean", None) => Some(SettingKind::Boolean { default: None }),
        ("boolean", Some(Value::Boolean(yes))) => Some(SettingKind::Boolean { default: Some(yes) }),
        ("integer", default) => {
            let default = if let Some(Value::Integer(number)) = default {
                Some(number)
            } else {
                None
            };
            let bound =
                |bound: &Option<super::super::report::Placed<i64>>| bound.as_ref().map(|placed| placed.value);
            Some(SettingKind::Integer {
                default,
                min: bound(&raw.min),
                max: bound(&raw.max),
            })
        }
        _ => {
            let message = format!("{} is not a type of setting", quoted(kind.value));
            report.error(
                &kind.at,
                "setting-type",
                message,
                "write string, integer or boolean",
            );
            None
        }
    }
}

/// The default as a value, if it has the type that the setting says.
fn default(item: &Item<'_>, kind: &str, report: &mut Report) -> Option<Value> {
    let value = match (&item.node.value, kind) {
        (Raw::Text(text), "string") => Value::String(text.clone()),
        (Raw::Integer(number), "integer") => Value::Integer(*number),
        (Raw::Boolean(yes), "boolean") => Value::Boolean(*yes),
        (_, "string" | "integer" | "boolean") => {
            let message = format!(
                "the default is {}, but the type is {kind}",
                item.node.value.kind()
            );
            report.error(
                &item.at,
                "setting-default",
                message,
                format!("write a default of type {kind}"),
            );
            return None;
        }
        // The unknown type gets its own finding.
        _ => Value::Boolean(false),
    };
    Some(value)
}
