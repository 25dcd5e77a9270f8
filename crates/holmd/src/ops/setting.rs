//! Settings as people give them, made into values of the types that the service's schema says.

use std::collections::BTreeMap;

use holm_core::{
    manifest::{Finding, Severity, check_settings, parse_setting},
    model::{Service, Value},
    name::SettingKey,
};

/// `old` with `given` over it, checked whole, or everything that is wrong with it.
///
/// A text may stand for any type: a terminal has nothing else (`--set port=8080`), and the schema says
/// what it means. A value of another type must be of the setting's own.
pub(super) fn merge(
    service: &Service,
    old: &BTreeMap<SettingKey, Value>,
    given: &BTreeMap<SettingKey, Value>,
) -> Result<BTreeMap<SettingKey, Value>, Vec<Finding>> {
    // A newer package may have lost a setting: what nobody reads any more is not kept.
    let kept = old.iter().filter(|(key, _)| service.settings.contains_key(*key));
    let mut settings: BTreeMap<_, _> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut findings = Vec::new();
    for (key, value) in given {
        let parsed = match (value, service.settings.get(key)) {
            (Value::String(text), Some(setting)) => parse_setting(setting, text),
            _ => Ok(value.clone()),
        };
        let value = parsed.unwrap_or_else(|fault| {
            findings.push(finding(key, fault));
            value.clone()
        });
        settings.insert(key.clone(), value);
    }
    // The check would say of a text that could not be parsed only that it is a text.
    let said: Vec<String> = findings.iter().map(|finding| finding.field.clone()).collect();
    findings.extend(
        check_settings(service, &settings)
            .into_iter()
            .filter(|finding| !said.contains(&finding.field)),
    );
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    Ok(settings)
}

fn finding(key: &SettingKey, message: String) -> Finding {
    Finding {
        rule: "setting-value".to_owned(),
        severity: Severity::Error,
        file: "config".to_owned(),
        field: key.as_str().to_owned(),
        line: 0,
        column: 0,
        message,
        hint: format!("give {key} another value"),
    }
}
