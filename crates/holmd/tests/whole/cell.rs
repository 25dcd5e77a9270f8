//! A cell on a machine in memory: its store, its state, and the daemon's lives one after the other.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use holm_core::{
    intent::CoreImages,
    model::Value,
    name::ServiceId,
    wire::{Init, Operation, Reconfigure},
};
use holm_host::FakeHost;
use holmd::{
    Clock,
    db::{Db, OperationState},
    ops::{self, Asked, OpError},
    reconcile::Reconciler,
    view::{Failing, View},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{packages, port::Port};

/// Unix second at which each test begins.
const DAWN: i64 = 1_800_000_000;

/// What a person asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Init,
    Install(&'static str),
    Stop(&'static str),
    Start(&'static str),
    Restart(&'static str),
    Remove(&'static str),
    Purge(&'static str),
    /// Another title.
    Retitle(&'static str, &'static str),
}

pub struct Cell {
    pub machine: Arc<FakeHost>,
    /// Home of the store and the state.
    dir: tempfile::TempDir,
    clock: Clock,
    life: Option<Life>,
}

/// The daemon, from its start to its end.
struct Life {
    db: Db,
    wake: Arc<Notify>,
    view: watch::Receiver<View>,
    port: Arc<Port>,
    task: JoinHandle<()>,
}

pub fn id(service: &str) -> ServiceId {
    service.parse().unwrap()
}

fn images() -> CoreImages {
    let image = |name: &str| {
        let digest = "fedcba9876543210".repeat(4);
        format!("images.holm.example/{name}:1.0.0@sha256:{digest}")
            .parse()
            .unwrap()
    };
    CoreImages {
        gateway: image("holm-gateway"),
        caddy: image("caddy"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of these tests is tokio's, which they move"
)]
fn now() -> Instant {
    Instant::now()
}

fn simulated() -> Clock {
    let start = now();
    Arc::new(move || DAWN + i64::try_from((now() - start).as_secs()).unwrap())
}

impl Cell {
    /// A machine with a store, on which nobody has said `holm init`, and the daemon on it.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        packages::write(&dir.path().join("store"));
        let mut cell = Self {
            machine: Arc::new(FakeHost::new()),
            dir,
            clock: simulated(),
            life: None,
        };
        cell.begin();
        cell
    }

    /// A cell of which these wishes came true.
    pub async fn after(wishes: &[Wish]) -> Self {
        let cell = Self::new();
        for wish in wishes {
            cell.ask(*wish).unwrap();
            cell.settle().await;
        }
        cell
    }

    /// Another machine with nothing on it, and this cell's state.
    pub async fn reborn(&mut self) -> Self {
        self.end().await;
        let other = Self::new();
        let mut other = other.ended().await;
        std::fs::copy(self.file(), other.file()).unwrap();
        other.begin();
        self.begin();
        other
    }

    async fn ended(mut self) -> Self {
        self.end().await;
        self
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("state.db")
    }

    /// The daemon starts.
    pub fn begin(&mut self) {
        let db = Db::open(&self.file()).unwrap();
        let (sender, view) = watch::channel(View::default());
        let wake = Arc::new(Notify::new());
        let port = Arc::new(Port::new(
            Arc::clone(&self.machine),
            db.clone(),
            Arc::clone(&self.clock),
        ));
        let reconciler = Reconciler {
            host: Arc::clone(&port),
            db: db.clone(),
            images: images(),
            view: sender,
            wake: Arc::clone(&wake),
            clock: Arc::clone(&self.clock),
        };
        let task = tokio::spawn(reconciler.run(Arc::new(Notify::new())));
        self.life = Some(Life {
            db,
            wake,
            view,
            port,
            task,
        });
    }

    /// The daemon ends as by SIGKILL.
    pub async fn end(&mut self) {
        let Some(life) = self.life.take() else { return };
        life.task.abort();
        let ended = life.task.await;
        assert!(
            ended.is_err_and(|error| error.is_cancelled()),
            "the loop ended by itself"
        );
        assert_eq!(life.port.faults(), Vec::<String>::new());
    }

    /// The loop ends, and somebody still gets an answer: a crash between the answer and the next pass.
    pub async fn ask_the_dying(&mut self, wish: Wish) -> Operation {
        let life = self.life.as_mut().unwrap();
        life.task.abort();
        while !life.task.is_finished() {
            tokio::task::yield_now().await;
        }
        self.ask(wish).unwrap()
    }

    /// Ends with the life that a test gave to the port.
    pub async fn over(&self) {
        self.life().port.over.notified().await;
    }

    fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    pub fn port(&self) -> &Port {
        &self.life().port
    }

    pub fn db(&self) -> &Db {
        &self.life().db
    }

    pub fn view(&self) -> View {
        self.life().view.borrow().clone()
    }

    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    pub fn ask(&self, wish: Wish) -> Result<Operation, OpError> {
        let life = self.life();
        let asked = Asked {
            db: &life.db,
            now: self.now(),
            wake: &life.wake,
        };
        match wish {
            Wish::Init => ops::init(asked, &self.init()),
            Wish::Install(service) => {
                let package = ops::package(&life.db, &id(service))?;
                ops::install(asked, &package, &BTreeMap::new())
            }
            Wish::Stop(service) => ops::stop(asked, &id(service)),
            Wish::Start(service) => ops::start(asked, &id(service)),
            Wish::Restart(service) => ops::restart(asked, &id(service)),
            Wish::Remove(service) => ops::remove(asked, &id(service)),
            Wish::Purge(service) => ops::purge(asked, &id(service), service),
            Wish::Retitle(service, title) => {
                let wish = Reconfigure {
                    config: BTreeMap::from([("title".parse().unwrap(), Value::String(title.into()))]),
                    compose_template: None,
                };
                ops::reconfigure(asked, &id(service), &wish)
            }
        }
    }

    fn init(&self) -> Init {
        Init {
            domain: "alice.test".parse().unwrap(),
            name: None,
            pool: None,
            store: Some(self.dir.path().join("store").to_str().unwrap().to_owned()),
        }
    }

    pub fn operation(&self, number: u64) -> OperationState {
        self.db().operation(number).unwrap().unwrap().state
    }

    /// Waits until the loop has nothing left to do about anything that was asked; the failures that were shown
    /// meanwhile. The clock stands still unless everybody waits for it.
    pub async fn settle(&self) -> Vec<Failing> {
        let mut shown = Vec::new();
        let mut view = self.life().view.clone();
        let (looks, since) = (self.machine.looks(), self.now());
        let waited = timeout(Duration::from_secs(300), async {
            while !self.settled() {
                view.changed().await.unwrap();
                let now = self.now();
                let view = view.borrow_and_update();
                let services = view.services.values().map(|service| &service.owner);
                for owner in services.chain([&view.core]) {
                    shown.extend(owner.failing.clone().filter(|failing| failing.retry_at > now));
                }
            }
        });
        if waited.await.is_err() {
            panic!(
                "never settles after {} looks and {} s: {:#?}\n{:#?}",
                self.machine.looks() - looks,
                self.now() - since,
                self.view(),
                self.machine.history().iter().rev().take(20).collect::<Vec<_>>(),
            );
        }
        shown
    }

    /// As asked, and seen to be so.
    pub fn settled(&self) -> bool {
        let (view, asked) = (self.view(), self.db().intent().unwrap());
        let known = asked
            .intent
            .is_none_or(|intent| intent.services.keys().eq(view.services.keys()));
        view.settled && known && view.revision == asked.revision
    }

    /// Waits until an operation is done.
    pub async fn done(&self, operation: &Operation) {
        let mut view = self.life().view.clone();
        let waited = timeout(Duration::from_secs(300), async {
            while self.operation(operation.id) == OperationState::Running {
                view.changed().await.unwrap();
            }
        });
        assert!(
            waited.await.is_ok(),
            "never done: {operation:?} {:#?}",
            self.view()
        );
        assert_eq!(self.operation(operation.id), OperationState::Done);
    }
}
