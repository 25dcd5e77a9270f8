//! Requests through the router: what passes, what is held, and the gateway's own pages.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::world::{World, backend, document, listen, mirror, request, text};

#[tokio::test]
async fn a_request_passes_and_its_hop_headers_do_not() {
    let world = World::new().await;
    let (listener, port) = listen(11).await;
    backend(listener, mirror);
    world.apply(&document(1, &[("notes", 11, port, true)])).await;

    let mut sent = request(
        "POST",
        "Notes.alice.test.:443",
        "/a/b?c=d%20e",
        b"the body".to_vec(),
    );
    for (name, value) in [
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("proxy-authorization", "x"),
        ("x-forwarded-for", "192.0.2.9"),
        ("x-forwarded-proto", "https"),
        ("cookie", "a=b"),
    ] {
        sent.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = world.edge(sent).await;
    let header = |name| {
        response
            .headers()
            .get(name)
            .map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(header("x-own").as_deref(), Some("2"));
    assert_eq!(
        (
            header("x-hop"),
            header("connection"),
            header("proxy-authenticate")
        ),
        (None, None, None)
    );
    let (status, arrived) = text(response).await;
    assert_eq!(status, 200);
    let mut lines: Vec<_> = arrived.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /a/b?c=d%20e",
            "content-length: 8",
            "cookie: a=b",
            "host: Notes.alice.test.:443",
            "the body",
            "x-forwarded-for: 192.0.2.9",
            "x-forwarded-proto: https",
        ]
    );
}

#[tokio::test]
async fn own_pages() {
    let world = World::new().await;
    assert_eq!(world.get("notes.alice.test", "/").await.0, 503, "no document yet");
    world.apply(&document(1, &[("off", 12, 80, false)])).await;

    let (status, page) = world.get("nobody.alice.test", "/").await;
    assert_eq!(
        (status, page.contains("no service of that name")),
        (404, true),
        "{page}"
    );
    let (status, page) = world.get("alice.test", "/").await;
    assert_eq!(
        (status, page.contains("This is the cell alice.test")),
        (404, true),
        "{page}"
    );
    assert_eq!(world.get("a/b", "/").await.0, 400);
    assert_eq!(world.get("", "/").await.0, 400);

    let response = world.edge(request("GET", "off.alice.test", "/", vec![])).await;
    assert!(
        !response.headers().contains_key("retry-after"),
        "stopped on purpose: nothing to wait for"
    );
    let (status, page) = text(response).await;
    assert_eq!(
        (status, page.contains("The &lt;off&gt; is stopped")),
        (503, true),
        "{page}"
    );

    for (host, path, to) in [
        ("www.alice.test", "/x", "https://alice.test/"),
        ("alice.test", "/app/off/x?y", "https://off.alice.test/x?y"),
    ] {
        let response = world.edge(request("GET", host, path, vec![])).await;
        assert_eq!(response.status(), 308);
        assert_eq!(response.headers()["location"], to);
    }
}

#[tokio::test]
async fn a_request_waits_for_its_backend() {
    let world = World::new().await;
    let (listener, port) = listen(13).await;
    let address = listener.local_addr().unwrap();
    drop(listener);
    world.apply(&document(1, &[("late", 13, port, true)])).await;

    let held = async {
        text(
            world
                .edge(request("POST", "late.alice.test", "/", b"kept".to_vec()))
                .await,
        )
        .await
    };
    let start = async {
        // Refused at least once before there is anybody: the request is in its wait by then.
        tokio::time::sleep(Duration::from_millis(300)).await;
        backend(TcpListener::bind(address).await.unwrap(), mirror);
    };
    let ((status, body), ()) = tokio::join!(held, start);
    assert_eq!((status, body.ends_with("kept")), (200, true), "{body}");
}

#[tokio::test]
async fn the_wait_ends() {
    let world = World::with(Duration::from_millis(200), |_| {}).await;
    let (listener, port) = listen(14).await;
    drop(listener);
    world.apply(&document(1, &[("never", 14, port, true)])).await;

    let response = world.edge(request("GET", "never.alice.test", "/", vec![])).await;
    assert_eq!(response.headers()["retry-after"], "2");
    let (status, page) = text(response).await;
    assert_eq!(
        (status, page.contains("The &lt;never&gt; is starting")),
        (503, true),
        "{page}"
    );

    let mut program = request("GET", "never.alice.test", "/", vec![]);
    program
        .headers_mut()
        .insert("accept", "application/json".parse().unwrap());
    let response = world.edge(program).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, body) = text(response).await;
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &problem["title"]),
        (503, &"The <never> is starting".into())
    );
}

#[tokio::test]
async fn stopping_answers_those_who_wait() {
    let world = World::with(Duration::from_secs(3600), |_| {}).await;
    let (listener, port) = listen(15).await;
    drop(listener);
    world
        .apply(&document(
            1,
            &[("soon", 15, port, true), ("gone", 16, port, true)],
        ))
        .await;

    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.apply(&document(2, &[("soon", 15, port, false)])).await;
    };
    let (soon, gone, ()) = tokio::join!(
        world.get("soon.alice.test", "/"),
        world.get("gone.alice.test", "/"),
        stop
    );
    assert_eq!((soon.0, soon.1.contains("is stopped")), (503, true), "{}", soon.1);
    assert_eq!(gone.0, 404);
}

/// Answers the first request of each connection, and breaks off at the second, having read it.
async fn one_each(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            if matches!(stream.read(&mut buffer).await, Ok(1..)) {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await;
                let _ = stream.read(&mut buffer).await;
            }
        });
    }
}

#[tokio::test]
async fn a_dead_connection_is_replaced_for_requests_that_may_be_repeated() {
    let world = World::new().await;
    let (listener, port) = listen(17).await;
    tokio::spawn(one_each(listener));
    world.apply(&document(1, &[("flaky", 17, port, true)])).await;

    for _ in 0..6 {
        assert_eq!(world.get("flaky.alice.test", "/").await, (200, "ok".to_owned()));
    }
    // The pool now holds a connection that will break off. A body may have been acted upon: not repeated.
    let posted = text(
        world
            .edge(request("POST", "flaky.alice.test", "/", b"x".to_vec()))
            .await,
    )
    .await;
    assert_eq!(
        (posted.0, posted.1.contains("broke off")),
        (502, true),
        "{}",
        posted.1
    );
}

#[tokio::test]
async fn an_answer_streams() {
    let world = World::new().await;
    let (listener, port) = listen(18).await;
    let (go, mut wait) = tokio::sync::mpsc::channel::<()>(1);
    tokio::spawn(async move {
        // The probe connects and says nothing: only a connection that asks is answered.
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if matches!(stream.read(&mut buffer).await, Ok(1..)) {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                wait.recv().await;
                stream.write_all(b"4\r\nlast\r\n0\r\n\r\n").await.unwrap();
            }
        }
    });
    world.apply(&document(1, &[("stream", 18, port, true)])).await;
    let mut body = world
        .edge(request("GET", "stream.alice.test", "/", vec![]))
        .await
        .into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");
    go.send(()).await.unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "last");
}
