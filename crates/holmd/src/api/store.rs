//! `GET /api/store`: what can be installed.

use axum::{Json, extract::State};
use holm_core::wire::StoreEntry;

use super::{App, Fault};
use crate::ops;

/// The store's index.
pub(super) async fn store(State(app): State<App>) -> Result<Json<Vec<StoreEntry>>, Fault> {
    let entries = app.read(ops::catalogue).await?;
    Ok(Json(entries.into_inner()))
}
