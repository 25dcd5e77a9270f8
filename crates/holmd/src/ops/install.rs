//! `holm install`: a service from the store is to run, with the data that it had if it was here before.

use std::collections::BTreeMap;

use holm_core::{
    intent::ServiceIntent,
    manifest::{self, Finding, PackageFiles, Severity},
    model::{Service, Value},
    name::{ServiceId, SettingKey},
    target::Wanted,
    wire::{Operation, Verb},
};
use holm_trust::Verified;

use super::{Asked, Kind, OpError, put, service::being_purged, setting, store::no_cell};

/// Wants the package's service running. A removed one comes back with its data and settings; one that
/// is installed gets the package and settings given now, and keeps the settings that are not given.
///
/// # Errors
/// There is no cell; a check refuses the package or a setting; it is being purged; another service has
/// its host name.
pub fn install(
    asked: Asked<'_>,
    package: &Verified<PackageFiles>,
    config: &BTreeMap<SettingKey, Value>,
) -> Result<Operation, OpError> {
    let path = &package.get().path;
    let (service, warnings) = manifest::read(package.get()).map_err(|findings| {
        let title = format!("{path} was not installed: its package breaks the rules");
        let hint = "tell its author what is listed; nothing of it was run";
        OpError::new(Kind::Refused, "package-refused", title, hint).with(findings)
    })?;
    asked.change(|change| {
        change
            .cell()?
            .ok_or_else(|| no_cell(&format!("install {path}")))?;
        let services = change.services()?;
        let old = services.get(&service.id);
        if old.is_some_and(|old| old.wanted == Wanted::Purged) {
            return Err(being_purged("install", &service.id));
        }
        names_are_free(&service, &services)?;
        let none = BTreeMap::new();
        let kept = old.map_or(&none, |old| &old.settings);
        let settings = setting::merge(&service, kept, config).map_err(|findings| {
            let title = format!("{path} was not installed: its settings are not complete or not allowed");
            let hint = format!("type `holm install {path} --set KEY=VALUE` with what is listed");
            OpError::new(Kind::Refused, "settings-refused", title, hint).with(findings)
        })?;
        let new = ServiceIntent {
            service,
            wanted: Wanted::Running,
            settings,
            restarts: old.map_or(0, |old| old.restarts),
        };
        put(change, Verb::Install, old, &new, warnings)
    })
}

/// A host name belongs to the first service that is installed with it, until that one is removed.
fn names_are_free(service: &Service, services: &BTreeMap<ServiceId, ServiceIntent>) -> Result<(), OpError> {
    let holds = |other: &&ServiceIntent| {
        other.service.id != service.id && matches!(other.wanted, Wanted::Running | Wanted::Stopped)
    };
    let mut findings = Vec::new();
    let mut owners = Vec::new();
    for other in services.values().filter(holds) {
        for route in &service.routes {
            if other
                .service
                .routes
                .iter()
                .any(|taken| taken.subdomain == route.subdomain)
            {
                owners.push(other.service.id.as_str());
                findings.push(taken(route.subdomain.as_str(), &other.service.id));
            }
        }
    }
    let Some(owner) = owners.first() else {
        return Ok(());
    };
    let title = format!(
        "{} was not installed: its host name is taken by {owner}",
        service.id
    );
    let hint = format!("type `holm remove {owner}` first, which keeps the data of {owner}");
    Err(OpError::new(Kind::Conflict, "subdomain-taken", title, hint).with(findings))
}

fn taken(subdomain: &str, owner: &ServiceId) -> Finding {
    Finding {
        rule: "subdomain-taken".to_owned(),
        severity: Severity::Error,
        file: "manifest.json".to_owned(),
        field: "subdomain".to_owned(),
        line: 0,
        column: 0,
        message: format!("the host name {subdomain} belongs to {owner}"),
        hint: format!("remove {owner}, or have the package choose another name"),
    }
}
