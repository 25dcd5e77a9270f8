//! `GET /api/services`: every service that was ever installed and not yet purged.

use axum::{Json, extract::State};
use holm_core::wire::ServiceStatus;

use super::{App, Fault, status};
use crate::db::Db;

/// All services.
pub(super) async fn services(State(app): State<App>) -> Result<Json<Vec<ServiceStatus>>, Fault> {
    let asked = app.read(Db::intent).await?;
    let view = app.view.borrow();
    let Some(intent) = asked.intent else {
        return Ok(Json(Vec::new()));
    };
    let told = |service| status::one(service, &intent.cell.domain, &view);
    Ok(Json(intent.services.values().map(told).collect()))
}
