//! Upgraded connections: bytes both ways, whatever happens to the document.

use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{World, backend, document, listen, request};

/// Becomes an echo of bytes.
async fn echo(mut request: Request<Incoming>) -> Response<Full<hyper::body::Bytes>> {
    assert_eq!(request.headers()["upgrade"], "websocket");
    assert_eq!(request.headers()["sec-websocket-key"], "abc");
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded.await.unwrap()));
        let _ = tokio::io::copy(&mut read, &mut write).await;
        let _ = write.shutdown().await;
    });
    let response = Response::builder()
        .status(101)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket");
    response
        .header("sec-websocket-accept", "def")
        .body(Full::default())
        .unwrap()
}

async fn open(world: &World, host: &str) -> TokioIo<Upgraded> {
    let mut asked = request("GET", host, "/ws", vec![]);
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "abc"),
    ] {
        asked.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = world.edge(asked).await;
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["sec-websocket-accept"], "def");
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

async fn said(stream: &mut TokioIo<Upgraded>, word: &[u8]) {
    stream.write_all(word).await.unwrap();
    let mut back = vec![0; word.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, word);
}

#[tokio::test]
async fn fifty_survive_twenty_documents() {
    let world = World::new().await;
    let (listener, port) = listen(21).await;
    backend(listener, echo);
    world.apply(&document(1, &[("echo", 21, port, true)])).await;
    let mut open_ones = Vec::new();
    for _ in 0..50 {
        open_ones.push(open(&world, "echo.alice.test").await);
    }
    for generation in 2..22 {
        let other = (
            ["one", "two", "three"][generation as usize % 3],
            22,
            80,
            generation % 2 == 0,
        );
        world
            .apply(&document(generation, &[other, ("echo", 21, port, true)]))
            .await;
        for (index, stream) in open_ones.iter_mut().enumerate() {
            said(stream, format!("{generation}/{index}").as_bytes()).await;
        }
    }
    // Not even the end of its route cuts what is open; that is for the policy and the service's own end.
    world.apply(&document(22, &[])).await;
    for mut stream in open_ones {
        said(&mut stream, b"last").await;
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    }
}
