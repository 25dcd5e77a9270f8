//! The HTTP API on a unix socket: parse and authorise, ask an operation or show what is known, answer.
//!
//! No request waits for the machine: a change is answered (202) as soon as it is kept, and what is shown
//! is the intent and the loop's last [`View`].

mod authorise;
mod ca;
mod cell;
mod events;
mod extract;
mod install;
mod logs;
mod operation;
mod outside;
mod problem;
mod progress;
mod reconfigure;
mod remove;
mod restart;
mod secret;
mod service;
mod services;
mod socket;
mod start;
mod status;
mod stop;
mod store;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use holm_core::wire::Operation;
use tokio::sync::{Notify, watch};

pub use authorise::Admins;
pub use outside::{Answer, Outside, OutsideError};
pub use problem::Fault;
pub use socket::{bind, serve};

use crate::{db::Db, ops, view::View};

/// Unix seconds, now.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// No request that people make is larger.
const MOST_BYTES: usize = 64 * 1024;

/// What the API works with.
#[derive(Clone)]
pub struct App {
    /// The state; changed by operations only.
    pub db: Db,
    /// What the loop knows.
    pub view: watch::Receiver<View>,
    /// Wakes the loop.
    pub wake: Arc<Notify>,
    /// What only the machine can tell.
    pub outside: Arc<dyn Outside>,
    /// The time.
    pub clock: Clock,
    /// Who may ask.
    pub admins: Admins,
}

/// All routes, behind the question who asks.
pub fn router(app: App) -> Router {
    let service = Router::new()
        .route("/install", post(install::install))
        .route("/status", get(service::service))
        .route("/start", post(start::start))
        .route("/stop", post(stop::stop))
        .route("/restart", post(restart::restart))
        .route("/reconfigure", post(reconfigure::reconfigure))
        .route("/logs", get(logs::logs))
        .route("/secrets/{name}", get(secret::secret));
    Router::new()
        .route("/api/cell", get(cell::cell).post(cell::init))
        .route("/api/status", get(status::status))
        .route("/api/store", get(store::store))
        .route("/api/ca", get(ca::ca))
        .route("/api/services", get(services::services))
        .route(
            "/api/services/catalog/{id}",
            axum::routing::delete(remove::remove),
        )
        .nest("/api/services/catalog/{id}", service)
        .route("/api/operations/{operation}", get(operation::operation))
        .route("/api/operations/{operation}/events", get(events::events))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), authorise::authorise))
        .with_state(app)
}

impl App {
    /// Asks an operation on a blocking thread: it waits for the disk.
    async fn ask(
        self,
        operation: impl FnOnce(ops::Asked<'_>) -> Result<Operation, ops::OpError> + Send + 'static,
    ) -> Result<problem::Accepted, Fault> {
        let operation = blocking(move || {
            operation(ops::Asked {
                db: &self.db,
                now: (self.clock)(),
                wake: &self.wake,
            })
        })
        .await??;
        Ok(problem::Accepted(operation))
    }

    /// Reads the state on a blocking thread: a writer may be waiting for the disk.
    async fn read<T: Send + 'static, E: Into<Fault> + Send + 'static>(
        &self,
        read: impl FnOnce(&Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Fault> {
        let db = self.db.clone();
        blocking(move || read(&db)).await?.map_err(Into::into)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Fault::failed(format!("the request was not finished: {error}")))
}

#[cfg(test)]
mod tests;
