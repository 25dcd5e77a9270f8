//! Values that an admin gives to settings: checked against the schema, and parsed from `--set key=value`.

use std::collections::BTreeMap;

use super::{
    finding::Finding,
    report::{Place, Report},
};
use crate::{
    model::{Service, Setting, SettingKind, Value},
    name::SettingKey,
};

/// Most characters in a text of an admin's.
const MOST_CHARACTERS: usize = 4096;

/// The file that findings on settings name: the `config` object of the request.
const FILE: &str = "config";

/// Checks everything that is set for a service, which need not be complete where defaults are.
/// Empty when the service can run with it.
pub fn check_settings(service: &Service, set: &BTreeMap<SettingKey, Value>) -> Vec<Finding> {
    let mut report = Report::new(FILE);
    let at = |key: &SettingKey| Place {
        field: key.as_str().to_owned(),
        ..Place::default()
    };
    for (key, value) in set {
        let Some(setting) = service.settings.get(key) else {
            let known: Vec<&str> = service.settings.keys().map(SettingKey::as_str).collect();
            let hint = match known.as_slice() {
                [] => "this service has no settings".to_owned(),
                known => format!("its settings are: {}", known.join(" ")),
            };
            report.error(
                &at(key),
                "setting-unknown",
                "the service has no such setting",
                hint,
            );
            continue;
        };
        if let Err(fault) = fits(setting, value) {
            report.error(
                &at(key),
                "setting-value",
                fault,
                format!("set {} to {}", key.as_str(), wanted(setting)),
            );
        }
    }
    for (key, setting) in &service.settings {
        if setting.required && !set.contains_key(key) && default(setting).is_none() {
            let message = format!("{:?} must be set before the service can start", setting.label);
            report.error(
                &at(key),
                "setting-required",
                message,
                format!("set {} to {}", key.as_str(), wanted(setting)),
            );
        }
    }
    report.into_findings()
}

/// Parses the text of `--set key=value` by the type of the setting.
///
/// # Errors
/// What is wrong with the text and what would be right, for a terminal.
pub fn parse_setting(setting: &Setting, text: &str) -> Result<Value, String> {
    let value = match setting.kind {
        SettingKind::String { .. } => Value::String(text.to_owned()),
        // One spelling only: `+5` and `005` are more often a slip than a number.
        SettingKind::Integer { .. } => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::Integer(number),
            _ => return Err(format!("this must be {}", wanted(setting))),
        },
        SettingKind::Boolean { .. } => match text {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => return Err(format!("this must be {}", wanted(setting))),
        },
    };
    fits(setting, &value)?;
    Ok(value)
}

/// Whether a value has the setting's type and keeps its bounds; else what is wrong.
pub(super) fn fits(setting: &Setting, value: &Value) -> Result<(), String> {
    match (&setting.kind, value) {
        (SettingKind::String { .. }, Value::String(text)) => {
            // The value goes into environments and commands of the service.
            if text
                .chars()
                .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
            {
                return Err("the text has a line break or another control character".to_owned());
            }
            if text.chars().count() > MOST_CHARACTERS {
                return Err(format!("the text has more than {MOST_CHARACTERS} characters"));
            }
            Ok(())
        }
        (SettingKind::Integer { min, max, .. }, Value::Integer(number)) => {
            let inside = min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max);
            if inside {
                Ok(())
            } else {
                Err(format!(
                    "{number} is out of bounds: this must be {}",
                    wanted(setting)
                ))
            }
        }
        (SettingKind::Boolean { .. }, Value::Boolean(_)) => Ok(()),
        _ => Err(format!(
            "the value has the wrong type: this must be {}",
            wanted(setting)
        )),
    }
}

/// What a setting has until an admin sets it.
pub(super) fn default(setting: &Setting) -> Option<Value> {
    match &setting.kind {
        SettingKind::String { default } => default.clone().map(Value::String),
        SettingKind::Integer { default, .. } => default.map(Value::Integer),
        SettingKind::Boolean { default } => default.map(Value::Boolean),
    }
}

fn wanted(setting: &Setting) -> String {
    match &setting.kind {
        SettingKind::String { .. } => format!("one line of at most {MOST_CHARACTERS} characters"),
        SettingKind::Boolean { .. } => "true or false".to_owned(),
        SettingKind::Integer {
            min: Some(min),
            max: Some(max),
            ..
        } => format!("an integer from {min} to {max}"),
        SettingKind::Integer { min: Some(min), .. } => format!("an integer of at least {min}"),
        SettingKind::Integer { max: Some(max), .. } => format!("an integer of at most {max}"),
        SettingKind::Integer { .. } => "an integer".to_owned(),
    }
}
