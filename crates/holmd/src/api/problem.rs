//! Answers that are not just a value: 202 with an operation, and RFC 9457 problems.

use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use holm_core::wire::{Operation, Problem};

use super::OutsideError;
use crate::{
    db::DbError,
    ops::{Kind, OpError},
};

/// A change that is kept, and goes on without the one who asked.
pub(super) struct Accepted(pub Operation);

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let place = format!("/api/operations/{}", self.0.id);
        (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(self.0)).into_response()
    }
}

/// An answer that is no success. Boxed: it is far larger than what handlers return otherwise.
#[derive(Debug)]
pub struct Fault(Box<Problem>);

impl Fault {
    /// A problem of this code, e.g. `unknown-container`.
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            r#type: format!("about:blank#{code}"),
            status: status.as_u16(),
            title: title.into(),
            detail: detail.into(),
            findings: Vec::new(),
        }))
    }

    /// Holm itself failed.
    pub fn failed(title: impl Into<String>) -> Self {
        let detail = "look at the log of holmd, then try again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", title, detail)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], Json(*self.0)).into_response()
    }
}

impl From<OpError> for Fault {
    fn from(error: OpError) -> Self {
        let status = match error.kind {
            Kind::Usage => StatusCode::BAD_REQUEST,
            Kind::Unknown => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut fault = Self::new(status, error.code, error.title, error.hint);
        fault.0.findings = error.findings;
        fault
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<OutsideError> for Fault {
    fn from(error: OutsideError) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "machine", error.title, error.hint)
    }
}

/// A path that is none of ours.
pub(super) async fn no_such_route(uri: Uri) -> Fault {
    let title = format!("there is nothing at {}", uri.path());
    Fault::new(
        StatusCode::NOT_FOUND,
        "no-route",
        title,
        "the program that asked may be of another version",
    )
}

/// A path of ours, asked in another way.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Fault {
    let title = format!("{method} is not possible at {}", uri.path());
    let detail = "the program that asked may be of another version";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", title, detail)
}
