//! The router behind the edge: picks a service by host name, holds requests while it starts, shows pages.
//!
//! Tables are read once for each request, so a changed document touches no open connection.

mod choose;
mod connect;
mod forward;
mod headers;
mod page;

use std::{sync::Arc, time::Duration};

use http_body_util::{Either, Empty, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::sync::watch;

use self::{
    choose::{Choice, choose},
    connect::Connect,
    forward::ForwardError,
    page::Page,
};
use crate::{backends::Backends, tables::Tables};

/// Idle connections are closed after this; most services close theirs sooner.
const POOL_IDLE: Duration = Duration::from_secs(60);

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Answers what comes from the edge.
pub struct Router {
    tables: watch::Receiver<Arc<Tables>>,
    client: Client<Connect, Either<Incoming, Empty<Bytes>>>,
}

impl Router {
    /// `hold` is how long a request waits for its backend to accept connections.
    pub fn new(tables: watch::Receiver<Arc<Tables>>, backends: Arc<Backends>, hold: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(32)
            .build(Connect::new(backends, hold));
        Self { tables, client }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>) -> Answer {
        let wants = page::Wants::of(request.headers());
        let Some(host) = headers::host(&request) else {
            return page::response(Page::BadHost, wants);
        };
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |t| t.as_str())
            .to_owned();
        let choice = self.choose(&host, &target);
        let Choice::Forward { route, backend } = choice else {
            return page::of_choice(choice, wants);
        };
        match self.forward(backend, request).await {
            Ok(response) => response,
            Err(ForwardError::Request) => page::response(Page::BadRequest, wants),
            Err(ForwardError::NotConnected(error)) => {
                tracing::debug!(%host, error = ?error, "backend does not accept");
                // What was decided while it waited is the better answer: stopped on purpose, or removed.
                match self.choose(&host, &target) {
                    Choice::Forward { .. } => page::response(Page::Waiting { name: &route.name }, wants),
                    other => page::of_choice(other, wants),
                }
            }
            Err(ForwardError::Broken(error)) => {
                tracing::debug!(%host, error = ?error, "backend broke off");
                page::response(Page::Broken { name: &route.name }, wants)
            }
        }
    }

    fn choose(&self, host: &str, target: &str) -> Choice {
        choose(&self.tables.borrow(), host, target)
    }
}

fn status_only(status: StatusCode) -> Answer {
    let mut response = Response::new(Either::Right(Full::default()));
    *response.status_mut() = status;
    response
}
