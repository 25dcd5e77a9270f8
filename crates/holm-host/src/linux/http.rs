//! One HTTP request over a unix socket, with a deadline: shared by the clients of Podman and of the gateway.

use std::{fmt, future::Future, io, path::PathBuf, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::UnixStream, task::JoinHandle, time::timeout};

/// No answer of Podman or the gateway comes near; beyond it somebody else is speaking.
const MOST_BYTES: usize = 64 << 20;

/// Whoever listens on a unix socket.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub socket: PathBuf,
    pub deadline: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody listens.
    Absent(io::Error),
    /// The connection ended, or what came was no HTTP.
    Broken(String),
    /// Nothing came in time.
    Late(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(error) => write!(f, "its socket does not answer ({error})"),
            Self::Broken(error) => write!(f, "the connection broke ({error})"),
            Self::Late(after) => write!(f, "no answer within {} s", after.as_secs()),
        }
    }
}

impl From<hyper::Error> for Fault {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Ends the task that drives a connection when the last user of it is gone.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer that comes line by line.
pub(super) struct Lines {
    body: Incoming,
    kept: BytesMut,
    _driver: Driver,
}

impl Client {
    /// Asks and waits for the whole answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        self.within(async {
            let (status, lines) = self.ask(method, path, body).await?;
            let whole = Limited::new(lines.body, MOST_BYTES)
                .collect()
                .await
                .map_err(|error| {
                    Fault::Broken(if error.is::<LengthLimitError>() {
                        "the answer is too long".into()
                    } else {
                        error.to_string()
                    })
                })?;
            Ok(Answer {
                status,
                body: whole.to_bytes(),
            })
        })
        .await
    }

    /// Asks and hands the answer on as it comes; the deadline covers its head only.
    pub async fn stream(&self, method: Method, path: &str) -> Result<(StatusCode, Lines), Fault> {
        self.within(self.ask(method, path, None)).await
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        timeout(self.deadline, work)
            .await
            .unwrap_or(Err(Fault::Late(self.deadline)))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Lines), Fault> {
        let stream = UnixStream::connect(&self.socket).await.map_err(Fault::Absent)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = Driver(tokio::spawn(async move {
            // Its error also reaches the request in hand, which reports it.
            let _ = connection.await;
        }));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost");
        let request = match body {
            Some(value) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(value.to_string()))),
            None => request.body(Full::default()),
        }
        .map_err(|error| Fault::Broken(error.to_string()))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok((
            status,
            Lines {
                body: answer.into_body(),
                kept: BytesMut::new(),
                _driver: driver,
            },
        ))
    }
}

impl Lines {
    /// The next line without its end; `None` when the answer ended as it should.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(end) = self.kept.iter().position(|byte| *byte == b'\n') {
                let line = self.kept.split_to(end + 1);
                return Ok(Some(line.freeze().slice(..end)));
            }
            if self.kept.len() > MOST_BYTES {
                return Err(Fault::Broken("a line is too long".into()));
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.kept.extend_from_slice(&data);
                    }
                }
                None if self.kept.is_empty() => return Ok(None),
                None => return Ok(Some(self.kept.split().freeze())),
            }
        }
    }
}

/// Encodes a value for a query: everything but unreserved characters.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
