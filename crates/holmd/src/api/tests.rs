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

#[tokio::test]
async fn before_init_everything_says_so() {
    let served = Served::new().await;
    let (status, problem) = served.get("/api/cell").await;
    assert_eq!((status, &problem["type"]), (404, &json!("about:blank#no-cell")));
    let (_, status) = served.get("/api/status").await;
    assert_eq!(
        status,
        json!({"cell": null, "generation": 0, "seen_at": null, "settled": false, "core": [], "services": []})
    );
    assert_eq!(served.get("/api/services").await, (200, json!([])));
    let (status, problem) = served.get("/api/store").await;
    assert_eq!((status, &problem["type"]), (409, &json!("about:blank#no-cell")));
    let (status, problem) = served.call("POST", &path("notes/install"), Value::Null).await;
    assert_eq!((status, &problem["type"]), (409, &json!("about:blank#no-cell")));
    assert!(problem["detail"].as_str().unwrap().contains("holm init"));
}

#[tokio::test]
async fn a_change_is_answered_with_its_operation_and_where_it_is() {
    let (served, id) = Served::notes().await;
    let response = served.send("POST", &path("notes/stop"), Value::Null).await;
    assert_eq!(response.status(), 202);
    assert_eq!(
        response.headers()["location"],
        format!("/api/operations/{}", id + 1)
    );
    let (_, operation) = answer(response).await;
    let expected = json!({
        "id": id + 1, "verb": "stop", "service": "notes", "created_at": 100, "unchanged": false,
        "progress": {"state": "running", "doing": []}
    });
    assert_eq!(operation, expected);
    let (_, superseded) = served.get(&format!("/api/operations/{id}")).await;
    assert_eq!(superseded["progress"], json!({"state": "superseded"}));
    assert_eq!(served.get("/api/operations/99").await.0, 404);
    assert_eq!(served.get("/api/operations/x").await.0, 404);
}

