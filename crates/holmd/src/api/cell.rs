//! `GET` and `POST /api/cell`: what the cell is, and `holm init`.

use axum::{Json, extract::State, http::StatusCode};
use holm_core::wire::{CellInfo, Init};

use super::{App, Fault, OutsideError, ca, extract::Body, problem::Accepted};
use crate::{db::CellRow, ops};

/// What the cell is.
pub(super) async fn cell(State(app): State<App>) -> Result<Json<CellInfo>, Fault> {
    let row = app.read(crate::db::Db::cell).await?.ok_or_else(|| {
        let detail = "type `holm init --domain alice.test --store DIRECTORY` with your own domain";
        Fault::new(StatusCode::NOT_FOUND, "no-cell", "there is no cell yet", detail)
    })?;
    Ok(Json(told(&app, row).await?))
}

/// Asks for the cell.
pub(super) async fn init(State(app): State<App>, Body(wish): Body<Init>) -> Result<Accepted, Fault> {
    app.ask(move |asked| ops::init(asked, &wish)).await
}

/// The cell with its certificate's fingerprint, once there is one.
pub(super) async fn told(app: &App, row: CellRow) -> Result<CellInfo, OutsideError> {
    let pem = app.outside.ca_certificate().await?;
    Ok(with_ca(row, pem.as_deref()))
}

/// The cell with the fingerprint of `pem`.
pub(super) fn with_ca(row: CellRow, pem: Option<&str>) -> CellInfo {
    CellInfo {
        name: row.intent.name,
        domain: row.intent.domain,
        pool: row.intent.pool,
        store: row.store,
        ca_sha256: pem.and_then(ca::fingerprint),
    }
}
