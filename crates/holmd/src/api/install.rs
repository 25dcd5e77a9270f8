//! `POST /api/services/catalog/{id}/install`

use axum::extract::State;
use holm_core::wire::Install;

use super::{
    App, Fault,
    extract::{Body, Id},
    problem::Accepted,
};
use crate::ops;

/// Opens the store's package, and asks for its installation.
pub(super) async fn install(
    State(app): State<App>,
    Id(id): Id,
    Body(Install { config }): Body<Install>,
) -> Result<Accepted, Fault> {
    app.ask(move |asked| {
        let package = ops::package(asked.db, &id)?;
        ops::install(asked, &package, &config)
    })
    .await
}