#[tokio::test]
async fn events_tell_each_change_until_the_end() {
    let (served, id) = Served::notes().await;
    let response = served
        .send("GET", &format!("/api/operations/{id}/events"), Value::Null)
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let notes: ServiceId = "notes".parse().unwrap();
    let set = |served: &Served, service: ServiceView, core: Owner| {
        served.look(|view| {
            view.core = core;
            view.services.insert(notes.clone(), service);
        });
    };
    let busy = Owner {
        doing: vec!["configure the gateway".to_owned()],
        failing: None,
    };
    let serving = || seen(ServiceState::Serving, &[], None);
    let mut told = vec![next(&mut body).await];
    set(
        &served,
        seen(ServiceState::Changing, &["pull"], None),
        busy.clone(),
    );
    told.push(next(&mut body).await);
    set(
        &served,
        seen(ServiceState::Failing, &[], Some("no pull")),
        busy.clone(),
    );
    told.push(next(&mut body).await);
    set(&served, serving(), busy);
    told.push(next(&mut body).await);
    served.world.db.finish_operations(u64::MAX, |_| true).unwrap();
    told.push(next(&mut body).await);
    let expected = [
        json!({"state": "running", "doing": []}),
        json!({"state": "running", "doing": ["pull"]}),
        json!({"state": "waiting", "reason": "no pull", "retry_at": 130}),
        json!({"state": "running", "doing": ["configure the gateway"]}),
        json!({"state": "done"}),
    ];
    assert_eq!(told, expected);
    assert!(body.frame().await.is_none(), "the stream ends with the operation");
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

#[tokio::test]
async fn status_never_shows_a_wish_as_fact() {
    let (served, _) = Served::notes().await;
    let (_, notes) = served.get(&path("notes/status")).await;
    assert_eq!(notes["state"], "changing");
    assert_eq!(notes["detail"], json!(["holmd has not looked at it yet"]));
    assert_eq!(notes["urls"], json!(["https://notes.alice.test/"]));
    let id: ServiceId = "notes".parse().unwrap();
    served.look(|view| {
        view.settled = true;
        view.services.insert(id, seen(ServiceState::Serving, &[], None));
    });
    let (_, status) = served.get("/api/status").await;
    assert_eq!(status["settled"], true);
    assert_eq!(status["seen_at"], 99);
    assert_eq!(status["services"][0]["state"], "serving");
    assert_eq!(status["cell"]["domain"], "alice.test");
    // The wish is newer than the look: neither settled nor serving, nor stopped yet.
    served.call("POST", &path("notes/stop"), Value::Null).await;
    let (_, status) = served.get("/api/status").await;
    assert_eq!(status["settled"], false);
    assert_eq!(status["services"][0]["wanted"], "stopped");
    assert_eq!(status["services"][0]["state"], "changing");
    let (_, services) = served.get("/api/services").await;
    assert_eq!(services, status["services"]);
}

#[tokio::test]
async fn removing_keeps_data_and_purging_wants_the_name() {
    let (served, _) = Served::notes().await;
    let notes = path("notes");
    let (status, operation) = served.call("DELETE", &notes, Value::Null).await;
    assert_eq!((status, &operation["verb"]), (202, &json!("remove")));
    let (_, service) = served.get(&path("notes/status")).await;
    assert_eq!(
        (&service["wanted"], &service["urls"]),
        (&json!("removed"), &json!([]))
    );
    for wrong in ["purge=", "purge=files", "purge=notes%0a"] {
        let (status, problem) = served
            .call("DELETE", &format!("{notes}?{wrong}"), Value::Null)
            .await;
        assert_eq!(
            (status, &problem["type"]),
            (400, &json!("about:blank#not-confirmed"))
        );
    }
    let (status, _) = served
        .call("DELETE", &format!("{notes}?force=1"), Value::Null)
        .await;
    assert_eq!(status, 400);
    let (status, operation) = served
        .call("DELETE", &format!("{notes}?purge=notes"), Value::Null)
        .await;
    assert_eq!((status, &operation["verb"]), (202, &json!("purge")));
    let id = "notes".parse().unwrap();
    served
        .world
        .db
        .forget(&id, Block { first: 1, blocks: 1 }, 0)
        .unwrap();
    assert_eq!(served.get(&path("notes/status")).await.0, 404);
}

#[tokio::test]
async fn what_is_refused_is_a_problem_with_findings() {
    let (served, _) = Served::notes().await;
    served.world.pack("mail", &manifest("mail", "api", "1.0.0"));
    let response = served.send("POST", &path("mail/install"), Value::Null).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, problem) = answer(response).await;
    assert_eq!((status, &problem["status"]), (422, &json!(422)));
    assert_eq!(problem["findings"][0]["rule"], "subdomain-reserved");
    let (status, problem) = served
        .call(
            "POST",
            &path("notes/reconfigure"),
            json!({"config": {"limit": 99}}),
        )
        .await;
    assert_eq!((status, &problem["findings"][0]["field"]), (422, &json!("limit")));
    let template = json!({"config": {}, "compose_template": "services: {}"});
    let (status, problem) = served.call("POST", &path("notes/reconfigure"), template).await;
    assert_eq!(
        (status, &problem["findings"][0]["rule"]),
        (422, &json!("reconfigure-template"))
    );
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let (served, _) = Served::notes().await;
    let big = json!({"config": {"limit": "x".repeat(MOST_BYTES)}});
    for (method, path, body, expected, code) in [
        ("GET", "/api/nothing".to_owned(), Value::Null, 404, "no-route"),
        ("PUT", "/api/cell".to_owned(), Value::Null, 405, "no-method"),
        ("POST", path("Notes/start"), Value::Null, 404, "name"),
        ("POST", path("notes%0a/start"), Value::Null, 404, "name"),
        ("POST", path("..%2fnotes/start"), Value::Null, 404, "name"),
        ("POST", path("files/start"), Value::Null, 404, "not-installed"),
        ("POST", path("mail/install"), Value::Null, 404, "not-in-store"),
        ("POST", path("notes/install"), json!({"force": true}), 400, "body"),
        (
            "POST",
            path("notes/install"),
            json!({"config": {"limit": 1.5}}),
            400,
            "body",
        ),
        (
            "POST",
            path("notes/install"),
            json!({"config": {"LIMIT": 1}}),
            400,
            "body",
        ),
        ("POST", path("notes/install"), json!([]), 400, "body"),
        ("POST", path("notes/reconfigure"), big, 413, "body"),
        ("POST", "/api/cell".to_owned(), Value::Null, 400, "body"),
        (
            "POST",
            "/api/cell".to_owned(),
            json!({"domain": "bob.test"}),
            409,
            "cell-exists",
        ),
        ("GET", path("notes/logs?tail=-1"), Value::Null, 400, "query"),
        (
            "GET",
            path("notes/logs?container=sh"),
            Value::Null,
            404,
            "no-container",
        ),
        (
            "GET",
            path("notes/secrets/PASSWORD"),
            Value::Null,
            404,
            "no-secret",
        ),
    ] {
        let sent: String = body.to_string().chars().take(60).collect();
        let (status, problem) = served.call(method, &path, body).await;
        let code = json!(format!("about:blank#{code}"));
        let told = (status, &problem["type"]);
        assert_eq!(told, (expected, &code), "{method} {path} {sent}: {problem}");
        assert_ne!(problem["detail"], "", "{problem}");
    }
}

