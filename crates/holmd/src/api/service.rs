//! `GET /api/services/catalog/{id}/status`, and the look-up of a service for those that only read.

use axum::{Json, extract::State, http::StatusCode};
use holm_core::{intent::ServiceIntent, name::Domain, name::ServiceId, wire::ServiceStatus};

use super::{App, Fault, extract::Id, status};
use crate::db::Db;

/// One service.
pub(super) async fn service(State(app): State<App>, Id(id): Id) -> Result<Json<ServiceStatus>, Fault> {
    let (domain, service) = find(&app, &id).await?;
    let view = app.view.borrow();
    Ok(Json(status::one(&service, &domain, &view)))
}

/// The cell's domain and a service of it.
pub(super) async fn find(app: &App, id: &ServiceId) -> Result<(Domain, ServiceIntent), Fault> {
    let asked = app.read(Db::intent).await?;
    let found = asked.intent.and_then(|mut intent| {
        let service = intent.services.remove(id)?;
        Some((intent.cell.domain, service))
    });
    found.ok_or_else(|| {
        let title = format!("{id} is not installed");
        let detail = "type `holm status` to see what is, and `holm store` to see what can be";
        Fault::new(StatusCode::NOT_FOUND, "not-installed", title, detail)
    })
}
