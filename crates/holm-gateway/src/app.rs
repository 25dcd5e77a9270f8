//! The whole program: bind, boot, and serve until told to stop.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    apply::{Apply, ApplyError},
    backends::Backends,
    control::Control,
    dns::Resolver,
    document,
    markers::Markers,
    router::Router,
    ruleset::Ruleset,
    serve,
    tables::Tables,
};

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Has `current`, the document that is loaded at boot.
    pub config_dir: PathBuf,
    /// Shared with holmd: `control.sock` and `live/`.
    pub run_dir: PathBuf,
    /// Shared with the edge.
    pub router_socket: PathBuf,
    /// Where the resolver listens.
    pub dns: SocketAddr,
    /// How long a request waits for its backend.
    pub hold: Duration,
}

/// Everything bound, nothing served yet.
pub struct App<R> {
    apply: Arc<Apply<R>>,
    backends: Arc<Backends>,
    router: Arc<Router>,
    resolver: Resolver,
    control_socket: tokio::net::UnixListener,
    router_socket: tokio::net::UnixListener,
    config_dir: PathBuf,
}

impl<R: Ruleset> App<R> {
    /// Clears stale markers and binds all sockets.
    pub async fn bind(settings: Settings, ruleset: R) -> io::Result<Self> {
        let at = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        let live = settings.run_dir.join("live");
        let markers = Markers::cleared(live.clone()).map_err(|e| at(&live, e))?;
        let control = settings.run_dir.join("control.sock");
        let control_socket = serve::bind(&control).map_err(|e| at(&control, e))?;
        let router_socket =
            serve::bind(&settings.router_socket).map_err(|e| at(&settings.router_socket, e))?;

        let tables = watch::Sender::new(Arc::new(Tables::default()));
        let backends = Backends::new();
        let resolver = Resolver::bind(settings.dns, tables.subscribe())
            .await
            .map_err(|e| io::Error::new(e.kind(), format!("resolver on {}: {e}", settings.dns)))?;
        let router = Router::new(tables.subscribe(), Arc::clone(&backends), settings.hold);
        Ok(Self {
            apply: Arc::new(Apply::new(ruleset, markers, tables, Arc::clone(&backends))),
            backends,
            router: Arc::new(router),
            resolver,
            control_socket,
            router_socket,
            config_dir: settings.config_dir,
        })
    }

    /// Where the resolver listens.
    pub fn dns_address(&self) -> io::Result<SocketAddr> {
        self.resolver.address()
    }

    /// Boots, calls `ready` as soon as the current document is live or known to be none, and serves until
    /// `stop`. What is loaded into the kernel then stays: its default is drop.
    pub async fn run(self, ready: impl FnOnce(), stop: impl Future<Output = ()>) -> io::Result<()> {
        let mut changes = self.backends.changes();
        let booted = self.boot().await?;
        let control = Arc::new(Control {
            apply: self.apply,
            backends: self.backends,
        });
        let control = serve::serve(self.control_socket, move |request| {
            let control = Arc::clone(&control);
            async move { control.answer(request).await }
        });
        let router = self.router;
        let router = serve::serve(self.router_socket, move |request| {
            let router = Arc::clone(&router);
            async move { router.answer(request).await }
        });
        let ready = async {
            if booted == Booted::Wrong {
                // Services must not start on a policy that nobody asked for: ready when a document is live.
                changes.until_live().await;
            }
            ready();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = control => {}
            () = router => {}
            () = self.resolver.serve() => {}
            () = ready => {}
            () = stop => {}
        }
        Ok(())
    }

    async fn boot(&self) -> io::Result<Booted> {
        let booted = match self.boot_document().await {
            Ok(true) => return Ok(Booted::Live),
            Ok(false) => Booted::Empty,
            Err(error) => {
                tracing::error!(%error, "current document is not live; waiting for another");
                Booted::Wrong
            }
        };
        self.apply.close().await.map_err(io::Error::other)?;
        Ok(booted)
    }

    async fn boot_document(&self) -> Result<bool, ApplyError> {
        let bytes = document::current(&self.config_dir).map_err(ApplyError::Current)?;
        let Some(bytes) = bytes else { return Ok(false) };
        self.apply.apply(&bytes).await.map(|_| true)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Booted {
    /// The current document is live.
    Live,
    /// There is none.
    Empty,
    /// It cannot be live.
    Wrong,
}
