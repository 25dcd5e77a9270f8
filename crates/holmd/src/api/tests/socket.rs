//! The socket itself: who may ask, who may listen, how it ends.

use super::*;

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
