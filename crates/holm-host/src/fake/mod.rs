//! A machine in memory with the semantics of the real one: for tests of everything above.
//!
//! It has no clock and no randomness of its own: the same calls give the same machine. Units that start need
//! somebody to look: each [`Host::observe`] shows how things stand and then lets them go on by one turn, so a
//! start is seen under way before it is seen done. [`FakeHost::settle`] lets them go on until nothing moves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use holm_core::{
    name::{SecretName, ServiceId},
    observed::Observed,
    plan::Step,
};
use tokio::sync::{Notify, mpsc};

use crate::{Host, HostError, Secret};

mod beside;
mod steps;
#[cfg(test)]
mod tests;
mod turn;
mod unit;
mod world;

use world::World;

/// When a step that is to fail does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    /// Nothing was done.
    Before,
    /// All was done, but nobody heard of it.
    After,
}

/// The machine. Shared by reference; every method takes `&self`.
#[derive(Debug, Default)]
pub struct FakeHost {
    world: Mutex<World>,
    changed: Notify,
}

impl FakeHost {
    /// A machine on which nothing was ever done.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the `nth` call of `apply` from now on fail, 1 for the next. Only the last such wish counts.
    pub fn fail_at(&self, nth: u64, fails: Fails) {
        self.world().fault = Some((nth.max(1), fails));
    }

    /// Lets the next `count` looks fail.
    pub fn blind(&self, count: u64) {
        self.world().blind = count;
    }

    /// Lets each pull of an image fail whose name begins so; an empty one lets all pulls succeed again.
    pub fn refuse_pulls(&self, prefix: &str) {
        self.world().refused = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
    }

    /// Lets the backends of a service refuse connections, or accept them again.
    pub fn deaf(&self, service: &ServiceId, deaf: bool) {
        let mut world = self.world();
        if deaf {
            world.deaf.insert(service.clone())
        } else {
            world.deaf.remove(service)
        };
        self.tell();
    }

    /// Lets a container's own program end at each start, or run again.
    pub fn broken(&self, container: &str, broken: bool) {
        let mut world = self.world();
        if broken {
            world.broken.insert(container.to_owned())
        } else {
            world.broken.remove(container)
        };
        if broken {
            world.kill(container);
        }
        self.tell();
    }

    /// Ends a container as a SIGKILL does; systemd then starts its unit again.
    pub fn kill(&self, container: &str) {
        self.world().kill(container);
        self.tell();
    }

    /// Somebody removes an image, a network or a volume behind our back, in use or not.
    pub fn lose(&self, name: &str) {
        let mut world = self.world();
        world.networks.remove(name);
        world.volumes.remove(name);
        world.images.retain(|image| image.pinned() != name);
    }

    /// Reboot or power cut: nothing runs, the disk is as it was, and units are started as they are enabled.
    pub fn reboot(&self) {
        self.world().boot();
        self.tell();
    }

    /// Lets everything under way go on until nothing moves any more.
    pub fn settle(&self) {
        let mut world = self.world();
        while world.turn() {}
        self.tell();
    }

    /// How things stand, without letting anything go on. Two machines that look alike are alike.
    pub fn look(&self) -> Observed {
        self.world().look()
    }

    /// All steps that were tried so far, in their own words, with ` (failed)` behind those that did not succeed.
    pub fn history(&self) -> Vec<String> {
        self.world().history.clone()
    }

    /// How many looks there were.
    pub fn looks(&self) -> u64 {
        self.world().looks
    }

    /// Lets a container write a line: `time stream message`.
    pub fn say(&self, container: &str, line: &str) {
        let mut world = self.world();
        let log = world.logs.entry(container.to_owned()).or_default();
        let line = format!("{line}\n").into_bytes();
        log.followers
            .retain(|follower| follower.try_send(line.clone()).is_ok());
        log.lines.push(line);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked elsewhere has failed already; the world is whole between calls.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.notify_one();
    }
}

impl Host for FakeHost {
    async fn observe(&self) -> Result<Observed, HostError> {
        let mut world = self.world();
        world.looks += 1;
        if world.blind > 0 {
            world.blind -= 1;
            return Err(HostError::new(
                "look at the fake machine",
                "it is blind for now",
                "Look again",
            ));
        }
        let seen = world.look();
        if world.turn() {
            self.tell();
        }
        Ok(seen)
    }

    async fn apply(&self, step: &Step) -> Result<(), HostError> {
        let mut world = self.world();
        let fails = match world.fault.take() {
            Some((1, fails)) => Some(fails),
            other => {
                world.fault = other.map(|(nth, fails)| (nth - 1, fails));
                None
            }
        };
        let done = match fails {
            Some(Fails::Before) => Err("it was told to fail before it began".to_owned()),
            Some(Fails::After) => world
                .apply(step)
                .and(Err("it was told to fail when all was done".to_owned())),
            None => world.apply(step),
        };
        let outcome = if done.is_ok() { "" } else { " (failed)" };
        world.history.push(format!("{step}{outcome}"));
        if matches!(
            step,
            Step::Start(_) | Step::Restart(_) | Step::Stop(_) | Step::Reload | Step::Configure(_)
        ) {
            self.tell();
        }
        done.map_err(|why| HostError::new(step.to_string(), why, "It is tried again"))
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }

    async fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Result<Secret, HostError> {
        let world = self.world();
        let value = world.secrets.get(service).and_then(|secrets| secrets.get(secret));
        value.cloned().map(Secret::new).ok_or_else(|| {
            HostError::new(
                format!("open secret {secret} of {service}"),
                "there is none",
                format!("`holm status {service}` says whether it is installed"),
            )
        })
    }

    async fn ca_certificate(&self) -> Result<Option<String>, HostError> {
        let text = "-----BEGIN CERTIFICATE-----\nZmFrZQ==\n-----END CERTIFICATE-----\n";
        Ok(self.world().edge_ran.then(|| text.to_owned()))
    }

    async fn steady(&self) -> Result<(), HostError> {
        Ok(())
    }

    async fn logs(
        &self,
        container: &str,
        follow: bool,
        tail: u32,
    ) -> Result<mpsc::Receiver<Vec<u8>>, HostError> {
        let mut world = self.world();
        let log = world.logs.entry(container.to_owned()).or_default();
        let tail = usize::try_from(tail).unwrap_or(usize::MAX);
        let last = log.lines.iter().skip(log.lines.len().saturating_sub(tail));
        let (sender, receiver) = mpsc::channel(last.len() + 256);
        for line in last {
            // There is room for all of them.
            let _ = sender.try_send(line.clone());
        }
        if follow {
            log.followers.push(sender);
        }
        Ok(receiver)
    }
}
