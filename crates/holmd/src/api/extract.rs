//! What requests carry, parsed into names and wire types, or refused with the rule.

use std::{fmt::Display, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::QueryRejection},
    http::{StatusCode, request::Parts},
};
use holm_core::name::{SecretName, ServiceId};
use serde::de::DeserializeOwned;

use super::Fault;

/// A JSON body. An empty one is the type's default: `curl -X POST` sends none.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            let detail = format!("a request has at most {} bytes", super::MOST_BYTES);
            Fault::new(
                error.status(),
                "body",
                format!("the request was not read: {error}"),
                detail,
            )
        })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let refused = |fault: &dyn Display| {
            let title = format!("the request was not understood: {fault}");
            let detail = "send the fields that the API names, as JSON";
            Fault::new(StatusCode::BAD_REQUEST, "body", title, detail)
        };
        // serde would take a list for a struct, its items for the fields in their order.
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(refused(&"it is not an object"));
        }
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| refused(&error))
    }
}

/// The service in the path.
pub(super) struct Id(pub ServiceId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        part(parts, state, "id").await.map(Self)
    }
}

/// The secret in the path.
pub(super) struct Secret(pub SecretName);

impl<S: Send + Sync> FromRequestParts<S> for Secret {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        part(parts, state, "name").await.map(Self)
    }
}

/// The operation's number in the path.
pub(super) struct Number(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        part(parts, state, "operation").await.map(Self)
    }
}

/// One part of the path, as a type that checks it. A text that cannot be a name is no name of anything.
async fn part<T, S>(parts: &mut Parts, state: &S, key: &str) -> Result<T, Fault>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    let path: Path<Vec<(String, String)>> =
        Path::from_request_parts(parts, state).await.map_err(|error| {
            Fault::new(
                StatusCode::BAD_REQUEST,
                "path",
                error.to_string(),
                "correct the path",
            )
        })?;
    let text = path.0.iter().find(|(name, _)| name == key);
    let text = text.map_or("", |(_, value)| value.as_str());
    text.parse().map_err(|error: T::Err| {
        let title = format!("there is no such thing: {error}");
        Fault::new(
            StatusCode::NOT_FOUND,
            "name",
            title,
            "type `holm status` to see what there is",
        )
    })
}

/// A refused query, as a problem.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Fault> {
    query.map(|Query(query)| query).map_err(|error| {
        let title = format!("the request was not understood: {}", error.body_text());
        Fault::new(
            StatusCode::BAD_REQUEST,
            "query",
            title,
            "correct the part after the question mark",
        )
    })
}
