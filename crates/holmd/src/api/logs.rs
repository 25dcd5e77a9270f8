//! `GET /api/services/catalog/{id}/logs`: what a service's container wrote, as plain lines.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::IntoResponse,
};
use holm_core::{
    model::{Container, Service},
    name::ContainerName,
};
use serde::Deserialize;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

use super::{
    App, Fault,
    extract::{Id, query},
    service,
};

/// Lines when nobody says how many.
const LINES: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Also lines to come.
    #[serde(default)]
    follow: bool,
    /// How many of the last lines.
    tail: Option<u32>,
    /// A name of it in the package; the main one when absent.
    container: Option<String>,
}

/// Streams the lines.
pub(super) async fn logs(
    State(app): State<App>,
    Id(id): Id,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<impl IntoResponse, Fault> {
    let which = query(which)?;
    let (_, service) = service::find(&app, &id).await?;
    let package = service.service;
    let container = match &which.container {
        None => &package.main,
        Some(name) => find(&package, name)?,
    };
    let tail = which.tail.unwrap_or(LINES);
    let lines = app.outside.logs(&id, container, which.follow, tail).await?;
    let body = Body::from_stream(ReceiverStream::new(lines).map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body))
}

/// A container by its name, or by another one that the package gave it.
fn find<'a>(package: &'a Service, name: &str) -> Result<&'a ContainerName, Fault> {
    let bears = |container: &&Container| {
        container.name.as_str() == name || container.aliases.iter().any(|alias| alias.as_str() == name)
    };
    let found = package.containers.iter().find(bears);
    found.map(|container| &container.name).ok_or_else(|| {
        let names = package.containers.iter().map(|container| container.name.as_str());
        let names: Vec<&str> = names.collect();
        // The name is shown as a literal: it is the caller's text, and may hold anything.
        let title = format!("{} has no container {name:?}", package.id);
        let detail = format!("its containers are: {}", names.join(" "));
        Fault::new(StatusCode::NOT_FOUND, "no-container", title, detail)
    })
}
