//! Passing one request to its backend, and the answer back; after an upgrade, bytes both ways.

use std::{error::Error as _, io, net::SocketAddrV4};

use http_body_util::{Either, Empty};
use hyper::{
    Method, Request, Response, StatusCode, Uri, Version,
    body::{Body, Bytes, Incoming},
    header::{self, HeaderValue},
    upgrade::{self, OnUpgrade},
};
use hyper_util::{client::legacy, rt::TokioIo};
use tokio::io::copy_bidirectional;

use super::{Answer, Router, headers};

/// Why a request got no answer.
pub(super) enum ForwardError {
    /// It cannot be passed on as it is.
    Request,
    /// The backend did not accept within the hold: nothing was sent.
    NotConnected(legacy::Error),
    /// The backend broke off before its answer began.
    Broken(legacy::Error),
}

type Outgoing = Request<Either<Incoming, Empty<Bytes>>>;

impl Router {
    pub(super) async fn forward(
        &self,
        backend: SocketAddrV4,
        mut request: Request<Incoming>,
    ) -> Result<Answer, ForwardError> {
        if request.method() == Method::CONNECT {
            return Ok(super::status_only(StatusCode::METHOD_NOT_ALLOWED));
        }
        let wanted = headers::upgrade(request.headers());
        let inner = wanted.is_some().then(|| upgrade::on(&mut request));
        let (outgoing, spare) = outgoing(backend, request, wanted)?;
        let mut response = self.send(outgoing, spare).await?;

        *response.version_mut() = Version::HTTP_11;
        let offered = headers::upgrade(response.headers());
        headers::strip(response.headers_mut());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (Some(inner), Some(kind)) = (inner, offered) else {
                return Ok(super::status_only(StatusCode::BAD_GATEWAY));
            };
            headers::set_upgrade(response.headers_mut(), kind);
            tokio::spawn(tunnel(inner, upgrade::on(&mut response)));
        }
        Ok(response.map(Either::Left))
    }

    async fn send(
        &self,
        outgoing: Outgoing,
        spare: Option<Outgoing>,
    ) -> Result<Response<Incoming>, ForwardError> {
        // What was not sent at all (an idle connection that had died) the client repeats by itself.
        let answer = match (self.client.request(outgoing).await, spare) {
            (Err(error), Some(spare)) if broke_off(&error) => self.client.request(spare).await,
            (answer, _) => answer,
        };
        answer.map_err(|error| match error.is_connect() {
            true => ForwardError::NotConnected(error),
            false => ForwardError::Broken(error),
        })
    }
}

/// The request for the backend, and a second copy when it may be sent twice: safe methods without a body.
fn outgoing(
    backend: SocketAddrV4,
    request: Request<Incoming>,
    upgrade: Option<HeaderValue>,
) -> Result<(Outgoing, Option<Outgoing>), ForwardError> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let uri = Uri::builder()
        .scheme("http")
        .authority(backend.to_string())
        .path_and_query(target)
        .build()
        .map_err(|_| ForwardError::Request)?;
    let host = match (parts.uri.authority(), parts.headers.get(header::HOST)) {
        (Some(authority), _) => HeaderValue::from_str(authority.as_str()).ok(),
        (None, given) => given.cloned(),
    };
    let mut headers = parts.headers;
    headers::strip(&mut headers);
    headers.insert(header::HOST, host.ok_or(ForwardError::Request)?);
    if let Some(kind) = upgrade {
        headers::set_upgrade(&mut headers, kind);
    }
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let spare = (safe && body.is_end_stream()).then(|| {
        let mut spare = Request::new(Either::Right(Empty::new()));
        *spare.method_mut() = parts.method.clone();
        *spare.uri_mut() = uri.clone();
        *spare.headers_mut() = headers.clone();
        spare
    });
    let mut outgoing = Request::new(Either::Left(body));
    *outgoing.method_mut() = parts.method;
    *outgoing.uri_mut() = uri;
    *outgoing.headers_mut() = headers;
    Ok((outgoing, spare))
}

/// The connection ended under the request, as it does when a service restarts.
fn broke_off(error: &legacy::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_incomplete_message)
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
            return matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof);
        }
        cause = error.source();
    }
    false
}

async fn tunnel(inner: OnUpgrade, outer: OnUpgrade) {
    let (inner, outer) = match tokio::try_join!(inner, outer) {
        Ok(both) => both,
        Err(error) => return tracing::debug!(%error, "upgrade did not happen"),
    };
    let (mut inner, mut outer) = (TokioIo::new(inner), TokioIo::new(outer));
    if let Err(error) = copy_bidirectional(&mut inner, &mut outer).await {
        tracing::debug!(%error, "upgraded connection ended");
    }
}
