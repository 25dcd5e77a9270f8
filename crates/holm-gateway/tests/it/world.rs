//! A gateway to test against, its documents, and the backends behind it.

use std::{
    collections::BTreeSet,
    future::Future,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use holm_core::gateway::{GatewayConfig, GatewayLive, HostRoute, Leg, Member};
use holm_gateway::{
    app::{App, Settings},
    ruleset::{Ruleset, RulesetError},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, UnixStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// Long enough for a loaded machine: it only ends a test that has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A policy, and the markers there when it was loaded.
type Load = (String, BTreeSet<String>);

/// Records what it is given and which markers were there at that moment.
#[derive(Clone, Default)]
pub struct Recorder {
    pub loads: Arc<Mutex<Vec<Load>>>,
    pub broken: Arc<Mutex<bool>>,
    /// Loading takes as long as somebody else holds this.
    pub gate: Arc<tokio::sync::Mutex<()>>,
    live: PathBuf,
}

impl Ruleset for Recorder {
    async fn load(&self, text: &str) -> Result<(), RulesetError> {
        self.loads
            .lock()
            .unwrap()
            .push((text.to_owned(), files(&self.live)));
        drop(self.gate.lock().await);
        match *self.broken.lock().unwrap() {
            true => Err(RulesetError::Slow),
            false => Ok(()),
        }
    }
}

/// Names of the files in a folder.
pub fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A running gateway; ends with its test.
pub struct World {
    pub folder: tempfile::TempDir,
    pub recorder: Recorder,
    pub dns: SocketAddr,
    pub ready: Option<oneshot::Receiver<()>>,
    task: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Duration::from_secs(20), |_| {}).await
    }

    /// `prepare` gets the folder before the gateway starts.
    pub async fn with(hold: Duration, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("config")).unwrap();
        prepare(folder.path());
        let settings = Settings {
            config_dir: folder.path().join("config"),
            run_dir: folder.path().join("run"),
            router_socket: folder.path().join("router/router.sock"),
            dns: "0.0.0.0:0".parse().unwrap(),
            hold,
        };
        let recorder = Recorder {
            live: folder.path().join("run/live"),
            ..Recorder::default()
        };
        let app = App::bind(settings, recorder.clone()).await.unwrap();
        let dns = app.dns_address().unwrap();
        let (send, ready) = oneshot::channel();
        let task = tokio::spawn(async move {
            app.run(|| send.send(()).unwrap_or_default(), std::future::pending())
                .await
                .unwrap();
        });
        Self {
            folder,
            recorder,
            dns,
            ready: Some(ready),
            task,
        }
    }

    pub fn markers(&self) -> BTreeSet<String> {
        files(&self.folder.path().join("run/live"))
    }

    /// A request on the control socket: status and body.
    pub async fn control(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, String) {
        let socket = self.folder.path().join("run/control.sock");
        text(send(&socket, request(method, "holmd", path, body)).await).await
    }

    pub async fn put(&self, config: &GatewayConfig) -> (u16, String) {
        self.control("PUT", "/config", serde_json::to_vec(config).unwrap())
            .await
    }

    /// Applies a document that must be accepted.
    pub async fn apply(&self, config: &GatewayConfig) -> GatewayLive {
        let (status, body) = self.put(config).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// A request as the edge sends it.
    pub async fn edge(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        send(&self.router_socket(), request).await
    }

    pub async fn get(&self, host: &str, path: &str) -> (u16, String) {
        text(self.edge(request("GET", host, path, vec![])).await).await
    }

    pub fn router_socket(&self) -> PathBuf {
        self.folder.path().join("router/router.sock")
    }
}

pub fn request(method: &str, host: &str, path: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path).header("host", host);
    request.body(Full::new(body.into())).unwrap()
}

/// Sends on a connection of its own.
pub async fn send(socket: &Path, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    timeout(PATIENCE, sender.send_request(request))
        .await
        .expect("an answer in time")
        .unwrap()
}

/// As [`send`], but the connection ends when this is dropped, as when the sender dies.
pub async fn send_and_close(socket: &Path, request: Request<Full<Bytes>>) {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let (answered, _) = tokio::join!(sender.send_request(request), connection);
    answered.unwrap();
}

pub async fn text(response: Response<Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// A document of services on loopback addresses: `(id, last byte of the address, port, running)`.
pub fn document(generation: u64, services: &[(&str, u8, u16, bool)]) -> GatewayConfig {
    let mut config = GatewayConfig {
        generation,
        domain: "alice.test".parse().unwrap(),
        legs: vec![],
        routes: vec![],
    };
    for (id, last, port, running) in services {
        let address = Ipv4Addr::new(127, 77, 0, *last);
        config.legs.push(Leg {
            service: id.parse().unwrap(),
            interface: format!("s{last}"),
            address: Ipv4Addr::new(127, 77, 1, *last),
            members: vec![Member {
                names: vec!["web".to_owned(), format!("{id}-Alias")],
                address,
                mac: format!("02:00:7f:4d:00:{last:02x}"),
                backend_ports: vec![*port],
            }],
            hash: format!("{port:016x}"),
        });
        config.routes.push(HostRoute {
            host: format!("{id}.alice.test"),
            service: id.parse().unwrap(),
            name: format!("The <{id}>"),
            backend: running.then_some(SocketAddrV4::new(address, *port)),
        });
    }
    config
}

/// A socket on a loopback address of its own, and its port.
pub async fn listen(last: u8) -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 77, 0, last), 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// An HTTP server that answers by `answer`, for as long as the test runs.
pub fn backend<F>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let response = answer(request);
                async { Ok::<_, std::convert::Infallible>(response.await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(served);
        }
    });
}

/// Answers with the request as it arrived: its first line, headers and body, a line each.
pub async fn mirror(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let mut lines = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        lines.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    let body = body.collect().await.unwrap().to_bytes();
    lines.push_str(std::str::from_utf8(&body).unwrap());
    let mut response = Response::new(Full::new(lines.into()));
    for (name, value) in [
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("x-own", "2"),
        ("proxy-authenticate", "Basic"),
    ] {
        response
            .headers_mut()
            .insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}
