//! `GET /api/status`: everything that was asked beside everything that the loop knows, with its age.

use axum::{Json, extract::State};
use holm_core::{
    intent::ServiceIntent,
    name::Domain,
    wire::Wanted,
    wire::{ServiceState, ServiceStatus, Status},
};

use super::{App, Fault, cell};
use crate::view::{Owner, View};

/// The whole cell.
pub(super) async fn status(State(app): State<App>) -> Result<Json<Status>, Fault> {
    let (asked, row) = app
        .read(|db| Ok::<_, crate::db::DbError>((db.intent()?, db.cell()?)))
        .await?;
    let view = app.view.borrow().clone();
    let mut core = left(&view.core);
    // An unreadable certificate must not hide the rest, nor pass for one that is not made yet.
    let pem = app.outside.ca_certificate().await.unwrap_or_else(|error| {
        core.push(error.to_string());
        None
    });
    let services = asked.intent.iter().flat_map(|intent| {
        let domain = &intent.cell.domain;
        intent
            .services
            .values()
            .map(|service| one(service, domain, &view))
    });
    Ok(Json(Status {
        services: services.collect(),
        cell: row.map(|row| cell::with_ca(row, pem.as_deref())),
        generation: view.generation,
        seen_at: view.seen_at,
        settled: asked.intent.is_some() && view.settled && view.revision >= asked.revision,
        core,
    }))
}

/// One service: what was asked for it, and what the loop knows of it.
pub(super) fn one(asked: &ServiceIntent, domain: &Domain, view: &View) -> ServiceStatus {
    let service = &asked.service;
    let seen = view.services.get(&service.id);
    let routed = matches!(asked.wanted, Wanted::Running | Wanted::Stopped);
    let urls = service.routes.iter().filter(|_| routed);
    ServiceStatus {
        id: service.id.clone(),
        name: service.name.clone(),
        version: service.version.clone(),
        wanted: asked.wanted,
        state: state(asked.wanted, seen.map(|seen| seen.state)),
        detail: match seen {
            Some(seen) => left(&seen.owner),
            None => vec!["holmd has not looked at it yet".to_owned()],
        },
        urls: urls
            .map(|route| format!("https://{}.{domain}/", route.subdomain))
            .collect(),
        containers: seen.map(|seen| seen.containers.clone()).unwrap_or_default(),
    }
}

/// What was seen, unless the wish is newer than the look and wants something else.
fn state(wanted: Wanted, seen: Option<ServiceState>) -> ServiceState {
    use ServiceState::{Changing, Failing, Removed, Serving, Stopped};
    match (wanted, seen) {
        (_, Some(Failing)) => Failing,
        (Wanted::Running, Some(Serving)) => Serving,
        (Wanted::Stopped, Some(Stopped)) => Stopped,
        (Wanted::Removed, Some(Removed)) => Removed,
        _ => Changing,
    }
}

/// What is left, the failure first.
fn left(owner: &Owner) -> Vec<String> {
    let failing = owner.failing.iter().map(|failing| failing.reason.clone());
    failing.chain(owner.doing.iter().cloned()).collect()
}
