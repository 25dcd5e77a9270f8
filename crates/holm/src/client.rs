//! The daemon's API over its unix socket, one connection a request.

use std::path::PathBuf;

use holm_core::wire::{Operation, Problem};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use crate::Failure;

/// Where the daemon listens.
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// What is at `path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(self.stream(path).await?).await
    }

    /// What is at `path`, as text.
    pub async fn text(&self, path: &str) -> Result<String, Failure> {
        let bytes = bytes(self.stream(path).await?).await?;
        String::from_utf8(bytes.into()).map_err(|error| Failure::garbled(&error))
    }

    /// Asks for a change.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Operation, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::garbled(&error))?;
        read(self.send(method, path, body).await?).await
    }

    /// What is at `path`, as it comes.
    pub async fn stream(&self, path: &str) -> Result<Incoming, Failure> {
        self.send(Method::GET, path, Vec::new()).await
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Incoming, Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| Failure::unreachable(&self.socket, &error))?;
        let broken = |error: hyper::Error| Failure::broken(&error);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Its failure is also that of the request or of its body, where it is told.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "holm")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Failure::garbled(&error))?;
        let response: Response<Incoming> = sender.send_request(request).await.map_err(broken)?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let problem: Problem = read(response.into_body()).await?;
        Err(Failure::answered(problem))
    }
}

async fn bytes(body: Incoming) -> Result<Bytes, Failure> {
    let collected = body.collect().await.map_err(|error| Failure::broken(&error))?;
    Ok(collected.to_bytes())
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Failure> {
    serde_json::from_slice(&bytes(body).await?).map_err(|error| Failure::garbled(&error))
}
