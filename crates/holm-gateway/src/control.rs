//! The control API for holmd: the document in, what is live out.
//!
//! `PUT /config`, `GET /live`, `GET /events` (one JSON document a line), `POST /probe/<service>`.

use std::{convert::Infallible, sync::Arc};

use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use tokio_stream::StreamExt;

use crate::{
    apply::{Apply, ApplyError},
    backends::Backends,
    document::MAX_BYTES,
    ruleset::Ruleset,
};

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What the control API works on.
pub struct Control<R> {
    /// Applies documents.
    pub apply: Arc<Apply<R>>,
    /// Says what is live.
    pub backends: Arc<Backends>,
}

impl<R: Ruleset> Control<R> {
    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>) -> Answer {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        match (path.as_str(), &method) {
            ("/config", &Method::PUT) => self.put_config(request.into_body()).await,
            ("/live", &Method::GET) => json(StatusCode::OK, "application/json", &self.backends.live()),
            ("/events", &Method::GET) => self.events(),
            ("/config", _) => not_allowed("PUT"),
            ("/live" | "/events", _) => not_allowed("GET"),
            (other, method) => match other.strip_prefix("/probe/").map(str::parse) {
                Some(Ok(service)) if method == Method::POST => {
                    self.backends.probe_again(&service);
                    json(StatusCode::OK, "application/json", &self.backends.live())
                }
                Some(Ok(_)) => not_allowed("POST"),
                _ => problem(StatusCode::NOT_FOUND, "no such path"),
            },
        }
    }

    async fn put_config(&self, body: Incoming) -> Answer {
        let Ok(bytes) = Limited::new(body, MAX_BYTES).collect().await else {
            let reason = format!("the document was cut off or has more than {MAX_BYTES} bytes");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, &reason);
        };
        // In a task of its own: holmd may die while it waits, and what has begun must be finished, or policy,
        // routes and markers would be those of different documents.
        let apply = Arc::clone(&self.apply);
        let applied = tokio::spawn(async move { apply.apply(&bytes.to_bytes()).await });
        let Ok(applied) = applied.await else {
            return problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "applying the document broke off",
            );
        };
        match applied {
            Ok(live) => json(StatusCode::OK, "application/json", &live),
            Err(error) => {
                tracing::warn!(%error, "document refused");
                problem(status(&error), &error.to_string())
            }
        }
    }

    fn events(&self) -> Answer {
        let lines = self.backends.changes().stream().map(|live| {
            let mut line = serde_json::to_vec(&live).unwrap_or_default();
            line.push(b'\n');
            Ok::<_, Infallible>(Frame::data(Bytes::from(line)))
        });
        let mut response = Response::new(StreamBody::new(lines).boxed_unsync());
        let kind = HeaderValue::from_static("application/x-ndjson");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn status(error: &ApplyError) -> StatusCode {
    match error {
        ApplyError::Document(_) | ApplyError::Policy(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ApplyError::Generation { .. } => StatusCode::CONFLICT,
        ApplyError::Current(_) | ApplyError::Ruleset(_) | ApplyError::Markers(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn json(status: StatusCode, kind: &'static str, value: &impl Serialize) -> Answer {
    // Types without maps of odd keys: they always serialise.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn problem(status: StatusCode, detail: &str) -> Answer {
    let title = status.canonical_reason().unwrap_or_default();
    let value = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    json(status, "application/problem+json", &value)
}

fn not_allowed(allow: &'static str) -> Answer {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}
