//! `echo`, the test service: HTTP, WebSocket and UDP echo, files that survive a power cut, probes, noise.

mod files;
mod noise;
mod probe;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    let http = TcpListener::bind("0.0.0.0:8080")
        .await
        .context("cannot listen on TCP 8080")?;
    let udp = UdpSocket::bind("0.0.0.0:9000")
        .await
        .context("cannot listen on UDP 9000")?;
    // As process 1 of a container it would not hear SIGTERM unless it asks.
    let mut term = signal(SignalKind::terminate())?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the settings of a container are its environment"
    )]
    let noise = std::env::var("NOISE").ok();
    if let Some(to) = noise {
        let to = to.parse().context("NOISE is not address:port")?;
        tokio::spawn(noise::packets(to));
        tokio::spawn(noise::connections(to));
    }
    tokio::select! {
        done = axum::serve(http, router("/data".into())) => done.context("the web server ended"),
        done = echo_packets(udp) => done.context("the UDP echo ended"),
        _ = term.recv() => Ok(()),
    }
}

fn router(data: PathBuf) -> Router {
    Router::new()
        .route("/", get(hello))
        .route(
            "/ws",
            get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo_messages) }),
        )
        .route("/files/{name}", get(get_file).put(put_file))
        .route("/probe", get(probe))
        .with_state(Arc::new(data))
}

async fn hello(headers: HeaderMap) -> String {
    let show = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("-")
    };
    format!(
        "hello\nhost: {}\nx-forwarded-for: {}\n",
        show("host"),
        show("x-forwarded-for")
    )
}

async fn echo_messages(mut socket: WebSocket) {
    // Axum answers pings itself; an error means that the other side is gone.
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn echo_packets(socket: UdpSocket) -> std::io::Result<()> {
    let mut packet = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await?;
        // An answer that cannot be sent is lost, as packets may be; the next one is another try.
        let _ = socket.send_to(&packet[..length], from).await;
    }
}

type Refusal = (StatusCode, String);

async fn put_file(
    State(data): State<Arc<PathBuf>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let name = files::Name::parse(&name).ok_or((StatusCode::BAD_REQUEST, "not a file name\n".to_owned()))?;
    tokio::task::spawn_blocking(move || files::put(&data, &name, &body))
        .await
        .map_err(failed)?
        .map_err(failed)?;
    Ok(StatusCode::CREATED)
}

async fn get_file(State(data): State<Arc<PathBuf>>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let missing = || (StatusCode::NOT_FOUND, "no such file\n".to_owned());
    let name = files::Name::parse(&name).ok_or_else(missing)?;
    match tokio::fs::read(name.below(&data)).await {
        Ok(bytes) => Ok(Response::new(bytes.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(failed(error)),
    }
}

async fn probe(Query(question): Query<probe::Question>) -> String {
    format!("{}\n", probe::ask(&question).await)
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}
