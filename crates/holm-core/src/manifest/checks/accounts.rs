//! Rules `accounts-*` and `peer-template`: the shape of what a service wants to do for each person.

use super::{
    super::{
        report::{Report, Text, quoted},
        v3::V3,
    },
    is_shown, name,
};
use crate::name::SettingKey;

/// Checks `accounts` and `peer_config_template`.
pub(in crate::manifest) fn check(raw: &V3<'_>, report: &mut Report) {
    let mut credentials = Vec::new();
    if let Some(accounts) = &raw.accounts {
        if let Some(manager) = accounts.need_text("manager", report)
            && manager.value != "http"
            && raw.kind.as_ref().is_none_or(|kind| kind.value != "builtin")
        {
            let message = format!(
                "{} is no way to make accounts in a store service",
                quoted(manager.value)
            );
            report.error(&manager.at, "accounts-manager", message, "write http");
        }
        if accounts.need("credentials", report).is_some() {
            credentials = accounts.texts("credentials", report);
        }
    }
    for (index, text) in credentials.iter().enumerate() {
        if name::<SettingKey>(text, "accounts-credential", report).is_some()
            && credentials[..index].iter().any(|other| other.value == text.value)
        {
            report.error(
                &text.at,
                "accounts-credential",
                "this credential is named twice",
                "name it once",
            );
        }
    }
    for (key, value) in &raw.peer_config_template {
        let _: Option<SettingKey> = name(key, "peer-template", report);
        if value.value.len() > 1024 || !value.value.chars().all(is_shown) {
            let message = "the value is longer than 1024 bytes or has control characters";
            report.error(&value.at, "peer-template", message, "write it on one line");
            continue;
        }
        tokens(value, raw, &credentials, report);
    }
}

/// Every `{...}` must be a known token: an unknown one would reach a person's device as it stands.
fn tokens(value: &Text<'_>, raw: &V3<'_>, credentials: &[Text<'_>], report: &mut Report) {
    let mut rest = value.value;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((token, next)) = after.split_once('}') else {
            report.error(
                &value.at,
                "peer-template",
                "a { has no } after it",
                "close the token",
            );
            return;
        };
        rest = next;
        if !known(token, raw, credentials) {
            let message = format!("{} is not a token of this service", quoted(token));
            let hint = "use {domain}, {peer.username}, {peer.service_credentials.<own id>.<credential>} or {config.<key>}";
            report.error(&value.at, "peer-template", message, hint);
        }
    }
}

fn known(token: &str, raw: &V3<'_>, credentials: &[Text<'_>]) -> bool {
    if let Some(key) = token.strip_prefix("config.") {
        return raw.config_schema.iter().any(|(name, _)| name.value == key);
    }
    if let Some((id, field)) = token
        .strip_prefix("peer.service_credentials.")
        .and_then(|path| path.split_once('.'))
    {
        return raw.id.as_ref().is_some_and(|own| own.value == id)
            && credentials.iter().any(|credential| credential.value == field);
    }
    matches!(token, "domain" | "peer.username")
}
