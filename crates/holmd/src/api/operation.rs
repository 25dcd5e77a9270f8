//! `GET /api/operations/{id}`

use axum::{Json, extract::State, http::StatusCode};
use holm_core::wire::Operation;

use super::{App, Fault, extract::Number, progress};

/// The operation as it stands now.
pub(super) async fn operation(
    State(app): State<App>,
    Number(number): Number,
) -> Result<Json<Operation>, Fault> {
    now(&app, number).await.map(Json)
}

/// The operation as it stands now.
pub(super) async fn now(app: &App, number: u64) -> Result<Operation, Fault> {
    let row = app.read(move |db| db.operation(number)).await?.ok_or_else(|| {
        let title = format!("there is no operation {number}, or it is long over");
        Fault::new(
            StatusCode::NOT_FOUND,
            "no-operation",
            title,
            "type `holm status` to see what is the case",
        )
    })?;
    Ok(progress::told(row, &app.view.borrow()))
}
