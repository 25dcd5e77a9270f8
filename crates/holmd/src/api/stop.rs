//! `POST /api/services/catalog/{id}/stop`

use axum::extract::State;

use super::{App, Fault, extract::Id, problem::Accepted};
use crate::ops;

/// Asks for it.
pub(super) async fn stop(State(app): State<App>, Id(id): Id) -> Result<Accepted, Fault> {
    app.ask(move |asked| ops::stop(asked, &id)).await
}
