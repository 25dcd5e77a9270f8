//! `GET /api/services/catalog/{id}/secrets/{name}`: a generated secret, for an admin.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use holm_core::{name::SecretName, wire::SecretValue};

use super::{
    App, Fault,
    extract::{Id, Secret},
    service,
};

/// The secret in clear.
pub(super) async fn secret(
    State(app): State<App>,
    Id(id): Id,
    Secret(name): Secret,
) -> Result<impl IntoResponse, Fault> {
    let (_, service) = service::find(&app, &id).await?;
    let known = &service.service.secrets;
    if !known.contains(&name) {
        let names: Vec<&str> = known.iter().map(SecretName::as_str).collect();
        let detail = match names.as_slice() {
            [] => format!("{id} has no secrets"),
            names => format!("its secrets are: {}", names.join(" ")),
        };
        let title = format!("{id} has no secret {name}");
        return Err(Fault::new(StatusCode::NOT_FOUND, "no-secret", title, detail));
    }
    let value = app.outside.reveal(&id, &name).await?;
    Ok((
        [(header::CACHE_CONTROL, "no-store")],
        Json(SecretValue { name, value }),
    ))
}
