//! Connecting to a backend, and waiting for one that does not accept yet.
//!
//! The wait is inside the connector: nothing has been sent then, so any request may be held, whatever its
//! method and body.

use std::{
    future::Future,
    io,
    net::SocketAddrV4,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::Uri;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use crate::backends::{Backends, CONNECT};

/// Finds the dead ends of WebSockets whose other side went without a word.
const KEEPALIVE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Connect {
    tcp: HttpConnector,
    backends: Arc<Backends>,
    hold: Duration,
}

impl Connect {
    pub(super) fn new(backends: Arc<Backends>, hold: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Self { tcp, backends, hold }
    }

    async fn held(mut self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let backend: SocketAddrV4 = match uri.authority().map(|a| a.as_str().parse()) {
            Some(Ok(backend)) => backend,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "no address of a backend",
                ));
            }
        };
        let hold = self.hold;
        timeout(hold, self.until_connected(uri, backend)).await?
    }

    async fn until_connected(&mut self, uri: Uri, backend: SocketAddrV4) -> io::Result<TokioIo<TcpStream>> {
        let mut changes = self.backends.changes();
        loop {
            // One that is down is only waited for: its probe asks often, while a SYN of ours to an address that
            // nobody has yet would be lost for a second.
            if !changes.until_up(backend).await {
                return Err(io::Error::new(io::ErrorKind::NotConnected, "no longer routed"));
            }
            if let Ok(Ok(stream)) = timeout(CONNECT, self.tcp.call(uri.clone())).await {
                self.backends.accepted(backend);
                return Ok(stream);
            }
            self.backends.failed(backend);
        }
    }
}

impl Service<Uri> for Connect {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().held(uri))
    }
}
