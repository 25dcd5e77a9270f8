//! A daemon without a machine: the real API and state, a loop that finds everything done at once, or as
//! the test says.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use holm_core::{
    name::{ContainerName, SecretName, ServiceId},
    target::{Block, Wanted},
    wire::{ContainerStatus, Operation, ServiceState},
};
use holmd::{
    api::{self, Admins, Answer, App, Outside},
    db::Db,
    view::{Failing, Owner, ServiceView, View},
};
use tokio::sync::{Notify, mpsc, watch};

use crate::{Client, Run, Terminal, wait::wait};

/// The time on stage.
const NOW: i64 = 1_000;

struct Machine;

impl Outside for Machine {
    fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Answer<'_, String> {
        let value = format!("{secret}-of-{service}");
        Box::pin(async move { Ok(value) })
    }

    fn ca_certificate(&self) -> Answer<'_, Option<String>> {
        let pem = "-----BEGIN CERTIFICATE-----\naG9sbQ==\n-----END CERTIFICATE-----\n";
        Box::pin(async move { Ok(Some(pem.to_owned())) })
    }

    fn logs(
        &self,
        _service: &ServiceId,
        container: &ContainerName,
        follow: bool,
        tail: u32,
    ) -> Answer<'_, mpsc::Receiver<Vec<u8>>> {
        let lines = [
            format!("{container}: the last {tail}, follow {follow}\n"),
            "a service that \u{1b}[2Jclears the screen\n".to_owned(),
        ];
        Box::pin(async move {
            let (sender, receiver) = mpsc::channel(2);
            for line in lines {
                sender.try_send(line.into_bytes()).unwrap();
            }
            Ok(receiver)
        })
    }
}

pub(super) struct Stage {
    dir: tempfile::TempDir,
    pub db: Db,
    pub view: watch::Sender<View>,
    wake: Arc<Notify>,
    /// Whether the loop finds everything done as soon as it is woken.
    quick: Arc<AtomicBool>,
}

impl Stage {
    /// A daemon that does nothing by itself, with a cell and `notes` installed and serving.
    pub async fn slow() -> Self {
        let stage = Self::new();
        stage.serve();
        stage.cell().await;
        stage.holm("install notes").await;
        stage.quick.store(false, Ordering::Relaxed);
        stage
    }

    /// A daemon that does everything at once; no cell yet.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("state.db")).unwrap();
        let stage = Self {
            dir,
            db,
            view: watch::Sender::new(View::default()),
            wake: Arc::new(Notify::new()),
            quick: Arc::new(AtomicBool::new(true)),
        };
        stage.pack("notes", &manifest("notes", "notes"));
        stage.pack("mail", &manifest("mail", "api").replace("@sha256:", ":"));
        stage.pack("memo", &manifest("memo", "notes"));
        let entry = |id: &str, what: &str| {
            format!(
                r#"{{"id":"{id}","name":"The {id}","description":"{what}","version":"1.0.0","author":"holm"}}"#
            )
        };
        let index = format!(
            "[{},{}]",
            entry("notes", "Keeps what you write"),
            entry("mail", "Letters")
        );
        fs::write(stage.store().join("index.json"), index).unwrap();
        stage
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("api.sock")
    }

    fn pack(&self, id: &str, manifest: &str) {
        let dir = self.store().join("services").join(id);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("manifest.json"), manifest).unwrap();
    }

    /// Opens the socket, and starts the loop.
    pub fn serve(&self) {
        let app = App {
            db: self.db.clone(),
            view: self.view.subscribe(),
            wake: Arc::clone(&self.wake),
            outside: Arc::new(Machine),
            clock: Arc::new(|| NOW),
            admins: Admins::of_this_process(),
        };
        let listener = api::bind(&self.socket()).unwrap();
        tokio::spawn(api::serve(listener, app, std::future::pending()));
        let (db, view, wake) = (self.db.clone(), self.view.clone(), Arc::clone(&self.wake));
        let quick = Arc::clone(&self.quick);
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                if quick.load(Ordering::Relaxed) {
                    look(&db, &view);
                }
            }
        });
    }

    /// A cell with the stage's store.
    pub async fn cell(&self) {
        let words = format!("init --domain alice.test --store {}", self.store().display());
        self.holm(&words).await;
    }

    /// Runs a command, and returns what a person saw.
    pub async fn holm(&self, words: &str) -> String {
        self.scripted(words, Vec::new()).await
    }

    /// The same, with one step of the script after each line on standard error.
    pub async fn scripted(&self, words: &str, steps: Vec<Step>) -> String {
        let socket = self.socket().display().to_string();
        let mut args: Vec<OsString> = ["holm", "--socket", &socket].map(Into::into).into();
        args.extend(words.split_whitespace().map(Into::into));
        let work = async |terminal: &mut Terminal<'_>| crate::run(args, terminal).await;
        let seen = self.watched(steps, work).await;
        format!("$ holm {words}\n{seen}")
    }

    /// Waits for an operation, as commands do.
    pub async fn wait(&self, operation: Operation, steps: Vec<Step>) -> String {
        let client = Client::new(self.socket());
        let work = async |terminal: &mut Terminal<'_>| {
            let mut run = Run {
                client,
                json: false,
                wait: true,
                timeout: 60,
                terminal,
            };
            match wait(&mut run, operation).await {
                Ok(_) => 0,
                Err(failure) => failure.print(&mut run),
            }
        };
        self.watched(steps, work).await
    }

    /// Nobody listens any more; connections that are open stay.
    pub fn close(&self) {
        fs::remove_file(self.socket()).unwrap();
    }

    async fn watched(&self, steps: Vec<Step>, work: impl AsyncFnOnce(&mut Terminal<'_>) -> u8) -> String {
        let mut out = Vec::new();
        let mut err = Scripted {
            text: Vec::new(),
            steps,
        };
        let mut terminal = Terminal {
            out: &mut out,
            err: &mut err,
            shown: true,
            clock: &|| NOW + 2,
        };
        let code = work(&mut terminal).await;
        let mut seen = String::new();
        for (mark, text) in [("", &out), ("! ", &err.text)] {
            for line in String::from_utf8_lossy(text).lines() {
                seen.push_str(mark);
                seen.push_str(line);
                seen.push('\n');
            }
        }
        seen.push_str(&format!("exit {code}\n"));
        seen.replace(&self.dir.path().display().to_string(), "DIR")
    }
}

