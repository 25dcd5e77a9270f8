//! `POST /api/services/catalog/{id}/reconfigure`

use axum::extract::State;
use holm_core::wire::Reconfigure;

use super::{
    App, Fault,
    extract::{Body, Id},
    problem::Accepted,
};
use crate::ops;

/// Asks for other settings.
pub(super) async fn reconfigure(
    State(app): State<App>,
    Id(id): Id,
    Body(wish): Body<Reconfigure>,
) -> Result<Accepted, Fault> {
    app.ask(move |asked| ops::reconfigure(asked, &id, &wish)).await
}
