//! Documents over the control socket: what becomes live, what is refused, and what holmd is told.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, sync::Arc};

use holm_core::gateway::GatewayLive;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::world::{PATIENCE, World, backend, document, listen, mirror, request, send, send_and_close};

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|s| (*s).to_owned()).collect()
}

#[tokio::test]
async fn markers_frame_the_policy() {
    let world = World::new().await;
    world
        .apply(&document(
            1,
            &[("a", 31, 80, true), ("b", 32, 80, true), ("c", 33, 80, true)],
        ))
        .await;
    assert_eq!(
        world.markers(),
        names(&["a.0000000000000050", "b.0000000000000050", "c.0000000000000050"])
    );
    // b changes, c goes, d comes.
    world
        .apply(&document(
            2,
            &[("a", 31, 80, true), ("b", 32, 81, true), ("d", 34, 80, true)],
        ))
        .await;
    assert_eq!(
        world.markers(),
        names(&["a.0000000000000050", "b.0000000000000051", "d.0000000000000050"])
    );
    let loads = world.recorder.loads.lock().unwrap().clone();
    let while_loading: Vec<_> = loads.iter().map(|(_, markers)| markers.clone()).collect();
    assert_eq!(
        while_loading,
        [names(&[]), names(&[]), names(&["a.0000000000000050"])]
    );
    assert!(
        loads[0].0.contains("policy drop") && !loads[0].0.contains("elements"),
        "closed at first"
    );
}

#[tokio::test]
async fn a_bad_document_keeps_the_one_before() {
    let world = World::new().await;
    let (listener, port) = listen(35).await;
    backend(listener, mirror);
    let good = document(5, &[("notes", 35, port, true)]);
    world.apply(&good).await;
    let loads = || world.recorder.loads.lock().unwrap().len();
    let (before, markers) = (loads(), world.markers());

    let mut bad = document(6, &[("notes", 35, port, true)]);
    bad.legs[0].interface = "up0".to_owned();
    assert_eq!(world.put(&bad).await.0, 422);
    let mut bad = document(6, &[("notes", 35, port, true)]);
    bad.legs[0].members[0].mac = "x\" accept".to_owned();
    assert_eq!(world.put(&bad).await.0, 422);
    let mut bad = document(6, &[("notes", 35, port, true), ("other", 36, 80, true)]);
    bad.routes[0].backend = bad.routes[1].backend;
    let (status, body) = world.put(&bad).await;
    assert_eq!((status, body.contains("not declared")), (422, true), "{body}");
    assert_eq!(world.control("PUT", "/config", b"{".to_vec()).await.0, 422);
    assert_eq!(
        world.control("PUT", "/config", vec![b' '; (4 << 20) + 1]).await.0,
        413
    );
    assert_eq!(world.put(&document(4, &[])).await.0, 409);
    assert_eq!(world.put(&document(5, &[])).await.0, 409);
    assert_eq!(world.put(&good).await.0, 200);
    assert_eq!(loads(), before, "nothing of this may reach the kernel");

    *world.recorder.broken.lock().unwrap() = true;
    let (status, body) = world.put(&document(6, &[])).await;
    assert_eq!((status, body.contains("nft")), (500, true), "{body}");
    assert_eq!(world.markers(), markers);
    assert_eq!(world.get("notes.alice.test", "/").await.0, 200);
    let live: GatewayLive = serde_json::from_str(&world.control("GET", "/live", vec![]).await.1).unwrap();
    assert_eq!(live.generation, 5);

    *world.recorder.broken.lock().unwrap() = false;
    world.apply(&document(6, &[])).await;
    assert_eq!(world.markers(), names(&[]));
}

#[tokio::test]
async fn what_has_begun_is_finished_without_holmd() {
    let world = World::new().await;
    let socket = world.folder.path().join("run/control.sock");
    let mut events = send(&socket, request("GET", "holmd", "/events", vec![]))
        .await
        .into_body();
    let gate = Arc::clone(&world.recorder.gate).lock_owned().await;
    let config = serde_json::to_vec(&document(1, &[("a", 38, 80, false)])).unwrap();
    let put = request("PUT", "holmd", "/config", config);
    let loading = async {
        while world.recorder.loads.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = send_and_close(&socket, put) => panic!("answered before it was loaded"),
        () = loading => {}
    }
    // Time for the server to see the end of the connection; nothing tells when it has.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    drop(gate);
    until(&mut events, |live| live.generation == 1).await;
    assert_eq!(world.markers(), names(&["a.0000000000000050"]));
}

#[tokio::test]
async fn only_the_owner_may_connect() {
    let world = World::new().await;
    for socket in ["run/control.sock", "router/router.sock"] {
        let mode = std::fs::metadata(world.folder.path().join(socket))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{socket}");
    }
    assert_eq!(world.control("GET", "/nothing", vec![]).await.0, 404);
    assert_eq!(world.control("POST", "/config", vec![]).await.0, 405);
}

/// Reads events until one is as wanted.
async fn until(events: &mut Incoming, wanted: impl Fn(&GatewayLive) -> bool) -> GatewayLive {
    let seen = async {
        loop {
            let line = events.frame().await.unwrap().unwrap().into_data().unwrap();
            let live: GatewayLive = serde_json::from_slice(&line).unwrap();
            if wanted(&live) {
                return live;
            }
        }
    };
    timeout(PATIENCE, seen).await.expect("an event in time")
}

#[tokio::test]
async fn events_tell_which_backends_answer() {
    let world = World::new().await;
    let socket = world.folder.path().join("run/control.sock");
    let mut events = send(&socket, request("GET", "holmd", "/events", vec![]))
        .await
        .into_body();
    until(&mut events, |live| live.generation == 0).await;

    let (listener, port) = listen(37).await;
    let address = listener.local_addr().unwrap();
    drop(listener);
    let live = world.apply(&document(1, &[("notes", 37, port, true)])).await;
    assert!(!live.backends[0].up, "false until the first");
    until(&mut events, |live| live.generation == 1).await;

    let listener = TcpListener::bind(address).await.unwrap();
    until(&mut events, |live| live.backends.iter().any(|b| b.up)).await;

    // What is up is not probed: the next connection to arrive is the router's.
    let (probe, _) = listener.accept().await.unwrap();
    drop(probe);
    world.apply(&document(2, &[("notes", 37, port, true)])).await;
    assert!(
        until(&mut events, |live| live.generation == 2).await.backends[0].up,
        "kept over documents"
    );
    let (asked, accepted) = tokio::join!(
        async {
            timeout(PATIENCE, world.get("notes.alice.test", "/"))
                .await
                .unwrap()
        },
        async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 512];
            let read = stream.read(&mut buffer).await.unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            buffer[..read].to_vec()
        }
    );
    assert_eq!((asked.0, accepted.starts_with(b"GET /")), (204, true));

    // Gone: the router's failure marks it down; back: a probe finds it.
    drop(listener);
    let asked = world.get("notes.alice.test", "/");
    let back = async {
        until(&mut events, |live| live.backends.iter().all(|b| !b.up)).await;
        backend(TcpListener::bind(address).await.unwrap(), mirror);
        until(&mut events, |live| live.backends.iter().any(|b| b.up)).await;
    };
    assert_eq!(tokio::join!(asked, back).0.0, 200);

    assert_eq!(world.control("POST", "/probe/notes", vec![]).await.0, 200);
    until(&mut events, |live| live.backends.iter().all(|b| !b.up)).await;
    until(&mut events, |live| live.backends.iter().any(|b| b.up)).await;
}
