//! Which backends answer: probed until they accept, then left alone until the router fails to connect.

use std::{net::SocketAddrV4, sync::Arc, time::Duration};

use holm_core::{
    gateway::{BackendLive, GatewayLive},
    name::ServiceId,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_stream::{Stream, StreamExt, wrappers::WatchStream};

/// First pause between probes; a quarter longer each time, up to [`PROBE_LAST`].
const PROBE_FIRST: Duration = Duration::from_millis(20);
const PROBE_LAST: Duration = Duration::from_secs(1);
/// For one probe. An address that nobody has yet swallows a SYN for a second, so a new one is sent soon; whoever
/// listens on this machine answers within a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(100);
/// For one connection of a request.
pub(crate) const CONNECT: Duration = Duration::from_secs(1);

/// What is known of the backends of the live document.
#[derive(Debug)]
pub struct Backends {
    known: watch::Sender<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    generation: u64,
    entries: Vec<Entry>,
    /// Number of the last probe that was started.
    probes: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    service: ServiceId,
    backend: SocketAddrV4,
    up: bool,
    /// Number of the probe that is under way.
    probe: Option<u64>,
}

/// A view of the state that wakes at each change.
#[derive(Debug, Clone)]
pub struct Changes(watch::Receiver<Known>);

impl Backends {
    /// None known.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            known: watch::Sender::new(Known::default()),
        })
    }

    /// What is live now.
    pub fn live(&self) -> GatewayLive {
        self.known.borrow().live()
    }

    /// Wakes at each change.
    pub fn changes(&self) -> Changes {
        Changes(self.known.subscribe())
    }

    /// Takes the backends of a new document; what is known of those that stay is kept.
    pub fn adopt(self: &Arc<Self>, generation: u64, backends: Vec<(ServiceId, SocketAddrV4)>) {
        let mut started = Vec::new();
        self.known.send_modify(|known| {
            known.generation = generation;
            let mut old = std::mem::take(&mut known.entries);
            for (service, backend) in backends {
                let same = old
                    .iter()
                    .position(|e| e.service == service && e.backend == backend);
                let mut entry = match same {
                    Some(index) => old.swap_remove(index),
                    None => Entry {
                        service,
                        backend,
                        up: false,
                        probe: None,
                    },
                };
                if !entry.up && entry.probe.is_none() {
                    started.push((backend, entry.start(&mut known.probes)));
                }
                known.entries.push(entry);
            }
        });
        self.spawn(started);
    }

    /// Forgets what is known of a service's backends and probes them again.
    pub fn probe_again(self: &Arc<Self>, service: &ServiceId) {
        self.set_down(|entry| entry.service == *service);
    }

    /// The router could not connect.
    pub(crate) fn failed(self: &Arc<Self>, backend: SocketAddrV4) {
        self.set_down(|entry| entry.backend == backend);
    }

    /// The router has connected.
    pub(crate) fn accepted(&self, backend: SocketAddrV4) {
        self.set_up(backend, None);
    }

    fn set_down(self: &Arc<Self>, wanted: impl Fn(&Entry) -> bool) {
        let mut started = Vec::new();
        self.known.send_if_modified(|known| {
            let mut changed = false;
            for entry in known.entries.iter_mut().filter(|entry| wanted(entry)) {
                changed |= std::mem::replace(&mut entry.up, false);
                if entry.probe.is_none() {
                    started.push((entry.backend, entry.start(&mut known.probes)));
                }
            }
            changed
        });
        self.spawn(started);
    }

    fn set_up(&self, backend: SocketAddrV4, probe: Option<u64>) {
        self.known.send_if_modified(|known| {
            let mut changed = false;
            for entry in known.entries.iter_mut().filter(|entry| entry.backend == backend) {
                if probe.is_none() || entry.probe == probe {
                    changed |= !std::mem::replace(&mut entry.up, true);
                    entry.probe = None;
                }
            }
            changed
        });
    }

    fn spawn(self: &Arc<Self>, started: Vec<(SocketAddrV4, u64)>) {
        for (backend, probe) in started {
            tokio::spawn(Arc::clone(self).probe(backend, probe));
        }
    }

    async fn probe(self: Arc<Self>, backend: SocketAddrV4, probe: u64) {
        let mut pause = PROBE_FIRST;
        // Another connection may have shown it up, or the document may have dropped it: then this ends.
        while self.known.borrow().entries.iter().any(|e| e.probe == Some(probe)) {
            if let Ok(Ok(_)) = timeout(PATIENCE, TcpStream::connect(backend)).await {
                self.set_up(backend, Some(probe));
                return;
            }
            sleep(pause).await;
            pause = PROBE_LAST.min(pause * 5 / 4);
        }
    }
}

impl Entry {
    fn start(&mut self, probes: &mut u64) -> u64 {
        *probes += 1;
        self.probe = Some(*probes);
        *probes
    }
}

impl Known {
    fn live(&self) -> GatewayLive {
        let backends = self.entries.iter().map(|entry| BackendLive {
            service: entry.service.clone(),
            backend: entry.backend,
            up: entry.up,
        });
        GatewayLive {
            generation: self.generation,
            backends: backends.collect(),
        }
    }
}

impl Changes {
    /// Waits until `backend` is up; `false` as soon as the live document no longer has it.
    pub(crate) async fn until_up(&mut self, backend: SocketAddrV4) -> bool {
        let settled = |known: &Known| {
            let mut entries = known.entries.iter().filter(|e| e.backend == backend).peekable();
            entries.peek().is_none() || entries.any(|e| e.up)
        };
        match self.0.wait_for(settled).await {
            Ok(known) => known.entries.iter().any(|e| e.backend == backend),
            Err(_) => false,
        }
    }

    /// Waits until a document is live.
    pub async fn until_live(&mut self) {
        if self.0.wait_for(|known| known.generation > 0).await.is_err() {
            // The sender is gone, so none ever will be.
            std::future::pending::<()>().await;
        }
    }

    /// What is live, now and after each change.
    pub fn stream(self) -> impl Stream<Item = GatewayLive> + Send + 'static {
        WatchStream::new(self.0).map(|known| known.live())
    }
}
