//! The API as a program sees it, over a real socket, with a view made by hand.

use std::{path::PathBuf, time::Duration};

use holm_core::{
    name::{ContainerName, SecretName, ServiceId},
    target::Block,
    wire::ServiceState,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming};
use serde_json::{Value, json};
use tokio::{net::UnixStream, sync::mpsc};

use super::*;
use crate::{
    testing::{World, manifest},
    view::{Failing, Owner, ServiceView},
};

mod refused;
mod shown;
mod socket;

/// A machine that tells what a test expects, and has a certificate when it is told so.
struct Machine {
    ca: bool,
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\naG9sbQ==\n-----END CERTIFICATE-----\n";

impl Outside for Machine {
    fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Answer<'_, String> {
        let value = format!("{service}/{secret}");
        Box::pin(async move { Ok(value) })
    }

    fn ca_certificate(&self) -> Answer<'_, Option<String>> {
        Box::pin(async move { Ok(self.ca.then(|| PEM.to_owned())) })
    }

    fn logs(
        &self,
        service: &ServiceId,
        container: &ContainerName,
        follow: bool,
        tail: u32,
    ) -> Answer<'_, mpsc::Receiver<Vec<u8>>> {
        let line = format!("{service} {container} {follow} {tail}\n");
        Box::pin(async move {
            let (sender, receiver) = mpsc::channel(1);
            tokio::spawn(async move { sender.send(line.into_bytes()).await });
            Ok(receiver)
        })
    }
}

struct Served {
    world: World,
    view: watch::Sender<View>,
    socket: PathBuf,
}

impl Served {
    async fn new() -> Self {
        Self::with(true, Admins::of_this_process()).await
    }

    async fn with(ca: bool, admins: Admins) -> Self {
        let world = World::new();
        let socket = world.dir.path().join("api.sock");
        let view = watch::Sender::new(View::default());
        let app = App {
            db: world.db.clone(),
            view: view.subscribe(),
            wake: Arc::new(Notify::new()),
            outside: Arc::new(Machine { ca }),
            clock: Arc::new(|| 100),
            admins,
        };
        let listener = bind(&socket).unwrap();
        tokio::spawn(serve(listener, app, std::future::pending()));
        Self { world, view, socket }
    }

    /// A cell with `notes` installed; returns the install's operation.
    async fn notes() -> (Self, u64) {
        let served = Self::new().await;
        let init = serde_json::to_value(served.world.init()).unwrap();
        assert_eq!(served.call("POST", "/api/cell", init).await.0, 202);
        let (status, operation) = served.call("POST", &path("notes/install"), Value::Null).await;
        assert_eq!(status, 202, "{operation}");
        let id = operation["id"].as_u64().unwrap();
        (served, id)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Response<Incoming> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        exchange(self.socket.clone(), method, path, body).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        answer(self.send(method, path, body).await).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    /// The loop has looked, and decided from everything that was asked so far.
    fn look(&self, change: impl FnOnce(&mut View)) {
        let revision = self.world.db.load().unwrap().revision;
        self.view.send_modify(|view| {
            view.revision = revision;
            view.seen_at = Some(99);
            view.generation = 1;
            change(view);
        });
    }
}

async fn exchange(socket: PathBuf, method: &str, path: &str, body: String) -> Response<Incoming> {
    let stream = UnixStream::connect(socket).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "holm")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    sender.send_request(request).await.unwrap()
}

async fn answer(response: Response<Incoming>) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (status, value)
}

fn path(rest: &str) -> String {
    format!("/api/services/catalog/{rest}")
}

fn seen(state: ServiceState, doing: &[&str], failing: Option<&str>) -> ServiceView {
    ServiceView {
        owner: Owner {
            doing: doing.iter().map(|&text| text.to_owned()).collect(),
            failing: failing.map(|reason| Failing {
                reason: reason.to_owned(),
                retry_at: 130,
            }),
        },
        state,
        containers: Vec::new(),
    }
}

/// Progress in the next event.
async fn next(body: &mut Incoming) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(20), body.frame())
        .await
        .expect("an event in time")
        .expect("not the end")
        .unwrap();
    let bytes = frame.into_data().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let data = text.strip_prefix("data: ").unwrap().trim_end();
    serde_json::from_str::<Value>(data).unwrap()["progress"].clone()
}