/// What happens once a line was printed.
pub(super) type Step = Box<dyn FnOnce()>;

struct Scripted {
    text: Vec<u8>,
    steps: Vec<Step>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend(bytes);
        if bytes.ends_with(b"\n") && !self.steps.is_empty() {
            self.steps.remove(0)();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pass of a loop that finds everything as it was asked.
fn look(db: &Db, view: &watch::Sender<View>) {
    let loaded = db.load().unwrap();
    let mut seen = View {
        revision: loaded.revision,
        generation: 1,
        seen_at: Some(NOW),
        settled: true,
        ..View::default()
    };
    for (id, service) in loaded.intent.into_iter().flat_map(|intent| intent.services) {
        let state = match service.wanted {
            Wanted::Running => ServiceState::Serving,
            Wanted::Stopped => ServiceState::Stopped,
            Wanted::Removed => ServiceState::Removed,
            Wanted::Purged => {
                db.forget(&id, Block { first: 1, blocks: 1 }, NOW).unwrap();
                continue;
            }
        };
        let containers = vec![ContainerStatus {
            name: format!("holm-{id}.main"),
            address: "172.20.0.19".to_owned(),
            state: "active".to_owned(),
        }];
        seen.services
            .insert(id, service_view(state, &[], None, containers));
    }
    view.send_replace(seen);
    db.finish_operations(loaded.revision, |_| true).unwrap();
}

pub(super) fn service_view(
    state: ServiceState,
    doing: &[&str],
    failing: Option<&str>,
    containers: Vec<ContainerStatus>,
) -> ServiceView {
    ServiceView {
        owner: Owner {
            doing: doing.iter().map(|&text| text.to_owned()).collect(),
            failing: failing.map(|reason| Failing {
                reason: reason.to_owned(),
                retry_at: NOW + 32,
            }),
        },
        state,
        containers,
    }
}

fn manifest(id: &str, subdomain: &str) -> String {
    let image = format!("images.holm.example/{id}:1.0.0@sha256:{}", "0".repeat(64));
    format!(
        r#"{{
  "schema_version": 3, "id": "{id}", "name": "The {id}", "description": "for a test",
  "version": "1.0.0", "author": "holm", "kind": "store", "min_pic_version": "1.0",
  "capabilities": {{ "has_subdomain": true, "has_accounts": false, "has_admin_config": true,
    "has_storage": false, "has_egress": false, "has_api_hooks": false }},
  "subdomain": "{subdomain}", "extra_subdomains": [], "backend": "cell-{id}:80",
  "containers": ["cell-{id}"],
  "image": "{image}",
  "container_name": "cell-{id}",
  "config_schema": {{
    "limit": {{ "type": "integer", "label": "Limit", "required": true, "default": 5, "min": 1, "max": 9 }}
  }},
  "volumes": [], "env": [], "iptables_rules": [], "compose": null
}}"#
    )
}
