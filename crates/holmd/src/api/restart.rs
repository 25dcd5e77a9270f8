//! `POST /api/services/catalog/{id}/restart`

use axum::extract::State;

use super::{App, Fault, extract::Id, problem::Accepted};
use crate::ops;

/// Asks for it.
pub(super) async fn restart(State(app): State<App>, Id(id): Id) -> Result<Accepted, Fault> {
    app.ask(move |asked| ops::restart(asked, &id)).await
}