#[tokio::test]
async fn logs_secrets_and_the_certificate_come_from_the_machine() {
    let (served, _) = Served::notes().await;
    let (_, lines) = served.get(&path("notes/logs")).await;
    assert_eq!(lines, "notes main false 100\n");
    let (_, lines) = served
        .get(&path("notes/logs?follow=true&tail=5&container=cell-notes"))
        .await;
    assert_eq!(lines, "notes main true 5\n");
    served
        .world
        .db
        .change::<crate::db::DbError>(100, |change| {
            let mut notes = change.service(&"notes".parse().unwrap())?.unwrap();
            notes.service.secrets.insert("PASSWORD".parse().unwrap());
            change.put_service(&notes)?;
            Ok(crate::db::NewOperation {
                verb: holm_core::wire::Verb::Install,
                service: None,
                unchanged: true,
                warnings: Vec::new(),
            })
        })
        .unwrap();
    let response = served
        .send("GET", &path("notes/secrets/PASSWORD"), Value::Null)
        .await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (_, secret) = answer(response).await;
    assert_eq!(secret, json!({"name": "PASSWORD", "value": "notes/PASSWORD"}));
    assert_eq!(served.get("/api/ca").await, (200, json!(PEM)));
    let (_, cell) = served.get("/api/cell").await;
    assert_eq!(cell["ca_sha256"].as_str().unwrap().len(), 95);
}

#[tokio::test]
async fn without_a_certificate_there_is_none() {
    let served = Served::with(false, Admins::of_this_process()).await;
    let (status, problem) = served.get("/api/ca").await;
    assert_eq!((status, &problem["type"]), (404, &json!("about:blank#no-ca")));
}

#[tokio::test]
async fn a_peer_who_is_no_admin_gets_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let admins = Admins {
        own: 4242,
        group: "holm-test-no-such-group",
    };
    let served = Served::with(true, admins).await;
    let open = |path: &std::path::Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    };
    open(served.world.dir.path());
    open(&served.socket);
    let socket = served.socket.clone();
    // Credentials are of a thread for the kernel, so one thread can be somebody else. When the tests
    // are not run by root, it is a stranger already.
    let stream = std::thread::spawn(move || {
        let nobody = rustix::thread::Uid::from_raw(65534);
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        std::os::unix::net::UnixStream::connect(socket).unwrap()
    })
    .join()
    .unwrap();
    stream.set_nonblocking(true).unwrap();
    let io = hyper_util::rt::TokioIo::new(UnixStream::from_std(stream).unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    for (method, path) in [
        ("GET", "/api/status"),
        ("POST", "/api/cell"),
        ("GET", "/api/nothing"),
    ] {
        let request = Request::builder().method(method).uri(path).header("host", "holm");
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let (status, problem) = answer(sender.send_request(request).await.unwrap()).await;
        assert_eq!((status, &problem["type"]), (403, &json!("about:blank#not-admin")));
    }
}

#[tokio::test]
async fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("api.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let listener = bind(&socket).unwrap();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let error = bind(&socket).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(listener);
    std::fs::remove_file(&socket).unwrap();
    // What is no socket is nobody's to remove.
    std::fs::write(&socket, "precious").unwrap();
    bind(&socket).unwrap_err();
}

#[tokio::test]
async fn the_end_does_not_wait_for_streams() {
    let (served, id) = Served::notes().await;
    let app = App {
        db: served.world.db.clone(),
        view: served.view.subscribe(),
        wake: Arc::new(Notify::new()),
        outside: Arc::new(Machine { ca: true }),
        clock: Arc::new(|| 100),
        admins: Admins::of_this_process(),
    };
    let socket = served.world.dir.path().join("second.sock");
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let ended = async move { ended.await.unwrap_or_default() };
    let server = tokio::spawn(serve(bind(&socket).unwrap(), app, ended));
    let events = format!("/api/operations/{id}/events");
    let mut body = exchange(socket, "GET", &events, String::new()).await.into_body();
    next(&mut body).await;
    end.send(()).unwrap();
    let result = tokio::time::timeout(Duration::from_secs(20), server).await;
    result.expect("it ended").unwrap().unwrap();
}
