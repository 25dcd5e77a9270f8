//! `DELETE /api/services/catalog/{id}`, and with `?purge=<id>` of its data too.

use axum::extract::{Query, State, rejection::QueryRejection};
use serde::Deserialize;

use super::{
    App, Fault,
    extract::{Id, query},
    problem::Accepted,
};
use crate::ops;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// The service's id once more: without it, data is kept.
    purge: Option<String>,
}

/// Asks for removal, or for a purge when that is confirmed.
pub(super) async fn remove(
    State(app): State<App>,
    Id(id): Id,
    how: Result<Query<How>, QueryRejection>,
) -> Result<Accepted, Fault> {
    let how = query(how)?;
    app.ask(move |asked| match how.purge {
        None => ops::remove(asked, &id),
        Some(confirmation) => ops::purge(asked, &id, &confirmation),
    })
    .await
}
