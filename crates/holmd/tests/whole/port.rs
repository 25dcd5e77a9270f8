//! The machine as one life of the daemon sees it: the life may end after any step, a step may be refused for long,
//! and what must never be is looked for after each.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
};

use holm_core::{
    name::{SecretName, ServiceId},
    observed::Observed,
    plan::Step,
    target::Wanted,
};
use holm_host::{FakeHost, Host, HostError, Secret};
use holmd::{Clock, db::Db};
use tokio::sync::{Notify, mpsc};

/// More looks in one second than any story needs: the loop spins, and the clock of a test would never move again.
const SPINS: u32 = 300;

/// One life's way to the machine.
pub struct Port {
    machine: Arc<FakeHost>,
    db: Db,
    clock: Clock,
    script: Mutex<Script>,
    /// Told when the life is over.
    pub over: Notify,
}

#[derive(Default)]
struct Script {
    /// Steps until the life ends.
    left: Option<u64>,
    dead: bool,
    /// Steps that begin so are refused.
    refused: Option<String>,
    /// The second of the last look, and how many there were in it.
    looks: (i64, u32),
    /// What should never have been.
    faults: Vec<String>,
}

impl Port {
    pub fn new(machine: Arc<FakeHost>, db: Db, clock: Clock) -> Self {
        Self {
            machine,
            db,
            clock,
            script: Mutex::default(),
            over: Notify::new(),
        }
    }

    /// The life ends when this many more steps were done; nobody hears of the last one's end.
    pub fn die_after(&self, steps: u64) {
        let mut script = self.script();
        script.left = Some(steps);
        script.dead = steps == 0;
        if script.dead {
            self.over.notify_one();
        }
    }

    /// Refuses each step whose words begin so, until another beginning is named.
    pub fn refuse(&self, beginning: Option<&str>) {
        self.script().refused = beginning.map(str::to_owned);
    }

    /// What should never have been and was.
    pub fn faults(&self) -> Vec<String> {
        self.script().faults.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn count_look(&self) {
        let now = (self.clock)();
        let mut script = self.script();
        let before = if script.looks.0 == now { script.looks.1 } else { 0 };
        script.looks = (now, before + 1);
        drop(script);
        assert!(
            before < SPINS,
            "the loop spins: {:#?}",
            self.machine.history().iter().rev().take(20).collect::<Vec<_>>()
        );
    }

    async fn while_alive(&self) {
        let dead = self.script().dead;
        if dead {
            pending::<()>().await;
        }
    }

    /// Counts a step that was done; the life may end with it.
    async fn count(&self) {
        let over = {
            let mut script = self.script();
            script.left = script.left.map(|left| left.saturating_sub(1));
            script.dead |= script.left == Some(0);
            script.dead
        };
        if over {
            self.over.notify_one();
            pending::<()>().await;
        }
    }

    fn fault(&self, what: String) {
        self.script().faults.push(what);
    }

    fn judge(&self, before: &Observed, step: Option<&Step>) {
        let after = self.machine.look();
        for (name, container) in &after.containers {
            let new = before.containers.get(name) != Some(container) && !container.service.is_empty();
            if new && !self.machine.policed(name) {
                self.fault(format!("{name} was started, and its policy is not live"));
            }
        }
        let lost: BTreeSet<&String> = before.volumes.difference(&after.volumes).collect();
        if !lost.is_empty() {
            let intent = self.db.intent().unwrap().intent.unwrap();
            for volume in lost {
                let mut owners = intent.services.iter();
                let purged = owners.any(|(id, service)| {
                    service.wanted == Wanted::Purged && volume.starts_with(&format!("holm-{id}."))
                });
                if !purged {
                    self.fault(format!(
                        "{volume} is gone, and nobody asked for a purge: {step:?}"
                    ));
                }
            }
        }
        if matches!(step, Some(Step::Configure(_) | Step::CreateNetwork(_))) {
            self.judge_blocks();
        }
    }

    fn judge_blocks(&self) {
        let subnets = self.machine.subnets();
        let different: BTreeSet<_> = subnets.values().collect();
        if different.len() != subnets.len() {
            self.fault(format!("two networks share a subnet: {subnets:?}"));
        }
        let target = self.db.load().unwrap().target.unwrap();
        let mut taken = BTreeSet::new();
        for (id, service) in &target.services {
            let block = service.lease.block;
            for number in block.first..block.first + block.blocks {
                if !taken.insert(number) {
                    self.fault(format!("{id} shares block {number}"));
                }
            }
        }
    }
}

impl Host for Port {
    async fn observe(&self) -> Result<Observed, HostError> {
        self.while_alive().await;
        self.count_look();
        let before = self.machine.look();
        let seen = self.machine.observe().await;
        self.judge(&before, None);
        seen
    }

    async fn apply(&self, step: &Step) -> Result<(), HostError> {
        self.while_alive().await;
        let words = step.to_string();
        let refused = self.script().refused.clone();
        if refused.is_some_and(|beginning| words.starts_with(&beginning)) {
            return Err(HostError::new(words, "it is refused for long", "Wait"));
        }
        let before = self.machine.look();
        let done = self.machine.apply(step).await;
        self.judge(&before, Some(step));
        self.count().await;
        done
    }

    async fn steady(&self) -> Result<(), HostError> {
        self.machine.steady().await
    }

    async fn changed(&self) {
        self.while_alive().await;
        self.machine.changed().await;
    }

    async fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Result<Secret, HostError> {
        self.machine.reveal(service, secret).await
    }

    async fn ca_certificate(&self) -> Result<Option<String>, HostError> {
        self.machine.ca_certificate().await
    }

    async fn logs(
        &self,
        container: &str,
        follow: bool,
        tail: u32,
    ) -> Result<mpsc::Receiver<Vec<u8>>, HostError> {
        self.machine.logs(container, follow, tail).await
    }
}
